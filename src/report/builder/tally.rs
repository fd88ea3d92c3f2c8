//! What the rows of a report add up to, and the content that is made of it.

use std::collections::BTreeMap;
use std::mem;
use std::path::Path;

use super::Brief;
use super::closing::{self, Adjustments};
use super::proofs::{Counts, prove_totals, tie_out};
use super::reasons::{ReasonCount, Reasons, sole_reason};
use crate::checks::{ExpectRows, Judgement, UNLISTED_IN_INPUT, WaiverKey, WaiverState};
use crate::domain::finding::{Finding, PastFinding};
use crate::domain::outcome::{Bucket, Reason};
use crate::domain::time::Period;
use crate::report::ReportError;
use crate::report::content::Content;
use crate::report::content::list::List;
use crate::report::content::particulars::Particulars;
use crate::report::content::summary_json::{CompletenessCounts, DatasetScope, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::tables::{self, Discrepancy, Exception, PendingOrder, ResolvedFinding, WaiverRow};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::spend::Spend;
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, SOURCES_FILE, hash_file};
use crate::summary::{RollForwards, Summary, Tie};

/// What the outcomes have added up to so far.
pub(super) struct Tally {
    pub(super) summary: Summary,
    pub(super) discrepancies: List<Discrepancy>,
    pub(super) pending: List<PendingOrder>,
    pub(super) exceptions: List<Exception>,
    pub(super) unrepeated: UnrepeatedFindings,
    pub(super) reasons: Reasons,
    /// How many discrepancies were also found when their order was last judged.
    pub(super) persisting: u64,
    /// How many replies are about a different order.
    pub(super) foreign: u64,
    pub(super) reused: u64,
    /// How many rows have facts.
    pub(super) facts: u64,
    pub(super) waived_missing: u64,
    pub(super) completeness: Option<Completeness>,
    pub(super) adjustments: Option<Adjustments>,
    pub(super) roll_forward: Option<RollForwards>,
    /// Whether the findings of earlier reports are known.
    knows_past: bool,
}

/// The earlier discrepancies that were not found again.
#[derive(Debug)]
pub(super) struct UnrepeatedFindings {
    pub(super) resolved: List<ResolvedFinding>,
    /// How many could not be judged this time.
    pub(super) not_assessed: u64,
}

impl Tally {
    fn lifecycle(&self) -> Option<Lifecycle> {
        self.knows_past.then(|| Lifecycle {
            new: self.discrepancies.len() - self.persisting,
            persisting: self.persisting,
            resolved: self.unrepeated.resolved.len(),
            not_assessed: self.unrepeated.not_assessed,
        })
    }

    pub(super) fn new(folder: &Path, knows_past: bool) -> Self {
        Self {
            summary: Summary::default(),
            discrepancies: List::new(folder),
            pending: List::new(folder),
            exceptions: List::new(folder),
            unrepeated: UnrepeatedFindings { resolved: List::new(folder), not_assessed: 0 },
            reasons: Reasons::default(),
            persisting: 0,
            foreign: 0,
            reused: 0,
            facts: 0,
            waived_missing: 0,
            completeness: None,
            adjustments: None,
            roll_forward: None,
            knows_past,
        }
    }

    /// Adds the findings of one order. `past` are its earlier findings.
    pub(super) fn add_discrepancies(
        &mut self,
        line: Option<u64>,
        run_order_id: &str,
        order: Particulars,
        findings: Vec<Finding>,
        past: &[PastFinding],
    ) -> Result<(), ReportError> {
        for finding in findings {
            let is_persisting = past.iter().any(|past| past.is_of(finding.check, finding.subject));
            self.persisting += u64::from(is_persisting);
            let is_persisting = self.knows_past.then_some(is_persisting);
            let (run_order_id, order) = (run_order_id.to_owned(), order.clone());
            self.discrepancies.push(&Discrepancy { line, run_order_id, order, finding, is_persisting })?;
        }
        Ok(())
    }

    pub(super) fn add_exception(
        &mut self,
        line: Option<u64>,
        run_order_id: String,
        bucket: Bucket,
        reason: Reason,
    ) -> Result<(), ReportError> {
        let Reason { code: reason, detail } = reason;
        let exception = Exception { line, run_order_id, bucket, reason, detail };
        self.reasons.count(&exception);
        self.exceptions.push(&exception)
    }

