//! Spend over orders whose facts are kept in no file of the report: those of a dataset.

use std::collections::BTreeMap;
use std::mem;
use std::path::Path;

use polars::prelude::{
    AnyValue, Column, DataFrame, DataType, Int128Chunked, IntoColumn, NewChunkedArray, PolarsResult, Scalar,
    StringChunked, UInt64Chunked,
};

use super::{COUNTS, CURRENCY, DIFFERENCES, KEYS, Spend, SpendPart, SpendParts, columns};
use crate::domain::days::Days;
use crate::domain::facts::{OrderFacts, SoundOrders};
use crate::domain::money::SCALE;
use crate::domain::order::Amounts;
use crate::domain::outcome::Bucket;
use crate::parquet::columns::{OrderFrame, texts};
use crate::parquet::stage::Stage;
use crate::report::ReportError;
use crate::report::evidence::facts::{BUCKET, RowGroup, SETTLED};

/// How many groups of sound orders are given at once.
const GROUPS: usize = 1 << 14;

/// Sums spend over orders of a dataset, on a thread of its own.
pub struct SpendElsewhere {
    days: Days,
    /// The orders that were judged one by one, until they are enough to be summed.
    judged: RowGroup,
    /// Sound orders that were summed elsewhere, until they are enough.
    sound: Vec<SoundOrders>,
    summing: Stage<SpendPart, Spend, ReportError>,
    orders: u64,
}

impl SpendElsewhere {
    /// Begins with no orders. `dataset` is where they come from.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn begin(dataset: &Path, days: Days) -> Result<Self, ReportError> {
        let summing = SpendParts::on_a_thread(dataset, days.clone())?;
        Ok(Self { days, judged: RowGroup::new(), sound: Vec::new(), summing, orders: 0 })
    }

    /// Adds sound orders; returns how many there are of each currency.
    ///
    /// # Errors
    /// When the orders can't be summed.
    pub fn add_sound(&mut self, orders: &OrderFrame) -> Result<BTreeMap<String, u64>, ReportError> {
        let failed = ReportError::polars("sum the orders for");
        let (frame, by_currency) = self.sound_frame(orders).map_err(failed)?;
        self.orders += frame.height() as u64;
        self.summing.give(SpendPart::Orders(frame))?;
        Ok(by_currency)
    }

    /// Adds sound orders that were summed elsewhere.
    ///
    /// # Errors
    /// When they can't be summed.
    pub fn add_summed(&mut self, orders: SoundOrders) -> Result<(), ReportError> {
        self.orders = self.orders.saturating_add(orders.orders);
        self.sound.push(orders);
        if self.sound.len() < GROUPS { Ok(()) } else { self.give_summed() }
    }

    fn give_summed(&mut self) -> Result<(), ReportError> {
        let groups = groups(&mem::take(&mut self.sound)).map_err(ReportError::polars("sum the orders for"))?;
        self.summing.give(SpendPart::Groups(groups))
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
        // Orders of a dataset have no line, and are never reused: nothing is summed by either.
        self.judged.push(0, run_order_id, order, settled, bucket, false);
        self.judged.take_full().map_or(Ok(()), |group| self.give(group))
    }

    fn give(&mut self, judged: RowGroup) -> Result<(), ReportError> {
        let frame = judged.frame().map_err(ReportError::polars("sum the orders for"))?;
        self.orders += frame.height() as u64;
        self.summing.give(SpendPart::Orders(frame))
    }

    /// Ends the sum: how many orders were added, and their spend.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn finish(mut self) -> Result<(u64, Spend), ReportError> {
        let judged = mem::replace(&mut self.judged, RowGroup::new());
        if !judged.is_empty() {
            self.give(judged)?;
        }
        if !self.sound.is_empty() {
            self.give_summed()?;
        }
        Ok((self.orders, self.summing.end()?))
    }
}

/// Sound orders as groups of spend: all of them settled, without a difference.
fn groups(sound: &[SoundOrders]) -> PolarsResult<DataFrame> {
    let [workflow, revision, day, currency] = KEYS;
    let texts = |name: &str, text: fn(&SoundOrders) -> String| {
        StringChunked::from_iter_values(name.into(), sound.iter().map(text)).into_column()
    };
    let mut columns = vec![
        texts(workflow, |group| group.workflow_id.clone()),
        texts(revision, |group| group.revision_id.clone()),
        texts(day, |group| group.day.to_string()),
        texts(currency, |group| group.currency.clone()),
    ];
    let counts: [fn(&SoundOrders) -> u64; COUNTS.len()] =
        [|group| group.orders, |group| group.orders, |_| 0, |group| group.failed_runs, |_| 0];
    for (name, count) in COUNTS.into_iter().zip(counts) {
        columns.push(UInt64Chunked::from_iter_values(name.into(), sound.iter().map(count)).into_column());
    }
    let mut decimals = |name: &str, units: &dyn Fn(&SoundOrders) -> i128| {
        let units = Int128Chunked::from_iter_values(name.into(), sound.iter().map(units));
        units.into_decimal(38, SCALE as usize).map(|column| columns.push(column.into_column()))
    };
    for (place, name) in Amounts::NAMES.into_iter().enumerate() {
        decimals(name, &|group| group.amounts[place].units())?;
    }
    DIFFERENCES.into_iter().try_for_each(|name| decimals(name, &|_| 0))?;
    DataFrame::new(sound.len(), columns)
}
