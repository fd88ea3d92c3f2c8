//! Several days are read at the same time, one on each core.

use std::ops::AddAssign;
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

/// Takes what a visitor of several days is told.
pub(super) struct Visits<'v, T>(&'v SyncSender<T>);

/// Takes what is seen on a day.
pub(super) type Sightings<'s> = Visits<'s, Sighting>;

impl<T> Visits<'_, T> {
    pub(super) fn add(&self, told: T) -> Result<(), Ended> {
        self.0.send(told).map_err(|_| Ended::Unwanted)
    }
}

/// The files of a day.
pub(super) type FilesOfDay<'f> = (Date, Vec<&'f DatasetFile>);

/// Reads several days at the same time and visits what is told of them; returns how much was read.
pub(super) fn on_each_core<T: Send, C: AddAssign + Default + Send, E: From<DatasetError>>(
    days: &[FilesOfDay<'_>],
    read: &(impl Fn(Date, &[&DatasetFile], &Visits<'_, T>) -> Result<C, Ended> + Sync),
    visit: &mut impl FnMut(T) -> Result<(), E>,
) -> Result<C, E> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE);
    let (sender, told) = sync_channel(WAITING);
    let next = Mutex::new(days.iter());
    thread::scope(|scope| {
        let read_days = || {
            let sender = sender.clone();
            let next = &next;
            scope.spawn(move || -> Result<C, Ended> {
                let mut counts = C::default();
                loop {
                    let day = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((date, files)) = day else { return Ok(counts) };
                    counts += read(*date, files, &Visits(&sender))?;
                }
            })
        };
        let threads: Vec<_> = (0..threads).map(|_| read_days()).collect();
        drop(sender);
        // Once a visit has failed, nothing is received any more, and the threads end.
        let visited = told.into_iter().try_for_each(visit);
        let mut counts = Ok(C::default());
        for thread in threads {
            let read = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            match (&mut counts, read) {
                (Ok(counts), Ok(read)) => *counts += read,
                (Ok(_), Err(Ended::Failed(error))) => counts = Err(error),
                _ => {}
            }
        }
        visited?;
        Ok(counts?)
    })
}

impl Days<'_> {
    /// Visits the orders of some days; returns how many there are and how often they were observed.
    pub(super) fn each<E: From<DatasetError>>(
        &self,
        days: &[FilesOfDay<'_>],
        visit: &mut impl FnMut(Sighting) -> Result<(), E>,
    ) -> Result<ReadCounts, E> {
        on_each_core(days, &|date, files, sightings| self.read_day(date, files, sightings), visit)
    }

    pub(super) fn exceptional(&self) -> MutexGuard<'_, ExceptionalOrders> {
        self.exceptional.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
