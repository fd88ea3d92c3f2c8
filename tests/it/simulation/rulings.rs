//! The oracle: what the contract says about one order, in plain integers.

use std::collections::BTreeMap;

use super::calendar::Created;
use super::job::{BOOKS, Command};
use super::knowledge::Known;
use super::truth::{
    Amounts, COMPUTE, EXTERNAL, FIELDS, FINAL, ListAmounts, QUOTE, RELEASED, Reply, TOTAL, money, shown,
};

/// Expected, actual and difference, as a report writes them.
pub(super) type Figures = [String; 3];

/// What a finding is about: the check, the field, and the row of our books if there are several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) check: String,
    pub(super) field: String,
    pub(super) ordinal: usize,
}

impl Item {
    pub(super) fn new(check: &str, field: &str, ordinal: usize) -> Self {
        Self { check: check.to_owned(), field: field.to_owned(), ordinal }
    }
}

/// The result of a check that is or may be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Fails(Figures),
    /// The contract allows a finding with these figures, or none.
    MayFail(Figures),
    Holds,
    /// The contract allows that the check holds or is not due.
    Open,
}

/// Rulings by item, without checks that are not due.
pub(super) type Rulings = BTreeMap<Item, Ruling>;

/// The evidence that a run has about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    Asked(Reply),
    /// Not asked for, because it was settled when last seen.
    Reused(Amounts, Created),
    Unfetched,
}

impl Evidence {
    /// Settled or not, the amounts and the creation time, if it shows the order itself.
    pub(super) const fn facts(&self) -> Option<(bool, &Amounts, Created)> {
        match self {
            Self::Asked(Reply::Order { is_settled, amounts, created }) => Some((*is_settled, amounts, *created)),
            Self::Reused(amounts, created) => Some((true, amounts, *created)),
            _ => None,
        }
    }
}

/// What an order is judged by, apart from the evidence.
pub(super) struct Case<'c> {
    pub(super) id: &'c str,
    pub(super) command: &'c Command,
    /// The rows of our books, by position in `BOOKS`.
    pub(super) books: Vec<[String; 2]>,
    /// The provider's list, if it was fetched.
    pub(super) listed: Option<&'c ListAmounts>,
}

/// The rulings of the contract on an order.
pub(super) fn rulings(case: &Case<'_>, evidence: &Evidence, known: &Known) -> Rulings {
    let mut rulings = Rulings::new();
    let mut add = |check: &str, ruling: Ruling| _ = rulings.insert(Item::new(check, "", 0), ruling);
    if case.command.complete && case.listed.is_some() {
        add("unlisted-in-input", Ruling::Open);
    }
    match evidence {
        Evidence::Asked(Reply::Foreign(other)) => {
            add("identity-mismatch", Ruling::Fails([case.id.to_owned(), other.clone(), String::new()]));
        }
        Evidence::Asked(Reply::NotFound) if known.was_settled => {
            add("vanished", Ruling::Fails(Default::default()));
        }
        Evidence::Asked(Reply::Order { is_settled, amounts, .. }) => {
            add("identity-mismatch", Ruling::Holds);
            add("vanished", Ruling::Holds);
            judged(case, *is_settled, amounts, known, &mut rulings);
        }
        Evidence::Reused(amounts, _) => {
            add("identity-mismatch", Ruling::Open);
            add("vanished", Ruling::Open);
            judged(case, true, amounts, known, &mut rulings);
        }
        Evidence::Asked(_) | Evidence::Unfetched => {}
    }
    rulings
}

fn judged(case: &Case<'_>, is_settled: bool, amounts: &Amounts, known: &Known, rulings: &mut Rulings) {
    if let (true, [Some(quote), Some(charged), Some(released), ..], false) =
        (is_settled, amounts, case.command.split_is_off)
    {
        add(rulings, "quote-split", "", 0, compared(Some(*quote), Some(charged + released)));
    }
    if let (Some(compute), Some(external), Some(total)) = (amounts[COMPUTE], amounts[EXTERNAL], amounts[TOTAL]) {
        add(rulings, "cost-sum", "", 0, compared(Some(compute + external), Some(total)));
    }
    let missing: Vec<&str> =
        FIELDS.iter().zip(amounts).filter(|(_, amount)| amount.is_none()).map(|(name, _)| *name).collect();
    let ruling = match (is_settled, missing.is_empty()) {
        (true, false) => Ruling::Fails([missing.join(" "), String::new(), String::new()]),
        (true, true) => Ruling::Holds,
        (false, _) => Ruling::Open,
    };
    add(rulings, "missing-amount", "", 0, ruling);
    if let Some(baseline) = known.baseline {
        for (at, field) in FIELDS.iter().enumerate() {
            // The contract leaves open how a missing amount and an order that is no longer settled are judged.
            let is_determined = determines(at, &baseline.map(Some)) && determines(at, amounts);
            let is_certain = is_settled && amounts[at].is_some() && !is_determined;
            let ruling = match compared(Some(baseline[at]), amounts[at]) {
                Ruling::Fails(figures) if !is_certain => Ruling::MayFail(figures),
                Ruling::Holds if !is_certain => Ruling::Open,
                ruling => ruling,
            };
            add(rulings, "restated", field, 0, ruling);
        }
    }
    against_books(case, is_settled, amounts, rulings);
    against_list(case, is_settled, amounts, rulings);
}

