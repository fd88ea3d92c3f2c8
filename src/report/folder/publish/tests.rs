//! Reports appear complete, and nothing that is not ours is touched.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::super::ReportFolder;
use super::super::manifest::{EarlierStamp, InputStamp, Stamp};
use super::*;
use crate::checks::Rules;
use crate::domain::layout::InputLayout;
use crate::report::formats::options::ReportOptions;

const AS_OF: &str = "2026-11-23T02:00:00Z";

fn write_report(folder: &Path, content: &str) {
    fs::write(folder.join("summary.json"), content).expect("writable");
    let time: Timestamp = AS_OF.parse().expect("a time");
    let input = InputStamp {
        name: "ids.csv".into(),
        sha256: "00".into(),
        bytes: 1,
        rows: 1,
        shortfall: None,
        layout: InputLayout::default(),
    };
    let stamp = Stamp {
        as_of: time,
        started_at: time,
        finished_at: time,
        base_url: "sandbox".into(),
        options: ReportOptions::default(),
        input,
        dataset: None,
        settings: Rules::default(),
        clock: None,
        fetch: None,
        designs: BTreeMap::new(),
        previous: None,
        made_from: None,
        earlier: EarlierStamp::default(),
        verdict: "reconciled".into(),
        exit_code: 0,
    };
    stamp.write(folder).expect("writable");
}

fn publish(destination: &Destination, content: &str) -> PathBuf {
    destination.check().expect("usable");
    let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
    write_report(staging.path(), content);
    staging.publish(&[]).expect("publishable").folder
}

fn hash_of(folder: &Path) -> String {
    ReportFolder::open(folder).expect("a report").manifest_sha256().to_owned()
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn under_a_folder_each_report_has_its_own_and_latest_moves() {
    let place = tempfile::tempdir().expect("a folder");
    let reports = place.path().join("deep/reports");
    let destination = Destination::Under(reports.clone());
    assert_eq!(publish(&destination, "1"), reports.join("20261123T020000Z"));
    assert_eq!(publish(&destination, "2"), reports.join("20261123T020000Z-2"));
    assert_eq!(entries(&reports), ["20261123T020000Z", "20261123T020000Z-2", "latest"]);
    assert_eq!(fs::read_link(reports.join("latest")).expect("a link"), Path::new("20261123T020000Z-2"));
    assert_eq!(fs::read_to_string(reports.join("20261123T020000Z/summary.json")).expect("there"), "1");
}

#[test]
fn exactly_there_replaces_only_a_report_of_ours() {
    let place = tempfile::tempdir().expect("a folder");
    let out = place.path().join("out");
    let destination = Destination::Exactly(out.clone());
    publish(&destination, "1");
    publish(&destination, "2");
    assert_eq!(fs::read_to_string(out.join("summary.json")).expect("there"), "2");
    assert_eq!(entries(place.path()), ["out"], "nothing is left beside it");

    fs::write(out.join("notes.txt"), "mine").expect("writable");
    let error = destination.check().expect_err("a foreign file").to_string();
    assert!(error.contains("it holds notes.txt") && error.contains("nothing was touched"), "{error}");
    assert_eq!(fs::read_to_string(out.join("notes.txt")).expect("there"), "mine");
}

#[test]
fn of_other_folders_only_an_empty_one_is_replaced() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("empty");
    fs::create_dir(&folder).expect("writable");
    publish(&Destination::Exactly(folder), "1");

    let foreign = place.path().join("foreign");
    fs::create_dir(&foreign).expect("writable");
    fs::write(foreign.join("manifest.json"), r#"{"kind":"something else"}"#).expect("writable");
    let file = place.path().join("file");
    fs::write(&file, "mine").expect("writable");
    let link = place.path().join("link");
    symlink(&foreign, &link).expect("writable");
    for path in [foreign, file, link] {
        let error = Destination::Exactly(path.clone()).check().expect_err("not ours");
        assert!(matches!(error, PublishError::NotOurs { .. }), "{}: {error}", path.display());
    }
}

#[test]
fn latest_that_is_not_a_link_is_left_alone() {
    let place = tempfile::tempdir().expect("a folder");
    fs::create_dir(place.path().join("latest")).expect("writable");
    let error = Destination::Under(place.path().to_owned()).check().expect_err("not ours");
    assert!(matches!(error, PublishError::LatestNotOurs(_)), "{error}");
}

#[test]
fn an_unpublished_report_leaves_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let destination = Destination::Under(place.path().to_owned());
    let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
    write_report(staging.path(), "half");
    drop(staging);
    assert_eq!(entries(place.path()), Vec::<String>::new());
}

