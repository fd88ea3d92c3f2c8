//! The format of the state: its tables, its version, and how a connection to it is set up.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::{Range, RangeInclusive};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use super::error::{Problem, io, sqlite};
use super::place;

/// The application ID in the file's header, which marks it as a tieout state: `tieo`.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"tieo");

/// The format of the state: the file's `user_version`.
///
/// Amounts are integers in units of 10⁻⁸, or texts with 8 decimals where they don't fit SQLite's 64 bits; times are
/// microseconds since 1970. Every row carries a checksum, `seal`, except in `replies` and `sends`.
pub(super) const FORMAT: i64 = 1;
const TABLES: &str = "
CREATE TABLE providers (
    provider_id  INTEGER PRIMARY KEY,
    base_url     TEXT NOT NULL UNIQUE,
    orders       INTEGER NOT NULL,
    buckets      INTEGER NOT NULL,
    next_bucket  INTEGER NOT NULL,
    findings     INTEGER NOT NULL,
    seal         INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    run_id             INTEGER PRIMARY KEY AUTOINCREMENT,
    base_url           TEXT NOT NULL,
    input_place        TEXT NOT NULL,
    input_name         TEXT NOT NULL,
    input_sha256       TEXT NOT NULL,
    rows               INTEGER NOT NULL,
    reading            TEXT NOT NULL,
    settings           TEXT NOT NULL,
    as_of              INTEGER NOT NULL,
    started_at         INTEGER NOT NULL,
    start              INTEGER NOT NULL,
    ended_at           INTEGER,
    ending             TEXT,
    announced          TEXT,
    destination        TEXT,
    dataset            TEXT,
    first_reported_at  INTEGER,
    verdict            TEXT,
    resumable          INTEGER NOT NULL,
    manifest_sha256    TEXT,
    report             TEXT,
    remembered         INTEGER NOT NULL,
    pruned             INTEGER NOT NULL,
    seal               INTEGER NOT NULL
) STRICT;

CREATE TABLE observations (
    observation_id        INTEGER PRIMARY KEY,
    provider_id           INTEGER NOT NULL,
    run_order_id          TEXT NOT NULL,
    first_seen_at         INTEGER NOT NULL,
    settled               INTEGER NOT NULL,
    state                 BLOB NOT NULL,
    replied_run_order_id  TEXT,
    workflow_id           TEXT,
    revision_id           TEXT,
    quote_currency        TEXT,
    quote_amount          ANY,
    final_amount          ANY,
    released_amount       ANY,
    compute_cost          ANY,
    external_model_cost   ANY,
    total_cost            ANY,
    freeze_status         TEXT,
    submission_status     TEXT,
    run_status            TEXT,
    settlement_status     TEXT,
    task_id               TEXT,
    prompt_id             TEXT,
    error_code            TEXT,
    created_at            INTEGER,
    updated_at            INTEGER,
    remarks               TEXT,
    seal                  INTEGER NOT NULL
) STRICT;

CREATE TABLE outcomes (
    run_id          INTEGER NOT NULL REFERENCES runs (run_id),
    line            INTEGER NOT NULL,
    run_order_id    TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    reason_code     TEXT,
    reason_detail   TEXT,
    first_line      INTEGER,
    observation_id  INTEGER,
    settled         INTEGER,
    whole           INTEGER,
    state           BLOB,
    created_before  TEXT,
    reused          INTEGER NOT NULL,
    start           INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    reply_sha256    BLOB,
    seal            INTEGER NOT NULL,
    PRIMARY KEY (run_id, line)
) STRICT, WITHOUT ROWID;

-- Rows that were rechecked before they were reported: these count in place of the outcomes.
CREATE TABLE confirmations (
    run_id          INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    run_order_id    TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    reason_code     TEXT,
    reason_detail   TEXT,
    first_line      INTEGER,
    observation_id  INTEGER,
    settled         INTEGER,
    whole           INTEGER,
    state           BLOB,
    created_before  TEXT,
    reused          INTEGER NOT NULL,
    start           INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    reply_sha256    BLOB,
    seal            INTEGER NOT NULL,
    PRIMARY KEY (run_id, line)
) STRICT, WITHOUT ROWID;

