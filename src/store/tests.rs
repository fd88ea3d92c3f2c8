//! The state as other programs, other versions and people who edit it meet it.

mod round_trip;
mod sends;
mod writing;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::domain::money::Amount;
use crate::domain::order::RunOrder;
use crate::domain::outcome::{Evidence, Reason};

type Tested = Result<(), Box<dyn Error>>;

fn new_run() -> NewRun {
    NewRun {
        base_url: "https://provider.example/v2".into(),
        input_name: "订单.csv".into(),
        input_sha256: "00ff".into(),
        rows: 3,
        settings: "{}".into(),
        as_of: Timestamp::from_microsecond(1_795_399_200_000_001).expect("a time"),
        started_at: Timestamp::UNIX_EPOCH,
    }
}

struct Bench {
    _folder: TempDir,
    path: PathBuf,
    store: Store,
    run: RunId,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.sqlite");
    let mut store = Store::open(&path).expect("a new state");
    let run = store.begin(&new_run()).expect("a run");
    Bench { _folder: folder, path, store, run }
}

fn stored(store: &Store, run: RunId) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::new();
    store.for_each_outcome(run, |outcome| {
        outcomes.push(outcome);
        Ok::<(), StoreError>(())
    })?;
    Ok(outcomes)
}

fn missing(line: u64) -> Outcome {
    let evidence = Evidence::NotFound(Reason::new("http-404", "no such order"));
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }
}

fn fetched(line: u64) -> Outcome {
    let mut order = RunOrder { run_order_id: Some(format!("wfrun_{line}")), ..RunOrder::default() };
    order.amounts.quote_amount = Some(Amount::parse("0.03").expect("an amount"));
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence: Evidence::Fetched(Box::new(order)) }
}

fn lines(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes.iter().map(|outcome| outcome.line).collect()
}

// ---- whose file it is ----

#[test]
fn a_strangers_file_is_refused_and_untouched() -> Tested {
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("ids.csv");
    fs::write(&text, "run_order_id\nwfrun_1\n".repeat(20))?;
    let short = folder.path().join("short");
    fs::write(&short, "SQLite format 3\0")?;
    let database = folder.path().join("photos.sqlite");
    let stranger = Connection::open(&database)?;
    stranger.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE photos (name TEXT); PRAGMA user_version = 1;")?;
    // Its log holds what the file does not, and must not be folded into it by us.
    for path in [&text, &short, &database] {
        let before = files(folder.path())?;
        let error = Store::open(path).expect_err("not ours");
        assert!(matches!(&error, StoreError::NotOurs { path: named } if named == path), "{error}");
        assert!(error.to_string().contains("untouched"), "{error}");
        assert_eq!(files(folder.path())?, before);
    }
    assert!(matches!(Store::open(folder.path()), Err(StoreError::NotOurs { .. })));
    Ok(())
}

#[test]
fn a_newer_format_is_refused_and_untouched() -> Tested {
    let Bench { path, store, _folder, .. } = bench();
    drop(store);
    let newer = schema::MIGRATIONS.len() as i64 + 1;
    Connection::open(&path)?.execute_batch(&format!("PRAGMA user_version = {newer}"))?;
    let before = fs::read(&path)?;
    let error = Store::open(&path).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { found, known, .. } if (found, known) == (newer, newer - 1)), "{error}");
    assert_eq!(fs::read(&path)?, before);
    Ok(())
}

#[test]
fn a_state_of_every_older_format_is_brought_up_to_date() -> Tested {
    let Bench { path: today, store, _folder, .. } = bench();
    drop(store);
    for formats in 1..schema::MIGRATIONS.len() {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("state.sqlite");
        let old = Connection::open(&path)?;
        schema::MIGRATIONS[..formats].iter().try_for_each(|statements| old.execute_batch(statements))?;
        let application = schema::APPLICATION_ID;
        old.execute_batch(&format!(
            "PRAGMA application_id = {application}; PRAGMA user_version = {formats};
             INSERT INTO runs (base_url, input_name, input_sha256, rows, settings, as_of, started_at)
             VALUES ('https://provider.example/v2', 'ids.csv', '00ff', 1, '{{}}', 0, 0);
             INSERT INTO outcomes (run_id, line, run_order_id, evidence, reason_code, reason_detail)
             VALUES (1, 1, 'wfrun_1', 'not_found', 'http-404', 'no such order');"
        ))?;
        drop(old);
        assert_eq!(stored(&Store::open(&path)?, RunId(1))?, [missing(1)], "from format {formats}");
        let tables = |path: &Path| -> rusqlite::Result<Vec<String>> {
            let connection = Connection::open(path)?;
            let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name")?;
            statement
                .query_map((), |row| row.get::<_, Option<String>>(0))?
                .map(|sql| Ok(sql?.unwrap_or_default()))
                .collect()
        };
        assert_eq!(tables(&path)?, tables(&today)?);
    }
    Ok(())
}

