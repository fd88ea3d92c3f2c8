//! A comparison for people: discrepancies by state, and the largest movements of spend.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::Path;

use crate::app::terminal::{currency_name, grid, heading, print};
use crate::app::voice::Voice;
use crate::domain::money::Sum;
use crate::domain::visible::is_harmful;
use crate::language::{Texts, Word};
use crate::report::comparison::{Comparison, Discrepancy, Group, Side, State};
use crate::report::content::percent::Percent;

/// The most lines of a table; `--output json` has them all.
const LISTED: usize = 20;
/// The most characters of an outside text in a cell.
const SHOWN: usize = 64;

/// Writes a comparison for people.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn show(
    comparison: &Comparison,
    [old, new]: [&Path; 2],
    voice: &Voice,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (counts, texts) = (&comparison.counts, voice.texts);
    let text = texts.with(
        "diff-counts",
        &[
            ("new", counts.new.into()),
            ("changed", counts.changed.into()),
            ("persisting", counts.persisting.into()),
            ("unassessed", counts.not_assessed.into()),
            ("resolved", counts.resolved.into()),
        ],
    );
    writeln!(out, "{}", voice.bold(&text))?;
    for (side, path, report) in
        [(texts.get("diff-old"), old, &comparison.old), (texts.get("diff-new"), new, &comparison.new)]
    {
        let text = texts.with(
            "diff-side",
            &[
                ("side", side.into()),
                ("folder", visible(&path.to_string_lossy(), usize::MAX).into()),
                ("as-of", report.as_of.to_string().into()),
                ("verdict", shown(&report.verdict).into()),
            ],
        );
        writeln!(out, "  {text}")?;
    }
    show_rows(comparison, voice, out)?;
    for state in [State::New, State::Changed, State::NotAssessed, State::Resolved] {
        show_discrepancies(&comparison.discrepancies, state, voice, out)?;
    }
    show_totals(comparison, voice, out)?;
    show_groups(&comparison.spend.by_workflow, By::Workflow, voice, out)?;
    show_groups(&comparison.spend.by_revision, By::Revision, voice, out)
}

/// How many orders each report fetched, and its exceptions by bucket: an order that one report lacks explains movement
/// of spend.
fn show_rows(comparison: &Comparison, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let (old, new, texts) = (&comparison.old, &comparison.new, voice.texts);
    heading(&texts.get("diff-rows"), voice, out)?;
    let mut table = grid(&[String::new(), texts.get("diff-old"), texts.get("diff-new")]);
    table.add_row(vec![texts.get("diff-orders-fetched"), old.orders.to_string(), new.orders.to_string()]);
    let mut buckets: Vec<&str> = old.exceptions.keys().chain(new.exceptions.keys()).copied().collect();
    buckets.sort_unstable();
    buckets.dedup();
    for bucket in buckets {
        let count = |exceptions: &std::collections::BTreeMap<&'static str, u64>| {
            exceptions.get(bucket).copied().unwrap_or_default().to_string()
        };
        let name = texts.word(Word::BucketName, bucket);
        table.add_row(vec![name, count(&old.exceptions), count(&new.exceptions)]);
    }
    print(&mut table, &[1, 2], out)
}

