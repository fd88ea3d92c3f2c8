//! The top of the page: the verdict, its reason, the key figures, and the rows by bucket.

use super::chart::percent;
use super::grid::Grid;
use crate::domain::finding::Severity;
use crate::domain::outcome::Bucket;
use crate::language::{Texts, Word};
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::wording::{self, grouped};
use crate::summary::{ExitInputs, Verdict};

/// The smallest share of the bar, in ten thousandths, for a bucket that has any rows: enough to be visible.
const MIN_SHARE: u64 = 40;
/// The length of the bar, in ten thousandths.
const WHOLE: u64 = 10_000;

/// The tone of a verdict or a bucket. It sets the colour, and a word always stands beside the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Everything ties out.
    Good,
    /// Needs review.
    Bad,
    /// Worth knowing.
    Warn,
    /// Not settled yet.
    Wait,
}

impl Tone {
    /// Its class in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Wait => "wait",
        }
    }

    const fn of(bucket: Bucket) -> Self {
        match bucket {
            Bucket::Reconciled => Self::Good,
            Bucket::Pending => Self::Wait,
            Bucket::Waived | Bucket::Duplicate => Self::Warn,
            Bucket::Discrepant
            | Bucket::NotFound
            | Bucket::Refused
            | Bucket::Malformed
            | Bucket::Unfetched
            | Bucket::Rejected => Self::Bad,
        }
    }
}

/// The verdict, its reason and the key figures.
pub(super) struct Opening {
    pub(super) tone: Tone,
    pub(super) verdict: String,
    pub(super) why: String,
    /// The key figures below the verdict.
    pub(super) key_figures: Vec<KeyFigure>,
    /// Sentences below the key figures: how the input was read, the lifecycle of findings, reused orders.
    pub(super) notes: Vec<String>,
}

/// One key figure.
pub(super) struct KeyFigure {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) note: String,
}

impl Opening {
    pub(super) fn of(
        summary: &SummaryJson,
        exit_inputs: &ExitInputs,
        discrepancies: &Grid,
        exceptions: &Grid,
        texts: Texts,
    ) -> Self {
        let population = &summary.population;
        let key = |name: &str, value: u64, note: String| KeyFigure {
            label: texts.get(&format!("report-key-{name}")),
            value: grouped(value),
            note,
        };
        let note = |name: &str| texts.get(&format!("report-key-{name}-note"));
        // Not counted from the grid, which holds only as many rows as a browser can handle.
        let of = |severity| grouped(summary.severities.get(&severity).copied().unwrap_or_default());
        let mut key_figures = vec![
            key("rows", population.rows(), note("rows")),
            key(
                "findings",
                discrepancies.rows,
                texts.with(
                    "report-key-findings-note",
                    &[("errors", of(Severity::Error).into()), ("warnings", of(Severity::Warning).into())],
                ),
            ),
            key("pending", population.of(Bucket::Pending), note("pending")),
            key("exceptions", exceptions.rows, note("exceptions")),
        ];
        if let (Some(material), Some(from)) = (summary.material, summary.settings.material) {
            let note = texts.with("report-key-material-note", &[("amount", from.to_string().into())]);
            key_figures.insert(2, key("material", material, note));
        }
        let verdict = texts.word(Word::VerdictName, exit_inputs.verdict.code());
        Self {
            tone: tone(exit_inputs.verdict),
            verdict,
            why: wording::verdict(summary, exit_inputs, texts),
            key_figures,
            notes: notes(summary, texts),
        }
    }
}

pub(super) const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Incomplete | Verdict::Discrepant => Tone::Bad,
        Verdict::Warnings => Tone::Warn,
        Verdict::Pending => Tone::Wait,
        Verdict::Reconciled | Verdict::Empty => Tone::Good,
    }
}

