//! Turns outcomes, taken in by input line, into the files of a report.

mod proofs;
mod reasons;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::proofs::{Counts, prove_totals, tie_out};
use self::reasons::{reasons, sole_reason};
use crate::checks::{ExpectRows, Judgement, Rules, UNLISTED_IN_INPUT, WaiverKey, WaiverState, judge, judge_unlisted};
use crate::domain::finding::{Finding, PastFinding};
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::domain::time::Period;
use crate::report::ReportError;
use crate::report::content::particulars::{Particulars, TextPool};
use crate::report::content::summary_json::{CompletenessCounts, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::tables::{self, Discrepancy, Exception, PendingOrder, ResolvedFinding, WaiverRow};
use crate::report::content::{Content, Spend};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::facts::FactsWriter;
use crate::report::evidence::rows::EvidenceWriter;
use crate::report::evidence::spend;
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, hash_file};
use crate::report::formats::options::ReportOptions;
use crate::report::formats::{self, FormatBrief};
use crate::summary::{ExitInputs, Summary, Tie};

pub use self::reasons::ReasonCount;

/// What a report needs besides the outcomes.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The folder to write into. It is empty, and nothing else writes there.
    pub folder: PathBuf,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// The moment at which ages are measured.
    pub as_of: Timestamp,
    /// The formats, encoding and language to write, and what affects the exit code.
    pub options: ReportOptions,
    /// How many rows the input has. The population must add up to it.
    pub rows_read: u64,
    /// Why the input does not count as complete, if it is a list that `tieout discover` wrote.
    pub shortfall: Option<ListShortfall>,
    /// The input's records that are not rows: preamble, heading and footers.
    pub layout: InputLayout,
    /// The hashes of the evidence files to print on the page and in the workbook; `None` for those of the
    /// files written here. A rebuilt report that is compared with the original prints the original's, since a
    /// different version may compress the facts differently.
    pub evidence: Option<Vec<FileStamp>>,
}

/// Builds a report from outcomes, which it takes one by one, in the order of their input lines.
pub struct Builder {
    brief: Brief,
    facts: FactsWriter,
    evidence_rows: EvidenceWriter,
    text_pool: TextPool,
    waivers: BTreeMap<WaiverKey, WaiverState>,
    /// How many earlier findings are about orders that are not in the input.
    findings_elsewhere: u64,
    tally: Tally,
}

/// What the outcomes have added up to so far.
#[derive(Default)]
struct Tally {
    summary: Summary,
    discrepancies: Vec<Discrepancy>,
    pending: Vec<PendingOrder>,
    exceptions: Vec<Exception>,
    unrepeated: UnrepeatedFindings,
    reused: u64,
    waived_missing: u64,
    completeness: Option<Completeness>,
}

/// The earlier discrepancies that were not found again.
#[derive(Debug, Default)]
struct UnrepeatedFindings {
    resolved: Vec<ResolvedFinding>,
    /// How many could not be judged this time.
    not_assessed: u64,
}

/// How one row was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowJudgement {
    /// The bucket that the row is counted in.
    pub bucket: Bucket,
    /// Whether the row is a settled order.
    pub settled: bool,
}

/// A finished report, as the terminal and the exit code need it.
#[derive(Debug)]
pub struct Report {
    /// The content of `summary.json`.
    pub summary: SummaryJson,
    /// The verdict, and whatever else the exit code depends on.
    pub exit_inputs: ExitInputs,
    /// Every failed check by input line, then those of orders that the input lacks.
    pub discrepancies: Vec<Discrepancy>,
    /// How many rows `exceptions.csv` has.
    pub exceptions: usize,
    /// Why orders could not be fetched, the most frequent reason first.
    pub reasons: Vec<ReasonCount>,
    /// The waivers that lapsed, each with its state: expired or changed.
    pub lapsed: Vec<(WaiverKey, WaiverState)>,
    /// The earlier discrepancies that are resolved.
    pub resolved: Vec<ResolvedFinding>,
}

