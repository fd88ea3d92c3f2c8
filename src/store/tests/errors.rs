//! The messages of errors.

use std::error::Error;
use std::sync::Arc;

use super::super::*;

#[test]
fn every_message_names_the_state_once() {
    // A path that contains the placeholder of the messages.
    let path = Path::new("/srv/{path}/state.sqlite");
    let refused = || Arc::new(rusqlite::Error::InvalidQuery);
    let run = RunId(7);
    let problems = [
        Problem::NotOurs,
        Problem::Newer { found: 2, known: 1 },
        Problem::ReadOnly,
        Problem::LogUnread,
        Problem::DiskFails { doing: "read", source: refused() },
        Problem::Moved,
        Problem::DiskFull,
        Problem::Locked,
        Problem::NoWriteAheadLog,
        Problem::HardLinks { names: 2 },
        Problem::Corrupt,
        Problem::damaged("line {path}", "it is {path}"),
        Problem::UnknownRun { run },
        Problem::Finished { run },
        Problem::AlreadyStored { run, line: 1 },
        Problem::TooLarge { column: "rows", value: u64::MAX },
        Problem::WriterLost,
        Problem::Io { doing: "open", source: Arc::new(std::io::Error::other("no")) },
        Problem::Sqlite { doing: "open", source: refused() },
    ];
    for problem in problems {
        let text = problem.clone().at(path).to_string();
        assert_eq!(text.matches("/srv/{path}/state.sqlite").count(), 1, "{text}");
        assert_eq!(text.replacen("/srv/{path}/state.sqlite", "{path}", 1), problem.to_string());
    }
}

#[test]
fn an_error_says_what_where_and_why() {
    let path = Path::new("/srv/state.sqlite");
    let error = Problem::Sqlite { doing: "open", source: Arc::new(rusqlite::Error::InvalidQuery) }.at(path);
    let why = rusqlite::Error::InvalidQuery.to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "can't open the state /srv/state.sqlite: {why}; check the disk and the permissions of the file and its folder"
        )
    );
    assert_eq!(error.source().map(ToString::to_string), Some(why));
    let error = Problem::damaged("its pages", "a hole").at(path);
    assert_eq!(
        error.to_string(),
        "the state /srv/state.sqlite is damaged: its pages: a hole; restore the file from a backup, or move it away to \
         start a new one (finished reports are not affected)"
    );
    assert!(error.source().is_none());
}
