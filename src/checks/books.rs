//! Checks of our own books, kept in columns of the input, against the provider's.

use std::collections::BTreeSet;
use std::slice;

use super::{Case, Cause, Check, Examine, ExpectRows, Failure, Ruling};
use crate::domain::books::{Booking, Entry, Field, Unreadable, currency};
use crate::domain::finding::{Figure, PastFinding, Severity, Subject};
use crate::domain::money::{Amount, AmountError, Sum};

/// Our books agree with the provider.
pub(super) static EXPECTED_MISMATCH: Check = Check {
    code: "expected-mismatch",
    severity: Severity::Error,
    examine: Examine::Fields { names: &Field::NAMES, examine: expected_mismatch },
};

/// Our books carry an order only once.
pub(super) static BOOKED_TWICE: Check =
    Check { code: "booked-twice", severity: Severity::Error, examine: Examine::Order(booked_twice) };

/// How many lines a message names before it counts the rest.
const NAMED: usize = 5;

fn expected_mismatch(case: &Case<'_>) -> Vec<(Subject, Ruling)> {
    let bookings = &case.background.bookings;
    let of_field = |field| -> Vec<(Subject, Ruling)> {
        let rows: Vec<&[Booking]> =
            if rows_are_summed(case, field) { vec![bookings] } else { bookings.iter().map(slice::from_ref).collect() };
        (1..).zip(rows).filter_map(|(row, rows)| Some((subject(field, row), rule(case, field, rows)?))).collect()
    };
    let mut rulings: Vec<_> = Field::ALL.into_iter().flat_map(of_field).collect();
    rulings.extend(rulings_on_removed_rows(case, &rulings));
    rulings
}

/// Whether the order's rows are added before they are compared. Texts are always compared row by row.
fn rows_are_summed(case: &Case<'_>, field: Field) -> bool {
    case.rules.expect_rows == ExpectRows::Sum && field.is_amount()
}

/// Rulings that resolve earlier findings on rows that our books no longer have. Other rows must still be
/// compared in that field, and if rows are added now, their sum must hold.
fn rulings_on_removed_rows(case: &Case<'_>, rulings: &[(Subject, Ruling)]) -> Vec<(Subject, Ruling)> {
    let past = case.background.past_findings.iter().filter(|past| past.check == EXPECTED_MISMATCH.code);
    let resolution = |past: &PastFinding| {
        let field = Field::named(past.field.as_deref()?)?;
        let mut rows = rulings.iter().filter(|(subject, _)| subject.field == Some(field.name()));
        let (last, ruling) = rows.by_ref().last()?;
        let is_right = !rows_are_summed(case, field) || matches!(ruling, Ruling::Holds);
        (past.row > last.row && is_right).then(|| (subject(field, past.row), Ruling::Holds))
    };
    past.filter_map(resolution).collect()
}

const fn subject(field: Field, row: u64) -> Subject {
    Subject { field: Some(field.name()), row }
}

/// The ruling on one field of one row, or of added rows; `None` if the field is not compared.
fn rule(case: &Case<'_>, field: Field, rows: &[Booking]) -> Option<Ruling> {
    let (ours, provider) = (row_sum(rows, field)?, field.of(case.order));
    let is_due = case.settled || !field.is_due_when_settled();
    if !is_due && is_nothing_yet(&ours) && is_nothing_yet(&provider) {
        return Some(Ruling::NotDue);
    }
    let code = case.order.quote_currency.as_deref();
    let is_foreign = |row: &&Booking| row.sign(field).zip(code).is_some_and(|(sign, code)| !sign.is_of(code));
    if let Some(row) = rows.iter().find(is_foreign) {
        let ours = row.cells.get(&field).map_or(Figure::Nothing, |cell| Figure::Text(cell.clone()));
        let message = format!("line {}: {field} is in a different currency in our books", row.line);
        return Some(Failure::new(ours, figure(&provider), message).into());
    }
    let named = rows.iter().filter_map(|row| row.named_currency(field)).collect::<BTreeSet<_>>();
    if rows_are_summed(case, field) && named.len() > 1 {
        let message = format!("{}: {field} is in several currencies in our books, which are not added", lines(rows));
        return Some(Failure::new(Figure::Nothing, figure(&provider), message).into());
    }
    let is_same = match (&ours, &provider) {
        (Entry::Text(ours), Entry::Text(provider)) if field == Field::Currency => currency(ours) == currency(provider),
        _ => ours == provider,
    };
    if is_same {
        return Some(Ruling::Holds);
    }
    let (difference, cause) = match (&provider, &ours) {
        (Entry::Amount(provider), Entry::Amount(ours)) => {
            let difference = Sum::of([*provider, -*ours]);
            if case.rules.is_rounded((*ours).into(), (*provider).into()) {
                return Some(Ruling::Tolerated(difference));
            }
            let decimals = rows.iter().filter_map(|row| row.decimals(field)).max();
            (Some(difference), Cause::of_expected_mismatch((*ours).into(), *provider, decimals))
        }
        _ => (None, None),
    };
    // An unreadable cell stands in one row; an unreadable sum concerns all of them.
    let unreadable =
        matches!(ours, Entry::Unreadable(_)).then(|| rows.iter().find(|row| row.entry(field).as_ref() == Some(&ours)));
    let place = unreadable.flatten().map_or_else(|| lines(rows), |row| lines([row]));
    let message = format!("{place}: {}", sentence(field, &ours, &provider));
    Some(Failure::new(figure(&ours), figure(&provider), message).difference(difference).cause(cause).into())
}

