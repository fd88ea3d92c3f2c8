//! The oracle of the dataset: what each report brought, and which orders count in which days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::calendar::{UNDATED, Zone};
use super::knowledge::{Known, whole};
use super::rulings::Evidence;
use super::server::{Answer, Entry};
use super::truth::Reply;

/// The most possibilities of one order that are told apart.
const MOST: usize = 4_096;

/// What was seen of an order, and the start that saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) start: usize,
    pub(super) evidence: Evidence,
}

/// The moment at which a report measures ages.
#[derive(Clone, Debug)]
pub(super) enum AsOf {
    Given(String),
    /// The clock's, while its first start ran.
    Between([Timestamp; 2]),
}

impl AsOf {
    /// An error says how the moment in a report differs.
    pub(super) fn check(&self, found: &str) -> Result<(), String> {
        match self {
            Self::Given(expected) if found == expected => Ok(()),
            Self::Given(expected) => Err(format!("as_of is {found}, not {expected}")),
            Self::Between([from, to]) => {
                let second = SignedDuration::from_secs(1);
                match found.parse::<Timestamp>() {
                    Ok(as_of) if as_of >= *from - second && as_of <= *to + second => Ok(()),
                    _ => Err(format!("as_of is {found}, not from {from} to {to}")),
                }
            }
        }
    }
}

/// Days from the first to before the second; `None` is open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Period {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Period {
    /// Orders without a creation time belong to every period.
    fn has(self, day: i64) -> bool {
        day == UNDATED || self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day < until)
    }
}

/// How an order counts in an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) evidence: Evidence,
    /// What earlier observations of the same day say of it.
    pub(super) known: Known,
    /// Its day, if it was ever observed.
    pub(super) day: Option<i64>,
}

/// What a report brings.
#[derive(Clone, Debug)]
pub(super) struct NewReport {
    /// The number of its run.
    pub(super) run: usize,
    pub(super) starts: Vec<usize>,
    pub(super) as_of: AsOf,
    /// What it may have shown of each order: mostly one thing.
    pub(super) seen: BTreeMap<String, Vec<Seen>>,
    /// Whether it takes the place of the incomplete report of its run.
    pub(super) replaces: bool,
}

/// The newest report of a dataset.
struct Newest {
    start: usize,
    as_of: AsOf,
}

/// What is in the dataset once every report was appended.
#[derive(Default)]
pub(super) struct Dataset {
    /// What each report brought about an order: mostly one thing.
    seen: BTreeMap<String, Vec<Vec<Seen>>>,
    /// The starts of all those reports.
    starts: BTreeSet<usize>,
    newest: Option<Newest>,
    pub(super) reports: u64,
    /// Whether nothing can be appended now.
    pub(super) is_closed: bool,
    /// The reports that could not be appended: the next one makes up for them.
    late: Vec<NewReport>,
}

impl Dataset {
    /// Adds what a report brings, and what late ones bring that are still there.
    pub(super) fn append(&mut self, report: NewReport) {
        self.late.retain(|late| !report.replaces || late.run != report.run);
        if self.is_closed {
            self.late.push(report);
            return;
        }
        for report in std::mem::take(&mut self.late).into_iter().chain([report]) {
            self.add(report);
        }
    }

    /// Whether every report was appended, and there is one.
    pub(super) fn is_complete(&self) -> bool {
        self.newest.is_some() && self.late.is_empty()
    }

    fn add(&mut self, report: NewReport) {
        let NewReport { starts, as_of, seen, .. } = report;
        for (id, seen) in seen {
            self.seen.entry(id).or_default().push(seen);
        }
        self.reports += 1;
        let last = starts.last().copied().unwrap_or_default();
        self.starts.extend(starts);
        if self.newest.as_ref().is_none_or(|newest| newest.start < last) {
            self.newest = Some(Newest { start: last, as_of });
        }
    }

