//! What the targets of notifications were last told of a job.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

use super::Store;
use super::cells::{Cells, Layout, integer};
use super::error::{StoreError, sqlite};
use super::seal::with_checksum;

static TOLD: Layout =
    Layout { table: "told", columns: &["base_url", "series", "target", "exit_code", "verdict", "errors", "error_ids"] };

/// The bytes of one ID.
const ID: usize = 8;

/// A job that runs again and again, and one target of its notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The provider that the job asks.
    pub base_url: String,
    /// The series of its inputs.
    pub series: String,
    /// The name of the target.
    pub target: String,
}

/// What a target was last told of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTold {
    /// The job's exit code.
    pub exit_code: u8,
    /// The code of the verdict.
    pub verdict: String,
    /// How many errors there were.
    pub errors: u64,
    /// Their IDs in ascending order; `None` if there were too many to keep.
    pub error_ids: Option<Vec<u64>>,
}

impl Store {
    /// What a target was last told of a job; `None` if nothing.
    ///
    /// # Errors
    /// When the state can't be read, or the row is damaged.
    pub fn last_told(&self, audience: &Audience) -> Result<Option<LastTold>, StoreError> {
        self.read(|connection| {
            let failed = sqlite("look up what was told in");
            let query =
                format!("SELECT {} FROM told WHERE base_url = ?1 AND series = ?2 AND target = ?3", TOLD.list(""));
            let mut statement = connection.prepare_cached(&query).map_err(failed)?;
            let Audience { base_url, series, target } = audience;
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Cells::open(row, 0, &TOLD).and_then(|mut cells| {
                    (0..3).for_each(|_| cells.skip());
                    let exit_code = cells.required_count()?;
                    let exit_code = u8::try_from(exit_code).map_err(|_| cells.damage("exit_code is not valid"))?;
                    let (verdict, errors) = (cells.required_text()?, cells.required_count()?);
                    let ids = cells.blob()?.map(|ids| ids.as_chunks::<ID>().0.iter().copied());
                    let error_ids = ids.map(|ids| ids.map(u64::from_be_bytes).collect());
                    Ok(LastTold { exit_code, verdict, errors, error_ids })
                }))
            };
            statement.query_row([base_url, series, target], read).optional().map_err(failed)?.transpose()
        })
    }

    /// Records what a target was told of a job, in place of what it was told before.
    ///
    /// # Errors
    /// When the state can't be written; nothing is recorded then.
    pub fn note_told(&mut self, audience: &Audience, told: &LastTold) -> Result<(), StoreError> {
        const NOTING: &str = "record what was told in";
        self.change(NOTING, |connection| {
            let Audience { base_url, series, target } = audience.clone();
            let ids =
                told.error_ids.as_ref().map(|ids| ids.iter().flat_map(|id| id.to_be_bytes()).collect::<Vec<u8>>());
            let row = with_checksum([
                base_url.into(),
                series.into(),
                target.into(),
                i64::from(told.exit_code).into(),
                told.verdict.clone().into(),
                integer("errors", told.errors)?.into(),
                ids.map_or(Value::Null, Value::Blob),
            ]);
            connection.execute(&TOLD.replace(), params_from_iter(row)).map(drop).map_err(sqlite(NOTING))
        })
    }
}
