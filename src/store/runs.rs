//! Runs and providers: how each run began, what it reported, and how it ended.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::cells::{Cells, Layout, integer};
use super::error::{Problem, sqlite};
use super::rows;
use super::seal::with_checksum;
use super::{NewRun, RunId};

static RUNS: Layout = Layout {
    table: "runs",
    columns: &[
        "run_id",
        "base_url",
        "input_place",
        "input_name",
        "input_sha256",
        "rows",
        "reading",
        "settings",
        "as_of",
        "started_at",
        "start",
        "ended_at",
        "ending",
        "announced",
        "destination",
        "dataset",
        "first_reported_at",
        "verdict",
        "resumable",
        "manifest_sha256",
        "report",
        "remembered",
        "pruned",
    ],
};

static PROVIDERS: Layout = Layout {
    table: "providers",
    columns: &["provider_id", "base_url", "orders", "buckets", "next_bucket", "findings"],
};

const REPORTED: &str = "reported";
const GIVEN_UP: &str = "given-up";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a report.
    Reported,
    /// Without a report, never to be continued: the replies were not the API's, the input changed, or it was abandoned
    /// and pruned.
    GivenUp,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// The verdict's code, such as `reconciled`.
    pub verdict: String,
    /// Whether continuing the run may fetch what the report lacks.
    pub is_resumable: bool,
    /// The SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
    /// The folder it was published in.
    pub folder: String,
    /// When the run made its first report.
    pub first_at: Timestamp,
}

/// A run as the state records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What was known when it began.
    pub setup: NewRun,
    /// The number of the job that began or last continued it. The jobs on a state are numbered consecutively.
    pub(super) job: i64,
    /// When and how it ended; `None` while it is running, or if it was killed or stopped.
    pub ended: Option<(Timestamp, Ending)>,
    /// Its latest report, if it made one. It is kept while the run is continued.
    pub report: Option<RunReport>,
    /// The SHA-256 of the manifest of each of its reports, in hex, the latest one last. A hash is recorded before its
    /// report is published; each report replaces the previous one.
    pub manifests: Vec<String>,
    /// Where its latest report was to be published: in a subfolder of this folder, or as this folder.
    pub destination: Option<String>,
    /// The dataset that its latest report was to be appended to.
    pub dataset: Option<String>,
    /// Whether its outcomes were removed.
    pub is_pruned: bool,
    pub(super) is_remembered: bool,
}

impl Run {
    /// The number of the job that began or last continued it.
    #[must_use]
    pub const fn last_job(&self) -> i64 {
        self.job
    }

    /// Whether the manifest is that of one of its reports: published, announced and perhaps published, or incomplete
    /// and replaced later (it still exists if its folder was renamed).
    #[must_use]
    pub fn wrote(&self, manifest_sha256: &str) -> bool {
        self.manifests.iter().any(|manifest| manifest == manifest_sha256)
    }

    /// The manifest that was announced, but not recorded as published.
    #[must_use]
    pub fn unrecorded(&self) -> Option<&str> {
        let last = self.manifests.last().filter(|_| self.ended.is_none())?;
        let is_recorded = self.report.as_ref().is_some_and(|report| report.manifest_sha256 == *last);
        (!is_recorded).then_some(last)
    }

    pub(super) fn begin(id: RunId, setup: NewRun, job: i64) -> Self {
        Self {
            id,
            setup,
            job,
            ended: None,
            report: None,
            manifests: Vec::new(),
            destination: None,
            dataset: None,
            is_pruned: false,
            is_remembered: false,
        }
    }

