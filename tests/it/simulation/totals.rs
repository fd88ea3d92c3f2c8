//! The counts of a whole report: population, verdict, control totals, lifecycle.

use std::collections::BTreeSet;

use super::assessment::{Assessment, Background, Entries, Tables};
use super::memory::Key;
use super::report::cell;
use super::rulings::spent;
use super::truth::{Order, money};

pub(super) const BUCKETS: [&str; 10] = [
    "reconciled",
    "discrepant",
    "waived",
    "pending",
    "not_found",
    "refused",
    "malformed",
    "unfetched",
    "duplicate",
    "rejected",
];

impl Tables<'_> {
    /// Checks the counts of the whole report.
    pub(super) fn totals(&self, rows: &Entries, assessed: &mut Assessment) -> Result<(), String> {
        let report = self.report;
        let all = rows.orders.len() + rows.duplicates.len() + rows.rejected.len();
        let of = |bucket: &str| assessed.buckets.get(bucket).copied().unwrap_or(0);
        equal("population.rows", report.count("population", "rows"), all as u64)?;
        for bucket in BUCKETS {
            equal(&format!("population.{bucket}"), report.count("population", bucket), of(bucket))?;
        }
        let exceptions = rows.orders.iter().filter(|order| !self.exception(order.line).is_empty()).count();
        let exceptions = exceptions + rows.duplicates.len() + rows.rejected.len();
        equal("rows of exceptions.csv", report.exceptions.len() as u64, exceptions as u64)?;
        let workflows: BTreeSet<String> = rows.orders.iter().map(|order| Order::workflow(&order.id)).collect();
        if let Some(row) = report.spend.iter().find(|row| !workflows.contains(cell(row, "workflow_id"))) {
            return Err(format!("spend has a workflow of no row: {}", cell(row, "workflow_id")));
        }
        let (reused, [least, most]) = (report.summary["reused"].as_u64().unwrap_or_default(), assessed.reused);
        if !(least..=most).contains(&reused) {
            return Err(format!("reused is {reused}, not from {least} to {most}"));
        }
        let (verdict, code) = verdict(assessed.has_gap, assessed.is_variant, of);
        if report.text("verdict") != verdict {
            return Err(format!("the verdict is {}, not {verdict}", report.text("verdict")));
        }
        equal("exit_code", report.summary["exit_code"].as_u64().unwrap_or(u64::MAX), code)?;
        self.control_totals()?;
        self.lifecycle(rows, assessed)
    }

    /// Checks that the control totals are the sums of the spend, which was compared order by order.
    fn control_totals(&self) -> Result<(), String> {
        let totals = &self.report.summary["control_totals"]["CNY"]["amounts"];
        for (name, _) in spent(false, &[None; 6]) {
            let units = |text: &str| text.replace('.', "").parse::<i128>().unwrap_or_default();
            let sum: i128 = self.report.spend.iter().map(|row| units(cell(row, name))).sum();
            let found = totals[name].as_str().unwrap_or("0.00000000");
            if found != money(sum) {
                return Err(format!("the control total of {name} is {found}, not {}", money(sum)));
            }
        }
        Ok(())
    }

    fn lifecycle(&self, rows: &Entries, assessed: &Assessment) -> Result<(), String> {
        let report = self.report;
        for word in ["new", "persisting"] {
            let rows = report.discrepancies.iter().filter(|row| cell(row, "lifecycle") == word).count();
            equal(&format!("lifecycle.{word}"), report.count("lifecycle", word), rows as u64)?;
        }
        equal("lifecycle.resolved", report.count("lifecycle", "resolved"), report.resolved.len() as u64)?;
        let Background { series, past, .. } = self.background;
        // Orders outside tonight's input are only counted.
        let is_tonights = |id: &str| {
            rows.orders.iter().any(|order| order.id == id) || assessed.ids.iter().any(|(other, ..)| other == id)
        };
        let keys: BTreeSet<&Key> = past.one.keys().chain(past.other.keys()).collect();
        let is_certain = |key: &Key| past.one.contains_key(key) && past.other.contains_key(key);
        let of = |wanted: &dyn Fn(&Key) -> bool| keys.iter().filter(|key| wanted(key)).count() as u64;
        let is_outside = |key: &Key| key.is_of(series) && !is_tonights(&key.order);
        let certain = assessed.not_assessed + of(&|key| is_outside(key) && is_certain(key));
        let uncertain = assessed.uncertain + of(&|key| is_outside(key) && !is_certain(key));
        // The contract does not say whether those of other series count.
        let others = of(&|key| !key.is_of(series));
        let found = report.count("lifecycle", "not_assessed");
        if (certain..=certain + uncertain).any(|expected| found == expected || found == expected + others) {
            return Ok(());
        }
        let own = assessed.not_assessed;
        Err(format!("lifecycle.not_assessed is {found}, not {certain}: {own} of tonight's orders, the rest of others"))
    }
}

/// The verdict and the exit code that follow from the buckets.
pub(super) fn verdict(has_gap: bool, is_variant: bool, of: impl Fn(&str) -> u64) -> (&'static str, u64) {
    let any = |buckets: &[&str]| buckets.iter().any(|bucket| of(bucket) > 0);
    let answered = any(&BUCKETS[..6]);
    if has_gap || !answered || any(&["malformed", "unfetched"]) {
        ("incomplete", 3)
    } else if is_variant || any(&["discrepant", "not_found", "rejected"]) {
        ("discrepant", 1)
    } else if any(&["waived", "duplicate"]) {
        ("warnings", 0)
    } else if any(&["pending"]) {
        ("pending", 0)
    } else {
        ("reconciled", 0)
    }
}

pub(super) fn equal(what: &str, found: u64, expected: u64) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}, not {expected}")) }
}
