//! What the page over all nights of a reports folder says: a row per report, newest first, and what stands out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::largest::SpendFigure;
use crate::domain::days::Zone;
use crate::domain::finding::Severity;
use crate::domain::money::{Overflow, Sum};
use crate::domain::month::Month;
use crate::summary::{NetAndGross, Verdict};

/// How a report folder is named by default, by its `as_of`.
const FOLDER_NAME: &str = "%Y%m%dT%H%M%SZ";

/// A report of a reports folder.
#[derive(Clone, Debug)]
pub struct NightRow {
    /// The name of its folder.
    pub name: String,
    /// The address of its page, or of its folder if it has no page, relative to the reports folder.
    pub link: String,
    /// What its manifest says; `None` where that can't be read.
    pub facts: Option<NightFacts>,
    /// What its summary says, or why that can't be believed.
    pub figures: Result<NightFigures, String>,
}

/// What the manifest of a report says about it.
#[derive(Clone, Debug)]
pub struct NightFacts {
    /// The moment at which ages are measured.
    pub as_of: Timestamp,
    /// When the report was complete.
    pub finished_at: Timestamp,
    /// The time zone in which the report counts days.
    pub zone: Zone,
    /// Whose orders these are: the provider's base URL, or `sandbox`.
    pub base_url: String,
    /// The label of the account, if it has one.
    pub account: Option<String>,
    /// Whether it is a night's report, or one by `tieout audit`.
    pub kind: NightKind,
}

/// What made a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NightKind {
    /// A job that fetched orders.
    Night,
    /// An audit, which fetches nothing.
    Audit,
    /// The close of a month.
    Close(Month),
}

/// The figures of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightFigures {
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code of the job.
    pub exit_code: u8,
    /// How many rows the input has.
    pub rows: u64,
    /// How many findings are errors.
    pub errors: u64,
    /// How many findings are warnings.
    pub warnings: u64,
    /// The money, by currency; the key is empty for orders without one.
    pub money: BTreeMap<String, NightMoney>,
}

/// The money of a report in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NightMoney {
    /// What settled orders were charged.
    pub spend: Sum,
    /// The absolute differences of the checks that are errors.
    pub discrepant: Sum,
    /// The quotes of unsettled orders.
    pub pending: Sum,
}

/// The fields of `summary.json` that the figures come from.
#[derive(Debug, Deserialize)]
pub struct SummaryFields {
    /// The verdict's code.
    pub verdict: String,
    /// The exit code of the job.
    pub exit_code: u8,
    /// The moment at which ages are measured.
    pub as_of: Timestamp,
    population: Rows,
    findings: BTreeMap<Severity, u64>,
    control_totals: BTreeMap<String, Totals>,
    checks: BTreeMap<String, Check>,
}

#[derive(Debug, Deserialize)]
struct Rows {
    rows: u64,
}

#[derive(Debug, Deserialize)]
struct Totals {
    amounts: Charged,
    frozen: Frozen,
}

#[derive(Debug, Deserialize)]
struct Charged {
    final_amount: Sum,
}

#[derive(Debug, Deserialize)]
struct Frozen {
    quote_amount: Sum,
}

#[derive(Debug, Deserialize)]
struct Check {
    severity: Severity,
    differences: BTreeMap<String, NetAndGross>,
}

impl SummaryFields {
    /// The figures of the night.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn figures(&self) -> Result<NightFigures, String> {
        let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.code() == self.verdict);
        let verdict = verdict.ok_or_else(|| format!("{:?} is not a verdict", self.verdict))?;
        let count = |severity| self.findings.get(&severity).copied().unwrap_or_default();
        Ok(NightFigures {
            verdict,
            exit_code: self.exit_code,
            rows: self.population.rows,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            money: self.money().map_err(|overflow| overflow.to_string())?,
        })
    }

    fn money(&self) -> Result<BTreeMap<String, NightMoney>, Overflow> {
        let mut money = BTreeMap::<String, NightMoney>::new();
        for (currency, totals) in &self.control_totals {
            let entry = money.entry(currency.clone()).or_default();
            entry.spend = totals.amounts.final_amount;
            entry.pending = totals.frozen.quote_amount;
        }
        let errors = self.checks.values().filter(|check| check.severity == Severity::Error);
        for (currency, difference) in errors.flat_map(|check| &check.differences) {
            let entry = money.entry(currency.clone()).or_default();
            entry.discrepant = entry.discrepant.plus(difference.gross)?;
        }
        Ok(money)
    }
}

