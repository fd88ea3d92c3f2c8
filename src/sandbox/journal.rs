//! Who asked for what, when, and what was answered: the evidence for "at most so many a second" and "asked once".

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::SandboxError;

/// One request. The key that it came with is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When its head had been read, since the sandbox opened.
    pub at: Duration,
    /// The order that it asked for; none where it asked for no order.
    pub run_order_id: Option<String>,
    /// What it got.
    pub answered: Answered,
}

/// What a request got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The proper reply, of that HTTP status.
    Status(u16),
    /// A planned fault, as the plan writes it: `status=502`.
    Fault(Arc<str>),
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// The requests that a sandbox got, where [`super::Options::journal`] is on. It outlives the sandbox.
///
/// A request stands in it before its answer goes out, so whoever has an answer finds the request here.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Arrival>>>);

impl Journal {
    /// Every request, in the order of arrival.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // They are noted when their answer is known, which may be in another order.
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    /// How often an order was asked for.
    #[must_use]
    pub fn asked(&self, run_order_id: &str) -> usize {
        let arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.iter().filter(|arrival| arrival.run_order_id.as_deref() == Some(run_order_id)).count()
    }

    /// The most requests that arrived within any half-open window of that length.
    #[must_use]
    pub fn most_within(&self, window: Duration) -> usize {
        let arrivals = self.arrivals();
        let mut first = 0;
        let mut most = 0;
        for (last, arrival) in arrivals.iter().enumerate() {
            while arrivals.get(first).is_some_and(|earliest| arrival.at - earliest.at >= window && first < last) {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}

/// Writes down requests: for the process, in a file, or both.
pub(super) struct Recorder {
    journal: Option<Journal>,
    log: Option<Log>,
}

impl Recorder {
    /// A recorder; none where nothing is to be written down.
    pub(super) fn new(journal: Option<Journal>, log: Option<Log>) -> Option<Self> {
        (journal.is_some() || log.is_some()).then_some(Self { journal, log })
    }

    /// Writes a request down.
    pub(super) fn note(&self, arrival: Arrival) {
        if let Some(log) = &self.log {
            log.write(&arrival);
        }
        if let Some(Journal(arrivals)) = &self.journal {
            arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
        }
    }
}

/// The request log: one CSV line per request.
pub(super) struct Log {
    lines: Mutex<csv::Writer<File>>,
    broken: mpsc::UnboundedSender<io::Error>,
}

impl Log {
    /// Makes the file. `broken` hears of a line that can't be written: a log with gaps would prove nothing.
    pub(super) fn create(path: &Path, broken: mpsc::UnboundedSender<io::Error>) -> Result<Self, SandboxError> {
        let refused = |source| SandboxError::RequestLog { path: path.to_owned(), source };
        let mut lines = csv::Writer::from_writer(File::create_new(path).map_err(refused)?);
        let heading = lines.write_record(["micros", "status_or_fault", "run_order_id"]).map_err(io::Error::from);
        heading.and_then(|()| lines.flush()).map_err(refused)?;
        Ok(Self { lines: Mutex::new(lines), broken })
    }

    fn write(&self, arrival: &Arrival) {
        let (micros, answered) = (arrival.at.as_micros().to_string(), arrival.answered.to_string());
        let id = arrival.run_order_id.as_deref().unwrap_or_default();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let written = lines.write_record([micros.as_str(), answered.as_str(), id]).map_err(io::Error::from);
        // One line is one write, so that what was answered is in the file even if the sandbox is killed.
        if let Err(error) = written.and_then(|()| lines.flush()) {
            let what = format!("the request log can't be written: {error}");
            // Where nobody hears it, the sandbox has stopped already.
            let _ = self.broken.send(io::Error::new(error.kind(), what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(millis: &[u64]) -> Journal {
        let arrival = |at: &u64| Arrival {
            at: Duration::from_millis(*at),
            run_order_id: at.is_multiple_of(2).then(|| "even".to_owned()),
            answered: Answered::Status(200),
        };
        Journal(Arc::new(Mutex::new(millis.iter().map(arrival).collect())))
    }

    #[test]
    fn counts_the_fullest_window() {
        let second = Duration::from_secs(1);
        assert_eq!(journal(&[]).most_within(second), 0);
        assert_eq!(journal(&[0, 1000, 2000]).most_within(second), 1, "half open");
        assert_eq!(journal(&[1500, 0, 999, 1000, 1998, 2100]).most_within(second), 4);
        assert_eq!(journal(&[5, 5]).most_within(Duration::ZERO), 1, "a request is within its own window");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_log_that_cannot_be_written_is_said_to_be_broken() {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let (broken, mut breaks) = mpsc::unbounded_channel();
        let log = Log { lines: Mutex::new(csv::Writer::from_writer(full)), broken };
        log.write(&Arrival { at: Duration::ZERO, run_order_id: None, answered: Answered::Status(200) });
        let error = breaks.try_recv().expect("it is heard").to_string();
        assert!(error.starts_with("the request log can't be written: "), "{error}");
    }

    #[test]
    fn tells_arrivals_in_order() {
        let journal = journal(&[4, 1, 2, 3]);
        assert_eq!(journal.arrivals().iter().map(|arrival| arrival.at.as_millis()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((journal.asked("even"), journal.asked("odd")), (2, 0));
    }
}
