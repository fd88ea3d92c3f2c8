//! Two jobs at once: the first continues, and the second names the job that is in its way.

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

/// Starts a job and waits until it has sent a request.
fn at_work(mut command: Command, server: &Server) -> Child {
    let before = server.journal.arrivals().len();
    let child = command.spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while server.journal.arrivals().len() == before {
        assert!(Instant::now() < patience, "the job never sent a request");
        sleep(Duration::from_millis(5));
    }
    child
}

fn assert_in_the_way(mut second: Command, holder: &Child, what: &str) {
    let ended = second.output().expect("starts");
    assert_eq!(code(&ended), 4, "{}", stderr(&ended));
    let printed = stderr(&ended);
    assert!(printed.contains(&format!("another tieout (pid {}, since 20", holder.id())), "{printed}");
    assert!(printed.contains(what) && printed.contains("wait for it to end") && !printed.contains(KEY), "{printed}");
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

#[test]
fn a_state_under_two_names_is_one_state() {
    use std::os::unix::fs::symlink;
    let (place, server) = (Place::new(), slow());
    std::fs::create_dir(place.path("folder")).expect("writable");
    symlink(place.path("folder"), place.path("elsewhere")).expect("writable");
    // The link dangles until the first job makes the file.
    symlink("folder/state.sqlite", place.path("link.sqlite")).expect("writable");
    symlink("link.sqlite", place.path("hop.sqlite")).expect("writable");
    let names = ["folder/state.sqlite", "elsewhere/state.sqlite", "link.sqlite", "hop.sqlite"];
    for first in names {
        let mut holder = at_work(job(&place, &server.url, first), &server);
        for second in names {
            // A different key, so that only the state is in the way.
            let mut second = job(&place, &server.url, second);
            second.env("CHENYU_API_KEY", "cy_another_key");
            assert_in_the_way(second, &holder, "the state");
        }
        let listed = crate::support::tieout().args(["runs", "--state"]).arg(place.path("hop.sqlite")).output();
        let listed = listed.expect("starts");
        assert!(crate::support::stdout(&listed).contains("running"), "{}", stderr(&listed));
        holder.kill().expect("SIGKILL");
        holder.wait().expect("ends");
    }
    assert!(!place.path("link.sqlite.lock").exists() && place.path("folder/state.sqlite.lock").exists());

    std::fs::hard_link(place.path("folder/state.sqlite"), place.path("hard.sqlite")).expect("writable");
    for name in ["hard.sqlite", "folder/state.sqlite"] {
        let ended = job(&place, &server.url, name).output().expect("starts");
        assert_eq!(code(&ended), 4, "{}", stderr(&ended));
        assert!(
            stderr(&ended).contains("hard link") && stderr(&ended).contains("no request was sent"),
            "{}",
            stderr(&ended)
        );
    }
}

#[test]
fn the_files_of_a_state_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    for umask in ["000", "022", "277"] {
        let (place, server) = (Place::new(), slow());
        let command = job(&place, &server.url, "state.sqlite");
        let mut masked = Command::new("sh");
        masked.env_clear().arg("-c").arg("umask \"$0\"; exec \"$@\"").arg(umask);
        masked.arg(command.get_program()).args(command.get_args());
        masked.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).stderr(Stdio::piped());
        let mut child = at_work(masked, &server);
        let modes: Vec<(String, u32)> = ["", "-wal", "-shm", ".lock"]
            .map(|end| {
                let path = place.path(&format!("state.sqlite{end}"));
                let mode = std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
                (end.to_owned(), mode)
            })
            .into();
        child.kill().expect("SIGKILL");
        child.wait().expect("ends");
        assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "umask {umask}: {modes:?}");
    }
}

#[test]
fn a_state_that_is_being_written_can_be_read() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id\nwfrun_314ff7d8b7a5beff1388\n");
    assert!(code(&place.reconcile(ids).arg("--sandbox").output().expect("starts")) < 2);
    // A job holds a transaction like this while a run enters the memory.
    let state = rusqlite::Connection::open(place.path("state.sqlite")).expect("a state");
    state.execute_batch("BEGIN IMMEDIATE; DELETE FROM sends;").expect("no other process writes");
    let began = Instant::now();
    for arguments in [vec!["runs"], vec!["verify", "report"]] {
        let mut command = crate::support::tieout();
        command.current_dir(place.path("")).args(&arguments).args(["--state", "state.sqlite"]);
        let ended = command.output().expect("starts");
        assert_eq!(code(&ended), 0, "{arguments:?}: {}", stderr(&ended));
    }
    assert!(began.elapsed() < Duration::from_secs(9), "they waited for the transaction: {:?}", began.elapsed());
}
