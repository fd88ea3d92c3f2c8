//! `reperform.sql`: the identities, the control totals and the spend as portable SQL over
//! `run_orders.parquet`. Whoever does not trust this program can compute the figures with an SQL engine of
//! their own.
//!
//! Portable means: only texts are cast; nothing is divided, averaged or rounded; amounts are added before
//! anything widens them, since an engine that adds two `DECIMAL(38,8)` may drop the eighth decimal; and every
//! statement sorts its rows.

use std::fs;
use std::path::Path;

use jiff::civil::Date;

use crate::checks::{COST_SUM, QUOTE_SPLIT, Rules};
use crate::domain::days::Days;
use crate::domain::order::Amounts;
use crate::domain::sql;
use crate::report::ReportError;
use crate::report::content::summary_json::DatasetScope;
use crate::report::evidence::spend::{SpendRow, time_column};

/// The name of the file in a report folder.
pub const REPERFORM_FILE: &str = "reperform.sql";

const HEAD: &str = "\
-- Recomputes the figures of this report from run_orders.parquet alone, in an SQL engine of your own.
--
-- DuckDB, in the report folder:
--   CREATE VIEW run_orders AS SELECT * FROM 'run_orders.parquet';
--   .read reperform.sql
-- Spark SQL:
--   CREATE TEMPORARY VIEW run_orders USING parquet OPTIONS (path 'run_orders.parquet');
--   then run the statements of this file
--
-- Each statement names the figures that it must match to the last digit. The CSV files put ' before a text that a
-- spreadsheet would run as a formula, and replace characters that a terminal would obey; these statements do not.
";

/// What comes instead if the orders are in a dataset.
const HEAD_OF_DATASET: &str = "\
-- Recomputes the figures of this report from its dataset alone, in an SQL engine of your own.
--
-- DuckDB, in the folder of the dataset:
--   .read read.sql
--   .read REPORT/reperform.sql
-- Spark SQL: run the views in read.sql, then the statements of this file
--
-- The figures are those of the report as long as the dataset has no later run. Each statement names the figures that it
-- must match to the last digit. The CSV files put ' before a text that a spreadsheet would run as a formula, and replace
-- characters that a terminal would obey; these statements do not.
";

/// The counts of a group of orders, in the order of the columns of spend.
const COUNTS: &str = "  COUNT(*) AS orders,
  COUNT(CASE WHEN facts.settled THEN 1 END) AS settled,
  COUNT(CASE WHEN NOT facts.settled THEN 1 END) AS pending,
  COUNT(CASE WHEN facts.run_status = 'failed' THEN 1 END) AS failed_runs";
/// How orders were judged, where their facts say so.
const DISCREPANT: &str = "COUNT(CASE WHEN facts.bucket = 'discrepant' THEN 1 END) AS discrepant";

/// Zero as an amount.
const ZERO: &str = "CAST('0' AS DECIMAL(28,8))";

/// The difference between `final + released` and the quote, and the one between the total and its parts. Both
/// are NULL if an amount is missing.
const QUOTE_DIFFERENCE: &str = "final_amount + released_amount - quote_amount";
const COST_DIFFERENCE: &str = "total_cost - compute_cost - external_model_cost";

/// Writes the file into a report folder. `by_day` is the report's spend by day, which has every day of the
/// facts. `dataset` says which orders of a dataset they are, if they are.
///
/// # Errors
/// If the file can't be written.
pub(in crate::report) fn write(
    folder: &Path,
    rules: &Rules,
    by_day: &[SpendRow],
    dataset: Option<&DatasetScope>,
) -> Result<(), ReportError> {
    let path = folder.join(REPERFORM_FILE);
    fs::write(&path, text(rules, by_day, dataset)).map_err(|source| ReportError::io(&path, source))
}

fn text(rules: &Rules, by_day: &[SpendRow], dataset: Option<&DatasetScope>) -> String {
    let days = rules.days();
    let tolerance = tolerance(rules);
    let due = [(QUOTE_SPLIT, quote_split(&tolerance)), (COST_SUM, cost_sum(&tolerance))];
    let due = due.into_iter().filter(|(code, _)| !rules.off.contains(code)).map(|(_, select)| select);
    let due = due.collect::<Vec<_>>().join("  UNION ALL\n");
    let facts = if dataset.is_some() { Facts::OfDataset } else { Facts::OfReport };
    let mut statements = match dataset {
        Some(scope) => vec![HEAD_OF_DATASET.to_owned(), orders_of(scope)],
        None => vec![HEAD.to_owned()],
    };
    if due.is_empty() {
        statements.push("-- quote-split and cost-sum are switched off, so there is nothing to compare.\n".to_owned());
    } else {
        statements.extend([discrepancies(&due, facts), tolerated(&due)]);
    }
    let day = format!("{}\n    END AS day", day(&days, by_day));
    let (workflow, revision) = ("COALESCE(workflow_id, '') AS workflow_id", "COALESCE(revision_id, '') AS revision_id");
    statements.extend([
        control_totals(facts),
        spend("spend_by_workflow.csv", &["workflow_id"], workflow, facts),
        spend("spend_by_revision.csv", &["workflow_id", "revision_id"], &format!("{workflow},\n    {revision}"), facts),
        spend("spend_by_day.csv", &["day"], &day, facts),
    ]);
    statements.join("\n")
}

