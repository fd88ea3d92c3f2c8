//! The memory by the contract: which discrepancies were found when their orders were last judged.

use std::collections::BTreeMap;

use super::report::{Cells, cell};
use super::rulings::{Figures, Item, Ruling, Rulings};

/// A discrepancy: of a series of inputs, or of an order whatever the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) order: String,
    pub(super) series: Option<String>,
    pub(super) item: Item,
}

impl Key {
    pub(super) fn new(order: &str, series: &str, item: &Item) -> Self {
        let is_of_series = ["expected-mismatch", "booked-twice"].contains(&item.check.as_str());
        Self { order: order.to_owned(), series: is_of_series.then(|| series.to_owned()), item: item.clone() }
    }

    /// Whether a report on this series is about the discrepancy.
    pub(super) fn is_of(&self, series: &str) -> bool {
        self.series.as_deref().is_none_or(|own| own == series)
    }
}

/// Discrepancies with their figures when last judged.
pub(super) type Memory = BTreeMap<Key, Figures>;

/// The memory before a report: two memories, which differ only where the contract leaves the order of events open.
#[derive(Clone, Copy)]
pub(super) struct Past<'p> {
    pub(super) one: &'p Memory,
    pub(super) other: &'p Memory,
    /// Whether the report of a different run judged the order since this run fetched it; then nothing is certain.
    pub(super) is_stale: bool,
    /// Whether the report says nothing of what was found before, because it is about a dataset.
    pub(super) is_unknown: bool,
}

impl Past<'_> {
    /// Whether a discrepancy may be reported as `new` or `persisting`, whichever `lifecycle` is.
    fn allows(&self, key: &Key, lifecycle: &str) -> bool {
        if self.is_unknown {
            return lifecycle.is_empty();
        }
        let has = [self.one.contains_key(key), self.other.contains_key(key)];
        match lifecycle {
            "new" | "persisting" if self.is_stale => true,
            "new" => has.contains(&false),
            "persisting" => has.contains(&true),
            _ => false,
        }
    }

    /// The remembered discrepancies of an order, and whether each is certain.
    fn of_order(&self, order: &str, series: &str) -> Vec<(Key, bool)> {
        let mut keys: Vec<&Key> = self.one.keys().chain(self.other.keys()).collect();
        keys.retain(|key| key.order == order && key.is_of(series));
        keys.sort();
        keys.dedup();
        let is_certain = |key: &Key| !self.is_stale && self.one.contains_key(key) && self.other.contains_key(key);
        keys.into_iter().map(|key| (key.clone(), is_certain(key))).collect()
    }

    fn has_figures(&self, key: &Key, row: &Cells) -> bool {
        let is_same = |figures: &Figures| key.item.check == "vanished" || *figures == figures_of(row);
        self.one.get(key).is_some_and(is_same) || self.other.get(key).is_some_and(is_same)
    }
}

/// The discrepancies in an order's rows of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// All discrepancies that were found.
    pub(super) found: Vec<(Key, Figures)>,
    /// How many of them are not waived.
    pub(super) unwaived: usize,
    /// Discrepancies that are no longer remembered.
    pub(super) resolved: Vec<Key>,
    pub(super) not_assessed: u64,
    /// How many discrepancies may or may not be remembered.
    pub(super) uncertain: u64,
    /// The IDs of discrepancies, with what each is about.
    pub(super) ids: Vec<(Item, String)>,
}

pub(super) fn figures_of(row: &Cells) -> Figures {
    ["expected", "actual", "difference"].map(|name| cell(row, name).to_owned())
}

/// An order's rows in `discrepancies.csv` and `resolved.csv`.
pub(super) struct Rows<'r> {
    pub(super) found: Vec<&'r Cells>,
    pub(super) resolved: Vec<&'r Cells>,
}

