//! Notifications, sent by the real binary to a receiver that verifies signatures and misbehaves.

pub(crate) mod receiver;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tieout::sandbox::{FaultPlan, KEY, Kind, Options, describe};

use crate::network::certificates::Authority;
use crate::support::{NO_CONFIRM_READ, Place, Server, assert_same_files, code, stderr, stdout, tieout};
use receiver::{Manners, Receiver, SECRET, TOKEN};

const OTHER_SEED: u64 = 7;
/// The services that get messages by HTTP, and whether they are signed.
const SERVICES: [(&str, bool); 5] =
    [("feishu", true), ("dingtalk", true), ("wecom", false), ("slack", false), ("webhook", true)];

/// Orders that are clean under both seeds, but with other figures.
fn ids() -> Vec<String> {
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let is_clean =
        |id: &String| [Options::default().seed, OTHER_SEED].iter().all(|seed| describe(id, *seed) == Kind::Clean);
    all.filter(is_clean).take(3).collect()
}

fn sandbox(port: u16, seed: u64, fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start_at(port, Options { seed, journal: true, faults, ..Options::default() })
}

/// The tables of these services in a settings file.
fn tables(services: &[(&str, bool)]) -> String {
    let table = |(service, is_signed): &(&str, bool)| {
        let secret = if *is_signed { "secret-env = \"HOOK_SECRET\"\n" } else { "" };
        format!("[[notify]]\nto = \"{service}\"\nurl-env = \"URL_OF_{service}\"\n{secret}")
    };
    services.iter().map(table).collect()
}

struct Nights {
    place: Place,
    receiver: Receiver,
    settings: PathBuf,
    night: u32,
}

impl Nights {
    fn new(settings: &str) -> Self {
        let place = Place::new();
        let settings = place.file("tieout.toml", settings);
        Self { place, receiver: Receiver::start(), settings, night: 0 }
    }

    /// Adds the settings file, and the environment that it names.
    fn equip<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for service in SERVICES.map(|(service, _)| service).into_iter().chain(["healthchecks"]) {
            command.env(format!("URL_OF_{service}"), self.receiver.url(service));
        }
        command.env("HOOK_SECRET", SECRET).env("CHENYU_API_KEY", KEY).arg("--config").arg(&self.settings)
    }

    /// The command of the next night.
    fn command(&mut self, url: &str) -> Command {
        self.night += 1;
        let input = self.place.file("ids.csv", format!("run_order_id\n{}\n", ids().join("\n")));
        let mut command = self.place.reconcile(input);
        self.equip(&mut command);
        command.args(["--api-url", url, NO_CONFIRM_READ, "--retries", "0"]);
        command.args(["--as-of", &format!("2026-06-{:02}T00:00:00Z", self.night)]);
        command
    }

    fn run(&mut self, url: &str) -> Output {
        self.command(url).output().expect("starts")
    }

    /// The events that arrived since the last call, by service.
    fn events(&self) -> Vec<String> {
        self.receiver
            .take()
            .iter()
            .map(|arrival| arrival.json()["event"].as_str().expect("a word").to_owned())
            .collect()
    }
}

