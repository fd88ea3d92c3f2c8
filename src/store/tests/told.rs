//! What targets of notifications were last told.

use super::super::*;
use super::{Bench, Tested, bench};

fn audience(target: &str) -> Audience {
    Audience {
        base_url: "https://provider.example/v2".into(),
        series: "input /srv/#.csv".into(),
        target: target.into(),
    }
}

#[test]
fn each_target_has_what_it_was_last_told() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    assert_eq!(store.last_told(&audience("ops"))?, None);
    let first = LastTold { exit_code: 1, verdict: "discrepant".into(), errors: 2, error_ids: Some(vec![7, u64::MAX]) };
    let many = LastTold { exit_code: 4, verdict: "warnings".into(), errors: 100_000, error_ids: None };
    store.note_told(&audience("ops"), &first)?;
    store.note_told(&audience("finance"), &many)?;
    drop(store);

    let mut store = Store::open(&path)?;
    assert_eq!(store.last_told(&audience("ops"))?, Some(first));
    assert_eq!(store.last_told(&audience("finance"))?, Some(many.clone()));
    store.note_told(&audience("ops"), &many)?;
    assert_eq!(store.last_told(&audience("ops"))?, Some(many));
    let elsewhere = Audience { base_url: "https://other.example".into(), ..audience("ops") };
    assert_eq!(store.last_told(&elsewhere)?, None);
    Ok(())
}

#[test]
fn a_damaged_row_is_noticed() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    let told = LastTold { exit_code: 0, verdict: "reconciled".into(), errors: 0, error_ids: Some(vec![1]) };
    store.note_told(&audience("ops"), &told)?;
    Connection::open(&path)?.execute("UPDATE told SET exit_code = 1", ())?;
    let problem = store.last_told(&audience("ops")).expect_err("damaged").to_string();
    assert!(problem.contains("told") && problem.contains("checksum"), "{problem}");
    Ok(())
}

#[test]
fn inputs_with_other_digits_are_one_series() {
    assert_eq!(series_of("/srv/2026-05-01/ids 17.csv"), "input /srv/#-#-#/ids #.csv");
}
