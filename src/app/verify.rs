//! `tieout verify`: proves a report.

use std::io::{self, Write};

use super::audit::failure;
use super::cli::{Output, Verify};
use super::exit::{self, Exit, Failure};
use super::settings;
use crate::domain::visible::visible;
use crate::pipeline::verify::{Part, PartResult, REPERFORMANCE, verify};
use crate::report::folder::publish::follow;
use crate::store::Store;

/// Proves a report, and prints the result of each part of the proof. Exits with 1 unless every part holds; with
/// `--files-only`, parts that could not be proven are accepted.
pub(super) fn run(command: &Verify) -> Result<Exit, Failure> {
    let report = follow(&command.report);
    let state = command.state.clone().unwrap_or_else(|| settings::state_beside(&report));
    let store = match (command.files_only, state.exists()) {
        (false, true) => Some(Store::open(&state).map_err(Failure::no_report)?),
        (false, false) if command.state.is_some() => {
            return Err(Failure::usage(format!("there is no state file {}", state.display())));
        }
        _ => None,
    };
    let parts = verify(&report, store.as_ref(), command.dataset.as_deref()).map_err(failure)?;
    let is_proven = |part: &Part| match part.result {
        PartResult::Holds => true,
        PartResult::Fails => false,
        // Without the state nobody knows whether the manifest is the one that was written. All else must be proven.
        PartResult::NotProven => command.files_only && part.part != REPERFORMANCE,
    };
    let proven = parts.iter().all(is_proven);
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text => show(&parts, proven, &mut out),
        Output::Json => {
            let json = serde_json::json!({ "proven": proven, "parts": parts });
            serde_json::to_writer_pretty(&mut out, &json).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
    };
    exit::ignore_closed_pipe(shown)?;
    Ok(if proven { Exit::Success } else { Exit::Discrepant })
}

fn show(parts: &[Part], proven: bool, out: &mut dyn Write) -> io::Result<()> {
    for Part { part, result, details } in parts {
        let word = match result {
            PartResult::Holds => "holds",
            PartResult::Fails => "FAILS",
            PartResult::NotProven => "not proven",
        };
        for (index, sentence) in details.iter().enumerate() {
            let (part, word) = if index == 0 { (*part, word) } else { ("", "") };
            writeln!(out, "{part:<14} {word:<11} {}", visible(sentence))?;
        }
    }
    writeln!(out, "\n{}", if proven { "The report is proven." } else { "The report is NOT proven." })
}
