//! Compares one report with the truth: every row of the input, every finding, every count.

use std::collections::{BTreeMap, BTreeSet};

use super::dataset::Seen;
use super::job::{Command, Waiver};
use super::knowledge::{Kept, Sighting};
use super::memory::{Comparison, Key, Memory, Past, Rows, compare};
use super::report::{Cells, Report, cell};
use super::rulings::{Case, Evidence, Figures, Item, Ruling, rulings, spent, unlisted};
use super::server::{Answer, Entry};
use super::sheet::Sheet;
use super::truth::{ListAmounts, Order, Reply, money};
use super::ways::Way;

/// Everything that a report is compared with.
pub(super) struct Background<'b> {
    pub(super) command: &'b Command,
    pub(super) series: &'b str,
    /// The starts of the run that made the report.
    pub(super) starts: &'b [usize],
    /// Every start with `--reuse-settled`.
    pub(super) reusing: &'b BTreeSet<usize>,
    pub(super) log: &'b [Entry],
    pub(super) sightings: &'b BTreeMap<String, Vec<Sighting>>,
    /// The orders of each report so far, by the start that made it.
    pub(super) reports: &'b BTreeMap<usize, BTreeSet<String>>,
    pub(super) past: Past<'b>,
}

/// What follows from a report that is right.
#[derive(Debug, Default)]
pub(super) struct Assessment {
    pub(super) found: Vec<(Key, Figures)>,
    pub(super) resolved: Vec<Key>,
    pub(super) ids: Vec<(String, Item, String)>,
    /// The replies about each order, with what is now certain about which were kept.
    pub(super) sightings: BTreeMap<String, Vec<Sighting>>,
    pub(super) buckets: BTreeMap<&'static str, u64>,
    /// Orders without a failed check.
    pub(super) clean: BTreeSet<String>,
    /// What the report may have shown of each order, and which start saw it: mostly one thing.
    pub(super) seen: BTreeMap<String, Vec<Seen>>,
    pub(super) has_gap: bool,
    /// How many orders with figures are not in the list: those that certainly are missing, and those that may be.
    absent: [u64; 2],
    /// Orders that other reports judged after this run fetched them.
    pub(super) stale: BTreeSet<String>,
    /// The fewest and the most orders that may have been reused.
    pub(super) reused: [u64; 2],
    pub(super) not_assessed: u64,
    pub(super) uncertain: u64,
    pub(super) is_variant: bool,
}

/// An order of the input, with its rows of our books.
pub(super) struct InputOrder {
    pub(super) id: String,
    pub(super) line: usize,
    books: Vec<[String; 2]>,
}

/// The rows of the input, sorted by kind.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) orders: Vec<InputOrder>,
    pub(super) duplicates: Vec<usize>,
    pub(super) rejected: Vec<usize>,
}

fn entered(command: &Command) -> Entries {
    let mut rows = Entries::default();
    for (at, row) in command.sheet.rows.iter().enumerate() {
        let (id, line) = (Sheet::id(row, command.column), Sheet::line(at));
        if !Sheet::is_usable(id) {
            rows.rejected.push(line);
        } else if let Some(first) = rows.orders.iter_mut().find(|order| order.id == id) {
            first.books.push(row.books.clone());
            rows.duplicates.push(line);
        } else {
            rows.orders.push(InputOrder { id: id.to_owned(), line, books: vec![row.books.clone()] });
        }
    }
    rows
}

/// Compares a report with the truth; an error says what is wrong with it.
pub(super) fn assess(background: &Background<'_>, report: &Report) -> Result<Assessment, String> {
    let command = background.command;
    let list = list_of(background);
    if command.complete && list.is_none() {
        return Err("the provider's list was not asked for".to_owned());
    }
    let listed = list.flatten().filter(|_| command.complete);
    let mut assessed = Assessment { has_gap: command.complete && listed.is_none(), ..Assessment::default() };
    let rows = entered(command);
    let tables = Tables { report, background, listed };
    for order in &rows.orders {
        tables.order(order, &mut assessed).map_err(|problem| {
            format!("{} on line {}: {problem}{}", order.id, order.line, sent(background.log, &order.id))
        })?;
    }
    tables.disproof(&mut assessed)?;
    for (lines, bucket) in [(&rows.duplicates, "duplicate"), (&rows.rejected, "rejected")] {
        for line in lines {
            tables.is_exception(*line, bucket)?;
            *assessed.buckets.entry(bucket).or_default() += 1;
        }
    }
    tables.unlisted(&rows, &mut assessed)?;
    tables.totals(&rows, &mut assessed)?;
    Ok(assessed)
}

