//! A comparison for people: how many discrepancies are in which state, which are new, and what moved most in the spend.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::Path;

use crate::app::terminal::{counted, currency_name, grid, print};
use crate::domain::money::Sum;
use crate::report::comparison::{Comparison, Discrepancy, Group, Side, State};
use crate::report::csv::is_harmful;
use crate::report::percent::Percent;

/// How many lines a table has; `--output json` has them all.
const LISTED: usize = 20;
/// How many characters of a text from outside a cell shows.
const SHOWN: usize = 64;

/// Writes a comparison for people.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn show(comparison: &Comparison, [old, new]: [&Path; 2], out: &mut dyn Write) -> io::Result<()> {
    let counts = &comparison.counts;
    writeln!(
        out,
        "Discrepancies: {} new, {} changed, {} persisting, {} not assessed, {} resolved",
        counts.new, counts.changed, counts.persisting, counts.not_assessed, counts.resolved
    )?;
    for (name, path, report) in [("old", old, &comparison.old), ("new", new, &comparison.new)] {
        let path = visible(&path.to_string_lossy(), usize::MAX);
        writeln!(out, "  {name}  {path}, as of {}, {}", report.as_of, shown(&report.verdict))?;
    }
    show_rows(comparison, out)?;
    for (state, heading) in [
        (State::New, "New"),
        (State::Changed, "Changed"),
        (State::NotAssessed, "Not assessed: the new report knows nothing of these orders"),
        (State::Resolved, "Resolved"),
    ] {
        show_discrepancies(&comparison.discrepancies, state, heading, out)?;
    }
    show_totals(comparison, out)?;
    show_groups(&comparison.spend.by_workflow, "workflow", out)?;
    show_groups(&comparison.spend.by_revision, "revision", out)
}

/// How much each report saw: spend that is not in one of them did not move.
fn show_rows(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let (old, new) = (&comparison.old, &comparison.new);
    writeln!(out, "\nRows")?;
    let mut table = grid(&["", "old", "new"]);
    table.add_row(vec!["orders fetched".to_owned(), old.orders.to_string(), new.orders.to_string()]);
    let mut buckets: Vec<&str> = old.exceptions.keys().chain(new.exceptions.keys()).copied().collect();
    buckets.sort_unstable();
    buckets.dedup();
    for bucket in buckets {
        let count = |exceptions: &std::collections::BTreeMap<&'static str, u64>| {
            exceptions.get(bucket).copied().unwrap_or_default().to_string()
        };
        table.add_row(vec![bucket.to_owned(), count(&old.exceptions), count(&new.exceptions)]);
    }
    print(&mut table, &[1, 2], out)
}

fn show_discrepancies(all: &[Discrepancy], state: State, heading: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<&Discrepancy> = all.iter().filter(|row| row.state == state).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let side = |row: &Discrepancy| row.new.as_ref().or(row.old.as_ref()).and_then(|side| side.difference);
    rows.sort_by_key(|row| Reverse(side(row).unwrap_or_default().abs()));
    writeln!(out, "\n{heading} ({})", rows.len())?;
    let last = match state {
        State::Changed => "changed",
        State::NotAssessed => "because",
        State::New | State::Persisting | State::Resolved => "workflow",
    };
    let mut table = grid(&["run order", "check", "currency", "old", "new", last]);
    for row in rows.iter().take(LISTED) {
        let currency = row.new.as_ref().or(row.old.as_ref()).map(|side| currency_name(&side.currency));
        let last = match state {
            State::Changed => row.changed.join(", "),
            State::NotAssessed => row.because.map(|because| because.code().to_owned()).unwrap_or_default(),
            State::New | State::Persisting | State::Resolved => shown(&row.workflow_id),
        };
        table.add_row(vec![
            shown(&row.run_order_id),
            shown(&row.check),
            shown(&currency.unwrap_or_default()),
            figure(row.old.as_ref()),
            figure(row.new.as_ref()),
            last,
        ]);
    }
    print(&mut table, &[3, 4], out)?;
    more(rows.len(), out)
}

