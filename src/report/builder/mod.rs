//! Turns outcomes, taken in by input line, into the files of a report.

mod closing;
mod proofs;
mod reasons;
mod tally;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::closing::Adjustments;
use self::tally::Tally;
use crate::checks::{Judgement, Rules, WaiverKey, WaiverState, judge, judge_unlisted};
use crate::domain::facts::{OrderFacts, SoundOrders, TextColumn};
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::month::Month;
use crate::domain::order::RunOrder;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::parquet::columns::OrderFrame;
use crate::report::ReportError;
use crate::report::content::Content;
use crate::report::content::list::List;
use crate::report::content::summary_json::{CloseGap, DatasetScope, SummaryJson};
use crate::report::content::tables::{Discrepancy, PendingOrder, ResolvedFinding};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::facts::FactsWriter;
use crate::report::evidence::rows::EvidenceWriter;
use crate::report::evidence::spend::{self, Spend, SpendElsewhere};
use crate::report::files::{FACTS_FILE, FileStamp, ProvenFile};
use crate::report::formats::options::ReportOptions;
use crate::report::formats::{self, FormatBrief};
use crate::summary::{ExitInputs, RollForwards};

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
    /// Where the rows come from.
    pub origin: Origin,
    /// The hashes of the evidence files to print on the page and in the workbook; `None` for those of the
    /// files written here. A rebuilt report that is compared with the original prints the original's, since a
    /// different version may compress the facts differently.
    pub evidence: Option<Vec<FileStamp>>,
    /// The facts of the report, if it is rebuilt to compare it with the original; `None` to write them. Those of a
    /// dataset are never written.
    pub facts: Option<Arc<ProvenFile>>,
}

/// Where the rows of a report come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// An input file.
    Input {
        /// How many rows it has. The population must add up to it.
        rows: u64,
        /// Why it does not count as complete, if it is a list that `tieout discover` wrote.
        shortfall: Option<ListShortfall>,
        /// Its records that are not rows: preamble, heading and footers.
        layout: InputLayout,
    },
    /// A dataset, whose orders were observed in earlier runs.
    Dataset {
        /// Its folder.
        folder: PathBuf,
        /// Which of its orders.
        scope: DatasetScope,
    },
}

impl Origin {
    const fn layout(&self) -> Option<&InputLayout> {
        match self {
            Self::Input { layout, .. } => Some(layout),
            Self::Dataset { .. } => None,
        }
    }

    const fn shortfall(&self) -> Option<ListShortfall> {
        match self {
            Self::Input { shortfall, .. } => *shortfall,
            Self::Dataset { .. } => None,
        }
    }

    const fn scope(&self) -> Option<&DatasetScope> {
        match self {
            Self::Input { .. } => None,
            Self::Dataset { scope, .. } => Some(scope),
        }
    }
}

/// Where the facts of orders go.
enum Facts {
    /// Into the report.
    Written(FactsWriter),
    /// The report has them.
    There(Arc<ProvenFile>),
    /// They stay in a dataset. Spend is summed as they come.
    Elsewhere(SpendElsewhere),
}

/// Builds a report from outcomes, which it takes one by one, in the order of their input lines.
pub struct Builder {
    brief: Brief,
    rows_read: u64,
    facts: Facts,
    /// `None` if the evidence is a dataset.
    evidence_rows: Option<EvidenceWriter>,
    waivers: BTreeMap<WaiverKey, WaiverState>,
    /// How many earlier findings are about orders that are not in the input.
    findings_elsewhere: u64,
    /// The spend, if it was summed while the rows were read.
    spend: Option<Spend>,
    tally: Tally,
}

/// How one row was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowJudgement {
    /// The bucket that the row is counted in.
    pub bucket: Bucket,
    /// Whether the row is a settled order.
    pub settled: bool,
}

impl RowJudgement {
    /// How a sound order is judged.
    pub const SOUND: Self = Self { bucket: Bucket::Reconciled, settled: true };

    /// Whether it is this judgement, with the code of its bucket.
    #[must_use]
    pub fn is(self, settled: bool, bucket: &str) -> bool {
        (self.settled, self.bucket.code()) == (settled, bucket)
    }
}

