//! Which messages a night is worth to a target: what has changed since it was last told something.

use std::collections::BTreeSet;

use crate::summary::Verdict;

/// A reason to send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A worse verdict, a new error, or an exit code that is no longer 0.
    Worse,
    /// A job that failed, was incomplete or needed review is well again, or at least gives a verdict again.
    Recovered,
    /// The report lacks orders.
    Incomplete,
    /// There is no report.
    Failed,
    /// A trial message. No night is one.
    Test,
}

impl Event {
    /// The events that a target can ask for.
    pub const ALL: [Self; 4] = [Self::Worse, Self::Recovered, Self::Incomplete, Self::Failed];

    /// The word in the settings file and in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Recovered => "recovered",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Test => "test",
        }
    }
}

/// The errors of a report by the number of their discrepancy ID, or only how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errors {
    /// All of them.
    Listed(BTreeSet<u64>),
    /// More than are listed.
    Counted(u64),
}

impl Errors {
    /// The most errors that are listed: the state keeps them for every target.
    pub const MOST: u64 = 65_536;

    /// The errors with these IDs.
    #[must_use]
    pub fn of(ids: BTreeSet<u64>) -> Self {
        match ids.len() as u64 {
            count if count > Self::MOST => Self::Counted(count),
            _ => Self::Listed(ids),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Listed(ids) => ids.len() as u64,
            Self::Counted(count) => *count,
        }
    }

    /// How many of these are not among those told. Where they are only counted: by how much the number has grown.
    #[must_use]
    pub fn new_since(&self, told: &Self) -> u64 {
        match (self, told) {
            (Self::Listed(ids), Self::Listed(told)) => ids.difference(told).count() as u64,
            _ => self.count().saturating_sub(told.count()),
        }
    }

    /// Whether the error is certainly not among these.
    #[must_use]
    pub fn lacks(&self, id: u64) -> bool {
        matches!(self, Self::Listed(ids) if !ids.contains(&id))
    }

    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Listed(one), Self::Listed(other)) => Self::of(one.union(other).copied().collect()),
            _ => Self::Counted(self.count().max(other.count())),
        }
    }
}

impl Default for Errors {
    fn default() -> Self {
        Self::Listed(BTreeSet::new())
    }
}

/// How a night ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    /// The exit code of the job.
    pub exit_code: u8,
    /// What its report says; `None` if there is no report.
    pub report: Option<(Verdict, Errors)>,
}

/// What a target was last told of a job. A new target counts as told that everything ties out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The exit code.
    pub exit_code: u8,
    /// The verdict of the last complete report.
    pub verdict: Verdict,
    /// The errors up to then.
    pub errors: Errors,
}

impl Default for Told {
    fn default() -> Self {
        Self { exit_code: 0, verdict: Verdict::Reconciled, errors: Errors::default() }
    }
}

impl Told {
    /// What has happened since, most important first. Nothing for a night that is as it was told.
    #[must_use]
    pub fn events(&self, night: &Night) -> Vec<Event> {
        let changed = night.exit_code != self.exit_code;
        let Some((verdict, errors)) = &night.report else {
            return if changed { vec![Event::Failed] } else { Vec::new() };
        };
        let has_new = errors.new_since(&self.errors) > 0;
        if *verdict == Verdict::Incomplete {
            let incomplete = changed.then_some(Event::Incomplete);
            return incomplete.into_iter().chain(has_new.then_some(Event::Worse)).collect();
        }
        let is_well = night.exit_code == 0;
        let is_worse = has_new || rank(*verdict) > rank(self.verdict) || (self.exit_code == 0 && !is_well);
        // 1 is a verdict too: after a job without one, even that is better.
        let is_better = self.exit_code != 0 && (is_well || self.exit_code != 1);
        let worse = is_worse.then_some(Event::Worse);
        let better = is_better.then_some(Event::Recovered);
        let (first, second) = if is_well { (better, worse) } else { (worse, better) };
        first.into_iter().chain(second).collect()
    }

    /// What the target knows once it was told of the night. A night without a complete report adds to what is known of
    /// verdict and errors, and takes nothing away.
    #[must_use]
    pub fn after(&self, night: &Night) -> Self {
        let exit_code = night.exit_code;
        match &night.report {
            None => Self { exit_code, ..self.clone() },
            Some((Verdict::Incomplete, errors)) => {
                Self { exit_code, verdict: self.verdict, errors: self.errors.and(errors) }
            }
            Some((verdict, errors)) => Self { exit_code, verdict: *verdict, errors: errors.clone() },
        }
    }
}

/// How bad a verdict is.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Reconciled | Verdict::Empty => 0,
        Verdict::Pending => 1,
        Verdict::Warnings => 2,
        Verdict::Discrepant => 3,
        Verdict::Incomplete => 4,
    }
}

#[cfg(test)]
mod tests;
