//! The layout of the state: tables, settings of the connection, and how a file is known to be ours.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::StoreError;

/// Marks the file as ours ("tieo" in ASCII).
const APPLICATION_ID: i64 = 0x7469_656f;
/// The newest layout this program knows.
pub(super) const VERSION: i64 = 1;
/// How long to wait for another connection of this program.
const BUSY: Duration = Duration::from_secs(10);

/// Amounts are text with 8 decimals (an SQLite integer holds 64 bits only); times are microseconds since 1970.
const TABLES: &str = "
    CREATE TABLE runs (
        run_id INTEGER PRIMARY KEY,
        base_url TEXT NOT NULL,
        input_name TEXT NOT NULL,
        input_sha256 TEXT NOT NULL,
        input_rows INTEGER NOT NULL,
        settings TEXT NOT NULL,
        as_of INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER
    ) STRICT;
    CREATE TABLE outcomes (
        run_id INTEGER NOT NULL REFERENCES runs,
        line INTEGER NOT NULL,
        run_order_id TEXT NOT NULL,
        evidence TEXT NOT NULL,
        reason_code TEXT,
        reason_detail TEXT,
        first_line INTEGER,
        replied_run_order_id TEXT,
        workflow_id TEXT,
        revision_id TEXT,
        quote_currency TEXT,
        quote_amount TEXT,
        final_amount TEXT,
        released_amount TEXT,
        compute_cost TEXT,
        external_model_cost TEXT,
        total_cost TEXT,
        freeze_status TEXT,
        submission_status TEXT,
        run_status TEXT,
        settlement_status TEXT,
        task_id TEXT,
        prompt_id TEXT,
        error_code TEXT,
        created_at INTEGER,
        updated_at INTEGER,
        PRIMARY KEY (run_id, line)
    ) STRICT, WITHOUT ROWID;
";

pub(super) const BEGIN_RUN: &str = "
    INSERT INTO runs (base_url, input_name, input_sha256, input_rows, settings, as_of, started_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(super) const FINISH_RUN: &str = "UPDATE runs SET finished_at = ? WHERE run_id = ?";
/// A plain insert: a second outcome of the same row is an error, never a silent replacement.
pub(super) const INSERT_OUTCOME: &str = "
    INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(super) const READ_OUTCOMES: &str = "SELECT * FROM outcomes WHERE run_id = ? ORDER BY line";

/// Opens the file, proves that it is ours or empty, and lays it out if it is new.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = StoreError::at(path);
    let mut connection = Connection::open(path).map_err(&failed)?;
    connection.busy_timeout(BUSY).map_err(&failed)?;
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id").map_err(&failed)?, number("user_version").map_err(&failed)?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(&failed)?;
    match (application, version, tables) {
        (0, 0, 0) => create(&mut connection).map_err(&failed)?,
        (APPLICATION_ID, VERSION, _) => {}
        (APPLICATION_ID, found, _) => {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
        }
        _ => return Err(StoreError::NotOurs(path.to_owned())),
    }
    configure(&connection).map_err(&failed)?;
    Ok(connection)
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, so that a committed order survives power loss; the group commit pays one fsync for many rows.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}
