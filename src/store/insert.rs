//! What was learnt of one row, and how it is written.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, ffi, params_from_iter};
use sha2::{Digest, Sha256};

use super::books::{self, BOOKS};
use super::cells::integer;
use super::error::{Problem, io, sqlite};
use super::facts::{Facts, OBSERVATIONS};
use super::memory::{Lookup, Recalled};
use super::rows::{CONFIRMATIONS, Kind, OUTCOMES, Stored};
use super::runs::Providers;
use super::{RunId, runs};
use crate::domain::books::Booking;
use crate::domain::outcome::{Evidence, Fetched, Outcome};

const WRITING: &str = "write to";
/// The level at which replies are compressed: zstd's own default.
const LEVEL: i32 = 3;

/// What was learnt of one input row, and from where.
#[derive(Clone, Debug)]
pub struct Learnt {
    outcome: Outcome,
    seen_at: Timestamp,
    reply: Option<Vec<u8>>,
    /// The observation that the order is known from, where it was not asked for.
    recalled: Option<i64>,
    /// What our own books say of the order in that row.
    booking: Option<Booking>,
    /// Whether the row was read before, and this once more.
    is_confirmation: bool,
}

impl Learnt {
    /// What needs no reply: the row itself says it.
    #[must_use]
    pub const fn of(outcome: Outcome, seen_at: Timestamp) -> Self {
        Self { outcome, seen_at, reply: None, recalled: None, booking: None, is_confirmation: false }
    }

    /// What a reply said.
    #[must_use]
    pub fn replied(outcome: Outcome, seen_at: Timestamp, reply: Option<Vec<u8>>) -> Self {
        Self { reply, ..Self::of(outcome, seen_at) }
    }

    /// What an earlier run learnt of the order on that line.
    #[must_use]
    pub fn recalled(line: u64, run_order_id: String, seen_at: Timestamp, recalled: Recalled) -> Self {
        let Recalled { observation, order } = recalled;
        let evidence = Evidence::Fetched(Box::new(Fetched { order, is_reused: true, settled_as: None }));
        let outcome = Outcome { line, run_order_id, evidence };
        Self { recalled: Some(observation), ..Self::of(outcome, seen_at) }
    }

    /// The same, with what our own books say in that row.
    #[must_use]
    pub fn booked(self, booking: Option<Booking>) -> Self {
        Self { booking, ..self }
    }

    /// The same, of a row that was read before: from now on this counts.
    #[must_use]
    pub fn confirming(self) -> Self {
        Self { is_confirmation: true, ..self }
    }

    /// What became of the row.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

/// What is known of a run between the transactions that write it: nobody else writes meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    run: RunId,
    /// The number of this job.
    start: i64,
    provider: i64,
    /// Whether anything is remembered of the provider: where nothing is, there is nothing to look up.
    is_remembered: bool,
    /// The number of the next observation.
    next: i64,
}

impl Standing {
    pub(super) fn of(connection: &Connection, run: RunId) -> Result<Self, Problem> {
        let providers = Providers::read(connection)?;
        let provider = runs::provider_of(connection, run, &providers)?;
        let start = runs::one(connection, run)?.start;
        let last: Option<i64> = connection
            .query_row("SELECT max(observation_id) FROM observations", (), |row| row.get(0))
            .map_err(sqlite(WRITING))?;
        let is_remembered = providers.orders(provider) > 0;
        Ok(Self { run, start, provider, is_remembered, next: last.unwrap_or(0) + 1 })
    }
}

/// Writes outcomes of one run within a transaction.
pub(super) struct Inserter<'c> {
    connection: &'c Connection,
    standing: Standing,
    keeps_replies: bool,
    lookup: Option<Lookup<'c>>,
    outcomes: CachedStatement<'c>,
    observations: CachedStatement<'c>,
}

impl<'c> Inserter<'c> {
    pub(super) fn prepare(
        connection: &'c Connection,
        standing: Standing,
        keeps_replies: bool,
    ) -> Result<Self, Problem> {
        let failed = sqlite(WRITING);
        let lookup = standing.is_remembered.then(|| Lookup::prepare(connection));
        Ok(Self {
            connection,
            standing,
            keeps_replies,
            lookup: lookup.transpose().map_err(failed)?,
            outcomes: connection.prepare_cached(&OUTCOMES.insert()).map_err(failed)?,
            observations: connection.prepare_cached(&OBSERVATIONS.insert()).map_err(failed)?,
        })
    }

    /// What is known once what was inserted is committed.
    pub(super) fn finish(self) -> Standing {
        self.standing
    }

    pub(super) fn insert(&mut self, learnt: Learnt) -> Result<(), Problem> {
        let Learnt { outcome, seen_at, reply, recalled, booking, is_confirmation } = learnt;
        let Outcome { line, run_order_id, evidence } = outcome;
        let line = integer("line", line)?;
        if let Some(booking) = booking {
            self.book(&evidence, line, &booking)?;
        }
        let kind = match (Kind::of(evidence), recalled) {
            (Ok(kind), _) => kind,
            (Err(_), Some(observation)) => Kind::Fetched { observation, is_reused: true },
            (Err(fetched), None) => {
                let observation = self.observe(&run_order_id, *fetched, seen_at)?;
                Kind::Fetched { observation, is_reused: false }
            }
        };
        let hash = reply.as_ref().map(|reply| Sha256::digest(reply).into());
        let Standing { run, start, .. } = self.standing;
        let row = Stored { run, line, run_order_id: &run_order_id, kind, start, seen_at, reply: hash }.row();
        let confirmations = || self.connection.prepare_cached(&CONFIRMATIONS.insert());
        let written = match is_confirmation {
            false => self.outcomes.execute(params_from_iter(row)),
            true => confirmations().and_then(|mut statement| statement.execute(params_from_iter(row))),
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

    /// The observation of this state of the order: the one that is remembered last, or a new one.
    fn observe(&mut self, asked: &str, fetched: Fetched, seen_at: Timestamp) -> Result<i64, Problem> {
        let facts = Facts::of(asked, fetched.order);
        if let Some(lookup) = &mut self.lookup
            && let Some(memory) = lookup.find(self.standing.provider, asked)?
            && memory.latest_state == facts.state
        {
            return Ok(memory.latest);
        }
        let observation = self.standing.next;
        self.standing.next += 1;
        let row = facts.row(observation, self.standing.provider, asked.to_owned(), seen_at);
        self.observations.execute(params_from_iter(row)).map_err(sqlite(WRITING))?;
        Ok(observation)
    }

    fn book(&self, evidence: &Evidence, line: i64, booking: &Booking) -> Result<(), Problem> {
        let order_line = match evidence {
            Evidence::Duplicate { first_line } => integer("first_line", *first_line)?,
            _ => line,
        };
        let row = books::row(self.standing.run, order_line, line, booking);
        let mut statement = self.connection.prepare_cached(&BOOKS.insert()).map_err(sqlite(WRITING))?;
        statement.execute(params_from_iter(row)).map_err(sqlite(WRITING))?;
        Ok(())
    }

    fn keep(&self, line: i64, reply: &[u8]) -> Result<(), Problem> {
        let compressed = zstd::bulk::compress(reply, LEVEL).map_err(io("compress a reply for"))?;
        let statement = "INSERT OR REPLACE INTO replies (run_id, line, reply) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(statement).map_err(sqlite(WRITING))?;
        statement.execute((self.standing.run.0, line, compressed)).map_err(sqlite(WRITING))?;
        Ok(())
    }
}
