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

    /// The nights about the same orders as the newest one, the newest first. One whose manifest can't be read may be such
    /// a night.
    pub fn series(&self) -> impl Iterator<Item = &NightRow> {
        self.rows.iter().filter(|row| row.is_night() && row.facts.as_ref().is_none_or(|facts| self.is_usual(facts)))
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
        self.series().take_while(|row| row.ties_out()).count()
    }

    /// The newest night that did not end with exit code 0.
    #[must_use]
    pub fn last_to_review(&self) -> Option<&NightRow> {
        self.series().find(|row| !row.ties_out())
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