impl Builder {
    /// Starts a report in the brief's folder.
    ///
    /// # Errors
    /// When a file can't be created there.
    pub fn begin(brief: Brief) -> Result<Self, ReportError> {
        let facts = match (&brief.origin, &brief.facts) {
            (Origin::Dataset { folder, .. }, _) => Facts::Elsewhere(SpendElsewhere::begin(folder, brief.rules.days())?),
            (Origin::Input { .. }, Some(facts)) => Facts::There(Arc::clone(facts)),
            (Origin::Input { .. }, None) => Facts::Written(FactsWriter::create(&brief.folder.join(FACTS_FILE))?),
        };
        let (rows_read, evidence_rows) = match brief.origin {
            Origin::Input { rows, .. } => (rows, Some(EvidenceWriter::create(&brief.folder)?)),
            Origin::Dataset { .. } => (0, None),
        };
        let (tally, waivers) = (Tally::new(&brief.folder, evidence_rows.is_some()), BTreeMap::new());
        Ok(Self { brief, rows_read, facts, evidence_rows, waivers, findings_elsewhere: 0, spend: None, tally })
    }

    /// Judges one outcome and adds it to the report. `background` is what else is known about its order.
    ///
    /// # Errors
    /// When the evidence can't be written, or a total does not fit `DECIMAL(38,8)`.
    pub fn add(&mut self, outcome: Outcome, background: Background) -> Result<RowJudgement, ReportError> {
        let judgement = judge(&outcome, &background, &self.brief.rules, self.brief.as_of);
        let (line, bucket, settled) = (outcome.line, judgement.bucket, judgement.settled);
        if let Some(rows) = &mut self.evidence_rows {
            rows.push(&outcome, judgement.foreign, &background)?;
        }
        // An order of a dataset has no line.
        let shown_line = self.brief.origin.layout().map(|_| line);
        let order = match &outcome.evidence {
            Evidence::Fetched(fetched) => Some(&fetched.order),
            _ => None,
        };
        let about = order.filter(|_| !judgement.foreign);
        self.tally.summary.add_bookings(&background.bookings, about, self.brief.rules.currency.as_deref())?;
        self.tally.summary.add(&judgement, order, self.brief.as_of)?;
        let past = background.past_findings;
        self.tally.unrepeated.sort(line, &past, &judgement, &background.later_finding_ids)?;
        let Judgement { foreign, findings, waivers, .. } = judgement;
        self.waivers.extend(waivers);
        let Outcome { run_order_id, evidence, .. } = outcome;
        match evidence {
            Evidence::Fetched(fetched) => {
                if !foreign {
                    self.tally.facts += 1;
                    let columns = OrderFacts::of(&fetched.order);
                    match &mut self.facts {
                        Facts::Written(facts) => {
                            facts.push(line, &run_order_id, &columns, settled, bucket, fetched.is_reused)?
                        }
                        Facts::There(_) => {}
                        Facts::Elsewhere(spend) => spend.add(&run_order_id, &columns, settled, bucket)?,
                    }
                }
                self.tally.foreign += u64::from(foreign);
                self.tally.reused += u64::from(fetched.is_reused);
                let is_pending = !foreign && !settled;
                if is_pending {
                    let (run_order_id, order) = (run_order_id.clone(), fetched.order.clone().into());
                    self.tally.pending.push(&PendingOrder { line: shown_line, run_order_id, order })?;
                }
                self.tally.add_discrepancies(shown_line, &run_order_id, fetched.order.into(), findings, &past)?;
            }
            Evidence::NotFound(reason)
            | Evidence::Refused(reason)
            | Evidence::Malformed(reason)
            | Evidence::Unfetched(reason)
            | Evidence::Rejected(reason) => {
                if let Some(last_seen) = background.last_seen {
                    self.tally.add_discrepancies(shown_line, &run_order_id, (*last_seen).into(), findings, &past)?;
                }
                self.tally.waived_missing += u64::from(bucket == Bucket::Waived);
                self.tally.add_exception(shown_line, run_order_id, bucket, reason)?;
            }
            Evidence::Duplicate { first_line } => {
                let reason = Reason::new("duplicate-id", format!("the same ID is on line {first_line}"));
                self.tally.add_exception(shown_line, run_order_id, bucket, reason)?;
            }
        }
        Ok(RowJudgement { bucket, settled })
    }