/// Asserts that neither of the secrets is in what was printed or written.
fn assert_no_secrets(place: &Place, settings: &PathBuf, runs: &[Output]) {
    let files = place.files().into_iter().filter(|path| path != settings).map(|path| fs::read(path).expect("readable"));
    let printed = runs.iter().flat_map(|run| [run.stdout.clone(), run.stderr.clone()]);
    for bytes in files.chain(printed) {
        for secret in [SECRET, TOKEN, KEY] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn thirty_nights_with_three_events_are_three_messages() {
    let log = "[[notify]]\nto = \"healthchecks\"\nurl-env = \"URL_OF_healthchecks\"\n[[notify]]\nto = \"command\"\n\
               command = [\"sh\", \"-c\", \"cat >> told; env > environment\"]\n";
    let mut nights = Nights::new(&format!("{}{log}", tables(&SERVICES)));
    let mut server = sandbox(0, Options::default().seed, "");
    let port = server.port();
    let mut codes = Vec::new();
    for night in 1..=30 {
        let seed = match night {
            6 => Some((OTHER_SEED, String::new())),
            14 => Some((Options::default().seed, String::new())),
            22 => Some((Options::default().seed, format!("status=500,ids={}", ids()[0]))),
            _ => None,
        };
        if let Some((seed, fault)) = seed {
            drop(server);
            server = sandbox(port, seed, &fault);
        }
        let run = nights.run(&server.url);
        assert!(!stderr(&run).contains("not delivered"), "{night}: {}", stderr(&run));
        codes.push(code(&run));
    }
    let expected: Vec<i32> =
        [(5, 0), (8, 1), (8, 0), (9, 3)].iter().flat_map(|(nights, code)| vec![*code; *nights]).collect();
    assert_eq!(codes, expected);

    let mut by_service: BTreeMap<String, Vec<receiver::Arrival>> = BTreeMap::new();
    for arrival in nights.receiver.take() {
        by_service.entry(arrival.service.clone()).or_default().push(arrival);
    }
    // A signature that does not hold is refused, and would be an undelivered message.
    for (service, _) in SERVICES {
        let texts: Vec<String> = by_service[service].iter().map(receiver::Arrival::text).collect();
        let firsts: Vec<&str> = texts.iter().filter_map(|text| text.lines().next()).collect();
        assert_eq!(
            firsts,
            [
                "tieout: worse. Verdict: DISCREPANT",
                "tieout: recovered. Verdict: RECONCILED",
                "tieout: incomplete. Some orders had no readable answer: run the same command again"
            ],
            "{service}"
        );
        assert!(
            texts[0].contains("\nAs of: 2026-06-06T00:00:00Z\n") && texts[0].contains("  restated  wfrun_"),
            "{}",
            texts[0]
        );
    }
    let pings: Vec<&str> =
        by_service["healthchecks"].iter().map(|ping| ping.uri.rsplit('/').next().expect("a path")).collect();
    let expected: Vec<&str> =
        expected.iter().flat_map(|code| ["start", if *code == 3 { "fail" } else { TOKEN }]).collect();
    assert_eq!(pings, expected);

    let told = fs::read_to_string(nights.place.path("told")).expect("written by the command");
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let discrepancies = told[0]["errors"].as_u64().expect("a count");
    assert_eq!((told.len(), told[0]["event"].as_str(), told[0]["exit_code"].as_u64()), (3, Some("worse"), Some(1)));
    assert!(discrepancies > 3 && told[0]["new_errors"] == told[0]["errors"], "{}", told[0]);
    assert_eq!(told[1]["errors"], 0);
    let webhook = by_service["webhook"][0].json();
    assert_eq!(webhook, told[0], "a webhook gets what a command gets");
    let environment = fs::read_to_string(nights.place.path("environment")).expect("written by the command");
    assert!(environment.contains("PATH=") && !environment.contains("HOOK_SECRET") && !environment.contains("URL_OF_"));
    assert_no_secrets(&nights.place, &nights.settings, &[]);
}

#[test]
fn what_was_not_delivered_goes_out_the_next_night() {
    let mut nights = Nights::new(&tables(&[("webhook", true)]));
    let clean = sandbox(0, Options::default().seed, "");
    let port = clean.port();
    assert_eq!((code(&nights.run(&clean.url)), nights.events().len()), (0, 0));
    drop(clean);

    let changed = sandbox(port, OTHER_SEED, "");
    nights.receiver.behave(Manners::Fails);
    let run = nights.run(&changed.url);
    assert_eq!(code(&run), 1);
    assert!(
        stderr(&run).contains("warning: 1 of 1 notifications not delivered\n  webhook: HTTP 500\n"),
        "{}",
        stderr(&run)
    );
    assert_eq!(nights.events(), ["worse"; 3], "three attempts");
    nights.receiver.behave(Manners::Good);
    assert_eq!((code(&nights.run(&changed.url)), nights.events()), (1, vec!["worse".to_owned()]));
    assert_eq!((code(&nights.run(&changed.url)), nights.events().len()), (1, 0));
    drop(changed);

    // An event that is over before it could be told is not told.
    let broken = sandbox(port, OTHER_SEED, &format!("status=500,ids={}", ids()[0]));
    nights.receiver.behave(Manners::Redirects);
    let run = nights.run(&broken.url);
    assert!(stderr(&run).contains("webhook: HTTP 302: redirects are not followed"), "{}", stderr(&run));
    assert_eq!((code(&run), nights.events()), (3, vec!["incomplete".to_owned()]));
    drop(broken);
    nights.receiver.behave(Manners::Good);
    let changed = sandbox(port, OTHER_SEED, "");
    assert_eq!((code(&nights.run(&changed.url)), nights.events().len()), (1, 0));
}

#[test]
fn what_a_target_does_not_want_to_know_counts_as_told() {
    let mut nights = Nights::new(&format!("{}when = [\"recovered\"]\n", tables(&[("webhook", true)])));
    let clean = sandbox(0, Options::default().seed, "");
    let port = clean.port();
    assert_eq!(code(&nights.run(&clean.url)), 0);
    drop(clean);
    let changed = sandbox(port, OTHER_SEED, "");
    assert_eq!((code(&nights.run(&changed.url)), nights.events().len()), (1, 0));
    drop(changed);
    let clean = sandbox(port, Options::default().seed, "");
    assert_eq!((code(&nights.run(&clean.url)), nights.events()), (0, vec!["recovered".to_owned()]));
}

#[test]
fn a_failing_job_is_told_once_until_it_works_again() {
    let mut nights = Nights::new(&tables(&[("webhook", true)]));
    let server = sandbox(0, Options::default().seed, "");
    let (url, port) = (server.url.clone(), server.port());
    drop(server);
    let mut told = Vec::new();
    for _ in 0..3 {
        let run = nights.run(&url);
        assert_eq!(code(&run), 4, "{}", stderr(&run));
        told.extend(nights.receiver.take());
    }
    assert_eq!(told.len(), 1);
    let message = told[0].json();
    assert_eq!((message["event"].as_str(), message["exit_code"].as_u64()), (Some("failed"), Some(4)));
    assert!(message["error"].as_str().is_some_and(|error| error.starts_with("error: ")), "{message}");
    assert!(message.get("verdict").is_none() && message["text"].as_str().is_some_and(|text| text.contains("help: ")));

    let server = sandbox(port, Options::default().seed, "");
    assert_eq!((code(&nights.run(&server.url)), nights.events()), (0, vec!["recovered".to_owned()]));
    // An input that is not there is another job, and a configuration error.
    let mut command = nights.place.reconcile("none.csv");
    let run = nights.equip(&mut command).args(["--api-url", &server.url]).output().expect("starts");
    assert_eq!((code(&run), nights.events()), (2, vec!["failed".to_owned()]), "{}", stderr(&run));
    assert_eq!(code(&nights.run(&server.url)), 0);
    assert!(nights.events().is_empty(), "this job has not failed");
}

#[test]
fn a_summary_that_can_not_be_printed_does_not_take_the_report_away() {
    let mut nights = Nights::new(&tables(&[("webhook", true)]));
    let server = sandbox(0, Options::default().seed, "");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux");
    let run = nights.command(&server.url).args(["--output", "json"]).stdout(full).output().expect("starts");
    assert_eq!(code(&run), 4, "{}", stderr(&run));
    let told = nights.receiver.take();
    let message = told.first().expect("a message").json();
    assert_eq!(
        (message["exit_code"].as_u64(), message["verdict"].as_str()),
        (Some(4), Some("reconciled")),
        "{message}"
    );
    assert!(message["report"].is_string() && message.get("error").is_none(), "{message}");
}

#[test]
fn a_stopped_job_is_only_a_ping() {
    let mut nights = Nights::new(&tables(&[("webhook", true), ("healthchecks", false)]));
    let server = sandbox(0, Options::default().seed, "hang-before-headers");
    let mut command = nights.command(&server.url);
    let mut job = command.stderr(Stdio::null()).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while server.journal.arrivals().is_empty() {
        assert!(Instant::now() < patience, "no request came");
        sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(i32::try_from(job.id()).expect("a process"));
    kill(pid, Signal::SIGTERM).expect("running");
    assert_eq!(job.wait().expect("ends").code(), Some(143));
    let arrivals = nights.receiver.take();
    let pings: Vec<&str> = arrivals.iter().filter_map(|arrival| arrival.uri.rsplit('/').next()).collect();
    assert_eq!(pings, ["start", "fail"], "and no message");
}

#[test]
fn a_signal_while_targets_are_told_changes_nothing() {
    let mut nights =
        Nights::new("[[notify]]\nto = \"command\"\ncommand = [\"sh\", \"-c\", \"touch begun; sleep 3; touch told\"]\n");
    let server = sandbox(0, Options::default().seed, "");
    assert_eq!(code(&nights.run(&server.url)), 0);
    let port = server.port();
    drop(server);
    let server = sandbox(port, OTHER_SEED, "");
    let mut command = nights.command(&server.url);
    let mut job = command.current_dir(nights.place.path("")).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while !nights.place.path("begun").exists() {
        assert!(Instant::now() < patience, "nobody was told");
        sleep(Duration::from_millis(5));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(job.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("sent");
    assert_eq!(job.wait().expect("ends").code(), Some(1), "the report was there already");
    assert!(nights.place.path("told").exists());
    // And the state knows that the target was told.
    fs::remove_file(nights.place.path("told")).expect("removed");
    assert_eq!(code(&nights.run(&server.url)), 1);
    assert!(!nights.place.path("told").exists());
}

#[test]
fn without_a_usable_state_a_failure_is_told_every_time() {
    let mut nights = Nights::new(&tables(&[("webhook", true)]));
    fs::create_dir(nights.place.path("state.sqlite")).expect("writable");
    let server = sandbox(0, Options::default().seed, "");
    for _ in 0..2 {
        let run = nights.run(&server.url);
        assert_eq!((code(&run), nights.events()), (4, vec!["failed".to_owned()]));
        assert!(stderr(&run).contains("warning: a notification may be sent twice: "), "{}", stderr(&run));
    }
}

#[test]
fn a_dead_webhook_changes_neither_report_nor_exit_code_and_gives_no_secret_away() {
    let changed = |port| sandbox(port, OTHER_SEED, "");
    let all = format!("{}[[notify]]\nto = \"command\"\ncommand = [\"sh\", \"-c\", \"exit 7\"]\n", tables(&SERVICES));
    let mut plain = Nights::new("");
    let mut nights: Vec<(Manners, Nights)> =
        [Manners::Hangs, Manners::Fails, Manners::Redirects, Manners::Echoes, Manners::NeverEnds]
            .map(|manners| (manners, Nights::new(&all)))
            .into();
    let clean = sandbox(0, Options::default().seed, "");
    let port = clean.port();
    for run in std::iter::once(&mut plain).chain(nights.iter_mut().map(|(_, nights)| nights)) {
        assert_eq!(code(&run.run(&clean.url)), 0);
    }
    drop(clean);
    let server = changed(port);
    assert_eq!(code(&plain.run(&server.url)), 1);
    let expected = plain.place.report().reproducible_files();
    for (manners, nights) in &mut nights {
        nights.receiver.behave(*manners);
        let begin = Instant::now();
        let run = nights.run(&server.url);
        assert!(begin.elapsed().as_secs() < 25, "{manners:?}: {:?}", begin.elapsed());
        assert_eq!(code(&run), 1, "{manners:?}: {}", stderr(&run));
        assert_same_files(&nights.place.report().reproducible_files(), &expected, &format!("{manners:?}"));
        let printed = stderr(&run);
        let expected = match manners {
            Manners::Hangs | Manners::NeverEnds => "slack: it did not answer within 10 s",
            Manners::Fails => "slack: HTTP 500\n",
            Manners::Redirects => "slack: HTTP 302: redirects are not followed",
            _ => "slack: it did not answer ok: its words are not shown",
        };
        // A generic webhook that answers 200 has got the message, whatever it says.
        let count = if matches!(manners, Manners::Echoes | Manners::NeverEnds) { 5 } else { 6 };
        assert!(
            printed.contains(&format!("warning: {count} of 6 notifications not delivered\n")),
            "{manners:?}: {printed}"
        );
        assert!(
            printed.contains(expected) && printed.contains("command: it ended with exit status: 7"),
            "{manners:?}: {printed}"
        );
        assert!(
            nights.receiver.take().iter().all(|arrival| arrival.service != "elsewhere"),
            "a redirect is not followed"
        );
        assert!(!printed.contains('\u{1b}'), "{printed}");
        assert_no_secrets(&nights.place, &nights.settings, &[run]);
    }
}

#[test]
fn a_trial_message_goes_to_each_target_or_to_one() {
    let nights = Nights::new(&format!(
        "{}[[notify]]\nto = \"slack\"\nname = \"finance\"\nurl-env = \"URL_OF_slack\"\nwhen = [\"failed\"]\n",
        tables(&SERVICES)
    ));
    let run = |arguments: &[&str]| {
        let mut command = tieout();
        nights.equip(command.arg("notify")).args(arguments).output().expect("starts")
    };
    let all = run(&["--test", "--lang", "zh-CN"]);
    assert_eq!(code(&all), 0, "{}", stderr(&all));
    assert_eq!(
        stdout(&all),
        "feishu：已送达\ndingtalk：已送达\nwecom：已送达\nslack：已送达\nwebhook：已送达\nfinance (slack)：已送达\n"
    );
    let arrivals = nights.receiver.take();
    assert_eq!(arrivals.len(), 6);
    assert!(
        arrivals.iter().all(|arrival| arrival.text() == "tieout：测试消息。看到此消息说明通知可用"),
        "{arrivals:?}"
    );

    nights.receiver.behave(Manners::Echoes);
    let one = run(&["--test", "--target", "finance"]);
    assert_eq!(code(&one), 4);
    assert!(stdout(&one).starts_with("finance (slack): not delivered: it"), "{}", stdout(&one));
    assert!(stderr(&one).starts_with("error: 1 of 1 messages were not delivered\n"), "{}", stderr(&one));
    assert_no_secrets(&nights.place, &nights.settings, &[one]);
    assert_eq!(nights.receiver.take().len(), 1);

    for (arguments, expected) in [
        (
            &["--test", "--target", "finanse"][..],
            "error: --target \"finanse\": there is no such target; did you mean finance?",
        ),
        (&[][..], "--test"),
    ] {
        let run = run(arguments);
        assert_eq!(code(&run), 2);
        assert!(stderr(&run).contains(expected), "{}", stderr(&run));
    }
    let none = tieout().args(["notify", "--test"]).output().expect("starts");
    assert_eq!(code(&none), 2);
    assert!(stderr(&none).contains("there are no targets of notifications"), "{}", stderr(&none));
}

#[test]
fn a_target_that_can_not_be_used_stops_the_job_before_any_request() {
    let mut nights = Nights::new("[[notify]]\nto = \"slack\"\nurl-env = \"NOT_SET\"\n");
    let server = sandbox(0, Options::default().seed, "");
    let run = nights.run(&server.url);
    assert_eq!(code(&run), 2);
    let expected = format!(
        "error: [[notify]] 1: `url-env`: the variable NOT_SET is not set (in the settings file {})\n",
        nights.settings.display()
    );
    assert_eq!(stderr(&run), expected);
    assert!(server.journal.arrivals().is_empty() && !nights.place.report().exists());
}

#[test]
fn a_job_with_the_simulator_tells_nobody() {
    let nights = Nights::new(&tables(&SERVICES));
    let ids = nights.place.file("ids.csv", "run_order_id\nwfrun_0358e02d2eb9a0dfb8ba\n");
    let mut command = nights.place.reconcile(ids);
    let run = nights.equip(command.arg("--sandbox")).output().expect("starts");
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    assert!(nights.receiver.take().is_empty());
}

#[test]
fn messages_go_over_tls_to_servers_that_are_trusted() {
    let authority = Authority::new();
    let mut nights = Nights::new(&tables(&[("slack", false)]));
    nights.receiver = Receiver::start_with(Some(authority.server("localhost")));
    let pem = nights.place.file("ca.pem", &authority.pem);
    let run = |arguments: &[&str]| {
        let mut command = tieout();
        nights.equip(command.args(["notify", "--test"])).args(arguments).output().expect("starts")
    };
    let refused = run(&[]);
    assert_eq!(code(&refused), 4);
    assert!(
        stdout(&refused).contains("slack: not delivered: invalid peer certificate: UnknownIssuer"),
        "{}",
        stdout(&refused)
    );
    assert!(nights.receiver.take().is_empty());
    let trusted = run(&["--ca-file", pem.to_str().expect("a path")]);
    assert_eq!((code(&trusted), stdout(&trusted).as_str()), (0, "slack: delivered\n"), "{}", stderr(&trusted));
    assert_eq!(nights.receiver.take().len(), 1);
    let none = run(&["--ca-file", "none.pem"]);
    assert!(stdout(&none).contains("slack: not delivered: --ca-file none.pem: No such file"), "{}", stdout(&none));
    assert_no_secrets(&nights.place, &nights.settings, &[refused, trusted, none]);
}