/// Whether the other amounts determine the amount at this position.
fn determines(at: usize, amounts: &Amounts) -> bool {
    let sum = |one: usize, other: usize| Some(amounts[one]? + amounts[other]?);
    match at {
        RELEASED => amounts[QUOTE].is_some() && amounts[QUOTE] == sum(FINAL, RELEASED),
        COMPUTE => amounts[TOTAL].is_some() && amounts[TOTAL] == sum(COMPUTE, EXTERNAL),
        TOTAL => amounts[TOTAL].is_some() && amounts[TOTAL] == amounts[FINAL],
        _ => false,
    }
}

fn against_books(case: &Case<'_>, is_settled: bool, amounts: &Amounts, rulings: &mut Rulings) {
    if case.command.expect.is_empty() {
        return;
    }
    let once = match case.books.len() {
        1 => Ruling::Holds,
        rows => Ruling::Fails(["1".to_owned(), rows.to_string(), String::new()]),
    };
    add(rulings, "booked-twice", "", 0, once);
    for at in &case.command.expect {
        let field = BOOKS[*at].0;
        let theirs = amounts[field];
        for (ordinal, row) in case.books.iter().enumerate() {
            let ours = units(&row[*at]);
            let is_due = is_settled || field == QUOTE;
            let ruling = match (ours, theirs) {
                (None, None) => Ruling::Open,
                (Some(0), None) if !is_due => Ruling::Open,
                _ => compared(ours, theirs),
            };
            add(rulings, "expected-mismatch", FIELDS[field], ordinal, ruling);
        }
    }
}

fn against_list(case: &Case<'_>, is_settled: bool, amounts: &Amounts, rulings: &mut Rulings) {
    let Some([quote, charged]) = case.listed.and_then(|listed| listed.get(case.id)).filter(|_| case.command.complete)
    else {
        return;
    };
    add(rulings, "unlisted-in-input", "", 0, Ruling::Holds);
    let sides = [(QUOTE, *quote, true), (FINAL, *charged, is_settled)];
    for (field, listed, _) in sides.into_iter().filter(|(_, listed, is_due)| *is_due && listed.is_some()) {
        add(rulings, "list-mismatch", FIELDS[field], 0, compared(listed, amounts[field]));
    }
}

/// The rulings on an order that the provider lists and the input lacks.
pub(super) fn unlisted(charged: Option<i128>) -> Rulings {
    let mut rulings = Rulings::new();
    let figures = [String::new(), shown(charged), String::new()];
    add(&mut rulings, "unlisted-in-input", "", 0, Ruling::Fails(figures));
    rulings
}

fn add(rulings: &mut Rulings, check: &str, field: &str, ordinal: usize, ruling: Ruling) {
    rulings.insert(Item::new(check, field, ordinal), ruling);
}

fn compared(expected: Option<i128>, actual: Option<i128>) -> Ruling {
    if expected == actual {
        return Ruling::Holds;
    }
    let difference = expected.zip(actual).map(|(expected, actual)| money(actual - expected));
    Ruling::Fails([shown(expected), shown(actual), difference.unwrap_or_default()])
}

/// The amount in a cell of our books; `None` if it is empty.
fn units(cell: &str) -> Option<i128> {
    let (whole, decimals) = cell.split_once('.').or((!cell.is_empty()).then_some((cell, "00000000")))?;
    format!("{whole}{decimals}").parse().ok()
}

/// The amounts in an order's row of spend.
pub(super) fn spent(is_settled: bool, amounts: &Amounts) -> [(&'static str, i128); 6] {
    let at = [QUOTE, FINAL, RELEASED, COMPUTE, EXTERNAL, TOTAL];
    at.map(|at| (FIELDS[at], if is_settled { amounts[at].unwrap_or(0) } else { 0 }))
}
