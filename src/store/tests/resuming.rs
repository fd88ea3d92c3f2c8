//! A run that is reopened: finished rows stay, unfetched rows are fetched again.

use super::super::*;
use super::{
    Bench, Tested, bench, commit, fetched, findings, finish, found, learn, lines, missing, new_run, past, report,
    row_outcome, stored,
};
use crate::domain::books::{Booking, Field};
use crate::domain::finding::PastFinding;
use crate::domain::outcome::{Evidence, Reason};

/// The findings of other runs, without the job that judged them.
fn earlier_findings(store: &Store, run: RunId) -> Result<Vec<PastFinding>, StoreError> {
    Ok(store.earlier_findings(run)?.into_iter().map(|known| known.finding).collect())
}

fn other(line: u64, evidence: fn(Reason) -> Evidence) -> Outcome {
    Outcome { line, run_order_id: format!("wfrun_{line}"), evidence: evidence(Reason::new("why", "because")) }
}

#[test]
fn a_reopened_run_forgets_its_unfetched_rows_and_nothing_else() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let duplicate = Outcome { evidence: Evidence::Duplicate { first_line: 1 }, ..missing(6) };
    let kept = vec![
        fetched(1),
        missing(2),
        other(3, Evidence::Refused),
        other(5, Evidence::Rejected),
        duplicate,
        other(7, Evidence::Malformed),
    ];
    let open = vec![other(4, Evidence::Unfetched)];
    commit(&mut connection, run, [kept.clone(), open].concat())?;
    let neighbour = store.begin(&new_run())?;
    commit(&mut connection, neighbour, vec![other(1, Evidence::Unfetched)])?;
    report(&mut store, run, true, found(&[past(1)]))?;
    assert!(store.run(run)?.is_open());

    store.reopen(run, &new_run().input_place)?;
    let done: Vec<u64> = store.finished_lines(run)?.iter().map(|done| done.line).collect();
    assert_eq!(done, [1, 2, 3, 5, 6, 7]);
    assert_eq!(stored(&store, run)?, kept);
    assert_eq!(lines(&stored(&store, neighbour)?), [1], "the other run is left alone");
    let reopened = store.run(run)?;
    assert_eq!(reopened.ended, None);
    assert_eq!(reopened.report.map(|report| report.is_resumable), Some(true), "its report is still there");
    commit(&mut connection, run, vec![fetched(4)])?;
    assert_eq!(lines(&stored(&store, run)?), [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[test]
fn only_a_run_with_something_left_to_do_is_open() -> Tested {
    let Bench { mut store, run, _folder, .. } = bench();
    assert!(store.run(run)?.is_open());
    store.give_up(run, Timestamp::UNIX_EPOCH)?;
    assert!(!store.run(run)?.is_open());
    let run = store.begin(&new_run())?;
    finish(&mut store, run)?;
    assert!(!store.run(run)?.is_open());
    assert!(matches!(
        store.give_up(run, Timestamp::UNIX_EPOCH),
        Err(StoreError { problem: Problem::Finished { .. }, .. })
    ));
    assert!(matches!(
        store.announce(run, "00", Path::new("/reports"), None),
        Err(StoreError { problem: Problem::Finished { .. }, .. })
    ));
    Ok(())
}

#[test]
fn only_rows_that_may_be_fetched_keep_a_reported_run_open() -> Tested {
    let Bench { mut store, run, _folder, .. } = bench();
    let at = |second| Timestamp::from_second(second).expect("a time");
    let incomplete = |is_resumable, manifest_sha256| NewReport {
        verdict: "incomplete",
        is_resumable,
        manifest_sha256,
        folder: Path::new("report"),
    };
    store.announce(run, "00ee", Path::new("/reports"), None)?;
    store.finish(run, at(5), incomplete(true, "00ee"), findings(&[], &[]))?;
    assert!(store.run(run)?.is_open());
    store.reopen(run, &new_run().input_place)?;
    store.announce(run, "00ff", Path::new("/reports"), None)?;
    let announced = store.run(run)?;
    assert_eq!(announced.manifests, ["00ee", "00ff"]);
    assert!(announced.wrote("00ee") && announced.wrote("00ff"), "either may be published");
    // Malformed rows are left, say: nothing that continuing the run could fetch.
    store.finish(run, at(9), incomplete(false, "00ff"), findings(&[], &[]))?;
    let finished = store.run(run)?;
    assert!(!finished.is_open());
    assert!(finished.wrote("00ee") && finished.wrote("00ff"), "the first may exist under a different name");
    assert_eq!(finished.report.map(|report| report.first_at), Some(at(5)), "when its first report was made");
    Ok(())
}

#[test]
fn discrepancies_are_remembered_as_they_were_last_judged() -> Tested {
    let Bench { mut store, run: first, _folder, .. } = bench();
    report(&mut store, first, false, found(&[past(1), past(2)]))?;
    let second = store.begin(&new_run())?;
    assert_eq!(earlier_findings(&store, second)?, [past(1), past(2)]);
    // It judges the first order, whose check holds now, and does not judge the second.
    report(&mut store, second, false, findings(&[past(3)], &[past(1)]))?;
    let third = store.begin(&new_run())?;
    assert_eq!(earlier_findings(&store, third)?, [past(2), past(3)]);
    Ok(())
}

#[test]
fn a_continued_run_is_compared_with_what_others_found_and_not_with_itself() -> Tested {
    let Bench { mut store, run: first, _folder, .. } = bench();
    report(&mut store, first, false, found(&[past(1)]))?;
    let incomplete = store.begin(&new_run())?;
    report(&mut store, incomplete, true, findings(&[past(2)], &[past(1)]))?;
    store.reopen(incomplete, &new_run().input_place)?;
    assert_eq!(earlier_findings(&store, incomplete)?, [past(1)]);
    let other = store.begin(&new_run())?;
    assert_eq!(earlier_findings(&store, other)?, [past(2)]);
    report(&mut store, incomplete, false, findings(&[], &[past(1)]))?;
    assert_eq!(earlier_findings(&store, other)?, []);
    Ok(())
}

#[test]
fn what_depends_on_the_input_is_remembered_for_its_series() -> Tested {
    let Bench { mut store, _folder, .. } = bench();
    let at = |place: &str| NewRun { input_place: place.into(), ..new_run() };
    let booked = PastFinding { check: "expected-mismatch".into(), field: Some("final_amount".into()), ..past(1) };
    let first = store.begin(&at("/srv/a/ids-20260501.csv"))?;
    report(&mut store, first, false, found(&[booked.clone(), past(2)]))?;
    let same = store.begin(&at("/srv/a/ids-20260502.csv"))?;
    assert_eq!(earlier_findings(&store, same)?, [past(2), booked]);
    let other = store.begin(&at("/srv/b/ids-20260502.csv"))?;
    assert_eq!(earlier_findings(&store, other)?, [past(2)]);
    Ok(())
}

#[test]
fn finished_lines_are_known_by_their_number_and_their_row() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let booking = Booking { line: 2, cells: [(Field::Final, "1.5".to_owned())].into() };
    let duplicate = Outcome { evidence: Evidence::Duplicate { first_line: 1 }, ..missing(3) };
    let outcomes = vec![
        row_outcome(fetched(1)),
        row_outcome(missing(2)).with_booking(Some(booking.clone())),
        row_outcome(duplicate),
        row_outcome(other(4, Evidence::Rejected)),
    ];
    learn(&mut schema::connect(&path)?, run, false, outcomes)?;
    let repeated = RowKind::Duplicate { first_line: 1 };
    assert_eq!(
        store.finished_lines(run)?,
        [
            FinishedLine::of(1, RowKind::Order, "wfrun_1", None),
            FinishedLine::of(2, RowKind::Order, "wfrun_2", Some(&booking)),
            FinishedLine::of(3, repeated, "wfrun_3", None),
            FinishedLine::of(4, RowKind::Rejected, "wfrun_4", None),
        ]
    );
    let other_cell = Booking { cells: [(Field::Final, "1.50".to_owned())].into(), ..booking.clone() };
    let differing = [
        FinishedLine::of(1, RowKind::Order, "wfrun_2", None),
        FinishedLine::of(1, repeated, "wfrun_1", None),
        FinishedLine::of(1, RowKind::Rejected, "wfrun_1", None),
        FinishedLine::of(1, RowKind::Order, "wfrun_1", Some(&booking)),
    ];
    assert!(differing.iter().all(|done| *done != FinishedLine::of(1, RowKind::Order, "wfrun_1", None)));
    assert_ne!(FinishedLine::of(2, RowKind::Order, "wfrun_2", Some(&other_cell)), store.finished_lines(run)?[1]);
    Ok(())
}

#[test]
fn the_series_of_standard_input_is_how_its_ids_are_read() {
    let series =
        |reading: &str| NewRun { input_place: String::new(), reading: reading.to_owned(), ..new_run() }.series();
    let plain = "UTF-8, delimiter ,, heading, IDs in column 1";
    assert_eq!(series(plain), format!("standard input: {plain}"));
    // Our own books may be left out one night.
    assert_eq!(series(&format!("{plain}, final_amount in column 2")), series(plain));
    assert_ne!(series("UTF-8, delimiter ,, heading, IDs in column 2"), series(plain));
    assert_eq!(series("UTF-8, no record"), "standard input: UTF-8");
}
