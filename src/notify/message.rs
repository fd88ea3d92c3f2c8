//! What a message says, in words and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::event::{Errors, Event, Night, Told};
use crate::domain::money::Sum;
use crate::domain::visible::visible;
use crate::language::{Texts, Word};
use crate::summary::Verdict;

/// How many new errors a message names.
const NAMED: usize = 5;
/// The most characters of a failure's error.
const MAX_ERROR: usize = 2_000;
/// The version of the JSON. A key is never removed or given another meaning within a version.
const VERSION: u8 = 1;

/// What messages say about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name of the input.
    pub input: String,
    /// The label of the account.
    pub account: Option<String>,
    /// The exit code of the job.
    pub exit_code: u8,
    /// How it ended.
    pub end: End,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a report.
    Report(ReportFacts),
    /// Without one, for this reason. It holds no secret.
    Failure(String),
    /// It is a trial: there was no job.
    Trial,
}

/// What messages say about a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFacts {
    /// The verdict.
    pub verdict: Verdict,
    /// The time to which ages are counted.
    pub as_of: String,
    /// How many rows the input has.
    pub rows: u64,
    /// How many orders are not settled.
    pub pending: u64,
    /// The discrepancies of severity error that are not waived: the first of them, at most [`Errors::MOST`].
    pub errors: Vec<ErrorFact>,
    /// How many there are.
    pub error_count: u64,
    /// The differences of those errors by currency and check, without their signs.
    pub differences: BTreeMap<String, BTreeMap<&'static str, Sum>>,
    /// Where the report is.
    pub folder: PathBuf,
}

/// One discrepancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFact {
    /// Its ID, as a number.
    pub id: u64,
    /// Its order.
    pub run_order_id: String,
    /// The check that failed.
    pub check: &'static str,
    /// By how much.
    pub difference: Option<Sum>,
    /// In which currency.
    pub currency: String,
}

impl End {
    /// An end without a report, for this reason, which holds no secret.
    #[must_use]
    pub fn failure(reason: &str) -> Self {
        Self::Failure(cut(reason, MAX_ERROR, |_| 1, "…"))
    }
}

impl ReportFacts {
    /// The most currencies whose differences are told. Honest reports have a few.
    pub const MAX_CURRENCIES: usize = 20;
}

impl Facts {
    /// How the night ended, for [`Told::events`].
    #[must_use]
    pub fn night(&self) -> Night {
        let report = match &self.end {
            End::Report(report) => {
                let errors = match report.error_count > Errors::MOST {
                    true => Errors::Counted(report.error_count),
                    false => Errors::of(report.errors.iter().map(|error| error.id).collect::<BTreeSet<_>>()),
                };
                Some((report.verdict, errors))
            }
            End::Failure(_) | End::Trial => None,
        };
        Night { exit_code: self.exit_code, report }
    }

    /// The message about an event to a target that was told something before.
    #[must_use]
    pub fn message(&self, event: Event, told: &Told, texts: Texts) -> Message {
        let (mut new_count, mut new): (u64, Vec<&ErrorFact>) = (0, Vec::new());
        if let (End::Report(report), Some((_, errors))) = (&self.end, &self.night().report) {
            new_count = errors.new_since(&told.errors);
            new = report.errors.iter().filter(|error| told.errors.lacks(error.id)).take(NAMED).collect();
        }
        let text = self.text(event, new_count, &new, texts);
        Message { json: self.json(event, new_count, &new, &text), text }
    }

    fn text(&self, event: Event, new_count: u64, new: &[&ErrorFact], texts: Texts) -> String {
        let mut lines = vec![self.title(event, texts), texts.with("notify-input", &[("input", name(&self.input))])];
        if let Some(account) = &self.account {
            lines.push(texts.with("notify-account", &[("account", name(account))]));
        }
        lines.push(texts.with("notify-exit-code", &[("code", u64::from(self.exit_code).into())]));
        match &self.end {
            End::Report(report) => report.lines(new_count, new, texts, &mut lines),
            End::Failure(problem) => lines.extend(problem.lines().map(|line| visible(line).into_owned())),
            // It names no job.
            End::Trial => lines.truncate(1),
        }
        lines.join("\n")
    }

