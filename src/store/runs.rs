//! Runs and providers: what was begun, how far it came, and how it ended.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::cells::{Cells, Damage, Layout};
use super::error::{StoreError, sqlite};
use super::seal::sealed;
use super::{NewRun, RunId};

static RUNS: Layout = Layout {
    table: "runs",
    columns: &[
        "run_id",
        "base_url",
        "input_name",
        "input_sha256",
        "rows",
        "settings",
        "as_of",
        "started_at",
        "ended_at",
        "ending",
        "verdict",
        "findings",
        "manifest_sha256",
        "report",
        "remembered",
        "pruned",
    ],
};

static PROVIDERS: Layout = Layout { table: "providers", columns: &["provider_id", "base_url", "orders"] };

const REPORTED: &str = "reported";
const GIVEN_UP: &str = "given-up";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a report.
    Reported,
    /// It is not to be continued: the provider refused everything it asked.
    GivenUp,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The verdict's word.
    pub verdict: String,
    /// How many discrepancies the state keeps of it.
    pub findings: u64,
    /// Where it was put.
    pub folder: String,
}

/// A run as the state knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What was known when it began.
    pub begun: NewRun,
    /// When and how it ended; `None` while it is under way, and where it was killed or stopped.
    pub ended: Option<(Timestamp, Ending)>,
    /// Its latest report, if it made one: also where it is being continued since.
    pub reported: Option<Reported>,
    /// The SHA-256 of the manifest of each of its reports, the latest one last. A hash is known before its report is
    /// in its place; each report takes the place of the one before.
    pub manifests: Vec<String>,
    /// Whether its outcomes were removed.
    pub is_pruned: bool,
    pub(super) is_remembered: bool,
}

/// The word of a verdict that calls for another run.
const INCOMPLETE: &str = "incomplete";

impl Run {
    /// The SHA-256 of the manifest of its latest report.
    #[must_use]
    pub fn manifest_sha256(&self) -> Option<&str> {
        self.manifests.last().map(String::as_str)
    }

    pub(super) fn begin(id: RunId, begun: NewRun) -> Self {
        Self { id, begun, ended: None, reported: None, manifests: Vec::new(), is_pruned: false, is_remembered: false }
    }