/// The difference; where there is none, what the reply said.
fn figure(side: Option<&Side>) -> String {
    side.map(|side| side.difference.map_or_else(|| shown(&side.actual), |difference| difference.to_string()))
        .unwrap_or_default()
}

fn show_totals(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let totals = &comparison.spend.totals;
    if totals.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nSpend (final_amount of settled orders)")?;
    let mut table = grid(&["currency", "orders, old", "new", "old", "new", "movement", "percent"]);
    for total in totals {
        let moved = &total.movement;
        table.add_row(vec![
            shown(&currency_name(&total.currency)),
            moved.old.settled.to_string(),
            moved.new.settled.to_string(),
            moved.old.final_amount.to_string(),
            moved.new.final_amount.to_string(),
            moved.movement.to_string(),
            percent(moved.change_percent),
        ]);
    }
    print(&mut table, &[1, 2, 3, 4, 5, 6], out)
}

fn show_groups(groups: &[Group], what: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut moved: Vec<&Group> = groups.iter().filter(|group| !group.movement.movement.is_zero()).collect();
    if moved.is_empty() {
        return writeln!(out, "\nNo {what}'s spend moved.");
    }
    // Currency by currency: amounts of two are never compared.
    let size = |group: &Group| -> Reverse<Sum> { Reverse(group.movement.movement.abs()) };
    moved.sort_by(|one, other| one.currency.cmp(&other.currency).then_with(|| size(one).cmp(&size(other))));
    let of = counted(groups.len() as u64, what, &format!("{what}s"));
    writeln!(out, "\nLargest movements by {what} ({} of {of})", moved.len())?;
    let mut headings = vec!["currency", "workflow"];
    if what == "revision" {
        headings.push("revision");
    }
    let first_amount = headings.len();
    headings.extend(["old", "new", "movement", "percent", "share"]);
    let mut table = grid(&headings);
    for group in most(&moved) {
        let mut row = vec![shown(&currency_name(&group.currency)), shown(&group.workflow_id)];
        row.extend(group.revision_id.as_deref().map(shown));
        row.extend([
            group.movement.old.final_amount.to_string(),
            group.movement.new.final_amount.to_string(),
            group.movement.movement.to_string(),
            percent(group.movement.change_percent),
            percent(group.share_percent),
        ]);
        table.add_row(row);
    }
    print(&mut table, &(first_amount..headings.len()).collect::<Vec<_>>(), out)?;
    more(moved.len(), out)
}

/// The first few of each currency, at most [`LISTED`] in all, so that one currency leaves room for the others.
fn most<'g>(moved: &[&'g Group]) -> Vec<&'g Group> {
    let of_currencies: Vec<&[&Group]> = moved.chunk_by(|one, other| one.currency == other.currency).collect();
    let mut rooms = vec![0; of_currencies.len()];
    for _ in 0..LISTED.min(moved.len()) {
        // The next line goes to the currency with the fewest so far.
        let open = (0..rooms.len()).filter(|at| rooms[*at] < of_currencies[*at].len());
        if let Some(at) = open.min_by_key(|at| rooms[*at]) {
            rooms[at] += 1;
        }
    }
    of_currencies.iter().zip(rooms).flat_map(|(groups, room)| &groups[..room]).copied().collect()
}

fn more(rows: usize, out: &mut dyn Write) -> io::Result<()> {
    match rows.checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(out, "  ... and {more} more"),
    }
}

fn percent(percent: Option<Percent>) -> String {
    percent.map(|percent| percent.to_string()).unwrap_or_default()
}

fn shown(text: &str) -> String {
    visible(text, SHOWN)
}

/// A text from outside: no control characters, and not so long that the table can't be read.
fn visible(text: &str, length: usize) -> String {
    let mut chars = text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char });
    let mut visible: String = chars.by_ref().take(length).collect();
    visible.extend(chars.next().map(|_| '…'));
    visible
}
