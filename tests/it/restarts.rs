//! Consecutive runs on one state share the rate limit.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tieout::sandbox::{KEY, Options};

use crate::support::{NO_CONFIRM_READ, Place, Server, code, stderr};

/// So low that the pause between two runs is shorter than between two requests of one run.
const RATE: usize = 2;
const SECOND: Duration = Duration::from_secs(1);
/// How often runs may be tried. On a busy machine a request can be noted late, and so too close to the next ones; runs that
/// do not share the rate are too close each time.
const TRIALS: usize = 3;

fn journalling() -> Server {
    Server::start(Options { journal: true, ..Options::default() })
}

/// The command that reconciles this many orders at [`RATE`].
fn paced(place: &Place, server: &Server, orders: usize) -> Command {
    let ids: Vec<String> = (0..orders).map(|number| format!("wfrun_{number:020x}")).collect();
    let ids = place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let mut command = place.reconcile(ids);
    command.arg(NO_CONFIRM_READ);
    command.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "--rate", &RATE.to_string(), "--quiet"]);
    command
}

/// Asserts that runs keep the rate together. `trial` starts them, at a server of their own.
fn assert_rate_is_kept(trial: impl Fn(&Place, &Server)) {
    let mut tried = Vec::new();
    while tried.len() < TRIALS {
        let (place, server) = (Place::new(), journalling());
        trial(&place, &server);
        let most = server.journal.most_within(SECOND);
        if most <= RATE {
            return;
        }
        tried.push(most);
    }
    panic!("requests in a second: {tried:?}");
}

#[test]
fn runs_in_a_row_share_the_rate() {
    assert_rate_is_kept(|place, server| {
        for _ in 0..3 {
            let run = paced(place, server, 3).output().expect("starts");
            assert!([1, 3].contains(&code(&run)), "{}", stderr(&run));
        }
        assert_eq!(server.journal.arrivals().len(), 9);
    });
}

#[test]
fn a_reconciliation_right_after_a_discovery_shares_the_rate() {
    let rate = RATE.to_string();
    // The list of a workflow without runs takes one request.
    let workflow = "wf_00000000000000000000";
    assert_rate_is_kept(|place, server| {
        for _ in 0..2 {
            let list =
                place.discover(&server.url).args(["--rate", &rate, "--workflow", workflow]).output().expect("starts");
            assert_eq!(code(&list), 0, "{}", stderr(&list));
            let run = paced(place, server, 3).output().expect("starts");
            assert!([1, 3].contains(&code(&run)), "{}", stderr(&run));
        }
        assert_eq!(server.journal.arrivals().len(), 8);
    });
}

#[test]
fn a_run_after_a_killed_one_keeps_the_rate() {
    assert_rate_is_kept(|place, server| {
        for orders in [1, 2, 3, 2] {
            let before = server.journal.arrivals().len();
            let mut run = paced(place, server, 200).stderr(Stdio::null()).spawn().expect("starts");
            let patience = Instant::now() + Duration::from_secs(60);
            while server.journal.arrivals().len() < before + orders && Instant::now() < patience {
                sleep(Duration::from_millis(5));
            }
            run.kill().expect("SIGKILL");
            run.wait().expect("ends");
            assert!(server.journal.arrivals().len() >= before + orders, "it was sending when it was killed");
        }
    });
}
