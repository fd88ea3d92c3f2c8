//! `--metrics-file`: what a run leaves for Prometheus, on success, on failure and without a report.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{Place, Server, code, repository, stderr, tieout};

type Metrics = BTreeMap<String, String>;

fn server(fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

fn job(place: &Place, server: &Server, arguments: &[&str]) -> Command {
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    command.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "-q", "--format", "csv,json"]);
    command.arg("--metrics-file").arg(place.path("tieout.prom")).args(arguments);
    command
}

fn night(place: &Place, server: &Server, arguments: &[&str]) -> Output {
    job(place, server, arguments).output().expect("starts")
}

/// The metrics of a file that promtool accepts, each with its labels as they are written.
fn metrics(place: &Place) -> Metrics {
    let path = place.path("tieout.prom");
    let file = fs::File::open(&path).expect("metrics");
    let checked = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::from(file)).output();
    let checked = checked.expect("promtool: run `make need-promtool`");
    assert!(checked.status.success() && checked.stderr.is_empty(), "{}", stderr(&checked));
    let text = fs::read_to_string(path).expect("UTF-8");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("a value"))
        .collect()
}

fn of<'m>(metrics: &'m Metrics, family: &str) -> BTreeMap<&'m str, &'m str> {
    let begin = format!("{family}{{");
    metrics
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(&begin)?.strip_suffix('}')?, value.as_str())))
        .collect()
}

fn one<'m>(metrics: &'m Metrics, family: &str) -> &'m str {
    let found = of(metrics, family);
    assert_eq!(found.len(), 1, "{family}: {found:?}");
    found.into_values().next().expect("one")
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

#[test]
fn a_night_leaves_the_figures_of_its_report() {
    let (place, server) = (Place::new(), server("too-many,every=60"));
    let before = now();
    let ended = night(&place, &server, &["--account", "a \"b\"", "--as-of", "2026-06-01T00:00:00Z"]);
    assert_eq!(code(&ended), 1, "{}", stderr(&ended));
    let found = metrics(&place);
    let summary = place.report().json("summary.json");
    let account = r#"account="a \"b\"""#;

    let rows = of(&found, "tieout_report_rows");
    for (bucket, count) in
        summary["population"].as_object().expect("an object").iter().filter(|(name, _)| *name != "rows")
    {
        assert_eq!(rows[&*format!("{account},bucket=\"{bucket}\"")], count.to_string(), "{bucket}");
    }
    let sum: u64 = rows.values().map(|count| count.parse::<u64>().expect("a count")).sum();
    assert_eq!(sum, 200, "every row of the sample is in one bucket");
    let orders_of =
        |family: &str, labels: &str| of(&found, family).get(&*format!("{account},{labels}")).map(|it| (*it).to_owned());
    for (check, count) in summary["checks"].as_object().expect("an object") {
        let labels = format!("check=\"{check}\",severity=\"{}\"", count["severity"].as_str().expect("a word"));
        assert_eq!(orders_of("tieout_report_check_orders", &labels), Some(count["orders"].to_string()), "{check}");
    }
    for (key, count) in summary["causes"].as_object().expect("an object") {
        let (check, cause) = key.split_once('.').expect("check and cause");
        let labels = format!("check=\"{check}\",cause=\"{cause}\"");
        assert_eq!(orders_of("tieout_report_cause_orders", &labels), Some(count["orders"].to_string()), "{key}");
    }
    for (currency, totals) in summary["control_totals"].as_object().expect("an object") {
        let amount = |family: &str, labels: &str| orders_of(family, &format!("currency=\"{currency}\",{labels}"));
        for (name, sum) in totals["amounts"].as_object().expect("an object") {
            let written = amount("tieout_report_amount", &format!("amount=\"{name}\""));
            assert_eq!(written.as_deref(), sum.as_str(), "{currency} {name}");
        }
        for (age, frozen) in totals["frozen"]["by_age"].as_object().expect("an object") {
            let written = amount("tieout_report_frozen_amount", &format!("age=\"{age}\""));
            assert_eq!(written.as_deref(), frozen["quote_amount"].as_str(), "{currency} {age}");
            let orders = amount("tieout_report_frozen_orders", &format!("age=\"{age}\""));
            assert_eq!(orders, Some(frozen["orders"].to_string()));
        }
        for (check, key) in [("quote-split", "quote_split"), ("cost-sum", "cost_sum")] {
            for kind in ["net", "gross"] {
                let written = amount("tieout_report_difference", &format!("check=\"{check}\",kind=\"{kind}\""));
                assert_eq!(written.as_deref(), totals["differences"][key][kind].as_str(), "{currency} {check} {kind}");
            }
        }
    }
    assert_eq!(of(&found, "tieout_report_verdict")[&*format!("{account},verdict=\"discrepant\"")], "1");
    assert_eq!(of(&found, "tieout_report_verdict").values().filter(|value| **value == "0").count(), 5);
    assert_eq!(one(&found, "tieout_report_timestamp_seconds"), "1780272000.000");

    let arrivals = server.journal.arrivals();
    assert_eq!(one(&found, "tieout_run_requests"), arrivals.len().to_string());
    assert_eq!(one(&found, "tieout_run_throttled"), (arrivals.len() / 60).to_string(), "every sixtieth");
    assert_eq!(one(&found, "tieout_run_exit_code"), "1");
    let time = |family| one(&found, family).parse::<f64>().expect("a number");
    assert!((before - 0.001..=now()).contains(&time("tieout_run_timestamp_seconds")));
    assert_eq!(one(&found, "tieout_success_timestamp_seconds"), one(&found, "tieout_run_timestamp_seconds"));
    assert!((0.0..=now() - before).contains(&time("tieout_run_duration_seconds")));
    let mode = fs::metadata(place.path("tieout.prom")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "node_exporter must be able to read it");
}

