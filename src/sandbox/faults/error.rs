//! Errors in fault plans; each says what is accepted instead.

use std::io;
use std::path::PathBuf;

/// The names of all faults, sorted.
pub(super) const KINDS: [&str; 27] = [
    "chunked-endless",
    "close-after",
    "close-before-headers",
    "code",
    "cut-body",
    "deep",
    "duplicate-keys",
    "empty",
    "gzip",
    "gzip-bomb",
    "hang-after-headers",
    "hang-before-headers",
    "html",
    "html-status",
    "null-data",
    "oversize",
    "redirect",
    "reset-before-headers",
    "reset-body",
    "short-body",
    "slow",
    "status",
    "too-many",
    "trailing-bytes",
    "trickle",
    "wrong-content-type",
    "wrong-order",
];

/// Why a fault plan can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FaultPlanError {
    /// A rule on the command line is invalid.
    #[error("invalid fault `{spec}`: {source}")]
    Spec {
        /// The rule as written.
        spec: String,
        /// What is wrong with the rule.
        source: RuleError,
    },
    /// The plan's file can't be read.
    #[error("the fault plan {} can't be read: {source}; name a TOML file", path.display())]
    File {
        /// The plan's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The text is not a fault plan.
    #[error("the fault plan is not TOML with [[rule]] tables: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A rule in the plan's text is invalid.
    #[error("rule {number} (`{fault}`) of the fault plan is invalid: {source}")]
    Rule {
        /// The rule's position, from 1.
        number: usize,
        /// The rule's fault as written.
        fault: String,
        /// What is wrong with the rule.
        source: RuleError,
    },
}

/// What is wrong with one rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A part after the fault is not `key=value`.
    #[error("`{0}` is not key=value; write a comma within a value as \\,")]
    NoPair(String),
    /// A key is given twice.
    #[error("the key `{0}` is given twice; remove one")]
    Twice(String),
    /// A key is unknown; holds the TOML reader's message.
    #[error("{0}")]
    Key(String),
    /// The fault's name is unknown.
    #[error("unknown fault `{kind}`; choose from: {}", KINDS.join(", "))]
    Unknown {
        /// The name as written.
        kind: String,
    },
    /// The fault needs a value.
    #[error("`{kind}` needs a value: {kind}={wanted}")]
    NoValue {
        /// The fault's name.
        kind: &'static str,
        /// The values it accepts.
        wanted: &'static str,
    },
    /// The fault takes no value.
    #[error("`{kind}` takes no value; remove `={value}`")]
    Value {
        /// The fault's name.
        kind: String,
        /// The value as written.
        value: String,
    },
    /// The value of a key or fault is not valid.
    #[error("`{key}={value}` is not valid: it must be {wanted}")]
    BadValue {
        /// The name of the key or fault.
        key: &'static str,
        /// The value as written.
        value: String,
        /// The values it accepts.
        wanted: &'static str,
    },
    /// The key does not apply to this fault.
    #[error("the key `{key}` does not apply to `{kind}`: it is for {takers}; remove it")]
    Misplaced {
        /// The key's name.
        key: &'static str,
        /// The fault's name.
        kind: String,
        /// The faults that the key applies to.
        takers: &'static str,
    },
    /// `nth` is given together with `from` or `to`.
    #[error("`nth` names one request, so it can't be combined with `from` and `to`; remove one or the other")]
    NthAndRange,
    /// `from` is larger than `to`.
    #[error("the range from {from} to {to} is empty; `from` must not be larger than `to`")]
    EmptyRange {
        /// The first request of the range.
        from: u64,
        /// The last request of the range.
        to: u64,
    },
}
