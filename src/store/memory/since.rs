//! What other runs saw of the orders of a run since its rows were read.

use std::collections::HashMap;

use jiff::Timestamp;

use super::buckets::hash;
use super::{Lookup, observation};
use crate::store::error::{StoreError, sqlite};
use crate::store::runs::{self, Providers, Run};
use crate::store::{RunId, Store};

impl Store {
    /// By line of `run`: when an order was created as a later job of another run saw it, if the row shows something else.
    /// The sightings of all runs must be in the memory.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn created_since(&self, run: RunId) -> Result<HashMap<u64, Option<Timestamp>>, StoreError> {
        let mut rows = Vec::new();
        self.for_each_row(run, None, |row| {
            rows.push((row.line, row.job, row.run_order_id.into_owned()));
            Ok::<_, StoreError>(())
        })?;
        let first = rows.iter().map(|(_, job, _)| *job).min();
        let is_later = |other: &Run| other.id != run && first.is_some_and(|first| other.job > first);
        if !self.runs()?.iter().any(is_later) {
            return Ok(HashMap::new());
        }
        self.read(|connection| {
            let provider = runs::provider_of(connection, run, &Providers::read(connection)?)?;
            let mut lookup = Lookup::prepare(connection).map_err(sqlite("look up an order in"))?;
            let mut since = HashMap::new();
            for (line, job, order) in rows {
                let found = lookup.find(provider, hash(&order), &order)?;
                if let Some(memory) = found.filter(|memory| memory.job > job && memory.is_shown) {
                    let (_, _, latest) = observation(connection, memory.latest)?;
                    if latest.is_about(&order) {
                        since.insert(line, latest.created_at);
                    }
                }
            }
            Ok(since)
        })
    }
}
