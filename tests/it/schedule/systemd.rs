//! The units, as systemd itself reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tieout::sandbox::{KEY, Options};

use super::{HOSTILE, printed, sample_in, schedule};
use crate::support::{Place, Server, code, repository, stderr, stdout};

/// Every setting that changes the units, each with paths in that folder.
fn settings(folder: &Path) -> [String; 4] {
    let folder = folder.display();
    [
        "sandbox = true\n".to_owned(),
        format!("api-key-file = '''{folder}/key'''\nreports-dir = '''{folder}/reports'''\n[schedule]\nevery = '6h'\n"),
        format!(
            "out = '''{folder}/report'''\nstate = '''{folder}/state/s.sqlite'''\ndataset = '''{folder}/history'''\n"
        ),
        "dataset = 's3://bucket/history'\n[schedule]\nevery = '7d'\n".to_owned(),
    ]
}

/// Writes the units and returns their paths: the service, and the timer.
fn write_units(command: &mut Command, place: &Place, name: &str) -> [PathBuf; 2] {
    let folder = place.path("units");
    fs::create_dir_all(&folder).expect("writable");
    let said = printed(&command.arg("--out").arg(&folder).output().expect("starts"));
    let units = ["service", "timer"].map(|kind| folder.join(format!("{name}.{kind}")));
    for unit in &units {
        assert!(said.contains(&format!("wrote {}\n", unit.display())), "{said}");
    }
    units
}

fn systemd_analyze(arguments: &[&str], units: &[PathBuf]) -> Command {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).args(units).env("TZ", "UTC");
    command
}

/// Asserts that systemd warns about nothing in the units, and that the service can harm little: 2.0 of 10 at most.
fn assert_accepted(units: &[PathBuf; 2], case: &str) {
    let verified = systemd_analyze(&["verify"], units).output().expect("systemd-analyze");
    assert_eq!((code(&verified), stdout(&verified), stderr(&verified)), (0, String::new(), String::new()), "{case}");
    let security = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    let secured = systemd_analyze(&security, &units[..1]).output().expect("systemd-analyze");
    assert_eq!(code(&secured), 0, "{case}: {}", stdout(&secured));
}

#[test]
fn a_target_whose_secret_is_in_a_variable_is_refused() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id\n");
    let text = "sandbox = true\n[[notify]]\nto = 'webhook'\nurl-env = 'HOOK'\n";
    let file = place.file("t.toml", text);
    for scheduler in ["systemd", "cron"] {
        let ended =
            schedule(&place, scheduler, &ids, &file).env("HOOK", "https://example.com/x").output().expect("starts");
        assert_eq!(code(&ended), 2);
        assert!(stderr(&ended).contains("name a file with `url-file`"), "{}", stderr(&ended));
    }
}

#[test]
fn no_delay_leads_into_the_next_night() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id\n");
    let file = place.file("t.toml", "sandbox = true\n");
    // A night in another time zone begins at any quarter of an hour here: Shanghai's at 16:00 UTC.
    for (at, delay) in [("02:30", 840), ("23:50", 540), ("23:59", 0), ("15:55", 240)] {
        let shown = printed(&schedule(&place, "systemd", &ids, &file).args(["--at", at]).output().expect("starts"));
        assert!(shown.contains(&format!("RandomizedDelaySec={delay}\n")), "{at}: {shown}");
    }
}

#[test]
fn systemd_accepts_the_units_and_finds_them_hardened() {
    for folder in ["plain", HOSTILE, "back\\slash"] {
        let place = Place::new();
        let ids = sample_in(&place.path(folder));
        for (number, text) in settings(&place.path(folder)).iter().enumerate() {
            let file = place.file(&format!("{folder}/{number}.toml"), text);
            let name = format!("nightly-{number}");
            let mut command = schedule(&place, "systemd", &ids, &file);
            let units = write_units(command.args(["--name", &name]), &place, &name);
            assert_accepted(&units, &format!("{folder}: {text}"));
        }
    }
}

