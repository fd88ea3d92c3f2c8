//! The oracle over all nights: the runs, which start continues which run, and what each report must say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::assessment::{Assessment, Background, assess, remembered};
use super::dataset::{AsOf, Dataset, NewReport};
use super::job::{Command, StartResult};
use super::knowledge::{Kept, Sighting, replies};
use super::memory::{Memory, Past};
use super::report::{Folder, Report};
use super::rulings::Item;
use super::server::{Answer, Entry};
use super::truth::Reply;

/// How much of what a start fetched is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retained {
    /// All of it is kept.
    All,
    /// All but the last replies, which may be lost.
    Most,
    /// The input changed while it was read: its outcomes by line do not count.
    Void,
}

/// The state of a run so far.
enum Standing {
    Unfinished,
    /// It has an incomplete report: the memory before that report, the number of reports including it, and whether
    /// rows are unfetched.
    Incomplete {
        before: [Memory; 2],
        reports: usize,
        is_unfetched: bool,
    },
    Ended,
}

/// A run: a start and the starts that continue it.
struct Run {
    command: Command,
    starts: Vec<usize>,
    /// Whether the next start of the same command must continue it.
    is_sure: bool,
    standing: Standing,
    /// A report that a killed start published.
    published: Option<Report>,
}

/// Over killed starts: rows that were fetched again, and all rows that were served well before the kill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RefetchCounts {
    pub(super) again: usize,
    pub(super) served: usize,
}

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) sightings: BTreeMap<String, Vec<Sighting>>,
    /// Two memories, which differ where the contract leaves the order of events open.
    memory: [Memory; 2],
    runs: Vec<Run>,
    retained: BTreeMap<usize, Retained>,
    began: BTreeMap<usize, [Timestamp; 2]>,
    /// The starts with `--reuse-settled`.
    reusing: BTreeSet<usize>,
    /// The orders of each report, by the start that made it.
    reports: BTreeMap<usize, BTreeSet<String>>,
    ids: BTreeMap<(String, Item), String>,
    pub(super) dataset: Dataset,
    /// How many reports of killed starts were made again.
    remade: u64,
    pub(super) refetched: RefetchCounts,
}

/// The result of a report, from which the next night is drawn.
pub(super) struct ReportResult {
    pub(super) assessed: Assessment,
    pub(super) is_continued: bool,
}

/// The input's series: its path with digits masked.
fn series(command: &Command) -> String {
    if command.typed == "-" {
        return format!("{} {:?}", command.typed, command.column);
    }
    command.path.chars().map(|char| if char.is_ascii_digit() { '#' } else { char }).collect()
}

impl Ledger {
    /// A start has ended: records its replies, which it may have kept.
    fn see(&mut self, command: &Command, ended: &StartResult, log: &[Entry]) {
        self.began.insert(ended.start, ended.between);
        self.reusing.extend(command.reuses.then_some(ended.start));
        for entry in log.iter().filter(|entry| entry.start == ended.start && entry.is_served) {
            if let Answer::Order(id, reply) = &entry.answer
                && !reply.is_no_answer()
            {
                let sighting = Sighting { start: entry.start, reply: reply.clone(), kept: Kept::Perhaps };
                self.sightings.entry(id.clone()).or_default().push(sighting);
            }
        }
    }

    /// Whether an order will certainly be reused instead of fetched.
    pub(super) fn is_reusable(&self, id: &str) -> bool {
        let sightings = self.sightings.get(id).map(Vec::as_slice).unwrap_or_default();
        let ways = super::knowledge::possibilities(sightings);
        ways.iter().all(|(_, known)| known.is_fresh && known.reusable().is_some())
    }

    /// Whether every report that a killed start may have left is accounted for.
    pub(super) fn is_all_appended(&self) -> bool {
        self.dataset.is_complete() && self.runs.iter().all(|run| run.published.is_none())
    }

    /// The command of the newest run, without what a dataset does not know.
    pub(super) fn audit_command(&self, split_is_off: bool) -> Option<Command> {
        let command = self.runs.last()?.command.clone();
        Some(Command { expect: Vec::new(), complete: false, waivers: Vec::new(), split_is_off, ..command })
    }