/// The provider's answers about an order, start by start, for the message of a failure.
fn sent(log: &[Entry], id: &str) -> String {
    let about = log.iter().filter(|entry| matches!(&entry.answer, Answer::Order(other, _) if other == id));
    about.map(|entry| format!("\n  start {}, served {}: {:?}", entry.start, entry.is_served, entry.answer)).collect()
}

/// The last list that this run was served; `Some(None)` if it was refused, `None` if it was not asked for.
fn list_of<'b>(background: &Background<'b>) -> Option<Option<&'b ListAmounts>> {
    let own = background.log.iter().filter(|entry| entry.is_served && background.starts.contains(&entry.start));
    own.rev().find_map(|entry| match &entry.answer {
        Answer::List(listed) => Some(listed.as_ref()),
        Answer::Order(..) => None,
    })
}

pub(super) struct Tables<'t> {
    pub(super) report: &'t Report,
    pub(super) background: &'t Background<'t>,
    listed: Option<&'t ListAmounts>,
}

impl Tables<'_> {
    /// Compares everything that the report says about an order.
    fn order(&self, order: &InputOrder, assessed: &mut Assessment) -> Result<(), String> {
        let case =
            Case { id: &order.id, command: self.background.command, books: order.books.clone(), listed: self.listed };
        let mut problem = None;
        let mut ways: Vec<(Way, Comparison, &'static str)> = Vec::new();
        for way in self.background.ways(&order.id)? {
            match self.compare(order, &case, &way) {
                Ok((compared, bucket)) => ways.push((way, compared, bucket)),
                Err(why) => problem = problem.or(Some(format!("{why} [{:?}; {:?}]", way.evidence, way.known))),
            }
        }
        let Some((way, compared, bucket)) = ways.first() else {
            return Err(problem.unwrap_or_else(|| "it was neither asked for nor known".to_owned()));
        };
        self.background.asked_for_nothing(&case, way)?;
        *assessed.buckets.entry(*bucket).or_default() += 1;
        let is_reused = |(way, ..): &(Way, Comparison, &str)| matches!(way.evidence, Evidence::Reused(..));
        assessed.reused[0] += u64::from(ways.iter().all(is_reused));
        assessed.reused[1] += u64::from(ways.iter().any(is_reused));
        if self.listed.is_some_and(|listed| !listed.contains_key(&order.id)) {
            let has_figures = |(way, ..): &(Way, Comparison, &str)| way.evidence.facts().is_some();
            assessed.absent[0] += u64::from(ways.iter().all(has_figures));
            assessed.absent[1] += u64::from(ways.iter().any(has_figures));
        }
        assessed.not_assessed += compared.not_assessed;
        assessed.uncertain += compared.uncertain;
        if self.background.is_stale(&order.id, way) {
            assessed.stale.insert(order.id.clone());
        }
        let mut seen: Vec<Seen> = Vec::new();
        for (way, ..) in &ways {
            let one = Seen { start: way.since, evidence: way.evidence.clone() };
            if !seen.contains(&one) {
                seen.push(one);
            }
        }
        assessed.seen.insert(order.id.clone(), seen);
        if compared.found.is_empty() {
            assessed.clean.insert(order.id.clone());
        }
        assessed.found.extend(compared.found.iter().cloned());
        assessed.resolved.extend(compared.resolved.iter().cloned());
        let named = |(item, id): &(Item, String)| (order.id.clone(), item.clone(), id.clone());
        assessed.ids.extend(compared.ids.iter().map(named));
        let mut sightings = self.background.sightings(&order.id, &way.evidence);
        for (at, sighting) in sightings.iter_mut().enumerate() {
            if ways.iter().all(|(way, ..)| !way.ever[at]) {
                sighting.kept = Kept::No;
            } else if ways.iter().all(|(way, ..)| way.always[at]) {
                sighting.kept = Kept::Yes;
            }
        }
        assessed.sightings.insert(order.id.clone(), sightings);
        Ok(())
    }

    /// Compares an order's rows with one way in which it may have been judged.
    fn compare(&self, order: &InputOrder, case: &Case<'_>, way: &Way) -> Result<(Comparison, &'static str), String> {
        let mut rulings = rulings(case, &way.evidence, &way.known);
        // Another run may have seen the order after this one did not find it.
        for (item, ruling) in rulings.iter_mut().filter(|_| self.background.is_stale(&order.id, way)) {
            if let ("vanished", Ruling::Fails(figures)) = (item.check.as_str(), &*ruling) {
                *ruling = Ruling::MayFail(figures.clone());
            }
        }
        let of_order = |row: &&Cells| cell(row, "run_order_id") == order.id;
        let rows = Rows {
            found: self.report.discrepancies.iter().filter(of_order).collect(),
            resolved: self.report.resolved.iter().filter(of_order).collect(),
        };
        let Background { series, past, command, .. } = self.background;
        let covers = |item: &Item, figures: &Figures| is_waived(&command.waivers, &order.id, item, figures);
        let past = Past { is_stale: self.background.is_stale(&order.id, way), ..*past };
        let compared = compare(&order.id, series, &rulings, &rows, &past, covers)?;
        let lines = rows.found.iter().filter(|row| cell(row, "check") != "expected-mismatch");
        if let Some(row) = lines.chain(&rows.resolved).find(|row| cell(row, "input_line") != order.line.to_string()) {
            return Err(format!("a row of {} names line {}", cell(row, "check"), cell(row, "input_line")));
        }
        let bucket = bucket(&order.id, &way.evidence, &compared, &command.waivers);
        self.placed(order, way, bucket)?;
        Ok((compared, bucket))
    }

    /// Checks an order's rows in exceptions, pending and spend.
    fn placed(&self, order: &InputOrder, way: &Way, bucket: &str) -> Result<(), String> {
        let facts = way.evidence.facts().map(|(is_settled, amounts, _)| (is_settled, amounts));
        let is_foreign = matches!(way.evidence, Evidence::Asked(Reply::Foreign(_)));
        match (facts, is_foreign) {
            (None, false) => self.is_exception(order.line, bucket)?,
            _ => self.is_no_exception(order.line)?,
        }
        let pending = self.report.pending.iter().filter(|row| cell(row, "run_order_id") == order.id).count();
        if pending != usize::from(facts.is_some_and(|(is_settled, _)| !is_settled)) {
            return Err(format!("it is {pending} times in pending.csv"));
        }
        let workflow = Order::workflow(&order.id);
        let spend: Vec<&Cells> = self.report.spend.iter().filter(|row| cell(row, "workflow_id") == workflow).collect();
        let (Some((is_settled, amounts)), [row]) = (facts, spend.as_slice()) else {
            let count = spend.len();
            return if facts.is_none() && count == 0 { Ok(()) } else { Err(format!("it is {count} times in spend")) };
        };
        let counts = [("orders", true), ("settled", is_settled), ("pending", !is_settled)]
            .into_iter()
            .chain([("discrepant", bucket == "discrepant")])
            .map(|(name, holds)| (name, u8::from(holds).to_string()));
        let sums = spent(is_settled, amounts).into_iter().map(|(name, sum)| (name, money(sum)));
        match counts.chain(sums).find(|(name, expected)| cell(row, name) != expected) {
            Some((name, expected)) => Err(format!("spend has {name} {}, not {expected}", cell(row, name))),
            None => Ok(()),
        }
    }

    /// Checks that the report doubts the list if, and only if, the list lacks an order that the run has figures of.
    fn disproof(&self, assessed: &mut Assessment) -> Result<(), String> {
        if self.listed.is_none() {
            return Ok(());
        }
        let problem = self.report.summary["completeness"]["problem"].as_str().unwrap_or_default();
        let [certain, possible] = assessed.absent;
        let is_doubted = !problem.is_empty();
        if certain > 0 && !is_doubted {
            return Err("the list lacks orders that were fetched or reused, and is not doubted".to_owned());
        }
        if possible == 0 && is_doubted {
            return Err(format!("the list is doubted without a reason: {problem}"));
        }
        assessed.has_gap |= is_doubted;
        Ok(())
    }

    pub(super) fn exception(&self, line: usize) -> Vec<&str> {
        let rows = self.report.exceptions.iter().filter(|row| cell(row, "input_line") == line.to_string());
        rows.map(|row| cell(row, "bucket")).collect()
    }

    fn is_exception(&self, line: usize, bucket: &str) -> Result<(), String> {
        let found = self.exception(line);
        if found == [bucket] {
            Ok(())
        } else {
            Err(format!("exceptions.csv has {found:?} of line {line}, not {bucket}"))
        }
    }

    fn is_no_exception(&self, line: usize) -> Result<(), String> {
        let found = self.exception(line);
        if found.is_empty() { Ok(()) } else { Err(format!("exceptions.csv has it as {found:?}")) }
    }

    /// Checks the findings of orders that the provider lists and the input lacks.
    fn unlisted(&self, rows: &Entries, assessed: &mut Assessment) -> Result<(), String> {
        let is_entered = |id: &str| rows.orders.iter().any(|order| order.id == id);
        let lacking: Vec<(&String, Option<i128>)> = self
            .listed
            .into_iter()
            .flatten()
            .filter(|(id, _)| !is_entered(id))
            .map(|(id, amounts)| (id, amounts[1]))
            .collect();
        for (id, charged) in &lacking {
            let of_order = |row: &&Cells| cell(row, "run_order_id") == *id;
            let rows =
                Rows { found: self.report.discrepancies.iter().filter(of_order).collect(), resolved: Vec::new() };
            let Background { series, past, .. } = self.background;
            let compared = compare(id, series, &unlisted(*charged), &rows, past, |_, _| false)
                .map_err(|problem| format!("{id}, which the input lacks: {problem}"))?;
            assessed.is_variant = true;
            assessed.found.extend(compared.found);
            assessed.not_assessed += compared.not_assessed;
            assessed.uncertain += compared.uncertain;
            let named = |(item, name): (Item, String)| ((*id).clone(), item, name);
            assessed.ids.extend(compared.ids.into_iter().map(named));
        }
        let is_known = |row: &&Cells| {
            let id = cell(row, "run_order_id");
            is_entered(id) || lacking.iter().any(|(lacking, _)| *lacking == id)
        };
        let all = self.report.discrepancies.iter().chain(&self.report.resolved);
        match all.clone().find(|row| !is_known(row)) {
            Some(row) => Err(format!(
                "a row of {} is about an order that is not tonight's: {}",
                cell(row, "check"),
                cell(row, "run_order_id")
            )),
            None => Ok(()),
        }
    }
}

