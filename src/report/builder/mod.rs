//! From outcomes, in the order of their lines, to the files of a report.

mod proofs;
mod reasons;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::proofs::{Counted, prove_totals, tie_out};
use self::reasons::{reasons, sole_reason};
use crate::checks::{ExpectRows, Judgement, Rules, UNLISTED_IN_INPUT, WaiverKey, WaiverState, judge, judge_unlisted};
use crate::domain::finding::{Finding, PastFinding};
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::domain::time::Period;
use crate::report::ReportError;
use crate::report::content::particulars::{Particulars, Shared};
use crate::report::content::summary_json::{CompletenessCounts, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::tables::{self, Discrepancy, Exception, PendingOrder, Resolved, WaiverRow};
use crate::report::content::{Content, Spend};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::facts::FactsWriter;
use crate::report::evidence::rows::EvidenceWriter;
use crate::report::evidence::spend;
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, hash_file};
use crate::report::formats::options::ReportOptions;
use crate::report::formats::{self, FormatBrief};
use crate::summary::{Summary, Tie, Weighed};

pub use self::reasons::ReasonCount;

/// What a report is made from, beside outcomes.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The folder to write into: empty, and nobody else's.
    pub folder: PathBuf,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// What it is to be.
    pub options: ReportOptions,
    /// How many rows the input has: the population must come to it.
    pub rows_read: u64,
    /// Why the input is not whole, where it must be and is not.
    pub shortfall: Option<ListShortfall>,
    /// What the input's records are, beside the rows.
    pub layout: InputLayout,
    /// What pages say of the files of evidence; nothing for what this report's own come to. A report that is made again to be
    /// proved says what the proved one said: another version may compress the facts otherwise.
    pub evidence: Option<Vec<FileStamp>>,
}

/// Takes in outcomes one by one, in the order of their lines.
pub struct Builder {
    brief: Brief,
    facts: FactsWriter,
    beside: EvidenceWriter,
    shared: Shared,
    waivers: BTreeMap<WaiverKey, WaiverState>,
    /// How many findings of orders that are not in the input there were.
    elsewhere: u64,
    taken: Taken,
}

/// What was taken in.
#[derive(Default)]
struct Taken {
    summary: Summary,
    discrepancies: Vec<Discrepancy>,
    pending: Vec<PendingOrder>,
    exceptions: Vec<Exception>,
    past: Past,
    reused: u64,
    waived_missing: u64,
    completeness: Option<Completeness>,
}

/// What became of the discrepancies that were found before.
#[derive(Debug, Default)]
struct Past {
    resolved: Vec<Resolved>,
    /// How many were not judged this time.
    not_assessed: u64,
}

/// How one row was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Where it is counted.
    pub bucket: Bucket,
    /// Whether it is a settled order.
    pub settled: bool,
}

/// A report as written, for the terminal and the exit code.
#[derive(Debug)]
pub struct Report {
    /// What `summary.json` says.
    pub summary: SummaryJson,
    /// The verdict, and what else the exit code depends on.
    pub weighed: Weighed,
    /// Every failed check, by line.
    pub discrepancies: Vec<Discrepancy>,
    /// How many rows are exceptions.
    pub exceptions: usize,
    /// Why orders could not be fetched, the most frequent reason first.
    pub reasons: Vec<ReasonCount>,
    /// The waivers that lapsed, with what became of them.
    pub lapsed: Vec<(WaiverKey, WaiverState)>,
    /// What was found before and is resolved.
    pub resolved: Vec<Resolved>,
}

