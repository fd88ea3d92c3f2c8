//! What was found when orders were last judged: what is new in the next report, what persists, what is resolved.
//!
//! What depends on the input (`checks::depends_on_input`) is kept for the series of the run's input, everything else for the order,
//! whatever input it is in. A run whose report is resumable may be continued: then its report is made again, as if for
//! the first time. So what was known before such a run is kept beside what it found, until another run judges the order.

use rusqlite::{Connection, Row, params_from_iter};

use super::cells::{Cells, Layout};
use super::error::{Problem, StoreError, sqlite};
use super::runs::{self, Providers, Run};
use super::seal::sealed;
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

/// What a report says of discrepancies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What it found.
    pub found: Vec<PastFinding>,
    /// What was found before and is resolved.
    pub resolved: Vec<PastFinding>,
}

/// One row: what one run says of one discrepancy.
struct Noted {
    series: String,
    run: RunId,
    /// Which job said it.
    start: i64,
    /// Whether it was found, and not resolved.
    stands: bool,
    finding: PastFinding,
}

impl Noted {
    fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &FINDINGS)?;
        cells.skip();
        let series = cells.required_text()?;
        let discrepancy_id = cells.required_text()?;
        let (run, start, stands) = (RunId(cells.required_integer()?), cells.required_integer()?, cells.flag()?);
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
        Ok(Self { series, run, start, stands, finding })
    }

    fn row(self, provider: i64) -> Vec<rusqlite::types::Value> {
        let finding = self.finding;
        sealed([
            provider.into(),
            self.series.into(),
            finding.discrepancy_id.into(),
            self.run.0.into(),
            self.start.into(),
            self.stands.into(),
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

/// What was found when an order was last judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFinding {
    /// What was found.
    pub finding: PastFinding,
    /// The number of the job that judged it: a row that an earlier job read says nothing of it.
    pub start: i64,
}

/// The series that a finding of a run belongs to: that of its input, or none.
fn series_of(check: &str, run: &Run) -> String {
    if depends_on_input(check) { run.begun.series() } else { String::new() }
}

impl Store {
    /// What other runs found that concerns that run, as each discrepancy was last judged.
    ///
    /// # Errors
    /// When the state can't be read, or does not hold all that was written.
    pub fn found_before(&self, run: RunId) -> Result<Vec<KnownFinding>, StoreError> {
        self.read(|connection| found_before(connection, &runs::one(connection, run)?))
    }
}

fn found_before(connection: &Connection, run: &Run) -> Result<Vec<KnownFinding>, Problem> {
    let failed = sqlite(READING);
    let providers = Providers::read(connection)?;
    let Some(provider) = providers.id(&run.begun.base_url) else {
        return Ok(Vec::new());
    };
    let query = format!(
        "SELECT {} FROM findings WHERE provider_id = ?1 ORDER BY series, discrepancy_id, start",
        FINDINGS.list("")
    );
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let mut rows = statement.query([provider]).map_err(failed)?;
    let (mut latest, mut read) = (Vec::<Noted>::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        let noted = Noted::read(row)?;
        read += 1;
        if noted.run == run.id || noted.series != series_of(&noted.finding.check, run) {
            continue;
        }
        let is_same = |last: &Noted| last.finding.discrepancy_id == noted.finding.discrepancy_id;
        match latest.last_mut().filter(|last| is_same(last)) {
            Some(last) => *last = noted,
            None => latest.push(noted),
        }
    }
    let written = providers.findings(provider);
    if read != written {
        let problem = format!("{read} are there, {written} were written");
        return Err(Problem::damaged("what was found before", problem));
    }
    let standing = latest.into_iter().filter(|noted| noted.stands);
    Ok(standing.map(|noted| KnownFinding { finding: noted.finding, start: noted.start }).collect())
}

/// Records what the report of a run says, in the place of what an earlier report of the run said.
pub(super) fn record(connection: &Connection, run: &Run, judged: Judged) -> Result<(), Problem> {
    let failed = sqlite(RECORDING);
    let mut providers = Providers::read(connection)?;
    let provider = runs::provider_of(connection, run.id, &providers)?;
    let mut count = providers.findings(provider);
    let own = "DELETE FROM findings WHERE provider_id = ?1 AND run_id = ?2";
    count = count.saturating_sub(connection.execute(own, (provider, run.id.0)).map_err(failed)? as u64);
    // Of the runs before, only the last that judged the order is needed; none, if this run is never continued.
    let others =
        "DELETE FROM findings WHERE provider_id = ?1 AND series = ?2 AND discrepancy_id = ?3 AND (?4 OR start <
                  (SELECT max(start) FROM findings WHERE provider_id = ?1 AND series = ?2 AND discrepancy_id = ?3))";
    let mut remove = connection.prepare(others).map_err(failed)?;
    let mut insert = connection.prepare(&FINDINGS.insert()).map_err(failed)?;
    let is_final = !run.is_resumable();
    let stand = judged.found.into_iter().map(|finding| (true, finding));
    for (stands, finding) in stand.chain(judged.resolved.into_iter().map(|finding| (false, finding))) {
        let series = series_of(&finding.check, run);
        let removed = remove.execute((provider, &series, &finding.discrepancy_id, is_final)).map_err(failed)?;
        count = count.saturating_sub(removed as u64);
        if stands || !is_final {
            let noted = Noted { series, run: run.id, start: run.start, stands, finding };
            insert.execute(params_from_iter(noted.row(provider))).map_err(failed)?;
            count += 1;
        }
    }
    providers.set_findings(provider, count);
    providers.write(connection)
}
