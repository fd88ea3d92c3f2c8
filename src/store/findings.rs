//! What a report found, kept for the report after it: what is new there, what persists, what is resolved.

use std::path::Path;

use rusqlite::{Connection, params_from_iter};

use super::cells::{Cells, Damage, Layout};
use super::error::{StoreError, sqlite};
use super::seal::sealed;
use super::{RunId, Store};
use crate::domain::finding::PastFinding;

static FINDINGS: Layout = Layout {
    table: "findings",
    columns: &[
        "run_id",
        "discrepancy_id",
        "run_order_id",
        "check_code",
        "severity",
        "currency",
        "expected",
        "actual",
        "difference",
    ],
};

impl Store {
    /// The discrepancies of the last report of that run, by their IDs.
    ///
    /// # Errors
    /// When the state can't be read, or does not hold them all.
    pub fn findings(&self, run: RunId) -> Result<Vec<PastFinding>, StoreError> {
        let failed = || sqlite(&self.path, "read the discrepancies in");
        let written = self.run(run)?.reported.map_or(0, |report| report.findings);
        let query = format!("SELECT {} FROM findings WHERE run_id = ?1 ORDER BY discrepancy_id", FINDINGS.list(""));
        let mut statement = self.connection.prepare(&query).map_err(failed())?;
        let mut rows = statement.query([run.0]).map_err(failed())?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let read = |row| -> Result<PastFinding, Damage> {
                let mut cells = Cells::open(row, 0, &FINDINGS)?;
                cells.skip();
                Ok(PastFinding {
                    discrepancy_id: cells.required_text()?,
                    run_order_id: cells.required_text()?,
                    check: cells.required_text()?,
                    severity: cells.required_text()?,
                    currency: cells.text()?,
                    expected: cells.required_text()?,
                    actual: cells.required_text()?,
                    difference: cells.text()?,
                })
            };
            findings.push(read(row).map_err(|damage| damage.at(&self.path))?);
        }
        if findings.len() as u64 != written {
            let problem = format!("{} are there, {written} were written", findings.len());
            return Err(Damage::new(format!("the discrepancies of run {run}"), problem).at(&self.path));
        }
        Ok(findings)
    }
}

/// Puts the discrepancies of a report in the place of those of an earlier report of the run.
pub(super) fn replace(
    connection: &Connection,
    path: &Path,
    run: RunId,
    findings: Vec<PastFinding>,
) -> Result<(), StoreError> {
    let failed = || sqlite(path, "record the discrepancies in");
    connection.execute("DELETE FROM findings WHERE run_id = ?1", [run.0]).map_err(failed())?;
    let mut insert = connection.prepare(&FINDINGS.insert()).map_err(failed())?;
    for finding in findings {
        let row = sealed([
            run.0.into(),
            finding.discrepancy_id.into(),
            finding.run_order_id.into(),
            finding.check.into(),
            finding.severity.into(),
            finding.currency.into(),
            finding.expected.into(),
            finding.actual.into(),
            finding.difference.into(),
        ]);
        insert.execute(params_from_iter(row)).map_err(failed())?;
    }
    Ok(())
}