impl NightRow {
    /// Its `as_of` by its manifest, or else by the name of its folder.
    #[must_use]
    pub fn as_of(&self) -> Option<Timestamp> {
        let by_manifest = self.facts.as_ref().map(|facts| facts.as_of);
        by_manifest.or_else(|| {
            // A second report of the same time has a number after its name.
            let name = self.name.split('-').next().unwrap_or_default();
            let time = DateTime::strptime(FOLDER_NAME, name).ok()?;
            TimeZone::UTC.to_timestamp(time).ok()
        })
    }

    /// Whether its folder has the name that its time gives it.
    #[must_use]
    pub fn has_usual_name(&self) -> bool {
        self.as_of().is_some_and(|time| time.strftime(FOLDER_NAME).to_string() == self.name)
    }

    /// Whether the job ended with exit code 0.
    fn ties_out(&self) -> bool {
        self.figures.as_ref().is_ok_and(|figures| figures.exit_code == 0)
    }

    /// Whether it is a night, or may be one.
    fn is_night(&self) -> bool {
        self.facts.as_ref().is_none_or(|facts| facts.kind == NightKind::Night)
    }
}

/// The reports of a reports folder.
#[derive(Debug)]
pub struct NightList {
    /// All of them, the newest first; those whose time is unknown stand above.
    pub rows: Vec<NightRow>,
}

impl NightList {
    /// Sorts the reports.
    #[must_use]
    pub fn of(mut rows: Vec<NightRow>) -> Self {
        // In descending order a report without a time would come last.
        let key = |row: &NightRow| {
            let as_of = row.as_of();
            (as_of.is_none(), as_of, row.facts.as_ref().map(|facts| facts.finished_at), row.name.clone())
        };
        rows.sort_by_cached_key(|row| Reverse(key(row)));
        Self { rows }
    }

    /// What the newest night says about itself, as far as it can be read.
    #[must_use]
    pub fn newest_facts(&self) -> Option<&NightFacts> {
        self.rows.iter().filter_map(|row| row.facts.as_ref()).find(|facts| facts.kind == NightKind::Night)
    }

    /// The nights, the newest first. A report whose manifest can't be read may be one.
    pub fn nights(&self) -> impl Iterator<Item = &NightRow> {
        self.rows.iter().filter(|row| row.is_night())
    }

    /// The nights about the same orders as the newest one: only their figures can be compared.
    fn series(&self) -> impl Iterator<Item = &NightRow> {
        self.nights().filter(|row| row.facts.as_ref().is_none_or(|facts| self.is_usual(facts)))
    }

    /// Whether a report is about the orders of the newest night.
    #[must_use]
    pub fn is_usual(&self, facts: &NightFacts) -> bool {
        let whose = |facts: &NightFacts| (facts.base_url.clone(), facts.account.clone());
        self.newest_facts().is_none_or(|newest| whose(newest) == whose(facts))
    }

    /// How many of the newest nights in a row ended with exit code 0.
    #[must_use]
    pub fn streak(&self) -> usize {
        self.nights().take_while(|row| row.ties_out()).count()
    }

    /// The newest night that did not end with exit code 0.
    #[must_use]
    pub fn last_to_review(&self) -> Option<&NightRow> {
        self.nights().find(|row| !row.ties_out())
    }

    /// How many reports are damaged.
    #[must_use]
    pub fn damaged(&self) -> usize {
        self.rows.iter().filter(|row| row.figures.is_err()).count()
    }

    /// The newest night of each of the newest `most` days, the newest first. Days are those of the newest night's time zone.
    #[must_use]
    pub fn by_day(&self, most: usize) -> Vec<(Date, &NightRow)> {
        let zone = self.newest_facts().map(|facts| facts.zone.clone()).unwrap_or_default();
        let day = |time: Timestamp| zone.time_zone().to_datetime(time).date();
        let mut seen = BTreeSet::new();
        let days = self.series().filter_map(|row| Some((day(row.as_of()?), row)));
        days.filter(|(day, _)| seen.insert(*day)).take(most).collect()
    }