    /// Assembles the report's content and proves its figures; also returns why orders could not be fetched.
    pub(super) fn content<'b>(
        mut self,
        brief: &'b Brief,
        [rows_read, facts_rows]: [u64; 2],
        spend: Spend,
        waivers: &BTreeMap<WaiverKey, WaiverState>,
    ) -> Result<(Content<'b>, Vec<ReasonCount>), ReportError> {
        let aggregates = [&spend.by_workflow, &spend.by_revision, &spend.by_day].map(Vec::as_slice);
        let exceptions = self.exceptions.len();
        let (foreign, waived_missing) = (self.foreign, self.waived_missing);
        let counts = Counts { rows_read, facts_rows, exceptions, foreign, waived_missing };
        counts.prove(&self.summary, &aggregates)?;
        let control_totals = prove_totals(&self.summary, &aggregates, &brief.rules)?;
        let ties = tie_out(&brief.rules, &spend.by_workflow, &self.summary.population)?;
        let lifecycle = self.lifecycle();
        let orders = closing::orders(&self.summary, &spend.by_workflow)?;
        let roll_forward = self.roll_forward.take().map(|lines| lines.finish(orders)).transpose()?;
        let reasons = mem::take(&mut self.reasons).most_frequent_first();
        let sole_reason = sole_reason(&reasons).filter(|_| facts_rows == 0 && self.discrepancies.is_empty());
        let factors = &mut self.summary.factors;
        factors.variance |= !ties.iter().all(Tie::holds);
        factors.sole_reason = sole_reason.is_some();
        factors.rows_are_summed = brief.rules.expect_rows == ExpectRows::Sum;
        factors.list_incomplete =
            brief.origin.shortfall().is_some() || brief.origin.scope().is_some_and(DatasetScope::has_gaps);
        factors.warnings |= self.adjustments.as_ref().is_some_and(|adjustments| !adjustments.rows.is_empty());
        factors.warnings |= brief.origin.layout().is_some_and(|layout| layout.cut_line.is_some());
        let exit_inputs = self.summary.exit_inputs(brief.options.allow_empty);
        let waivers = tables::waivers_with(&brief.rules.waivers, waivers);
        let summary = SummaryJson {
            verdict: exit_inputs.verdict.code(),
            exit_code: exit_inputs.exit_code(&brief.options.fail_on),
            as_of: brief.as_of.to_string(),
            account: brief.options.account.clone(),
            population: self.summary.population,
            sole_reason,
            input: brief.origin.layout().cloned(),
            dataset: brief.origin.scope().cloned(),
            input_shortfall: brief.origin.shortfall(),
            control_totals,
            checks: self.summary.checks,
            causes: self.summary.causes,
            column_causes: self.summary.columns.of_columns(),
            severities: self.summary.severities,
            lifecycle,
            reused: self.reused,
            waivers: WaiverCounts::of(&waivers),
            material: brief.rules.has_materiality().then_some(self.summary.material),
            ties,
            completeness: self.completeness.as_ref().map(CompletenessCounts::of),
            roll_forward,
            adjustments: self.adjustments.as_ref().map(Adjustments::by_month),
            period: period(brief),
            settings: brief.rules.clone(),
        };
        let content = Content {
            summary,
            exit_inputs,
            as_of: brief.as_of,
            rows_read,
            discrepancies: self.discrepancies,
            spend,
            pending: self.pending,
            exceptions: self.exceptions,
            resolved: self.unrepeated.resolved,
            waivers,
            adjustments: self.adjustments.map(|adjustments| adjustments.rows),
            evidence: evidence(brief, self.completeness.is_some())?,
            titles: self.completeness.map(|completeness| completeness.titles).unwrap_or_default(),
        };
        Ok((content, reasons))
    }
}

impl UnrepeatedFindings {
    /// Counts earlier findings that could not be judged. The number may come from outside.
    pub(super) fn note_unassessed(&mut self, findings: u64) {
        self.not_assessed = self.not_assessed.saturating_add(findings);
    }

    /// Sorts the earlier findings of an order that are not found again into resolved and not assessed.
    pub(super) fn sort(
        &mut self,
        line: u64,
        past: &[PastFinding],
        judgement: &Judgement,
        later: &[String],
    ) -> Result<(), ReportError> {
        for finding in past.iter().filter(|past| !judgement.repeats(past)) {
            // Whether the input has the order depends on the input alone: even an older reply resolves that.
            let is_older = !later.contains(&finding.discrepancy_id) || finding.check == UNLISTED_IN_INPUT;
            if judgement.resolves(finding) && is_older {
                self.resolved.push(&ResolvedFinding { line, finding: finding.clone() })?;
            } else {
                self.not_assessed += 1;
            }
        }
        Ok(())
    }
}

impl CompletenessCounts {
    fn of(completeness: &Completeness) -> Self {
        Self {
            listed: completeness.listed,
            unlisted: completeness.unlisted.len() as u64,
            counted: completeness.counted,
            missing: completeness.missing,
            problem: completeness.problem.clone(),
        }
    }
}

impl WaiverCounts {
    fn of(waivers: &[WaiverRow<'_>]) -> Option<Self> {
        let count = |state| waivers.iter().filter(|row| row.state == state).count() as u64;
        (!waivers.is_empty()).then(|| Self {
            applied: count(WaiverState::Applied),
            expired: count(WaiverState::Expired),
            changed: count(WaiverState::Changed),
            unused: count(WaiverState::Unused),
        })
    }
}

/// The creation period that the input must be complete for, its end filled in; `None` where it is unbounded.
fn period(brief: &Brief) -> Option<Period> {
    let period = brief.rules.complete.filter(Period::is_bounded)?;
    Some(Period { until: period.until.or(Some(brief.as_of)), ..period })
}

/// The evidence files with their hashes, `completeness.json` among them where the provider's list was walked.
fn evidence(brief: &Brief, is_complete: bool) -> Result<Vec<FileStamp>, ReportError> {
    if let Some(evidence) = &brief.evidence {
        return Ok(evidence.clone());
    }
    let stamp = |name: &str| {
        let path = brief.folder.join(name);
        let (sha256, bytes) = hash_file(&path).map_err(|source| ReportError::io(&path, source))?;
        Ok(FileStamp { name: name.to_owned(), sha256, bytes })
    };
    let listed = is_complete.then_some(COMPLETENESS_FILE);
    let own: &[&str] = if brief.origin.scope().is_some() { &[SOURCES_FILE] } else { &[FACTS_FILE, EVIDENCE_FILE] };
    own.iter().copied().chain(listed).map(stamp).collect()
}
