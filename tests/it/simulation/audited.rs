//! Compares one audit of the dataset with the oracle: every order, every finding, every count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::assessment::{bucket, is_waived};
use super::calendar::{self, Created, UNDATED, Zone};
use super::dataset::{Period, Row};
use super::job::{Waiver, settings, write_settings};
use super::ledger::Ledger;
use super::memory::{Memory, Past, Rows, compare};
use super::report::{Cells, Report, cell};
use super::rulings::{Case, Evidence, rulings, spent};
use super::server::Entry;
use super::totals::{BUCKETS, equal, verdict};
use super::truth::{Order, QUOTE, Reply, money};

/// The settings of an audit that affect judgement.
pub(super) struct Rules {
    pub(super) split_is_off: bool,
    pub(super) waivers: Vec<Waiver>,
}

impl Rules {
    pub(super) fn lay_out(&self, place: &Path) {
        write_settings(place);
        let waivers: Vec<String> = self.waivers.iter().map(Waiver::toml).collect();
        fs::write(place.join("waivers.toml"), waivers.concat()).expect("writable");
    }

    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        let off = ["--config", settings(self.split_is_off)].into_iter();
        off.chain(["--waivers", "waivers.toml"].into_iter().filter(|_| !self.waivers.is_empty()))
    }
}

/// An audit, with everything that it is compared with.
pub(super) struct Audited<'a> {
    pub(super) report: &'a Report,
    /// The rows of spend by day.
    pub(super) days: Vec<Cells>,
    pub(super) rules: &'a Rules,
    pub(super) ledger: &'a Ledger,
    pub(super) period: Period,
    pub(super) zone: Zone,
    pub(super) log: &'a [Entry],
}

/// One row of an audit that is right.
struct Counted {
    bucket: &'static str,
    evidence: Evidence,
    findings: usize,
}

/// The counts and sums of some orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Spend {
    orders: u64,
    settled: u64,
    pending: u64,
    discrepant: u64,
    sums: [i128; 6],
}

/// How often each kind of thing was seen.
type Counts = BTreeMap<&'static str, u64>;

impl Spend {
    fn of<'c>(counted: impl Iterator<Item = &'c Counted>) -> Self {
        let mut spend = Self::default();
        for row in counted {
            let Some((is_settled, amounts, _)) = row.evidence.facts() else { continue };
            spend.orders += 1;
            spend.settled += u64::from(is_settled);
            spend.pending += u64::from(!is_settled);
            spend.discrepant += u64::from(row.bucket == "discrepant");
            for (sum, (_, amount)) in spend.sums.iter_mut().zip(spent(is_settled, amounts)) {
                *sum += amount;
            }
        }
        spend
    }

    /// An error says how a row of a table differs.
    fn check(&self, row: &Cells) -> Result<(), String> {
        let counts = [self.orders, self.settled, self.pending, self.discrepant].map(|count| count.to_string());
        let counts = ["orders", "settled", "pending", "discrepant"].into_iter().zip(counts);
        let names = spent(false, &[None; 6]).map(|(name, _)| name);
        let mut expected =
            counts.chain(names.into_iter().zip(self.sums.map(money))).chain([("currency", "CNY".into())]);
        match expected.find(|(name, expected)| cell(row, name) != *expected) {
            Some((name, expected)) => Err(format!("{name} is {}, not {expected}", cell(row, name))),
            None => Ok(()),
        }
    }
}

/// The age of an order, as `pending.csv` and the frozen money have it.
fn age(created: Created, as_of: i64) -> (String, &'static str) {
    let Some(created) = created else { return (String::new(), "unknown") };
    let hours = calendar::hours(created, as_of);
    let bucket = match hours {
        ..1 => "0-1h",
        1..24 => "1-24h",
        24..72 => "1-3d",
        72..168 => "3-7d",
        _ => "over-7d",
    };
    (hours.to_string(), bucket)
}

