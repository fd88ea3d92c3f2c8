//! The recheck: orders that fail a check are fetched again before they are reported, since an order that was just
//! being settled may have been read half settled.

use std::time::Duration;

use tokio::time::timeout;

use super::completeness::is_absent;
use super::fetch::{self, FetchPhase};
use super::progress::say;
use super::resume::CurrentRun;
use super::{EarlierRuns, Job, JobError, VisitedRow};
use crate::checks::judge;
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Outcome};
use crate::store::RememberedOrders;

/// The time from the last reply until the first order is fetched again: an order that is just being settled needs it.
const SETTLING: Duration = Duration::from_millis(250);

/// Fetches every order that fails a check again, except those that an earlier job of the run has rechecked.
pub(super) fn recheck(job: &mut Job, current: &CurrentRun, mut fetched: FetchPhase) -> Result<FetchPhase, JobError> {
    if !job.recheck {
        return Ok(fetched);
    }
    let rechecked = job.session.store.rechecked_lines(current.run)?;
    let mut failing = job.failing(current, &mut fetched)?;
    failing.retain(|(line, _)| !rechecked.contains(line));
    if failing.is_empty() {
        return Ok(fetched);
    }
    let count = failing.len();
    let texts = job.session.texts;
    say(job.session.display, &texts.with("progress-recheck", &[("count", count.into())]));
    let (runtime, signals) = (&job.session.runtime, &job.session.signals);
    if runtime.block_on(async { timeout(SETTLING, signals.wait()).await.is_ok() }) {
        return Ok(fetched);
    }
    let again = runtime.block_on(fetch::fetch_again(job, current, failing))?;
    Ok(FetchPhase { elapsed: fetched.elapsed + again.elapsed, ..fetched })
}

impl Job {
    /// The orders that fail a check, by line.
    fn failing(&mut self, current: &CurrentRun, fetched: &mut FetchPhase) -> Result<Vec<(u64, RunOrderId)>, JobError> {
        // How a reply was judged when it came can then only be changed by what is remembered of its order.
        let is_judged = fetched.doubtful.is_some();
        let remembered = match is_judged && !fetched.may_differ {
            true => RememberedOrders::default(),
            false => self.session.store.would_remember_with(current.run)?,
        };
        let lines = is_judged.then(|| remembered.lines());
        let mut failing = fetched.doubtful.take().unwrap_or_default();
        failing.retain(|(line, _)| !lines.as_ref().is_some_and(|lines| lines.contains(line)));
        let (rules, as_of, list) = (&self.rules, self.as_of, &fetched.list);
        let earlier = &mut EarlierRuns::default();
        self.each_row(current.run, lines.as_ref(), remembered, earlier, list, |row| {
            // A sound order fails no check, and without a list it can't be absent from it.
            let VisitedRow::Outcome(outcome, background) = row else { return Ok(()) };
            let judgement = judge(&outcome, &background, rules, as_of);
            // A reused order may have vanished from the provider since: then the list is right to lack it.
            let is_in_doubt = is_reused(&outcome) && is_absent(&outcome, list, rules.complete);
            if is_in_doubt || fetch::is_doubtful(&judgement) {
                failing.extend(fetch::order_on_line(&outcome));
            }
            Ok(())
        })?;
        failing.sort_unstable_by_key(|(line, _)| *line);
        Ok(failing)
    }
}

fn is_reused(outcome: &Outcome) -> bool {
    matches!(&outcome.evidence, Evidence::Fetched(fetched) if fetched.is_reused)
}
