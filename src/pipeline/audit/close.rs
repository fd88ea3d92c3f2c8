//! Closes a month: when that may be done, and what is lacking.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::checks::Rules;
use crate::domain::days::Days;
use crate::domain::month::Month;
use crate::domain::time::Period;
use crate::history::{Dataset, Reading, RunRecord};
use crate::pipeline::JobError;
use crate::report::content::summary_json::CloseGap;
use crate::report::folder::manifest::CloseStamp;

/// Why a month can't be closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// It is closed.
    #[error("{month} is closed already: its report is {}, and stays as it is", folder.display())]
    Closed {
        /// The month.
        month: Month,
        /// Its report.
        folder: PathBuf,
    },
    /// Another month is the next one.
    #[error("{month} can't be closed: months are closed one after the other, and the next one is {next}")]
    NotNext {
        /// The month that was named.
        month: Month,
        /// The month after the last closed one.
        next: Month,
    },
    /// Something is lacking.
    #[error("{month} can't be closed yet: {}", listed(gaps))]
    NotReady {
        /// The month.
        month: Month,
        /// What is lacking.
        gaps: Vec<CloseGap>,
    },
    /// The last close is not as it was made.
    #[error("the close of {month} is not proven, so that nothing can be built on it: {}", problems.join("; "))]
    NotProven {
        /// The month that was closed last.
        month: Month,
        /// What `tieout verify` says of it.
        problems: Vec<String>,
    },
    /// Its report has no verdict: the newest answers about some orders can't be read, or there are no orders.
    #[error("{month} can't be closed yet: {why}")]
    Incomplete {
        /// The month.
        month: Month,
        /// The reason for the verdict of its report.
        why: String,
    },
}

/// What is lacking, as an error tells it.
fn listed(gaps: &[CloseGap]) -> String {
    let told = |gap: &CloseGap| match *gap {
        CloseGap::NotOver { last_run, until } => format!(
            "its last orders have until {until} to settle, and no run started then or later (the last one started at {last_run})"
        ),
        CloseGap::MissingNights { count, first } => format!("nights without a run: {count}, the first from {first}"),
        CloseGap::IncompleteNights { count, first } => {
            format!("nights with only incomplete lists of orders: {count}, the first from {first}")
        }
        CloseGap::UnreadableOrders { count } => {
            format!("orders of earlier months whose newest answers can't be read: {count}; fetch them again")
        }
    };
    gaps.iter().map(told).collect::<Vec<_>>().join("; ")
}

/// Fails unless a month is the next one to be closed.
pub(in crate::pipeline) fn require_next(dataset: &Dataset, month: Month) -> Result<(), JobError> {
    let mut closes = dataset.closes()?;
    if closes.remove(&month).is_some() {
        return Err(CloseError::Closed { month, folder: dataset.place_of_close(month) }.into());
    }
    let next = closes.into_keys().next_back().and_then(Month::next);
    next.filter(|next| *next != month).map_or(Ok(()), |next| Err(CloseError::NotNext { month, next }.into()))
}

/// What the runs of a dataset lack to close a month.
pub(super) fn gaps(reading: &Reading<'_>, rules: &Rules, close: &CloseStamp) -> Vec<CloseGap> {
    let (days, month) = (rules.days(), close.month);
    let Some(last_run) = reading.runs().last().map(|run| run.started_at) else { return Vec::new() };
    let ends = days.day(month.end()).period.since.unwrap_or(Timestamp::MAX);
    let until = ends.saturating_add(rules.stale_after.duration()).unwrap_or(Timestamp::MAX);
    let nights = match close.every {
        Some(every) => every.slots(month.first(), until.min(last_run), &days, usize::MAX),
        None => {
            let of_days = days_with_orders(reading, month).into_iter().map(|day| two_days(day, &days));
            // Without an order it is not known when a run was to be expected, but one there must be.
            let whole = Period { since: days.day(month.first()).period.since, until: Some(ends) };
            Some(of_days.collect::<Vec<_>>()).filter(|nights| !nights.is_empty()).unwrap_or_else(|| vec![whole])
        }
    };
    let began = Began::of(reading.runs());
    let lacking = |state| nights.iter().filter(|night| began.night(night) == state).collect::<Vec<_>>();
    let (missing, incomplete) = (lacking(Night::Missing), lacking(Night::Incomplete));
    let first = |nights: &[&Period]| Some((nights.len() as u64, nights.first()?.since?));
    let not_over = (last_run < until).then_some(CloseGap::NotOver { last_run, until });
    let missing = first(&missing).map(|(count, first)| CloseGap::MissingNights { count, first });
    let incomplete = first(&incomplete).map(|(count, first)| CloseGap::IncompleteNights { count, first });
    not_over.into_iter().chain(missing).chain(incomplete).collect()
}

/// The days of a month on which an order was created.
fn days_with_orders(reading: &Reading<'_>, month: Month) -> BTreeSet<Date> {
    reading.days().filter(|day| month.has(*day)).collect()
}

/// A day and the next one: the night that reads the orders of a day is often after midnight.
fn two_days(day: Date, days: &Days) -> Period {
    let next = day.tomorrow().ok().map(|next| days.day(next).period);
    let day = days.day(day).period;
    Period { since: day.since, until: next.and_then(|next| next.until) }
}

/// What there is of a night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Night {
    Complete,
    Incomplete,
    Missing,
}

/// When jobs began, and whether their lists of orders were complete, by time.
struct Began(Vec<(Timestamp, bool)>);

impl Began {
    fn of(runs: &[RunRecord]) -> Self {
        let jobs = runs.iter().flat_map(|run| run.jobs().map(|(_, began)| (began, !run.list_incomplete)));
        let mut jobs: Vec<_> = jobs.collect();
        jobs.sort_unstable();
        Self(jobs)
    }

    fn night(&self, night: &Period) -> Night {
        let first = self.0.partition_point(|(began, _)| night.since.is_some_and(|since| *began < since));
        let mut jobs = self.0[first..].iter().take_while(|(began, _)| night.holds(*began));
        match jobs.next() {
            None => Night::Missing,
            Some((_, true)) => Night::Complete,
            Some(_) if jobs.any(|(_, is_complete)| *is_complete) => Night::Complete,
            Some(_) => Night::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_complete_if_one_of_its_jobs_is() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let began = Began(vec![(at(10), false), (at(20), false), (at(21), true), (at(40), true)]);
        let night = |since, until| began.night(&Period { since: Some(at(since)), until: Some(at(until)) });
        assert_eq!(night(0, 10), Night::Missing);
        assert_eq!(night(0, 11), Night::Incomplete);
        assert_eq!(night(10, 21), Night::Incomplete);
        assert_eq!(night(20, 22), Night::Complete);
        assert_eq!(night(22, 40), Night::Missing);
        assert_eq!(night(40, 50), Night::Complete);
        assert_eq!(night(41, 50), Night::Missing);
    }
}