impl Builder {
    /// Starts a report in the brief's folder.
    ///
    /// # Errors
    /// When a file can't be created there.
    pub fn begin(brief: Brief) -> Result<Self, ReportError> {
        let facts = FactsWriter::create(&brief.folder.join(FACTS_FILE))?;
        let evidence_rows = EvidenceWriter::create(&brief.folder)?;
        Ok(Self {
            brief,
            facts,
            evidence_rows,
            text_pool: TextPool::default(),
            waivers: BTreeMap::new(),
            findings_elsewhere: 0,
            tally: Tally::default(),
        })
    }

    /// Adds what the provider's list says about the input. Call it after the last outcome.
    ///
    /// # Errors
    /// When a total does not fit `DECIMAL(38,8)`.
    pub fn add_completeness(&mut self, completeness: Completeness) -> Result<(), ReportError> {
        for (listed, past) in &completeness.unlisted {
            let judgement = judge_unlisted(listed, &self.brief.rules, self.brief.as_of);
            self.tally.summary.add_unlisted(&judgement)?;
            self.tally.unrepeated.not_assessed += past.iter().filter(|past| !judgement.repeats(past)).count() as u64;
            self.waivers.extend(judgement.waivers);
            let order = Arc::new(self.text_pool.particulars(listed.order()));
            self.tally.discrepancies.extend(discrepancy_rows(
                None,
                &listed.run_order_id,
                &order,
                judgement.findings,
                past,
            ));
        }
        self.tally.summary.factors.completeness_unknown = !completeness.is_known();
        self.tally.completeness = Some(completeness);
        Ok(())
    }

    /// Judges one outcome and adds it to the report. `background` is what else is known about its order.
    ///
    /// # Errors
    /// When the evidence can't be written, or a total does not fit `DECIMAL(38,8)`.
    pub fn add(&mut self, outcome: Outcome, background: Background) -> Result<RowJudgement, ReportError> {
        let judgement = judge(&outcome, &background, &self.brief.rules, self.brief.as_of);
        let row_judgement = RowJudgement { bucket: judgement.bucket, settled: judgement.settled };
        self.evidence_rows.push(&outcome, judgement.foreign, &background)?;
        let order = match &outcome.evidence {
            Evidence::Fetched(fetched) if !judgement.foreign => Some(&fetched.order),
            _ => None,
        };
        self.tally.summary.add_bookings(&background.bookings, order, self.brief.rules.currency.as_deref())?;
        let (past, later) = (background.past_findings, background.later_finding_ids);
        let Outcome { line, run_order_id, evidence } = outcome;
        let bucket = judgement.bucket;
        self.waivers.extend(judgement.waivers.iter().cloned());
        self.tally.unrepeated.sort(line, &past, &judgement, &later);
        match evidence {
            Evidence::Fetched(fetched) => {
                self.tally.summary.add(&judgement, Some(&fetched.order), self.brief.as_of)?;
                if !judgement.foreign {
                    self.facts.push(line, &run_order_id, &fetched, judgement.settled, bucket)?;
                }
                self.tally.reused += u64::from(fetched.is_reused);
                let run_order_id: Arc<str> = Arc::from(run_order_id);
                let order = Arc::new(self.text_pool.particulars(fetched.order));
                if !judgement.foreign && !judgement.settled {
                    let (order, run_order_id) = (Arc::clone(&order), Arc::clone(&run_order_id));
                    self.tally.pending.push(PendingOrder { line, run_order_id, order });
                }
                self.tally.discrepancies.extend(discrepancy_rows(
                    Some(line),
                    &run_order_id,
                    &order,
                    judgement.findings,
                    &past,
                ));
            }
            Evidence::NotFound(reason)
            | Evidence::Refused(reason)
            | Evidence::Malformed(reason)
            | Evidence::Unfetched(reason)
            | Evidence::Rejected(reason) => {
                self.tally.summary.add(&judgement, None, self.brief.as_of)?;
                if let Some(last_seen) = background.last_seen {
                    let (order, asked) = (Arc::new(self.text_pool.particulars(*last_seen)), Arc::from(&*run_order_id));
                    self.tally.discrepancies.extend(discrepancy_rows(
                        Some(line),
                        &asked,
                        &order,
                        judgement.findings,
                        &past,
                    ));
                }
                self.tally.waived_missing += u64::from(bucket == Bucket::Waived);
                self.add_exception(line, run_order_id, bucket, reason);
            }
            Evidence::Duplicate { first_line } => {
                self.tally.summary.add(&judgement, None, self.brief.as_of)?;
                let reason = Reason::new("duplicate-id", format!("the same ID is on line {first_line}"));
                self.add_exception(line, run_order_id, bucket, reason);
            }
        }
        Ok(row_judgement)
    }

