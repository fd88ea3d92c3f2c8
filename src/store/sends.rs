//! When the last requests went out to a provider, so that a run that starts within a second of another keeps the rate.

use jiff::Timestamp;
use rusqlite::Connection;

use super::Store;
use super::error::{StoreError, sqlite};
use crate::domain::time::from_microsecond;

const NOTING: &str = "record requests in";

/// What is known of the requests that earlier runs sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sends {
    /// The last ones went out at these times, the earliest first; empty if there were none.
    At(Vec<Timestamp>),
    /// A run was killed while it was sending: any number may have gone out just now.
    Unknown,
}

impl Store {
    /// Records that requests are sent to a provider from now on. Returns what was known of earlier ones.
    ///
    /// # Errors
    /// When the state can't be written; nothing is recorded then.
    pub fn begin_sending(&mut self, base_url: &str) -> Result<Sends, StoreError> {
        let times = self.change(NOTING, |connection| replace(connection, base_url, &[None]).map_err(sqlite(NOTING)))?;
        // A time out of range says as little as a missing one.
        let times: Option<Vec<Timestamp>> = times.into_iter().map(|time| from_microsecond(time?)).collect();
        Ok(times.map_or(Sends::Unknown, Sends::At))
    }

    /// Records that no more requests are sent to a provider for now, and when the last ones went out.
    ///
    /// # Errors
    /// When the state can't be written. The next [`Store::begin_sending`] then returns [`Sends::Unknown`].
    pub fn end_sending(&mut self, base_url: &str, sent: &[Timestamp]) -> Result<(), StoreError> {
        let times: Vec<_> = sent.iter().map(|time| Some(time.as_microsecond())).collect();
        self.change(NOTING, |connection| replace(connection, base_url, &times).map(drop).map_err(sqlite(NOTING)))
    }
}

/// Replaces the recorded times of a provider, and returns the old ones, the earliest first.
fn replace(connection: &Connection, base_url: &str, times: &[Option<i64>]) -> rusqlite::Result<Vec<Option<i64>>> {
    let before = connection
        .prepare("SELECT sent_at FROM sends WHERE base_url = ?1 ORDER BY sent_at")?
        .query_map([base_url], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    connection.execute("DELETE FROM sends WHERE base_url = ?1", [base_url])?;
    let mut insert = connection.prepare("INSERT INTO sends (base_url, sent_at) VALUES (?1, ?2)")?;
    for time in times {
        insert.execute((base_url, time))?;
    }
    Ok(before)
}
