//! Why a fault plan can't be read, and what would do.

use std::io;
use std::path::PathBuf;

/// Every fault's name.
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
    /// A rule on the command line is wrong.
    #[error("the fault `{spec}` can't be planned: {source}")]
    Spec {
        /// The rule as written.
        spec: String,
        /// What is wrong with it.
        source: RuleError,
    },
    /// The file can't be read.
    #[error("the fault plan {} can't be read: {source}; name a TOML file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The text is no fault plan.
    #[error("the fault plan is no TOML of [[rule]] tables: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A rule of the text is wrong.
    #[error("rule {number} (`{fault}`) of the fault plan is wrong: {source}")]
    Rule {
        /// Which rule, from 1.
        number: usize,
        /// Its fault as written.
        fault: String,
        /// What is wrong with it.
        source: RuleError,
    },
}

/// What is wrong with one rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A part of a SPEC is no `key=value`.
    #[error("`{0}` is no key=value; a comma within a value is written \\,")]
    NoPair(String),
    /// A key stands twice.
    #[error("the key `{0}` stands twice; leave one out")]
    Twice(String),
    /// There is no such key.
    #[error("{0}")]
    Key(String),
    /// There is no such fault.
    #[error("there is no fault `{kind}`; there are: {}", KINDS.join(", "))]
    Unknown {
        /// What was written.
        kind: String,
    },
    /// A fault needs a value.
    #[error("`{kind}` needs a value: {kind}={wanted}")]
    NoValue {
        /// The fault.
        kind: &'static str,
        /// What would do.
        wanted: &'static str,
    },
    /// A fault takes no value.
    #[error("`{kind}` takes no value; leave `={value}` out")]
    Value {
        /// The fault.
        kind: String,
        /// The value.
        value: String,
    },
    /// A key's value won't do.
    #[error("`{key}={value}` won't do: it must be {wanted}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        wanted: &'static str,
    },
    /// A key means nothing to that fault.
    #[error("the key `{key}` means nothing to `{kind}`: it is for {takers}; leave it out")]
    Misplaced {
        /// The key.
        key: &'static str,
        /// The fault.
        kind: String,
        /// The faults that take it.
        takers: &'static str,
    },
    /// `nth` stands beside `from` or `to`.
    #[error("`nth` names one request, so `from` and `to` can't stand beside it; leave either out")]
    NthAndRange,
    /// The range is empty.
    #[error("no request is from {from} to {to}; `from` must not be larger than `to`")]
    EmptyRange {
        /// The first request.
        from: u64,
        /// The last one.
        to: u64,
    },
}