    /// Records how many earlier findings are about orders that are not in the input: they count as not
    /// assessed. Call it after the last outcome.
    pub fn set_findings_elsewhere(&mut self, findings: u64) {
        self.findings_elsewhere = findings;
        self.tally.unrepeated.not_assessed += findings;
    }

    fn add_exception(&mut self, line: u64, run_order_id: String, bucket: Bucket, reason: Reason) {
        let Reason { code: reason, detail } = reason;
        self.tally.exceptions.push(Exception { line, run_order_id, bucket, reason, detail });
    }

    /// Proves that the figures agree with each other and writes the remaining files.
    ///
    /// # Errors
    /// When a file can't be written, or two figures contradict each other ([`ReportError::Contradiction`]).
    pub fn finish(self) -> Result<Report, ReportError> {
        self.finish_unless(&|| false)
    }

    /// Like [`Self::finish`], but calls `is_stopped` before each file.
    ///
    /// # Errors
    /// [`ReportError::Stopped`] once `is_stopped` returns true; otherwise as [`Self::finish`].
    pub fn finish_unless(self, is_stopped: &dyn Fn() -> bool) -> Result<Report, ReportError> {
        let check_wanted = || if is_stopped() { Err(ReportError::Stopped) } else { Ok(()) };
        let Self { brief, facts, evidence_rows, waivers, findings_elsewhere, tally, .. } = self;
        let rows = facts.finish()?;
        evidence_rows.finish(findings_elsewhere)?;
        if let Some(completeness) = &tally.completeness {
            completeness.write(&brief.folder)?;
        }
        let spend = aggregate_spend(&brief, &check_wanted)?;
        let (content, reasons) = tally.content(&brief, rows, spend, &waivers)?;
        let Brief { folder, rules, options, .. } = &brief;
        formats::write(&content, &FormatBrief { folder, options, rules, check_wanted: &check_wanted })?;
        let Content { summary, exit_inputs, discrepancies, exceptions, resolved, .. } = content;
        let exceptions = exceptions.len();
        let lapsed = waivers.into_iter().filter(|(_, state)| state.is_lapsed()).collect();
        Ok(Report { summary, exit_inputs, discrepancies, exceptions, reasons, lapsed, resolved })
    }
}

/// Sums the spend over the facts: by workflow, by revision and by day.
fn aggregate_spend(brief: &Brief, check_wanted: &dyn Fn() -> Result<(), ReportError>) -> Result<Spend, ReportError> {
    let facts = brief.folder.join(FACTS_FILE);
    check_wanted()?;
    let by_workflow = spend::by_workflow(&facts)?;
    check_wanted()?;
    let by_revision = spend::by_revision(&facts)?;
    check_wanted()?;
    Ok(Spend { by_workflow, by_revision, by_day: spend::by_day(&facts, &brief.rules.days())? })
}

