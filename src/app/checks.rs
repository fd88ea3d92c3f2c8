//! `tieout checks`: every check, or one explained, or any other word that reports use.

use std::io::{self, Write};
use std::mem;

use unicode_width::UnicodeWidthStr;

use super::exit::{self, Exit, Failure};
use super::settings;
use super::voice::Voice;
use super::wrap::{padded, wrapped};
use crate::checks::{CATALOGUE, Cause, Check, IDENTITY_MISMATCH};
use crate::domain::finding::Severity;
use crate::domain::outcome::Bucket;
use crate::language::{Texts, Word};
use crate::summary::Verdict;

/// How many columns of a terminal an explanation takes.
const COLUMNS: usize = 110;

/// Lists the checks, or explains what has that code.
pub(super) fn run(code: Option<&str>, voice: &Voice) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let written = match code {
        None => list(voice.texts, &mut out),
        Some(code) => match CATALOGUE.iter().find(|check| check.code == code) {
            Some(check) => explain(check, voice, &mut out),
            None => {
                let words = words(code, voice.texts);
                if words.is_empty() {
                    return Err(unknown(code, voice.texts));
                }
                words.iter().try_for_each(|word| word.show(code, voice, &mut out))
            }
        },
    };
    exit::ignore_closed_pipe(written)?;
    Ok(Exit::Success)
}

fn list(texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let severities = CATALOGUE.map(|check| texts.of(Word::SeverityName, check.severity.code()));
    let code_width = CATALOGUE.iter().map(|check| check.code.len()).max().unwrap_or_default();
    let severity_width = severities.iter().map(|severity| severity.width()).max().unwrap_or_default();
    CATALOGUE.iter().zip(severities).try_for_each(|(check, severity)| {
        let (code, severity) = (padded(check.code, code_width), padded(&severity, severity_width));
        writeln!(out, "{code}  {severity}  {}", texts.of(Word::CheckHolds, check.code))
    })
}

fn unknown(code: &str, texts: Texts) -> Failure {
    let failure = Failure::usage(texts.with("explain-unknown", &[("code", format!("{code:?}").into())]));
    let checks = CATALOGUE.map(|check| check.code);
    let causes = checks.into_iter().flat_map(|check| Cause::of_check(check).iter().map(|cause| cause.code()));
    let (buckets, verdicts) = (Bucket::ALL.map(Bucket::code), Verdict::ALL.map(Verdict::code));
    let known = checks.into_iter().chain(causes).chain(buckets).chain(verdicts);
    failure.help(match settings::nearest(code, known) {
        Some(near) => texts.with("explain-help-near", &[("nearest", near.into())]),
        None => texts.get("explain-help"),
    })
}

/// A check with all that can be said of it: label by label.
fn explain(check: &Check, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let (texts, code) = (voice.texts, check.code);
    let severity = texts.of(Word::SeverityName, check.severity.code());
    let heading = texts.with("explain-heading", &[("word", code.into()), ("kind", severity.into())]);
    writeln!(out, "{}", voice.bold(&heading))?;
    let mut parts = vec![
        Part::new(texts.get("explain-holds"), texts.of(Word::CheckHolds, code)),
        Part::new(texts.get("explain-due"), texts.of(Word::CheckDue, code)),
        Part::new(texts.get("explain-example"), texts.of(Word::CheckExample, code)),
        Part::new(texts.get("explain-remedy"), texts.of(Word::CheckRemedy, code)),
        Part::new(texts.get("explain-weighs"), texts.of(Word::Severity, check.severity.code())),
    ];
    let causes = Cause::of_check(code);
    let longest = causes.iter().map(|cause| cause.code().len()).max().unwrap_or_default();
    let mut label = texts.get("explain-causes");
    for cause in causes.iter().map(|cause| cause.code()) {
        let head = format!("{cause:longest$}  ");
        parts.push(Part { label: mem::take(&mut label), head, said: texts.of(Word::Cause, cause) });
    }
    parts.push(Part::new(texts.get("explain-change"), change(check, texts)));
    let width = parts.iter().map(|part| part.label.width()).max().unwrap_or_default();
    parts.iter().try_for_each(|part| part.show(width, out))
}

/// How the settings file changes what a check weighs.
fn change(check: &Check, texts: Texts) -> String {
    if check.code == IDENTITY_MISMATCH {
        return texts.get("explain-never-changed");
    }
    let other = match check.severity {
        Severity::Error => Severity::Warning,
        Severity::Warning => Severity::Error,
    };
    let mut said = format!("{}\n[checks]\n{} = \"{}\"", texts.get("explain-changed-so"), check.code, other.code());
    if let Some(cause) = Cause::of_check(check.code).first() {
        said.push_str(&format!("\n\"{}.{}\" = \"{}\"", check.code, cause.code(), other.code()));
    }
    said
}

/// What can be said of a check under one label.
struct Part {
    label: String,
    /// What stands before all lines of it; blanks do on all but the first.
    head: String,
    said: String,
}

impl Part {
    fn new(label: String, said: String) -> Self {
        Self { label, head: String::new(), said }
    }

    /// Shows it beside its label, for which there are that many columns.
    fn show(&self, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut margin = format!("  {}  {}", padded(&self.label, width), self.head);
        let columns = margin.width();
        for line in wrapped(&self.said, COLUMNS - columns) {
            writeln!(out, "{margin}{line}")?;
            margin = " ".repeat(columns);
        }
        Ok(())
    }
}

/// A word of the reports that is no check.
struct Explained {
    kind: String,
    said: String,
}

impl Explained {
    fn show(&self, word: &str, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
        let heading = voice.texts.with("explain-heading", &[("word", word.into()), ("kind", self.kind.clone().into())]);
        writeln!(out, "{}", voice.bold(&heading))?;
        wrapped(&self.said, COLUMNS - 2).iter().try_for_each(|line| writeln!(out, "  {line}"))
    }
}

/// What a word of the reports means: some are both a bucket and a verdict.
fn words(code: &str, texts: Texts) -> Vec<Explained> {
    let mut words = Vec::new();
    let mut add = |is_one: bool, kind: String, word: Word| {
        if is_one {
            words.push(Explained { kind, said: texts.of(word, code) });
        }
    };
    let is_verdict = Verdict::ALL.iter().any(|verdict| verdict.code() == code);
    add(is_verdict, texts.get("explain-kind-verdict"), Word::Verdict);
    let is_bucket = Bucket::ALL.iter().any(|bucket| bucket.code() == code);
    add(is_bucket, texts.get("explain-kind-bucket"), Word::Bucket);
    let is_severity = Severity::ALL.iter().any(|severity| severity.code() == code);
    add(is_severity, texts.get("explain-kind-severity"), Word::Severity);
    let has_cause = |check: &&&Check| Cause::of_check(check.code).iter().any(|cause| cause.code() == code);
    let checks: Vec<&str> = CATALOGUE.iter().filter(has_cause).map(|check| check.code).collect();
    let kind = texts.with("explain-kind-cause", &[("checks", checks.join(", ").into())]);
    add(!checks.is_empty(), kind, Word::Cause);
    words
}