#[test]
fn an_empty_file_and_missing_folders_become_a_state() -> Tested {
    let folder = tempfile::tempdir()?;
    let empty = folder.path().join("empty");
    fs::write(&empty, "")?;
    let deep = folder.path().join("a/b/file:state?mode=memory");
    for path in [&empty, &deep] {
        let run = Store::open(path)?.begin(&new_run())?;
        assert!(fs::read(path)?.starts_with(b"SQLite format 3\0"));
        assert_eq!(stored(&Store::open(path)?, run)?, []);
    }
    Ok(())
}

#[test]
fn a_corrupt_state_is_called_corrupt() -> Tested {
    let Bench { path, store, _folder, .. } = bench();
    drop(store);
    let mut bytes = fs::read(&path)?;
    bytes[100..].fill(0x5a);
    fs::write(&path, bytes)?;
    let error = Store::open(&path).expect_err("corrupt");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // The shared-memory index of another connection's log is its own business.
        if !path.to_string_lossy().ends_with("-shm") {
            files.push((path.clone(), fs::read(path)?));
        }
    }
    files.sort();
    Ok(files)
}

#[test]
fn connections_are_durable_and_guarded() -> Tested {
    let Bench { path, _folder, .. } = bench();
    let connection = schema::connect(&path)?;
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, i64>(0));
    assert_eq!(pragma("synchronous")?, 2, "FULL");
    assert_eq!(pragma("foreign_keys")?, 1);
    assert_eq!(pragma("application_id")?, i64::from(schema::APPLICATION_ID));
    let mode: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0))?;
    assert_eq!(mode, "wal");
    Ok(())
}

// ---- what can't be understood ----

#[test]
fn damage_is_named_by_line_and_column() -> Tested {
    let cases = [
        ("evidence = 'guessed'", "evidence"),
        ("evidence = 'not_found'", "evidence"),
        ("evidence = 'duplicate', quote_amount = NULL, replied_run_order_id = NULL", "evidence"),
        ("reason_detail = 'left over'", "evidence"),
        ("first_line = 1", "evidence"),
        ("first_line = -1", "first_line"),
        ("quote_amount = 'three'", "quote_amount"),
        ("total_cost = '0.000000001'", "total_cost"),
        ("total_cost = ''", "total_cost"),
        ("created_at = 9223372036854775807", "created_at"),
        ("workflow_id = CAST(x'ff' AS TEXT)", "workflow_id"),
        ("run_order_id = CAST(x'ff' AS TEXT)", "run_order_id"),
        ("line = -2", "line"),
    ];
    for (change, expected) in cases {
        let Bench { path, store, run, _folder } = bench();
        let mut connection = schema::connect(&path)?;
        writer::commit(&mut connection, &path, run, vec![fetched(2)])?;
        assert_eq!(connection.execute(&format!("UPDATE outcomes SET {change}"), ())?, 1);
        let error = stored(&store, run).expect_err(change);
        let StoreError::Damaged { run: named, line, column, .. } = &error else {
            panic!("{change}: {error}");
        };
        let expected_line = if expected == "line" { -2 } else { 2 };
        assert_eq!((*named, *line, *column), (run, expected_line, expected), "{change}");
    }
    Ok(())
}

#[test]
fn the_visitors_error_ends_the_visit() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    writer::commit(&mut schema::connect(&path)?, &path, run, vec![fetched(1), missing(2), missing(3)])?;
    let mut seen = 0;
    let result = store.for_each_outcome(run, |outcome| {
        seen += 1;
        if outcome.line == 2 { Err(StoreError::WriterLost { path: PathBuf::new() }) } else { Ok(()) }
    });
    assert!(matches!(result, Err(StoreError::WriterLost { .. })));
    assert_eq!(seen, 2);
    Ok(())
}

// ---- runs ----

#[test]
fn runs_are_apart_and_closed_when_finished() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let other = store.begin(&new_run())?;
    assert_ne!(run, other);
    let mut connection = schema::connect(&path)?;
    writer::commit(&mut connection, &path, run, vec![missing(1)])?;
    writer::commit(&mut connection, &path, other, vec![fetched(1)])?;
    assert_eq!(stored(&store, run)?, [missing(1)]);
    assert_eq!(stored(&store, other)?, [fetched(1)]);

    store.finish(run, Timestamp::UNIX_EPOCH)?;
    assert!(matches!(store.finish(run, Timestamp::UNIX_EPOCH), Err(StoreError::Finished { .. })));
    assert!(matches!(store.writer(run, 1), Err(StoreError::Finished { .. })));
    assert_eq!(stored(&store, run)?, [missing(1)]);
    assert!(store.writer(other, 1).is_ok());

    let unknown = RunId(99);
    assert!(matches!(stored(&store, unknown), Err(StoreError::UnknownRun { .. })));
    assert!(matches!(store.writer(unknown, 1), Err(StoreError::UnknownRun { .. })));
    assert!(matches!(store.finish(unknown, Timestamp::UNIX_EPOCH), Err(StoreError::UnknownRun { .. })));
    let endless = NewRun { rows: u64::MAX, ..new_run() };
    assert!(matches!(store.begin(&endless), Err(StoreError::TooLarge { column: "rows", .. })));
    Ok(())
}
