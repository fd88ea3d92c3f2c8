//! Everything that is committed comes back as it was, and nothing else does.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Reason};

fn new_run() -> NewRun {
    NewRun {
        base_url: "sandbox".into(),
        input_name: "ids.csv".into(),
        input_sha256: "00".into(),
        rows: 1,
        settings: "{}".into(),
        as_of: Timestamp::UNIX_EPOCH,
        started_at: Timestamp::UNIX_EPOCH,
    }
}

fn read(store: &Store, run: RunId) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = Vec::new();
    store.for_each_outcome::<StoreError>(run, |outcome| {
        outcomes.push(outcome);
        Ok(())
    })?;
    Ok(outcomes)
}

fn put(writer: &Writer, outcome: Outcome) -> Result<(), StoreError> {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(writer.put(outcome))
}

fn unfetched(line: u64) -> Outcome {
    let evidence = Evidence::Unfetched(Reason::new("timeout", "no reply"));
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[ -~订\u{1f600}\"',;\\n\u{0}]{1,20}")
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(
        (Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond())
            .prop_filter_map("in range", |time| Timestamp::from_microsecond(time).ok()),
    )
}

fn amount() -> impl Strategy<Value = Option<Amount>> {
    let largest = 10_i128.pow(28) - 1;
    prop::option::of(prop_oneof![Just(largest), Just(-largest), -largest..=largest])
        .prop_map(|units| units.and_then(Amount::from_units))
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let texts = prop::collection::vec(text(), 11);
    let order =
        (texts, prop::array::uniform6(amount()), time(), time()).prop_map(|(texts, amounts, created, updated)| {
            let text = |index: usize| texts[index].clone();
            Evidence::Fetched(Box::new(RunOrder {
                run_order_id: text(0),
                workflow_id: text(1),
                revision_id: text(2),
                quote_currency: text(3),
                amounts: Amounts::from_order(amounts),
                freeze_status: text(4),
                submission_status: text(5),
                run_status: text(6),
                settlement_status: text(7),
                task_id: text(8),
                prompt_id: text(9),
                error_code: text(10),
                created_at: created,
                updated_at: updated,
            }))
        });
    let reason = ("[a-z0-9-]{1,12}", ".{0,40}").prop_map(|(code, detail)| Reason::new(code, detail));
    prop_oneof![
        4 => order,
        1 => reason.clone().prop_map(Evidence::NotFound),
        1 => reason.clone().prop_map(Evidence::Refused),
        1 => reason.clone().prop_map(Evidence::Malformed),
        1 => reason.clone().prop_map(Evidence::Unfetched),
        1 => reason.prop_map(Evidence::Rejected),
        1 => (1_u64..1 << 62).prop_map(|first_line| Evidence::Duplicate { first_line }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn outcomes_come_back_by_line_as_they_were(
        evidence in prop::collection::vec((".{0,30}", evidence()), 0..30),
        shuffle in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(&folder.path().join("deep/state.sqlite")).expect("usable");
        let run = store.begin(&new_run()).expect("usable");
        let other = store.begin(&new_run()).expect("usable");
        let outcomes: Vec<Outcome> = (1..)
            .zip(evidence)
            .map(|(line, (run_order_id, evidence))| Outcome { line, run_order_id, evidence })
            .collect();
        let mut shuffled = outcomes.clone();
        shuffled.sort_by_key(|outcome| outcome.line.wrapping_mul(shuffle | 1));
        let writer = store.writer(run, 4).expect("usable");
        for outcome in shuffled {
            put(&writer, outcome).expect("usable");
        }
        prop_assert_eq!(writer.finish().expect("committed"), outcomes.len() as u64);
        prop_assert_eq!(read(&store, run).expect("readable"), outcomes);
        prop_assert_eq!(read(&store, other).expect("readable"), vec![]);
    }
}

#[test]
fn a_writer_that_is_dropped_commits_what_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(&folder.path().join("state.sqlite")).expect("usable");
    let run = store.begin(&new_run()).expect("usable");
    let writer = store.writer(run, 4).expect("usable");
    put(&writer, unfetched(2)).expect("usable");
    drop(writer);
    assert_eq!(read(&store, run).expect("readable"), [unfetched(2)]);
}

#[test]
fn a_second_outcome_of_a_row_is_an_error_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(&folder.path().join("state.sqlite")).expect("usable");
    let run = store.begin(&new_run()).expect("usable");
    let first = store.writer(run, 4).expect("usable");
    put(&first, unfetched(2)).expect("usable");
    first.finish().expect("committed");
    let second = store.writer(run, 4).expect("usable");
    let twice = Outcome { evidence: Evidence::Duplicate { first_line: 1 }, ..unfetched(2) };
    put(&second, twice).expect("handed over");
    assert!(matches!(second.finish(), Err(StoreError::Sqlite { .. })));
    assert_eq!(read(&store, run).expect("readable"), [unfetched(2)]);
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let notes = folder.path().join("notes.txt");
    let text = "not a database, but long enough to be looked at as if it were one. ".repeat(30);
    fs::write(&notes, &text).expect("writable");
    assert!(matches!(Store::open(&notes), Err(StoreError::NotOurs(_))));
    assert_eq!(fs::read_to_string(&notes).expect("there"), text);

    let foreign = folder.path().join("foreign.sqlite");
    Connection::open(&foreign).and_then(|other| other.execute_batch("CREATE TABLE theirs (x)")).expect("a database");
    let before = fs::read(&foreign).expect("there");
    assert!(matches!(Store::open(&foreign), Err(StoreError::NotOurs(_))));
    assert_eq!(fs::read(&foreign).expect("there"), before);
}

#[test]
fn a_state_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.sqlite");
    drop(Store::open(&path).expect("usable"));
    Connection::open(&path).and_then(|state| state.pragma_update(None, "user_version", 2)).expect("a database");
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 2, known: 1, .. })));
}

#[test]
fn what_can_not_be_understood_is_damage_and_never_a_default() {
    let damages = [
        ("evidence = 'guessed'", "evidence"),
        ("evidence = 'rejected', reason_code = NULL", "reason_code"),
        ("evidence = 'fetched', final_amount = '0.1.2'", "final_amount"),
        ("evidence = 'fetched', created_at = 9223372036854775807", "created_at"),
    ];
    for (damage, damaged) in damages {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.sqlite");
        let mut store = Store::open(&path).expect("usable");
        let run = store.begin(&new_run()).expect("usable");
        let writer = store.writer(run, 4).expect("usable");
        put(&writer, unfetched(7)).expect("usable");
        writer.finish().expect("committed");
        Connection::open(&path)
            .and_then(|state| state.execute(&format!("UPDATE outcomes SET {damage}"), []))
            .expect("a database");
        match read(&store, run) {
            Err(StoreError::Damaged { line: 7, column, .. }) => assert_eq!(column, damaged),
            other => panic!("{damage}: {other:?}"),
        }
    }
}
