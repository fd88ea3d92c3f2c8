//! The writer, and what a commit means.

use std::fs;
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::super::*;
use super::{Bench, Tested, bench, commit, fetched, lines, missing, row_outcome, stored};

#[tokio::test]
async fn everything_put_is_committed_by_finish() -> Tested {
    let Bench { store, run, _folder, .. } = bench();
    let writer = store.writer(run, 16, false)?;
    for line in (1..=3_000).rev() {
        writer.put(row_outcome(missing(line))).await?;
    }
    assert_eq!(writer.finish().await?.outcomes, 3_000);
    assert_eq!(lines(&stored(&store, run)?), (1..=3_000).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_lone_outcome_is_committed_without_waiting_for_others() -> Tested {
    let Bench { store, run, _folder, .. } = bench();
    let writer = store.writer(run, 16, false)?;
    writer.put(row_outcome(missing(1))).await?;
    while writer.committed() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stored(&store, run)?, [missing(1)]);
    assert_eq!(writer.finish().await?.outcomes, 1);
    Ok(())
}

#[tokio::test]
async fn a_dropped_writer_commits_what_was_queued() -> Tested {
    let Bench { store, run, _folder, .. } = bench();
    let writer = store.writer(run, 500, false)?;
    for line in 1..=400 {
        writer.put(row_outcome(missing(line))).await?;
    }
    drop(writer);
    assert_eq!(stored(&store, run)?.len(), 400);
    Ok(())
}

#[tokio::test]
async fn a_second_outcome_for_a_line_stops_the_writer() -> Tested {
    let Bench { store, run, _folder, .. } = bench();
    let writer = store.writer(run, 4, false)?;
    writer.put(row_outcome(missing(1))).await?;
    while writer.committed() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    writer.put(row_outcome(fetched(1))).await?;
    let mut line = 2;
    let error = loop {
        // Refused once the thread has failed: a queue of 4 can't take outcomes for ever.
        match writer.put(row_outcome(missing(line))).await {
            Ok(()) => line += 1,
            Err(error) => break error,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(matches!(error.problem, Problem::AlreadyStored { line: 1, .. }), "{error}");
    assert_eq!(writer.committed(), 1);
    assert!(matches!(writer.finish().await, Err(StoreError { problem: Problem::AlreadyStored { line: 1, .. }, .. })));
    assert_eq!(stored(&store, run)?, [missing(1)]);
    Ok(())
}

#[tokio::test]
async fn put_waits_for_room_while_the_file_is_locked() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let mut locker = schema::connect(&path)?;
    let lock = locker.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let writer = store.writer(run, 8, false)?;
    let mut accepted = 0;
    while let Ok(put) =
        tokio::time::timeout(Duration::from_millis(300), writer.put(row_outcome(missing(accepted + 1)))).await
    {
        put?;
        accepted += 1;
    }
    assert!((8..=1_024 + 8).contains(&accepted), "{accepted}");
    assert_eq!(writer.committed(), 0);
    assert_eq!(stored(&store, run)?, []);
    drop(lock);
    assert_eq!(writer.finish().await?.outcomes, accepted);
    assert_eq!(lines(&stored(&store, run)?), (1..=accepted).collect::<Vec<_>>());
    Ok(())
}

// ---- commits ----

#[test]
fn only_committed_outcomes_are_seen_or_survive() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    // A cache of a few pages, so that uncommitted rows do reach the log on disk.
    connection.execute_batch("PRAGMA cache_size = 4")?;
    commit(&mut connection, run, vec![missing(1)])?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut inserter = insert::Inserter::prepare(&transaction, insert::WriterContext::of(&transaction, run)?, false)?;
    (2..=2_000).try_for_each(|line| inserter.insert(row_outcome(missing(line))))?;
    drop(inserter);
    assert_eq!(lines(&stored(&store, run)?), [1]);

    // What a killed process or a power cut would leave behind.
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("state.sqlite");
    fs::copy(&path, &copy)?;
    let log = |path: &Path| path.with_file_name("state.sqlite-wal");
    let written = fs::copy(log(&path), log(&copy))?;
    assert!(written > 50_000, "the log holds uncommitted rows: {written} bytes");
    assert_eq!(stored(&Store::open(&copy)?, run)?, [missing(1)]);

    transaction.commit()?;
    assert_eq!(stored(&store, run)?.len(), 2_000);
    Ok(())
}

#[test]
fn a_group_is_committed_completely_or_not_at_all() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let result = commit(&mut connection, run, vec![missing(1), missing(2), missing(1)]);
    assert!(matches!(result, Err(Problem::AlreadyStored { line: 1, .. })));
    let result = commit(&mut connection, run, vec![missing(3), missing(u64::MAX)]);
    assert!(matches!(result, Err(Problem::TooLarge { column: "line", value: u64::MAX })));
    let result = commit(&mut connection, RunId(99), vec![missing(1)]);
    assert!(matches!(result, Err(Problem::UnknownRun { .. })), "a row without its run");
    assert_eq!(stored(&store, run)?, []);
    Ok(())
}

#[test]
fn a_full_disk_keeps_what_is_committed() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    commit(&mut connection, run, vec![missing(1)])?;
    connection.query_row("PRAGMA max_page_count = 1", (), |row| row.get::<_, i64>(0))?;
    let error = commit(&mut connection, run, (2..=5_000).map(missing).collect()).expect_err("full");
    assert!(matches!(error, Problem::DiskFull), "{error}");
    assert_eq!(stored(&store, run)?, [missing(1)]);
    Ok(())
}

#[test]
fn a_read_only_state_is_reported() -> Tested {
    let Bench { path, run, _folder, .. } = bench();
    let mut connection = schema::connect(&path)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    let error = commit(&mut connection, run, vec![missing(1)]).expect_err("read-only");
    assert!(matches!(error, Problem::ReadOnly), "{error}");
    assert!(error.at(&path).to_string().contains(&*path.to_string_lossy()), "the message names the state");
    Ok(())
}
