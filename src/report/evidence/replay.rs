//! Reads the evidence of a report back from its folder, to rebuild the report or to judge it by other
//! settings.

use super::facts_read::{Fact, FactsReader};
use super::rows::{EvidenceReader, Row, RowEvidence};
use crate::domain::outcome::{Background, Evidence, Outcome};
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// One input row, as it was before it was judged.
#[derive(Debug)]
pub struct ReplayedRow {
    /// The outcome of the row.
    pub outcome: Outcome,
    /// What else was known about its order.
    pub background: Background,
    /// The original judgement, if the order is in the facts: whether it was settled, and the code of its
    /// bucket.
    pub original_judgement: Option<(bool, String)>,
}

/// Reads the evidence of a report row by row, by input line.
pub struct Replay {
    facts: FactsReader,
    fact: Option<Fact>,
    evidence_rows: EvidenceReader,
    row: Option<Row>,
}

impl Replay {
    /// Opens the evidence of a report: the facts (`run_orders.parquet`) and the rows beside them
    /// (`evidence.jsonl`).
    ///
    /// # Errors
    /// When a file can't be read or is not valid.
    pub fn open(facts: &ProvenFile, evidence_rows: &ProvenFile) -> Result<Self, ReportError> {
        let (mut facts, mut evidence_rows) = (FactsReader::open(facts)?, EvidenceReader::open(evidence_rows)?);
        let (fact, row) = (facts.next()?, evidence_rows.next()?);
        Ok(Self { facts, fact, evidence_rows, row })
    }

    /// How many earlier findings are about orders that are not in the input. It is known after the last row.
    #[must_use]
    pub fn findings_elsewhere(&self) -> u64 {
        self.evidence_rows.findings_elsewhere()
    }

    fn advance(&mut self) -> Result<Option<ReplayedRow>, ReportError> {
        let lines = (self.fact.as_ref().map(|fact| fact.outcome.line), self.row.as_ref().map(|row| row.line));
        let (takes_fact, takes_row) = match lines {
            (None, None) => return Ok(None),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(fact), Some(row)) => (fact <= row, row <= fact),
        };
        let fact = if takes_fact { std::mem::replace(&mut self.fact, self.facts.next()?) } else { None };
        let row = if takes_row { std::mem::replace(&mut self.row, self.evidence_rows.next()?) } else { None };
        let Some(row) = row else {
            return Ok(fact.map(|fact| row_from_facts(fact, Background::default())));
        };
        let (line, run_order_id) = (row.line, row.run_order_id.clone());
        let (row_evidence, background) = row.into_parts().map_err(|problem| self.evidence_rows.damage(problem))?;
        match (row_evidence, fact) {
            (RowEvidence::Outcome(evidence), None) => Ok(Some(ReplayedRow {
                outcome: Outcome { line, run_order_id, evidence },
                background,
                original_judgement: None,
            })),
            (RowEvidence::Supplement { baseline, remarks }, Some(mut fact))
                if fact.outcome.run_order_id == run_order_id =>
            {
                if let Evidence::Fetched(fetched) = &mut fact.outcome.evidence {
                    (fetched.baseline, fetched.order.remarks) = (baseline, remarks);
                }
                Ok(Some(row_from_facts(fact, background)))
            }
            _ => Err(self.evidence_rows.damage(format!("it does not agree with the facts of input line {line}"))),
        }
    }
}

/// The rows, merged from both files. An error means that a file is cut off or not valid.
impl Iterator for Replay {
    type Item = Result<ReplayedRow, ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

fn row_from_facts(fact: Fact, background: Background) -> ReplayedRow {
    ReplayedRow { outcome: fact.outcome, background, original_judgement: Some((fact.settled, fact.bucket)) }
}
