//! `tieout verify`: proves a report, or all reports of a folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::audit::failure;
use super::cli::{General, Output, Place, Verify};
use super::exit::{self, Exit, Failure};
use super::settings;
use super::wrap::padded;
use crate::domain::visible::visible;
use crate::language::Texts;
use crate::pipeline::verify::folder::{FolderProof, MissingReport, ReportProof, verify_all};
use crate::pipeline::verify::{Part, PartResult, REPERFORMANCE, verify};
use crate::report::folder::publish::follow;
use crate::store::Store;

/// Proves a report or all of a folder, and prints the result of each part of the proof. Exits with 1 unless every part
/// holds; with `--files-only`, parts that could not be proven are accepted.
pub(super) fn run(command: &Verify, general: &General, texts: Texts) -> Result<Exit, Failure> {
    match &command.report {
        Some(report) if !command.all => run_one(command, &follow(report), texts),
        _ => run_all(command, general, texts),
    }
}

fn run_one(command: &Verify, report: &Path, texts: Texts) -> Result<Exit, Failure> {
    let state = command.state.clone().unwrap_or_else(|| settings::state_beside(report));
    let store = open(command, &state)?;
    let parts = verify(report, store.as_ref(), command.dataset.as_deref()).map_err(failure)?;
    let proven = are_proven(&parts, command.files_only);
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text => show(&parts, proven, texts, &mut out),
        Output::Json => show_json(&serde_json::json!({ "proven": proven, "parts": parts }), &mut out),
    };
    exit::ignore_closed_pipe(shown)?;
    Ok(if proven { Exit::Success } else { Exit::Discrepant })
}

fn run_all(command: &Verify, general: &General, texts: Texts) -> Result<Exit, Failure> {
    let (state, folder) = place(command, general)?;
    if !folder.is_dir() {
        return Err(Failure::usage(format!("there is no folder {}", folder.display())));
    }
    let mut store = open(command, &state)?;
    let mut proof = verify_all(&folder, store.as_mut()).map_err(failure)?;
    if command.files_only {
        proof.reports.iter_mut().for_each(|report| report.proven = are_proven(&report.parts, true));
        proof = FolderProof::of(proof.reports, proof.missing);
    }
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text => show_all(&proof, texts, &mut out),
        Output::Json => show_json(&proof, &mut out),
    };
    exit::ignore_closed_pipe(shown)?;
    Ok(if proof.proven { Exit::Success } else { Exit::Discrepant })
}

/// The state, and the folder of the reports.
fn place(command: &Verify, general: &General) -> Result<(PathBuf, PathBuf), Failure> {
    let typed = Place { state: command.state.clone(), reports_dir: command.report.clone() };
    settings::place(&typed, general).map_err(Failure::usage)
}

/// Opens the state, if it is wanted and there.
fn open(command: &Verify, state: &Path) -> Result<Option<Store>, Failure> {
    match (command.files_only, state.exists()) {
        (false, true) => Ok(Some(Store::open_to_read(state).map_err(Failure::no_report)?)),
        (false, false) if command.state.is_some() => {
            Err(Failure::usage(format!("there is no state file {}", state.display())))
        }
        _ => Ok(None),
    }
}

fn are_proven(parts: &[Part], files_only: bool) -> bool {
    parts.iter().all(|part| match part.result {
        PartResult::Holds => true,
        PartResult::Fails => false,
        // Without the state nobody knows whether the manifest is the one that was written. All else must be proven.
        PartResult::NotProven => files_only && part.part != REPERFORMANCE,
    })
}

fn show_json(json: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, json).map_err(io::Error::from).and_then(|()| writeln!(out))
}

fn show(parts: &[Part], proven: bool, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    show_parts(parts, "", texts, out)?;
    let result = if proven { texts.get("verify-proven") } else { texts.get("verify-not-proven") };
    writeln!(out, "\n{result}")
}

fn show_parts(parts: &[Part], indent: &str, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    for Part { part, result, details } in parts {
        let word = match result {
            PartResult::Holds => texts.get("verify-part-holds"),
            PartResult::Fails => texts.get("verify-part-fails"),
            PartResult::NotProven => texts.get("verify-part-not-proven"),
        };
        for (index, sentence) in details.iter().enumerate() {
            let (part, word) = if index == 0 { (*part, word.as_str()) } else { ("", "") };
            let (part, word) = (padded(part, 14), padded(word, 11));
            writeln!(out, "{indent}{part} {word} {}", visible(&texts.translated(sentence)))?;
        }
    }
    Ok(())
}

/// Shows each report on a line. Only of those that are not proven, the parts of the proof follow.
fn show_all(proof: &FolderProof, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    for ReportProof { report, proven, proven_before, parts } in &proof.reports {
        let word = match (proven, proven_before) {
            (true, true) => texts.get("verify-report-unchanged"),
            (true, false) => texts.get("verify-report-proven"),
            (false, _) => texts.get("verify-report-not-proven"),
        };
        writeln!(out, "{}  {word}", visible(report))?;
        if !proven {
            show_parts(parts, "  ", texts, out)?;
        }
    }
    for MissingReport { report, run } in &proof.missing {
        let missing = texts.with("verify-report-missing", &[("run", run.to_string().into())]);
        writeln!(out, "{}  {missing}", visible(report))?;
    }
    let count = |proven| proof.reports.iter().filter(|report| report.proven == proven).count();
    let (proven, not_proven, missing) = (count(true), count(false), proof.missing.len());
    let counts = texts.with(
        "verify-counts",
        &[
            ("proven", proven.to_string().into()),
            ("unproven", not_proven.to_string().into()),
            ("missing", missing.to_string().into()),
        ],
    );
    if proof.reports.is_empty() {
        writeln!(out, "{}", texts.get("verify-nothing"))?;
    }
    writeln!(out, "\n{counts}")
}
