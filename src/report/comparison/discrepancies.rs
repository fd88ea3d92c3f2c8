//! Matches the discrepancies of two reports: which are new, and what happened to the old ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::error::ComparisonError;
use super::fetched::{self, UnassessedReason};
use super::folder::Folder;
use super::rows;
use crate::checks::{CATALOGUE, depends_on_input};
use crate::domain::finding::Subject;
use crate::domain::money::Sum;
use crate::report::content::tables::discrepancy_id;

const FILE: &str = "discrepancies.csv";
const COLUMNS: [&str; 13] = [
    "discrepancy_id",
    "run_order_id",
    "check",
    "workflow_id",
    "revision_id",
    "severity",
    "cause",
    "currency",
    "expected",
    "actual",
    "difference",
    "waived",
    "field",
];
/// How many rows of our own books can carry one order and still be distinguished.
const MAX_ROWS: u64 = 1 << 16;
/// The check that fails when a reply is about a different order.
const FOREIGN: &str = "identity-mismatch";

/// What happened to a discrepancy. The order is that of the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Only the new report has it.
    New,
    /// Both have it, but it differs in a column that [`Discrepancy::changed`] names.
    Changed,
    /// Both have it, unchanged.
    Persisting,
    /// Only the old report has it, and the new one did not assess the order: whether it persists is unknown.
    NotAssessed,
    /// Only the old report has it, and the new one assessed the order.
    Resolved,
}

impl State {
    /// The stable kebab-case word for the state.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Persisting => "persisting",
            Self::NotAssessed => "not-assessed",
            Self::Resolved => "resolved",
        }
    }
}

/// How many discrepancies are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StateCounts {
    /// Only in the new report.
    pub new: u64,
    /// In both, with a difference.
    pub changed: u64,
    /// In both, unchanged.
    pub persisting: u64,
    /// Only in the old report, and the new one did not assess the order.
    pub not_assessed: u64,
    /// Only in the old report, and the new one assessed the order.
    pub resolved: u64,
}

impl StateCounts {
    pub(super) fn of(discrepancies: &[Discrepancy]) -> Self {
        let mut counts = Self::default();
        for discrepancy in discrepancies {
            *match discrepancy.state {
                State::New => &mut counts.new,
                State::Changed => &mut counts.changed,
                State::Persisting => &mut counts.persisting,
                State::NotAssessed => &mut counts.not_assessed,
                State::Resolved => &mut counts.resolved,
            } += 1;
        }
        counts
    }
}

/// One discrepancy of either report. Texts are as in the report's CSV: empty where the cell is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// What happened to it.
    pub state: State,
    /// 16 hex digits from order, check, field and row of our books, the same in both reports.
    pub discrepancy_id: String,
    /// The order's ID.
    pub run_order_id: String,
    /// The check that fails.
    pub check: String,
    /// The field, where the check has several.
    pub field: String,
    /// The order's workflow, from the new report if the discrepancy is there, else from the old one.
    pub workflow_id: String,
    /// The order's revision, from the same report as the workflow.
    pub revision_id: String,
    /// The discrepancy in the old report, if it is there.
    pub old: Option<Side>,
    /// The discrepancy in the new report, if it is there.
    pub new: Option<Side>,
    /// The columns in which the two reports differ; empty unless the state is changed.
    pub changed: Vec<&'static str>,
    /// Why the new report did not assess the order, where the state is not assessed.
    pub because: Option<UnassessedReason>,
}

/// A discrepancy in one of the two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `error` or `warning`.
    pub severity: String,
    /// The code of the proven cause, or empty.
    pub cause: String,
    /// The order's currency.
    pub currency: String,
    /// What the check expects.
    pub expected: String,
    /// What the reply said.
    pub actual: String,
    /// Actual less expected, where both are money.
    pub difference: Option<Sum>,
    /// `true` where a waiver covers it, else empty.
    pub waived: String,
}

impl Side {
    /// The columns that differ from the other report's.
    fn changes(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("severity", self.severity != other.severity),
            ("cause", self.cause != other.cause),
            ("currency", self.currency != other.currency),
            ("expected", self.expected != other.expected),
            ("actual", self.actual != other.actual),
            ("difference", self.difference != other.difference),
            ("waived", self.waived != other.waived),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(column, _)| column).collect()
    }
}

/// A row of `discrepancies.csv`.
struct Row {
    /// The discrepancy's ID as a number, which takes less memory in the index than the text.
    key: u64,
    discrepancy_id: String,
    run_order_id: String,
    check: String,
    field: String,
    workflow_id: String,
    revision_id: String,
    side: Side,
}

impl Row {
    fn into_discrepancy(self, state: State, old: Option<Side>) -> Discrepancy {
        let (old, new) = match state {
            State::New | State::Changed | State::Persisting => (old, Some(self.side)),
            State::NotAssessed | State::Resolved => (Some(self.side), None),
        };
        let changed = old.iter().zip(&new).flat_map(|(old, new)| old.changes(new)).collect();
        Discrepancy {
            state,
            discrepancy_id: self.discrepancy_id,
            run_order_id: self.run_order_id,
            check: self.check,
            field: self.field,
            workflow_id: self.workflow_id,
            revision_id: self.revision_id,
            old,
            new,
            changed,
            because: None,
        }
    }
}