    fn title(&self, event: Event, texts: Texts) -> String {
        let verdict = match &self.end {
            End::Report(report) => texts.word(Word::VerdictName, report.verdict.code()),
            End::Failure(_) | End::Trial => String::new(),
        };
        match event {
            Event::Worse => texts.with("notify-worse", &[("verdict", verdict.into())]),
            Event::Recovered => texts.with("notify-recovered", &[("verdict", verdict.into())]),
            Event::Incomplete => texts.get("notify-incomplete"),
            Event::Failed => texts.get("notify-failed"),
            Event::Test => texts.get("notify-test"),
        }
    }

    fn json(&self, event: Event, new_count: u64, new: &[&ErrorFact], text: &str) -> Value {
        let mut json = json!({ "version": VERSION, "event": event.code(), "text": text });
        let job = json!({ "input": self.input, "account": self.account, "exit_code": self.exit_code });
        let more = match &self.end {
            End::Report(report) => vec![job, report.json(new_count, new)],
            End::Failure(problem) => vec![job, json!({ "error": problem })],
            End::Trial => Vec::new(),
        };
        for more in more {
            if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
                json.extend(more);
            }
        }
        json
    }
}

impl ReportFacts {
    fn lines(&self, new_count: u64, new: &[&ErrorFact], texts: Texts, lines: &mut Vec<String>) {
        lines.push(texts.with("notify-as-of", &[("time", self.as_of.as_str().into())]));
        let (errors, pending) = (self.error_count.into(), self.pending.into());
        lines.push(texts.with("notify-rows", &[("rows", self.rows.into()), ("errors", errors), ("pending", pending)]));
        if new_count > 0 {
            lines.push(texts.with("notify-new", &[("count", new_count.into())]));
            lines.extend(new.iter().map(|error| error.line()));
            let more = new_count.saturating_sub(new.len() as u64);
            if more > 0 && !new.is_empty() {
                lines.push(texts.with("notify-more", &[("count", more.into())]));
            }
        }
        if !self.differences.is_empty() {
            lines.push(texts.get("notify-differences"));
        }
        for (currency, by_check) in &self.differences {
            let currency = if currency.is_empty() { texts.get("notify-no-currency") } else { currency.clone() };
            let mut line = format!("  {}", visible(&currency));
            for (check, sum) in by_check {
                // Writing to a `String` never fails.
                _ = write!(line, "  {check} {sum}");
            }
            lines.push(line);
        }
        let folder = self.folder.display().to_string();
        lines.push(texts.with("notify-report", &[("folder", name(&folder))]));
    }

    fn json(&self, new_count: u64, new: &[&ErrorFact]) -> Value {
        let new: Vec<Value> = new.iter().map(|error| error.json()).collect();
        json!({
            "verdict": self.verdict.code(),
            "as_of": self.as_of,
            "rows": self.rows,
            "pending": self.pending,
            "errors": self.error_count,
            "new_errors": new_count,
            "first_new_errors": new,
            "differences": self.differences,
            "report": self.folder.display().to_string(),
        })
    }
}

impl ErrorFact {
    fn line(&self) -> String {
        let mut line = format!("  {}  {}", self.check, self.run_order_id);
        if let Some(difference) = self.difference {
            _ = write!(line, "  {difference} {}", self.currency);
        }
        visible(line.trim_end()).into_owned()
    }

    fn json(&self) -> Value {
        json!({
            "discrepancy_id": format!("{:016x}", self.id),
            "run_order_id": self.run_order_id,
            "check": self.check,
            "difference": self.difference,
            "currency": Some(&self.currency).filter(|currency| !currency.is_empty()),
        })
    }
}

/// A text from outside as the variable of a message.
fn name(text: &str) -> crate::language::Value<'_> {
    visible(text).into()
}

/// A message, ready for any target.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
}

/// The text, cut to a number of units, each character counting as `width` says. A cut text ends with `mark`.
#[must_use]
pub(super) fn cut(text: &str, most: usize, width: fn(char) -> usize, mark: &str) -> String {
    if text.chars().map(width).sum::<usize>() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(mark.chars().map(width).sum());
    let mut used = 0;
    let kept = text.chars().take_while(|char| {
        used += width(*char);
        used <= room
    });
    kept.collect::<String>() + mark
}

#[cfg(test)]
mod tests;
