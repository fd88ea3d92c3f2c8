//! Tests of the state: files of other programs and versions, edited rows, and runs.

mod alongside;
mod buckets;
mod errors;
mod memory;
mod rechecks;
mod resuming;
mod round_trip;
mod sends;
mod told;
mod writing;

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::domain::finding::PastFinding;
use crate::domain::money::Amount;
use crate::domain::order::RunOrder;
use crate::domain::outcome::{Evidence, Reason};

type Tested<T = ()> = Result<T, Box<dyn Error>>;

fn new_run() -> NewRun {
    NewRun {
        base_url: "https://provider.example/v2".into(),
        input_place: "/srv/订单.csv".into(),
        input_name: "订单.csv".into(),
        input_sha256: "00ff".into(),
        rows: 3,
        reading: "UTF-8, IDs in column 1".into(),
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
    store.for_each_row(run, None, |row| {
        outcomes.push(store.outcome(row)?);
        Ok::<(), StoreError>(())
    })?;
    Ok(outcomes)
}

/// Commits outcomes as one group.
fn learn(
    connection: &mut Connection,
    run: RunId,
    keeps_replies: bool,
    outcomes: Vec<RowOutcome>,
) -> Result<(), Problem> {
    let mut context = insert::WriterContext::of(connection, run)?;
    writer::commit(connection, &mut context, keeps_replies, outcomes)
}

fn commit(connection: &mut Connection, run: RunId, outcomes: Vec<Outcome>) -> Result<(), Problem> {
    let outcomes = outcomes.into_iter().map(row_outcome).collect();
    learn(connection, run, false, outcomes)
}

fn row_outcome(outcome: Outcome) -> RowOutcome {
    RowOutcome::of(outcome, Timestamp::UNIX_EPOCH)
}

fn finish(store: &mut Store, run: RunId) -> Result<(), StoreError> {
    report(store, run, false, findings(&[], &[]))
}

/// Ends a run with a report.
fn report(store: &mut Store, run: RunId, is_resumable: bool, findings: ReportFindings<'_>) -> Result<(), StoreError> {
    let verdict = if is_resumable { "incomplete" } else { "reconciled" };
    let report = NewReport { verdict, is_resumable, manifest_sha256: "00ff", folder: Path::new("report") };
    store.finish(run, Timestamp::UNIX_EPOCH, report, findings)
}

/// A report that found these discrepancies and resolved none.
fn found(found: &[PastFinding]) -> ReportFindings<'static> {
    findings(found, &[])
}

fn findings(found: &[PastFinding], resolved: &[PastFinding]) -> ReportFindings<'static> {
    let count = (found.len() + resolved.len()) as u64;
    let owned = |findings: &[PastFinding]| Box::new(Vec::from(findings).into_iter());
    ReportFindings { found: owned(found), resolved: owned(resolved), count }
}

fn missing(line: u64) -> Outcome {
    let evidence = Evidence::NotFound(Reason::new("http-404", "no such order"));
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }
}

fn fetched(line: u64) -> Outcome {
    let mut order = RunOrder { run_order_id: Some(format!("wfrun_{line}")), ..RunOrder::default() };
    order.amounts.quote_amount = Some(Amount::parse("0.03").expect("an amount"));
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence: order.into() }
}

fn lines(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes.iter().map(|outcome| outcome.line).collect()
}

// ---- whose file it is ----

#[test]
fn another_programs_file_is_refused_and_untouched() -> Tested {
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("ids.csv");
    fs::write(&text, "run_order_id\nwfrun_1\n".repeat(20))?;
    let short = folder.path().join("short");
    fs::write(&short, "SQLite format 3\0")?;
    let database = folder.path().join("photos.sqlite");
    let stranger = Connection::open(&database)?;
    stranger.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE photos (name TEXT); PRAGMA user_version = 1;")?;
    // Its log holds what the file does not, and we must not write it back into the file.
    for path in [&text, &short, &database] {
        let before = files(folder.path())?;
        let error = Store::open(path).expect_err("not ours");
        assert!(matches!(error.problem, Problem::NotOurs) && error.path == *path, "{error}");
        assert!(error.to_string().contains("untouched"), "{error}");
        assert_eq!(files(folder.path())?, before);
    }
    assert!(matches!(Store::open(folder.path()), Err(StoreError { problem: Problem::NotOurs, .. })));
    Ok(())
}

