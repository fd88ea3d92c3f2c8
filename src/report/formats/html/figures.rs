//! The figures of the page outside its lists: control totals, bridge, failed checks and causes, unsettled
//! orders by age.

use std::collections::BTreeMap;

use crate::domain::money::Sum;
use crate::domain::order::Amounts;
use crate::language::{Texts, Word};
use crate::report::content::summary_json::{ControlTotals, SummaryJson};
use crate::report::content::wording::{currency_name, grouped};
use crate::summary::{AgeBucket, CheckCount, Differences, NetAndGross};

/// The control totals, with one column per currency.
pub(super) struct Totals {
    pub(super) currencies: Vec<String>,
    pub(super) groups: Vec<Group>,
}

/// Rows of control totals under one heading.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// One control total in every currency.
pub(super) struct Row {
    pub(super) label: String,
    /// The name of the amount, if it is one of the six; else empty.
    pub(super) code: &'static str,
    pub(super) figures: Vec<Figure>,
}

/// One figure as it is shown.
pub(super) struct Figure {
    pub(super) text: String,
    pub(super) is_zero: bool,
}

impl From<Sum> for Figure {
    fn from(sum: Sum) -> Self {
        Self { text: sum.to_string(), is_zero: sum.is_zero() }
    }
}

impl From<u64> for Figure {
    fn from(count: u64) -> Self {
        Self { text: grouped(count), is_zero: count == 0 }
    }
}

impl Totals {
    pub(super) fn of(summary: &SummaryJson, texts: Texts) -> Self {
        let by_currency = &summary.control_totals;
        let rows = Rows { by_currency, texts };
        let group = |id: &str, rows: Vec<Row>| Group { title: texts.get(id), rows };
        let rounded = |totals: &ControlTotals| totals.passed_by_rounding.unwrap_or_default();
        let rounded = by_currency.values().any(|totals| totals.passed_by_rounding.is_some()).then(|| {
            let figures =
                rows.count_and_differences("report-tolerated-passes", &|totals| rounded(totals).passes, &|totals| {
                    rounded(totals).difference
                });
            group("report-rounded", figures)
        });
        Self {
            currencies: by_currency.keys().map(|currency| currency_name(currency, texts)).collect(),
            groups: [
                group("report-amounts", rows.amounts()),
                group("report-quote-split", rows.identity(&|totals| totals.differences.quote_split)),
                group("report-cost-sum", rows.identity(&|totals| totals.differences.cost_sum)),
                group(
                    "report-tolerated",
                    rows.count_and_differences(
                        "report-tolerated-passes",
                        &|totals| totals.passed_by_tolerance.passes,
                        &|totals| totals.passed_by_tolerance.difference,
                    ),
                ),
                group(
                    "report-waived",
                    rows.count_and_differences("report-waived-findings", &|totals| totals.waived.findings, &|totals| {
                        totals.waived.difference
                    }),
                ),
                group("report-frozen", rows.frozen()),
            ]
            .into_iter()
            .chain(rounded)
            .collect(),
        }
    }
}

/// Reads one value from the control totals of a currency.
type Getter<'f, T> = &'f dyn Fn(&ControlTotals) -> T;

/// Makes the rows of the control totals.
struct Rows<'a> {
    by_currency: &'a BTreeMap<String, ControlTotals>,
    texts: Texts,
}

impl Rows<'_> {
    fn row(&self, id: &str, figure: Getter<'_, Figure>) -> Row {
        Row { label: self.texts.get(id), code: "", figures: self.by_currency.values().map(figure).collect() }
    }

    fn amounts(&self) -> Vec<Row> {
        let row = |code: &'static str| {
            let figure = |totals: &ControlTotals| totals.amounts.get(code).copied().unwrap_or_default().into();
            Row { code, ..self.row(&format!("report-column-{code}"), &figure) }
        };
        Amounts::NAMES.map(row).into()
    }

    fn net_and_gross(&self, get: Getter<'_, NetAndGross>) -> [Row; 2] {
        [
            self.row("report-net-difference", &|totals| get(totals).net.into()),
            self.row("report-gross-difference", &|totals| get(totals).gross.into()),
        ]
    }

    fn identity(&self, get: Getter<'_, Differences>) -> Vec<Row> {
        let [net, gross] = self.net_and_gross(&|totals| get(totals).difference);
        vec![net, gross, self.row("report-lacking-orders", &|totals| get(totals).lacking.orders.into())]
    }

    fn count_and_differences(&self, id: &str, count: Getter<'_, u64>, difference: Getter<'_, NetAndGross>) -> Vec<Row> {
        let [net, gross] = self.net_and_gross(difference);
        vec![self.row(id, &|totals| count(totals).into()), net, gross]
    }

    /// The money still frozen: the totals, every age bucket in use, and what is stale soon.
    fn frozen(&self) -> Vec<Row> {
        let mut rows = vec![
            self.row("report-frozen-orders", &|totals| totals.frozen.total.orders.into()),
            self.row("report-frozen-quotes", &|totals| totals.frozen.total.quote_amount.into()),
        ];
        for age in ages(self.by_currency) {
            let quotes =
                |totals: &ControlTotals| totals.frozen.by_age.get(&age).copied().unwrap_or_default().quote_amount;
            let word = self.texts.get(&format!("report-age-{}", age.code()));
            let label = self.texts.with("report-frozen-age", &[("age", word.into())]);
            rows.push(Row { label, ..self.row("", &|totals| quotes(totals).into()) });
        }
        if self.by_currency.values().any(|totals| totals.frozen.stale_soon.is_some()) {
            rows.push(self.row("report-frozen-stale-soon", &|totals| {
                totals.frozen.stale_soon.unwrap_or_default().quote_amount.into()
            }));
        }
        rows
    }
}

