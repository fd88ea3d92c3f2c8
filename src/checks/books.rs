//! Our own books against the provider's: what the input's own columns say of an order.

use super::{Case, Check, Failure, Ruling};
use crate::domain::books::{Booking, Entry, Field};
use crate::domain::finding::{Figure, Severity};
use crate::domain::money::Sum;

/// The books say what the provider says.
pub(super) static EXPECTED_MISMATCH: Check =
    Check { code: "expected-mismatch", severity: Severity::Error, examine: expected_mismatch };

/// The books carry an order once.
pub(super) static BOOKED_TWICE: Check =
    Check { code: "booked-twice", severity: Severity::Error, examine: booked_twice };

/// How many lines and differences a message names.
const NAMED: usize = 5;

fn expected_mismatch(case: &Case<'_>) -> Ruling {
    let bookings = &case.background.bookings;
    if bookings.is_empty() {
        return Ruling::NotDue;
    }
    let differences = Field::ALL.into_iter().flat_map(|field| bookings.iter().map(move |booking| (field, booking)));
    let differences: Vec<Difference> =
        differences.filter_map(|(field, booking)| Difference::of(case, field, booking)).collect();
    let Some(first) = differences.first() else {
        return Ruling::Holds;
    };
    let mut said: Vec<String> = differences.iter().take(NAMED).map(Difference::sentence).collect();
    if differences.len() > NAMED {
        said.push(format!("and {} more", differences.len() - NAMED));
    }
    let difference = match (&first.provider, &first.ours) {
        (Entry::Amount(provider), Entry::Amount(ours)) => Some(Sum::of([*provider, -*ours])),
        _ => None,
    };
    Failure::new(figure(&first.ours), figure(&first.provider), said.join("; ")).difference(difference).into()
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

/// A field of which a row of the books says something else than the provider.
struct Difference {
    field: Field,
    line: u64,
    ours: Entry,
    provider: Entry,
}

impl Difference {
    fn of(case: &Case<'_>, field: Field, booking: &Booking) -> Option<Self> {
        let (ours, provider) = (booking.entry(field)?, field.of(case.order));
        let is_not_due_yet = !case.settled && field.is_due_when_settled();
        let agrees = ours == provider || (is_not_due_yet && is_nothing_yet(&ours) && is_nothing_yet(&provider));
        (!agrees).then_some(Self { field, line: booking.line, ours, provider })
    }

    /// Without the texts of either side, which stand in the columns.
    fn sentence(&self) -> String {
        let Self { field, line, ours, provider } = self;
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
            (Entry::Text(_), _) => format!("line {line}: {field} is another one in our books"),
        }
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
