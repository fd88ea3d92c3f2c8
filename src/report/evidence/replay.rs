//! Reads the evidence of a report back from its folder, to rebuild the report or to judge it by other
//! settings.

use super::facts_read::{FactRow, FactsReader};
use super::rows::{EvidenceReader, Row, RowEvidence};
use super::spend::{Spend, SpendPart, SpendParts};
use crate::domain::days::Days;
use crate::domain::outcome::{Background, Evidence, Outcome};
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// One input row, as it was before it was judged.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum ReplayedRow<'f> {
    /// An order of which nothing is known but its facts.
    Facts(FactRow<'f>),
    /// Any other row.
    Outcome {
        /// The outcome of the row.
        outcome: Outcome,
        /// What else was known about its order.
        background: Background,
        /// The original judgement, if the order is in the facts: whether it was settled, and the code of its bucket.
        original_judgement: Option<(bool, String)>,
    },
}

/// What is known of the evidence once every row was read.
pub struct Replayed {
    /// How many earlier findings are about orders that are not in the input.
    pub findings_elsewhere: u64,
    /// The spend, summed over the facts as they are.
    pub spend: Option<Spend>,
}

/// Visits the rows of a report by input line, merged from its facts (`run_orders.parquet`) and the rows beside them
/// (`evidence.jsonl`). With `days`, a thread of its own sums the spend meanwhile.
///
/// # Errors
/// When a file can't be read or is not valid, and those of `visit`.
pub fn replay<E: From<ReportError>>(
    facts: &ProvenFile,
    evidence_rows: &ProvenFile,
    days: Option<Days>,
    mut visit: impl FnMut(ReplayedRow<'_>) -> Result<(), E>,
) -> Result<Replayed, E> {
    let mut reader = FactsReader::open(facts)?;
    let mut beside = Beside::open(evidence_rows)?;
    let mut summing = days.map(|days| SpendParts::on_a_thread(facts.path(), days)).transpose()?;
    let mut last_line = 0;
    while let Some(group) = reader.next()? {
        if let Some(summing) = &mut summing {
            summing.give(SpendPart::Orders(group.frame.clone()))?;
        }
        for fact in group.rows() {
            let fact = fact?;
            if fact.line <= last_line {
                let problem = format!("input line {} comes after line {last_line}", fact.line);
                return Err(ReportError::evidence(facts.path(), problem).into());
            }
            last_line = fact.line;
            while let Some(row) = beside.next_before(fact.line)? {
                visit(row)?;
            }
            visit(beside.complete(fact)?)?;
        }
    }
    while let Some(row) = beside.next_before(u64::MAX)? {
        visit(row)?;
    }
    beside.require_end()?;
    let findings_elsewhere = beside.reader.findings_elsewhere();
    let spend = summing.map(|mut summing| summing.end()).transpose()?;
    Ok(Replayed { findings_elsewhere, spend })
}

/// The rows beside the facts, of which the next one is read already.
struct Beside {
    reader: EvidenceReader,
    next: Option<Row>,
}

impl Beside {
    fn open(proven: &ProvenFile) -> Result<Self, ReportError> {
        let mut reader = EvidenceReader::open(proven)?;
        let next = reader.next()?;
        Ok(Self { reader, next })
    }

    /// The next row, if it is on a line before this one.
    fn next_before(&mut self, line: u64) -> Result<Option<ReplayedRow<'static>>, ReportError> {
        let Some(row) = self.next.take_if(|row| row.line < line) else { return Ok(None) };
        self.read_next(row.line)?;
        let (line, run_order_id) = (row.line, row.run_order_id.clone());
        let (row_evidence, background) = row.into_parts().map_err(|problem| self.reader.damage(problem))?;
        let RowEvidence::Outcome(evidence) = row_evidence else { return Err(self.contradiction(line)) };
        let outcome = Outcome { line, run_order_id, evidence };
        Ok(Some(ReplayedRow::Outcome { outcome, background, original_judgement: None }))
    }

    /// Adds to the facts of an order what is beside them.
    fn complete<'f>(&mut self, fact: FactRow<'f>) -> Result<ReplayedRow<'f>, ReportError> {
        let Some(row) = self.next.take_if(|row| row.line == fact.line) else { return Ok(ReplayedRow::Facts(fact)) };
        self.read_next(row.line)?;
        let run_order_id = row.run_order_id.clone();
        let (row_evidence, background) = row.into_parts().map_err(|problem| self.reader.damage(problem))?;
        let mut outcome = fact.outcome();
        match (row_evidence, &mut outcome.evidence) {
            (RowEvidence::Supplement { baseline, remarks }, Evidence::Fetched(fetched))
                if run_order_id == fact.run_order_id =>
            {
                (fetched.baseline, fetched.order.remarks) = (baseline, remarks);
            }
            _ => return Err(self.contradiction(fact.line)),
        }
        let original_judgement = Some((fact.settled, fact.bucket.to_owned()));
        Ok(ReplayedRow::Outcome { outcome, background, original_judgement })
    }

    /// Reads the row after the one on `line`.
    fn read_next(&mut self, line: u64) -> Result<(), ReportError> {
        self.next = self.reader.next()?;
        match &self.next {
            Some(next) if next.line <= line => {
                Err(self.reader.damage(format!("input line {} comes after line {line}", next.line)))
            }
            _ => Ok(()),
        }
    }

    /// Fails unless every row was read.
    fn require_end(&self) -> Result<(), ReportError> {
        self.next.as_ref().map_or(Ok(()), |row| Err(self.contradiction(row.line)))
    }

    fn contradiction(&self, line: u64) -> ReportError {
        self.reader.damage(format!("it does not agree with the facts of input line {line}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::super::facts::FactsWriter;
    use super::*;
    use crate::domain::facts::OrderFacts;
    use crate::domain::order::RunOrder;
    use crate::domain::outcome::Bucket;
    use crate::report::files::{EVIDENCE_FILE, FACTS_FILE};

    fn file(folder: &Path, name: &str) -> ProvenFile {
        let path = folder.join(name);
        let file = File::open(&path).expect("readable");
        ProvenFile::new(path, file)
    }

    /// The lines of a replay of facts on these lines and of rows without facts on those, or what is wrong.
    fn replayed(facts: &[u64], others: &[u64]) -> Result<Vec<u64>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = FactsWriter::create(&folder.path().join(FACTS_FILE)).expect("writable");
        for line in facts {
            let id = format!("wfrun_{line}");
            let order = RunOrder { run_order_id: Some(id.clone()), ..RunOrder::default() };
            writer.push(*line, &id, &OrderFacts::of(&order), false, Bucket::Pending, false).expect("writable");
        }
        writer.finish().expect("writable");
        let row = |line: &u64| {
            format!(
                r#"{{"line":{line},"run_order_id":"x","exception":{{"bucket":"rejected","reason":"no-id","detail":""}}}}"#
            )
        };
        let rows: String = others.iter().map(|line| row(line) + "\n").collect();
        fs::write(folder.path().join(EVIDENCE_FILE), rows).expect("writable");
        let mut lines = Vec::new();
        let (facts, beside) = (file(folder.path(), FACTS_FILE), file(folder.path(), EVIDENCE_FILE));
        let ended = replay(&facts, &beside, None, |row| {
            lines.push(match row {
                ReplayedRow::Facts(fact) => fact.line,
                ReplayedRow::Outcome { outcome, .. } => outcome.line,
            });
            Ok::<_, ReportError>(())
        });
        ended.map(|_| lines).map_err(|error| error.to_string())
    }

    #[test]
    fn rows_of_both_files_come_by_line() {
        assert_eq!(replayed(&[2, 5, 6], &[1, 3, 4, 9]), Ok(vec![1, 2, 3, 4, 5, 6, 9]));
        assert_eq!(replayed(&[], &[3]), Ok(vec![3]));
        assert_eq!(replayed(&[3], &[]), Ok(vec![3]));
    }

    #[test]
    fn lines_that_do_not_ascend_are_damage() {
        for (facts, others) in [(vec![2, 2], vec![]), (vec![3, 2], vec![]), (vec![], vec![4, 4]), (vec![9], vec![4, 3])]
        {
            let problem = replayed(&facts, &others).expect_err("damage");
            assert!(problem.contains("comes after line"), "{problem}");
        }
        let problem = replayed(&[2], &[2]).expect_err("a line can't have facts and none");
        assert!(problem.contains("does not agree with the facts of input line 2"), "{problem}");
    }
}
