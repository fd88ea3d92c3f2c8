//! Records every request, when it arrived and how it was answered: the proof that a client kept its rate and requested
//! each order once.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::SandboxError;

/// One request. Its API key is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When its head had been read, as time since the sandbox started.
    pub at: Duration,
    /// The `run_order_id` parameter, if it had one.
    pub run_order_id: Option<String>,
    /// How it was answered.
    pub answer: AnswerKind,
}

/// How a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// With the regular reply of this HTTP status.
    Status(u16),
    /// With a planned fault, as written in the plan: `status=502`.
    Fault(Arc<str>),
}

impl fmt::Display for AnswerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// The requests that a sandbox received if [`super::Options::journal`] is on. It may outlive the sandbox.
///
/// A request is recorded before its answer goes out, so a client that has its answer finds the request here.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Arrival>>>);

impl Journal {
    /// All requests in order of arrival.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Requests are recorded once their answer is known, which may be in a different order.
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    /// How often an order was requested.
    #[must_use]
    pub fn request_count(&self, run_order_id: &str) -> usize {
        let arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.iter().filter(|arrival| arrival.run_order_id.as_deref() == Some(run_order_id)).count()
    }

    /// The most requests that arrived within any half-open window of this length.
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

/// Records requests in the journal, in the request log, or in both.
pub(super) struct Recorder {
    journal: Option<Journal>,
    log: Option<Log>,
}

impl Recorder {
    /// A recorder; `None` if there is neither a journal nor a log.
    pub(super) fn new(journal: Option<Journal>, log: Option<Log>) -> Option<Self> {
        (journal.is_some() || log.is_some()).then_some(Self { journal, log })
    }

    /// Records a request.
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
    /// Creates the file. A line that can't be written is reported to `broken`: a log with gaps would prove nothing.
    pub(super) fn create(path: &Path, broken: mpsc::UnboundedSender<io::Error>) -> Result<Self, SandboxError> {
        let refused = |source| SandboxError::RequestLog { path: path.to_owned(), source };
        let mut lines = csv::Writer::from_writer(File::create_new(path).map_err(refused)?);
        let heading = lines.write_record(["micros", "status_or_fault", "run_order_id"]).map_err(io::Error::from);
        heading.and_then(|()| lines.flush()).map_err(refused)?;
        Ok(Self { lines: Mutex::new(lines), broken })
    }

    fn write(&self, arrival: &Arrival) {
        let (micros, answer) = (arrival.at.as_micros().to_string(), arrival.answer.to_string());
        let id = arrival.run_order_id.as_deref().unwrap_or_default();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let written = lines.write_record([micros.as_str(), answer.as_str(), id]).map_err(io::Error::from);
        // Each line is flushed, so that every answered request is in the file even if the sandbox is killed.
        if let Err(error) = written.and_then(|()| lines.flush()) {
            let what = format!("the request log can't be written: {error}");
            // If the receiver is gone, the sandbox has stopped already.
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
            answer: AnswerKind::Status(200),
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
    fn a_log_that_can_not_be_written_is_reported() {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        let (broken, mut breaks) = mpsc::unbounded_channel();
        let log = Log { lines: Mutex::new(csv::Writer::from_writer(full)), broken };
        log.write(&Arrival { at: Duration::ZERO, run_order_id: None, answer: AnswerKind::Status(200) });
        let error = breaks.try_recv().expect("a report").to_string();
        assert!(error.starts_with("the request log can't be written: "), "{error}");
    }

    #[test]
    fn lists_arrivals_in_order() {
        let journal = journal(&[4, 1, 2, 3]);
        assert_eq!(journal.arrivals().iter().map(|arrival| arrival.at.as_millis()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((journal.request_count("even"), journal.request_count("odd")), (2, 0));
    }
}