    /// Whether it may be continued: it has not ended, or its report lacks what continuing it may fetch.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.ended {
            None => true,
            Some((_, Ending::Reported)) => self.is_resumable() && !self.is_pruned,
            Some((_, Ending::GivenUp)) => false,
        }
    }

    pub(super) fn is_resumable(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.is_resumable)
    }

    fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &RUNS)?;
        let id = RunId(cells.required_integer()?);
        let setup = NewRun {
            base_url: cells.required_text()?,
            input_place: cells.required_text()?,
            input_name: cells.required_text()?,
            input_sha256: cells.required_text()?,
            rows: cells.required_count()?,
            reading: cells.required_text()?,
            settings: cells.required_text()?,
            as_of: cells.required_time()?,
            started_at: cells.required_time()?,
        };
        let job = cells.required_integer()?;
        let (ended_at, ending) = (cells.time()?, cells.text()?);
        let announced = cells.text()?.unwrap_or_default();
        let manifests = announced.split_ascii_whitespace().map(str::to_owned).collect();
        let (destination, dataset) = (cells.text()?, cells.text()?);
        let (first_at, verdict, is_resumable) = (cells.time()?, cells.text()?, cells.flag()?);
        let (manifest, folder) = (cells.text()?, cells.text()?);
        let ended = match (ended_at, ending.as_deref()) {
            (None, None) => None,
            (Some(at), Some(REPORTED)) => Some((at, Ending::Reported)),
            (Some(at), Some(GIVEN_UP)) => Some((at, Ending::GivenUp)),
            _ => return Err(cells.damage("its ending is unknown")),
        };
        let report = match (first_at, verdict, manifest, folder) {
            (None, None, None, None) => None,
            (Some(first_at), Some(verdict), Some(manifest_sha256), Some(folder)) => {
                Some(RunReport { verdict, is_resumable, manifest_sha256, folder, first_at })
            }
            _ => return Err(cells.damage("only half of its report is recorded")),
        };
        let (is_remembered, is_pruned) = (cells.flag()?, cells.flag()?);
        Ok(Self { id, setup, job, ended, report, manifests, destination, dataset, is_pruned, is_remembered })
    }

    fn row(&self) -> Result<Vec<Value>, Problem> {
        let setup = self.setup.clone();
        let (ended_at, ending) = self.ended.unzip();
        let ending = ending.map(|ending| match ending {
            Ending::Reported => REPORTED.to_owned(),
            Ending::GivenUp => GIVEN_UP.to_owned(),
        });
        let report = self.report.as_ref();
        let text = |of: fn(&RunReport) -> &String| report.map(|report| of(report).clone()).into();
        Ok(with_checksum([
            self.id.0.into(),
            setup.base_url.into(),
            setup.input_place.into(),
            setup.input_name.into(),
            setup.input_sha256.into(),
            integer("rows", setup.rows)?.into(),
            setup.reading.into(),
            setup.settings.into(),
            setup.as_of.as_microsecond().into(),
            setup.started_at.as_microsecond().into(),
            self.job.into(),
            ended_at.map(Timestamp::as_microsecond).into(),
            ending.into(),
            (!self.manifests.is_empty()).then(|| self.manifests.join(" ")).into(),
            self.destination.clone().into(),
            self.dataset.clone().into(),
            report.map(|report| report.first_at.as_microsecond()).into(),
            text(|report| &report.verdict),
            self.is_resumable().into(),
            text(|report| &report.manifest_sha256),
            text(|report| &report.folder),
            self.is_remembered.into(),
            self.is_pruned.into(),
        ]))
    }
}

/// The number of the next job on this state.
pub(super) fn next_job(runs: &[Run]) -> i64 {
    runs.iter().map(|run| run.job).max().unwrap_or(0) + 1
}

/// Every run, the first one first. Their numbers have no gaps, and SQLite keeps the last one in a table of its own, so
/// a missing run is always noticed.
pub(super) fn all(connection: &Connection) -> Result<Vec<Run>, Problem> {
    let failed = sqlite("read the runs in");
    let query = format!("SELECT {} FROM runs ORDER BY run_id", RUNS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let mut rows = statement.query(()).map_err(failed)?;
    let mut runs: Vec<Run> = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let run = Run::read(row)?;
        if run.id.0 != i64::try_from(runs.len()).unwrap_or(i64::MAX) + 1 {
            return Err(Problem::damaged(format!("run {}", runs.len() + 1), "it is missing"));
        }
        runs.push(run);
    }
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'runs'";
    let last: Option<i64> = connection.query_row(query, (), |row| row.get(0)).optional().map_err(failed)?;
    if last.unwrap_or(0) != i64::try_from(runs.len()).unwrap_or(i64::MAX) {
        let problem = format!("{} found, {} were begun", runs.len(), last.unwrap_or(0));
        return Err(Problem::damaged("the runs", problem));
    }
    Ok(runs)
}

