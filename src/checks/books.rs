//! Our own books against the provider's: what the input's own columns say of an order.

use super::{Case, Cause, Check, Examine, Failure, Ruling};
use crate::domain::books::{Booking, Entry, Field, currency};
use crate::domain::finding::{Figure, Severity, Subject};
use crate::domain::money::Sum;

/// The books say what the provider says.
pub(super) static EXPECTED_MISMATCH: Check = Check {
    code: "expected-mismatch",
    severity: Severity::Error,
    examine: Examine::Fields { names: &Field::NAMES, examine: expected_mismatch },
};

/// The books carry an order once.
pub(super) static BOOKED_TWICE: Check =
    Check { code: "booked-twice", severity: Severity::Error, examine: Examine::Order(booked_twice) };

/// How many lines a message names.
const NAMED: usize = 5;

fn expected_mismatch(case: &Case<'_>) -> Vec<(Subject, Ruling)> {
    let bookings = &case.background.bookings;
    let rows = (1..).zip(bookings).flat_map(|(row, booking)| {
        let rule = move |field: Field| Some((subject(field, row), rule(case, field, booking)?));
        Field::ALL.into_iter().filter_map(rule)
    });
    rows.chain(rows_that_are_gone(case)).collect()
}

/// What was found in a row that our books don't have any more: where they still say the field, that is put right.
fn rows_that_are_gone<'c>(case: &'c Case<'_>) -> impl Iterator<Item = (Subject, Ruling)> + 'c {
    let bookings = &case.background.bookings;
    let past = case.background.past.iter().filter(|past| past.check == EXPECTED_MISMATCH.code);
    past.filter(|past| past.row > bookings.len() as u64).filter_map(|past| {
        let field = Field::named(past.field.as_deref()?)?;
        let is_said = bookings.iter().any(|booking| booking.entry(field).is_some());
        is_said.then(|| (subject(field, past.row), Ruling::Holds))
    })
}

const fn subject(field: Field, row: u64) -> Subject {
    Subject { field: Some(field.name()), row }
}

/// What one row of the books says of one field; `None` where it says nothing of it.
fn rule(case: &Case<'_>, field: Field, booking: &Booking) -> Option<Ruling> {
    let (ours, provider) = (booking.entry(field)?, field.of(case.order));
    let is_due = case.settled || !field.is_due_when_settled();
    if !is_due && is_nothing_yet(&ours) && is_nothing_yet(&provider) {
        return Some(Ruling::NotDue);
    }
    let code = case.order.quote_currency.as_deref();
    let is_foreign = booking.sign(field).zip(code).is_some_and(|(sign, code)| !sign.is_of(code));
    if is_foreign {
        let ours = booking.cells.get(&field).map_or(Figure::Nothing, |cell| Figure::Text(cell.clone()));
        let message = format!("line {}: {field} is in a different currency in our books", booking.line);
        return Some(Failure::new(ours, figure(&provider), message).into());
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
            (Some(difference), Cause::of_expected_mismatch((*ours).into(), *provider, booking.decimals(field)))
        }
        _ => (None, None),
    };
    let message = sentence(booking.line, field, &ours, &provider);
    Some(Failure::new(figure(&ours), figure(&provider), message).difference(difference).cause(cause).into())
}

fn booked_twice(case: &Case<'_>) -> Ruling {
    let bookings = &case.background.bookings;
    match bookings.len() {
        0 => Ruling::NotDue,
        1 => Ruling::Holds,
        rows => {
            let lines: Vec<String> = bookings.iter().take(NAMED).map(|booking| booking.line.to_string()).collect();
            let more = if rows > NAMED { format!(" and {} more", rows - NAMED) } else { String::new() };
            let message = format!("our books carry the order on lines {}{more}", lines.join(", "));
            Failure::new(Figure::Text("1".to_owned()), Figure::Text(rows.to_string()), message).into()
        }
    }
}

/// How a row of the books and the provider differ, without the texts of either side, which stand in the columns.
fn sentence(line: u64, field: Field, ours: &Entry, provider: &Entry) -> String {
    match (ours, provider) {
        (Entry::Unreadable(cell), _) => format!("line {line}: {field} can't be read as an amount: {}", cell.why),
        (Entry::Amount(ours), Entry::Amount(provider)) => {
            format!("line {line}: {field} is {provider}, our books say {ours}")
        }
        (Entry::Amount(ours), _) => format!("line {line}: there is no {field}, our books say {ours}"),
        (Entry::Nothing, Entry::Amount(provider)) => {
            format!("line {line}: {field} is {provider}, our books are empty")
        }
        (Entry::Nothing, _) => format!("line {line}: our books have no {field}"),
        (Entry::Text(_), Entry::Nothing) => format!("line {line}: there is no {field}, our books have one"),
        (Entry::Text(_), _) => format!("line {line}: {field} differs from our books"),
    }
}

/// Whether that is how an amount may be told that is not due yet.
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