/// Compares an order's rows with what the contract says; an error says how they differ.
pub(super) fn compare(
    order: &str,
    series: &str,
    rulings: &Rulings,
    rows: &Rows<'_>,
    past: &Past<'_>,
    is_waived: impl Fn(&Item, &Figures) -> bool,
) -> Result<Comparison, String> {
    let mut compared = Comparison::default();
    let mut left = rows.found.clone();
    for (item, ruling) in rulings {
        let (figures, is_certain) = match ruling {
            Ruling::Fails(figures) => (figures, true),
            Ruling::MayFail(figures) => (figures, false),
            Ruling::Holds | Ruling::Open => continue,
        };
        let key = Key::new(order, series, item);
        let waived = is_waived(item, figures);
        let fits = |row: &&&Cells| {
            is_about(item, row)
                && (item.check == "vanished" || figures_of(row) == *figures)
                // The contract does not say whether a waiver covers a second row of our books.
                && ((cell(row, "waived") == "true") == waived || item.ordinal > 0)
                && cell(row, "severity") == "error"
                && past.allows(&key, cell(row, "lifecycle"))
        };
        match left.iter().find(fits).copied() {
            Some(row) => {
                left.retain(|other| !std::ptr::eq(*other, row));
                compared.unwaived += usize::from(cell(row, "waived") != "true");
                compared.ids.push((item.clone(), cell(row, "discrepancy_id").to_owned()));
                compared.found.push((key, figures_of(row)));
            }
            None if is_certain => {
                let word = if past.allows(&key, "persisting") { "persisting" } else { "new" };
                let waived = if waived { ", waived" } else { "" };
                return Err(format!("expected {item:?} {figures:?} {word}{waived}; found {}", listed(&rows.found)));
            }
            None => {}
        }
    }
    if !left.is_empty() {
        return Err(format!("not expected: {}", listed(&left)));
    }
    past_ones(order, series, rulings, rows, past, &mut compared)?;
    Ok(compared)
}

/// Checks what happened to the remembered discrepancies of an order that were not found again.
fn past_ones(
    order: &str,
    series: &str,
    rulings: &Rulings,
    rows: &Rows<'_>,
    past: &Past<'_>,
    compared: &mut Comparison,
) -> Result<(), String> {
    let mut left = rows.resolved.clone();
    for (key, is_certain) in past.of_order(order, series) {
        if compared.found.iter().any(|(found, _)| *found == key) {
            continue;
        }
        let ruling = rulings.get(&key.item).or_else(|| no_such_row(&key.item, rulings));
        let row = left.iter().find(|row| is_about(&key.item, row) && past.has_figures(&key, row)).copied();
        match (ruling, row) {
            (Some(Ruling::Holds | Ruling::Open | Ruling::MayFail(_)), Some(row)) => {
                left.retain(|other| !std::ptr::eq(*other, row));
                compared.resolved.push(key);
            }
            (Some(Ruling::Holds), None) if is_certain => {
                let found = listed(&rows.resolved);
                return Err(format!("{:?} holds but is not resolved; resolved are {found}", key.item));
            }
            (Some(Ruling::Holds), None) if !past.is_stale => compared.resolved.push(key),
            _ if is_certain => compared.not_assessed += 1,
            _ => compared.uncertain += 1,
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("wrongly resolved: {}", listed(&left))) }
}

/// The ruling for a second row of our books that is missing tonight: the contract leaves its discrepancy open.
fn no_such_row(item: &Item, rulings: &Rulings) -> Option<&'static Ruling> {
    let first = Item { ordinal: 0, ..item.clone() };
    (item.ordinal > 0 && rulings.contains_key(&first)).then_some(&Ruling::Open)
}

fn is_about(item: &Item, row: &Cells) -> bool {
    cell(row, "check") == item.check && cell(row, "field") == item.field
}

fn listed(rows: &[&Cells]) -> String {
    let names = ["check", "field", "expected", "actual", "severity", "waived", "lifecycle"];
    let row = |row: &&Cells| {
        names.iter().map(|name| cell(row, name)).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
    };
    if rows.is_empty() { "nothing".to_owned() } else { rows.iter().map(row).collect::<Vec<_>>().join("; ") }
}
