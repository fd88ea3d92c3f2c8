//! The evidence of a report, read back from its folder: what the same report, or another one, can be made from.

use super::facts_read::{Fact, FactsReader};
use super::rows::{EvidenceReader, Row, RowEvidence};
use crate::domain::outcome::{Background, Evidence, Outcome};
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// One row as it was before it was judged.
#[derive(Debug)]
pub struct Replayed {
    /// What became of it.
    pub outcome: Outcome,
    /// What else was known of its order.
    pub background: Background,
    /// What the facts say was judged of it then: whether it was settled, and its bucket.
    pub judged: Option<(bool, String)>,
}

/// Reads the evidence of a report by input line.
pub struct Replay {
    facts: FactsReader,
    fact: Option<Fact>,
    beside: EvidenceReader,
    row: Option<Row>,
}

impl Replay {
    /// Opens the evidence of a report: its facts, and what stands beside them.
    ///
    /// # Errors
    /// When a file is not what this program writes.
    pub fn open(facts: &ProvenFile, beside: &ProvenFile) -> Result<Self, ReportError> {
        let (mut facts, mut beside) = (FactsReader::open(facts)?, EvidenceReader::open(beside)?);
        let (fact, row) = (facts.next()?, beside.next()?);
        Ok(Self { facts, fact, beside, row })
    }

    /// How many findings of orders that are not in the input there were: known after the last row.
    #[must_use]
    pub fn findings_elsewhere(&self) -> u64 {
        self.beside.findings_elsewhere()
    }

    fn advance(&mut self) -> Result<Option<Replayed>, ReportError> {
        let lines = (self.fact.as_ref().map(|fact| fact.outcome.line), self.row.as_ref().map(|row| row.line));
        let (takes_fact, takes_row) = match lines {
            (None, None) => return Ok(None),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(fact), Some(row)) => (fact <= row, row <= fact),
        };
        let fact = if takes_fact { std::mem::replace(&mut self.fact, self.facts.next()?) } else { None };
        let row = if takes_row { std::mem::replace(&mut self.row, self.beside.next()?) } else { None };
        let Some(row) = row else {
            return Ok(fact.map(|fact| replayed(fact, Background::default())));
        };
        let (line, run_order_id) = (row.line, row.run_order_id.clone());
        let (told, background) = row.into_parts().map_err(|problem| self.beside.damage(problem))?;
        match (told, fact) {
            (RowEvidence::Outcome(evidence), None) => {
                Ok(Some(Replayed { outcome: Outcome { line, run_order_id, evidence }, background, judged: None }))
            }
            (RowEvidence::Beside { settled_as, remarks }, Some(mut fact))
                if fact.outcome.run_order_id == run_order_id =>
            {
                if let Evidence::Fetched(fetched) = &mut fact.outcome.evidence {
                    (fetched.settled_as, fetched.order.remarks) = (settled_as, remarks);
                }
                Ok(Some(replayed(fact, background)))
            }
            _ => Err(self.beside.damage(format!("it does not agree with the facts of input line {line}"))),
        }
    }
}

/// The rows, merged from both files. An error is that a file is cut or holds what no report has.
impl Iterator for Replay {
    type Item = Result<Replayed, ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

fn replayed(fact: Fact, background: Background) -> Replayed {
    Replayed { outcome: fact.outcome, background, judged: Some((fact.settled, fact.bucket)) }
}
