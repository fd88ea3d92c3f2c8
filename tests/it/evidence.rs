//! The state keeps a reply's facts and hash; it keeps the whole reply only with `--evidence full`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tieout::sandbox::{KEY, Kind, Options, describe};

use crate::support::{Place, Server, code, files_below, stderr};

const PROMPT: &str = "PRIVATE PROMPT";

fn orders() -> Vec<String> {
    let ids = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    ids.filter(|id| describe(id, Options::default().seed) == Kind::Clean).take(8).collect()
}

/// The raw body of the reply about an order.
fn reply(server: &Server, run_order_id: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    let path = server.url.splitn(4, '/').nth(3).expect("a path").trim_end_matches('/');
    let request = format!(
        "GET /{path}/workflow/run/info?run_order_id={run_order_id} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n\
         Authorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it takes requests");
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole).expect("it replies");
    let end = whole.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    whole.split_off(end)
}

fn reconciled(server: &Server, arguments: &[&str]) -> Place {
    let place = Place::new();
    let ids = place.file("ids.csv", format!("run_order_id\n{}\n", orders().join("\n")));
    let mut command = place.reconcile(ids);
    command.args(["--as-of", "2026-06-01T00:00:00Z", "--api-url", &server.url]).args(arguments);
    let ended = command.env("CHENYU_API_KEY", KEY).output().expect("starts");
    assert_eq!(code(&ended), 0, "{}", stderr(&ended));
    place
}

fn holds(file: &Path, text: &str) -> bool {
    fs::read(file).expect("readable").windows(text.len()).any(|window| window == text.as_bytes())
}

/// The replies kept in the state, and the hashes of all replies, by input line.
fn kept(place: &Place) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let state = Connection::open(place.path("state.sqlite")).expect("a state");
    let column = |query: &str| -> Vec<Vec<u8>> {
        let mut rows = state.prepare(query).expect("such a table");
        rows.query_map([], |row| row.get(0)).expect("rows").map(|cell| cell.expect("bytes")).collect()
    };
    let replies = column("SELECT reply FROM replies ORDER BY line");
    let replies = replies.iter().map(|reply| zstd::decode_all(reply.as_slice()).expect("zstd")).collect();
    (replies, column("SELECT reply_sha256 FROM outcomes ORDER BY line"))
}

#[test]
fn a_reply_leaves_its_facts_and_its_hash_and_no_prompt() {
    let server = Server::start(Options::default());
    let place = reconciled(&server, &[]);
    let sent: Vec<Vec<u8>> = orders().iter().map(|order| reply(&server, order)).collect();
    for reply in &sent {
        assert!(String::from_utf8_lossy(reply).contains(PROMPT), "the reply holds a prompt to keep out");
    }
    let (replies, hashes) = kept(&place);
    assert!(replies.is_empty());
    assert_eq!(hashes, sent.iter().map(|reply| Sha256::digest(reply).to_vec()).collect::<Vec<_>>());
    for file in place.files() {
        assert!(!holds(&file, PROMPT) && !holds(&file, KEY), "{}", file.display());
    }
}

#[test]
fn full_evidence_keeps_every_reply_byte_for_byte_and_the_report_is_the_same() {
    let server = Server::start(Options::default());
    let (plain, full) = (reconciled(&server, &[]), reconciled(&server, &["--evidence", "full"]));
    let sent: Vec<Vec<u8>> = orders().iter().map(|order| reply(&server, order)).collect();
    let (replies, hashes) = kept(&full);
    let text = |replies: &[Vec<u8>]| {
        replies.iter().map(|reply| String::from_utf8_lossy(reply).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(text(&replies), text(&sent));
    assert_eq!(hashes, sent.iter().map(|reply| Sha256::digest(reply).to_vec()).collect::<Vec<_>>());
    let reports = [&plain, &full].map(|place| files_below(&place.path("report")));
    for (plain, full) in reports[0].iter().zip(&reports[1]).filter(|(plain, _)| !plain.ends_with("manifest.json")) {
        assert_eq!(fs::read(plain).expect("readable"), fs::read(full).expect("readable"), "{}", plain.display());
        assert!(!holds(full, PROMPT));
    }
    assert!(full.files().iter().all(|file| !holds(file, KEY)), "whatever is kept, the key is not");
}
