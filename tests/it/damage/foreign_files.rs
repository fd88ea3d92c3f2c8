//! A file in the place of the state that this version did not write is left untouched.

use std::fs;
use std::os::unix::fs::symlink;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::mutation::Damage;
use super::{Checkpoint, CommandResult, killed, one_night, run_to_end};
use crate::support::{Place, assert_same_files, files_below, repository, tieout};

const FORMAT: i64 = 99;

/// Reconciles the sample with a state in that place.
fn reconcile(place: &Place) -> CommandResult {
    run_to_end(place.reconcile(repository("sample_data/ids.csv")).args([
        "--sandbox",
        "--as-of",
        "2026-06-01T00:00:00Z",
    ]))
}

fn runs(place: &Place) -> CommandResult {
    run_to_end(tieout().args(["runs", "--state"]).arg(place.path("state.sqlite")))
}

fn prune(place: &Place) -> CommandResult {
    run_to_end(tieout().args(["prune", "--keep", "1ms", "--state"]).arg(place.path("state.sqlite")))
}

/// The state format that this version writes.
fn format(checkpoint: &Checkpoint) -> i64 {
    let state = Connection::open(checkpoint.state_path()).expect("a state");
    state.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

/// Asserts that every command refuses the state, names both formats and changes no byte of it.
fn assert_newer(checkpoint: &Checkpoint, known: i64) {
    let read = || ["", "-wal"].map(|suffix| fs::read(checkpoint.place.path(&format!("state.sqlite{suffix}"))).ok());
    let before = read();
    let commands = [checkpoint.runs(), checkpoint.verify(), checkpoint.reconcile(&[]), prune(&checkpoint.place)];
    for (number, CommandResult { code, stderr, stdout }) in commands.into_iter().enumerate() {
        assert_eq!(code, 4, "{number}: {stderr}{stdout}");
        let expected = [format!("has format {FORMAT}"), format!("up to {known}"), "use a newer tieout".into()];
        assert!(expected.iter().all(|expected| stderr.contains(expected)), "{number}: {stderr}");
        assert!(read() == before, "{number}: it was touched");
    }
    assert_same_files(&checkpoint.place.report().files(), &checkpoint.report, "untouched");
}

#[test]
fn a_state_of_a_newer_version_is_refused_and_untouched() {
    let checkpoint = one_night();
    checkpoint.restore(&checkpoint.state, None);
    let known = format(&checkpoint);
    let newer = Connection::open(checkpoint.state_path()).expect("a state");
    newer.pragma_update(None, "user_version", FORMAT).expect("writable");
    drop(newer);
    assert!(!checkpoint.place.path("state.sqlite-wal").exists(), "it is all in the file");
    assert_newer(&checkpoint, known);
}

#[test]
fn a_newer_state_that_was_killed_is_refused_and_untouched() {
    let checkpoint = killed();
    checkpoint.restore(&checkpoint.state, checkpoint.log.as_deref());
    // A newer version was killed: its format is in the log alone.
    let newer = Connection::open(checkpoint.state_path()).expect("a state");
    newer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it can be kept");
    let known = newer.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number");
    newer.pragma_update(None, "user_version", FORMAT).expect("writable");
    drop(newer);
    let log = fs::read(checkpoint.place.path("state.sqlite-wal")).expect("a log");
    assert!(log.len() > checkpoint.log.as_ref().expect("a log").len(), "it is in the log");
    assert_newer(&checkpoint, known);
}

#[test]
fn what_is_no_state_is_refused_and_untouched() {
    let database = |application: i64| {
        let place = Place::new();
        let other = Connection::open(place.path("other.sqlite")).expect("a database");
        other.execute_batch("CREATE TABLE runs (run_id INTEGER); INSERT INTO runs VALUES (1);").expect("writable");
        other.pragma_update(None, "application_id", application).expect("writable");
        drop(other);
        fs::read(place.path("other.sqlite")).expect("readable")
    };
    let cases: [(&str, Vec<u8>); 5] = [
        ("a text", b"not a database\n".to_vec()),
        ("one byte", vec![0]),
        ("random bytes", (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()),
        ("a database without a name", database(0)),
        ("a database of another program", database(0x1234_5678)),
    ];
    for (name, bytes) in cases {
        let place = Place::new();
        place.file("state.sqlite", &bytes);
        assert_refused(&place, name);
        assert_eq!(fs::read(place.path("state.sqlite")).expect("readable"), bytes, "{name}");
    }
    let place = Place::new();
    fs::create_dir(place.path("state.sqlite")).expect("writable");
    place.file("state.sqlite/file", "mine");
    assert_refused(&place, "a folder");
    assert_eq!(fs::read(place.path("state.sqlite/file")).expect("readable"), b"mine");
}

fn assert_refused(place: &Place, name: &str) {
    let before = files_below(&place.path("."));
    for CommandResult { code, stderr, stdout } in [reconcile(place), runs(place), prune(place)] {
        assert_eq!(code, 4, "{name}: {stderr}{stdout}");
        let state = place.path("state.sqlite").display().to_string();
        assert!(stderr.contains(&format!("{state} is not a tieout state file")), "{name}: {stderr}");
        assert!(stderr.contains("left untouched") && stderr.contains("--state"), "{name}: {stderr}");
    }
    assert!(!place.report().exists(), "{name}");
    let mut after = files_below(&place.path("."));
    after.retain(|path| !path.ends_with("state.sqlite.lock"));
    assert_eq!(after, before, "{name}: no file was left beside it");
}

#[test]
fn an_empty_file_is_a_state_that_knows_nothing() {
    let fresh = Place::new();
    assert_eq!(reconcile(&fresh).code, 1);
    let place = Place::new();
    place.file("state.sqlite", "");
    let listed = runs(&place);
    assert_eq!((listed.code, listed.stdout.as_str()), (0, "no runs yet\n"), "{}", listed.stderr);
    place.file("state.sqlite", "");
    assert_eq!(reconcile(&place).code, 1);
    assert_same_files(
        &place.report().reproducible_files(),
        &fresh.report().reproducible_files(),
        "as without the file",
    );
    // A symbolic link to the state works like its own name.
    let linked = Place::new();
    symlink(place.path("state.sqlite"), linked.path("state.sqlite")).expect("writable");
    assert!(runs(&linked).stdout.contains("finished") || runs(&linked).stdout.contains("incomplete"));
}

#[test]
fn an_empty_file_with_a_log_beside_it_was_no_empty_state() {
    let checkpoint = killed();
    checkpoint.restore(&[], checkpoint.log.as_deref());
    for ended in [checkpoint.runs(), checkpoint.verify(), checkpoint.reconcile(&[])] {
        assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains("is damaged") && ended.stderr.contains("state.sqlite-wal"), "{}", ended.stderr);
    }
    assert_eq!(
        fs::read(checkpoint.place.path("state.sqlite-wal")).ok(),
        checkpoint.log,
        "a log that can be repaired is kept"
    );
}

#[test]
fn the_advice_for_a_damaged_state_works() {
    for checkpoint in [one_night(), killed()] {
        let cut = Damage::cut(checkpoint.state.len() / 2);
        let (state, log) = cut.of(&checkpoint.state, checkpoint.log.as_deref());
        checkpoint.restore(&state, None);
        let (before, undamaged) = (checkpoint.reconcile(&[]), &checkpoint.state);
        assert_eq!(before.code, 4, "{}", before.stderr);
        assert!(before.stderr.contains("move it away"), "{}", before.stderr);
        assert!(before.stderr.contains("finished reports are not affected"), "{}", before.stderr);
        // The state is moved away without its log.
        fs::rename(checkpoint.state_path(), checkpoint.place.path("damaged.sqlite")).expect("writable");
        log.iter().for_each(|log| drop(checkpoint.place.file("state.sqlite-wal", log)));
        let anew = checkpoint.reconcile(&[]);
        assert_eq!(anew.code, 1, "{}", anew.stderr);
        let summary = checkpoint.place.report().json("summary.json");
        assert_eq!(summary["lifecycle"]["persisting"], 0, "nothing earlier is known");
        // Or the state is restored from a backup.
        checkpoint.restore(undamaged, checkpoint.log.as_deref());
        assert_eq!(checkpoint.reconcile(&[]).code, 1);
        assert!(checkpoint.place.report().json("summary.json")["lifecycle"]["persisting"].as_u64() > Some(0));
        assert_eq!(checkpoint.verify().code, 0);
    }
}