impl Builder {
    /// Begins a report in the folder.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn begin(brief: Brief) -> Result<Self, ReportError> {
        let facts = FactsWriter::create(&brief.folder.join(FACTS_FILE))?;
        let beside = EvidenceWriter::create(&brief.folder)?;
        Ok(Self {
            brief,
            facts,
            beside,
            shared: Shared::default(),
            waivers: BTreeMap::new(),
            elsewhere: 0,
            taken: Taken::default(),
        })
    }

    /// Takes in what the provider's list says of the input, after the last outcome.
    ///
    /// # Errors
    /// When a total leaves what a report can hold.
    pub fn complete(&mut self, completeness: Completeness) -> Result<(), ReportError> {
        for (listed, past) in &completeness.unlisted {
            let judgement = judge_unlisted(listed, &self.brief.rules, self.brief.as_of);
            self.taken.summary.add_unlisted(&judgement)?;
            self.taken.past.not_assessed += past.iter().filter(|past| !judgement.repeats(past)).count() as u64;
            self.waivers.extend(judgement.waivers);
            let order = Arc::new(self.shared.particulars(listed.order()));
            self.taken.discrepancies.extend(found(None, &listed.run_order_id, &order, judgement.findings, past));
        }
        self.taken.summary.signs.gap = !completeness.is_known();
        self.taken.completeness = Some(completeness);
        Ok(())
    }

    /// Judges one outcome and takes it in, with what else is known of its order.
    ///
    /// # Errors
    /// When the facts can't be written, or a total leaves what a report can hold.
    pub fn add(&mut self, outcome: Outcome, background: Background) -> Result<Judged, ReportError> {
        let judgement = judge(&outcome, &background, &self.brief.rules, self.brief.as_of);
        let judged = Judged { bucket: judgement.bucket, settled: judgement.settled };
        self.beside.push(&outcome, judgement.foreign, &background)?;
        let order = match &outcome.evidence {
            Evidence::Fetched(fetched) if !judgement.foreign => Some(&fetched.order),
            _ => None,
        };
        self.taken.summary.add_bookings(&background.bookings, order, self.brief.rules.currency.as_deref())?;
        let (past, later) = (background.past, background.found_later);
        let Outcome { line, run_order_id, evidence } = outcome;
        let bucket = judgement.bucket;
        self.waivers.extend(judgement.waivers.iter().cloned());
        self.taken.past.sort(line, &past, &judgement, &later);
        match evidence {
            Evidence::Fetched(fetched) => {
                self.taken.summary.add(&judgement, Some(&fetched.order), self.brief.as_of)?;
                if !judgement.foreign {
                    self.facts.push(line, &run_order_id, &fetched, judgement.settled, bucket)?;
                }
                self.taken.reused += u64::from(fetched.is_reused);
                let run_order_id: Arc<str> = Arc::from(run_order_id);
                let order = Arc::new(self.shared.particulars(fetched.order));
                if !judgement.foreign && !judgement.settled {
                    let (order, run_order_id) = (Arc::clone(&order), Arc::clone(&run_order_id));
                    self.taken.pending.push(PendingOrder { line, run_order_id, order });
                }
                self.taken.discrepancies.extend(found(Some(line), &run_order_id, &order, judgement.findings, &past));
            }
            Evidence::NotFound(reason)
            | Evidence::Refused(reason)
            | Evidence::Malformed(reason)
            | Evidence::Unfetched(reason)
            | Evidence::Rejected(reason) => {
                self.taken.summary.add(&judgement, None, self.brief.as_of)?;
                if let Some(last_seen) = background.last_seen {
                    let (order, asked) = (Arc::new(self.shared.particulars(*last_seen)), Arc::from(&*run_order_id));
                    self.taken.discrepancies.extend(found(Some(line), &asked, &order, judgement.findings, &past));
                }
                self.taken.waived_missing += u64::from(bucket == Bucket::Waived);
                self.except(line, run_order_id, bucket, reason);
            }
            Evidence::Duplicate { first_line } => {
                self.taken.summary.add(&judgement, None, self.brief.as_of)?;
                let reason = Reason::new("duplicate-id", format!("the same ID stands on line {first_line}"));
                self.except(line, run_order_id, bucket, reason);
            }
        }
        Ok(judged)
    }

    /// Takes in how many findings of orders that are not in the input there were, after the last outcome.
    pub fn findings_elsewhere(&mut self, findings: u64) {
        self.elsewhere = findings;
        self.taken.past.not_assessed += findings;
    }

    fn except(&mut self, line: u64, run_order_id: String, bucket: Bucket, reason: Reason) {
        let Reason { code: reason, detail } = reason;
        self.taken.exceptions.push(Exception { line, run_order_id, bucket, reason, detail });
    }

    /// Writes what is left to write and proves the report on itself.
    ///
    /// # Errors
    /// When a file can't be written, or the report contradicts itself ([`ReportError::Contradiction`]).
    pub fn finish(self) -> Result<Report, ReportError> {
        self.finish_unless(&|| false)
    }

    /// Like [`Self::finish`], but looks before each file whether the report is still wanted.
    ///
    /// # Errors
    /// [`ReportError::Stopped`] once `is_stopped` says so.
    pub fn finish_unless(self, is_stopped: &dyn Fn() -> bool) -> Result<Report, ReportError> {
        let go_on = || if is_stopped() { Err(ReportError::Stopped) } else { Ok(()) };
        let Self { brief, facts, beside, waivers, elsewhere, taken, .. } = self;
        let rows = facts.finish()?;
        beside.finish(elsewhere)?;
        if let Some(completeness) = &taken.completeness {
            completeness.write(&brief.folder)?;
        }
        let spend = spent(&brief, &go_on)?;
        let (content, reasons) = taken.content(&brief, rows, spend, &waivers)?;
        let Brief { folder, rules, options, .. } = &brief;
        formats::write(&content, &FormatBrief { folder, options, rules, go_on: &go_on })?;
        let Content { summary, weighed, discrepancies, exceptions, resolved, .. } = content;
        let exceptions = exceptions.len();
        let lapsed = waivers.into_iter().filter(|(_, state)| state.is_lapsed()).collect();
        Ok(Report { summary, weighed, discrepancies, exceptions, reasons, lapsed, resolved })
    }
}