    /// Adds a sound order ([`crate::checks::Soundness`]), of which nothing else is known: it need not be judged.
    ///
    /// # Errors
    /// When the facts can't be written.
    pub fn add_sound(&mut self, line: u64, order: &OrderFacts<'_>, is_reused: bool) -> Result<(), ReportError> {
        self.tally.summary.add_sound(order.text(TextColumn::QuoteCurrency).unwrap_or_default(), 1);
        self.tally.facts += 1;
        self.tally.reused += u64::from(is_reused);
        let id = order.text(TextColumn::RunOrderId).unwrap_or_default();
        match &mut self.facts {
            Facts::Written(facts) => facts.push(line, id, order, true, Bucket::Reconciled, is_reused),
            Facts::There(_) => Ok(()),
            Facts::Elsewhere(spend) => spend.add(id, order, true, Bucket::Reconciled),
        }
    }

    /// Adds sound orders of a dataset, of which nothing else is known.
    ///
    /// # Errors
    /// When they can't be summed, or the report is not about a dataset.
    pub fn add_sound_orders(&mut self, orders: &OrderFrame) -> Result<(), ReportError> {
        for (currency, orders) in self.spend_elsewhere()?.add_sound(orders)? {
            self.tally.summary.add_sound(&currency, orders);
            self.tally.facts += orders;
        }
        Ok(())
    }

    /// Adds sound orders of a dataset that were summed elsewhere.
    ///
    /// # Errors
    /// When they can't be summed, or the report is not about a dataset.
    pub fn add_summed_orders(&mut self, orders: SoundOrders) -> Result<(), ReportError> {
        self.tally.summary.add_sound(&orders.currency, orders.orders);
        self.tally.facts = self.tally.facts.saturating_add(orders.orders);
        self.spend_elsewhere()?.add_summed(orders)
    }

    fn spend_elsewhere(&mut self) -> Result<&mut SpendElsewhere, ReportError> {
        match &mut self.facts {
            Facts::Elsewhere(spend) => Ok(spend),
            _ => Err(ReportError::Contradiction("orders of a dataset in a report about an input".to_owned())),
        }
    }

    /// Takes how many orders were read of a dataset, to which the population must add up, and how often they were
    /// observed.
    pub const fn set_read(&mut self, orders: u64, observations: u64) {
        self.rows_read = orders;
        if let Origin::Dataset { scope, .. } = &mut self.brief.origin {
            scope.observations = observations;
        }
    }

    /// Begins to list what changed in months that are closed.
    pub fn begin_adjustments(&mut self) {
        let workflow = self.brief.origin.scope().and_then(|scope| scope.workflow.clone());
        self.tally.adjustments = Some(Adjustments::new(&self.brief.folder, workflow));
    }

    /// Adds an order of a month that is closed, as it was then and as it is. Orders come in the sequence of the list.
    ///
    /// # Errors
    /// When the disk can't hold it, or a total does not fit `DECIMAL(38,8)`.
    pub fn add_adjustment(
        &mut self,
        run_order_id: &str,
        month: Option<Month>,
        was: Option<&RunOrder>,
        is: Option<&RunOrder>,
    ) -> Result<(), ReportError> {
        self.tally.adjustments.as_mut().map_or(Ok(()), |adjustments| adjustments.add(run_order_id, month, was, is))
    }

    /// Takes what became of the pending orders of earlier months, if the report closes one, and how many of them have no
    /// answer that can be read.
    pub fn set_roll_forward(&mut self, roll_forward: RollForwards, unreadable: u64) {
        self.tally.roll_forward = Some(roll_forward);
        let Origin::Dataset { scope: DatasetScope { close: Some(close), .. }, .. } = &mut self.brief.origin else {
            return;
        };
        close.gaps.extend((unreadable > 0).then_some(CloseGap::UnreadableOrders { count: unreadable }));
    }

    /// Takes the spend, if it was summed over the facts while the rows were read.
    pub fn set_spend(&mut self, spend: Spend) {
        self.spend = Some(spend);
    }

