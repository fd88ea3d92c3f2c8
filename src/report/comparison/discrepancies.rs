//! Which discrepancies are new, and what became of the old ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::error::ComparisonError;
use super::fetched::{self, Unassessed};
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
/// How many rows of our own books that carry one order are told apart.
const MAX_ROWS: u64 = 1 << 16;
/// The check of a reply that is about another order.
const FOREIGN: &str = "identity-mismatch";

/// What became of a discrepancy, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Only the new report has it.
    New,
    /// Both have it, with other particulars.
    Changed,
    /// Both have it, word for word.
    Persisting,
    /// Only the old report has it, and the new one did not see the order: nothing is known of it.
    NotAssessed,
    /// Only the old report has it, and the new one saw the order.
    Resolved,
}

impl State {
    /// The word for it.
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
    /// In both, with other particulars.
    pub changed: u64,
    /// In both, word for word.
    pub persisting: u64,
    /// Only in the old report, the order unseen by the new one.
    pub not_assessed: u64,
    /// Only in the old report, the order seen by the new one.
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

/// One discrepancy of either report. Texts are as the report's CSV has them, empty where it has nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discrepancy {
    /// What became of it.
    pub state: State,
    /// 16 hex digits from order, check, field and row of our books.
    pub discrepancy_id: String,
    /// The order.
    pub run_order_id: String,
    /// The check that fails.
    pub check: String,
    /// The field, where the check has several.
    pub field: String,
    /// Its workflow, as the newest report that has the discrepancy says.
    pub workflow_id: String,
    /// Its revision, likewise.
    pub revision_id: String,
    /// What the old report says, if it has it.
    pub old: Option<Side>,
    /// What the new report says, if it has it.
    pub new: Option<Side>,
    /// Where it changed: the names of the columns.
    pub changed: Vec<&'static str>,
    /// Where it is not assessed: why.
    pub because: Option<Unassessed>,
}

/// What one report says of a discrepancy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `error` or `warning`.
    pub severity: String,
    /// The cause, if one is proved.
    pub cause: String,
    /// The order's currency.
    pub currency: String,
    /// What the check expects.
    pub expected: String,
    /// What the reply said.
    pub actual: String,
    /// Actual less expected, where both are money.
    pub difference: Option<Sum>,
    /// Whether it is waived.
    pub waived: String,
}

impl Side {
    /// The columns in which the other differs.
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
    /// The discrepancy's ID as a number: both lists are in memory, and so are these.
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

/// Every discrepancy of both reports; those of the old one alone are not assessed until [`Matched::assess`].
pub(super) struct Matched(Vec<Discrepancy>);

/// Matches the discrepancies of two reports.
pub(super) fn matched(old: &Folder, new: &Folder) -> Result<Matched, ComparisonError> {
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
    Ok(Matched(all))
}

impl Matched {
    /// Finds out which orders the new report saw, and why not the others; returns how many rows it has in each bucket of
    /// exceptions.
    pub(super) fn assess(&mut self, new: &Folder) -> Result<BTreeMap<&'static str, u64>, ComparisonError> {
        let gone = self.0.iter().filter(|discrepancy| discrepancy.new.is_none());
        let mut unseen: HashMap<String, Unassessed> =
            gone.map(|discrepancy| (discrepancy.run_order_id.clone(), Unassessed::NotInInput)).collect();
        fetched::remove_fetched(new, &mut unseen)?;
        let exceptions = fetched::exceptions(new, |run_order_id, why| {
            if let Some(because) = unseen.get_mut(run_order_id) {
                *because = why;
            }
        })?;
        for foreign in self.0.iter().filter(|row| row.new.is_some() && row.check == FOREIGN) {
            if let Some(because) = unseen.get_mut(&foreign.run_order_id) {
                *because = Unassessed::IdentityMismatch;
            }
        }
        for discrepancy in self.0.iter_mut().filter(|discrepancy| discrepancy.new.is_none()) {
            discrepancy.because = unseen.get(&discrepancy.run_order_id).copied();
            discrepancy.state = if discrepancy.because.is_some() { State::NotAssessed } else { State::Resolved };
        }
        Ok(exceptions)
    }

    pub(super) fn into_sorted(mut self) -> Vec<Discrepancy> {
        // Stable: within a state they stay in the order of their report.
        self.0.sort_by_key(|discrepancy| discrepancy.state);
        self.0
    }
}

fn read(folder: &Folder) -> Result<Vec<Row>, ComparisonError> {
    let (mut read, mut seen) = (Vec::new(), HashSet::new());
    rows::for_each(folder, FILE, COLUMNS, |cells| {
        let row = row(cells)?;
        if !seen.insert(row.key) {
            return Err(format!("discrepancy_id {} stands there twice", row.discrepancy_id));
        }
        read.push(row);
        Ok(())
    })?;
    Ok(read)
}

fn row(cells: [&str; COLUMNS.len()]) -> Result<Row, String> {
    let [id, order, check, workflow, revision, severity, cause, currency, expected, actual, difference, waived, field] =
        cells;
    let run_order_id = true_order(order, check, field, id)?.to_owned();
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

/// The order of a row. A CSV has a `'` before what a spreadsheet would run; the discrepancy's ID tells whether it is
/// the order's own.
fn true_order<'c>(cell: &'c str, check: &str, field: &str, discrepancy_id_there: &str) -> Result<&'c str, String> {
    let known = CATALOGUE.iter().flat_map(|check| check.fields()).find(|known| **known == field).copied();
    let rows = if depends_on_input(check) && known.is_some() { MAX_ROWS } else { Subject::ORDER.row };
    let orders = [Some(cell), cell.strip_prefix('\'')];
    (Subject::ORDER.row..=rows)
        .flat_map(|row| orders.into_iter().flatten().map(move |order| (order, Subject { field: known, row })))
        .find(|(order, subject)| discrepancy_id(order, check, *subject) == discrepancy_id_there)
        .map(|(order, _)| order)
        .ok_or_else(|| {
            let there = rows::excerpt(discrepancy_id_there);
            format!("discrepancy_id {there} is not that of {} and {}", rows::excerpt(cell), rows::excerpt(check))
        })
}
