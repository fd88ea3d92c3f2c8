//! The outcome of one input row: the evidence that is stored, and the bucket it is counted in.

use jiff::Timestamp;

use super::books::Booking;
use super::finding::PastFinding;
use super::listed::ListedAmounts;
use super::order::{Charge, RunOrder};

/// One input row and what was learned about it. The store keeps outcomes, and every report is made from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The line of the input on which the row begins, counted from 1.
    pub line: u64,
    /// The row's ID or, if it has no usable one, the text in its place.
    pub run_order_id: String,
    /// What was learned about the row.
    pub evidence: Evidence,
}

/// When an order was created, as it was last seen; `None` if it had no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedBefore(pub Option<Timestamp>);

/// What is known about a row from sources other than the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Background {
    /// Every row of our own books that carries the order, by line. Empty if the books are not compared, and
    /// for rows that repeat an order: the order's first row has them all.
    pub bookings: Vec<Booking>,
    /// The order's amounts in the provider's list, if the list was fetched and has the order.
    pub listed: Option<ListedAmounts>,
    /// The findings from when the order was last judged.
    pub past_findings: Vec<PastFinding>,
    /// The `discrepancy_id`s of those findings that come from a later job than the row itself. The row can't
    /// resolve them, except for `unlisted-in-input`.
    pub later_finding_ids: Vec<String>,
    /// The order as it was last seen, if it was once seen settled and the provider no longer knows it.
    pub last_seen: Option<Box<RunOrder>>,
    /// When the order was created, as far as it was known when the order was last seen, if that has changed since.
    pub created_before: Option<CreatedBefore>,
}

/// What was learned about one input row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The provider described an order.
    Fetched(Box<Fetched>),
    /// The provider says there is no such order.
    NotFound(Reason),
    /// The provider refuses this order.
    Refused(Reason),
    /// The reply is JSON but not a run order.
    Malformed(Reason),
    /// No usable answer came.
    Unfetched(Reason),
    /// An earlier row has the same ID.
    Duplicate {
        /// The line of the first row with this ID.
        first_line: u64,
    },
    /// The row holds no usable ID.
    Rejected(Reason),
}

/// An order as the provider described it, and what earlier runs add to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The order.
    pub order: RunOrder,
    /// Whether the order was not fetched again because an earlier run recently saw it settled.
    pub is_reused: bool,
    /// The figures of the order's baseline, if this row shows the order in a different state. The baseline is
    /// the first settled state with all six amounts.
    pub baseline: Option<Charge>,
}

impl From<Fetched> for Evidence {
    fn from(fetched: Fetched) -> Self {
        Self::Fetched(Box::new(fetched))
    }
}

impl From<RunOrder> for Evidence {
    /// A freshly fetched order to which earlier runs add nothing.
    fn from(order: RunOrder) -> Self {
        Self::Fetched(Box::new(Fetched { order, ..Fetched::default() }))
    }
}

/// Why a row is an exception: a stable code for scripts and details for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A stable kebab-case word, such as `http-404` or `wrong-type`.
    pub code: String,
    /// The details, as `exceptions.csv` shows them.
    pub detail: String,
}

impl Reason {
    /// A reason from its code and details.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// The bucket that an input row is counted in. Each row is counted in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Settled, and every due check of severity error holds.
    Reconciled,
    /// A due check of severity error fails and is not waived.
    Discrepant,
    /// As discrepant, but every such failure is waived.
    Waived,
    /// Not settled, and what is due so far holds: a timing difference.
    Pending,
    /// The provider says there is no such order.
    NotFound,
    /// The provider refuses this order.
    Refused,
    /// The reply is JSON but not a run order.
    Malformed,
    /// No usable answer came.
    Unfetched,
    /// An earlier row has the same ID.
    Duplicate,
    /// The row holds no usable ID.
    Rejected,
}

impl Bucket {
    /// Every bucket, in the order of the reports.
    pub const ALL: [Self; 10] = [
        Self::Reconciled,
        Self::Discrepant,
        Self::Waived,
        Self::Pending,
        Self::NotFound,
        Self::Refused,
        Self::Malformed,
        Self::Unfetched,
        Self::Duplicate,
        Self::Rejected,
    ];

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reconciled => "reconciled",
            Self::Discrepant => "discrepant",
            Self::Waived => "waived",
            Self::Pending => "pending",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unfetched => "unfetched",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
        }
    }
}