fn show_discrepancies(all: &[Discrepancy], state: State, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let mut rows: Vec<&Discrepancy> = all.iter().filter(|row| row.state == state).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let side = |row: &Discrepancy| row.new.as_ref().or(row.old.as_ref()).and_then(|side| side.difference);
    rows.sort_by_key(|row| Reverse(side(row).unwrap_or_default().abs()));
    let (name, last) = match state {
        State::New => (texts.get("diff-state-new"), texts.get("diff-column-workflow")),
        State::Changed => (texts.get("diff-state-changed"), texts.get("diff-column-changed")),
        State::NotAssessed => (texts.get("diff-state-not-assessed"), texts.get("diff-column-because")),
        State::Resolved => (texts.get("diff-state-resolved"), texts.get("diff-column-workflow")),
        // People have seen these before: only their count is shown. The JSON has them.
        State::Persisting => return Ok(()),
    };
    heading(&texts.with("diff-heading", &[("state", name.into()), ("count", rows.len().into())]), voice, out)?;
    let mut table = grid(&[
        texts.get("diff-column-order"),
        texts.get("diff-column-check"),
        texts.get("diff-column-currency"),
        texts.get("diff-old"),
        texts.get("diff-new"),
        last,
    ]);
    for row in rows.iter().take(LISTED) {
        let currency = row.new.as_ref().or(row.old.as_ref()).map(|side| currency_name(&side.currency, texts));
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
    more(rows.len(), texts, out)
}

/// The difference; where there is none, the actual value.
fn figure(side: Option<&Side>) -> String {
    side.map(|side| side.difference.map_or_else(|| shown(&side.actual), |difference| difference.to_string()))
        .unwrap_or_default()
}

fn show_totals(comparison: &Comparison, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let (totals, texts) = (&comparison.spend.totals, voice.texts);
    if totals.is_empty() {
        return Ok(());
    }
    heading(&texts.get("diff-spend"), voice, out)?;
    let mut table = grid(&[
        texts.get("diff-column-currency"),
        texts.get("diff-column-orders-old"),
        texts.get("diff-new"),
        texts.get("diff-old"),
        texts.get("diff-new"),
        texts.get("diff-column-movement"),
        texts.get("diff-column-percent"),
    ]);
    for total in totals {
        let moved = &total.movement;
        table.add_row(vec![
            shown(&currency_name(&total.currency, texts)),
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

/// What spend is grouped by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Workflow,
    Revision,
}

fn show_groups(groups: &[Group], by: By, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let mut moved: Vec<&Group> = groups.iter().filter(|group| !group.movement.movement.is_zero()).collect();
    if moved.is_empty() {
        return writeln!(
            out,
            "\n{}",
            match by {
                By::Workflow => texts.get("diff-no-movement-workflow"),
                By::Revision => texts.get("diff-no-movement-revision"),
            }
        );
    }
    // Sorted within each currency: amounts of two currencies are never compared.
    let size = |group: &Group| -> Reverse<Sum> { Reverse(group.movement.movement.abs()) };
    moved.sort_by(|one, other| one.currency.cmp(&other.currency).then_with(|| size(one).cmp(&size(other))));
    let (some, all) = (moved.len(), groups.len());
    let text = match by {
        By::Workflow => texts.with("diff-movements-workflow", &[("moved", some.into()), ("count", all.into())]),
        By::Revision => texts.with("diff-movements-revision", &[("moved", some.into()), ("count", all.into())]),
    };
    heading(&text, voice, out)?;
    let mut headings = vec![texts.get("diff-column-currency"), texts.get("diff-column-workflow")];
    if by == By::Revision {
        headings.push(texts.get("diff-column-revision"));
    }
    let first_amount = headings.len();
    headings.extend([
        texts.get("diff-old"),
        texts.get("diff-new"),
        texts.get("diff-column-movement"),
        texts.get("diff-column-percent"),
        texts.get("diff-column-share"),
    ]);
    let mut table = grid(&headings);
    for group in most(&moved) {
        let mut row = vec![shown(&currency_name(&group.currency, texts)), shown(&group.workflow_id)];
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
    more(moved.len(), texts, out)
}

/// The first groups of each currency, at most [`LISTED`] in all, shared evenly between the currencies.
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

fn more(rows: usize, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    match rows.checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(out, "  {}", texts.with("diff-more", &[("count", more.into())])),
    }
}

fn percent(percent: Option<Percent>) -> String {
    percent.map(|percent| percent.to_string()).unwrap_or_default()
}

fn shown(text: &str) -> String {
    visible(text, SHOWN)
}

/// An outside text with harmful characters replaced, cut to `length` characters.
fn visible(text: &str, length: usize) -> String {
    let mut chars = text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char });
    let mut visible: String = chars.by_ref().take(length).collect();
    visible.extend(chars.next().map(|_| '…'));
    visible
}