-- With full evidence: the reply that decided a row, compressed with zstd. Its hash is in the outcome.
CREATE TABLE replies (
    run_id  INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    reply   BLOB NOT NULL,
    PRIMARY KEY (run_id, line)
) STRICT;

-- The compared cells of input rows, as a JSON object by field, under the line on which the order first appears.
CREATE TABLE books (
    run_id      INTEGER NOT NULL,
    order_line  INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    cells       TEXT NOT NULL,
    seal        INTEGER NOT NULL,
    PRIMARY KEY (run_id, order_line, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    provider_id      INTEGER NOT NULL,
    hash             INTEGER NOT NULL,
    run_order_id     TEXT NOT NULL,
    start            INTEGER NOT NULL,
    shown            INTEGER NOT NULL,
    latest           INTEGER NOT NULL,
    latest_state     BLOB NOT NULL,
    baseline         INTEGER,
    baseline_start   INTEGER NOT NULL,
    settled_seen_at  INTEGER,
    seal             INTEGER NOT NULL,
    PRIMARY KEY (provider_id, hash, run_order_id)
) STRICT, WITHOUT ROWID;

-- How many orders have hashes in each range, and the XOR of their checksums.
CREATE TABLE buckets (
    provider_id  INTEGER NOT NULL,
    bucket       INTEGER NOT NULL,
    orders       INTEGER NOT NULL,
    checksums    INTEGER NOT NULL,
    seal         INTEGER NOT NULL,
    PRIMARY KEY (provider_id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
    provider_id     INTEGER NOT NULL,
    series          TEXT NOT NULL,
    discrepancy_id  TEXT NOT NULL,
    run_id          INTEGER NOT NULL,
    start           INTEGER NOT NULL,
    stands          INTEGER NOT NULL,
    run_order_id    TEXT NOT NULL,
    check_code      TEXT NOT NULL,
    field           TEXT,
    row             INTEGER NOT NULL,
    severity        TEXT NOT NULL,
    currency        TEXT,
    expected        TEXT NOT NULL,
    actual          TEXT NOT NULL,
    difference      TEXT,
    seal            INTEGER NOT NULL,
    PRIMARY KEY (provider_id, series, discrepancy_id, run_id)
) STRICT, WITHOUT ROWID;

-- Reports that prune removed: their absence breaks no chain.
CREATE TABLE pruned_reports (
    manifest_sha256  TEXT PRIMARY KEY,
    seal             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Reports that `verify` or `status` proved, by which version: the next time only their files are hashed.
CREATE TABLE proven_reports (
    manifest_sha256  TEXT PRIMARY KEY,
    version          TEXT NOT NULL,
    seal             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each target of notifications was last told of a job. The IDs of errors are 8 bytes each.
CREATE TABLE told (
    base_url   TEXT NOT NULL,
    series     TEXT NOT NULL,
    target     TEXT NOT NULL,
    exit_code  INTEGER NOT NULL,
    verdict    TEXT NOT NULL,
    errors     INTEGER NOT NULL,
    error_ids  BLOB,
    seal       INTEGER NOT NULL,
    PRIMARY KEY (base_url, series, target)
) STRICT, WITHOUT ROWID;

-- The last requests to each provider. Without a time: a run is sending, or was killed while it did.
CREATE TABLE sends (
    base_url  TEXT NOT NULL,
    sent_at   INTEGER
) STRICT;
";

/// The first bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The length of an SQLite file's header, in bytes.
const HEADER_LENGTH: u64 = 100;
/// Where the header holds the application ID, big-endian.
const APPLICATION_ID_AT: Range<usize> = 68..72;
/// Where the header holds `user_version`, big-endian. The log may hold a newer one.
const USER_VERSION_AT: Range<usize> = 60..64;
/// Where the header holds the versions of SQLite's own format, for writing and for reading.
const SQLITE_FORMAT_AT: Range<usize> = 18..20;
/// The versions that exist. With a higher one, SQLite would open the file read-only or not at all.
const SQLITE_FORMATS: RangeInclusive<u8> = 1..=2;
/// How long another process may keep the file locked before we give up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait between two attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Opens the state, or creates it if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, Problem> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io("create the folder of"))?;
    }
    refuse_others(path)?;
    place::refuse_hard_links(path)?;
    place::create_private(path)?;
    let mut connection = connect(path)?;
    prepare(&mut connection)?;
    Ok(connection)
}

/// Opens a state that is only read. Where nothing may be written, it is read as it is: an auditor has a copy.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Problem> {
    match open(path) {
        Err(Problem::ReadOnly) => open_unwritable(path),
        opened => opened,
    }
}

/// Opens a state that can't be written.
fn open_unwritable(path: &Path) -> Result<Connection, Problem> {
    let failed = sqlite("open");
    // SQLite reads a log only beside an index, which it can't create here. Without a log it needs none, if it is told that
    // nobody writes.
    let unlogged = if has_log(path) { "" } else { "&immutable=1" };
    let uri = format!("file:{}?mode=ro{unlogged}", percent_encode(path.as_os_str().as_bytes(), NON_ALPHANUMERIC));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let open = || {
        let mut connection = Connection::open_with_flags(uri, flags).map_err(failed)?;
        set_up(&connection)?;
        let is_ours = has_tables(&connection.transaction().map_err(failed)?)?;
        if is_ours { Ok(connection) } else { Err(Problem::NotOurs) }
    };
    open().map_err(|problem| if has_log(path) { Problem::LogUnread } else { problem })
}

/// Refuses a file that is not ours, by its header alone: merely opening another program's database with SQLite could
/// write its log back into it.
fn refuse_others(path: &Path) -> Result<(), Problem> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(io("look at"))?,
    };
    let mut header = Vec::new();
    if metadata.is_file() {
        let file = File::open(path).map_err(io("open"))?;
        file.take(HEADER_LENGTH).read_to_end(&mut header).map_err(io("read"))?;
        let ours = header.get(APPLICATION_ID_AT) == Some(&APPLICATION_ID.to_be_bytes());
        // To SQLite an empty file is a database without tables, and it would discard a log beside it.
        if header.is_empty() {
            return refuse_log(path);
        }
        if header.starts_with(MAGIC) && ours {
            return refuse_header(&header);
        }
    }
    Err(Problem::NotOurs)
}