#[test]
fn a_report_takes_the_place_of_the_one_it_names_and_of_no_other() {
    let place = tempfile::tempdir().expect("a folder");
    let destination = Destination::Under(place.path().to_owned());
    let folders = ["1", "2", "3"].map(|content| publish(&destination, content));
    let second = hash_of(&folders[1]);
    let again = |replaces: &[String]| {
        let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
        write_report(staging.path(), "again");
        staging.publish(replaces).expect("publishable").folder
    };
    assert_eq!(again(std::slice::from_ref(&second)), folders[1]);
    let content = |folder: &Path| fs::read_to_string(folder.join("summary.json")).expect("there");
    assert_eq!(folders.each_ref().map(|folder| content(folder)), ["1", "again", "3"]);
    assert_eq!(fs::read_link(place.path().join("latest")).expect("a link"), Path::new("20261123T020000Z-2"));
    assert_eq!(again(&[second]).file_name().expect("a name"), "20261123T020000Z-4", "it is not there any more");
    assert_eq!(entries(place.path()).len(), 5, "nothing is left beside the reports");
}

#[test]
fn a_report_to_be_replaced_that_holds_something_else_is_left_alone() {
    let place = tempfile::tempdir().expect("a folder");
    let destination = Destination::Under(place.path().to_owned());
    let first = publish(&destination, "1");
    fs::write(first.join("notes.txt"), "mine").expect("writable");
    let hash = hash_of(&first);
    let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
    write_report(staging.path(), "2");
    assert_eq!(
        staging.publish(&[hash]).expect("publishable").folder.file_name().expect("a name"),
        "20261123T020000Z-2"
    );
    assert_eq!(fs::read_to_string(first.join("notes.txt")).expect("there"), "mine");
}

#[test]
fn whoever_looks_while_a_report_is_replaced_finds_one() {
    let place = tempfile::tempdir().expect("a folder");
    let report = place.path().join("report");
    let destination = Destination::Exactly(report.clone());
    publish(&destination, "0");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut looks = 0_u32;
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                assert!(report.is_dir(), "no report after {looks} looks");
                looks += 1;
            }
            looks
        });
        for content in 1..50 {
            publish(&destination, &content.to_string());
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(looks.join().expect("a report at every look") > 50);
    });
}

/// A destination whose report was being replaced in two steps when the job was killed: before the new report
/// was in place, or after.
fn replaced_half(place: &Path, is_in_place: bool) -> Destination {
    let destination = Destination::Exactly(place.join("out"));
    let earlier = publish(&destination, "1");
    let hash = ReportFolder::open(&earlier).expect("a report").manifest_sha256().to_owned();
    let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
    write_report(staging.path(), "2");
    let manifest = staging.path().join(MANIFEST_FILE);
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let mut named: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    named["previous"] = serde_json::json!({ "report": "out", "manifest_sha256": hash });
    fs::write(&manifest, named.to_string()).expect("writable");
    let aside = HiddenFolder::create(place).expect("writable");
    aside.move_aside(&earlier).expect("movable");
    if is_in_place {
        fs::rename(staging.path(), &earlier).expect("free");
    }
    aside.keep();
    destination
}

#[test]
fn a_job_killed_between_two_steps_leaves_a_report_for_the_next() {
    for (is_in_place, expected) in [(false, "1"), (true, "2")] {
        let place = tempfile::tempdir().expect("a folder");
        let destination = replaced_half(place.path(), is_in_place);
        destination.check().expect("usable");
        let found = fs::read_to_string(place.path().join("out/summary.json"));
        assert_eq!(found.expect("a report"), expected, "in place: {is_in_place}");
        assert_eq!(entries(place.path()), ["out"], "nothing is left beside it");
        publish(&destination, "3");
        assert_eq!(entries(place.path()), ["out"]);
    }
}

#[test]
fn two_steps_replace_a_report_as_an_exchange_does() {
    let place = tempfile::tempdir().expect("a folder");
    let destination = Destination::Exactly(place.path().join("out"));
    let out = publish(&destination, "1");
    let staging = destination.staging(AS_OF.parse().expect("a time")).expect("usable");
    write_report(staging.path(), "2");
    staging.replace_in_two_steps(&out).expect("replaceable");
    drop(staging);
    assert_eq!(fs::read_to_string(out.join("summary.json")).expect("there"), "2");
    assert_eq!(entries(place.path()), ["out"]);
}

#[test]
fn a_folder_that_can_not_be_made_durable_is_said_and_no_failure() {
    // Folders of /proc refuse to be synced, as some network shares do.
    let refused = sync_folder(Path::new("/proc")).expect("that is not a failure");
    assert!(refused.is_some_and(|error| error.kind() == io::ErrorKind::InvalidInput));
    assert!(sync_folder(tempfile::tempdir().expect("a folder").path()).expect("it is there").is_none());
}