#[test]
fn without_a_report_the_last_figures_and_the_last_success_stay() {
    let (place, working) = (Place::new(), server(""));
    let wrong_key = ["--api-key-file", "key"];
    place.file("key", "cy_not_the_key_of_the_sandbox");
    let first = night(&place, &working, &wrong_key);
    assert_eq!(code(&first), 4, "{}", stderr(&first));
    let found = metrics(&place);
    assert_eq!((one(&found, "tieout_run_exit_code"), of(&found, "tieout_success_timestamp_seconds").len()), ("4", 0));
    assert!(found.keys().all(|name| !name.starts_with("tieout_report_")), "{found:?}");

    assert_eq!(code(&night(&place, &working, &["--account", "finance"])), 1);
    let good = metrics(&place);
    let ended = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(["reconcile", "none.csv", "--sandbox", "--account", "finance"])
        .arg("--metrics-file")
        .arg(place.path("tieout.prom"))
        .current_dir(place.path(""))
        .output()
        .expect("starts");
    assert_eq!(code(&ended), 2);
    let bad = metrics(&place);
    assert_eq!(one(&bad, "tieout_run_exit_code"), "2");
    let kept = |metrics: &Metrics| -> Metrics {
        let names = ["tieout_report_", "tieout_success_"];
        metrics
            .iter()
            .filter(|(name, _)| names.iter().any(|begin| name.starts_with(begin)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    assert!(kept(&good).len() > 30);
    assert_eq!(kept(&bad), kept(&good));
    assert!(one(&bad, "tieout_run_timestamp_seconds") > one(&good, "tieout_run_timestamp_seconds"));

    // Figures of a different account are not this one's.
    assert_eq!(code(&night(&place, &working, &[&wrong_key[..], &["--account", "sales"]].concat())), 4);
    assert_eq!(kept(&metrics(&place)), Metrics::new());
}

#[test]
fn a_stopped_job_says_so() {
    let (place, server) = (Place::new(), server("slow,delay=1s"));
    let mut job = job(&place, &server, &["--concurrency", "1"]).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while server.journal.arrivals().is_empty() {
        assert!(Instant::now() < patience, "the job never sent a request");
        sleep(Duration::from_millis(5));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(job.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("sent");
    assert_eq!(job.wait().expect("ends").code(), Some(143));
    assert_eq!(one(&metrics(&place), "tieout_run_exit_code"), "143");
}

#[test]
fn a_file_that_cannot_be_written_changes_nothing_else() {
    let (place, server) = (Place::new(), server(""));
    assert_eq!(code(&night(&place, &server, &["--as-of", "2026-06-01T00:00:00Z"])), 1);
    let report = place.report().reproducible_files();
    let other = Place::new();
    fs::write(other.path("notes.prom"), "my notes\n").expect("writable");
    fs::create_dir(other.path("folder.prom")).expect("writable");
    std::os::unix::fs::symlink(place.path("tieout.prom"), other.path("link.prom")).expect("a link");
    for (name, problem) in [
        ("none/tieout.prom", ": No such file or directory (os error 2); check that its folder exists"),
        ("notes.prom", "holds something else"),
        ("folder.prom", "holds something else"),
        ("link.prom", "holds something else"),
    ] {
        let path = other.path(name);
        let ended = night(
            &place,
            &server,
            &["--as-of", "2026-06-01T00:00:00Z", "--fresh", "--metrics-file", path.to_str().expect("UTF-8")],
        );
        assert_eq!(code(&ended), 1);
        assert!(stderr(&ended).contains("warning: ") && stderr(&ended).contains(problem), "{name}: {}", stderr(&ended));
        assert_eq!(place.report().reproducible_files().keys().collect::<Vec<_>>(), report.keys().collect::<Vec<_>>());
    }
    assert_eq!(fs::read_to_string(other.path("notes.prom")).expect("there"), "my notes\n");
    let refused = night(&place, &server, &["--metrics-file", "metrics.txt"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("ends in .prom"), "{}", stderr(&refused));
    // In a report it would be what the manifest does not list.
    std::os::unix::fs::symlink("report", place.path("later")).expect("a link");
    std::fs::remove_dir_all(place.path("report")).expect("there");
    for path in ["report/t.prom", "report/sub/t.prom", "later/t.prom", "reports/latest/t.prom", "dataset/t.prom"] {
        let (path, reports) = (place.path(path), place.path("reports"));
        let under = ["--reports-dir", reports.to_str().expect("UTF-8")];
        let mut command = tieout();
        command
            .arg("reconcile")
            .arg(repository("sample_data/ids.csv"))
            .args(["--sandbox", "--metrics-file"])
            .arg(&path);
        match path.starts_with(&reports) {
            true => command.args(under),
            false => command.arg("--out").arg(place.path("report")),
        };
        let refused = command.arg("--dataset").arg(place.path("dataset")).output().expect("starts");
        assert_eq!(code(&refused), 2, "{path:?}");
        assert!(stderr(&refused).contains("it lies in "), "{}", stderr(&refused));
    }
}

#[test]
fn the_alert_rules_hold() {
    let folder = repository("deploy/prometheus");
    for arguments in [["check", "rules", "tieout.rules.yml"], ["test", "rules", "tieout.rules.test.yml"]] {
        let ran = Command::new("promtool").args(arguments).current_dir(&folder).output();
        let ran = ran.expect("promtool: run `make need-promtool`");
        assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), stderr(&ran));
    }
    // Every metric that a rule reads is one that a run leaves.
    let (place, server) = (Place::new(), server(""));
    night(&place, &server, &[]);
    let written = fs::read_to_string(place.path("tieout.prom")).expect("metrics");
    let rules = fs::read_to_string(folder.join("tieout.rules.yml")).expect("rules");
    let names: Vec<&str> = rules
        .lines()
        .filter(|line| line.trim_start().starts_with("expr:"))
        .flat_map(|line| line.split(|char: char| !char.is_ascii_lowercase() && char != '_'))
        .filter(|word| word.starts_with("tieout_"))
        .collect();
    assert!(names.len() > 8);
    for name in names {
        assert!(written.contains(&format!("\n{name}{{")), "{name}");
    }
}

#[test]
fn the_summary_of_metrics_in_the_docs_is_whole() {
    let (place, server) = (Place::new(), server(""));
    night(&place, &server, &[]);
    let page = fs::read_to_string(repository("docs/reference/monitoring.md")).expect("the page");
    let written = fs::read_to_string(place.path("tieout.prom")).expect("metrics");
    let families: Vec<&str> =
        written.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert!(families.len() > 12);
    families.iter().for_each(|family| assert!(page.contains(&format!("`{family}`")), "{family} is not in the docs"));
}