#[test]
fn systemd_accepts_units_for_several_accounts() {
    let place = Place::new();
    let acme = place.path("acme");
    // The metrics of all accounts go to one folder, each into a file of its own.
    let text = format!("metrics-file = '{}'\n{}", place.path("metrics/acme.prom").display(), settings(&acme)[1]);
    let (ids, file) = (sample_in(&acme), place.file("acme.toml", &text));
    let mut command = schedule(&place, "systemd", &ids, &file);
    let units = write_units(command.arg("--template"), &place, "tieout@");
    assert_accepted(&units, "a template");
    let service = fs::read_to_string(&units[0]).expect("there");
    let there = place.path("").display().to_string();
    let there = there.trim_end_matches('/');
    for line in [
        format!(" reconcile {there}/%i/ids.csv --config {there}/%i.toml --api-key-file %d/chenyu-api-key -q\n"),
        format!("\nLoadCredential=chenyu-api-key:{there}/%i/key\n"),
        format!("\nReadWritePaths={there}/%i/reports {there}/metrics\n"),
    ] {
        assert!(service.contains(&line), "{line:?} is not in:\n{service}");
    }
    place.file("acme.toml", text.replace("acme.prom", "all.prom"));
    let refused = schedule(&place, "systemd", &ids, &file).arg("--template").output().expect("starts");
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("all accounts would share") && stderr(&refused).contains("all.prom"));
}

#[test]
fn the_timer_starts_the_job_when_the_settings_say() {
    for (every, length, at, expected) in [
        ("24h", 86_400, "02:30", ["Mon 2026-11-23 02:30:00 UTC", "Tue 2026-11-24 02:30:00 UTC"]),
        ("12h", 43_200, "14:05", ["Mon 2026-11-23 02:05:00 UTC", "Mon 2026-11-23 14:05:00 UTC"]),
        ("1h", 3_600, "00:15", ["Mon 2026-11-23 00:15:00 UTC", "Mon 2026-11-23 01:15:00 UTC"]),
        ("30m", 1_800, "00:40", ["Mon 2026-11-23 00:10:00 UTC", "Mon 2026-11-23 00:40:00 UTC"]),
        ("7d", 604_800, "23:00", ["Mon 2026-11-23 23:00:00 UTC", "Mon 2026-11-30 23:00:00 UTC"]),
    ] {
        let place = Place::new();
        let ids = sample_in(&place.path("."));
        let file = place.file("t.toml", format!("sandbox = true\n[schedule]\nevery = '{every}'\n"));
        let units = printed(&schedule(&place, "systemd", ids, &file).args(["--at", at]).output().expect("starts"));
        let calendar = units.lines().find_map(|line| line.strip_prefix("OnCalendar=")).expect("a calendar");
        let from = ["calendar", "--iterations=2", "--base-time=2026-11-22 23:59:59", calendar];
        let elapses = printed(&systemd_analyze(&from, &[]).output().expect("systemd-analyze"));
        let found: Vec<&str> =
            elapses.lines().filter_map(|line| line.split_once(": ")?.1.strip_suffix(" UTC")).collect();
        let expected = expected.map(|time| time.trim_end_matches(" UTC"));
        assert_eq!(found, expected, "{every} at {at}: {elapses}");
        assert!(units.contains("\nPersistent=true\n"), "{units}");
        // Four attempts are counted together, and the next start of the timer is not one of them.
        let seconds = |key: &str| -> u64 {
            let line = units.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{key}: {units}"))
        };
        let (limit, delay) = (seconds("StartLimitIntervalSec"), seconds("RandomizedDelaySec"));
        assert!(3 * seconds("RestartSec") < limit && limit + delay < length, "{units}");
    }
}