/// Refuses a state that is damaged or too new by its header, without opening it.
fn refuse_header(header: &[u8]) -> Result<(), Problem> {
    let is_known = |versions: &[u8]| versions.iter().all(|version| SQLITE_FORMATS.contains(version));
    let format = header.get(USER_VERSION_AT).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    match format {
        Some(format) if header.get(SQLITE_FORMAT_AT).is_some_and(is_known) => refuse_newer(format.into()),
        _ => Err(Problem::Corrupt),
    }
}

fn refuse_newer(found: i64) -> Result<(), Problem> {
    let known = FORMAT;
    if found > known { Err(Problem::Newer { found, known }) } else { Ok(()) }
}

/// Refuses a write-ahead log beside an empty file: the file once had content.
fn refuse_log(path: &Path) -> Result<(), Problem> {
    if has_log(path) {
        let problem = format!("it is empty, but {} is not", log_of(path).display());
        return Err(Problem::damaged("the file", problem));
    }
    Ok(())
}

/// Whether anything is in the write-ahead log, as after a job that was killed.
fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Opens a connection to the file, with the settings that this program relies on.
pub(super) fn connect(path: &Path) -> Result<Connection, Problem> {
    let failed = sqlite("open");
    // Not SQLITE_OPEN_URI: a path is a path, whatever it looks like. Nor SQLITE_OPEN_CREATE: a file that vanished under a
    // job must not be there again, empty.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // SQLite falls back to a read-only connection if it may not write.
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)? {
        return Err(Problem::ReadOnly);
    }
    set_up(&connection)?;
    Ok(connection)
}

