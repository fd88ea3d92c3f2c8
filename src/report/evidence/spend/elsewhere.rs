//! Spend over orders whose facts are kept in no file of the report: those of a dataset.

use std::collections::BTreeMap;
use std::mem;
use std::path::Path;

use polars::prelude::{AnyValue, BooleanChunked, Column, DataFrame, DataType, IntoColumn, NewChunkedArray, Scalar};
use polars::prelude::{PolarsError, PolarsResult, StringChunked};

use super::{CURRENCY, Spend, SpendParts, columns};
use crate::domain::days::Days;
use crate::domain::facts::OrderFacts;
use crate::domain::outcome::Bucket;
use crate::parquet::columns::{FactColumns, OrderFrame, texts};
use crate::parquet::stage::Stage;
use crate::report::ReportError;
use crate::report::evidence::facts::{BUCKET, ROW_GROUP, SETTLED};

/// Sums spend over orders of a dataset, on a thread of its own.
pub struct SpendElsewhere {
    days: Days,
    /// The orders that were judged one by one, until they are enough to be summed.
    judged: Judged,
    summing: Stage<DataFrame, Spend, ReportError>,
    orders: u64,
}

#[derive(Default)]
struct Judged {
    facts: Option<FactColumns>,
    settled: Vec<bool>,
    buckets: Vec<Bucket>,
}

impl SpendElsewhere {
    /// Begins with no orders. `dataset` is where they come from.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn begin(dataset: &Path, days: Days) -> Result<Self, ReportError> {
        let summing = SpendParts::on_a_thread(dataset, days.clone())?;
        Ok(Self { days, judged: Judged::default(), summing, orders: 0 })
    }

    /// Adds sound orders; returns how many there are of each currency.
    ///
    /// # Errors
    /// When the orders can't be summed.
    pub fn add_sound(&mut self, orders: &OrderFrame) -> Result<BTreeMap<String, u64>, ReportError> {
        let failed = ReportError::polars("sum the orders for");
        let (frame, by_currency) = self.sound_frame(orders).map_err(failed)?;
        self.orders += frame.height() as u64;
        self.summing.give(frame)?;
        Ok(by_currency)
    }

    fn sound_frame(&self, orders: &OrderFrame) -> PolarsResult<(DataFrame, BTreeMap<String, u64>)> {
        let columns = columns(&self.days);
        let stored: Vec<&str> = columns.into_iter().filter(|name| ![SETTLED, BUCKET].contains(name)).collect();
        let mut frame = orders.select(&stored)?;
        let rows = frame.height();
        let all = |name: &str, value: Scalar| Column::new_scalar(name.into(), value, rows);
        frame.with_column(all(SETTLED, Scalar::from(true)))?;
        let bucket = AnyValue::StringOwned(Bucket::Reconciled.code().into());
        frame.with_column(all(BUCKET, Scalar::new(DataType::String, bucket)))?;
        let mut by_currency = BTreeMap::<String, u64>::new();
        for currency in texts(&frame, CURRENCY)?.iter() {
            let currency = currency.unwrap_or_default();
            match by_currency.get_mut(currency) {
                Some(orders) => *orders += 1,
                None => _ = by_currency.insert(currency.to_owned(), 1),
            }
        }
        Ok((frame, by_currency))
    }

    /// Adds an order that was judged.
    ///
    /// # Errors
    /// When orders can't be summed.
    pub fn add(
        &mut self,
        run_order_id: &str,
        order: &OrderFacts<'_>,
        settled: bool,
        bucket: Bucket,
    ) -> Result<(), ReportError> {
        self.judged.facts.get_or_insert_with(FactColumns::new).push(run_order_id, order);
        self.judged.settled.push(settled);
        self.judged.buckets.push(bucket);
        if self.judged.settled.len() < ROW_GROUP { Ok(()) } else { self.give_judged() }
    }

    fn give_judged(&mut self) -> Result<(), ReportError> {
        let Some(frame) = mem::take(&mut self.judged).frame().map_err(ReportError::polars("sum the orders for"))?
        else {
            return Ok(());
        };
        self.orders += frame.height() as u64;
        self.summing.give(frame)
    }

    /// Ends the sum: how many orders were added, and their spend.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn finish(mut self) -> Result<(u64, Spend), ReportError> {
        self.give_judged()?;
        Ok((self.orders, self.summing.end()?))
    }
}

impl Judged {
    fn frame(self) -> Result<Option<DataFrame>, PolarsError> {
        let Some(facts) = self.facts else { return Ok(None) };
        let mut columns = facts.finish()?;
        let rows = self.settled.len();
        columns.push(BooleanChunked::from_iter_values(SETTLED.into(), self.settled.into_iter()).into_column());
        let buckets = self.buckets.iter().map(|bucket| bucket.code());
        columns.push(StringChunked::from_iter_values(BUCKET.into(), buckets).into_column());
        DataFrame::new(rows, columns).map(Some)
    }
}
