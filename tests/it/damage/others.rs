//! What lies where the state should be and is none of this version: it is left as it is.

use std::fs;
use std::os::unix::fs::symlink;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::mutation::Damage;
use super::{Ended, Left, ended, killed, one_night};
use crate::support::{Place, assert_same_files, files_below, repository, tieout};

const FORMAT: i64 = 99;

/// The sample, reconciled with a state in that place.
fn reconcile(place: &Place) -> Ended {
    ended(place.reconcile(repository("sample_data/ids.csv")).args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"]))
}

fn runs(place: &Place) -> Ended {
    ended(tieout().args(["runs", "--state"]).arg(place.path("state.sqlite")))
}

fn prune(place: &Place) -> Ended {
    ended(tieout().args(["prune", "--keep", "1ms", "--state"]).arg(place.path("state.sqlite")))
}

/// The format that this version writes.
fn format(left: &Left) -> i64 {
    let state = Connection::open(left.state_path()).expect("a state");
    state.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

/// Every command refuses the state and names both formats; not a byte of it changes.
fn assert_newer(left: &Left, known: i64) {
    let read = || ["", "-wal"].map(|suffix| fs::read(left.place.path(&format!("state.sqlite{suffix}"))).ok());
    let before = read();
    let commands = [left.runs(), left.verify(), left.reconcile(&[]), prune(&left.place)];
    for (number, Ended { code, said, shown }) in commands.into_iter().enumerate() {
        assert_eq!(code, 4, "{number}: {said}{shown}");
        let told = [format!("has format {FORMAT}"), format!("up to {known}"), "use the newer tieout".into()];
        assert!(told.iter().all(|told| said.contains(told)), "{number}: {said}");
        assert!(read() == before, "{number}: it was touched");
    }
    assert_same_files(&left.place.report().files(), &left.report, "untouched");
}

#[test]
fn a_state_of_a_newer_version_is_refused_and_untouched() {
    let left = one_night();
    left.restore(&left.state, None);
    let known = format(&left);
    let newer = Connection::open(left.state_path()).expect("a state");
    newer.pragma_update(None, "user_version", FORMAT).expect("writable");
    drop(newer);
    assert!(!left.place.path("state.sqlite-wal").exists(), "it is all in the file");
    assert_newer(&left, known);
}

#[test]
fn a_newer_state_that_was_killed_is_refused_and_untouched() {
    let left = killed();
    left.restore(&left.state, left.log.as_deref());
    // A killed newer version: its format stands in the log alone.
    let newer = Connection::open(left.state_path()).expect("a state");
    newer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it can be kept");
    let known = newer.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number");
    newer.pragma_update(None, "user_version", FORMAT).expect("writable");
    drop(newer);
    let log = fs::read(left.place.path("state.sqlite-wal")).expect("a log");
    assert!(log.len() > left.log.as_ref().expect("a log").len(), "it is in the log");
    assert_newer(&left, known);
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
    for Ended { code, said, shown } in [reconcile(place), runs(place), prune(place)] {
        assert_eq!(code, 4, "{name}: {said}{shown}");
        let state = place.path("state.sqlite").display().to_string();
        assert!(said.contains(&format!("{state} is not a state file of tieout")), "{name}: {said}");
        assert!(said.contains("left untouched") && said.contains("--state"), "{name}: {said}");
    }
    assert!(!place.report().exists(), "{name}");
    let mut left = files_below(&place.path("."));
    left.retain(|path| !path.ends_with("state.sqlite.lock"));
    assert_eq!(left, before, "{name}: nothing beside it");
}

#[test]
fn an_empty_file_is_a_state_that_knows_nothing() {
    let fresh = Place::new();
    assert_eq!(reconcile(&fresh).code, 1);
    let place = Place::new();
    place.file("state.sqlite", "");
    let listed = runs(&place);
    assert_eq!((listed.code, listed.shown.as_str()), (0, "no runs yet\n"), "{}", listed.said);
    place.file("state.sqlite", "");
    assert_eq!(reconcile(&place).code, 1);
    assert_same_files(&place.report().evident(), &fresh.report().evident(), "as without the file");
    // By a link, as by its own name.
    let linked = Place::new();
    symlink(place.path("state.sqlite"), linked.path("state.sqlite")).expect("writable");
    assert!(runs(&linked).shown.contains("finished") || runs(&linked).shown.contains("incomplete"));
}

#[test]
fn an_empty_file_with_a_log_beside_it_was_no_empty_state() {
    let left = killed();
    left.restore(&[], left.log.as_deref());
    for ended in [left.runs(), left.verify(), left.reconcile(&[])] {
        assert_eq!(ended.code, 4, "{}{}", ended.shown, ended.said);
        assert!(ended.said.contains("is damaged") && ended.said.contains("state.sqlite-wal"), "{}", ended.said);
    }
    assert_eq!(fs::read(left.place.path("state.sqlite-wal")).ok(), left.log, "what may be mended is kept");
}

#[test]
fn the_advice_for_a_damaged_state_works() {
    for left in [one_night(), killed()] {
        let cut = Damage::cut(left.state.len() / 2);
        let (state, log) = cut.of(&left.state, left.log.as_deref());
        left.restore(&state, None);
        let (before, undamaged) = (left.reconcile(&[]), &left.state);
        assert_eq!(before.code, 4, "{}", before.said);
        assert!(before.said.contains("move it away"), "{}", before.said);
        assert!(before.said.contains("finished reports stand by themselves"), "{}", before.said);
        // It is moved away, and its log is not.
        fs::rename(left.state_path(), left.place.path("damaged.sqlite")).expect("writable");
        log.iter().for_each(|log| drop(left.place.file("state.sqlite-wal", log)));
        let anew = left.reconcile(&[]);
        assert_eq!(anew.code, 1, "{}", anew.said);
        let summary = left.place.report().json("summary.json");
        assert_eq!(summary["lifecycle"]["persisting"], 0, "nothing is known of what was before");
        // Or it is restored from a backup.
        left.restore(undamaged, left.log.as_deref());
        assert_eq!(left.reconcile(&[]).code, 1);
        assert!(left.place.report().json("summary.json")["lifecycle"]["persisting"].as_u64() > Some(0));
        assert_eq!(left.verify().code, 0);
    }
}