impl Audited<'_> {
    /// Compares everything; an error says what is wrong.
    pub(super) fn check(&self, code: i32) -> Result<Counts, String> {
        let (start, as_of) = self.ledger.dataset.newest().ok_or("there is nothing to audit")?;
        as_of.check(self.report.text("as_of"))?;
        let as_of: Timestamp = self.report.text("as_of").parse().map_err(|_| "as_of is not a time".to_owned())?;
        let as_of = as_of.as_microsecond();
        let (mut counted, mut open) = (Vec::new(), 0);
        for id in self.ledger.dataset.ids() {
            let possible = self.ledger.dataset.rows(id, self.period, self.zone, self.log);
            open += u64::from(possible.len() > 1);
            let mut problem = None;
            let fit = possible.iter().find_map(|rows| {
                let fit = self.order(id, rows, as_of).map_err(|why| format!("{id}: {why} [{rows:?}]"));
                fit.map_err(|why| problem.get_or_insert(why).clone()).ok()
            });
            let describe = || format!("{}{}", problem.unwrap_or_default(), self.ledger.dataset.described(id));
            counted.extend(fit.ok_or_else(describe)?);
        }
        self.counts(&counted, code)?;
        self.sums(&counted, as_of)?;
        self.checks(&counted)?;
        self.scope(start)?;
        let rows = |wanted: &dyn Fn(&Counted) -> bool| counted.iter().filter(|row| wanted(row)).count() as u64;
        let found = |check: &str| self.report.discrepancies.iter().filter(|row| cell(row, "check") == check).count();
        Ok(Counts::from([
            ("rows of audits", counted.len() as u64),
            ("orders of audits with several possibilities", open),
            ("orders missing in audits", rows(&|row| row.evidence.facts().is_none())),
            ("undated orders in audits", rows(&|row| matches!(row.evidence.facts(), Some((.., None))))),
            ("restated in audits", found("restated") as u64),
            ("vanished in audits", found("vanished") as u64),
        ]))
    }

    /// Compares everything that is said of one order.
    fn order(&self, id: &str, rows: &[Row], as_of: i64) -> Result<Vec<Counted>, String> {
        let of_order = |row: &&Cells| cell(row, "run_order_id") == id;
        let found: Vec<&Cells> = self.report.discrepancies.iter().filter(of_order).collect();
        let counted = rows.iter().map(|row| self.judged(id, row, &found)).collect::<Result<Vec<_>, _>>()?;
        equal("findings", found.len() as u64, counted.iter().map(|row| row.findings).sum::<usize>() as u64)?;
        let listed: Vec<&str> = self.report.exceptions.iter().filter(of_order).map(|row| cell(row, "bucket")).collect();
        let is_listed = |row: &&Counted| {
            row.evidence.facts().is_none() && !matches!(row.evidence, Evidence::Asked(Reply::Foreign(_)))
        };
        let expected: Vec<&str> = counted.iter().filter(is_listed).map(|row| row.bucket).collect();
        if listed != expected {
            return Err(format!("exceptions.csv has it as {listed:?}, not {expected:?}"));
        }
        let pending = self.report.pending.iter().filter(of_order);
        let mut pending: Vec<[&str; 4]> = pending
            .map(|row| ["created_at", "quote_amount", "age_hours", "age_bucket"].map(|name| cell(row, name)))
            .collect();
        for (created, quote) in counted.iter().filter_map(frozen) {
            let created_at = created.map(calendar::written).unwrap_or_default();
            let (hours, bucket) = age(created, as_of);
            let expected = [created_at, money(quote), hours, bucket.to_owned()];
            let at = pending.iter().position(|row| *row == expected);
            let at = at.ok_or_else(|| format!("pending.csv has {pending:?}, not {expected:?}"))?;
            pending.remove(at);
        }
        equal("surplus rows of pending.csv", pending.len() as u64, 0)?;
        let workflow = Order::workflow(id);
        let mut spend = self.report.spend.iter().filter(|row| cell(row, "workflow_id") == workflow);
        let expected = Spend::of(counted.iter());
        match (spend.next(), spend.next()) {
            (None, _) if expected.orders == 0 => Ok(counted),
            (Some(row), None) if expected.orders > 0 => expected.check(row).map(|()| counted),
            (found, _) => Err(format!("spend has {found:?}, not {expected:?}")),
        }
    }

    /// Compares the findings of one row with what the contract says.
    fn judged(&self, id: &str, row: &Row, found: &[&Cells]) -> Result<Counted, String> {
        let created = row.evidence.facts().map(|(.., created)| created.map(calendar::written).unwrap_or_default());
        let is_of_row = |cells: &&&Cells| created.as_ref().is_none_or(|created| cell(cells, "created_at") == created);
        let rows = Rows { found: found.iter().filter(is_of_row).copied().collect(), resolved: Vec::new() };
        let command = self.ledger.audit_command(self.rules.split_is_off).ok_or("no command was run")?;
        let case = Case { id, command: &command, books: Vec::new(), listed: None };
        let rulings = rulings(&case, &row.evidence, &row.known);
        let nothing = Memory::new();
        let past = Past { one: &nothing, other: &nothing, is_stale: false, is_unknown: true };
        let covers = |item: &_, figures: &_| is_waived(&self.rules.waivers, id, item, figures);
        let compared = compare(id, "", &rulings, &rows, &past, covers)?;
        let bucket = bucket(id, &row.evidence, &compared, &self.rules.waivers);
        Ok(Counted { bucket, evidence: row.evidence.clone(), findings: compared.found.len() })
    }

    /// Compares the population and the verdict.
    fn counts(&self, counted: &[Counted], code: i32) -> Result<(), String> {
        let of = |bucket: &str| counted.iter().filter(|row| row.bucket == bucket).count() as u64;
        equal("population.rows", self.report.count("population", "rows"), counted.len() as u64)?;
        for bucket in BUCKETS {
            equal(&format!("population.{bucket}"), self.report.count("population", bucket), of(bucket))?;
        }
        let (word, expected) = verdict(false, false, of);
        if self.report.text("verdict") != word {
            return Err(format!("the verdict is {}, not {word}", self.report.text("verdict")));
        }
        equal("exit_code", self.report.summary["exit_code"].as_u64().unwrap_or(u64::MAX), expected)?;
        equal("the exit code", u64::try_from(code).unwrap_or(u64::MAX), expected)
    }

    /// Compares control totals, frozen money and spend by day.
    fn sums(&self, counted: &[Counted], as_of: i64) -> Result<(), String> {
        let totals = &self.report.summary["control_totals"]["CNY"];
        let all = Spend::of(counted.iter());
        for ((name, _), sum) in spent(false, &[None; 6]).into_iter().zip(all.sums) {
            same(&format!("the control total of {name}"), totals["amounts"][name].as_str(), sum)?;
        }
        let mut ages = BTreeMap::<&str, (u64, i128)>::new();
        for (created, quote) in counted.iter().filter_map(frozen) {
            for age in [age(created, as_of).1, "all"] {
                let (orders, sum) = ages.entry(age).or_default();
                (*orders, *sum) = (*orders + 1, *sum + quote);
            }
        }
        let found = &totals["frozen"];
        let (orders, sum) = ages.remove("all").unwrap_or_default();
        equal("frozen orders", found["orders"].as_u64().unwrap_or_default(), orders)?;
        same("frozen money", found["quote_amount"].as_str(), sum)?;
        let by_age = found["by_age"].as_object();
        equal("ages of frozen money", by_age.map_or(0, |ages| ages.len() as u64), ages.len() as u64)?;
        for (age, (orders, sum)) in ages {
            equal(&format!("frozen orders of {age}"), found["by_age"][age]["orders"].as_u64().unwrap_or(0), orders)?;
            same(&format!("frozen money of {age}"), found["by_age"][age]["quote_amount"].as_str(), sum)?;
        }
        let day = |row: &Counted| row.evidence.facts().map(|(.., created)| self.zone.day(created));
        let days: BTreeSet<i64> = counted.iter().filter_map(day).collect();
        equal("rows of spend_by_day.csv", self.days.len() as u64, days.len() as u64)?;
        for expected in days {
            let date = if expected == UNDATED { String::new() } else { calendar::date(expected) };
            let row = self.days.iter().find(|row| cell(row, "day") == date);
            let row = row.ok_or_else(|| format!("spend_by_day.csv lacks {date}"))?;
            let of_day = counted.iter().filter(|row| day(row) == Some(expected));
            Spend::of(of_day).check(row).map_err(|why| format!("spend_by_day.csv, {date}: {why}"))?;
        }
        Ok(())
    }

    /// Compares the counts of findings by check, which were compared one by one.
    fn checks(&self, counted: &[Counted]) -> Result<(), String> {
        let mut orders = BTreeMap::<&str, BTreeSet<[&str; 2]>>::new();
        for row in &self.report.discrepancies {
            let order = ["run_order_id", "created_at"].map(|name| cell(row, name));
            orders.entry(cell(row, "check")).or_default().insert(order);
        }
        let findings: usize = counted.iter().map(|row| row.findings).sum();
        equal("rows of discrepancies.csv", self.report.discrepancies.len() as u64, findings as u64)?;
        let found = self.report.summary["checks"].as_object().ok_or("there are no checks")?;
        let found = found.iter().filter_map(|(check, findings)| Some((check.as_str(), findings["orders"].as_u64()?)));
        let expected: BTreeMap<&str, u64> =
            orders.into_iter().map(|(check, orders)| (check, orders.len() as u64)).collect();
        let found: BTreeMap<&str, u64> = found.collect();
        if found == expected { Ok(()) } else { Err(format!("checks are {found:?}, not {expected:?}")) }
    }

    /// Compares which orders the audit says that it is about, and of how many runs.
    fn scope(&self, newest: usize) -> Result<(), String> {
        let scope = &self.report.summary["dataset"];
        for (name, day) in [("since", self.period.since), ("until", self.period.until)] {
            let (found, expected) = (scope[name].as_str().map(str::to_owned), day.map(calendar::date));
            if found != expected {
                return Err(format!("{name} is {found:?}, not {expected:?}"));
            }
        }
        let (runs, [least, most]) = (scope["runs"].as_u64().unwrap_or_default(), self.ledger.appended_reports());
        if !(least..=most).contains(&runs) {
            return Err(format!("it is of {runs} runs, not {least} to {most}"));
        }
        let last = scope["last_run"].as_str().unwrap_or_default();
        self.ledger.is_within(newest, last).then_some(()).ok_or_else(|| format!("the last run is of {last}"))
    }
}

/// The creation time and the quote of an unsettled order.
fn frozen(row: &Counted) -> Option<(Created, i128)> {
    let (is_settled, amounts, created) = row.evidence.facts()?;
    (!is_settled).then(|| (created, amounts[QUOTE].unwrap_or_default()))
}

fn same(what: &str, found: Option<&str>, expected: i128) -> Result<(), String> {
    let found = found.unwrap_or("0.00000000");
    if found == money(expected) { Ok(()) } else { Err(format!("{what} is {found}, not {}", money(expected))) }
}