/// Every discrepancy of both reports. Those that only the old one has are `NotAssessed` until
/// [`Matches::assess`].
pub(super) struct Matches(Vec<Discrepancy>);

/// Matches the discrepancies of two reports.
pub(super) fn match_discrepancies(old: &Folder, new: &Folder) -> Result<Matches, ComparisonError> {
    let mut before: Vec<Option<Row>> = read(old)?.into_iter().map(Some).collect();
    let places: HashMap<u64, usize> =
        before.iter().flatten().enumerate().map(|(place, row)| (row.key, place)).collect();
    let mut all = Vec::new();
    for row in read(new)? {
        let old = places.get(&row.key).and_then(|place| before.get_mut(*place)).and_then(Option::take);
        let old = old.map(|row| row.side);
        let state = match &old {
            None => State::New,
            Some(old) if old.changes(&row.side).is_empty() => State::Persisting,
            Some(_) => State::Changed,
        };
        all.push(row.into_discrepancy(state, old));
    }
    all.extend(before.into_iter().flatten().map(|row| row.into_discrepancy(State::NotAssessed, None)));
    Ok(Matches(all))
}

impl Matches {
    /// Decides for each discrepancy that only the old report has whether it is resolved: whether the new
    /// report assessed its order. Returns how many rows the new report's `exceptions.csv` has, by bucket.
    pub(super) fn assess(&mut self, new: &Folder) -> Result<BTreeMap<&'static str, u64>, ComparisonError> {
        let gone = self.0.iter().filter(|discrepancy| discrepancy.new.is_none());
        let mut unseen: HashMap<String, UnassessedReason> =
            gone.map(|discrepancy| (discrepancy.run_order_id.clone(), UnassessedReason::NotInInput)).collect();
        fetched::remove_fetched(new, &mut unseen)?;
        let exceptions = fetched::exceptions(new, |run_order_id, why| {
            if let Some(because) = unseen.get_mut(run_order_id) {
                *because = why;
            }
        })?;
        for foreign in self.0.iter().filter(|row| row.new.is_some() && row.check == FOREIGN) {
            if let Some(because) = unseen.get_mut(&foreign.run_order_id) {
                *because = UnassessedReason::IdentityMismatch;
            }
        }
        for discrepancy in self.0.iter_mut().filter(|discrepancy| discrepancy.new.is_none()) {
            discrepancy.because = unseen.get(&discrepancy.run_order_id).copied();
            discrepancy.state = if discrepancy.because.is_some() { State::NotAssessed } else { State::Resolved };
        }
        Ok(exceptions)
    }

    pub(super) fn into_sorted(mut self) -> Vec<Discrepancy> {
        // A stable sort: within a state, rows stay in the order of their report.
        self.0.sort_by_key(|discrepancy| discrepancy.state);
        self.0
    }
}

fn read(folder: &Folder) -> Result<Vec<Row>, ComparisonError> {
    let (mut read, mut seen) = (Vec::new(), HashSet::new());
    rows::for_each(folder, FILE, COLUMNS, |cells| {
        let row = row(cells)?;
        if !seen.insert(row.key) {
            return Err(format!("discrepancy_id {} appears twice", row.discrepancy_id));
        }
        read.push(row);
        Ok(())
    })?;
    Ok(read)
}

fn row(cells: [&str; COLUMNS.len()]) -> Result<Row, String> {
    let [id, order, check, workflow, revision, severity, cause, currency, expected, actual, difference, waived, field] =
        cells;
    let run_order_id = order_id(order, check, field, id)?.to_owned();
    Ok(Row {
        key: u64::from_str_radix(id, 16).map_err(|error| error.to_string())?,
        discrepancy_id: id.to_owned(),
        run_order_id,
        check: check.to_owned(),
        field: field.to_owned(),
        workflow_id: workflow.to_owned(),
        revision_id: revision.to_owned(),
        side: Side {
            severity: severity.to_owned(),
            cause: cause.to_owned(),
            currency: currency.to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            difference: Some(difference).filter(|text| !text.is_empty()).map(rows::money).transpose()?,
            waived: waived.to_owned(),
        },
    })
}

/// The order ID of a row. The CSV writer puts a `'` before what a spreadsheet would run; the discrepancy's ID
/// shows whether a leading `'` belongs to the order ID.
fn order_id<'c>(cell: &'c str, check: &str, field: &str, discrepancy_id_there: &str) -> Result<&'c str, String> {
    let known = CATALOGUE.iter().flat_map(|check| check.fields()).find(|known| **known == field).copied();
    let rows = if depends_on_input(check) && known.is_some() { MAX_ROWS } else { Subject::ORDER.row };
    let orders = [Some(cell), cell.strip_prefix('\'')];
    (Subject::ORDER.row..=rows)
        .flat_map(|row| orders.into_iter().flatten().map(move |order| (order, Subject { field: known, row })))
        .find(|(order, subject)| discrepancy_id(order, check, *subject) == discrepancy_id_there)
        .map(|(order, _)| order)
        .ok_or_else(|| {
            let there = rows::excerpt(discrepancy_id_there);
            format!("discrepancy_id {there} does not belong to {} and {}", rows::excerpt(cell), rows::excerpt(check))
        })
}
