//! What the job may know about an order: every reply sent to it, and how certain it is that the reply was kept.

use super::calendar::Created;
use super::server::{Answer, Entry};
use super::truth::{Amounts, Reply};

/// The most replies about one order that may be uncertain.
const MOST_UNKNOWN: usize = 8;

/// Whether the job kept a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
    /// Uncertain: the job was killed soon after.
    Perhaps,
}

/// A reply about an order that the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) start: usize,
    pub(super) reply: Reply,
    pub(super) kept: Kept,
}

/// What the job knows from the replies that it kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The first settled state with all six amounts.
    pub(super) baseline: Option<[i128; 6]>,
    pub(super) was_settled: bool,
    /// Settled or not, the amounts and the creation time, from the last reply about the order itself.
    pub(super) latest: Option<(bool, Amounts, Created)>,
    /// Whether the last reply of all was a 404.
    pub(super) is_gone: bool,
    /// Whether the last reply of all was about the order itself.
    pub(super) is_fresh: bool,
}

impl Known {
    pub(super) fn of<'s>(sightings: impl Iterator<Item = &'s Sighting>) -> Self {
        let mut known = Self::default();
        for sighting in sightings {
            known.is_gone = sighting.reply == Reply::NotFound;
            known.is_fresh = matches!(sighting.reply, Reply::Order { .. });
            if let Reply::Order { is_settled, amounts, created } = &sighting.reply {
                known.latest = Some((*is_settled, *amounts, *created));
                known.was_settled |= is_settled;
                if let (true, None, Some(whole)) = (*is_settled, known.baseline, whole(amounts)) {
                    known.baseline = Some(whole);
                }
            }
        }
        known
    }

    /// The amounts that may be reused without a request, with the creation time.
    pub(super) fn reusable(&self) -> Option<(Amounts, Created)> {
        let (is_settled, amounts, created) = self.latest?;
        (is_settled && !self.is_gone).then_some((amounts, created))
    }
}

pub(super) fn whole(amounts: &Amounts) -> Option<[i128; 6]> {
    let mut whole = [0; 6];
    for (to, amount) in whole.iter_mut().zip(amounts) {
        *to = (*amount)?;
    }
    Some(whole)
}

/// Every possibility: which replies were kept, and what is known then.
pub(super) fn possibilities(sightings: &[Sighting]) -> Vec<(Vec<bool>, Known)> {
    let mut unknown: Vec<usize> = (0..sightings.len()).filter(|at| sightings[*at].kept == Kept::Perhaps).collect();
    let surplus = unknown.len().saturating_sub(MOST_UNKNOWN);
    unknown.drain(..surplus);
    let ways = (0..1_usize << unknown.len()).map(|bits| {
        let kept: Vec<bool> = (0..sightings.len())
            .map(|at| match unknown.iter().position(|other| *other == at) {
                Some(bit) => bits >> bit & 1 == 1,
                None => sightings[at].kept == Kept::Yes,
            })
            .collect();
        let known = Known::of(sightings.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(sighting, _)| sighting));
        (kept, known)
    });
    ways.collect()
}

/// The replies about an order that were sent to a start.
pub(super) fn replies<'l>(log: &'l [Entry], start: usize, id: &'l str) -> impl Iterator<Item = &'l Entry> {
    log.iter().filter(move |entry| {
        entry.start == start && entry.is_served && matches!(&entry.answer, Answer::Order(other, _) if other == id)
    })
}