/// The settings that this program relies on.
fn set_up(connection: &Connection) -> Result<(), Problem> {
    let failed = sqlite("open");
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Else a query with a range of hashes or lines is planned anew for every range, which takes longer than to read it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    // FULL, so that a committed outcome survives a power cut (with a write-ahead log, NORMAL may lose the last
    // commits); the writer's group commit needs only one fsync for many rows. On macOS only fullfsync
    // reaches the disk itself. In 16 MiB of cache the pages of a night's buckets stay while they are changed.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;",
        )
        .map_err(failed)
}

/// Creates the tables if there are none, then turns the write-ahead log on.
fn prepare(connection: &mut Connection) -> Result<(), Problem> {
    let failed = sqlite("open");
    // A refused file stays as it is: closing it would write the log of a killed job back into it.
    let keep_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(keep_log, true).map_err(failed)?;
    // Looking for the tables takes no write lock, so that a state can be read while a job writes it.
    let is_there = has_tables(&connection.transaction().map_err(failed)?)?;
    if !is_there {
        create(connection)?;
    }
    connection.set_db_config(keep_log, false).map_err(failed)?;
    // Only now: the header that marks the file as ours must be in the file itself, not in the log beside it.
    let mode = turn_log_on(connection).map_err(sqlite("turn on the write-ahead log of"))?;
    if mode == "wal" { Ok(()) } else { Err(Problem::NoWriteAheadLog) }
}

/// Turns the write-ahead log on and returns the journal mode. Waits for other processes, which SQLite itself does not
/// do here.
fn turn_log_on(connection: &Connection) -> rusqlite::Result<String> {
    let begin = Instant::now();
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0));
        let is_busy = mode.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !is_busy || begin.elapsed() > BUSY_TIMEOUT {
            return mode;
        }
        sleep(RETRY_PAUSE);
    }
}

fn create(connection: &mut Connection) -> Result<(), Problem> {
    let failed = sqlite("create the tables of");
    let transaction = connection.transaction().map_err(failed)?;
    // Before anything is read: two jobs may start at once, and this takes the lock. `prune --compact` needs it to give
    // pages back when there is no room to rewrite the file.
    transaction.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(failed)?;
    if has_tables(&transaction)? {
        return Ok(());
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    transaction
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"))
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Whether our tables exist. A file that holds anything else is refused.
fn has_tables(transaction: &Transaction<'_>) -> Result<bool, Problem> {
    let failed = sqlite("read the format of");
    let version = integer(transaction, "PRAGMA user_version").map_err(failed)?;
    let application = integer(transaction, "PRAGMA application_id").map_err(failed)?;
    let objects = integer(transaction, "SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    refuse_newer(version)?;
    match (i32::try_from(application).ok(), version, objects) {
        (Some(APPLICATION_ID), FORMAT, _) => require_tables(transaction).map(|()| true),
        (Some(0), 0, 0) => Ok(false),
        _ => Err(Problem::NotOurs),
    }
}

/// Refuses a state that lacks one of our tables: each is needed only now and then.
fn require_tables(transaction: &Transaction<'_>) -> Result<(), Problem> {
    let failed = sqlite("read the format of");
    let mut there = transaction.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").map_err(failed)?;
    let there = there.query_map((), |row| row.get(0)).map_err(failed)?;
    let there = there.collect::<rusqlite::Result<BTreeSet<String>>>().map_err(failed)?;
    let ours = TABLES.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split(' ').next());
    match ours.into_iter().find(|name| !there.contains(*name)) {
        Some(name) => Err(Problem::damaged(name, "the table is missing")),
        None => Ok(()),
    }
}

fn integer(transaction: &Transaction<'_>, query: &str) -> rusqlite::Result<i64> {
    transaction.query_row(query, (), |row| row.get(0))
}
