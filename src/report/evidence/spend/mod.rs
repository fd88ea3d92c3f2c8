//! Spend per workflow, per revision and per day: aggregated by Polars, in decimals, from the facts as
//! written.

mod elsewhere;

use std::mem;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    AnyValue, Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, NewChunkedArray, PolarsResult,
    SortMultipleOptions, StringChunked, UnionArgs, col, concat, len, lit, polars_err, when,
};

use super::facts;
use crate::domain::days::{Day, DayBy, Days};
use crate::domain::money::{SCALE, Sum};
use crate::domain::order::Amounts;
use crate::domain::time::from_microsecond;
use crate::parquet::file::catch_panics;
use crate::parquet::stage::Stage;
use crate::report::ReportError;
use crate::report::files::ProvenFile;

pub use elsewhere::SpendElsewhere;

/// What one group of orders spent. Amounts and differences are sums over settled orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// The workflow, or workflow and revision, or the day. The day is empty for orders without the time that
    /// decides it.
    pub keys: Vec<String>,
    /// The currency of every amount of this row.
    pub currency: String,
    /// How many orders: settled and pending.
    pub orders: u64,
    /// How many orders are settled.
    pub settled: u64,
    /// How many orders are not settled.
    pub pending: u64,
    /// How many runs failed.
    pub failed_runs: u64,
    /// How many orders are discrepant.
    pub discrepant: u64,
    /// The six sums, in the order of `Amounts::NAMES`.
    pub amounts: [Sum; 6],
    /// Σ |final + released − quote|.
    pub quote_gross_difference: Sum,
    /// Σ (final + released − quote).
    pub quote_net_difference: Sum,
    /// Σ |total − compute − external|.
    pub cost_gross_difference: Sum,
    /// Σ (total − compute − external).
    pub cost_net_difference: Sum,
}

const WORKFLOW: &str = "workflow_id";
const REVISION: &str = "revision_id";
const DAY: &str = "day";
const CURRENCY: &str = "quote_currency";
const KEYS: [&str; 4] = [WORKFLOW, REVISION, DAY, CURRENCY];
/// From how many groups on the parts are merged: some 100 MB.
const GROUPS: usize = 1 << 18;
const COUNTS: [&str; 5] = ["orders", "settled_orders", "pending_orders", "failed_runs", "discrepant_orders"];
const DIFFERENCES: [&str; 4] = ["quote_gross", "quote_net", "cost_gross", "cost_net"];

/// Spend over the report's orders, aggregated in three ways. Each is sorted.
#[derive(Debug, Default)]
pub struct Spend {
    /// Spend per workflow and currency.
    pub by_workflow: Vec<SpendRow>,
    /// Spend per workflow revision and currency.
    pub by_revision: Vec<SpendRow>,
    /// Spend per day and currency.
    pub by_day: Vec<SpendRow>,
}

/// Aggregates the facts of a report.
///
/// # Errors
/// When the facts can't be read, a sum does not fit, or `check_wanted` fails, which is called before each row group.
pub(in crate::report) fn aggregate(
    facts: &ProvenFile,
    days: &Days,
    check_wanted: &dyn Fn() -> Result<(), ReportError>,
) -> Result<Spend, ReportError> {
    let damaged = |problem| ReportError::evidence(facts.path(), problem);
    let (file, columns) = (facts::open(facts).map_err(damaged)?, columns(days));
    let mut summing = SpendParts::on_a_thread(facts.path(), days.clone())?;
    for group in 0..file.groups() {
        check_wanted()?;
        let orders = file.group(group, Some(&columns), |orders| Ok(orders.clone())).map_err(damaged)?;
        summing.give(SpendPart::Orders(orders))?;
    }
    summing.end()
}

/// The columns that spend is aggregated from.
fn columns(days: &Days) -> Vec<&'static str> {
    let others = [WORKFLOW, REVISION, CURRENCY, "settled", "run_status", "bucket", time_column(days.by)];
    others.into_iter().chain(Amounts::NAMES).collect()
}

/// What spend is aggregated from.
pub(super) enum SpendPart {
    /// Orders, with the columns that [`columns`] names.
    Orders(DataFrame),
    /// Orders that were aggregated by all keys already.
    Groups(DataFrame),
}

/// Spend that is aggregated part by part, so that memory does not grow with the number of orders.
pub(super) struct SpendParts {
    days: Days,
    parts: Vec<LazyFrame>,
    /// How many groups the parts have, and from how many on they are merged.
    groups: usize,
    most_groups: usize,
}

