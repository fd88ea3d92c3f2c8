//! The recorded requests of earlier runs.

use super::super::*;
use super::{Bench, Tested, bench};

const HERE: &str = "https://provider.example/v2";
const THERE: &str = "https://provider.example/v3";

fn times(microseconds: &[i64]) -> Vec<Timestamp> {
    microseconds.iter().map(|time| Timestamp::from_microsecond(*time).expect("a time")).collect()
}

#[test]
fn each_run_learns_of_the_last_requests_before_it() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    assert_eq!(store.begin_sending(HERE)?, Sends::At(vec![]));
    store.end_sending(HERE, &times(&[3, 1, 2]))?;
    drop(store);

    let mut store = Store::open(&path)?;
    assert_eq!(store.begin_sending(THERE)?, Sends::At(vec![]), "those of a different provider");
    assert_eq!(store.begin_sending(HERE)?, Sends::At(times(&[1, 2, 3])));
    store.end_sending(HERE, &times(&[4]))?;
    assert_eq!(store.begin_sending(HERE)?, Sends::At(times(&[4])), "not those of the run before the last");
    Ok(())
}

#[test]
fn a_run_that_was_killed_may_have_sent_any_number() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    store.begin_sending(HERE)?;
    drop(store);

    let mut store = Store::open(&path)?;
    assert_eq!(store.begin_sending(HERE)?, Sends::Unknown);
    assert_eq!(store.begin_sending(HERE)?, Sends::Unknown, "killed again");
    store.end_sending(HERE, &times(&[5]))?;
    assert_eq!(store.begin_sending(HERE)?, Sends::At(times(&[5])));
    Ok(())
}
