//! Figures from outside that the report is compared with: given control totals, and our own books.

use super::figures::Figure;
use crate::language::Texts;
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::wording::{currency_name, tie_currency, tie_result};
use crate::summary::Tie;

/// One given control total.
pub(super) struct TieRow {
    pub(super) label: String,
    pub(super) currency: String,
    /// The given figure, our figure and the difference; the last two are empty where the currency is
    /// ambiguous.
    pub(super) figures: [String; 3],
    pub(super) holds: bool,
    pub(super) result: String,
}

/// The given control totals, each beside our figure.
pub(super) fn ties(summary: &SummaryJson, texts: Texts) -> Vec<TieRow> {
    let row = |tie: &Tie| TieRow {
        label: texts.get(&format!("report-column-{}", tie.field)),
        currency: tie_currency(tie, texts),
        figures: [Some(tie.expected), tie.actual, tie.difference]
            .map(|figure| figure.map(|figure| figure.to_string()).unwrap_or_default()),
        holds: tie.holds(),
        result: tie_result(tie, texts),
    };
    summary.ties.iter().map(row).collect()
}

/// The totals of one amount in our own books and in the provider's.
pub(super) struct BookRow {
    pub(super) label: String,
    pub(super) currency: String,
    /// Our total, the provider's total and the difference.
    pub(super) figures: [Figure; 3],
    /// The number of our rows without a readable amount.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Sum;
    use crate::language::Language;
    use crate::summary::TieFigure;

    const ENGLISH: Language = Language::English;

    #[test]
    fn a_total_ties_out_or_does_not_or_has_no_clear_currency() {
        let sum = |units| Sum::from_units(units).expect("38 digits");
        let tie = |currency: Option<&str>, actual: Option<i128>| Tie {
            field: "final_amount",
            currency: currency.map(str::to_owned),
            expected: TieFigure::Sum(sum(100)),
            actual: actual.map(|units| TieFigure::Sum(sum(units))),
            difference: actual.map(|units| TieFigure::Sum(sum(units - 100))),
            passed_by_rounding: false,
        };
        let given = vec![tie(Some("CNY"), Some(100)), tie(Some("CNY"), Some(99)), tie(None, None)];
        let rows = ties(&SummaryJson { ties: given, ..SummaryJson::empty() }, Texts::new(ENGLISH));
        let shown: Vec<_> =
            rows.iter().map(|row| (&*row.currency, row.figures.each_ref().map(|text| &**text), row.holds)).collect();
        let expected = [
            ("CNY", ["0.00000100", "0.00000100", "0.00000000"], true),
            ("CNY", ["0.00000100", "0.00000099", "-0.00000001"], false),
            ("which currency?", ["0.00000100", "", ""], false),
        ];
        assert_eq!(shown, expected);
    }
}
