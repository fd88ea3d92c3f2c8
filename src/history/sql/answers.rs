//! What an engine answers, checked as far as it can be without reading the dataset.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::DataFrame;

use super::columns::{ID, IS, Table, WAS};
use super::{Engine, SqlError, Statement};
use crate::domain::facts::{OrderFacts, SoundOrders, TextColumn};
use crate::domain::money::Sum;
use crate::domain::order::{Amounts, RunOrder, TimeField};
use crate::history::reading::{Baseline, CalendarDay, require_reason};
use crate::history::run::CurrencyTotals;
use crate::history::{Observed, ReadCounts, Reading, RunRecord, Side, Sighting, files};
use crate::parquet::columns::FactArrays;

/// What an engine answers about what is read of a dataset.
pub struct Answers<'r> {
    /// What is read.
    pub reading: &'r Reading<'r>,
    /// Who answers.
    pub engine: &'r Engine,
    /// Whether orders are counted on the days on which they were created.
    pub is_counted_by_creation: bool,
}

/// What is told of sound orders, or of another one.
#[derive(Debug)]
pub enum Answer {
    /// Sound orders that belong together.
    Sound(SoundOrders),
    /// Another order.
    Sighting(Sighting),
}

/// The rows of a run that lie in a day, or those without a fetched order.
type Place = (String, Option<Date>);