    /// What was charged on these days, oldest first, in at most `currencies` currencies: those of most days.
    pub(in crate::report) fn spend(days: &[(Date, &NightRow)], currencies: usize) -> Vec<SpendFigure> {
        let figures = days.iter().rev().filter_map(|(day, row)| Some((day, row.figures.as_ref().ok()?)));
        let figures: Vec<SpendFigure> = figures
            .flat_map(|(day, figures)| {
                figures.money.iter().map(|(currency, money)| SpendFigure {
                    currency: currency.clone(),
                    key: day.to_string(),
                    amount: money.spend,
                })
            })
            .collect();
        let mut by_currency = BTreeMap::<&str, usize>::new();
        figures.iter().for_each(|figure| *by_currency.entry(&figure.currency).or_default() += 1);
        let mut most: Vec<(&str, usize)> = by_currency.into_iter().collect();
        most.sort_by_key(|(_, days)| Reverse(*days));
        let shown: BTreeSet<String> =
            most.into_iter().take(currencies).map(|(currency, _)| currency.to_owned()).collect();
        figures.into_iter().filter(|figure| shown.contains(&figure.currency)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str, figures: Result<u8, &str>) -> NightRow {
        let figures = figures.map_err(str::to_owned).map(|exit_code| NightFigures {
            verdict: Verdict::Reconciled,
            exit_code,
            rows: 1,
            errors: 0,
            warnings: 0,
            money: BTreeMap::from([("CNY".to_owned(), NightMoney::default())]),
        });
        let mut row = NightRow { name: name.to_owned(), link: String::new(), facts: None, figures };
        row.facts = row.as_of().map(|as_of| NightFacts {
            as_of,
            finished_at: as_of,
            zone: Zone::named("Asia/Shanghai").expect("a zone"),
            base_url: "sandbox".to_owned(),
            account: None,
            kind: NightKind::Night,
        });
        row
    }

    fn names<'r>(rows: impl IntoIterator<Item = &'r NightRow>) -> Vec<&'r str> {
        rows.into_iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn money_is_summed_by_currency_and_only_errors_are_differences() {
        let difference = |gross: &str| json!({"net": "-0.00000001", "gross": gross});
        let check =
            |severity: &str, differences| json!({"severity": severity, "orders": 1, "differences": differences});
        let totals = |spend: &str, pending: &str| {
            json!({"amounts": {"final_amount": spend, "total_cost": "9.00000000"},
                   "frozen": {"orders": 1, "quote_amount": pending}, "bridge": {}})
        };
        let mut summary = json!({
            "verdict": "discrepant", "exit_code": 1, "as_of": "2026-06-01T00:00:00Z",
            "population": {"rows": 12, "reconciled": 11, "discrepant": 1},
            "findings": {"error": 3, "warning": 1},
            "control_totals": {"CNY": totals("1.00000002", "0.50000000"), "USD": totals("7.00000000", "0.00000000")},
            "checks": {
                "cost-sum": check("error", json!({"CNY": difference("0.10000000")})),
                "quote-split": check("error", json!({"CNY": difference("0.20000001"), "": difference("3.00000000")})),
                "stale-pending": check("warning", json!({"CNY": difference("5.00000000")})),
            },
            "settings": {},
        });
        let read = |summary: &serde_json::Value| {
            let fields: SummaryFields = serde_json::from_value(summary.clone()).map_err(|error| error.to_string())?;
            fields.figures()
        };
        let figures = read(&summary).expect("figures");
        assert_eq!((figures.rows, figures.errors, figures.warnings), (12, 3, 1));
        let money = |spend: &str, discrepant: &str, pending: &str| {
            let [spend, discrepant, pending] =
                [spend, discrepant, pending].map(|text| Sum::parse_exact(text).expect("a sum"));
            NightMoney { spend, discrepant, pending }
        };
        let expected = [
            ("", money("0.00000000", "3.00000000", "0.00000000")),
            ("CNY", money("1.00000002", "0.30000001", "0.50000000")),
            ("USD", money("7.00000000", "0.00000000", "0.00000000")),
        ];
        assert_eq!(figures.money, expected.map(|(currency, money)| (currency.to_owned(), money)).into());

        let most = format!("{}.99999999", "9".repeat(30));
        summary["checks"]["cost-sum"]["differences"]["CNY"]["gross"] = most.into();
        assert!(read(&summary).is_err(), "a sum that does not fit is not shown");
        summary["checks"]["cost-sum"]["differences"]["CNY"]["gross"] = 0.1.into();
        assert!(read(&summary).is_err(), "money is never a float");
        summary["checks"] = json!({});
        assert!(read(&summary).is_ok());
        summary["verdict"] = "fine".into();
        assert_eq!(read(&summary), Err("\"fine\" is not a verdict".to_owned()));
    }