    /// The fewest and the most reports that may have been appended: a killed start may have appended one that was made
    /// again.
    pub(super) const fn appended_reports(&self) -> [u64; 2] {
        [self.dataset.reports, self.dataset.reports + self.remade]
    }

    /// Whether a time is within a start.
    pub(super) fn is_within(&self, start: usize, time: &str) -> bool {
        let between = self.began.get(&start).copied().unwrap_or_default();
        AsOf::Between(between).check(time).is_ok()
    }

    /// The run that a start of this command may continue, and whether it must.
    fn candidate(&self, command: &Command) -> Option<(usize, bool)> {
        if command.fresh {
            return None;
        }
        let of_input = self.runs.iter().enumerate().rev().filter(|(_, run)| run.command.path == command.path);
        let mut of_input = of_input.map(|(at, run)| (at, run, run.command.is_continued_by(command)));
        let is_open = |run: &Run| !matches!(run.standing, Standing::Ended) || run.published.is_some();
        let last = of_input.clone().next()?.0;
        let (at, run, _) = of_input.find(|(_, run, is_same)| *is_same && is_open(run))?;
        let must =
            at == last && run.is_sure && !matches!(run.standing, Standing::Incomplete { is_unfetched: false, .. });
        Some((at, must))
    }

    /// Records a start that ended without a report, or was killed when it may have published one.
    pub(super) fn note_stop(
        &mut self,
        command: &Command,
        ended: &StartResult,
        retained: Retained,
        log: &[Entry],
        published: Option<Report>,
    ) {
        self.see(command, ended, log);
        self.retained.insert(ended.start, retained);
        if retained == Retained::All {
            self.keep_last(ended.start);
        }
        let at = match self.candidate(command) {
            Some((at, must)) => {
                self.runs[at].is_sure &= must;
                at
            }
            None => {
                self.runs.push(Run {
                    command: command.clone(),
                    starts: Vec::new(),
                    is_sure: true,
                    standing: Standing::Unfinished,
                    published: None,
                });
                self.runs.len() - 1
            }
        };
        let run = &mut self.runs[at];
        run.starts.push(ended.start);
        run.is_sure &= retained != Retained::Void;
        run.published = published;
    }

    /// Marks the last reply of a start about each order as kept, and the earlier ones as not.
    fn keep_last(&mut self, start: usize) {
        for sightings in self.sightings.values_mut() {
            let mut kept = Kept::Yes;
            for sighting in sightings.iter_mut().rev().filter(|sighting| sighting.start == start) {
                sighting.kept = kept;
                kept = Kept::No;
            }
        }
    }

