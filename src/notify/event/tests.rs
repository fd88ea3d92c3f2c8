//! What nights are worth, night by night and against a model that knows the whole history.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn listed(ids: &[u64]) -> Errors {
    Errors::of(ids.iter().copied().collect())
}

fn report(exit_code: u8, verdict: Verdict, ids: &[u64]) -> Night {
    Night { exit_code, report: Some((verdict, listed(ids))) }
}

fn failed(exit_code: u8) -> Night {
    Night { exit_code, report: None }
}

/// The messages of these nights to a target that gets all of them.
fn messages(nights: &[Night]) -> Vec<Option<Event>> {
    let mut told = Told::default();
    let mut messages = Vec::new();
    for night in nights {
        let event = told.events(night).first().copied();
        if event.is_some() {
            told = told.after(night);
        }
        messages.push(event);
    }
    messages
}

use Event::{Failed, Incomplete, Recovered, Worse};

#[test]
fn a_message_is_sent_on_change_only() {
    let clean = report(0, Verdict::Reconciled, &[]);
    let bad = |ids| report(1, Verdict::Discrepant, ids);
    let nights = [
        (clean.clone(), None),
        (report(0, Verdict::Pending, &[]), Some(Worse)),
        (clean.clone(), None),
        (report(0, Verdict::Pending, &[]), None),
        (bad(&[1]), Some(Worse)),
        (bad(&[1]), None),
        (bad(&[1, 2]), Some(Worse)),
        // One is gone, and it is told with the next message.
        (bad(&[2]), None),
        (bad(&[2, 3]), Some(Worse)),
        (bad(&[1, 2]), Some(Worse)),
        (report(0, Verdict::Warnings, &[]), Some(Recovered)),
        (report(1, Verdict::Warnings, &[]), Some(Worse)),
        (report(0, Verdict::Empty, &[]), Some(Recovered)),
    ];
    let (nights, expected): (Vec<_>, Vec<_>) = nights.into_iter().unzip();
    assert_eq!(messages(&nights), expected);
}

#[test]
fn a_job_without_a_verdict_is_told_once_and_hides_nothing() {
    let bad = |ids| report(1, Verdict::Discrepant, ids);
    let incomplete = |ids| report(3, Verdict::Incomplete, ids);
    let nights = [
        (bad(&[1]), Some(Worse)),
        (failed(4), Some(Failed)),
        (failed(4), None),
        (failed(2), Some(Failed)),
        // The job gives a verdict again, and what was told of it still stands.
        (bad(&[1]), Some(Recovered)),
        (failed(4), Some(Failed)),
        (bad(&[1, 2]), Some(Worse)),
        (incomplete(&[2]), Some(Incomplete)),
        (incomplete(&[2]), None),
        (incomplete(&[2, 3]), Some(Worse)),
        // 1 was not fetched in those nights; it is not new.
        (bad(&[1, 2, 3]), Some(Recovered)),
        (failed(4), Some(Failed)),
        (incomplete(&[]), Some(Incomplete)),
        (report(0, Verdict::Reconciled, &[]), Some(Recovered)),
    ];
    let (nights, expected): (Vec<_>, Vec<_>) = nights.into_iter().unzip();
    assert_eq!(messages(&nights), expected);
}

#[test]
fn a_night_can_be_several_events_for_targets_that_want_only_some() {
    let told = Told::default().after(&report(1, Verdict::Discrepant, &[1]));
    assert_eq!(told.events(&report(3, Verdict::Incomplete, &[2])), [Incomplete, Worse]);
    assert_eq!(told.after(&failed(4)).events(&report(1, Verdict::Discrepant, &[2])), [Worse, Recovered]);
    let told = Told::default().after(&failed(4));
    assert_eq!(told.events(&report(0, Verdict::Warnings, &[])), [Recovered, Worse]);
}

#[test]
fn too_many_errors_are_only_counted() {
    let most = Errors::MOST;
    let many = Errors::of((0..=most).collect());
    assert_eq!(many, Errors::Counted(most + 1));
    assert_eq!(Errors::of((0..most).collect()).count(), most);
    assert_eq!(many.new_since(&listed(&[1, 2])), most - 1);
    assert_eq!(Errors::Counted(most + 5).new_since(&many), 4);
    assert_eq!(listed(&[1]).new_since(&many), 0);
    assert_eq!(listed(&[1]).and(&many), many);
    assert!(listed(&[1]).lacks(2) && !listed(&[1]).lacks(1) && !many.lacks(most + 9));
}