/// Where the facts of orders are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facts {
    /// In the report, which says how each was judged.
    OfReport,
    /// In a dataset. They have no line, and are judged by each audit.
    OfDataset,
}

/// The orders of a dataset as `run_orders`.
fn orders_of(scope: &DatasetScope) -> String {
    let bound = |column: &str, day: Option<Date>| day.map(|day| format!("day {column} DATE '{day}'"));
    let period: Vec<String> = [bound(">=", scope.since), bound("<", scope.until)].into_iter().flatten().collect();
    let period = (!period.is_empty()).then(|| format!("({} OR day = DATE '1970-01-01')", period.join(" AND ")));
    let workflow = scope.workflow.as_deref().map(|workflow| format!("workflow_id = {}", sql::literal(workflow)));
    let conditions: Vec<String> = period.into_iter().chain(workflow).collect();
    let selected = if conditions.is_empty() { String::new() } else { format!("\nWHERE {}", conditions.join(" AND ")) };
    let amounts = Amounts::NAMES.join(", ");
    format!(
        "CREATE OR REPLACE TEMPORARY VIEW run_orders AS
SELECT run_order_id, CAST(NULL AS BIGINT) AS input_line, workflow_id, revision_id, quote_currency,
  {amounts},
  run_status, settled, created_at, updated_at
FROM newest{selected};
"
    )
}

/// The tolerance of an order, as in [`Rules`]: that of its workflow, else of its currency, else the general
/// one.
fn tolerance(rules: &Rules) -> String {
    let workflows = rules.workflows.iter().filter_map(|(id, own)| Some(("workflow_id", id, own.tolerance?)));
    let currencies = rules.tolerances.iter().map(|(code, amount)| ("quote_currency", code, *amount));
    let cases = workflows.chain(currencies);
    let cases: String = cases
        .map(|(column, value, amount)| format!("WHEN {column} = {} THEN {} ", sql::literal(value), sql::amount(amount)))
        .collect();
    let otherwise = sql::amount(rules.tolerance);
    if cases.is_empty() { otherwise } else { format!("CASE {cases}ELSE {otherwise} END") }
}

fn quote_split(tolerance: &str) -> String {
    let sides = "quote_amount AS expected, final_amount + released_amount AS actual";
    identity(QUOTE_SPLIT, sides, QUOTE_DIFFERENCE, tolerance, "run_orders WHERE settled")
}

fn cost_sum(tolerance: &str) -> String {
    let sides = "compute_cost + external_model_cost AS expected, total_cost AS actual";
    identity(COST_SUM, sides, COST_DIFFERENCE, tolerance, "run_orders")
}

fn identity(code: &str, sides: &str, off: &str, tolerance: &str, from: &str) -> String {
    format!(
        "  SELECT run_order_id, input_line, COALESCE(quote_currency, '') AS currency, '{code}' AS check_code,
    {sides},
    {off} AS difference,
    {tolerance} AS tolerance
  FROM {from}
"
    )
}

fn discrepancies(due: &str, facts: Facts) -> String {
    let sequence = match facts {
        Facts::OfReport => "input_line, check_code",
        Facts::OfDataset => "run_order_id, check_code",
    };
    format!(
        "-- discrepancies.csv: the rows of quote-split and cost-sum, including waived ones.
SELECT run_order_id, input_line, check_code, expected, actual, difference
FROM (
{due}) AS judged
WHERE difference > tolerance OR difference < -tolerance
ORDER BY {sequence};
"
    )
}

fn tolerated(due: &str) -> String {
    format!(
        "-- summary.json, control_totals, passed_by_tolerance. A currency without passes has no row here.
SELECT currency, COUNT(*) AS passes, SUM(difference) AS net,
  SUM(CASE WHEN difference < {ZERO} THEN -difference ELSE difference END) AS gross
FROM (
{due}) AS judged
WHERE difference <> {ZERO} AND difference <= tolerance AND difference >= -tolerance
GROUP BY currency
ORDER BY currency;
"
    )
}