impl SpendParts {
    const fn new(days: Days) -> Self {
        Self { days, parts: Vec::new(), groups: 0, most_groups: GROUPS }
    }

    /// Aggregates what it is given on a thread of its own.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(super) fn on_a_thread(path: &Path, days: Days) -> Result<Stage<SpendPart, Spend, ReportError>, ReportError> {
        let facts = path.to_owned();
        let started = Stage::start(
            "spend",
            1,
            || ReportError::Stopped,
            move |given| {
                let mut parts = Self::new(days);
                for part in given {
                    // The values may come from outside.
                    let added = catch_panics(|| match part {
                        SpendPart::Orders(orders) => parts.add(&orders),
                        SpendPart::Groups(groups) => parts.add_groups(groups),
                    });
                    added.map_err(|problem| ReportError::evidence(&facts, problem))?;
                }
                parts.finish()
            },
        );
        started.map_err(|source| ReportError::io(path, source))
    }

    /// Aggregates some orders by all keys.
    fn add(&mut self, orders: &DataFrame) -> PolarsResult<()> {
        let orders = with_day(orders.select(columns(&self.days))?, &self.days)?.lazy();
        let orders = orders.with_columns(KEYS.map(|name| col(name).fill_null(lit(""))));
        self.add_groups(grouped(orders, &KEYS, measures()).collect()?)
    }

    fn add_groups(&mut self, groups: DataFrame) -> PolarsResult<()> {
        self.groups += groups.height();
        self.parts.push(groups.lazy());
        if self.groups >= self.most_groups {
            let parts = concat(mem::take(&mut self.parts), UnionArgs::default())?;
            let merged = grouped(parts, &KEYS, sums()).collect()?;
            self.groups = merged.height();
            self.most_groups = GROUPS.max(2 * self.groups);
            self.parts.push(merged.lazy());
        }
        Ok(())
    }

    /// Aggregates the parts.
    ///
    /// # Errors
    /// When a sum does not fit.
    fn finish(self) -> Result<Spend, ReportError> {
        if self.parts.is_empty() {
            return Ok(Spend::default());
        }
        let failed = ReportError::polars("aggregate");
        let parts = concat(self.parts, UnionArgs::default()).and_then(LazyFrame::collect).map_err(&failed)?;
        let by = |keys: &[&str]| -> Result<Vec<SpendRow>, ReportError> {
            let groups: Vec<&str> = keys.iter().copied().chain([CURRENCY]).collect();
            let frame = grouped(parts.clone().lazy(), &groups, sums())
                .sort(groups, SortMultipleOptions::default())
                .collect()
                .map_err(&failed)?;
            (0..frame.height()).map(|row| spend_row(&frame, row, keys)).collect()
        };
        Ok(Spend { by_workflow: by(&[WORKFLOW])?, by_revision: by(&[WORKFLOW, REVISION])?, by_day: by(&[DAY])? })
    }
}

/// The column with the time that decides an order's day.
pub(in crate::report) const fn time_column(by: DayBy) -> &'static str {
    match by {
        DayBy::Created => "created_at",
        DayBy::Updated => "updated_at",
    }
}

/// Adds each order's day, by the rules of the time zone, which change over the years.
fn with_day(mut orders: DataFrame, days: &Days) -> PolarsResult<DataFrame> {
    let time = time_column(days.by);
    let mut dates = Vec::with_capacity(orders.height());
    // Orders of the same day are mostly adjacent.
    let mut last: Option<(Day, Arc<str>)> = None;
    for microseconds in orders.column(time)?.datetime()?.physical().iter() {
        let Some(microseconds) = microseconds else {
            dates.push(None);
            continue;
        };
        let at = from_microsecond(microseconds);
        let at = at.ok_or_else(|| polars_err!(ComputeError: "a time is out of range: {microseconds} microseconds"))?;
        let found = last.take_if(|(day, _)| day.period.holds(at)).unwrap_or_else(|| {
            let day = days.day_of(at);
            let date = Arc::from(day.date.to_string());
            (day, date)
        });
        dates.push(Some(Arc::clone(&found.1)));
        last = Some(found);
    }
    let dates = StringChunked::from_iter_options(DAY.into(), dates.iter().map(Option::as_deref));
    orders.with_column(dates.into_column())?;
    Ok(orders)
}

fn grouped(rows: LazyFrame, groups: &[&str], measures: Vec<Expr>) -> LazyFrame {
    rows.group_by(groups.iter().map(|name| col(*name)).collect::<Vec<_>>()).agg(measures)
}

