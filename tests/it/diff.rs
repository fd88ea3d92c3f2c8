//! Two reports compared by the real binary; the result is checked against their files, read by plain means.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{NO_CONFIRM_READ, Place, ReportFiles, Server, code, repository, stderr, stdout, tieout};

/// The columns that make a discrepancy `changed` if they differ.
const COMPARED: [&str; 7] = ["severity", "cause", "currency", "expected", "actual", "difference", "waived"];
/// An order of the sample that fails `quote-split`.
const DISCREPANT: &str = "wfrun_d88de39449148030b6f2";

fn sample() -> PathBuf {
    repository("reports/sample")
}

fn diff(old: &Path, new: &Path, arguments: &[&str]) -> Output {
    tieout().arg("diff").args([old, new]).args(arguments).output().expect("starts")
}

fn as_json(old: &Path, new: &Path) -> Value {
    let run = diff(old, new, &["--output", "json"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    serde_json::from_slice(&run.stdout).expect("standard output is JSON alone")
}

/// A later report of most of the sample's orders and a few others, under settings that resolve and change some
/// findings; and the orders it asked for.
fn later() -> (Place, BTreeSet<String>) {
    let place = Place::new();
    let text = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let sampled = text.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_owned);
    // Every seventh order of the sample is left out, and forty are new.
    let kept = sampled.enumerate().filter(|(number, _)| number % 7 != 5).map(|(_, id)| id);
    let ids: Vec<String> = kept.chain((20..60).map(|number| format!("wfrun_{number:020x}"))).collect();
    let input = place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let settings = ["--sandbox", "--tolerance", "0.00000001", "--currency", "CNY"];
    assert_eq!(code(&place.reconcile(input).args(settings).output().expect("starts")), 1);
    (place, ids.into_iter().collect())
}

#[test]
fn discrepancies_are_in_the_state_that_the_files_show() {
    let (place, asked) = later();
    let (old, new) = (ReportFiles(sample()), place.report());
    let by_id = |report: &ReportFiles| -> BTreeMap<String, BTreeMap<String, String>> {
        report.rows("discrepancies.csv").into_iter().map(|row| (row["discrepancy_id"].clone(), row)).collect()
    };
    let (before, now) = (by_id(&old), by_id(&new));
    // An order was seen if it was asked for and is neither an exception nor a reply about a different order.
    let mut seen = asked;
    for row in new.rows("exceptions.csv").iter().filter(|row| row["bucket"] != "duplicate") {
        seen.remove(&row["run_order_id"]);
    }
    for row in now.values().filter(|row| row["check"] == "identity-mismatch") {
        seen.remove(&row["run_order_id"]);
    }
    let expected: BTreeMap<String, &str> = before
        .keys()
        .chain(now.keys())
        .map(|id| {
            let state = match (before.get(id), now.get(id)) {
                (Some(old), Some(new)) if COMPARED.iter().all(|column| old[*column] == new[*column]) => "persisting",
                (Some(_), Some(_)) => "changed",
                (None, _) => "new",
                (Some(old), None) if seen.contains(&old["run_order_id"]) => "resolved",
                (Some(_), None) => "not-assessed",
            };
            (id.clone(), state)
        })
        .collect();
    let states: BTreeSet<&str> = expected.values().copied().collect();
    assert_eq!(states.len(), 5, "the two reports have discrepancies in every state: {states:?}");

    let comparison = as_json(&sample(), &new.0);
    let rows = comparison["discrepancies"].as_array().expect("a list");
    let found: BTreeMap<String, &str> = rows
        .iter()
        .map(|row| (row["discrepancy_id"].as_str().expect("an ID").to_owned(), row["state"].as_str().expect("a word")))
        .collect();
    assert_eq!((found, rows.len()), (expected.clone(), expected.len()));
    for state in states {
        let count = expected.values().filter(|there| **there == state).count();
        assert_eq!(comparison["counts"][state.replace('-', "_")], count, "{state}");
    }
    for row in rows {
        let id = row["discrepancy_id"].as_str().expect("an ID");
        for (side, report) in [("old", before.get(id)), ("new", now.get(id))] {
            let expected = report.map(|row| {
                let cell = |column: &str| match &*row[column] {
                    "" if column == "difference" => Value::Null,
                    text => json!(text),
                };
                COMPARED.into_iter().map(|column| (column.to_owned(), cell(column))).collect()
            });
            assert_eq!(row[side], expected.map_or(Value::Null, Value::Object), "{id}");
        }
    }
    let changed = rows.iter().find(|row| row["state"] == "changed").expect("there is one");
    assert_eq!(changed["changed"], json!(["expected"]), "--currency says what is expected");
}

#[test]
fn spend_moves_as_the_files_show() {
    let (place, _) = later();
    let comparison = as_json(&sample(), &place.path("report"));
    for (name, list, keys) in [
        ("spend_by_workflow.csv", "by_workflow", &["workflow_id", "currency"][..]),
        ("spend_by_revision.csv", "by_revision", &["workflow_id", "revision_id", "currency"]),
    ] {
        let mut groups: BTreeMap<Vec<String>, [(i128, u64); 2]> = BTreeMap::new();
        for (side, report) in [ReportFiles(sample()), place.report()].iter().enumerate() {
            for row in report.rows(name) {
                let key = keys.iter().map(|key| row[*key].clone()).collect();
                let settled = row["settled"].parse().expect("a count");
                groups.entry(key).or_default()[side] = (units(&row["final_amount"]), settled);
            }
        }
        let mut moved: BTreeMap<&String, i128> = BTreeMap::new();
        for (key, [old, new]) in &groups {
            *moved.entry(key.last().expect("a currency")).or_default() += (new.0 - old.0).abs();
        }
        let expected: Vec<Value> = groups
            .iter()
            .map(|(key, [old, new])| {
                let in_all = moved[key.last().expect("a currency")];
                let mut group: serde_json::Map<String, Value> =
                    keys.iter().zip(key).map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
                group.insert("movement".to_owned(), json!(amount(new.0 - old.0)));
                group.insert("change_percent".to_owned(), percent(new.0 - old.0, old.0));
                group.insert("share_percent".to_owned(), percent((new.0 - old.0).abs(), in_all));
                group.insert("old".to_owned(), json!({"final_amount": amount(old.0), "settled": old.1}));
                group.insert("new".to_owned(), json!({"final_amount": amount(new.0), "settled": new.1}));
                group.into()
            })
            .collect();
        let mut found = comparison["spend"][list].as_array().expect("a list").clone();
        for group in &mut found {
            group.as_object_mut().expect("an object").remove("state").expect("a state");
        }
        assert_eq!(found, expected, "{name}");
    }
    let totals = comparison["spend"]["totals"].as_array().expect("a list");
    let control = |report: &ReportFiles, currency: &str| {
        let totals = &report.json("summary.json")["control_totals"][currency]["amounts"]["final_amount"];
        totals.as_str().map_or(0, units)
    };
    for total in totals {
        let currency = total["currency"].as_str().expect("a word");
        let moved = control(&place.report(), currency) - control(&ReportFiles(sample()), currency);
        assert_eq!(total["movement"], amount(moved), "{currency} moved as the control totals did");
    }
    assert!(totals.len() > 1, "several currencies");
}

fn units(amount: &str) -> i128 {
    amount.replace('.', "").parse().expect("an amount with 8 decimals")
}

fn amount(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}.{:08}", units.abs() / 100_000_000, units.abs() % 100_000_000)
}

