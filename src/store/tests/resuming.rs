//! A run that is opened again: what is done stays, what could not be had is asked for once more.

use super::super::*;
use super::{Bench, Tested, bench, commit, fetched, finish, lines, missing, new_run, past, stored};
use crate::domain::outcome::{Evidence, Reason};

fn other(line: u64, evidence: fn(Reason) -> Evidence) -> Outcome {
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence: evidence(Reason::new("why", "because")) }
}

#[test]
fn a_reopened_run_forgets_what_could_not_be_had_and_nothing_else() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let duplicate = Outcome { evidence: Evidence::Duplicate { first_line: 1 }, ..missing(6) };
    let kept = vec![fetched(1), missing(2), other(3, Evidence::Refused), other(5, Evidence::Rejected), duplicate];
    let open = vec![other(4, Evidence::Unfetched), other(7, Evidence::Malformed)];
    commit(&mut connection, &path, run, [kept.clone(), open].concat())?;
    let neighbour = store.begin(&new_run())?;
    commit(&mut connection, &path, neighbour, vec![other(1, Evidence::Unfetched)])?;
    store.finish(run, Timestamp::UNIX_EPOCH, "incomplete", Path::new("report"), vec![past(1)])?;
    assert!(store.run(run)?.is_open());

    store.reopen(run)?;
    assert_eq!(store.done(run)?, [1, 2, 3, 5, 6]);
    assert_eq!(stored(&store, run)?, kept);
    assert_eq!(lines(&stored(&store, neighbour)?), [1], "of another run");
    let reopened = store.run(run)?;
    assert_eq!(reopened.ended, None);
    assert_eq!(reopened.reported.map(|report| report.findings), Some(1), "its report is still there");
    commit(&mut connection, &path, run, vec![fetched(4), fetched(7)])?;
    assert_eq!(lines(&stored(&store, run)?), [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[test]
fn only_what_has_something_left_to_do_is_open() -> Tested {
    let Bench { mut store, run, _folder, .. } = bench();
    assert!(store.run(run)?.is_open());
    store.give_up(run, Timestamp::UNIX_EPOCH)?;
    assert!(!store.run(run)?.is_open());
    let run = store.begin(&new_run())?;
    finish(&mut store, run)?;
    assert!(!store.run(run)?.is_open());
    assert!(matches!(store.give_up(run, Timestamp::UNIX_EPOCH), Err(StoreError::Finished { .. })));
    assert!(matches!(store.announce(run, "00"), Err(StoreError::Finished { .. })));
    Ok(())
}

#[test]
fn a_run_keeps_the_discrepancies_of_its_last_report() -> Tested {
    let Bench { mut store, run, _folder, .. } = bench();
    let report = Path::new("report");
    store.announce(run, "00ee")?;
    store.finish(run, Timestamp::UNIX_EPOCH, "incomplete", report, vec![past(1), past(2)])?;
    assert_eq!(store.findings(run)?, [past(1), past(2)]);
    store.reopen(run)?;
    store.announce(run, "00ff")?;
    store.finish(run, Timestamp::UNIX_EPOCH, "discrepant", report, vec![past(2)])?;
    assert_eq!(store.findings(run)?, [past(2)]);
    assert_eq!(store.run(run)?.manifests, ["00ee", "00ff"]);
    assert_eq!(store.run(run)?.manifest_sha256(), Some("00ff"));
    Ok(())
}
