//! The oracle over all nights: which runs there are, which start continues which run, and what each report must say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::assessment::{Assessed, Background, assess, remembered};
use super::job::{Command, Ended};
use super::knowledge::{Kept, Sighting, replies};
use super::memory::{Memory, Past};
use super::report::{Folder, Report};
use super::rulings::Item;
use super::server::{Answer, Entry};
use super::truth::Reply;

/// How a start left what it had fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// All of it is kept.
    All,
    /// The last replies may be lost.
    Most,
    /// The input was changed under it: what it has by line does not count.
    Void,
}

/// What came of a run so far.
enum Standing {
    Unfinished,
    /// There is an incomplete report: the memory before it, how many reports there were with it, and whether rows are
    /// unfetched.
    Incomplete {
        before: [Memory; 2],
        reports: usize,
        is_unfetched: bool,
    },
    Ended,
}

/// A run: a start, and those that continue it.
struct Run {
    command: Command,
    starts: Vec<usize>,
    /// Whether the next start of the same command must continue it.
    is_sure: bool,
    standing: Standing,
    /// A report that a killed start put in place.
    published: Option<Report>,
}

/// Refetched rows and all rows that were served in time, over starts that were killed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refetched {
    pub(super) again: usize,
    pub(super) served: usize,
}

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) sightings: BTreeMap<String, Vec<Sighting>>,
    /// Two memories, which differ where the contract leaves open what came first.
    memory: [Memory; 2],
    runs: Vec<Run>,
    lefts: BTreeMap<usize, Left>,
    began: BTreeMap<usize, [Timestamp; 2]>,
    /// The starts that were to reuse what was seen settled.
    reusing: BTreeSet<usize>,
    /// The orders of each report, by the start that made it.
    reports: BTreeMap<usize, BTreeSet<String>>,
    ids: BTreeMap<(String, Item), String>,
    pub(super) refetched: Refetched,
}

/// What a report came to, for those who draw the next night.
pub(super) struct Noted {
    pub(super) assessed: Assessed,
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
    /// A start has ended: what it was told of orders is perhaps remembered.
    fn see(&mut self, command: &Command, ended: &Ended, log: &[Entry]) {
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

    /// Whether all that is known of an order says that it will not be asked for.
    pub(super) fn is_reusable(&self, id: &str) -> bool {
        let sightings = self.sightings.get(id).map(Vec::as_slice).unwrap_or_default();
        let ways = super::knowledge::possibilities(sightings);
        ways.iter().all(|(_, known)| known.is_fresh && known.reusable().is_some())
    }

    /// The run that a start of that command continues, and whether it must.
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

    /// A start ended without a report, or was killed when one may have been put in place.
    pub(super) fn note_stop(
        &mut self,
        command: &Command,
        ended: &Ended,
        left: Left,
        log: &[Entry],
        published: Option<Report>,
    ) {
        self.see(command, ended, log);
        self.lefts.insert(ended.start, left);
        if left == Left::All {
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
        run.is_sure &= left != Left::Void;
        run.published = published;
    }

    /// Of the replies of a start, the last one of each order is kept.
    fn keep_last(&mut self, start: usize) {
        for sightings in self.sightings.values_mut() {
            let mut kept = Kept::Yes;
            for sighting in sightings.iter_mut().rev().filter(|sighting| sighting.start == start) {
                sighting.kept = kept;
                kept = Kept::No;
            }
        }
    }

    /// A start ended with a report.
    pub(super) fn note_report(
        &mut self,
        command: &Command,
        ended: &Ended,
        report: &Report,
        log: &[Entry],
        before: &Folder,
    ) -> Result<Noted, String> {
        let is_replaced = before.contains_key(&report.name);
        let candidate = self.candidate(command);
        for at in 0..self.runs.len() {
            let Some(published) = self.runs[at].published.take() else { continue };
            if is_replaced && candidate.is_some_and(|(candidate, _)| candidate == at) {
                same_tables(&published, report)?;
            } else {
                self.note_published(at, &published, log)?;
            }
        }
        let candidate = self.candidate(command);
        self.see(command, ended, log);
        self.lefts.insert(ended.start, Left::All);
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

    /// The killed start had ended its run: its report counts.
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

    /// The runs of which the report may be.
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

    fn assess(&self, command: &Command, attempt: &Attempt, report: &Report, log: &[Entry]) -> Result<Assessed, String> {
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
            past: Past { one, other, is_stale: false },
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

    /// The time of a report is that of the start, or of the run that it continues.
    fn is_as_of(&self, command: &Command, attempt: &Attempt, report: &Report) -> Result<(), String> {
        let found = report.text("as_of");
        let of_run = attempt.run.and_then(|at| self.runs[at].command.as_of.as_ref());
        if let Some(expected) = command.as_of.as_ref().or(of_run.filter(|_| attempt.starts.len() > 1)) {
            return if found == expected { Ok(()) } else { Err(format!("as_of is {found}, not {expected}")) };
        }
        let [from, to] = attempt.starts.first().and_then(|start| self.began.get(start)).copied().unwrap_or_default();
        let second = SignedDuration::from_secs(1);
        match found.parse::<Timestamp>() {
            Ok(as_of) if as_of >= from - second && as_of <= to + second => Ok(()),
            _ => Err(format!("as_of is {found}, not from {from} to {to}")),
        }
    }

    fn accept(&mut self, command: &Command, attempt: Attempt, assessed: Assessed) -> Noted {
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
        Noted { assessed, is_continued }
    }

    /// A continued run asks for little again.
    fn little_again(
        &self,
        command: &Command,
        attempt: &Attempt,
        assessed: &Assessed,
        log: &[Entry],
    ) -> Result<Refetched, String> {
        let mut refetched = Refetched::default();
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
                match self.lefts.get(start) {
                    Some(Left::All) if again > 0 => {
                        return Err(format!("{id} was asked for again: start {start} had {reply:?} of it"));
                    }
                    Some(Left::Most) if entry.is_early => {
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

/// The starts that may have made a report.
struct Attempt {
    run: Option<usize>,
    starts: Vec<usize>,
    /// What was remembered before the run's first report.
    before: Option<[Memory; 2]>,
    /// Whether other reports were made between that and this one.
    is_interleaved: bool,
}

impl Command {
    /// Whether a start of another command may continue a run of this one.
    fn is_continued_by(&self, other: &Self) -> bool {
        let is_as_of = self.as_of == other.as_of;
        self.sheet == other.sheet && self.column == other.column && self.rules() == other.rules() && is_as_of
    }
}

/// A report that takes the place of a killed start's says the same.
fn same_tables(one: &Report, other: &Report) -> Result<(), String> {
    let is_same = one.discrepancies == other.discrepancies
        && one.resolved == other.resolved
        && one.exceptions == other.exceptions
        && one.spend == other.spend
        && one.summary == other.summary;
    if is_same { Ok(()) } else { Err("it differs from the report of the killed start that it replaces".to_owned()) }
}