/// The counts and sums of a group of groups.
fn sums() -> Vec<Expr> {
    COUNTS.into_iter().chain(Amounts::NAMES).chain(DIFFERENCES).map(|name| col(name).sum()).collect()
}

/// The counts and sums of a group of orders.
fn measures() -> Vec<Expr> {
    let settled = || col("settled");
    // Amounts are widened before anything is added: a sum of (28,8) may need 38 digits.
    let amount = |name: &str| col(name).cast(DataType::Decimal(38, SCALE as usize));
    let quote = amount("final_amount") + amount("released_amount") - amount("quote_amount");
    let cost = amount("total_cost") - amount("compute_cost") - amount("external_model_cost");
    let count = |which: Expr, name: &str| which.cast(DataType::UInt64).sum().alias(name);
    let [orders, settled_orders, pending_orders, failed_runs, discrepant] = COUNTS;
    let [quote_gross, quote_net, cost_gross, cost_net] = DIFFERENCES;
    let over_settled = |amount: Expr, name: &str| amount.filter(settled()).sum().alias(name);

    let mut measures = vec![
        len().cast(DataType::UInt64).alias(orders),
        count(settled(), settled_orders),
        count(settled().not(), pending_orders),
        count(col("run_status").eq(lit("failed")).fill_null(lit(false)), failed_runs),
        count(col("bucket").eq(lit("discrepant")), discrepant),
    ];
    measures.extend(Amounts::NAMES.map(|name| over_settled(amount(name), name)));
    measures.extend([
        over_settled(size(&quote), quote_gross),
        over_settled(quote, quote_net),
        over_settled(size(&cost), cost_gross),
        over_settled(cost, cost_net),
    ]);
    measures
}

/// The absolute value of a decimal.
fn size(amount: &Expr) -> Expr {
    let zero = lit(0).cast(DataType::Decimal(38, SCALE as usize));
    when(amount.clone().lt(zero.clone())).then(zero - amount.clone()).otherwise(amount.clone())
}

fn spend_row(frame: &DataFrame, row: usize, keys: &[&str]) -> Result<SpendRow, ReportError> {
    let column = |name: &str| frame.column(name).map_err(ReportError::polars("read the aggregates of"));
    let text = |name: &str| column(name).and_then(|column| text_at(column, row));
    let count = |name: &str| column(name).and_then(|column| count_at(column, row));
    let sum = |name: &str| column(name).and_then(|column| sum_at(column, row));
    let [orders, settled, pending, failed_runs, discrepant] = COUNTS;
    let [quote_gross, quote_net, cost_gross, cost_net] = DIFFERENCES;
    let mut amounts = [Sum::ZERO; 6];
    for (amount, name) in amounts.iter_mut().zip(Amounts::NAMES) {
        *amount = sum(name)?;
    }
    Ok(SpendRow {
        keys: keys.iter().map(|key| text(key)).collect::<Result<_, _>>()?,
        currency: text(CURRENCY)?,
        orders: count(orders)?,
        settled: count(settled)?,
        pending: count(pending)?,
        failed_runs: count(failed_runs)?,
        discrepant: count(discrepant)?,
        amounts,
        quote_gross_difference: sum(quote_gross)?,
        quote_net_difference: sum(quote_net)?,
        cost_gross_difference: sum(cost_gross)?,
        cost_net_difference: sum(cost_net)?,
    })
}

fn value_at<'f>(column: &'f Column, row: usize) -> Result<AnyValue<'f>, ReportError> {
    column.get(row).map_err(ReportError::polars("read the aggregates of"))
}

fn text_at(column: &Column, row: usize) -> Result<String, ReportError> {
    match value_at(column, row)? {
        AnyValue::String(text) => Ok(text.to_owned()),
        AnyValue::StringOwned(text) => Ok(text.to_string()),
        other => Err(unexpected(column, &other)),
    }
}

fn count_at(column: &Column, row: usize) -> Result<u64, ReportError> {
    match value_at(column, row)? {
        AnyValue::UInt64(count) => Ok(count),
        other => Err(unexpected(column, &other)),
    }
}

fn sum_at(column: &Column, row: usize) -> Result<Sum, ReportError> {
    match value_at(column, row)? {
        AnyValue::Decimal(units, _, scale) if scale == SCALE as usize => Ok(Sum::from_units(units)?),
        AnyValue::Null => Ok(Sum::ZERO),
        other => Err(unexpected(column, &other)),
    }
}

fn unexpected(column: &Column, value: &AnyValue<'_>) -> ReportError {
    ReportError::Contradiction(format!("the aggregate {} is of type {}", column.name(), value.dtype()))
}

#[cfg(test)]
mod tests;
