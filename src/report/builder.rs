//! From outcomes, in the order of their lines, to the files of a report.

mod proofs;
mod reasons;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::proofs::{Counted, prove_totals, tie_out};
use self::reasons::{reasons, sole_reason};
use crate::checks::{Judgement, Judging, UNLISTED_IN_INPUT, WaiverKey, WaiverState, judge, judge_unlisted};
use crate::domain::finding::{Finding, PastFinding};
use crate::domain::listed::ListShortfall;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::report::content::particulars::{Particulars, Shared};
use crate::report::content::summary_json::{CompletenessCounts, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::table::{Source, Table};
use crate::report::content::tables::{self, Discrepancy, Exception, PendingOrder, Resolved, WaiverRow};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::facts::FactsWriter;
use crate::report::evidence::rows::EvidenceWriter;
use crate::report::evidence::spend;
use crate::report::files::{
    COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, HTML_FILE, SUMMARY_FILE, XLSX_FILE, hash_file,
};
use crate::report::formats::Format;
use crate::report::formats::focus::FocusWriter;
use crate::report::formats::html::{self, Titles};
use crate::report::formats::options::ReportOptions;
use crate::report::formats::xlsx;
use crate::report::formats::{csv, reperform};
use crate::report::{ReportError, files};
use crate::summary::{Summary, Tie, Weighed};

pub use self::reasons::ReasonCount;

/// What a report is made from, beside outcomes.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The folder to write into: empty, and nobody else's.
    pub folder: PathBuf,
    /// The settings that affect judgement.
    pub judging: Judging,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// What it is to be.
    pub options: ReportOptions,
    /// How many rows the input has: the population must come to it.
    pub rows_read: u64,
    /// Why the input is not whole, where it must be and is not.
    pub shortfall: Option<ListShortfall>,
    /// What pages say of the files of evidence; nothing for what this report's own come to. A report that is made again to be
    /// proved says what the proved one said: another version may compress the facts otherwise.
    pub evidence: Option<Vec<FileStamp>>,
}