impl Answers<'_> {
    /// Visits every order; returns how many there are, and how often they were observed.
    ///
    /// # Errors
    /// When the engine did not read what the runs wrote, or an answer can't be, and those of `visit`.
    pub fn each<E: From<SqlError>>(&self, mut visit: impl FnMut(Answer) -> Result<(), E>) -> Result<ReadCounts, E> {
        let mut counts = ReadCounts { orders: 0, observations: self.observations()? };
        // Orders that were observed, and each of which needs a row.
        let mut told = 0_u64;
        let mut sums = BTreeMap::<String, [Sum; Amounts::NAMES.len()]>::new();
        self.engine.each(Statement::Orders, |frame| {
            let table = Table { statement: Statement::Orders, frame };
            let facts = table.facts("")?;
            for row in 0..frame.height() {
                if table.text(ID, row)?.is_none() {
                    let sound = sound(&table, row)?;
                    let day = Some(sound.day).filter(|_| self.is_counted_by_creation);
                    self.require_selected(&table, day, Some(&sound.workflow_id))?;
                    told = told.saturating_add(sound.orders);
                    if told > counts.observations {
                        return Err(table.wrong("it has more orders than were observed").into());
                    }
                    // The sums are sums of these: none of them can get too large either.
                    add(&table, sums.entry(sound.currency.clone()).or_default(), &sound.amounts)?;
                    visit(Answer::Sound(sound))?;
                    continue;
                }
                let (sighting, baseline) = self.sighting(&table, &facts, row)?;
                told += u64::from(matches!(sighting, Sighting::Observed(_)));
                visit(Answer::Sighting(sighting))?;
                baseline.map_or(Ok(()), |baseline| visit(Answer::Sighting(baseline)))?;
            }
            Ok::<_, E>(())
        })?;
        counts.orders = told;
        self.engine.each(Statement::Exceptions, |frame| {
            let table = Table { statement: Statement::Exceptions, frame };
            for row in 0..frame.height() {
                let text = |name| table.needed(table.text(name, row)?);
                let (id, bucket, reason, detail) = (text(ID)?, text("bucket")?, text("reason")?, text("detail")?);
                require_reason(id, bucket, reason, detail).map_err(|problem| table.wrong(problem))?;
                counts.orders += 1;
                let [run_order_id, bucket, reason, detail] = [id, bucket, reason, detail].map(str::to_owned);
                let day = table.day(row)?;
                visit(Answer::Sighting(Sighting::Exception { day, run_order_id, bucket, reason, detail }))?;
            }
            Ok::<_, E>(())
        })?;
        Ok(counts)
    }

    /// Visits the two sides of each order of a closed month that is not as it was, as far as there are two.
    ///
    /// # Errors
    /// When an answer can't be, and those of `visit`.
    pub fn changes<E: From<SqlError>>(&self, mut visit: impl FnMut(Side) -> Result<(), E>) -> Result<(), E> {
        self.engine.each(Statement::Changes, |frame| {
            let table = Table { statement: Statement::Changes, frame };
            for (side, is_now) in [(WAS, false), (IS, true)] {
                let (facts, settled) = (table.facts(side)?, format!("{side}settled"));
                for row in 0..frame.height() {
                    let Some(settled) = table.flag(&settled, row)? else { continue };
                    let (day, id) = (table.needed(table.day(row)?)?, table.needed(table.text(ID, row)?)?);
                    let facts = table.needed(facts.row(row))?;
                    let order = Box::new(order(&table, id, facts, settled)?);
                    visit(Side { day, run_order_id: id.to_owned(), is_now, order })?;
                }
            }
            Ok::<_, E>(())
        })
    }

    /// An order that is not sound or could not be fetched, with what it was first charged.
    fn sighting(
        &self,
        table: &Table<'_>,
        facts: &FactArrays,
        row: usize,
    ) -> Result<(Sighting, Option<Sighting>), SqlError> {
        let (id, day) = (table.needed(table.text(ID, row)?)?, table.needed(table.day(row)?)?);
        let rank = table.needed(table.place("place", row)?)?;
        let facts = table.needed(facts.row(row))?;
        let calendar = CalendarDay::new(day, self.reading.dataset.days());
        self.require_selected(table, Some(day), facts.text(TextColumn::WorkflowId))?;
        if !calendar.has(facts.microseconds(TimeField::CreatedAt)) {
            return Err(table.wrong(format!("the order {id:?} was created on another day")));
        }
        let baseline = table.place("first_place", row)?.filter(|first| *first != rank).map(|rank| {
            let currency = table.text("first_quote_currency", row)?;
            let mut units = [0; Amounts::NAMES.len()];
            for (units, name) in units.iter_mut().zip(Amounts::NAMES) {
                *units = table.needed(table.units(&format!("first_{name}"), row)?)?;
            }
            Ok::<_, SqlError>(Baseline { rank, currency, units }.sighting(day, id))
        });
        let settled = table.needed(table.flag("settled", row)?)?;
        let order = Box::new(order(table, id, facts, settled)?);
        let observed = Observed { day, run_order_id: id.to_owned(), rank, order };
        let is_missing = table.needed(table.flag("is_missing", row)?)?;
        let sighting = if is_missing { Sighting::LastSeen(observed) } else { Sighting::Observed(observed) };
        Ok((sighting, baseline.filter(|_| !is_missing).transpose()?))
    }

    /// Fails unless an order belongs to the selection. The day of creation is not known of sums by another day.
    fn require_selected(&self, table: &Table<'_>, day: Option<Date>, workflow: Option<&str>) -> Result<(), SqlError> {
        let selection = &self.reading.selection;
        if day.is_none_or(|day| selection.has_day(day)) && selection.has_workflow(workflow) {
            return Ok(());
        }
        Err(table.wrong("it has orders that were not asked for"))
    }

    /// Proves that the engine read every row that the runs wrote, none twice; returns how many orders they observed.
    fn observations(&self) -> Result<u64, SqlError> {
        let mut rows = BTreeMap::<Place, u64>::new();
        let mut totals = BTreeMap::<(String, String), CurrencyTotals>::new();
        let runs: BTreeMap<&str, &str> = self.reading.jobs().into_iter().map(|(run, job, _)| (job, run)).collect();
        let mut observations = 0_u64;
        self.engine.each(Statement::Population, |frame| {
            let table = Table { statement: Statement::Population, frame };
            for row in 0..frame.height() {
                let job = table.needed(table.text("run", row)?)?;
                let run = runs.get(job).ok_or_else(|| table.wrong(format!("there is no run {job:?}")))?;
                let count = |name| table.count(name, row);
                let (read, orders, settled) = (count("observations")?, count("orders")?, count("settled_orders")?);
                if count("contradictions")? > 0 {
                    return Err(table.wrong(format!("rows of {job} are both settled or not and moved, or neither")));
                }
                let currency = table.needed(table.text("quote_currency", row)?)?;
                let place = rows.entry(((*run).to_owned(), table.day(row)?)).or_default();
                *place = place.saturating_add(read);
                observations = observations.saturating_add(orders);
                let total = totals
                    .entry(((*run).to_owned(), currency.to_owned()))
                    .or_insert_with(|| CurrencyTotals { currency: currency.to_owned(), ..CurrencyTotals::default() });
                total.orders = total.orders.saturating_add(orders);
                total.settled = total.settled.saturating_add(settled);
                add(&table, &mut total.amounts, &table.sums(row)?)?;
            }
            Ok::<_, SqlError>(())
        })?;
        self.require_rows(&rows)?;
        let selection = &self.reading.selection;
        // The totals of a run are those of all its days.
        if selection.since.or(selection.until).is_none() {
            self.reading.runs().iter().try_for_each(|run| require_totals(run, &totals))?;
        }
        Ok(observations)
    }

    fn require_rows(&self, read: &BTreeMap<Place, u64>) -> Result<(), SqlError> {
        let mut written = BTreeMap::<Place, u64>::new();
        for run in self.reading.runs() {
            for file in run.files.iter().filter(|file| self.reading.reads(file)) {
                let rows = written.entry((run.run.clone(), files::day(&file.path))).or_default();
                *rows = rows.saturating_add(file.rows);
            }
        }
        let of = |rows: &BTreeMap<Place, u64>, place| rows.get(place).copied().unwrap_or_default();
        let differing = written.keys().chain(read.keys()).find(|place| of(&written, place) != of(read, place));
        let Some(place) = differing else { return Ok(()) };
        let what = place.1.map_or_else(|| "without a fetched order".to_owned(), |day| format!("of the day {day}"));
        let (read, wrote, run) = (of(read, place), of(&written, place), &place.0);
        Err(SqlError::Contradiction(format!("it read {read} rows {what} of the run {run}, which wrote {wrote}")))
    }
}