#[test]
fn a_newer_format_is_refused_and_untouched() -> Tested {
    let Bench { path, store, _folder, .. } = bench();
    drop(store);
    let newer = schema::FORMAT + 1;
    Connection::open(&path)?.execute_batch(&format!("PRAGMA user_version = {newer}"))?;
    let before = fs::read(&path)?;
    let error = Store::open(&path).expect_err("newer");
    assert!(
        matches!(error.problem, Problem::Newer { found, known } if (found, known) == (newer, newer - 1)),
        "{error}"
    );
    assert_eq!(fs::read(&path)?, before);
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
    assert!(matches!(error.problem, Problem::Corrupt), "{error}");
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Another connection may change the shared-memory index of its log at any time.
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

// ---- damage ----

#[test]
fn any_change_in_a_row_is_damage() -> Tested {
    let changes = [
        ("outcomes", "evidence = 'not_found'"),
        ("outcomes", "evidence = 'duplicate', observation_id = NULL, first_line = 1"),
        ("outcomes", "reason_detail = 'left over'"),
        ("outcomes", "line = 3"),
        ("outcomes", "run_order_id = CAST(x'ff' AS TEXT)"),
        ("outcomes", "reused = 1"),
        ("outcomes", "seal = seal + 1"),
        ("outcomes", "observation_id = 9"),
        ("observations", "quote_amount = '0.04000000'"),
        ("observations", "quote_amount = NULL"),
        ("observations", "total_cost = ''"),
        ("observations", "created_at = 9223372036854775807"),
        ("observations", "workflow_id = replied_run_order_id, replied_run_order_id = NULL"),
        ("observations", "settled = 1"),
        ("observations", "run_order_id = 'wfrun_3'"),
        ("runs", "as_of = as_of + 1"),
        ("runs", "rows = 4"),
        ("providers", "base_url = 'https://provider.example/v3'"),
    ];
    for (table, change) in changes {
        let Bench { path, mut store, run, _folder } = bench();
        let mut connection = schema::connect(&path)?;
        commit(&mut connection, run, vec![fetched(2)])?;
        assert_eq!(connection.execute(&format!("UPDATE {table} SET {change}"), ())?, 1);
        let error = stored(&store, run).and_then(|_| store.remember()).expect_err(change);
        assert!(matches!(error.problem, Problem::Damaged { .. }), "{change}: {error}");
        assert!(error.to_string().contains("damaged"), "{error}");
    }
    Ok(())
}

#[test]
fn a_page_that_lost_a_row_is_damaged() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    commit(&mut connection, run, vec![fetched(2), fetched(3)])?;
    store.check_pages()?;
    report(&mut store, run, false, findings(&[], &[]))?;
    drop((store, connection));
    let page: i64 = rusqlite::Connection::open(&path)?.query_row(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'observations'",
        (),
        |row| row.get(0),
    )?;
    let mut bytes = fs::read(&path)?;
    let count = (usize::try_from(page)? - 1) * 4096 + 4;
    bytes[count] -= 1;
    fs::write(&path, bytes)?;
    let error = Store::open(&path)?.check_pages().expect_err("a row is not counted");
    assert!(matches!(error.problem, Problem::Damaged { .. } | Problem::Corrupt), "{error}");
    Ok(())
}