/// How the input was read, then the lifecycle of findings and the number of reused orders.
fn notes(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    let lifecycle = summary.lifecycle.unwrap_or_default();
    let mut notes = wording::input(summary, texts);
    if lifecycle.persisting + lifecycle.resolved + lifecycle.not_assessed > 0 {
        let counts = [lifecycle.new, lifecycle.persisting, lifecycle.resolved];
        let [new, persisting, resolved] = counts.map(|count| grouped(count).into());
        notes.push(texts.with("report-lifecycle", &[("new", new), ("persisting", persisting), ("resolved", resolved)]));
    }
    let sentences = [("report-not-assessed", lifecycle.not_assessed), ("report-reused", summary.reused)];
    for (id, count) in sentences.into_iter().filter(|(_, count)| *count > 0) {
        notes.push(texts.with(id, &[("count", grouped(count).into())]));
    }
    notes
}

/// The rows by bucket.
pub(super) struct PopulationView {
    pub(super) segments: Vec<Segment>,
    pub(super) buckets: Vec<BucketView>,
    pub(super) sum: String,
    pub(super) read: String,
    /// What the rows were read from.
    pub(super) from: String,
    pub(super) note: String,
    /// Whether the sum equals the rows read. It always does: otherwise no report is written.
    pub(super) is_equal: bool,
}

/// One bucket's part of the bar.
pub(super) struct Segment {
    pub(super) tone: Tone,
    pub(super) from: String,
    pub(super) extent: String,
    pub(super) title: String,
}

/// One bucket's row in the table below the bar.
pub(super) struct BucketView {
    pub(super) tone: Tone,
    pub(super) label: String,
    pub(super) code: &'static str,
    pub(super) means: String,
    pub(super) count: String,
    pub(super) is_empty: bool,
}

impl PopulationView {
    pub(super) fn of(summary: &SummaryJson, rows_read: u64, texts: Texts) -> Self {
        let population = &summary.population;
        let label = |bucket: Bucket| texts.word(Word::BucketName, bucket.code());
        let buckets = population.buckets().map(|(bucket, count)| BucketView {
            tone: Tone::of(bucket),
            label: label(bucket),
            code: bucket.code(),
            means: texts.word(Word::Bucket, bucket.code()),
            count: grouped(count),
            is_empty: count == 0,
        });
        let filled: Vec<(Bucket, u64)> = population.buckets().filter(|(_, count)| *count > 0).collect();
        let mut from = 0;
        let segments = filled.iter().zip(bar_shares(&filled, population.rows())).map(|((bucket, count), extent)| {
            let title = format!("{}: {}", label(*bucket), grouped(*count));
            let part = [from, extent].map(|share| percent(share.into()));
            from += extent;
            let [from, extent] = part;
            Segment { tone: Tone::of(*bucket), from, extent, title }
        });
        Self {
            segments: segments.collect(),
            buckets: buckets.collect(),
            sum: grouped(population.rows()),
            read: grouped(rows_read),
            from: match &summary.dataset {
                Some(_) => texts.get("report-dataset-read"),
                None => texts.get("report-population-read"),
            },
            note: match &summary.dataset {
                Some(_) => texts.get("report-dataset-population"),
                None => texts.get("report-population-note"),
            },
            is_equal: population.rows() == rows_read,
        }
    }
}

/// The share of the bar for each bucket, in ten thousandths: [`MIN_SHARE`], plus the rest of the bar in
/// proportion to its rows.
fn bar_shares(filled: &[(Bucket, u64)], rows: u64) -> Vec<u64> {
    let shared = WHOLE.saturating_sub(MIN_SHARE * filled.len() as u64);
    let part = |count: u64| u128::from(shared) * u128::from(count) / u128::from(rows.max(1));
    filled.iter().map(|(_, count)| MIN_SHARE + u64::try_from(part(*count)).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_and_a_single_row_is_visible() {
        let rows = 10_000_000;
        let filled = [(Bucket::Reconciled, rows - 1), (Bucket::Discrepant, 1)];
        assert_eq!(bar_shares(&filled, rows), [40 + 9_919, 40]);
        assert_eq!(bar_shares(&[(Bucket::Pending, 3)], 3), [10_000]);
        assert!(bar_shares(&[], 0).is_empty());
    }
}
