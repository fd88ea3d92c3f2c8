//! The confirm-read: orders that fail a check are read once more before they are reported, since one that was being
//! settled when it was read may have been read half.

use super::completeness::is_absent;
use super::fetch::{self, Fetched};
use super::list_walk::OrderList;
use super::progress::say;
use super::resume::Start;
use super::{Earlier, Job, JobError};
use crate::checks::{STALE_PENDING, STALE_SOON, judge};
use crate::domain::finding::Finding;
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Outcome};

/// Reads every order once more that fails a check, but for what an earlier start of the run has read once more already.
pub(super) fn confirm(job: &mut Job, begun: &Start, fetched: Fetched) -> Result<Fetched, JobError> {
    if !job.confirms {
        return Ok(fetched);
    }
    let confirmed = job.session.store.confirmed(begun.run)?;
    let mut failing = job.failing(begun, &fetched.list)?;
    failing.retain(|(line, _)| !confirmed.contains(line));
    if failing.is_empty() {
        return Ok(fetched);
    }
    let count = failing.len();
    say(job.session.display, &format!("reading {count} failing order{} once more", if count == 1 { "" } else { "s" }));
    let again = job.session.runtime.block_on(fetch::fetch_again(job, begun, failing))?;
    Ok(Fetched { elapsed: fetched.elapsed + again.elapsed, ..fetched })
}

impl Job {
    /// The orders that fail a check, by line.
    fn failing(&mut self, begun: &Start, list: &OrderList) -> Result<Vec<(u64, RunOrderId)>, JobError> {
        let remembered = self.session.store.would_remember_with(begun.run)?;
        let mut failing = Vec::new();
        let (rules, as_of) = (&self.rules, self.as_of);
        self.each_outcome(begun.run, remembered, &mut Earlier::default(), list, |outcome, background| {
            let judgement = judge(&outcome, &background, rules, as_of);
            // What is reused may have left the provider since: then it is the order that is gone, and the list is right.
            let is_in_doubt = is_reused(&outcome) && is_absent(&outcome, list, rules.complete);
            if (is_in_doubt || judgement.findings.iter().any(may_be_of_the_moment))
                && let Ok(id) = RunOrderId::parse(&outcome.run_order_id)
            {
                failing.push((outcome.line, id));
            }
            Ok(())
        })?;
        Ok(failing)
    }
}

fn is_reused(outcome: &Outcome) -> bool {
    matches!(&outcome.evidence, Evidence::Fetched(fetched) if fetched.is_reused)
}

/// Whether another reading may be without it. That an order is old is so however often it is read.
fn may_be_of_the_moment(finding: &Finding) -> bool {
    ![STALE_PENDING, STALE_SOON].contains(&finding.check)
}
