//! Every way in which a run may have judged an order, from the server's log and the replies that may have been kept.

use super::assessment::Background;
use super::knowledge::{Kept, Known, Sighting, possibilities, replies};
use super::rulings::{Case, Evidence, Ruling, rulings};
use super::server::Answer;
use super::truth::Reply;

/// One way in which an order may have been judged.
pub(super) struct Way {
    pub(super) evidence: Evidence,
    /// Whether each reply was kept in at least one possibility that leads to this way.
    pub(super) ever: Vec<bool>,
    /// Whether each reply was kept in every such possibility.
    pub(super) always: Vec<bool>,
    pub(super) known: Known,
    /// The start from which the evidence is.
    pub(super) since: usize,
}

/// Adds a possibility to its way.
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
        // A reply right before a kill may be lost, and a failure may follow.
        if failed.is_some_and(|failed| proper.is_none_or(|proper| proper.0 < failed.0)) {
            evidence.push(Evidence::Unfetched);
        }
        let mut ways = Vec::new();
        for evidence in evidence {
            for (kept, known) in possibilities(&self.sightings(id, &evidence)) {
                let from = if evidence == Evidence::Unfetched { failed } else { proper };
                let since = from.map_or(0, |(start, _)| *start);
                add(&mut ways, evidence.clone(), &kept, &known, since);
            }
        }
        // A reply right before a kill may be lost, and the continued run may reuse the order.
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

    /// Adds the ways in which the order may have been reused.
    fn reuses(&self, id: &str, ways: &mut Vec<Way>) {
        let sightings = self.sightings(id, &Evidence::Unfetched);
        for (kept, known) in possibilities(&sightings) {
            for start in self.starts.iter().filter(|start| self.reusing.contains(start)) {
                let earlier = sightings.iter().zip(&kept).filter(|(sighting, kept)| **kept && sighting.start < *start);
                let reusable = Known::of(earlier.map(|(sighting, _)| sighting)).reusable();
                if let Some((amounts, created)) = reusable {
                    add(ways, Evidence::Reused(amounts, created), &kept, &known, *start);
                }
            }
        }
    }

    /// The replies about an order, with which of them were kept if the run judged it by `evidence`. Of a run's
    /// replies, the last one counts.
    pub(super) fn sightings(&self, id: &str, evidence: &Evidence) -> Vec<Sighting> {
        let starts = self.starts;
        let mut sightings = self.sightings.get(id).cloned().unwrap_or_default();
        let mut is_last = matches!(evidence, Evidence::Asked(_));
        let last_start = starts.last().copied().unwrap_or_default();
        for sighting in sightings.iter_mut().rev().filter(|sighting| starts.contains(&sighting.start)) {
            sighting.kept = match std::mem::take(&mut is_last) {
                true => Kept::Yes,
                // A different run may have judged it meanwhile, or its own start was stopped while making a report.
                false if sighting.start < last_start && sighting.kept != Kept::No => Kept::Perhaps,
                false => Kept::No,
            };
        }
        sightings
    }

    /// Checks that `--reuse-settled` fetched no order that was certainly settled and fails no check.
    pub(super) fn asked_for_nothing(&self, case: &Case<'_>, way: &Way) -> Result<(), String> {
        let Background { command, starts, sightings, .. } = self;
        let ([start], true, Evidence::Asked(_)) = (*starts, command.reuses, &way.evidence) else { return Ok(()) };
        // An order that the list lacks is always fetched.
        if case.listed.is_some_and(|listed| !listed.contains_key(case.id)) {
            return Ok(());
        }
        let earlier: Vec<Sighting> =
            sightings.get(case.id).into_iter().flatten().filter(|sighting| sighting.start < *start).cloned().collect();
        let needless = possibilities(&earlier).iter().all(|(_, known)| {
            known.is_fresh
                && known.reusable().is_some_and(|(amounts, created)| {
                    let rulings = rulings(case, &Evidence::Reused(amounts, created), known);
                    rulings.values().all(|ruling| matches!(ruling, Ruling::Holds | Ruling::Open))
                })
        });
        if needless { Err("it was asked for although it was seen settled".to_owned()) } else { Ok(()) }
    }

    /// Whether the report of a different run judged an order after this run had its evidence.
    pub(super) fn is_stale(&self, id: &str, way: &Way) -> bool {
        let Background { reports, starts, .. } = self;
        let mut later = reports.range(way.since + 1..).filter(|(start, _)| !starts.contains(start));
        later.any(|(_, orders)| orders.contains(id))
    }
}