/// A percentage rounded to two decimals, half to even; `null` of a whole of zero.
fn percent(part: i128, whole: i128) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    let (scaled, whole) = ((part * 10_000).abs(), whole.abs());
    let below = scaled / whole;
    let nearest = [below, below + 1].into_iter().min_by_key(|try_| ((try_ * whole - scaled).abs(), try_ % 2));
    let nearest = nearest.expect("two to choose from");
    let sign = if part < 0 && nearest > 0 { "-" } else { "" };
    json!(format!("{sign}{}.{:02}", nearest / 100, nearest % 100))
}

#[test]
fn an_order_that_could_not_be_fetched_is_not_resolved() {
    let place = Place::new();
    let ids = place.file("ids.csv", format!("run_order_id\n{DISCREPANT}\nwfrun_314ff7d8b7a5beff1388\n"));
    let faults = FaultPlan::from_specs(&[format!("status=500,ids={DISCREPANT}")]).expect("a plan");
    let server = Server::start(Options { faults, ..Options::default() });
    let mut run = place.reconcile(ids);
    run.arg(NO_CONFIRM_READ);
    let run =
        run.args(["--retries", "0", "--api-url", &server.url]).env("CHENYU_API_KEY", KEY).output().expect("starts");
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let comparison = as_json(&sample(), &place.path("report"));
    let rows = comparison["discrepancies"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["run_order_id"] == DISCREPANT).expect("the sample has it");
    assert_eq!((&row["state"], &row["because"]), (&json!("not-assessed"), &json!("unfetched")));
    assert_eq!(comparison["new"]["exceptions"], json!({"unfetched": 1}));
    assert_eq!((&comparison["same_base_url"], &comparison["same_settings"]), (&json!(false), &json!(true)));

    let run = diff(&sample(), &place.path("report"), &[]);
    assert!(stderr(&run).contains("different providers") && stderr(&run).contains(&server.url), "{}", stderr(&run));
    assert!(stdout(&run).contains("unfetched"), "{}", stdout(&run));
    assert_eq!(stderr(&diff(&sample(), &place.path("report"), &["--quiet"])), "");
}

