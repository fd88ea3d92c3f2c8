//! Progress without a terminal: a whole line now and then.

use super::job::Job;
use super::server::RawServer;

/// The `--rate`: so low that the job takes longer than the ten seconds between two lines.
const RATE: &str = "3";
const ORDERS: u64 = 40;

#[test]
fn progress_is_lines_without_escape_codes() {
    let (server, job) = (RawServer::faultless(), Job::on(1..1 + ORDERS));
    let ended = job.run(&server.url(), &["--rate", RATE, "-vv"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("/40 rows · ")).collect();
    assert!((1..=3).contains(&lines.len()), "a line every ten seconds: {}", ended.stderr);
    let (done, rest) = lines[0].split_once('/').expect("done/rows");
    let done: u64 = done.parse().expect("a count, right at the start of the line");
    assert!((1..ORDERS).contains(&done), "{lines:?}");
    assert!(rest.contains(" requests/s of 3 allowed"), "{lines:?}");
}

#[test]
fn quiet_is_quiet() {
    let (server, job) = (RawServer::faultless(), Job::on(1..5));
    let ended = job.run(&server.url(), &["-q"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}
