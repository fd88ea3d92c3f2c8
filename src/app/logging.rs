//! The log on standard error. Warnings are for people; what only a log shows is for whoever looks into a run.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::EnteredSpan;
use tracing::{Event, Level, Metadata, Subscriber, error_span};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as log};

use super::cli::LogFormat;
use super::{exit, messages, redaction};
use crate::pipeline::PROGRESS;

/// Clears the line that a progress bar is on. The bar draws itself again.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Starts logging this program's own events; those of libraries are left out. Until the span is dropped, each event of
/// this thread has the run's ID.
pub(super) fn start(format: LogFormat, quiet: bool, verbose: u8) -> EnteredSpan {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let is_terminal = io::stderr().is_terminal();
    let is_json = format == LogFormat::Json;
    messages::are_logged(is_json);
    let writer = LogWriter { clears: is_terminal };
    let all = match (format, is_terminal) {
        (LogFormat::Text, _) | (LogFormat::Auto, true) => {
            log::layer().with_writer(writer).with_ansi(false).without_time().with_target(false).boxed()
        }
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            let json = log::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            json.with_writer(writer).with_target(false).boxed()
        }
    };
    // Progress is silent by itself where it is not wanted.
    let ours = Targets::new().with_target("tieout", level);
    let ours = ours.with_target(messages::TARGET, LevelFilter::WARN).with_target(PROGRESS, LevelFilter::INFO);
    let logged = filter_fn(move |event| is_json || event.is_span() || !is_for_people(event));
    let people = (!is_json).then(|| People.with_filter(filter_fn(is_for_people).and(ours.clone())));
    tracing_subscriber::registry().with(people).with(all.with_filter(logged.and(ours))).init();
    error_span!("run", run_id = format_args!("{:016x}", rand::random::<u64>())).entered()
}

/// Whether an event is a warning or progress, which the commands themselves show to people in the same way.
fn is_for_people(event: &Metadata<'_>) -> bool {
    event.is_event() && (*event.level() <= Level::WARN || event.target() == PROGRESS)
}

/// Shows events to people.
struct People;

impl<S: Subscriber> Layer<S> for People {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        /// The message of an event.
        struct Message(String);

        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    // Writing to a string can't fail.
                    let _ = write!(self.0, "{value:?}");
                }
            }
        }

        let mut message = Message(String::new());
        event.record(&mut message);
        if event.metadata().target() == PROGRESS {
            exit::print_lines(&message.0);
        } else {
            exit::warn(message.0, None);
        }
    }
}

/// Writes each event to standard error in one piece, without keys in it.
#[derive(Clone, Copy)]
struct LogWriter {
    /// Whether a progress bar may be on the line.
    clears: bool,
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        *self
    }
}

impl Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = redaction::without_keys(&String::from_utf8_lossy(event));
        let clear = if self.clears { CLEAR_LINE } else { "" };
        // Where standard error is closed, the exit code still tells.
        let _ = io::stderr().write_all(format!("{clear}{text}").as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