/// The age buckets in which any currency has orders, youngest first.
fn ages(by_currency: &BTreeMap<String, ControlTotals>) -> Vec<AgeBucket> {
    let mut ages: Vec<AgeBucket> =
        by_currency.values().flat_map(|totals| totals.frozen.by_age.keys().copied()).collect();
    ages.sort_unstable();
    ages.dedup();
    ages
}

/// The unsettled orders of one currency in one age bucket.
pub(super) struct Age {
    pub(super) label: String,
    pub(super) currency: String,
    pub(super) orders: String,
    pub(super) quotes: String,
}

/// The unsettled orders by currency and age bucket.
pub(super) fn frozen_by_age(summary: &SummaryJson, texts: Texts) -> Vec<Age> {
    let rows = summary.control_totals.iter().flat_map(|(currency, totals)| {
        totals.frozen.by_age.iter().map(|(age, band)| Age {
            label: texts.get(&format!("report-age-{}", age.code())),
            currency: currency_name(currency, texts),
            orders: grouped(band.orders),
            quotes: band.quote_amount.to_string(),
        })
    });
    rows.collect()
}

/// One line of the bridge. Its figures are the whole, the parts, the differences, lacking amounts, and the
/// residual.
pub(super) struct BridgeRow {
    pub(super) currency: String,
    pub(super) identity: String,
    pub(super) figures: Vec<Figure>,
}

/// Both lines of the bridge in every currency.
pub(super) fn bridge(summary: &SummaryJson, texts: Texts) -> Vec<BridgeRow> {
    let rows = summary.control_totals.iter().flat_map(|(currency, totals)| {
        let lines = [
            ("report-bridge-quote-split", totals.bridge.quote_split),
            ("report-bridge-cost-sum", totals.bridge.cost_sum),
        ];
        lines.map(|(id, line)| BridgeRow {
            currency: currency_name(currency, texts),
            identity: texts.get(id),
            figures: [line.whole, line.parts, line.differences, line.lacking, line.residual].map(Figure::from).into(),
        })
    });
    rows.collect()
}

/// The findings of one check, or of one of its causes.
pub(super) struct CauseRow {
    pub(super) check: String,
    /// The cause; empty in the row that covers the whole check.
    pub(super) cause: String,
    pub(super) means: String,
    pub(super) severity: &'static str,
    pub(super) severity_word: String,
    pub(super) orders: String,
    /// Currency, net and gross difference, one line per currency; at least one line, possibly blank.
    pub(super) lines: Vec<[String; 3]>,
}

/// One row per failed check, errors first, each followed by one row per cause.
pub(super) fn causes(summary: &SummaryJson, texts: Texts) -> Vec<CauseRow> {
    let mut rows = Vec::new();
    let mut checks: Vec<_> = summary.checks.iter().collect();
    checks.sort_by_key(|(_, count)| count.severity);
    for (check, count) in checks {
        let means = texts.word(Word::CheckHolds, check);
        rows.push(cause_row(check, "", means, count, texts));
        let causes = summary.causes.iter().filter_map(|(key, count)| {
            let (of, cause) = key.split_once('.')?;
            (of == *check).then_some((cause, count))
        });
        for (cause, count) in causes {
            rows.push(cause_row(check, cause, texts.get(&format!("report-cause-{cause}")), count, texts));
        }
    }
    rows
}

fn cause_row(check: &str, cause: &str, means: String, count: &CheckCount, texts: Texts) -> CauseRow {
    let line = |(currency, difference): (&String, &NetAndGross)| {
        [currency_name(currency, texts), difference.net.to_string(), difference.gross.to_string()]
    };
    let mut lines: Vec<[String; 3]> = count.differences.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Default::default());
    }
    CauseRow {
        check: check.to_owned(),
        cause: cause.to_owned(),
        means,
        severity: count.severity.code(),
        severity_word: texts.word(Word::SeverityName, count.severity.code()),
        orders: grouped(count.orders),
        lines,
    }
}
