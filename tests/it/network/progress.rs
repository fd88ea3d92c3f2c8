//! Progress where nobody watches a terminal: whole lines, now and then.

use super::job::Job;
use super::server::RawServer;

/// How many requests a second: so few that the job takes longer than the ten seconds between two lines.
const RATE: &str = "3";
const ORDERS: u64 = 40;

#[test]
fn progress_is_lines_without_escape_codes() {
    let (server, job) = (RawServer::calm(), Job::on(1..1 + ORDERS));
    let ended = job.run(&server.url(), &["--rate", RATE, "-vv"]);
    assert_eq!(ended.code, 1, "{}", ended.said);
    let lines: Vec<&str> = ended.said.lines().filter(|line| line.contains("/40 rows · ")).collect();
    assert!((1..=3).contains(&lines.len()), "a line every ten seconds: {}", ended.said);
    let (done, rest) = lines[0].split_once('/').expect("done/rows");
    let done: u64 = done.parse().expect("a count, right at the start of the line");
    assert!((1..ORDERS).contains(&done), "{lines:?}");
    assert!(rest.contains(" requests/s of 3 allowed"), "{lines:?}");
}

#[test]
fn quiet_is_quiet() {
    let (server, job) = (RawServer::calm(), Job::on(1..5));
    let ended = job.run(&server.url(), &["-q"]);
    assert_eq!((ended.code, ended.said.as_str()), (0, ""));
}