/// Looks up one run.
pub(super) fn one(connection: &Connection, run: RunId) -> Result<Run, Problem> {
    let failed = sqlite("look up a run in");
    let query = format!("SELECT {} FROM runs WHERE run_id = ?1", RUNS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let found = statement.query_row([run.0], |row| Ok(Run::read(row))).optional().map_err(failed)?;
    found.unwrap_or(Err(Problem::UnknownRun { run }))
}

/// The ID of the provider that a run asks.
pub(super) fn provider_of(connection: &Connection, run: RunId, providers: &Providers) -> Result<i64, Problem> {
    let run = one(connection, run)?;
    let unknown = || Problem::damaged(format!("run {}", run.id), "its provider is unknown");
    providers.id(&run.setup.base_url).ok_or_else(unknown)
}

/// Writes a run, replacing what was recorded of it.
pub(super) fn replace(connection: &Connection, run: &Run) -> Result<(), Problem> {
    let values = run.row()?;
    // Not REPLACE, which would delete the row that outcomes refer to. And not its key, even to the same value: SQLite
    // would look up every outcome that refers to it.
    let columns = RUNS.columns.iter().filter(|name| **name != "run_id").chain([&"seal"]);
    let updates: Vec<String> = columns.map(|name| format!("{name} = excluded.{name}")).collect();
    let statement = format!("{} ON CONFLICT (run_id) DO UPDATE SET {}", RUNS.insert(), updates.join(", "));
    connection.execute(&statement, params_from_iter(values)).map_err(sqlite("record a run in"))?;
    Ok(())
}

/// A provider, with how many rows it has in `orders`, `buckets` and `findings`.
struct ProviderRow {
    id: i64,
    base_url: String,
    orders: u64,
    buckets: u64,
    /// The first bucket of the share that is proved next.
    next_bucket: u64,
    findings: u64,
}

/// Every provider that the state knows.
pub(super) struct Providers(Vec<ProviderRow>);

impl Providers {
    pub(super) fn read(connection: &Connection) -> Result<Self, Problem> {
        let failed = sqlite("read the providers in");
        let query = format!("SELECT {} FROM providers ORDER BY provider_id", PROVIDERS.list(""));
        let mut statement = connection.prepare_cached(&query).map_err(failed)?;
        let mut rows = statement.query(()).map_err(failed)?;
        let mut providers = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let read = |row| -> Result<_, Problem> {
                let mut cells = Cells::open(row, 0, &PROVIDERS)?;
                Ok(ProviderRow {
                    id: cells.required_integer()?,
                    base_url: cells.required_text()?,
                    orders: cells.required_count()?,
                    buckets: cells.required_count()?,
                    next_bucket: cells.required_count()?,
                    findings: cells.required_count()?,
                })
            };
            providers.push(read(row)?);
        }
        let providers = Self(providers);
        providers.require_orders(connection)?;
        Ok(providers)
    }

    /// Refuses a number of orders that can't be right: whether the memory is empty decides whether it is asked at all.
    fn require_orders(&self, connection: &Connection) -> Result<(), Problem> {
        let room = rows::room(connection)?;
        let query = "SELECT EXISTS (SELECT 1 FROM orders WHERE provider_id = ?1)";
        let mut has_orders = connection.prepare_cached(query).map_err(sqlite("read the providers in"))?;
        for known in &self.0 {
            let has_orders: bool =
                has_orders.query_row([known.id], |row| row.get(0)).map_err(sqlite("read the providers in"))?;
            if has_orders != (known.orders > 0) || known.orders > room {
                let what = format!("{}, provider_id {}", PROVIDERS.table, known.id);
                return Err(Problem::damaged(what, "the number of its orders is not that of the memory"));
            }
        }
        Ok(())
    }

    pub(super) fn id(&self, base_url: &str) -> Option<i64> {
        self.0.iter().find(|known| known.base_url == base_url).map(|known| known.id)
    }

    fn row(&self, provider: i64) -> Option<&ProviderRow> {
        self.0.iter().find(|known| known.id == provider)
    }

    /// How many orders of a provider are in the memory.
    pub(super) fn orders(&self, provider: i64) -> u64 {
        self.row(provider).map_or(0, |known| known.orders)
    }

    /// How many buckets the memory of a provider has: a power of two, or 0 before its first order.
    pub(super) fn buckets(&self, provider: i64) -> u64 {
        self.row(provider).map_or(0, |known| known.buckets)
    }

    /// The first bucket of the share that is proved next.
    pub(super) fn next_bucket(&self, provider: i64) -> u64 {
        self.row(provider).map_or(0, |known| known.next_bucket)
    }

    /// How many findings of a provider are recorded.
    pub(super) fn findings(&self, provider: i64) -> u64 {
        self.row(provider).map_or(0, |known| known.findings)
    }

    pub(super) fn add(&mut self, base_url: &str) {
        if self.id(base_url).is_none() {
            let id = i64::try_from(self.0.len()).unwrap_or(i64::MAX - 1) + 1;
            self.0.push(ProviderRow {
                id,
                base_url: base_url.to_owned(),
                orders: 0,
                buckets: 0,
                next_bucket: 0,
                findings: 0,
            });
        }
    }

    pub(super) fn add_orders(&mut self, provider: i64, added: u64) {
        self.0.iter_mut().filter(|known| known.id == provider).for_each(|known| known.orders += added);
    }

    pub(super) fn set_buckets(&mut self, provider: i64, buckets: u64) {
        let known = self.0.iter_mut().filter(|known| known.id == provider);
        known.for_each(|known| (known.buckets, known.next_bucket) = (buckets, 0));
    }

    pub(super) fn set_next_bucket(&mut self, provider: i64, next: u64) {
        self.0.iter_mut().filter(|known| known.id == provider).for_each(|known| known.next_bucket = next);
    }

    pub(super) fn set_findings(&mut self, provider: i64, findings: u64) {
        self.0.iter_mut().filter(|known| known.id == provider).for_each(|known| known.findings = findings);
    }

    pub(super) fn write(&self, connection: &Connection) -> Result<(), Problem> {
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        for ProviderRow { id, base_url, orders, buckets, next_bucket, findings } in &self.0 {
            let counts = [orders, buckets, next_bucket, findings].map(|value| count(*value).into());
            let row = with_checksum([(*id).into(), base_url.clone().into()].into_iter().chain(counts));
            connection.execute(&PROVIDERS.replace(), params_from_iter(row)).map_err(sqlite("record a provider in"))?;
        }
        Ok(())
    }
}
