//! The discrepancies that were found when orders were last judged. They decide what is new, persisting or resolved in
//! the next report.
//!
//! Findings of checks that depend on the input (`checks::depends_on_input`) are kept per series of inputs, all others
//! per order, whatever input it is in. A run whose report is resumable may be continued, and then reports again as if
//! for the first time. So what was known before such a run is kept beside what it found, until another run judges the
//! order.

use rusqlite::{Connection, Row, params_from_iter};

use super::cells::{Cells, Layout};
use super::error::{Problem, StoreError, io, sqlite};
use super::runs::{self, Providers, Run};
use super::seal::with_checksum;
use super::{RunId, Store};
use crate::checks::depends_on_input;
use crate::domain::finding::PastFinding;

static FINDINGS: Layout = Layout {
    table: "findings",
    columns: &[
        "provider_id",
        "series",
        "discrepancy_id",
        "run_id",
        "start",
        "stands",
        "run_order_id",
        "check_code",
        "field",
        "row",
        "severity",
        "currency",
        "expected",
        "actual",
        "difference",
    ],
};

const READING: &str = "read the discrepancies in";
const RECORDING: &str = "record the discrepancies in";

/// The discrepancies of a report, as later reports need to know them.
pub struct ReportFindings<'f> {
    /// The discrepancies that were found.
    pub found: Box<dyn Iterator<Item = PastFinding> + 'f>,
    /// Earlier discrepancies that are resolved.
    pub resolved: Box<dyn Iterator<Item = PastFinding> + 'f>,
    /// How many there are in both: with fewer, nothing is recorded.
    pub count: u64,
}

/// One row: how one run judged one discrepancy.
struct FindingRow {
    series: String,
    run: RunId,
    /// The number of the job that judged it.
    job: i64,
    /// Whether it was found; if not, it was resolved.
    is_found: bool,
    finding: PastFinding,
}

impl FindingRow {
    fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &FINDINGS)?;
        cells.skip();
        let series = cells.required_text()?;
        let discrepancy_id = cells.required_text()?;
        let (run, job, is_found) = (RunId(cells.required_integer()?), cells.required_integer()?, cells.flag()?);
        let finding = PastFinding {
            discrepancy_id,
            run_order_id: cells.required_text()?,
            check: cells.required_text()?,
            field: cells.text()?,
            row: cells.required_count()?,
            severity: cells.required_text()?,
            currency: cells.text()?,
            expected: cells.required_text()?,
            actual: cells.required_text()?,
            difference: cells.text()?,
        };
        Ok(Self { series, run, job, is_found, finding })
    }

    fn values(self, provider: i64) -> Vec<rusqlite::types::Value> {
        let finding = self.finding;
        with_checksum([
            provider.into(),
            self.series.into(),
            finding.discrepancy_id.into(),
            self.run.0.into(),
            self.job.into(),
            self.is_found.into(),
            finding.run_order_id.into(),
            finding.check.into(),
            finding.field.into(),
            i64::try_from(finding.row).unwrap_or(i64::MAX).into(),
            finding.severity.into(),
            finding.currency.into(),
            finding.expected.into(),
            finding.actual.into(),
            finding.difference.into(),
        ])
    }
}

/// A discrepancy that was found when its order was last judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFinding {
    /// The discrepancy as it was found.
    pub finding: PastFinding,
    /// The number of the job that judged it. A row that an earlier job read can't tell whether it still holds.
    pub job: i64,
}

/// The series that a finding is kept under: that of the run's input, or empty if the check does not depend on it.
fn series_of(check: &str, run: &Run) -> String {
    if depends_on_input(check) { run.setup.series() } else { String::new() }
}

impl Store {
    /// The findings of other runs that concern `run`: discrepancies that stood when they were last judged.
    ///
    /// # Errors
    /// When the state can't be read, or rows that were written are missing.
    pub fn earlier_findings(&self, run: RunId) -> Result<Vec<KnownFinding>, StoreError> {
        self.read(|connection| earlier_findings(connection, &runs::one(connection, run)?))
    }
}

fn earlier_findings(connection: &Connection, run: &Run) -> Result<Vec<KnownFinding>, Problem> {
    let failed = sqlite(READING);
    let providers = Providers::read(connection)?;
    let Some(provider) = providers.id(&run.setup.base_url) else {
        return Ok(Vec::new());
    };
    let query = format!(
        "SELECT {} FROM findings WHERE provider_id = ?1 ORDER BY series, discrepancy_id, start",
        FINDINGS.list("")
    );
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let mut rows = statement.query([provider]).map_err(failed)?;
    let (mut latest, mut read) = (Vec::<FindingRow>::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        let finding_row = FindingRow::read(row)?;
        read += 1;
        if finding_row.run == run.id || finding_row.series != series_of(&finding_row.finding.check, run) {
            continue;
        }
        let is_same = |last: &FindingRow| last.finding.discrepancy_id == finding_row.finding.discrepancy_id;
        match latest.last_mut().filter(|last| is_same(last)) {
            Some(last) => *last = finding_row,
            None => latest.push(finding_row),
        }
    }
    let written = providers.findings(provider);
    if read != written {
        let problem = format!("{read} found, {written} were written");
        return Err(Problem::damaged("the findings of earlier runs", problem));
    }
    let found = latest.into_iter().filter(|row| row.is_found);
    Ok(found.map(|row| KnownFinding { finding: row.finding, job: row.job }).collect())
}

/// Records the discrepancies of a run's report, replacing those of the run's earlier report.
pub(super) fn record(connection: &Connection, run: &Run, findings: ReportFindings<'_>) -> Result<(), Problem> {
    let failed = sqlite(RECORDING);
    let mut providers = Providers::read(connection)?;
    let provider = runs::provider_of(connection, run.id, &providers)?;
    let mut count = providers.findings(provider);
    let own = "DELETE FROM findings WHERE provider_id = ?1 AND run_id = ?2";
    count = count.saturating_sub(connection.execute(own, (provider, run.id.0)).map_err(failed)? as u64);
    // Of earlier runs only the last one that judged a discrepancy is needed; none, if this run is never continued.
    let others =
        "DELETE FROM findings WHERE provider_id = ?1 AND series = ?2 AND discrepancy_id = ?3 AND (?4 OR start <
                  (SELECT max(start) FROM findings WHERE provider_id = ?1 AND series = ?2 AND discrepancy_id = ?3))";
    let mut remove = connection.prepare(others).map_err(failed)?;
    let mut insert = connection.prepare(&FINDINGS.insert()).map_err(failed)?;
    let is_final = !run.is_resumable();
    let mut recorded = 0;
    let found = findings.found.map(|finding| (true, finding));
    for (is_found, finding) in found.chain(findings.resolved.map(|finding| (false, finding))) {
        recorded += 1;
        let series = series_of(&finding.check, run);
        let removed = remove.execute((provider, &series, &finding.discrepancy_id, is_final)).map_err(failed)?;
        count = count.saturating_sub(removed as u64);
        if is_found || !is_final {
            let row = FindingRow { series, run: run.id, job: run.job, is_found, finding };
            insert.execute(params_from_iter(row.values(provider))).map_err(failed)?;
            count += 1;
        }
    }
    if recorded != findings.count {
        let lost = format!("{recorded} of {} can be read back", findings.count);
        return Err(io(RECORDING)(std::io::Error::other(lost)));
    }
    providers.set_findings(provider, count);
    providers.write(connection)
}
