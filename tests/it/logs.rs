//! The log: JSON or text, one run ID throughout, each retry with `-v`, and never a key or a prompt.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tieout::sandbox::{AnswerKind, FaultPlan, KEY, Options};

use crate::support::{Place, Server, code, repository, stderr, tieout};

const PROMPT: &str = "PRIVATE PROMPT";

fn job(place: &Place, server: &Server, arguments: &[&str]) -> Output {
    let ids: Vec<String> = (0..12).map(|number| format!("wfrun_{number:020x}")).collect();
    let mut command = place.reconcile(place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n"))));
    command.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "--format", "csv,json"]).args(arguments);
    command.output().expect("starts")
}

fn server(faults: &[&str]) -> Server {
    let faults = FaultPlan::from_specs(faults.iter().copied()).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

/// The lines of standard error that are JSON, and the others.
fn lines(ended: &Output) -> (Vec<Value>, Vec<String>) {
    let (mut events, mut others) = (Vec::new(), Vec::new());
    for line in stderr(ended).lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(event) if event.is_object() => events.push(event),
            _ => others.push(line.to_owned()),
        }
    }
    (events, others)
}

fn messages(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["message"].as_str().expect("a message")).collect()
}

/// The one run ID of all events.
fn run_id(events: &[Value]) -> &str {
    let ids: BTreeSet<&str> = events.iter().map(|event| event["span"]["run_id"].as_str().expect("a run ID")).collect();
    assert_eq!(ids.len(), 1, "{events:?}");
    ids.into_iter().next().expect("one")
}

#[test]
fn each_retry_is_logged_under_the_id_of_the_run() {
    // Two orders fail twice before they are answered, and another is limited once.
    let place = Place::new();
    let faults = ["status=502,ids=*3,times=2", "status=502,ids=*0,times=2", "too-many,ids=*5,times=1,retry-after=0"];
    let server = server(&faults);
    let ended = job(&place, &server, &["-v"]);
    assert!(code(&ended) < 2, "{}", stderr(&ended));
    let (events, others) = lines(&ended);
    let is_progress = |line: &String| line.contains(" rows · ") || line.contains("failing order");
    assert!(others.iter().all(is_progress), "{others:?}");
    run_id(&events);
    let answered = |fault: &str| {
        let is_it = |answer: &AnswerKind| matches!(answer, AnswerKind::Fault(spec) if **spec == *fault);
        server.journal.arrivals().iter().filter(|arrival| is_it(&arrival.answer)).count()
    };
    let count = |message: &str| messages(&events).into_iter().filter(|it| *it == message).count();
    assert_eq!((answered("status=502"), answered("too-many")), (4, 1));
    assert_eq!(count("retry after a failure"), answered("status=502"));
    assert_eq!(count("retry: the provider limits the rate"), answered("too-many"));
    let retry = events.iter().find(|event| event["message"] == "retry after a failure").expect("a retry");
    assert_eq!((&retry["reason"], &retry["retry"]), (&"http-502".into(), &1.into()));
    assert!(retry["requested"].as_str().expect("an order").ends_with(['0', '3']));
    let steps = ["the run begins", "every row has its outcome", "the report is published"];
    assert_eq!(messages(&events).into_iter().filter(|it| steps.contains(it)).collect::<Vec<_>>(), steps);
    // A different run has a different ID, and without -v there is nothing to log.
    let again = job(&place, &server, &["-v", "--fresh"]);
    assert_ne!(run_id(&lines(&again).0), run_id(&events));
    assert_eq!(lines(&job(&place, &server, &["--fresh"])).0, [Value::Null; 0]);
}

#[test]
fn neither_keys_nor_prompts_are_logged() {
    let place = Place::new();
    let server = server(&["status=502,every=7"]);
    for format in ["text", "json"] {
        let ended = job(&place, &server, &["-vv", "--fresh", "--evidence", "full", "--log-format", format]);
        let shown = stderr(&ended);
        assert!(shown.contains("answered") && shown.contains("retry after a failure"), "{shown}");
        assert!(!shown.contains(KEY) && !shown.contains(PROMPT), "{format}");
    }
    let mut wrong = place.reconcile(repository("sample_data/ids.csv"));
    wrong.env("CHENYU_API_KEY", "cy_0123456789abcdef").args(["--api-url", &server.url, "-vv", "--log-format", "json"]);
    let ended = wrong.output().expect("starts");
    assert_eq!(code(&ended), 4);
    assert!(!stderr(&ended).contains("cy_0123456789abcdef"), "{}", stderr(&ended));
}

#[test]
fn all_of_standard_error_is_json_if_asked_for() {
    let place = Place::new();
    let command = |arguments: &[&str]| {
        let mut command = tieout();
        command.args(arguments).args(["--log-format", "json"]).current_dir(place.path(""));
        let ended = command.output().expect("starts");
        let (events, others) = lines(&ended);
        assert_eq!(others, [""; 0]);
        (code(&ended), events)
    };
    let (ended, events) = command(&["reconcile", "none.csv", "--no-such-option"]);
    assert_eq!((ended, events.len()), (2, 1));
    assert!(messages(&events)[0].contains("--no-such-option"));
    let (ended, events) = command(&["reconcile", "none.csv", "--sandbox"]);
    assert_eq!((ended, events.len(), &events[0]["level"]), (2, 1, &"ERROR".into()));
    assert!(messages(&events)[0].contains("none.csv"));
    place.file("key", "cy_sandbox_key");
    let (ended, events) = command(&["reconcile", "none.csv", "--api-key-file", "key"]);
    assert_eq!(ended, 2);
    let levels: Vec<&Value> = events.iter().map(|event| &event["level"]).collect();
    assert_eq!(levels, ["WARN", "ERROR"], "a key file that others can read");
    run_id(&events);
    let ids = repository("sample_data/ids.csv");
    let (ended, events) = command(&["reconcile", ids.to_str().expect("UTF-8"), "--sandbox"]);
    assert_eq!(ended, 1);
    assert!(messages(&events).iter().any(|message| message.contains("failing orders")), "progress, too: {events:?}");
    // Text is what people get, be it in a pipe.
    let ended =
        tieout().args(["reconcile", "none.csv", "--sandbox"]).current_dir(place.path("")).output().expect("starts");
    assert!(stderr(&ended).starts_with("error: "), "{}", stderr(&ended));
}

#[test]
fn at_a_terminal_the_log_is_text() {
    let place = Place::new();
    let binary = env!("CARGO_BIN_EXE_tieout");
    let ids = repository("sample_data/ids.csv");
    let line =
        format!("'{binary}' reconcile '{}' --sandbox -v --out report --state s.sqlite >/dev/null", ids.display());
    let mut terminal = Command::new("script");
    terminal
        .args(["-qec", &line, "/dev/null"])
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .env("TIEOUT_LANG", "en");
    let ended = terminal.output().expect("script, of bsdutils");
    let shown = String::from_utf8_lossy(&ended.stdout);
    assert!(
        shown.contains("INFO run{run_id=") && shown.contains("}: the report is published folder=report"),
        "{shown}"
    );
    assert!(!shown.contains("{\"timestamp\""), "{shown}");
}