    #[test]
    fn the_newest_comes_first_and_what_has_no_time_above() {
        let rows = ["20260601T000000Z", "20260602T000000Z-2", "20260602T000000Z", "lost", "20250101T000000Z"];
        let mut rows: Vec<_> = rows.iter().map(|name| row(name, Ok(0))).collect();
        // Its manifest is gone, but its name tells the time.
        rows[0].facts = None;
        let list = NightList::of(rows);
        let expected = ["lost", "20260602T000000Z-2", "20260602T000000Z", "20260601T000000Z", "20250101T000000Z"];
        assert_eq!(names(&list.rows), expected);
        assert_eq!(
            list.rows.iter().map(NightRow::has_usual_name).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
    }

    #[test]
    fn a_streak_ends_at_the_first_night_to_review_or_damaged_one() {
        let of = |figures: &[Result<u8, &str>]| {
            let name = |at: usize| format!("202606{:02}T000000Z", 30 - at);
            NightList::of(figures.iter().enumerate().map(|(at, figures)| row(&name(at), *figures)).collect())
        };
        let list = of(&[Ok(0), Ok(0), Ok(1), Ok(0)]);
        assert_eq!((list.streak(), names(list.last_to_review())), (2, vec!["20260628T000000Z"]));
        let list = of(&[Ok(0), Err("torn"), Ok(0)]);
        assert_eq!((list.streak(), names(list.last_to_review()), list.damaged()), (1, vec!["20260629T000000Z"], 1));
        let list = of(&[Ok(0), Ok(0)]);
        assert_eq!((list.streak(), names(list.last_to_review())), (2, vec![]));

        // Audits and closes are listed, but are not nights. A night about the orders of others is, but has other figures.
        let mut rows: Vec<_> = of(&[Ok(1), Ok(1), Ok(0), Ok(1), Ok(1)]).rows;
        let set = |row: &mut NightRow, change: fn(&mut NightFacts)| row.facts.as_mut().into_iter().for_each(change);
        set(&mut rows[0], |facts| facts.kind = NightKind::Audit);
        set(&mut rows[1], |facts| facts.kind = NightKind::Close("2026-05".parse().expect("a month")));
        set(&mut rows[3], |facts| facts.base_url = "https://elsewhere.example".to_owned());
        let list = NightList::of(rows);
        assert_eq!(names(list.nights()), ["20260628T000000Z", "20260627T000000Z", "20260626T000000Z"]);
        assert_eq!(names(list.series()), ["20260628T000000Z", "20260626T000000Z"]);
        assert_eq!((list.streak(), names(list.last_to_review())), (1, vec!["20260627T000000Z"]));
    }

    #[test]
    fn a_day_is_that_of_the_newest_zone_and_has_its_newest_night() {
        // 16:00 in UTC is the next day in Shanghai.
        let names_of_nights = ["20260601T155959Z", "20260601T160000Z", "20260601T170000Z", "20260603T000000Z"];
        let list = NightList::of(names_of_nights.iter().map(|name| row(name, Ok(0))).collect());
        let shown = |most| {
            let days = list.by_day(most);
            days.iter().map(|(day, row)| (day.to_string(), row.name.clone())).collect::<Vec<_>>()
        };
        let expected = [
            ("2026-06-03", "20260603T000000Z"),
            ("2026-06-02", "20260601T170000Z"),
            ("2026-06-01", "20260601T155959Z"),
        ];
        let expected = expected.map(|(day, name)| (day.to_owned(), name.to_owned()));
        assert_eq!(shown(9), expected);
        assert_eq!(shown(2), expected[..2]);
    }

    #[test]
    fn the_currencies_of_most_days_are_charted() {
        let mut rows = vec![row("20260601T000000Z", Ok(0)), row("20260602T000000Z", Ok(0))];
        for row in &mut rows {
            row.figures.as_mut().expect("figures").money.insert("USD".to_owned(), NightMoney::default());
        }
        rows[1].figures.as_mut().expect("figures").money.remove("CNY");
        let list = NightList::of(rows);
        let figures = NightList::spend(&list.by_day(9), 1);
        let shown: Vec<_> = figures.iter().map(|figure| (&*figure.currency, &*figure.key)).collect();
        assert_eq!(shown, [("USD", "2026-06-01"), ("USD", "2026-06-02")]);
    }
}
