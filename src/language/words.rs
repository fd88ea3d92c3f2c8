//! The words of the program that are explained in every language, one message a word.

/// What is said of a word of the program: together with the word it names a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// What a check says of an order that passes.
    CheckHolds,
    /// When a check is asked at all.
    CheckDue,
    /// An order that fails a check, in a sentence.
    CheckExample,
    /// What a person should do about a failed check.
    CheckRemedy,
    /// What a cause of a failed identity means, and what to do.
    Cause,
    /// Which rows a bucket of the population holds.
    Bucket,
    /// A bucket as a table shows it.
    BucketName,
    /// What a verdict means.
    Verdict,
    /// A verdict as a heading shows it.
    VerdictName,
    /// What a severity does to an order and to the verdict.
    Severity,
    /// A severity as a table shows it.
    SeverityName,
    /// An amount, or a count of a control total, as a table shows it.
    AmountName,
}

impl Word {
    /// Everything that is said of words.
    pub const ALL: [Self; 12] = [
        Self::CheckHolds,
        Self::CheckDue,
        Self::CheckExample,
        Self::CheckRemedy,
        Self::Cause,
        Self::Bucket,
        Self::BucketName,
        Self::Verdict,
        Self::VerdictName,
        Self::Severity,
        Self::SeverityName,
        Self::AmountName,
    ];

    /// The message that says it of the word with that code.
    #[must_use]
    pub fn id(self, code: &str) -> String {
        match self {
            Self::CheckHolds => format!("check-{code}-holds"),
            Self::CheckDue => format!("check-{code}-due"),
            Self::CheckExample => format!("check-{code}-example"),
            Self::CheckRemedy => format!("check-{code}-remedy"),
            Self::Cause => format!("cause-{code}"),
            Self::Bucket => format!("bucket-{code}"),
            Self::BucketName => format!("bucket-name-{code}"),
            Self::Verdict => format!("verdict-{code}"),
            Self::VerdictName => format!("verdict-name-{code}"),
            Self::Severity => format!("severity-{code}"),
            Self::SeverityName => format!("severity-name-{code}"),
            Self::AmountName => format!("amount-name-{code}"),
        }
    }
}
