//! The outcome of one row, and how it is written to the state.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, ffi, params_from_iter};
use sha2::{Digest, Sha256};

use super::books::{self, BOOKS};
use super::cells::integer;
use super::error::{Problem, io, sqlite};
use super::facts::{Facts, OBSERVATIONS};
use super::memory::buckets::hash;
use super::memory::{Lookup, ReusedOrder, observation};
use super::rows::{CONFIRMATIONS, Kind, OUTCOMES, OutcomeRow, Shown};
use super::runs::Providers;
use super::{RunId, runs};
use crate::domain::books::Booking;
use crate::domain::outcome::{CreatedBefore, Evidence, Fetched, Outcome};

const WRITING: &str = "write to";
/// The compression level of stored replies: zstd's own default.
const LEVEL: i32 = 3;

/// The outcome of one input row, and where it comes from.
#[derive(Clone, Debug)]
pub struct RowOutcome {
    outcome: Outcome,
    seen_at: Timestamp,
    reply: Option<Vec<u8>>,
    /// The ID of the observation that the order is taken from, if it was reused instead of fetched.
    reused: Option<i64>,
    /// The cells of our own books in that row.
    booking: Option<Booking>,
    /// Whether this is a recheck of a row that already has an outcome.
    is_recheck: bool,
}

impl RowOutcome {
    /// An outcome without a reply, such as that of a duplicate or rejected row.
    #[must_use]
    pub const fn of(outcome: Outcome, seen_at: Timestamp) -> Self {
        Self { outcome, seen_at, reply: None, reused: None, booking: None, is_recheck: false }
    }

    /// An outcome of a request. `reply` is the body of the reply that decided it, if there was one.
    #[must_use]
    pub fn with_reply(outcome: Outcome, seen_at: Timestamp, reply: Option<Vec<u8>>) -> Self {
        Self { reply, ..Self::of(outcome, seen_at) }
    }

    /// The outcome of a line whose order is reused from an earlier run.
    #[must_use]
    pub fn reused(line: u64, run_order_id: String, seen_at: Timestamp, reused: ReusedOrder) -> Self {
        let ReusedOrder { observation, order } = reused;
        let evidence = Evidence::Fetched(Box::new(Fetched { order, is_reused: true, baseline: None }));
        let outcome = Outcome { line, run_order_id, evidence };
        Self { reused: Some(observation), ..Self::of(outcome, seen_at) }
    }

    /// Adds the cells of our own books in that row.
    #[must_use]
    pub fn with_booking(self, booking: Option<Booking>) -> Self {
        Self { booking, ..self }
    }

    /// Marks this as a recheck: from now on it counts in place of the row's first outcome.
    #[must_use]
    pub fn as_recheck(self) -> Self {
        Self { is_recheck: true, ..self }
    }

    /// The outcome of the row.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

/// What the writer of a run keeps from one transaction to the next: no other job writes meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterContext {
    run: RunId,
    /// The number of this job.
    job: i64,
    provider: i64,
    /// Whether the memory holds any order of the provider. If not, nothing is looked up.
    is_remembered: bool,
    /// The ID of the next observation.
    next: i64,
    /// Whether a row may show its order otherwise than it is remembered.
    pub(super) may_differ: bool,
}

impl WriterContext {
    pub(super) fn of(connection: &Connection, run: RunId) -> Result<Self, Problem> {
        let providers = Providers::read(connection)?;
        let provider = runs::provider_of(connection, run, &providers)?;
        let job = runs::one(connection, run)?.job;
        let last: Option<i64> = connection
            .query_row("SELECT max(observation_id) FROM observations", (), |row| row.get(0))
            .map_err(sqlite(WRITING))?;
        let is_remembered = providers.orders(provider) > 0;
        // What another run saw that is not in the memory yet is not looked up.
        let may_differ = runs::all(connection)?.iter().any(|other| other.id != run && !other.is_remembered);
        Ok(Self { run, job, provider, is_remembered, next: last.unwrap_or(0) + 1, may_differ })
    }
}

/// Writes outcomes of one run within a transaction.
pub(super) struct Inserter<'c> {
    connection: &'c Connection,
    context: WriterContext,
    keeps_replies: bool,
    lookup: Option<Lookup<'c>>,
    outcomes: CachedStatement<'c>,
    observations: CachedStatement<'c>,
}

impl<'c> Inserter<'c> {
    pub(super) fn prepare(
        connection: &'c Connection,
        context: WriterContext,
        keeps_replies: bool,
    ) -> Result<Self, Problem> {
        let failed = sqlite(WRITING);
        let lookup = context.is_remembered.then(|| Lookup::prepare(connection));
        Ok(Self {
            connection,
            context,
            keeps_replies,
            lookup: lookup.transpose().map_err(failed)?,
            outcomes: connection.prepare_cached(&OUTCOMES.insert()).map_err(failed)?,
            observations: connection.prepare_cached(&OBSERVATIONS.insert()).map_err(failed)?,
        })
    }