/// The sums over settled orders: the six amounts, and the differences of both identities.
fn sums() -> String {
    let amounts = Amounts::NAMES.map(|name| sum(&format!("facts.{name}"), "facts.settled", name));
    let differences = ["quote", "cost"].into_iter().flat_map(|side| {
        let off = format!("facts.{side}_off");
        let size = format!("CASE WHEN {off} < {ZERO} THEN -{off} ELSE {off} END");
        [(size, "gross"), (off, "net")]
            .map(|(amount, kind)| sum(&amount, "facts.settled", &format!("{side}_{kind}_difference")))
    });
    amounts.into_iter().chain(differences).collect::<Vec<_>>().join(",\n")
}

fn sum(amount: &str, which: &str, name: &str) -> String {
    format!("  COALESCE(SUM(CASE WHEN {which} THEN {amount} END), {ZERO}) AS {name}")
}

fn control_totals(facts: Facts) -> String {
    let lacking = |side: &str, whole: &str, parts: [&str; 2]| {
        let which = format!("facts.settled AND facts.{side}_off IS NULL");
        let [one, other] = parts.map(|part| format!("COALESCE(facts.{part}, {ZERO})"));
        [
            format!("  COUNT(CASE WHEN {which} THEN 1 END) AS {side}_lacking_orders"),
            sum(&format!("facts.{whole}"), &which, &format!("{side}_lacking_whole")),
            sum(&format!("{one} + {other}"), &which, &format!("{side}_lacking_parts")),
        ]
        .join(",\n")
    };
    let totals = [
        lacking("quote", "quote_amount", ["final_amount", "released_amount"]),
        lacking("cost", "total_cost", ["compute_cost", "external_model_cost"]),
        sum("facts.quote_amount", "NOT facts.settled", "frozen_quote_amount"),
    ];
    grouped("summary.json, control_totals: amounts, differences and frozen", &[], "", &totals, facts)
}

fn spend(file: &str, keys: &[&str], selected: &str, facts: Facts) -> String {
    grouped(file, keys, &format!("{selected},\n    "), &[], facts)
}

/// A statement that groups orders by `keys` and currency. `selected` computes the keys; `more` are additional
/// measures.
fn grouped(agrees_with: &str, keys: &[&str], selected: &str, more: &[String], facts: Facts) -> String {
    let groups: Vec<String> = keys.iter().chain(&["currency"]).map(|key| format!("facts.{key}")).collect();
    let groups = groups.join(", ");
    let (judged, bucket) = match facts {
        Facts::OfReport => (Some(format!("  {DISCREPANT}")), ", bucket"),
        Facts::OfDataset => (None, ""),
    };
    let counts = [COUNTS.to_owned()].into_iter().chain(judged);
    let measures = counts.chain([sums()]).chain(more.iter().cloned()).collect::<Vec<_>>();
    let (measures, amounts) = (measures.join(",\n"), Amounts::NAMES.join(", "));
    format!(
        "-- {agrees_with}.
SELECT {groups},
{measures}
FROM (
  SELECT {selected}COALESCE(quote_currency, '') AS currency,
    settled, run_status{bucket},
    {amounts},
    {QUOTE_DIFFERENCE} AS quote_off,
    {COST_DIFFERENCE} AS cost_off
  FROM run_orders
) AS facts
GROUP BY {groups}
ORDER BY {groups};
"
    )
}

/// The `CASE` that assigns a time to its day, with the bounds of every day in UTC: SQL engines differ in how
/// they handle time zones, if they do at all.
fn day(days: &Days, by_day: &[SpendRow]) -> String {
    let column = time_column(days.by);
    let mut dates: Vec<Date> = by_day.iter().filter_map(|row| row.keys.first()?.parse().ok()).collect();
    dates.dedup();
    let cases = dates.into_iter().map(|date| {
        let period = days.day(date).period;
        let bounds =
            [(period.since, ">="), (period.until, "<")].into_iter().filter_map(|(bound, is)| Some((bound?, is)));
        let bounds: Vec<String> = bounds.map(|(bound, is)| format!("{column} {is} '{bound}'")).collect();
        format!("\n      WHEN {} THEN '{date}'", bounds.join(" AND "))
    });
    let (zone, cases) = (days.zone.name(), cases.collect::<String>());
    format!(
        "CASE -- days of {zone}, in UTC\n      WHEN {column} IS NULL THEN ''{cases}\n      ELSE 'no day of this report'"
    )
}