/// Fails unless a run's totals are those that its record has.
fn require_totals(run: &RunRecord, read: &BTreeMap<(String, String), CurrencyTotals>) -> Result<(), SqlError> {
    let mut written: Vec<&CurrencyTotals> = run.control_totals.iter().collect();
    written.sort_by(|one, other| one.currency.cmp(&other.currency));
    let read = read.iter().filter(|((name, _), total)| *name == run.run && total.orders > 0).map(|(_, total)| total);
    if read.eq(written) {
        return Ok(());
    }
    let problem = format!("the control totals that it read of the run {} are not those that it wrote", run.run);
    Err(SqlError::Contradiction(problem))
}

/// Fails unless the engine calculates as it must; returns what the answers say of themselves.
pub(super) fn require_exact(session: &DataFrame) -> Result<String, SqlError> {
    let table = Table { statement: Statement::Session, frame: session };
    let text = |name| table.needed(table.text(name, 0)?);
    let count = |name| table.count(name, 0);
    if session.height() != 1 {
        return Err(table.wrong("it is not a single row"));
    }
    let untrusted = |what: &str| Err(SqlError::Untrusted(what.to_owned()));
    match (text("time_zone")?, text("coercion")?, count("alike")?) {
        ("UTC", "bigint", 0) => {}
        ("UTC", "bigint", _) => return untrusted("it takes different texts for the same"),
        ("UTC", ..) => return untrusted("its session is not in ANSI mode (spark.sql.ansi.enabled = true)"),
        (zone, ..) => {
            let problem = format!("its session is in the time zone {zone:?} (spark.sql.session.timeZone = UTC)");
            return Err(SqlError::Untrusted(problem));
        }
    }
    match (text("total")?, count("sums")?, count("differences")?) {
        (super::statements::TOTAL, 1, 1) => {
            let job = hex::decode(text("job")?).ok().and_then(|job| String::from_utf8(job).ok());
            table.needed(job)
        }
        _ => untrusted("it does not calculate with eight decimals"),
    }
}

/// The sums of sound orders in a row.
fn sound(table: &Table<'_>, row: usize) -> Result<SoundOrders, SqlError> {
    let key = |name: TextColumn| Ok::<_, SqlError>(table.text(name.name(), row)?.unwrap_or_default().to_owned());
    let (orders, failed_runs) = (table.count("orders", row)?, table.count("failed_runs", row)?);
    let amounts = table.sums(row)?;
    // An empty group, a negative sum or more failed runs than orders can't be.
    if orders == 0 || failed_runs > orders || amounts.iter().any(|sum| *sum < Sum::ZERO) {
        return Err(table.wrong("the sums of sound orders contradict each other"));
    }
    Ok(SoundOrders {
        workflow_id: key(TextColumn::WorkflowId)?,
        revision_id: key(TextColumn::RevisionId)?,
        day: table.needed(table.day(row)?)?,
        currency: table.needed(table.text(TextColumn::QuoteCurrency.name(), row)?)?.to_owned(),
        orders,
        failed_runs,
        amounts,
    })
}

/// An order that was observed.
fn order(table: &Table<'_>, id: &str, facts: OrderFacts<'_>, settled: bool) -> Result<RunOrder, SqlError> {
    let order = table.needed(facts.order(None))?;
    if order.is_settled() != settled {
        return Err(table.wrong(format!("the order {id:?} is not settled as its words say")));
    }
    Ok(RunOrder { run_order_id: Some(id.to_owned()), ..order })
}

fn add(
    table: &Table<'_>,
    to: &mut [Sum; Amounts::NAMES.len()],
    amounts: &[Sum; Amounts::NAMES.len()],
) -> Result<(), SqlError> {
    for (sum, amount) in to.iter_mut().zip(amounts) {
        *sum = sum.plus(*amount).map_err(|error| table.wrong(error.to_string()))?;
    }
    Ok(())
}
