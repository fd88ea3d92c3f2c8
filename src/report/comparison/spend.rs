//! How spend moved: exact, per workflow, revision and currency, and never across currencies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::ComparisonError;
use super::folder::Folder;
use super::rows;
use crate::domain::money::{Overflow, Sum};
use crate::report::content::percent::Percent;

const BY_WORKFLOW: &str = "spend_by_workflow.csv";
const BY_REVISION: &str = "spend_by_revision.csv";

/// How spend moved between two reports.
#[derive(Debug, Serialize)]
pub struct Spend {
    /// The totals per currency, sorted.
    pub totals: Vec<Total>,
    /// The groups per workflow and currency, sorted.
    pub by_workflow: Vec<Group>,
    /// The groups per workflow, revision and currency, sorted.
    pub by_revision: Vec<Group>,
}

/// The settled spend of one group in one report; zero where the report has no such group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// How many orders are settled.
    pub settled: u64,
    /// The sum of what those orders were charged.
    pub final_amount: Sum,
}

/// The spend of a group in both reports, and by how much it moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// In the old report.
    pub old: Figures,
    /// In the new report.
    pub new: Figures,
    /// The new final amount less the old one.
    pub movement: Sum,
    /// The movement in percent of the old amount; `None` where that is zero.
    pub change_percent: Option<Percent>,
}

/// The total of one currency.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The currency; empty for orders without one.
    pub currency: String,
    /// The spend in both reports.
    #[serde(flatten)]
    pub movement: Movement,
}

/// What happened to a group of spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// Only the new report has it.
    New,
    /// Only the old report has it.
    Gone,
    /// Both have it, with different final amounts.
    Moved,
    /// Both have it, with the same final amount.
    Unmoved,
}

impl GroupState {
    /// The stable kebab-case word for the state.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Moved => "moved",
            Self::Unmoved => "unmoved",
        }
    }
}

/// One workflow, or one revision of it, in one currency.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What happened to it.
    pub state: GroupState,
    /// The workflow; empty for orders without one.
    pub workflow_id: String,
    /// The revision, where revisions are grouped; empty for orders without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_id: Option<String>,
    /// The currency; empty for orders without one.
    pub currency: String,
    /// The spend in both reports.
    #[serde(flatten)]
    pub movement: Movement,
    /// The size of this movement in percent of all movements in the currency, signs ignored; `None` where
    /// nothing moved.
    pub share_percent: Option<Percent>,
}

/// Workflow, revision, currency.
type Key = (String, Option<String>, String);
/// The figures of each group in the old and in the new report.
type Pairs = BTreeMap<Key, [Option<Figures>; 2]>;

/// How spend moved between two reports, and how many orders each of them has.
pub(super) fn compare_spend(old: &Folder, new: &Folder) -> Result<(Spend, [u64; 2]), ComparisonError> {
    let (mut by_workflow, mut by_revision) = (Pairs::new(), Pairs::new());
    let mut orders = [0; 2];
    for (side, folder) in [old, new].into_iter().enumerate() {
        orders[side] = read(folder, BY_WORKFLOW, side, &mut by_workflow)?;
        let again = read(folder, BY_REVISION, side, &mut by_revision)?;
        let in_all =
            |pairs: &Pairs| in_all(pairs).map(|totals| totals.into_iter().map(move |(key, pair)| (key, pair[side])));
        if orders[side] != again || !in_all(&by_workflow)?.eq(in_all(&by_revision)?) {
            let problem = format!("its totals differ from those of {BY_WORKFLOW}");
            return Err(ComparisonError::damaged(&folder.shown(BY_REVISION), problem));
        }
    }
    let totals =
        in_all(&by_workflow)?.into_iter().map(|(currency, pair)| Ok(Total { currency, movement: Movement::of(pair)? }));
    let totals = totals.collect::<Result<_, Overflow>>()?;
    Ok((Spend { totals, by_workflow: groups(by_workflow)?, by_revision: groups(by_revision)? }, orders))
}

/// Adds the groups of one file to `pairs`; returns how many orders they have.
fn read(folder: &Folder, name: &str, side: usize, pairs: &mut Pairs) -> Result<u64, ComparisonError> {
    let mut all_orders = 0_u64;
    let mut take = |key: Key, [orders, settled, final_amount]: [&str; 3]| {
        let figures = Figures { settled: rows::count(settled)?, final_amount: rows::money(final_amount)? };
        all_orders = all_orders.checked_add(rows::count(orders)?).ok_or("there are too many orders")?;
        // Two groups whose names look the same once the CSV writer made them harmless count as one.
        let group = &mut pairs.entry(key).or_default()[side];
        *group = Some(group.unwrap_or_default().plus(figures).map_err(|overflow| overflow.to_string())?);
        Ok(())
    };
    if name == BY_REVISION {
        let columns = ["workflow_id", "revision_id", "currency", "orders", "settled", "final_amount"];
        rows::for_each(folder, name, columns, |[workflow, revision, currency, figures @ ..]| {
            take((workflow.to_owned(), Some(revision.to_owned()), currency.to_owned()), figures)
        })?;
    } else {
        let columns = ["workflow_id", "currency", "orders", "settled", "final_amount"];
        rows::for_each(folder, name, columns, |[workflow, currency, figures @ ..]| {
            take((workflow.to_owned(), None, currency.to_owned()), figures)
        })?;
    }
    Ok(all_orders)
}

/// The totals of each currency in both reports.
fn in_all(pairs: &Pairs) -> Result<BTreeMap<String, [Figures; 2]>, Overflow> {
    let mut totals: BTreeMap<String, [Figures; 2]> = BTreeMap::new();
    for ((_, _, currency), pair) in pairs {
        let total = totals.entry(currency.clone()).or_default();
        for (total, figures) in total.iter_mut().zip(pair) {
            *total = total.plus(figures.unwrap_or_default())?;
        }
    }
    Ok(totals)
}

impl Figures {
    fn plus(self, other: Self) -> Result<Self, Overflow> {
        Ok(Self {
            settled: self.settled.checked_add(other.settled).ok_or(Overflow)?,
            final_amount: self.final_amount.plus(other.final_amount)?,
        })
    }
}

impl Movement {
    fn of([old, new]: [Figures; 2]) -> Result<Self, Overflow> {
        let movement = new.final_amount.minus(old.final_amount)?;
        Ok(Self { old, new, movement, change_percent: Percent::of(movement, old.final_amount) })
    }
}

fn groups(pairs: Pairs) -> Result<Vec<Group>, Overflow> {
    let mut moved_in_all: BTreeMap<String, Sum> = BTreeMap::new();
    let mut groups = Vec::with_capacity(pairs.len());
    for ((workflow_id, revision_id, currency), pair) in pairs {
        let movement = Movement::of(pair.map(Option::unwrap_or_default))?;
        let in_all = moved_in_all.entry(currency.clone()).or_default();
        *in_all = in_all.plus(movement.movement.abs())?;
        let state = match pair {
            [None, _] => GroupState::New,
            [_, None] => GroupState::Gone,
            _ if movement.movement.is_zero() => GroupState::Unmoved,
            _ => GroupState::Moved,
        };
        groups.push(Group { state, workflow_id, revision_id, currency, movement, share_percent: None });
    }
    for group in &mut groups {
        let in_all = moved_in_all.get(&group.currency).copied().unwrap_or_default();
        group.share_percent = Percent::of(group.movement.movement.abs(), in_all);
    }
    Ok(groups)
}
