//! What the report is held against from outside: control totals that were given, our own books, the provider's own list.

use super::embed::visible;
use super::figures::Figure;
use super::{currency_name, grouped};
use crate::language::Texts;
use crate::report::summary_json::{CompletenessCounts, SummaryJson};
use crate::summary::Tie;

/// A control total that was given.
pub(super) struct TieRow {
    pub(super) label: String,
    pub(super) currency: String,
    /// Given, summed and the difference; empty where there is no telling.
    pub(super) figures: [String; 3],
    pub(super) holds: bool,
    pub(super) word: String,
}

/// The control totals that were given, with what the sums come to.
pub(super) fn ties(summary: &SummaryJson, texts: Texts) -> Vec<TieRow> {
    let row = |tie: &Tie| TieRow {
        label: texts.get(&format!("report-column-{}", tie.field)),
        currency: match tie.currency.as_deref() {
            Some(currency) => currency_name(currency, texts),
            None => texts.get("report-tie-which"),
        },
        figures: [Some(tie.expected), tie.actual, tie.difference]
            .map(|figure| figure.map(|figure| figure.to_string()).unwrap_or_default()),
        holds: tie.holds(),
        word: if tie.holds() { texts.get("report-tie-holds") } else { texts.get("report-tie-fails") },
    };
    summary.ties.iter().map(row).collect()
}

/// One amount of our own books.
pub(super) struct BookRow {
    pub(super) label: String,
    pub(super) currency: String,
    /// Ours, the provider's and the difference.
    pub(super) figures: [Figure; 3],
    pub(super) without: Figure,
}

/// Our own books beside the provider's, by currency and amount.
pub(super) fn books(summary: &SummaryJson, texts: Texts) -> Vec<BookRow> {
    let rows = summary.control_totals.iter().flat_map(|(currency, totals)| {
        totals.books.iter().map(|(field, books)| BookRow {
            label: texts.get(&format!("report-column-{field}")),
            currency: currency_name(currency, texts),
            figures: [books.ours, books.provider, books.difference].map(Figure::from),
            without: books.without_amount.into(),
        })
    });
    rows.collect()
}

/// What the provider's own list says of the input, a sentence each; nothing where it was not walked.
pub(super) fn completeness(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    let Some(CompletenessCounts { listed, unlisted, counted, missing, problem }) = &summary.completeness else {
        return Vec::new();
    };
    if let Some(problem) = problem {
        return vec![texts.with("report-list-not-had", &[("problem", visible(problem).into_owned().into())])];
    }
    let [listed, unlisted] = [*listed, *unlisted].map(|count| grouped(count).into());
    let mut said = vec![texts.with("report-listed", &[("listed", listed), ("unlisted", unlisted)])];
    match (missing, counted) {
        (Some(0), _) => {}
        (Some(missing), Some(counted)) => {
            let [missing, counted] = [*missing, *counted].map(|count| grouped(count).into());
            said.push(texts.with("report-list-missing", &[("counted", counted), ("missing", missing)]));
        }
        _ => said.push(texts.get("report-list-uncounted")),
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::tests::empty_summary;
    use super::*;
    use crate::domain::money::Sum;
    use crate::language::Language;

    const ENGLISH: Language = Language::English;

    #[test]
    fn a_total_ties_out_or_not_or_is_of_no_currency() {
        let sum = |units| Sum::from_units(units).expect("38 digits");
        let tie = |currency: Option<&str>, actual: Option<i128>| Tie {
            field: "final_amount",
            currency: currency.map(str::to_owned),
            expected: sum(100),
            actual: actual.map(sum),
            difference: actual.map(|units| sum(units - 100)),
        };
        let given = vec![tie(Some("CNY"), Some(100)), tie(Some("CNY"), Some(99)), tie(None, None)];
        let rows = ties(&SummaryJson { ties: given, ..empty_summary() }, Texts::new(ENGLISH));
        let shown: Vec<_> =
            rows.iter().map(|row| (&*row.currency, row.figures.each_ref().map(|text| &**text), row.holds)).collect();
        let expected = [
            ("CNY", ["0.00000100", "0.00000100", "0.00000000"], true),
            ("CNY", ["0.00000100", "0.00000099", "-0.00000001"], false),
            ("which one?", ["0.00000100", "", ""], false),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_the_list_leaves_open_is_said() {
        let said = |missing, counted, problem: Option<&str>| {
            let counts = CompletenessCounts {
                listed: 1_200,
                unlisted: 3,
                counted,
                missing,
                problem: problem.map(str::to_owned),
            };
            completeness(&SummaryJson { completeness: Some(counts), ..empty_summary() }, Texts::new(ENGLISH))
        };
        let whole = said(Some(0), Some(1_200), None);
        assert!(whole.len() == 1 && whole[0].contains("1,200") && whole[0].contains("lacks 3"), "{whole:?}");
        assert!(said(Some(7), Some(1_207), None)[1].contains("1,207"));
        assert_eq!(said(None, None, None).len(), 2);
        assert_eq!(said(None, None, Some("no <list>")).len(), 1);
        assert!(completeness(&empty_summary(), Texts::new(ENGLISH)).is_empty());
    }
}