#[test]
fn a_deleted_row_is_noticed() -> Tested {
    let removals = [
        "DELETE FROM observations",
        "DELETE FROM runs WHERE run_id = 1",
        "DELETE FROM runs WHERE run_id = 2",
        "DELETE FROM orders",
        "DELETE FROM findings",
        "DELETE FROM providers",
    ];
    for removal in removals {
        let Bench { path, mut store, run, _folder } = bench();
        let mut connection = schema::connect(&path)?;
        commit(&mut connection, run, vec![fetched(2)])?;
        store.remember_with(run)?;
        report(&mut store, run, false, found(&[past(2)]))?;
        let next = store.begin(&new_run())?;
        connection.execute_batch("PRAGMA foreign_keys = OFF")?;
        assert_eq!(connection.execute(removal, ())?, 1, "{removal}");
        let error = store.runs().and_then(|_| store.earlier_findings(next)).and_then(|_| stored(&store, run));
        let error = error.and_then(|_| store.remember_with(next)).expect_err(removal);
        assert!(matches!(error.problem, Problem::Damaged { .. }), "{removal}: {error}");
    }
    Ok(())
}

fn past(line: u64) -> PastFinding {
    PastFinding {
        discrepancy_id: format!("{line:016x}"),
        run_order_id: format!("wfrun_{line}"),
        check: "quote-split".into(),
        field: None,
        row: 1,
        severity: "error".into(),
        currency: Some("CNY".into()),
        expected: "1.00000000".into(),
        actual: "2.00000000".into(),
        difference: Some("1.00000000".into()),
    }
}

#[test]
fn the_visitors_error_ends_the_visit() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    commit(&mut schema::connect(&path)?, run, vec![fetched(1), missing(2), missing(3)])?;
    let mut seen = 0;
    let result = store.for_each_row(run, None, |row| {
        seen += 1;
        if row.line == 2 { Err(Problem::WriterLost.at(&path)) } else { Ok(()) }
    });
    assert!(matches!(result, Err(StoreError { problem: Problem::WriterLost, .. })));
    assert_eq!(seen, 2);
    Ok(())
}

// ---- runs ----

#[test]
fn runs_are_separate_and_closed_when_finished() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let other = store.begin(&new_run())?;
    assert_ne!(run, other);
    let mut connection = schema::connect(&path)?;
    commit(&mut connection, run, vec![missing(1)])?;
    commit(&mut connection, other, vec![fetched(1)])?;
    assert_eq!(stored(&store, run)?, [missing(1)]);
    assert_eq!(stored(&store, other)?, [fetched(1)]);

    finish(&mut store, run)?;
    assert!(matches!(finish(&mut store, run), Err(StoreError { problem: Problem::Finished { .. }, .. })));
    assert!(matches!(store.writer(run, 1, false), Err(StoreError { problem: Problem::Finished { .. }, .. })));
    assert_eq!(stored(&store, run)?, [missing(1)]);
    assert!(store.writer(other, 1, false).is_ok());

    let unknown = RunId(99);
    assert!(matches!(stored(&store, unknown), Err(StoreError { problem: Problem::UnknownRun { .. }, .. })));
    assert!(matches!(store.writer(unknown, 1, false), Err(StoreError { problem: Problem::UnknownRun { .. }, .. })));
    assert!(matches!(finish(&mut store, unknown), Err(StoreError { problem: Problem::UnknownRun { .. }, .. })));
    let endless = NewRun { rows: u64::MAX, ..new_run() };
    assert!(matches!(store.begin(&endless), Err(StoreError { problem: Problem::TooLarge { column: "rows", .. }, .. })));
    Ok(())
}

#[test]
fn jobs_that_create_a_state_at_once_agree_on_incremental_vacuum() -> Tested {
    for _ in 0..20 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("state.sqlite");
        std::thread::scope(|scope| {
            let open = || Store::open(&path).expect("a state");
            let opened = [(); 4].map(|()| scope.spawn(open));
            for store in opened {
                let mode =
                    store.join().expect("no panic").connection.query_row("PRAGMA auto_vacuum", (), |row| row.get(0));
                assert_eq!(mode, Ok(2), "incremental");
            }
        });
    }
    Ok(())
}