    /// Adds what the provider's list says about the input. Call it after the last outcome.
    ///
    /// # Errors
    /// When a total does not fit `DECIMAL(38,8)`, or the disk is full.
    pub fn add_completeness(&mut self, completeness: Completeness) -> Result<(), ReportError> {
        for (listed, past) in &completeness.unlisted {
            let judgement = judge_unlisted(listed, &self.brief.rules, self.brief.as_of);
            self.tally.summary.add_unlisted(&judgement)?;
            self.tally.unrepeated.note_unassessed(past.iter().filter(|past| !judgement.repeats(past)).count() as u64);
            self.waivers.extend(judgement.waivers);
            let order = listed.order().into();
            self.tally.add_discrepancies(None, &listed.run_order_id, order, judgement.findings, past)?;
        }
        self.tally.summary.factors.completeness_unknown = !completeness.is_known();
        self.tally.completeness = Some(completeness);
        Ok(())
    }

    /// Records how many earlier findings are about orders that are not in the input: they count as not assessed. Call
    /// it after the last outcome.
    pub fn set_findings_elsewhere(&mut self, findings: u64) {
        self.findings_elsewhere = findings;
        self.tally.unrepeated.note_unassessed(findings);
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
        let Self { brief, rows_read, facts, evidence_rows, waivers, findings_elsewhere, spend, tally } = self;
        evidence_rows.map_or(Ok(()), |rows| rows.finish(findings_elsewhere))?;
        if let Some(completeness) = &tally.completeness {
            completeness.write(&brief.folder)?;
        }
        let aggregate = |facts: &ProvenFile| match spend {
            Some(spend) => Ok(spend),
            None => spend::aggregate(facts, &brief.rules.days(), &check_wanted),
        };
        let (facts_rows, facts, spend) = match facts {
            Facts::Written(writer) => {
                let rows = writer.finish()?;
                let facts = Arc::new(written_facts(&brief)?);
                (rows, Some(Arc::clone(&facts)), aggregate(&facts)?)
            }
            Facts::There(facts) => (tally.facts, Some(Arc::clone(&facts)), aggregate(&facts)?),
            Facts::Elsewhere(summing) => {
                let (rows, spend) = summing.finish()?;
                (rows, None, spend)
            }
        };
        let (content, reasons) = tally.content(&brief, [rows_read, facts_rows], spend, &waivers)?;
        let Brief { folder, rules, options, .. } = &brief;
        let facts = facts.as_deref();
        let format_brief = FormatBrief { folder, options, rules, facts, check_wanted: &check_wanted };
        formats::write(&content, &format_brief)?;
        let Content { summary, exit_inputs, discrepancies, exceptions, resolved, .. } = content;
        let exceptions = exceptions.len();
        let lapsed = waivers.into_iter().filter(|(_, state)| state.is_lapsed()).collect();
        Ok(Report { summary, exit_inputs, discrepancies, exceptions, reasons, lapsed, resolved })
    }
}

/// The facts that were just written.
fn written_facts(brief: &Brief) -> Result<ProvenFile, ReportError> {
    let path = brief.folder.join(FACTS_FILE);
    let file = File::open(&path).map_err(|source| ReportError::io(&path, source))?;
    Ok(ProvenFile::new(path, file))
}

/// A finished report, as the terminal and the exit code need it.
#[derive(Debug)]
pub struct Report {
    /// The content of `summary.json`.
    pub summary: SummaryJson,
    /// The verdict, and whatever else the exit code depends on.
    pub exit_inputs: ExitInputs,
    /// Every failed check by input line, then those of orders that the input lacks.
    pub discrepancies: List<Discrepancy>,
    /// How many rows `exceptions.csv` has.
    pub exceptions: u64,
    /// Why orders could not be fetched, the most frequent reason first.
    pub reasons: Vec<ReasonCount>,
    /// The waivers that lapsed, each with its state: expired or changed.
    pub lapsed: Vec<(WaiverKey, WaiverState)>,
    /// The earlier discrepancies that are resolved.
    pub resolved: List<ResolvedFinding>,
}

#[cfg(test)]
mod tests;