impl Tally {
    /// Assembles the report's content and proves its figures; also returns why orders could not be fetched.
    fn content<'b>(
        mut self,
        brief: &'b Brief,
        facts_rows: u64,
        spend: Spend,
        waivers: &BTreeMap<WaiverKey, WaiverState>,
    ) -> Result<(Content<'b>, Vec<ReasonCount>), ReportError> {
        let aggregates = [&spend.by_workflow, &spend.by_revision, &spend.by_day].map(Vec::as_slice);
        let (rows_read, exceptions) = (brief.rows_read, self.exceptions.len() as u64);
        let counts = Counts { rows_read, facts_rows, exceptions, waived_missing: self.waived_missing };
        counts.prove(&self.summary, &self.discrepancies, &aggregates)?;
        let control_totals = prove_totals(&self.summary, &aggregates, &brief.rules)?;
        let ties = tie_out(&brief.rules, &spend.by_workflow, &self.summary.population)?;
        let reasons = reasons(&self.exceptions);
        let sole_reason = sole_reason(&reasons).filter(|_| facts_rows == 0 && self.discrepancies.is_empty());
        let factors = &mut self.summary.factors;
        factors.variance |= !ties.iter().all(Tie::holds);
        factors.sole_reason = sole_reason.is_some();
        factors.rows_are_summed = brief.rules.expect_rows == ExpectRows::Sum;
        factors.list_incomplete = brief.shortfall.is_some();
        factors.warnings |= brief.layout.cut_line.is_some();
        let exit_inputs = self.summary.exit_inputs(brief.options.allow_empty);
        let waivers = tables::waivers_with(&brief.rules.waivers, waivers);
        let summary = SummaryJson {
            verdict: exit_inputs.verdict.code(),
            exit_code: exit_inputs.exit_code(&brief.options.fail_on),
            as_of: brief.as_of.to_string(),
            account: brief.options.account.clone(),
            population: self.summary.population,
            sole_reason,
            input: brief.layout.clone(),
            input_shortfall: brief.shortfall,
            control_totals,
            checks: self.summary.checks,
            causes: self.summary.causes,
            column_causes: self.summary.columns.of_columns(),
            severities: self.summary.severities,
            lifecycle: Lifecycle::of(&self.discrepancies, &self.unrepeated),
            reused: self.reused,
            waivers: WaiverCounts::of(&waivers),
            material: brief.rules.has_materiality().then_some(self.summary.material),
            ties,
            completeness: self.completeness.as_ref().map(CompletenessCounts::of),
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
            evidence: evidence(brief, self.completeness.is_some())?,
            titles: self.completeness.map(|completeness| completeness.titles).unwrap_or_default(),
        };
        Ok((content, reasons))
    }
}

impl UnrepeatedFindings {
    /// Sorts the earlier findings of an order that are not found again into resolved and not assessed.
    fn sort(&mut self, line: u64, past: &[PastFinding], judgement: &Judgement, later: &[String]) {
        for finding in past.iter().filter(|past| !judgement.repeats(past)) {
            // Whether the input has the order depends on the input alone: even an older reply resolves that.
            let is_older = !later.contains(&finding.discrepancy_id) || finding.check == UNLISTED_IN_INPUT;
            if judgement.resolves(finding) && is_older {
                self.resolved.push(ResolvedFinding { line, finding: finding.clone() });
            } else {
                self.not_assessed += 1;
            }
        }
    }
}

/// The findings of one order as table rows. `past` are its earlier findings.
fn discrepancy_rows<'f>(
    line: Option<u64>,
    run_order_id: &'f Arc<str>,
    order: &'f Arc<Particulars>,
    findings: Vec<Finding>,
    past: &'f [PastFinding],
) -> impl Iterator<Item = Discrepancy> + use<'f> {
    findings.into_iter().map(move |finding| Discrepancy {
        line,
        run_order_id: Arc::clone(run_order_id),
        order: Arc::clone(order),
        is_persisting: past.iter().any(|past| past.is_of(finding.check, finding.subject)),
        finding,
    })
}

impl Lifecycle {
    fn of(discrepancies: &[Discrepancy], unrepeated: &UnrepeatedFindings) -> Self {
        let persisting = discrepancies.iter().filter(|row| row.is_persisting).count() as u64;
        Self {
            new: discrepancies.len() as u64 - persisting,
            persisting,
            resolved: unrepeated.resolved.len() as u64,
            not_assessed: unrepeated.not_assessed,
        }
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
    [FACTS_FILE, EVIDENCE_FILE].into_iter().chain(listed).map(stamp).collect()
}

#[cfg(test)]
mod tests;