#[test]
fn the_same_report_twice_has_no_change() {
    let place = Place::new();
    std::os::unix::fs::symlink(sample(), place.path("latest")).expect("a link");
    let run = diff(&sample(), &place.path("latest"), &[]);
    assert_eq!((code(&run), stderr(&run).as_str()), (0, ""));
    let printed = stdout(&run);
    let persisting = ReportFiles(sample()).rows("discrepancies.csv").len();
    let headline = format!("Discrepancies: 0 new, 0 changed, {persisting} persisting, 0 not assessed, 0 resolved\n");
    assert!(printed.starts_with(&headline) && printed.contains("No workflow's spend moved."), "{printed}");
}

#[test]
fn the_table_has_what_the_json_has() {
    let (place, _) = later();
    let comparison = as_json(&sample(), &place.path("report"));
    let run = diff(&sample(), &place.path("report"), &["--output", "csv"]);
    assert_eq!(code(&run), 0);
    assert!(stderr(&run).contains("different settings"), "{}", stderr(&run));
    let mut reader = csv::Reader::from_reader(&*run.stdout);
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut expected = Vec::new();
    for row in comparison["discrepancies"].as_array().expect("a list") {
        let figure = |side: &str| {
            text(if row[side]["difference"].is_null() { &row[side]["actual"] } else { &row[side]["difference"] })
        };
        expected.push((
            "discrepancy".to_owned(),
            text(&row["state"]),
            text(&row["discrepancy_id"]),
            figure("old"),
            figure("new"),
        ));
    }
    for (kind, list) in [("spend-by-workflow", "by_workflow"), ("spend-by-revision", "by_revision")] {
        for group in comparison["spend"][list].as_array().expect("a list") {
            let figure = |side: &str| text(&group[side]["final_amount"]);
            expected.push((kind.to_owned(), text(&group["state"]), String::new(), figure("old"), figure("new")));
        }
    }
    let found: Vec<_> = rows
        .iter()
        .map(|row| ["kind", "state", "discrepancy_id", "old", "new"].map(|column| row[column].clone()))
        .map(|[kind, state, id, old, new]| (kind, state, id, old, new))
        .collect();
    assert_eq!(found, expected);
    assert!(rows.iter().any(|row| row["change_percent"].starts_with('-')), "a percentage is a number, not a formula");
}

/// A copy of the sample's report.
fn copied(place: &Place) -> PathBuf {
    let folder = place.path("copy");
    fs::create_dir(&folder).expect("writable");
    for entry in fs::read_dir(sample()).expect("the sample") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("copied");
    }
    folder
}