/// The bucket of an order.
pub(super) fn bucket(id: &str, evidence: &Evidence, compared: &Comparison, waivers: &[Waiver]) -> &'static str {
    let waives_missing = |waiver: &Waiver| waiver.order == id && waiver.check == "not-found";
    let is_clean = compared.found.is_empty();
    match evidence {
        Evidence::Asked(Reply::Order { .. }) | Evidence::Reused(..) if !is_clean => {
            if compared.unwaived == 0 {
                "waived"
            } else {
                "discrepant"
            }
        }
        Evidence::Asked(Reply::Order { is_settled: false, .. }) => "pending",
        Evidence::Asked(Reply::Order { .. }) | Evidence::Reused(..) => "reconciled",
        Evidence::Asked(Reply::Foreign(_)) => "discrepant",
        Evidence::Asked(Reply::NotFound) if is_clean && waivers.iter().any(waives_missing) => "waived",
        Evidence::Asked(Reply::NotFound) => "not_found",
        Evidence::Asked(Reply::Malformed) => "malformed",
        Evidence::Asked(Reply::Failed(_) | Reply::Limited(_)) | Evidence::Unfetched => "unfetched",
    }
}

/// Whether a waiver covers a finding with exactly these figures.
pub(super) fn is_waived(waivers: &[Waiver], order: &str, item: &Item, figures: &Figures) -> bool {
    waivers.iter().any(|waiver| {
        let is_same = match waiver.figures[2].is_empty() {
            true => waiver.figures == *figures,
            false => waiver.figures[2] == figures[2],
        };
        waiver.order == order && waiver.check == item.check && waiver.field == item.field && is_same
    })
}

/// The memory after a report, with or without orders that other reports judged since.
pub(super) fn remembered(mut memory: Memory, assessed: &Assessment, with_stale: bool) -> Memory {
    let counts = |key: &Key| with_stale || !assessed.stale.contains(&key.order);
    for key in assessed.resolved.iter().filter(|key| counts(key)) {
        memory.remove(key);
    }
    memory.extend(assessed.found.iter().filter(|(key, _)| counts(key)).cloned());
    memory
}
