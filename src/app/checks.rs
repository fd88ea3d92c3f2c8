//! `tieout checks`: lists every check, or explains one of them or another word that reports use.

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

/// Width of an explanation, in columns of a terminal.
const COLUMNS: usize = 110;

/// Lists the checks; with a code, explains that check, or that cause, bucket, verdict or severity.
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
    let severities = CATALOGUE.map(|check| texts.word(Word::SeverityName, check.severity.code()));
    let code_width = CATALOGUE.iter().map(|check| check.code.len()).max().unwrap_or_default();
    let severity_width = severities.iter().map(|severity| severity.width()).max().unwrap_or_default();
    CATALOGUE.iter().zip(severities).try_for_each(|(check, severity)| {
        let (code, severity) = (padded(check.code, code_width), padded(&severity, severity_width));
        writeln!(out, "{code}  {severity}  {}", texts.word(Word::CheckHolds, check.code))
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

/// Explains a check, one part per label.
fn explain(check: &Check, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let (texts, code) = (voice.texts, check.code);
    let severity = texts.word(Word::SeverityName, check.severity.code());
    let heading = texts.with("explain-heading", &[("word", code.into()), ("kind", severity.into())]);
    writeln!(out, "{}", voice.bold(&heading))?;
    let mut parts = vec![
        Part::new(texts.get("explain-holds"), texts.word(Word::CheckHolds, code)),
        Part::new(texts.get("explain-due"), texts.word(Word::CheckDue, code)),
        Part::new(texts.get("explain-example"), texts.word(Word::CheckExample, code)),
        Part::new(texts.get("explain-remedy"), texts.word(Word::CheckRemedy, code)),
        Part::new(texts.get("explain-weighs"), texts.word(Word::Severity, check.severity.code())),
    ];
    let causes = Cause::of_check(code);
    let longest = causes.iter().map(|cause| cause.code().len()).max().unwrap_or_default();
    let mut label = texts.get("explain-causes");
    for cause in causes.iter().map(|cause| cause.code()) {
        let head = format!("{cause:longest$}  ");
        parts.push(Part { label: mem::take(&mut label), head, text: texts.word(Word::Cause, cause) });
    }
    parts.push(Part::new(texts.get("explain-change"), change(check, texts)));
    let width = parts.iter().map(|part| part.label.width()).max().unwrap_or_default();
    parts.iter().try_for_each(|part| part.show(width, out))
}

/// How to change a check in the settings file, with lines to copy.
fn change(check: &Check, texts: Texts) -> String {
    if check.code == IDENTITY_MISMATCH {
        return texts.get("explain-never-changed");
    }
    let other = match check.severity {
        Severity::Error => Severity::Warning,
        Severity::Warning => Severity::Error,
    };
    let mut text = format!("{}\n[checks]\n{} = \"{}\"", texts.get("explain-changed-so"), check.code, other.code());
    if let Some(cause) = Cause::of_check(check.code).first() {
        text.push_str(&format!("\n\"{}.{}\" = \"{}\"", check.code, cause.code(), other.code()));
    }
    text
}

/// One labelled part of the explanation of a check.
struct Part {
    label: String,
    /// Text between the label and the first line; further lines are indented past it.
    head: String,
    text: String,
}

impl Part {
    fn new(label: String, text: String) -> Self {
        Self { label, head: String::new(), text }
    }

    /// Prints the part beside its label, which is padded to `width` columns.
    fn show(&self, width: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut margin = format!("  {}  {}", padded(&self.label, width), self.head);
        let columns = margin.width();
        for line in wrapped(&self.text, COLUMNS - columns) {
            writeln!(out, "{margin}{line}")?;
            margin = " ".repeat(columns);
        }
        Ok(())
    }
}

/// The explanation of a word of the reports that is not a check.
struct Explanation {
    kind: String,
    text: String,
}

impl Explanation {
    fn show(&self, word: &str, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
        let heading = voice.texts.with("explain-heading", &[("word", word.into()), ("kind", self.kind.clone().into())]);
        writeln!(out, "{}", voice.bold(&heading))?;
        wrapped(&self.text, COLUMNS - 2).iter().try_for_each(|line| writeln!(out, "  {line}"))
    }
}

/// The meanings of a word of the reports, several where it is, say, both a bucket and a verdict.
fn words(code: &str, texts: Texts) -> Vec<Explanation> {
    let mut words = Vec::new();
    let mut add = |is_one: bool, kind: String, word: Word| {
        if is_one {
            words.push(Explanation { kind, text: texts.word(word, code) });
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