/// The sum of a field over the rows, or the single row's entry. Empty cells are skipped. An unreadable cell,
/// or a sum of too many digits, makes the result unreadable. `None` if the field is not compared.
fn row_sum(rows: &[Booking], field: Field) -> Option<Entry> {
    let add = |sum: Entry, next: Entry| match (sum, next) {
        (sum @ Entry::Unreadable(_), _) | (sum, Entry::Nothing) => sum,
        (Entry::Amount(one), Entry::Amount(other)) => {
            let sum = Sum::of([one, other]);
            let too_long = || Unreadable { text: sum.to_string(), why: AmountError::TooManyDigits(sum.to_string()) };
            Amount::from_units(sum.units()).map_or_else(|| Entry::Unreadable(too_long()), Entry::Amount)
        }
        (_, next) => next,
    };
    rows.iter().filter_map(|row| row.entry(field)).reduce(add)
}

fn booked_twice(case: &Case<'_>) -> Ruling {
    let bookings = &case.background.bookings;
    match bookings.len() {
        _ if case.rules.expect_rows == ExpectRows::Sum => Ruling::NotDue,
        0 => Ruling::NotDue,
        1 => Ruling::Holds,
        rows => {
            let message = format!("our books carry the order on {}", lines(bookings));
            Failure::new(Figure::Text("1".to_owned()), Figure::Text(rows.to_string()), message).into()
        }
    }
}

/// The line numbers of rows: the first [`NAMED`], then how many more.
fn lines<'b>(rows: impl IntoIterator<Item = &'b Booking>) -> String {
    let lines: Vec<String> = rows.into_iter().map(|row| row.line.to_string()).collect();
    match lines.as_slice() {
        [line] => format!("line {line}"),
        lines if lines.len() <= NAMED => format!("lines {}", lines.join(", ")),
        lines => format!("lines {} and {} more", lines[..NAMED].join(", "), lines.len() - NAMED),
    }
}

/// How our books and the provider differ. Texts of either side stay out of it: they have their own columns.
fn sentence(field: Field, ours: &Entry, provider: &Entry) -> String {
    match (ours, provider) {
        (Entry::Unreadable(cell), _) => format!("{field} can't be read as an amount: {}", cell.why),
        (Entry::Amount(ours), Entry::Amount(provider)) => {
            format!("{field} is {provider}, our books say {ours}")
        }
        (Entry::Amount(ours), _) => format!("there is no {field}, our books say {ours}"),
        (Entry::Nothing, Entry::Amount(provider)) => {
            format!("{field} is {provider}, our books are empty")
        }
        (Entry::Nothing, _) => format!("our books have no {field}"),
        (Entry::Text(_), Entry::Nothing) => format!("there is no {field}, our books have one"),
        (Entry::Text(_), _) => format!("{field} differs from our books"),
    }
}

/// Whether an entry is empty or zero, as an amount that is not due yet may be.
fn is_nothing_yet(entry: &Entry) -> bool {
    match entry {
        Entry::Nothing => true,
        Entry::Amount(amount) => amount.is_zero(),
        Entry::Text(_) | Entry::Unreadable(_) => false,
    }
}

fn figure(entry: &Entry) -> Figure {
    match entry {
        Entry::Nothing => Figure::Nothing,
        Entry::Amount(amount) => (*amount).into(),
        Entry::Text(text) => Figure::Text(text.clone()),
        Entry::Unreadable(cell) => Figure::Text(cell.text.clone()),
    }
}
