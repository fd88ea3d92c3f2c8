//! The recheck: orders that fail a check are fetched again before they are reported, since an order that was just
//! being settled may have been read half settled.

use super::completeness::is_absent;
use super::fetch::{self, FetchPhase};
use super::list_walk::OrderList;
use super::progress::say;
use super::resume::CurrentRun;
use super::{EarlierRuns, Job, JobError};
use crate::checks::{STALE_PENDING, STALE_SOON, judge};
use crate::domain::finding::Finding;
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Outcome};

/// Fetches every order that fails a check again, except those that an earlier job of the run has rechecked.
pub(super) fn recheck(job: &mut Job, current: &CurrentRun, fetched: FetchPhase) -> Result<FetchPhase, JobError> {
    if !job.recheck {
        return Ok(fetched);
    }
    let rechecked = job.session.store.rechecked_lines(current.run)?;
    let mut failing = job.failing(current, &fetched.list)?;
    failing.retain(|(line, _)| !rechecked.contains(line));
    if failing.is_empty() {
        return Ok(fetched);
    }
    let count = failing.len();
    say(job.session.display, &format!("fetching {count} failing order{} again", if count == 1 { "" } else { "s" }));
    let again = job.session.runtime.block_on(fetch::fetch_again(job, current, failing))?;
    Ok(FetchPhase { elapsed: fetched.elapsed + again.elapsed, ..fetched })
}

impl Job {
    /// The orders that fail a check, by line.
    fn failing(&mut self, current: &CurrentRun, list: &OrderList) -> Result<Vec<(u64, RunOrderId)>, JobError> {
        let remembered = self.session.store.would_remember_with(current.run)?;
        let mut failing = Vec::new();
        let (rules, as_of) = (&self.rules, self.as_of);
        self.each_outcome(current.run, remembered, &mut EarlierRuns::default(), list, |outcome, background| {
            let judgement = judge(&outcome, &background, rules, as_of);
            // A reused order may have vanished from the provider since: then the list is right to lack it.
            let is_in_doubt = is_reused(&outcome) && is_absent(&outcome, list, rules.complete);
            if (is_in_doubt || judgement.findings.iter().any(may_clear))
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

/// Whether fetching the order again may clear the finding. An order's age stays, however often it is fetched.
fn may_clear(finding: &Finding) -> bool {
    ![STALE_PENDING, STALE_SOON].contains(&finding.check)
}