/// What was spent, summed over the facts.
fn spent(brief: &Brief, go_on: &dyn Fn() -> Result<(), ReportError>) -> Result<Spend, ReportError> {
    let facts = brief.folder.join(FACTS_FILE);
    go_on()?;
    let by_workflow = spend::by_workflow(&facts)?;
    go_on()?;
    let by_revision = spend::by_revision(&facts)?;
    go_on()?;
    Ok(Spend { by_workflow, by_revision, by_day: spend::by_day(&facts, &brief.rules.days())? })
}

impl Taken {
    /// What the report says, proved on itself; and why orders could not be fetched.
    fn content<'b>(
        mut self,
        brief: &'b Brief,
        facts_rows: u64,
        spend: Spend,
        waivers: &BTreeMap<WaiverKey, WaiverState>,
    ) -> Result<(Content<'b>, Vec<ReasonCount>), ReportError> {
        let aggregates = [&spend.by_workflow, &spend.by_revision, &spend.by_day].map(Vec::as_slice);
        let (rows_read, exceptions) = (brief.rows_read, self.exceptions.len() as u64);
        let counted = Counted { rows_read, facts_rows, exceptions, waived_missing: self.waived_missing };
        counted.prove(&self.summary, &self.discrepancies, &aggregates)?;
        let control_totals = prove_totals(&self.summary, &aggregates, &brief.rules)?;
        let ties = tie_out(&brief.rules, &spend.by_workflow, &self.summary.population)?;
        let reasons = reasons(&self.exceptions);
        let sole_reason = sole_reason(&reasons).filter(|_| facts_rows == 0 && self.discrepancies.is_empty());
        let signs = &mut self.summary.signs;
        signs.variance |= !ties.iter().all(Tie::holds);
        signs.sole_reason = sole_reason.is_some();
        signs.rows_are_added = brief.rules.expect_rows == ExpectRows::Sum;
        signs.shortfall = brief.shortfall.is_some();
        signs.warnings |= brief.layout.cut_line.is_some();
        let weighed = self.summary.weighed(brief.options.allow_empty);
        let waivers = tables::waivers_with(&brief.rules.waivers, waivers);
        let summary = SummaryJson {
            verdict: weighed.verdict.code(),
            exit_code: weighed.exit_code(&brief.options.fail_on),
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
            lifecycle: Lifecycle::of(&self.discrepancies, &self.past),
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
            weighed,
            as_of: brief.as_of,
            rows_read,
            discrepancies: self.discrepancies,
            spend,
            pending: self.pending,
            exceptions: self.exceptions,
            resolved: self.past.resolved,
            waivers,
            evidence: evidence(brief, self.completeness.is_some())?,
            titles: self.completeness.map(|completeness| completeness.titles).unwrap_or_default(),
        };
        Ok((content, reasons))
    }
}

impl Past {
    /// Sorts what was found before of an order: what is found again, resolved, or not assessed.
    fn sort(&mut self, line: u64, past: &[PastFinding], judgement: &Judgement, later: &[String]) {
        for finding in past.iter().filter(|past| !judgement.repeats(past)) {
            // Whether the input has the order is known from the input, however old the row is.
            let is_older = !later.contains(&finding.discrepancy_id) || finding.check == UNLISTED_IN_INPUT;
            if judgement.resolves(finding) && is_older {
                self.resolved.push(Resolved { line, finding: finding.clone() });
            } else {
                self.not_assessed += 1;
            }
        }
    }
}

/// The findings of one order as rows; `past` is what was found of it before.
fn found<'f>(
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
    fn of(discrepancies: &[Discrepancy], past: &Past) -> Self {
        let persisting = discrepancies.iter().filter(|row| row.is_persisting).count() as u64;
        Self {
            new: discrepancies.len() as u64 - persisting,
            persisting,
            resolved: past.resolved.len() as u64,
            not_assessed: past.not_assessed,
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

/// When the orders were created that the input is about, both ends said.
fn period(brief: &Brief) -> Option<Period> {
    let period = brief.rules.complete.filter(Period::is_bounded)?;
    Some(Period { until: period.until.or(Some(brief.as_of)), ..period })
}

/// The files that all figures come from, with their hashes; the provider's list among them where it was walked.
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
