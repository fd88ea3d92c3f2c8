//! The words of the program that every language explains: checks, causes, buckets, verdicts and the like.

/// One kind of explanation. Together with a word's code, it names a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// What is true of an order that passes a check.
    CheckHolds,
    /// When a check is due.
    CheckDue,
    /// An example of an order that fails a check.
    CheckExample,
    /// What to do about a failed check.
    CheckRemedy,
    /// What a cause of a failed check means, and what to do about it.
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
    /// Every kind of explanation.
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

    /// The ID of the message that explains the word with that code.
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
