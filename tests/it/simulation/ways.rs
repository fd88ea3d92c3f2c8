//! Every way in which a run may have known of an order, from the server's log and from what was kept of it.

use super::assessment::Background;
use super::knowledge::{Kept, Known, Sighting, possibilities, replies};
use super::rulings::{Case, Evidence, Ruling, rulings};
use super::server::Answer;
use super::truth::Reply;

/// One way in which an order may have been judged.
pub(super) struct Way {
    pub(super) evidence: Evidence,
    /// Which replies were kept, if not in every case that comes to this way.
    pub(super) ever: Vec<bool>,
    /// Which replies were kept in every such case.
    pub(super) always: Vec<bool>,
    pub(super) known: Known,
    /// The start with which it was known.
    pub(super) since: usize,
}

/// Adds a case to the way that it comes to.
fn add(ways: &mut Vec<Way>, evidence: Evidence, kept: &[bool], known: &Known, since: usize) {
    let is_same = |way: &&mut Way| way.evidence == evidence && way.known == *known && way.since == since;
    match ways.iter_mut().find(is_same) {
        Some(way) => {
            way.ever.iter_mut().zip(kept).for_each(|(ever, kept)| *ever |= *kept);
            way.always.iter_mut().zip(kept).for_each(|(always, kept)| *always &= *kept);
        }
        None => {
            let (ever, always) = (kept.to_vec(), kept.to_vec());
            ways.push(Way { evidence, ever, always, known: known.clone(), since });
        }
    }
}

impl Background<'_> {
    /// Every way in which an order may have been judged.
    pub(super) fn ways(&self, id: &str) -> Result<Vec<Way>, String> {
        let Background { starts, log, reusing, .. } = self;
        let own: Vec<(usize, &Reply)> = starts
            .iter()
            .flat_map(|start| replies(log, *start, id))
            .filter_map(|entry| match &entry.answer {
                Answer::Order(_, reply) => Some((entry.start, reply)),
                Answer::List(_) => None,
            })
            .collect();
        let proper = own.iter().rfind(|(_, reply)| !reply.is_no_answer());
        let failed = own.iter().rfind(|(_, reply)| matches!(reply, Reply::Failed(_)));
        let mut evidence: Vec<Evidence> =
            proper.map(|(_, reply)| Evidence::Asked((*reply).clone())).into_iter().collect();
        // A reply that came right before a kill may be lost, and be followed by a failure.
        if failed.is_some_and(|failed| proper.is_none_or(|proper| proper.0 < failed.0)) {
            evidence.push(Evidence::Unfetched);
        }
        let mut ways = Vec::new();
        for evidence in evidence {
            for (kept, known) in possibilities(&self.sightings(id, &evidence)) {
                let since = proper.or(failed).map_or(0, |(start, _)| *start);
                add(&mut ways, evidence.clone(), &kept, &known, since);
            }
        }
        // A reply that came right before a kill may be lost, and the order be reused when the run goes on.
        let last_start = starts.last().copied().unwrap_or_default();
        let is_certain = |start: usize| {
            let known = self.sightings.get(id).into_iter().flatten();
            start == last_start
                || known.into_iter().any(|sighting| sighting.start == start && sighting.kept == Kept::Yes)
        };
        if starts.iter().any(|start| reusing.contains(start)) && proper.is_none_or(|(start, _)| !is_certain(*start)) {
            self.reuses(id, &mut ways);
        }
        if ways.is_empty() { Err("it was neither asked for nor seen settled".to_owned()) } else { Ok(ways) }
    }

    /// The ways in which it may have been reused.
    fn reuses(&self, id: &str, ways: &mut Vec<Way>) {
        let sightings = self.sightings(id, &Evidence::Unfetched);
        for (kept, known) in possibilities(&sightings) {
            for start in self.starts.iter().filter(|start| self.reusing.contains(start)) {
                let earlier = sightings.iter().zip(&kept).filter(|(sighting, kept)| **kept && sighting.start < *start);
                let reusable = Known::of(earlier.map(|(sighting, _)| sighting)).reusable();
                if let Some(amounts) = reusable {
                    add(ways, Evidence::Reused(amounts), &kept, &known, *start);
                }
            }
        }
    }

    /// What is known of an order's replies, given what the run judged it by: the last reply of a run counts, those
    /// before it do not.
    pub(super) fn sightings(&self, id: &str, evidence: &Evidence) -> Vec<Sighting> {
        let starts = self.starts;
        let mut sightings = self.sightings.get(id).cloned().unwrap_or_default();
        let mut is_last = matches!(evidence, Evidence::Asked(_));
        let last_start = starts.last().copied().unwrap_or_default();
        for sighting in sightings.iter_mut().rev().filter(|sighting| starts.contains(&sighting.start)) {
            sighting.kept = match std::mem::take(&mut is_last) {
                true => Kept::Yes,
                // Another run may have seen it meanwhile, or its own start was stopped while it made a report of it.
                false if sighting.start < last_start && sighting.kept != Kept::No => Kept::Perhaps,
                false => Kept::No,
            };
        }
        sightings
    }

    /// What was seen settled and has no failed check is not asked for again, where that is asked for.
    pub(super) fn asked_for_nothing(&self, case: &Case<'_>, way: &Way) -> Result<(), String> {
        let Background { command, starts, sightings, .. } = self;
        let ([start], true, Evidence::Asked(_)) = (*starts, command.reuses, &way.evidence) else { return Ok(()) };
        // What the list lacks is asked for, whatever is known of it.
        if case.listed.is_some_and(|listed| !listed.contains_key(case.id)) {
            return Ok(());
        }
        let earlier: Vec<Sighting> =
            sightings.get(case.id).into_iter().flatten().filter(|sighting| sighting.start < *start).cloned().collect();
        let needless = possibilities(&earlier).iter().all(|(_, known)| {
            known.is_fresh
                && known.reusable().is_some_and(|amounts| {
                    let rulings = rulings(case, &Evidence::Reused(amounts), known);
                    rulings.values().all(|ruling| matches!(ruling, Ruling::Holds | Ruling::Open))
                })
        });
        if needless { Err("it was asked for although it was seen settled".to_owned()) } else { Ok(()) }
    }

    /// Whether another run's report judged an order after this run knew of it.
    pub(super) fn is_stale(&self, id: &str, way: &Way) -> bool {
        let Background { reports, starts, .. } = self;
        let mut later = reports.range(way.since + 1..).filter(|(start, _)| !starts.contains(start));
        later.any(|(_, orders)| orders.contains(id))
    }
}