    /// Records a start that ended with a report; an error says what is wrong with the report.
    pub(super) fn note_report(
        &mut self,
        command: &Command,
        ended: &StartResult,
        report: &Report,
        log: &[Entry],
        before: &Folder,
    ) -> Result<ReportResult, String> {
        let is_replaced = before.contains_key(&report.name);
        let candidate = self.candidate(command);
        for at in 0..self.runs.len() {
            let Some(published) = self.runs[at].published.take() else { continue };
            if is_replaced && candidate.is_some_and(|(candidate, _)| candidate == at) {
                same_tables(&published, report)?;
                self.remade += 1;
            } else {
                self.note_published(at, &published, log)?;
            }
        }
        let candidate = self.candidate(command);
        self.see(command, ended, log);
        self.retained.insert(ended.start, Retained::All);
        let mut problem = String::new();
        for attempt in self.attempts(command, ended.start, candidate, is_replaced)? {
            let assessed = self.assess(command, &attempt, report, log);
            match assessed.and_then(|assessed| Ok((self.little_again(command, &attempt, &assessed, log)?, assessed))) {
                Ok((refetched, assessed)) => {
                    self.refetched.again += refetched.again;
                    self.refetched.served += refetched.served;
                    return Ok(self.accept(command, attempt, assessed));
                }
                Err(why) if problem.is_empty() => problem = why,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    /// Records the report of a killed start whose run had ended.
    fn note_published(&mut self, at: usize, published: &Report, log: &[Entry]) -> Result<(), String> {
        let run = &self.runs[at];
        let command = run.command.clone();
        let before = match &run.standing {
            Standing::Incomplete { before, .. } => Some(before.clone()),
            _ => None,
        };
        let attempt = Attempt { run: Some(at), starts: run.starts.clone(), before, is_interleaved: false };
        let in_killed = |problem| format!("the report of the killed start: {problem}");
        let assessed = self.assess(&command, &attempt, published, log).map_err(in_killed)?;
        self.accept(&command, attempt, assessed);
        Ok(())
    }

    /// The possible runs of a report.
    fn attempts(
        &self,
        command: &Command,
        start: usize,
        candidate: Option<(usize, bool)>,
        is_replaced: bool,
    ) -> Result<Vec<Attempt>, String> {
        let new = Attempt { run: None, starts: vec![start], before: None, is_interleaved: false };
        let Some((at, must)) = candidate else {
            return if is_replaced {
                Err("it took the place of another run's report".to_owned())
            } else {
                Ok(vec![new])
            };
        };
        let run = &self.runs[at];
        let starts: Vec<usize> = run.starts.iter().copied().chain([start]).collect();
        if let Standing::Incomplete { before, reports, .. } = &run.standing {
            if is_replaced {
                let is_interleaved = *reports != self.reports.len();
                return Ok(vec![Attempt { run: Some(at), starts, before: Some(before.clone()), is_interleaved }]);
            }
            if must {
                return Err(format!("the run of `{}` is not continued, and has unfetched rows", command.described()));
            }
            return Ok(vec![new]);
        }
        let continued = |from: usize| Attempt {
            run: Some(at),
            starts: starts[from..].to_vec(),
            before: None,
            is_interleaved: false,
        };
        let last = if must { 0 } else { starts.len() - 1 };
        Ok((0..=last).map(continued).collect())
    }

    fn assess(
        &self,
        command: &Command,
        attempt: &Attempt,
        report: &Report,
        log: &[Entry],
    ) -> Result<Assessment, String> {
        let [one, other] = attempt.before.as_ref().unwrap_or(&self.memory);
        let other = if attempt.is_interleaved { &self.memory[0] } else { other };
        self.is_as_of(command, attempt, report)?;
        let background = Background {
            command,
            series: &series(command),
            starts: &attempt.starts,
            reusing: &self.reusing,
            log,
            sightings: &self.sightings,
            reports: &self.reports,
            past: Past { one, other, is_stale: false, is_unknown: false },
        };
        let assessed = assess(&background, report)?;
        for (order, item, id) in &assessed.ids {
            match self.ids.get(&(order.clone(), item.clone())) {
                Some(known) if known != id => {
                    return Err(format!("the discrepancy {order} {item:?} was {known} and is {id}"));
                }
                _ => {}
            }
        }
        Ok(assessed)
    }

    /// Checks that a report's `as_of` is that of the start, or of the run that it continues.
    fn is_as_of(&self, command: &Command, attempt: &Attempt, report: &Report) -> Result<(), String> {
        self.as_of(command, attempt).check(report.text("as_of"))
    }

    fn as_of(&self, command: &Command, attempt: &Attempt) -> AsOf {
        let of_run = attempt.run.and_then(|at| self.runs[at].command.as_of.as_ref());
        let given = command.as_of.as_ref().or(of_run.filter(|_| attempt.starts.len() > 1));
        let first = || attempt.starts.first().and_then(|start| self.began.get(start)).copied().unwrap_or_default();
        given.map_or_else(|| AsOf::Between(first()), |given| AsOf::Given(given.clone()))
    }

    fn accept(&mut self, command: &Command, attempt: Attempt, assessed: Assessment) -> ReportResult {
        let run = attempt.run.unwrap_or(self.runs.len());
        self.dataset.append(NewReport {
            run,
            starts: attempt.starts.clone(),
            as_of: self.as_of(command, &attempt),
            seen: assessed.seen.clone(),
            replaces: attempt.before.is_some(),
        });
        let before = attempt.before.clone().unwrap_or_else(|| self.memory.clone());
        let [one, other] = if attempt.is_interleaved { self.memory.clone() } else { before.clone() };
        self.memory = [remembered(one, &assessed, true), remembered(other, &assessed, false)];
        let orders = assessed.sightings.keys().cloned().collect();
        self.reports.insert(attempt.starts.last().copied().unwrap_or_default(), orders);
        self.sightings.extend(assessed.sightings.iter().map(|(id, sightings)| (id.clone(), sightings.clone())));
        self.ids.extend(assessed.ids.iter().map(|(order, item, id)| ((order.clone(), item.clone()), id.clone())));
        let of = |bucket: &str| assessed.buckets.get(bucket).copied().unwrap_or(0);
        let is_unfetched = of("unfetched") > 0;
        let standing = match is_unfetched || assessed.has_gap {
            true => Standing::Incomplete { before, reports: self.reports.len(), is_unfetched },
            false => Standing::Ended,
        };
        let is_continued = attempt.starts.len() > 1;
        match attempt.run {
            Some(at) => {
                let run = &mut self.runs[at];
                (run.standing, run.is_sure, run.starts) = (standing, true, attempt.starts);
            }
            None => self.runs.push(Run {
                command: command.clone(),
                starts: attempt.starts,
                is_sure: true,
                standing,
                published: None,
            }),
        }
        ReportResult { assessed, is_continued }
    }

    /// Checks that a continued run asks for few orders again; counts them.
    fn little_again(
        &self,
        command: &Command,
        attempt: &Attempt,
        assessed: &Assessment,
        log: &[Entry],
    ) -> Result<RefetchCounts, String> {
        let mut refetched = RefetchCounts::default();
        let [earlier @ .., last] = attempt.starts.as_slice() else { return Ok(refetched) };
        let had_report = attempt.before.is_some();
        for id in assessed.sightings.keys() {
            let again = replies(log, *last, id).count();
            let is_clean = assessed.clean.contains(id);
            for start in earlier {
                let Some(entry) = replies(log, *start, id).last() else { continue };
                let Answer::Order(_, reply) = &entry.answer else { continue };
                let is_same = replies(log, *last, id)
                    .all(|other| matches!(&other.answer, Answer::Order(_, other) if other == reply));
                let is_final = match reply {
                    Reply::Failed(_) | Reply::Limited(_) => false,
                    Reply::Malformed => had_report,
                    Reply::Order { .. } | Reply::NotFound | Reply::Foreign(_) => true,
                };
                if !is_final || !is_same || (!is_clean && command.confirms) {
                    continue;
                }
                match self.retained.get(start) {
                    Some(Retained::All) if again > 0 => {
                        return Err(format!("{id} was asked for again: start {start} had {reply:?} of it"));
                    }
                    Some(Retained::Most) if entry.is_early => {
                        refetched.served += 1;
                        refetched.again += usize::from(again > 0);
                    }
                    _ => {}
                }
            }
        }
        Ok(refetched)
    }
}

/// A run that may have made a report, with its starts.
struct Attempt {
    run: Option<usize>,
    starts: Vec<usize>,
    /// The memory before the run's first report.
    before: Option<[Memory; 2]>,
    /// Whether other reports were made between the run's first report and this one.
    is_interleaved: bool,
}

impl Command {
    /// Whether a start of a different command may continue a run of this one.
    fn is_continued_by(&self, other: &Self) -> bool {
        let is_as_of = self.as_of == other.as_of;
        self.sheet == other.sheet && self.column == other.column && self.rules() == other.rules() && is_as_of
    }
}

/// Checks that a report says the same as the report of a killed start that it replaces.
fn same_tables(one: &Report, other: &Report) -> Result<(), String> {
    let is_same = one.discrepancies == other.discrepancies
        && one.resolved == other.resolved
        && one.exceptions == other.exceptions
        && one.spend == other.spend
        && one.summary == other.summary;
    if is_same { Ok(()) } else { Err("it differs from the report of the killed start that it replaces".to_owned()) }
}