    /// The context after these inserts, valid once they are committed.
    pub(super) fn finish(self) -> WriterContext {
        self.context
    }

    pub(super) fn insert(&mut self, row: RowOutcome) -> Result<(), Problem> {
        let RowOutcome { outcome, seen_at, reply, reused, booking, is_recheck } = row;
        let Outcome { line, run_order_id, evidence } = outcome;
        let line = integer("line", line)?;
        if let Some(booking) = booking {
            self.book(&evidence, line, &booking)?;
        }
        let is_unknown = matches!(evidence, Evidence::NotFound(_));
        self.context.may_differ |= self.lookup.is_some() && (is_unknown || reused.is_some());
        let kind = match (Kind::of(evidence), reused) {
            (Ok(kind), _) => kind,
            (Err(_), Some(observation)) => {
                Kind::Fetched { observation, shown: None, created_before: None, is_reused: true }
            }
            (Err(fetched), None) => {
                let is_shown = fetched.order.is_about(&run_order_id);
                let is_whole = fetched.order.amounts.in_order().iter().all(Option::is_some);
                let created_at = fetched.order.created_at;
                let facts = Facts::of(&run_order_id, fetched.order);
                let shown = is_shown.then_some(Shown { is_settled: facts.is_settled, is_whole, state: facts.state });
                let (observation, created_before) = self.observe(&run_order_id, created_at, facts, seen_at)?;
                let created_before = created_before.filter(|_| is_shown);
                Kind::Fetched { observation, shown, created_before, is_reused: false }
            }
        };
        let hash = reply.as_ref().map(|reply| Sha256::digest(reply).into());
        let WriterContext { run, job, .. } = self.context;
        let row = OutcomeRow { run, line, run_order_id: &run_order_id, kind, job, seen_at, reply: hash }.values();
        let rechecks = || self.connection.prepare_cached(&CONFIRMATIONS.insert());
        let written = match is_recheck {
            false => self.outcomes.execute(params_from_iter(row)),
            true => rechecks().and_then(|mut statement| statement.execute(params_from_iter(row))),
        };
        written.map_err(|error| match error.sqlite_extended_error_code() {
            Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Problem::AlreadyStored { run, line },
            _ => sqlite(WRITING)(error),
        })?;
        match reply {
            Some(reply) if self.keeps_replies => self.keep(line, &reply),
            _ => Ok(()),
        }
    }

    /// The ID of this state's observation: the order's latest one if the state is unchanged, or a new one. Also when the
    /// order was created as far as the latest one knew, if that has changed.
    fn observe(
        &mut self,
        asked: &str,
        created_at: Option<Timestamp>,
        facts: Facts,
        seen_at: Timestamp,
    ) -> Result<(i64, Option<CreatedBefore>), Problem> {
        let (mut created_before, mut baseline) = (None, None);
        if let Some(lookup) = &mut self.lookup
            && let Some(memory) = lookup.find(self.context.provider, hash(asked), asked)?
        {
            baseline = memory.baseline;
            if memory.latest_state == facts.state {
                self.context.may_differ |= baseline.is_some_and(|baseline| baseline != memory.latest);
                return Ok((memory.latest, None));
            }
            let (_, _, latest) = observation(self.connection, memory.latest)?;
            let microsecond = |time: Option<Timestamp>| time.map(Timestamp::as_microsecond);
            let is_other = latest.is_about(asked) && microsecond(latest.created_at) != microsecond(created_at);
            created_before = is_other.then_some(CreatedBefore(latest.created_at));
        }
        self.context.may_differ |= baseline.is_some();
        let observation = self.context.next;
        self.context.next += 1;
        let row = facts.row(observation, self.context.provider, asked.to_owned(), seen_at);
        self.observations.execute(params_from_iter(row)).map_err(sqlite(WRITING))?;
        Ok((observation, created_before))
    }

    fn book(&self, evidence: &Evidence, line: i64, booking: &Booking) -> Result<(), Problem> {
        let order_line = match evidence {
            Evidence::Duplicate { first_line } => integer("first_line", *first_line)?,
            _ => line,
        };
        let row = books::row(self.context.run, order_line, line, booking);
        let mut statement = self.connection.prepare_cached(&BOOKS.insert()).map_err(sqlite(WRITING))?;
        statement.execute(params_from_iter(row)).map_err(sqlite(WRITING))?;
        Ok(())
    }

    fn keep(&self, line: i64, reply: &[u8]) -> Result<(), Problem> {
        let compressed = zstd::bulk::compress(reply, LEVEL).map_err(io("compress a reply for"))?;
        let statement = "INSERT OR REPLACE INTO replies (run_id, line, reply) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(statement).map_err(sqlite(WRITING))?;
        statement.execute((self.context.run.0, line, compressed)).map_err(sqlite(WRITING))?;
        Ok(())
    }
}
