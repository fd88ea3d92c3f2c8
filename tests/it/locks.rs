//! Two jobs at once: one of them goes on, the other one says who is in its way.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{Place, Server, code, stderr};

fn slow() -> Server {
    let faults = FaultPlan::from_specs(["slow,delay=100ms"]).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

fn job(place: &Place, url: &str, state: &str) -> Command {
    let ids: Vec<String> = (0..400).map(|number| format!("wfrun_{number:020x}")).collect();
    let ids = place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let mut command = place.reconcile(ids);
    command.env("CHENYU_API_KEY", KEY).args(["--api-url", url, "--quiet", "--concurrency", "1"]);
    command.arg("--state").arg(place.path(state)).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Starts a job and waits until it is at work.
fn at_work(mut command: Command, server: &Server) -> Child {
    let before = server.journal.arrivals().len();
    let child = command.spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while server.journal.arrivals().len() == before {
        assert!(Instant::now() < patience, "it never asked for anything");
        sleep(Duration::from_millis(5));
    }
    child
}

fn assert_in_the_way(mut second: Command, holder: &Child, what: &str) {
    let ended = second.output().expect("starts");
    assert_eq!(code(&ended), 4, "{}", stderr(&ended));
    let said = stderr(&ended);
    assert!(said.contains(&format!("another tieout (pid {}, since 20", holder.id())), "{said}");
    assert!(said.contains(what) && said.contains("wait for it to end") && !said.contains(KEY), "{said}");
}

#[test]
fn a_second_job_on_a_state_or_with_a_key_is_told_who_holds_it() {
    let (place, server) = (Place::new(), slow());
    let mut first = at_work(job(&place, &server.url, "state.sqlite"), &server);
    assert_in_the_way(job(&place, &server.url, "state.sqlite"), &first, "state.sqlite");
    assert_in_the_way(job(&place, &server.url, "another.sqlite"), &first, "this API key");
    let elsewhere = slow();
    let mut other = at_work(job(&place, &elsewhere.url, "elsewhere.sqlite"), &elsewhere);

    first.kill().expect("SIGKILL");
    first.wait().expect("ends");
    let mut next = at_work(job(&place, &server.url, "state.sqlite"), &server);
    for child in [&mut other, &mut next] {
        child.kill().expect("SIGKILL");
        child.wait().expect("ends");
    }
}

#[test]
fn a_state_at_work_can_be_looked_at() {
    let (place, server) = (Place::new(), slow());
    let mut first = at_work(job(&place, &server.url, "state.sqlite"), &server);
    let runs = |output: &str| {
        let mut command = crate::support::tieout();
        command.args(["runs", "--output", output, "--state"]).arg(place.path("state.sqlite"));
        command.output().expect("starts")
    };
    let listed: serde_json::Value = serde_json::from_slice(&runs("json").stdout).expect("JSON");
    assert_eq!(listed[0]["state"], "running");
    first.kill().expect("SIGKILL");
    first.wait().expect("ends");
    let listed: serde_json::Value = serde_json::from_slice(&runs("json").stdout).expect("JSON");
    assert_eq!((&listed[0]["state"], &listed[0]["rows"]), (&"unfinished".into(), &400.into()));
}