    /// Whether there is something left to do: it has no end, or one with an incomplete report.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let is_incomplete = self.reported.as_ref().is_some_and(|report| report.verdict == INCOMPLETE);
        match self.ended {
            None => true,
            Some((_, Ending::Reported)) => is_incomplete && !self.is_pruned,
            Some((_, Ending::GivenUp)) => false,
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, Damage> {
        let mut cells = Cells::open(row, 0, &RUNS)?;
        let id = RunId(cells.required_integer()?);
        let begun = NewRun {
            base_url: cells.required_text()?,
            input_name: cells.required_text()?,
            input_sha256: cells.required_text()?,
            rows: cells.required_count()?,
            settings: cells.required_text()?,
            as_of: cells.required_time()?,
            started_at: cells.required_time()?,
        };
        let (ended_at, ending) = (cells.time()?, cells.text()?);
        let (verdict, findings) = (cells.text()?, cells.count()?);
        let (manifests, folder) = (cells.text()?, cells.text()?);
        let manifests = manifests.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        let ended = match (ended_at, ending.as_deref()) {
            (None, None) => None,
            (Some(at), Some(REPORTED)) => Some((at, Ending::Reported)),
            (Some(at), Some(GIVEN_UP)) => Some((at, Ending::GivenUp)),
            _ => return Err(cells.damage("no ending that is known")),
        };
        let reported = match (verdict, findings, folder) {
            (None, None, None) => None,
            (Some(verdict), Some(findings), Some(folder)) => Some(Reported { verdict, findings, folder }),
            _ => return Err(cells.damage("half a report")),
        };
        let (is_remembered, is_pruned) = (cells.flag()?, cells.flag()?);
        Ok(Self { id, begun, ended, reported, manifests, is_pruned, is_remembered })
    }

    fn row(&self, path: &Path) -> Result<Vec<Value>, StoreError> {
        let integer = |column, value: u64| {
            i64::try_from(value).map_err(|_| StoreError::TooLarge { path: path.to_owned(), column, value })
        };
        let NewRun { base_url, input_name, input_sha256, rows, settings, as_of, started_at } = self.begun.clone();
        let (ended_at, ending) = self.ended.unzip();
        let ending = ending.map(|ending| match ending {
            Ending::Reported => REPORTED.to_owned(),
            Ending::GivenUp => GIVEN_UP.to_owned(),
        });
        let (verdict, findings, folder) = match self.reported.clone() {
            Some(Reported { verdict, findings, folder }) => {
                (Some(verdict), Some(integer("findings", findings)?), Some(folder))
            }
            None => (None, None, None),
        };
        Ok(sealed([
            self.id.0.into(),
            base_url.into(),
            input_name.into(),
            input_sha256.into(),
            integer("rows", rows)?.into(),
            settings.into(),
            as_of.as_microsecond().into(),
            started_at.as_microsecond().into(),
            ended_at.map(Timestamp::as_microsecond).into(),
            ending.into(),
            verdict.into(),
            findings.into(),
            (!self.manifests.is_empty()).then(|| self.manifests.join(" ")).into(),
            folder.into(),
            self.is_remembered.into(),
            self.is_pruned.into(),
        ]))
    }
}

/// Every run, the first one first. Their numbers leave no gap, and SQLite notes the last of them elsewhere, so that none
/// can vanish unseen.
pub(super) fn all(connection: &Connection, path: &Path) -> Result<Vec<Run>, StoreError> {
    let failed = || sqlite(path, "read the runs in");
    let query = format!("SELECT {} FROM runs ORDER BY run_id", RUNS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed())?;
    let mut rows = statement.query(()).map_err(failed())?;
    let mut runs: Vec<Run> = Vec::new();
    while let Some(row) = rows.next().map_err(failed())? {
        let run = Run::read(row).map_err(|damage| damage.at(path))?;
        if run.id.0 != i64::try_from(runs.len()).unwrap_or(i64::MAX) + 1 {
            return Err(Damage::new(format!("run {}", runs.len() + 1), "it is not there").at(path));
        }
        runs.push(run);
    }
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'runs'";
    let last: Option<i64> = connection.query_row(query, (), |row| row.get(0)).optional().map_err(failed())?;
    if last.unwrap_or(0) != i64::try_from(runs.len()).unwrap_or(i64::MAX) {
        let problem = format!("{} are there, {} were begun", runs.len(), last.unwrap_or(0));
        return Err(Damage::new("the runs", problem).at(path));
    }
    Ok(runs)
}

/// One run.
pub(super) fn one(connection: &Connection, path: &Path, run: RunId) -> Result<Run, StoreError> {
    let failed = || sqlite(path, "look up a run in");
    let query = format!("SELECT {} FROM runs WHERE run_id = ?1", RUNS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed())?;
    let found = statement.query_row([run.0], |row| Ok(Run::read(row))).optional().map_err(failed())?;
    let unknown = || StoreError::UnknownRun { path: path.to_owned(), run };
    found.ok_or_else(unknown)?.map_err(|damage| damage.at(path))
}

/// The provider that a run asks.
pub(super) fn provider_of(
    connection: &Connection,
    path: &Path,
    run: RunId,
    providers: &Providers,
) -> Result<i64, StoreError> {
    let run = one(connection, path, run)?;
    let unknown = || Damage::new(format!("run {}", run.id), "its provider is unknown").at(path);
    providers.id(&run.begun.base_url).ok_or_else(unknown)
}

/// Writes a run, in the place of what is known of it.
pub(super) fn replace(connection: &Connection, path: &Path, run: &Run) -> Result<(), StoreError> {
    let values = run.row(path)?;
    // Not REPLACE: outcomes hang on the row.
    let updates: Vec<String> =
        RUNS.columns.iter().chain([&"seal"]).map(|name| format!("{name} = excluded.{name}")).collect();
    let statement = format!("{} ON CONFLICT (run_id) DO UPDATE SET {}", RUNS.insert(), updates.join(", "));
    connection.execute(&statement, params_from_iter(values)).map_err(sqlite(path, "record a run in"))?;
    Ok(())
}

/// Every provider that was ever asked, with the number of its orders in the memory.
pub(super) struct Providers(Vec<(i64, String, u64)>);

impl Providers {
    pub(super) fn read(connection: &Connection, path: &Path) -> Result<Self, StoreError> {
        let failed = || sqlite(path, "read the providers in");
        let query = format!("SELECT {} FROM providers ORDER BY provider_id", PROVIDERS.list(""));
        let mut statement = connection.prepare_cached(&query).map_err(failed())?;
        let mut rows = statement.query(()).map_err(failed())?;
        let mut providers = Vec::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let read = |row| -> Result<_, Damage> {
                let mut cells = Cells::open(row, 0, &PROVIDERS)?;
                Ok((cells.required_integer()?, cells.required_text()?, cells.required_count()?))
            };
            providers.push(read(row).map_err(|damage| damage.at(path))?);
        }
        Ok(Self(providers))
    }

    pub(super) fn id(&self, base_url: &str) -> Option<i64> {
        self.0.iter().find(|(_, url, _)| url == base_url).map(|(id, ..)| *id)
    }

    /// How many orders of a provider are in the memory.
    pub(super) fn orders(&self, provider: i64) -> u64 {
        self.0.iter().find(|(id, ..)| *id == provider).map_or(0, |(.., orders)| *orders)
    }

    pub(super) fn add(&mut self, base_url: &str) {
        if self.id(base_url).is_none() {
            let next = i64::try_from(self.0.len()).unwrap_or(i64::MAX - 1) + 1;
            self.0.push((next, base_url.to_owned(), 0));
        }
    }

    pub(super) fn add_orders(&mut self, provider: i64, added: u64) {
        self.0.iter_mut().filter(|(id, ..)| *id == provider).for_each(|(.., orders)| *orders += added);
    }

    /// Every provider with the number of its orders in the memory.
    pub(super) fn each(&self) -> impl Iterator<Item = (i64, u64)> {
        self.0.iter().map(|(id, _, orders)| (*id, *orders))
    }

    pub(super) fn write(&self, connection: &Connection, path: &Path) -> Result<(), StoreError> {
        for (id, base_url, orders) in &self.0 {
            let row =
                sealed([(*id).into(), base_url.clone().into(), i64::try_from(*orders).unwrap_or(i64::MAX).into()]);
            connection
                .execute(&PROVIDERS.replace(), params_from_iter(row))
                .map_err(sqlite(path, "record a provider in"))?;
        }
        Ok(())
    }
}