/// A night, whether its message is delivered, as numbers.
type Drawn = (u8, BTreeSet<u64>, bool);

fn night(kind: u8, ids: &BTreeSet<u64>) -> Night {
    let of = |exit_code, verdict, ids: &BTreeSet<u64>| Night {
        exit_code,
        report: Some((verdict, Errors::Listed(ids.clone()))),
    };
    match kind {
        0 | 1 => of(0, Verdict::Reconciled, &BTreeSet::new()),
        2 => of(0, Verdict::Pending, &BTreeSet::new()),
        3 => of(0, Verdict::Warnings, &BTreeSet::new()),
        4 => of(1, Verdict::Warnings, &BTreeSet::new()),
        5 | 6 => of(1, Verdict::Discrepant, ids),
        7 => of(3, Verdict::Incomplete, ids),
        8 => failed(2),
        _ => failed(4),
    }
}

/// What a target knows, from all nights that it was told of: a definition that looks back instead of keeping a state.
fn known(informed: &[Night]) -> (u8, usize, BTreeSet<u64>) {
    let ids = |errors: &Errors| match errors {
        Errors::Listed(ids) => ids.clone(),
        Errors::Counted(_) => BTreeSet::new(),
    };
    let is_complete =
        |night: &&Night| night.report.as_ref().is_some_and(|(verdict, _)| *verdict != Verdict::Incomplete);
    let last_complete = informed.iter().rposition(|night| is_complete(&night));
    let verdict =
        last_complete.and_then(|at| informed[at].report.as_ref()).map_or(Verdict::Reconciled, |(verdict, _)| *verdict);
    let since = &informed[last_complete.unwrap_or(0)..];
    let errors = since.iter().filter_map(|night| night.report.as_ref()).flat_map(|(_, errors)| ids(errors)).collect();
    // Worst first, as the contract lists them; an empty input is as good as a reconciled one.
    let badness = Verdict::ALL.len() - Verdict::ALL.iter().position(|known| *known == verdict).unwrap_or(0);
    (informed.last().map_or(0, |night| night.exit_code), badness.max(2), errors)
}

proptest! {
    #[test]
    fn messages_are_those_of_a_model_that_knows_the_history(
        nights in prop::collection::vec((0..10_u8, prop::collection::btree_set(0..5_u64, 0..4), any::<bool>()), 1..40),
        wanted in prop::collection::vec(prop::sample::select(Event::ALL.to_vec()), 1..5),
    ) {
        let nights: Vec<Drawn> = nights;
        let (mut told, mut informed) = (Told::default(), Vec::new());
        for (kind, ids, is_delivered) in nights {
            let night = night(kind, &ids);
            let (exit, badness, errors) = known(&informed);
            let events = told.events(&night);
            // The model.
            let mut expected = BTreeSet::new();
            match &night.report {
                None => _ = (exit != night.exit_code).then(|| expected.insert("failed")),
                Some((verdict, found)) => {
                    let is_new = matches!(found, Errors::Listed(found) if !found.is_subset(&errors));
                    let now = known(std::slice::from_ref(&night)).1;
                    if is_new || (*verdict != Verdict::Incomplete && (now > badness || (exit == 0 && night.exit_code == 1))) {
                        expected.insert("worse");
                    }
                    match (exit, night.exit_code) {
                        (before, 3) => _ = (before != 3).then(|| expected.insert("incomplete")),
                        (0 | 1, 1) | (0, 0) => {}
                        _ => _ = expected.insert("recovered"),
                    }
                }
            }
            prop_assert_eq!(events.iter().map(|event| event.code()).collect::<BTreeSet<_>>(), expected);
            let is_wanted = events.iter().any(|event| wanted.contains(event));
            if !events.is_empty() && (!is_wanted || is_delivered) {
                told = told.after(&night);
                informed.push(night.clone());
                // Once told, the same night is not news.
                prop_assert_eq!(told.events(&night), []);
            }
        }
    }
}
