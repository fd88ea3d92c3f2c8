//! `evidence.jsonl`: the evidence that is not in `run_orders.parquet`, one JSON object per line, by input
//! line.
//!
//! It holds the rows without a fetched order, replies about a different order, our own books, and what
//! earlier runs contributed. With the other files of evidence, anyone can rebuild the report from it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::books::{Booking, Field};
use crate::domain::finding::PastFinding;
use crate::domain::listed::ListedAmounts;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Charge, Remarks, RunOrder};
use crate::domain::outcome::{Background, Bucket, CreatedBefore, Evidence, Fetched, Outcome, Reason};
use crate::report::ReportError;
use crate::report::files::{EVIDENCE_FILE, ProvenFile};

/// The longest line that is read back, in bytes: our books may carry an order on millions of rows.
const MAX_LINE: u64 = 1 << 30;

/// What is known about one input row besides its facts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::report) struct Row {
    pub(in crate::report) line: u64,
    pub(in crate::report) run_order_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exception: Option<ExceptionRow>,
    /// The order that the reply was about, where it was not the requested one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other_order: Option<OrderRow>,
    /// The figures of the order's first settled state (its baseline), where its state has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled_as: Option<ChargeRow>,
    /// Whatever else in the reply a finding may name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remarks: Option<Box<Remarks>>,
    /// The rows of our own books that carry the order, where the books are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bookings: Vec<BookingRow>,
    /// The amounts in the provider's list, where they differ from the order's own or the order has earlier
    /// findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<ListedRow>,
    /// The order's last known state, where it was once settled and the provider no longer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_seen: Option<OrderRow>,
    /// When the order was created, as it was last seen, if that has changed since; empty if it had no such time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_before: Option<String>,
    /// The findings from when the order was last judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    found_before: Vec<PastFinding>,
    /// The `discrepancy_id` of each of those findings that is by a later job than the one that fetched this
    /// row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    found_later: Vec<String>,
}

/// The last line of the file: how many earlier findings are about orders that are not in the input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingsElsewhere {
    findings_elsewhere: u64,
}