#[test]
fn a_folder_without_a_report_and_a_tampered_report_are_refused() {
    let place = Place::new();
    let folder = copied(&place);
    for (path, says) in [(place.path("nothing"), "no such folder"), (repository("docs"), "no manifest.json")] {
        for (old, new) in [(&path, &folder), (&folder, &path)] {
            let run = diff(old, new, &[]);
            assert_eq!((code(&run), stdout(&run).as_str()), (2, ""), "{}", stderr(&run));
            assert!(stderr(&run).contains(says) && stderr(&run).contains("help:"), "{}", stderr(&run));
        }
    }
    for name in
        ["discrepancies.csv", "spend_by_workflow.csv", "spend_by_revision.csv", "exceptions.csv", "run_orders.parquet"]
    {
        let honest = fs::read(folder.join(name)).expect("there");
        let mut tampered = honest.clone();
        *tampered.last_mut().expect("not empty") ^= 1;
        fs::write(folder.join(name), tampered).expect("writable");
        for output in ["text", "json", "csv"] {
            let run = diff(&sample(), &folder, &["--output", output]);
            assert_eq!((code(&run), stdout(&run).as_str()), (4, ""), "{name}");
            assert!(stderr(&run).contains(name) && stderr(&run).contains("tieout verify"), "{}", stderr(&run));
        }
        fs::write(folder.join(name), honest).expect("writable");
    }
    assert_eq!(code(&diff(&sample(), &folder, &[])), 0, "as it was");
}

#[test]
fn a_hostile_report_writes_no_control_characters_and_at_most_twenty_lines_a_table() {
    let place = Place::new();
    let folder = copied(&place);
    let mut text = fs::read_to_string(folder.join("discrepancies.csv")).expect("there");
    let check = "cost\u{1b}]0;sum";
    for number in 0..23 {
        let order = format!("wfrun_{number}\u{9b}2J");
        let id = hex::encode(&Sha256::digest(format!("{order}\n{check}"))[..8]);
        text += &format!("{order},2,wf\u{202e}_1,wfr\u{7}_1,{check},error,,C\u{1b}Y,,\"a\rb\",,,new,,,,,,{id},\n");
    }
    fs::write(folder.join("discrepancies.csv"), &text).expect("writable");
    let mut manifest = ReportFiles(folder.clone()).json("manifest.json");
    for file in manifest["files"].as_array_mut().expect("files") {
        if file["name"] == "discrepancies.csv" {
            file["sha256"] = json!(hex::encode(Sha256::digest(&text)));
            file["bytes"] = json!(text.len());
        }
    }
    manifest["verdict"] = json!("\u{1b}[2Jreconciled");
    manifest["base_url"] = json!("\u{1b}[2Jsandbox");
    fs::write(folder.join("manifest.json"), manifest.to_string()).expect("writable");
    for output in ["text", "csv", "json"] {
        let run = diff(&sample(), &folder, &["--output", output]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        let printed = stdout(&run) + &stderr(&run);
        let harmful = |char: &char| (char.is_control() && *char != '\n') || *char == '\u{202e}';
        assert_eq!(printed.chars().find(harmful), None, "{printed:?}");
        if output == "json" {
            let json: Value = serde_json::from_slice(&run.stdout).expect("JSON");
            assert_eq!(json["new"]["verdict"], manifest["verdict"], "escaped, not changed");
            assert_eq!(json["discrepancies"][0]["workflow_id"], "wf\u{202e}_1", "escaped, not changed");
        }
        if output == "text" {
            assert!(printed.contains("\nNew (23)\n") && printed.contains("  ... and 3 more\n"), "{printed}");
            assert_eq!(printed.matches("wfrun_").count(), 20, "{printed}");
        }
    }
}

#[test]
fn a_reader_that_stops_early_is_not_an_error() {
    for output in ["text", "json", "csv"] {
        let mut command = tieout();
        command.arg("diff").args([sample(), sample()]).args(["--output", output]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        drop(child.stdout.take());
        let run = child.wait_with_output().expect("ends");
        assert_eq!((code(&run), stderr(&run).as_str()), (0, ""), "{output}");
    }
}