    /// The IDs of all orders in it.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.seen.keys()
    }

    /// The days on which orders were observed.
    pub(super) fn days(&self, zone: Zone) -> BTreeSet<i64> {
        let all = self.seen.values().flatten().flatten();
        all.filter_map(|seen| Some(zone.day(seen.evidence.facts()?.2))).collect()
    }

    /// The newest start of a report, and the moment at which that report measured ages.
    pub(super) fn newest(&self) -> Option<(usize, &AsOf)> {
        self.newest.as_ref().map(|newest| (newest.start, &newest.as_of))
    }

    /// Everything that was seen of an order, for the message of a failure.
    pub(super) fn described(&self, id: &str) -> String {
        let seen = self.seen.get(id).into_iter().flatten();
        seen.map(|seen| format!("\n  a report brought {seen:?}")).collect()
    }

    /// How an order may count in an audit of a period: mostly there is one possibility, of at most one row.
    pub(super) fn rows(&self, id: &str, period: Period, zone: Zone, log: &[Entry]) -> Vec<Vec<Row>> {
        let mut possible: Vec<Vec<Row>> = Vec::new();
        for mut seen in self.possibilities(id) {
            seen.sort_by_key(|seen| seen.start);
            for days in self.days_of(id, &seen, zone, log) {
                let rows = counted(&seen, &days, period, zone);
                if !possible.contains(&rows) {
                    possible.push(rows);
                }
            }
        }
        possible
    }

    /// Every choice of one thing from what each report may have brought.
    fn possibilities(&self, id: &str) -> Vec<Vec<Seen>> {
        let mut all: Vec<Vec<Seen>> = vec![Vec::new()];
        for may in self.seen.get(id).into_iter().flatten() {
            let longer = all.iter().flat_map(|begun| {
                may.iter().map(move |seen| begun.iter().cloned().chain([seen.clone()]).collect::<Vec<_>>())
            });
            all = longer.take(MOST).collect();
        }
        all
    }

    /// The days on which an order may count: that of its newest observation. It may also count on others if a start that
    /// made no report saw it move: the contract says so.
    fn days_of(&self, id: &str, seen: &[Seen], zone: Zone, log: &[Entry]) -> Vec<BTreeSet<i64>> {
        let observed: Vec<(usize, i64)> =
            seen.iter().filter_map(|seen| Some((seen.start, zone.day(seen.evidence.facts()?.2)))).collect();
        let Some((_, last)) = observed.last() else { return vec![BTreeSet::new()] };
        let is_lost_move = log.iter().any(|entry| {
            let Answer::Order(other, Reply::Order { created, .. }) = &entry.answer else { return false };
            let before = observed.iter().rev().find(|(start, _)| *start <= entry.start);
            other == id
                && entry.is_served
                && !self.starts.contains(&entry.start)
                && before.is_some_and(|(_, day)| *day != zone.day(*created))
        });
        let mut possible = vec![BTreeSet::from([*last])];
        let others: BTreeSet<i64> = observed.iter().map(|(_, day)| *day).filter(|day| day != last).collect();
        for other in others.into_iter().filter(|_| is_lost_move) {
            let also: Vec<BTreeSet<i64>> =
                possible.iter().map(|days| days.iter().copied().chain([other]).collect()).collect();
            possible.extend(also);
        }
        possible
    }
}

/// The rows of an order that counts on these days, in an audit of a period.
fn counted(seen: &[Seen], days: &BTreeSet<i64>, period: Period, zone: Zone) -> Vec<Row> {
    let Some(newest) = seen.last() else { return Vec::new() };
    let of_day = |day: i64| seen.iter().filter(move |seen| day_of(seen, zone) == Some(day));
    // Of an order that moved, only the observations of its present day are known.
    let was_settled = |day| of_day(day).any(|seen| matches!(seen.evidence.facts(), Some((true, ..))));
    let selected: Vec<i64> = days.iter().copied().filter(|day| period.has(*day)).collect();
    if newest.evidence.facts().is_none() {
        let is_selected = days.is_empty() || !selected.is_empty();
        let day = selected.last().copied();
        let known = Known { was_settled: day.is_some_and(was_settled), ..Known::default() };
        let row = Row { evidence: newest.evidence.clone(), known, day };
        return if is_selected { vec![row] } else { Vec::new() };
    }
    let row = |day: i64| {
        let baseline = of_day(day).find_map(|seen| match seen.evidence.facts() {
            Some((true, amounts, _)) => whole(amounts),
            _ => None,
        });
        let evidence = of_day(day).next_back()?.evidence.clone();
        Some(Row {
            evidence,
            known: Known { baseline, was_settled: was_settled(day), ..Known::default() },
            day: Some(day),
        })
    };
    selected.into_iter().filter_map(row).collect()
}

fn day_of(seen: &Seen, zone: Zone) -> Option<i64> {
    seen.evidence.facts().map(|(.., created)| zone.day(created))
}