/// Takes in outcomes one by one, in the order of their lines.
pub struct Builder {
    brief: Brief,
    facts: FactsWriter,
    focus: Option<FocusWriter>,
    summary: Summary,
    discrepancies: Vec<Discrepancy>,
    pending: Vec<PendingOrder>,
    exceptions: Vec<Exception>,
    beside: EvidenceWriter,
    shared: Shared,
    past: Past,
    reused: u64,
    waived_missing: u64,
    waivers: BTreeMap<WaiverKey, WaiverState>,
    /// How many findings of orders that are not in the input there were.
    elsewhere: u64,
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
        let focus = brief.options.formats.has(Format::Focus);
        let focus = focus
            .then(|| FocusWriter::create(&brief.folder, brief.options.account.as_deref(), &brief.judging.days))
            .transpose()?;
        Ok(Self {
            brief,
            facts,
            focus,
            summary: Summary::default(),
            discrepancies: Vec::new(),
            pending: Vec::new(),
            exceptions: Vec::new(),
            beside,
            shared: Shared::default(),
            past: Past::default(),
            reused: 0,
            waived_missing: 0,
            waivers: BTreeMap::new(),
            elsewhere: 0,
            completeness: None,
        })
    }

    /// Takes in what the provider's list says of the input, after the last outcome.
    ///
    /// # Errors
    /// When a total leaves what a report can hold.
    pub fn complete(&mut self, completeness: Completeness) -> Result<(), ReportError> {
        for (listed, past) in &completeness.unlisted {
            let judgement = judge_unlisted(listed, &self.brief.judging, self.brief.as_of);
            self.summary.add_unlisted(&judgement)?;
            self.past.not_assessed += past.iter().filter(|past| !judgement.repeats(past)).count() as u64;
            self.waivers.extend(judgement.waivers);
            let order = Arc::new(self.shared.particulars(listed.order()));
            self.discrepancies.extend(found(None, &listed.run_order_id, &order, judgement.findings, past));
        }
        self.summary.signs.gap = !completeness.is_known();
        self.completeness = Some(completeness);
        Ok(())
    }

    /// Judges one outcome and takes it in, with what else is known of its order.
    ///
    /// # Errors
    /// When the facts can't be written, or a total leaves what a report can hold.
    pub fn add(&mut self, outcome: Outcome, background: Background) -> Result<Judged, ReportError> {
        let judgement = judge(&outcome, &background, &self.brief.judging, self.brief.as_of);
        let judged = Judged { bucket: judgement.bucket, settled: judgement.settled };
        self.beside.push(&outcome, judgement.foreign, &background)?;
        let order = match &outcome.evidence {
            Evidence::Fetched(fetched) if !judgement.foreign => Some(&fetched.order),
            _ => None,
        };
        self.summary.add_bookings(&background.bookings, order, self.brief.judging.currency.as_deref())?;
        let (past, later) = (background.past, background.found_later);
        let Outcome { line, run_order_id, evidence } = outcome;
        let bucket = judgement.bucket;
        self.waivers.extend(judgement.waivers.iter().cloned());
        self.past.sort(line, &past, &judgement, &later);
        match evidence {
            Evidence::Fetched(fetched) => {
                self.summary.add(&judgement, Some(&fetched.order), self.brief.as_of)?;
                if !judgement.foreign {
                    self.facts.push(line, &run_order_id, &fetched, judgement.settled, bucket)?;
                    if let Some(focus) = self.focus.as_mut().filter(|_| judgement.settled) {
                        focus.push(&run_order_id, &fetched.order)?;
                    }
                }
                self.reused += u64::from(fetched.is_reused);
                let run_order_id: Arc<str> = Arc::from(run_order_id);
                let order = Arc::new(self.shared.particulars(fetched.order));
                if !judgement.foreign && !judgement.settled {
                    let (order, run_order_id) = (Arc::clone(&order), Arc::clone(&run_order_id));
                    self.pending.push(PendingOrder { line, run_order_id, order });
                }
                self.discrepancies.extend(found(Some(line), &run_order_id, &order, judgement.findings, &past));
            }
            Evidence::NotFound(reason)
            | Evidence::Refused(reason)
            | Evidence::Malformed(reason)
            | Evidence::Unfetched(reason)
            | Evidence::Rejected(reason) => {
                self.summary.add(&judgement, None, self.brief.as_of)?;
                if let Some(last_seen) = background.last_seen {
                    let (order, asked) = (Arc::new(self.shared.particulars(*last_seen)), Arc::from(&*run_order_id));
                    self.discrepancies.extend(found(Some(line), &asked, &order, judgement.findings, &past));
                }
                self.waived_missing += u64::from(bucket == Bucket::Waived);
                self.except(line, run_order_id, bucket, reason);
            }
            Evidence::Duplicate { first_line } => {
                self.summary.add(&judgement, None, self.brief.as_of)?;
                let reason = Reason::new("duplicate-id", format!("the same ID stands on line {first_line}"));
                self.except(line, run_order_id, bucket, reason);
            }
        }
        Ok(judged)
    }

    /// Takes in how many findings of orders that are not in the input there were, after the last outcome.
    pub fn findings_elsewhere(&mut self, findings: u64) {
        self.elsewhere = findings;
        self.past.not_assessed += findings;
    }

    fn except(&mut self, line: u64, run_order_id: String, bucket: Bucket, reason: Reason) {
        let Reason { code: reason, detail } = reason;
        self.exceptions.push(Exception { line, run_order_id, bucket, reason, detail });
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
        let Self { brief, facts, mut summary, discrepancies, pending, exceptions, beside, past, reused, .. } = self;
        let waivers = tables::waivers_with(&brief.judging.waivers, &self.waivers);
        let facts_rows = facts.finish()?;
        beside.finish(self.elsewhere)?;
        self.focus.map(FocusWriter::finish).transpose()?;
        go_on()?;
        let facts_path = brief.folder.join(FACTS_FILE);
        let by_workflow = spend::by_workflow(&facts_path)?;
        go_on()?;
        let by_revision = spend::by_revision(&facts_path)?;
        go_on()?;
        let days = &brief.judging.days;
        let by_day = spend::by_day(&facts_path, days)?;
        let aggregates = [&by_workflow, &by_revision, &by_day].map(Vec::as_slice);

        let counted = Counted {
            rows_read: brief.rows_read,
            facts_rows,
            exceptions: exceptions.len() as u64,
            waived_missing: self.waived_missing,
        };
        counted.prove(&summary, &discrepancies, &aggregates)?;
        let control_totals = prove_totals(&summary, &aggregates)?;
        let ties = tie_out(&brief.judging, &by_workflow)?;
        summary.signs.variance |= !ties.iter().all(Tie::holds);

        let mut sources: Vec<Source<'_>> = vec![
            Box::new(|| tables::discrepancies(&discrepancies)),
            Box::new(|| tables::spend_by_workflow(&by_workflow)),
            Box::new(|| tables::spend_by_revision(&by_revision)),
            Box::new(|| tables::spend_by_day(&by_day)),
            Box::new(|| tables::pending(&pending, brief.as_of)),
            Box::new(|| tables::exceptions(&exceptions)),
            Box::new(|| tables::resolved(&past.resolved)),
        ];
        if !waivers.is_empty() {
            sources.push(Box::new(|| tables::waivers(&waivers)));
        }
        for table in &sources {
            go_on()?;
            write_csv(table(), &brief)?;
        }
        reperform::write(&brief.folder, &brief.judging, days, &by_day)?;
        if let Some(completeness) = &self.completeness {
            completeness.write(&brief.folder)?;
        }
        let reasons = reasons(&exceptions);
        let sole_reason = sole_reason(&reasons).filter(|_| facts_rows == 0 && discrepancies.is_empty());
        summary.signs.sole_reason = sole_reason.is_some();
        summary.signs.shortfall = brief.shortfall.is_some();
        let weighed = summary.weighed(brief.options.allow_empty);
        let summary = SummaryJson {
            verdict: weighed.verdict.code(),
            exit_code: weighed.exit_code(&brief.options.fail_on),
            as_of: brief.as_of.to_string(),
            account: brief.options.account.clone(),
            population: summary.population,
            sole_reason,
            input_shortfall: brief.shortfall,
            control_totals,
            checks: summary.checks,
            causes: summary.causes,
            severities: summary.severities,
            lifecycle: Lifecycle::of(&discrepancies, &past),
            reused,
            waivers: WaiverCounts::of(&waivers),
            material: brief.judging.has_materiality().then_some(summary.material),
            ties,
            completeness: self.completeness.as_ref().map(CompletenessCounts::of),
            settings: (&brief.judging).into(),
        };
        let path = brief.folder.join(SUMMARY_FILE);
        files::write_json(&path, &summary).map_err(|source| ReportError::io(&path, source))?;
        if brief.options.formats.has(Format::Html) {
            go_on()?;
            let (evidence, no_titles) = (evidence(&brief, self.completeness.is_some())?, Titles::new());
            let content = html::Content {
                summary: &summary,
                weighed: &weighed,
                rows_read: brief.rows_read,
                discrepancies: tables::discrepancies(&discrepancies),
                spend: vec![
                    tables::spend_by_workflow(&by_workflow),
                    tables::spend_by_revision(&by_revision),
                    tables::spend_by_day(&by_day),
                ],
                pending: tables::pending(&pending, brief.as_of),
                exceptions: tables::exceptions(&exceptions),
                resolved: tables::resolved(&past.resolved),
                waivers: (!waivers.is_empty()).then(|| tables::waivers(&waivers)),
                titles: self.completeness.as_ref().map_or(&no_titles, |completeness| &completeness.titles),
                evidence: &evidence,
            };
            html::write(content, brief.options.language, &brief.folder.join(HTML_FILE))?;
        }
        if brief.options.formats.has(Format::Xlsx) {
            go_on()?;
            let content = xlsx::Content { summary: &summary, as_of: brief.as_of, tables: &sources };
            xlsx::write(&content, brief.options.language, &brief.folder.join(XLSX_FILE))?;
        }
        drop(sources);
        let lapsed = self.waivers.into_iter().filter(|(_, state)| state.is_lapsed());
        Ok(Report {
            summary,
            weighed,
            discrepancies,
            exceptions: exceptions.len(),
            reasons,
            lapsed: lapsed.collect(),
            resolved: past.resolved,
        })
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

fn write_csv(table: Table<'_>, brief: &Brief) -> Result<(), ReportError> {
    let path = brief.folder.join(format!("{}.csv", table.name));
    let file = File::create(&path).map_err(|source| ReportError::io(&path, source))?;
    let mut out = BufWriter::new(file);
    csv::write(table, brief.options.csv_encoding, &mut out)?;
    out.flush().map_err(|source| ReportError::io(&path, source))
}

#[cfg(test)]
mod tests;
