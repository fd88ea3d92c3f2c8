//! What became of one input row: the evidence that is stored, and the bucket it is counted in.

use super::books::Booking;
use super::finding::PastFinding;
use super::listed::ListedAmounts;
use super::order::{Charge, RunOrder};

/// One input row and what was learnt about it. This is what the store keeps; every report is made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The line of the input on which the row begins, counted from 1.
    pub line: u64,
    /// The row's ID: usable, or the text that stood in its place.
    pub run_order_id: String,
    /// What was learnt.
    pub evidence: Evidence,
}

/// What is known of a row from elsewhere than the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Background {
    /// Every row of our own books that carries the order, by line; none where the books are not compared. They belong to
    /// the first row of the order: the rows that repeat it have none.
    pub bookings: Vec<Booking>,
    /// What the provider's list says of the order, where the list was walked and has it.
    pub listed: Option<ListedAmounts>,
    /// What was found when the order was last judged.
    pub past: Vec<PastFinding>,
    /// Which of that was found by a later job than the one that read the row, by `discrepancy_id`: the row resolves none of it.
    pub found_later: Vec<String>,
    /// How the order was last seen, where the provider does not know an order any more that was once seen settled.
    pub last_seen: Option<Box<RunOrder>>,
}

/// What was learnt about one input row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The provider described an order.
    Fetched(Box<Fetched>),
    /// The provider says there is no such order.
    NotFound(Reason),
    /// The provider refuses this order.
    Refused(Reason),
    /// The reply is JSON but no run order.
    Malformed(Reason),
    /// No answer was had.
    Unfetched(Reason),
    /// The same ID stood on that earlier line.
    Duplicate {
        /// The line of the first row with this ID.
        first_line: u64,
    },
    /// The row holds no usable ID.
    Rejected(Reason),
}

/// An order as the provider described it, and what earlier runs add to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The order.
    pub order: RunOrder,
    /// Whether it was not asked for again, because an earlier run saw it settled not long ago.
    pub is_reused: bool,
    /// The figures with which it was first seen settled, where they were other ones.
    pub settled_as: Option<Charge>,
}

impl From<Fetched> for Evidence {
    fn from(fetched: Fetched) -> Self {
        Self::Fetched(Box::new(fetched))
    }
}

impl From<RunOrder> for Evidence {
    /// An order of which nothing else is known.
    fn from(order: RunOrder) -> Self {
        Self::Fetched(Box::new(Fetched { order, ..Fetched::default() }))
    }
}

/// Why a row is an exception: a stable word for scripts and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A stable kebab-case word, such as `http-404` or `wrong-type`.
    pub code: String,
    /// The particulars.
    pub detail: String,
}

impl Reason {
    /// A reason with its particulars.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// Where an input row is counted. Each row is counted in exactly one.
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
    /// The reply is JSON but no run order.
    Malformed,
    /// No answer was had.
    Unfetched,
    /// The same ID stood on an earlier row.
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

    /// The word the reports use.
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
