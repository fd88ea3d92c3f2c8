//! Several days are read at the same time, one on each core.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::civil::Date;

use super::exceptional::ExceptionalOrders;
use super::identifier::Identifiers;
use super::{Names, ReadCounts, Reading, Sighting};
use crate::checks::Soundness;
use crate::history::{DatasetError, DatasetFile};

/// The most days that are read at the same time: each holds up to some 300 MB.
const AT_ONCE: usize = 4;
/// How many sightings wait to be visited.
const WAITING: usize = 256;

/// What is needed to read a day, in one pass over a dataset.
pub(super) struct Days<'p> {
    pub(super) reading: &'p Reading<'p>,
    pub(super) soundness: &'p Soundness,
    pub(super) names: &'p Names<'p>,
    pub(super) identifiers: &'p Identifiers,
    pub(super) exceptional: Mutex<ExceptionalOrders>,
}

/// Why the reading of a day ends early.
pub(super) enum Ended {
    /// A file can't be read.
    Failed(DatasetError),
    /// Nobody wants to know any more.
    Unwanted,
}

impl From<DatasetError> for Ended {
    fn from(error: DatasetError) -> Self {
        Self::Failed(error)
    }
}

/// Takes what is seen on a day.
pub(super) struct Sightings<'s>(&'s SyncSender<Sighting>);

impl Sightings<'_> {
    pub(super) fn add(&self, sighting: Sighting) -> Result<(), Ended> {
        self.0.send(sighting).map_err(|_| Ended::Unwanted)
    }
}

impl Days<'_> {
    /// Visits the orders of some days; returns how many there are and how often they were observed.
    pub(super) fn each<E: From<DatasetError>>(
        &self,
        days: &[(Date, Vec<&DatasetFile>)],
        visit: &mut impl FnMut(Sighting) -> Result<(), E>,
    ) -> Result<ReadCounts, E> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE);
        let (sender, sightings) = sync_channel(WAITING);
        let next = Mutex::new(days.iter());
        thread::scope(|scope| {
            let read = || {
                let sender = sender.clone();
                let next = &next;
                scope.spawn(move || -> Result<ReadCounts, Ended> {
                    let mut counts = ReadCounts::default();
                    loop {
                        let day = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((date, files)) = day else { return Ok(counts) };
                        counts.add(self.read_day(*date, files, &Sightings(&sender))?);
                    }
                })
            };
            let threads: Vec<_> = (0..threads).map(|_| read()).collect();
            drop(sender);
            // Once a visit has failed, nothing is received any more, and the threads end.
            let visited = sightings.into_iter().try_for_each(visit);
            let mut counts = Ok(ReadCounts::default());
            for thread in threads {
                let read = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                match (&mut counts, read) {
                    (Ok(counts), Ok(read)) => counts.add(read),
                    (Ok(_), Err(Ended::Failed(error))) => counts = Err(error),
                    _ => {}
                }
            }
            visited?;
            Ok(counts?)
        })
    }

    pub(super) fn exceptional(&self) -> MutexGuard<'_, ExceptionalOrders> {
        self.exceptional.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