/// A line of the file.
enum Line {
    FindingsElsewhere(FindingsElsewhere),
    Row(Box<Row>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedRow {
    quote_amount: Option<String>,
    final_amount: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookingRow {
    line: u64,
    /// The cells as they are in the input, by field.
    cells: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionRow {
    bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_line: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargeRow {
    quote_currency: Option<String>,
    quote_amount: Option<String>,
    final_amount: Option<String>,
    released_amount: Option<String>,
    compute_cost: Option<String>,
    external_model_cost: Option<String>,
    total_cost: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OrderRow {
    run_order_id: Option<String>,
    workflow_id: Option<String>,
    revision_id: Option<String>,
    #[serde(flatten)]
    charge: ChargeRow,
    freeze_status: Option<String>,
    submission_status: Option<String>,
    run_status: Option<String>,
    settlement_status: Option<String>,
    task_id: Option<String>,
    prompt_id: Option<String>,
    error_code: Option<String>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// Writes the file row by row.
pub(in crate::report) struct EvidenceWriter {
    path: PathBuf,
    out: BufWriter<File>,
}

impl EvidenceWriter {
    pub(in crate::report) fn create(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join(EVIDENCE_FILE);
        let file = File::create(&path).map_err(|source| ReportError::io(&path, source))?;
        Ok(Self { path, out: BufWriter::new(file) })
    }

    /// Writes one row, unless its facts say all there is.
    pub(in crate::report) fn push(
        &mut self,
        outcome: &Outcome,
        foreign: bool,
        background: &Background,
    ) -> Result<(), ReportError> {
        if !Row::is_needed(outcome, foreign, background) {
            return Ok(());
        }
        let row = Row::of(outcome, foreign, background);
        let failed = |source| ReportError::io(&self.path, source);
        serde_json::to_writer(&mut self.out, &row).map_err(|error| failed(error.into()))?;
        self.out.write_all(b"\n").map_err(failed)
    }

    /// Ends the file, with a last line for earlier findings about orders that are not in the input, if there
    /// are any.
    pub(in crate::report) fn finish(mut self, findings_elsewhere: u64) -> Result<(), ReportError> {
        let failed = |source| ReportError::io(&self.path, source);
        if findings_elsewhere > 0 {
            let line = FindingsElsewhere { findings_elsewhere };
            serde_json::to_writer(&mut self.out, &line).map_err(|error| failed(error.into()))?;
            self.out.write_all(b"\n").map_err(failed)?;
        }
        self.out.flush().map_err(failed)
    }
}

impl Row {
    fn of(outcome: &Outcome, foreign: bool, background: &Background) -> Self {
        let mut row = Self {
            line: outcome.line,
            run_order_id: outcome.run_order_id.clone(),
            exception: None,
            other_order: None,
            settled_as: None,
            remarks: None,
            bookings: background.bookings.iter().map(BookingRow::of).collect(),
            listed: None,
            last_seen: background.last_seen.as_deref().map(OrderRow::of),
            created_before: background
                .created_before
                .map(|CreatedBefore(time)| time.map(|time| time.to_string()).unwrap_or_default()),
            found_before: background.past_findings.clone(),
            found_later: background.later_finding_ids.clone(),
        };
        let exception = |bucket: Bucket, reason: &Reason| ExceptionRow {
            bucket: bucket.code().to_owned(),
            reason: Some(reason.code.clone()),
            detail: Some(reason.detail.clone()),
            first_line: None,
        };
        match &outcome.evidence {
            Evidence::Fetched(fetched) => {
                row.other_order = foreign.then(|| OrderRow::of(&fetched.order));
                row.remarks = fetched.order.remarks.clone().filter(|_| !foreign);
                row.settled_as = fetched.baseline.as_ref().map(ChargeRow::of);
                row.listed = listed_apart(fetched, background).map(ListedRow::of);
            }
            Evidence::NotFound(reason) => row.exception = Some(exception(Bucket::NotFound, reason)),
            Evidence::Refused(reason) => row.exception = Some(exception(Bucket::Refused, reason)),
            Evidence::Malformed(reason) => row.exception = Some(exception(Bucket::Malformed, reason)),
            Evidence::Unfetched(reason) => row.exception = Some(exception(Bucket::Unfetched, reason)),
            Evidence::Rejected(reason) => row.exception = Some(exception(Bucket::Rejected, reason)),
            Evidence::Duplicate { first_line } => {
                row.exception = Some(ExceptionRow {
                    bucket: Bucket::Duplicate.code().to_owned(),
                    reason: None,
                    detail: None,
                    first_line: Some(*first_line),
                });
            }
        }
        row
    }

    /// Whether there is more to say of a row than its facts do.
    fn is_needed(outcome: &Outcome, foreign: bool, background: &Background) -> bool {
        let Evidence::Fetched(fetched) = &outcome.evidence else { return true };
        foreign
            || fetched.baseline.is_some()
            || fetched.order.remarks.is_some()
            || !background.bookings.is_empty()
            || listed_apart(fetched, background).is_some()
            || background.last_seen.is_some()
            || background.created_before.is_some()
            || !background.past_findings.is_empty()
    }

    /// The evidence of the row, and what else was known about its order.
    pub(in crate::report) fn into_parts(self) -> Result<(RowEvidence, Background), String> {
        let bookings = self.bookings.into_iter().map(BookingRow::booking).collect::<Result<_, _>>()?;
        let listed = self.listed.map(ListedRow::amounts).transpose()?;
        let last_seen = self.last_seen.map(OrderRow::order).transpose()?.map(Box::new);
        let (past_findings, later_finding_ids) = (self.found_before, self.found_later);
        let created_before = self.created_before.as_deref().map(created_before).transpose()?;
        let background = Background { bookings, listed, past_findings, later_finding_ids, last_seen, created_before };
        let row_evidence = match (self.exception, self.other_order) {
            (Some(exception), None) if self.settled_as.is_none() && self.remarks.is_none() => {
                RowEvidence::Outcome(exception.evidence()?)
            }
            (None, Some(order)) => {
                let baseline = self.settled_as.map(ChargeRow::charge).transpose()?;
                let fetched = Fetched { order: order.order()?, is_reused: false, baseline };
                RowEvidence::Outcome(Evidence::Fetched(Box::new(fetched)))
            }
            (None, None) => {
                let baseline = self.settled_as.map(ChargeRow::charge).transpose()?;
                RowEvidence::Supplement { baseline, remarks: self.remarks }
            }
            _ => return Err("a row is both an exception and an order".to_owned()),
        };
        Ok((row_evidence, background))
    }
}

/// The order's amounts in the provider's list, if they differ from those of the order, or earlier findings may need them.
fn listed_apart(fetched: &Fetched, background: &Background) -> Option<ListedAmounts> {
    let Amounts { quote_amount, final_amount, .. } = fetched.order.amounts;
    let detailed = ListedAmounts { quote_amount, final_amount };
    background.listed.filter(|listed| *listed != detailed || !background.past_findings.is_empty())
}

/// How much of its outcome a row of the file holds.
pub(in crate::report) enum RowEvidence {
    /// The whole outcome: the row has no facts.
    Outcome(Evidence),
    /// Only what is not in the order's facts.
    Supplement {
        /// The figures of the order's first settled state (its baseline), where its state has changed since.
        baseline: Option<Charge>,
        /// Whatever else in the reply a finding may name.
        remarks: Option<Box<Remarks>>,
    },
}

impl ExceptionRow {
    fn evidence(self) -> Result<Evidence, String> {
        let kind = match self.bucket.as_str() {
            "not_found" => Evidence::NotFound,
            "refused" => Evidence::Refused,
            "malformed" => Evidence::Malformed,
            "unfetched" => Evidence::Unfetched,
            "rejected" => Evidence::Rejected,
            "duplicate" => {
                let first_line = self.first_line.ok_or("a duplicate has no first_line")?;
                return Ok(Evidence::Duplicate { first_line });
            }
            other => return Err(format!("{other:?} is not a bucket of exceptions")),
        };
        let code = self.reason.ok_or("an exception has no reason")?;
        Ok(kind(Reason { code, detail: self.detail.unwrap_or_default() }))
    }
}

impl ListedRow {
    fn of(listed: ListedAmounts) -> Self {
        let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
        Self { quote_amount: text(listed.quote_amount), final_amount: text(listed.final_amount) }
    }

    fn amounts(self) -> Result<ListedAmounts, String> {
        Ok(ListedAmounts { quote_amount: amount(self.quote_amount)?, final_amount: amount(self.final_amount)? })
    }
}

impl BookingRow {
    fn of(booking: &Booking) -> Self {
        let cells = booking.cells.iter().map(|(field, text)| (field.name().to_owned(), text.clone()));
        Self { line: booking.line, cells: cells.collect() }
    }

    fn booking(self) -> Result<Booking, String> {
        let cell = |(name, text): (String, String)| {
            let field = Field::named(&name).filter(|field| field.name() == name);
            Ok((field.ok_or_else(|| format!("{name:?} is not a field of our books"))?, text))
        };
        Ok(Booking { line: self.line, cells: self.cells.into_iter().map(cell).collect::<Result<_, String>>()? })
    }
}

impl ChargeRow {
    fn of(charge: &Charge) -> Self {
        let [quote, charged, released, compute, external, total] =
            charge.amounts.in_order().map(|amount| amount.map(|amount| amount.to_string()));
        Self {
            quote_currency: charge.currency.clone(),
            quote_amount: quote,
            final_amount: charged,
            released_amount: released,
            compute_cost: compute,
            external_model_cost: external,
            total_cost: total,
        }
    }

    fn charge(self) -> Result<Charge, String> {
        let amounts = [
            self.quote_amount,
            self.final_amount,
            self.released_amount,
            self.compute_cost,
            self.external_model_cost,
            self.total_cost,
        ];
        let mut read = [None; Amounts::NAMES.len()];
        for (to, text) in read.iter_mut().zip(amounts) {
            *to = amount(text)?;
        }
        Ok(Charge { currency: self.quote_currency, amounts: Amounts::from_order(read) })
    }
}

impl OrderRow {
    fn of(order: &RunOrder) -> Self {
        Self {
            run_order_id: order.run_order_id.clone(),
            workflow_id: order.workflow_id.clone(),
            revision_id: order.revision_id.clone(),
            charge: ChargeRow::of(&order.charge()),
            freeze_status: order.freeze_status.clone(),
            submission_status: order.submission_status.clone(),
            run_status: order.run_status.clone(),
            settlement_status: order.settlement_status.clone(),
            task_id: order.task_id.clone(),
            prompt_id: order.prompt_id.clone(),
            error_code: order.error_code.clone(),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }

    fn order(self) -> Result<RunOrder, String> {
        let Charge { currency, amounts } = self.charge.charge()?;
        Ok(RunOrder {
            run_order_id: self.run_order_id,
            workflow_id: self.workflow_id,
            revision_id: self.revision_id,
            quote_currency: currency,
            amounts,
            freeze_status: self.freeze_status,
            submission_status: self.submission_status,
            run_status: self.run_status,
            settlement_status: self.settlement_status,
            task_id: self.task_id,
            prompt_id: self.prompt_id,
            error_code: self.error_code,
            created_at: self.created_at,
            updated_at: self.updated_at,
            // Not kept: no check that uses them judges a different order, or one that the provider no longer
            // knows.
            remarks: None,
        })
    }
}

/// When an order was created, as it was last seen.
fn created_before(text: &str) -> Result<CreatedBefore, String> {
    let time = (!text.is_empty()).then(|| text.parse()).transpose();
    time.map(CreatedBefore).map_err(|_| format!("created_before {text:?} is not a time"))
}

/// Parses an amount of the evidence, where there is one.
pub(in crate::report) fn amount(text: Option<String>) -> Result<Option<Amount>, String> {
    text.map(|text| Amount::parse(&text).map_err(|error| error.to_string())).transpose()
}

/// Reads the file back row by row.
pub(in crate::report) struct EvidenceReader {
    path: PathBuf,
    lines: BufReader<File>,
    number: u64,
    findings_elsewhere: Option<u64>,
}

impl EvidenceReader {
    pub(in crate::report) fn open(proven: &ProvenFile) -> Result<Self, ReportError> {
        let path = proven.path().to_owned();
        let file = proven.reader().map_err(|source| ReportError::io(&path, source))?;
        Ok(Self { path, lines: BufReader::new(file), number: 0, findings_elsewhere: None })
    }

    pub(in crate::report) fn damage(&self, problem: impl Into<String>) -> ReportError {
        let problem = format!("line {}: {}", self.number, problem.into());
        ReportError::Evidence { path: self.path.clone(), problem }
    }

    /// The next row; `None` after the last one.
    pub(in crate::report) fn next(&mut self) -> Result<Option<Row>, ReportError> {
        match self.line()? {
            None => Ok(None),
            Some(Line::Row(row)) if self.findings_elsewhere.is_none() => Ok(Some(*row)),
            Some(Line::FindingsElsewhere(FindingsElsewhere { findings_elsewhere }))
                if self.findings_elsewhere.is_none() =>
            {
                self.findings_elsewhere = Some(findings_elsewhere);
                self.next()
            }
            Some(_) => Err(self.damage("the line findings_elsewhere is not the last")),
        }
    }

    /// How many earlier findings are about orders that are not in the input. It is known after the last row.
    pub(in crate::report) fn findings_elsewhere(&self) -> u64 {
        self.findings_elsewhere.unwrap_or(0)
    }

    fn line(&mut self) -> Result<Option<Line>, ReportError> {
        let mut text = Vec::new();
        let mut limited = std::io::Read::take(&mut self.lines, MAX_LINE);
        let read = limited.read_until(b'\n', &mut text).map_err(|source| ReportError::io(&self.path, source))?;
        self.number += 1;
        if read == 0 {
            return Ok(None);
        }
        if text.last() != Some(&b'\n') {
            return Err(self.damage("it is cut off or too long"));
        }
        // Chosen by the first member, so that the error of a damaged row says what is wrong with that row.
        let line = if text.starts_with(b"{\"findings_elsewhere\"") {
            serde_json::from_slice(&text).map(Line::FindingsElsewhere)
        } else {
            serde_json::from_slice(&text).map(|row| Line::Row(Box::new(row)))
        };
        line.map(Some).map_err(|error| self.damage(error.to_string()))
    }
}