/// The settings of a unit as systemd reads them, from the dump of a service manager that does not start it.
fn parsed(unit: &Path) -> BTreeMap<String, String> {
    let mut verify = systemd_analyze(&["verify"], &[unit.to_owned()]);
    let dump = verify.env("SYSTEMD_LOG_LEVEL", "debug").output().expect("systemd-analyze");
    let dump = stdout(&dump) + &stderr(&dump);
    let own =
        dump.split_once(&format!("-> Unit {}:", unit.file_name().expect("a name").display())).expect("its dump").1;
    let own = own.split("-> Unit ").next().unwrap_or_default();
    own.lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, value)| (key.into(), value.into())).collect()
}

/// The words of a command line that systemd quoted for a shell.
fn words(line: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {line}");
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
    let text = stdout(&output);
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn systemd_reads_every_path_as_it_is() {
    for folder in [HOSTILE, "back\\slash", "$$ %% %i ${x}"] {
        let place = Place::new();
        let home = place.path(folder);
        let ids = sample_in(&home);
        let file = place.file(&format!("{folder}/t.toml"), "api-key-file = 'key'\nstate = 's.sqlite'\n");
        let mut command = schedule(&place, "systemd", "ids.csv", &file);
        let [service, _] = write_units(command.current_dir(&home), &place, "tieout");
        let unit = parsed(&service);
        let shown = |path: &Path| path.display().to_string();
        let line = words(&unit["Command Line"]);
        let expected = ["reconcile", &shown(&ids), "--config", &shown(&file), "--api-key-file"];
        assert_eq!(line[1..6], expected, "{line:?}");
        assert_eq!(line[6..], ["/run/credentials/tieout.service/chenyu-api-key", "-q"]);
        assert_eq!(unit["WorkingDirectory"], shown(&home));
        // The reports folder lies in the folder of the state.
        assert_eq!(unit["ReadWritePaths"], format!("{} -/run/lock", shown(&home)));
        let text = fs::read_to_string(&service).expect("there");
        let key = home.join("key").display().to_string().replace('%', "%%");
        assert!(text.contains(&format!("\nLoadCredential=chenyu-api-key:{key}\n")), "{text}");
    }
}

#[test]
fn the_services_command_does_the_job() {
    let (place, server) = (Place::new(), Server::start(Options::default()));
    let home = place.path(HOSTILE);
    let ids = sample_in(&home);
    // The service's user could not read this file: there is none.
    let text = format!("api-key-file = 'none'\napi-url = '{}'\nrate = 0\nreports-dir = 'reports'\n", server.url);
    let file = place.file(&format!("{HOSTILE}/t.toml"), text);
    let mut command = schedule(&place, "systemd", &ids, &file);
    let [service, _] = write_units(command.current_dir(&home), &place, "tieout");
    let unit = parsed(&service);

    fs::create_dir(place.path("credentials")).expect("writable");
    let key = place.file("credentials/chenyu-api-key", KEY);
    let line = words(&unit["Command Line"]).into_iter().map(|word| match word.strip_prefix("/run/credentials/") {
        Some(_) => key.display().to_string(),
        None => word,
    });
    let line: Vec<String> = line.collect();
    let mut job = Command::new(&line[0]);
    job.args(&line[1..]).env_clear().current_dir(&unit["WorkingDirectory"]);
    let job = job.env("CREDENTIALS_DIRECTORY", place.path("credentials")).output().expect("starts");
    assert_eq!((code(&job), stdout(&job), stderr(&job)), (1, String::new(), String::new()));
    let report = home.join("reports/latest/summary.json");
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    assert_eq!(summary["verdict"], "discrepant");
    let rows = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample").lines().count() - 1;
    assert_eq!(summary["population"]["rows"].as_u64(), u64::try_from(rows).ok());
    let text = fs::read_to_string(&service).expect("there");
    assert!(text.contains("\nSuccessExitStatus=1\n"), "a finding is not a failure: {text}");
}
