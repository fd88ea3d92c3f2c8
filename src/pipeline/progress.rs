//! What a person sees while the job runs: events on standard error, never on standard output.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::domain::outcome::{Bucket, Evidence};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{bar:28} {pos}/{len} rows · {rate} · ETA {eta} · {msg}";

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A bar on the terminal.
    Bar,
    /// A line every 10 seconds.
    Lines,
    /// Not at all.
    Silent,
}

/// Counts what passes, and shows it.
pub(super) struct Progress {
    display: Display,
    bar: ProgressBar,
    rows: u64,
    done: u64,
    discrepant: u64,
    exceptions: u64,
    last_line: Instant,
    unreached: Option<String>,
}

impl Progress {
    /// Begins a count of that many rows.
    pub(super) fn start(display: Display, rows: u64) -> Self {
        let bar = match display {
            Display::Bar => ProgressBar::new(rows).with_style(bar_style()),
            Display::Lines | Display::Silent => ProgressBar::hidden(),
        };
        let last_line = Instant::now();
        Self { display, bar, rows, done: 0, discrepant: 0, exceptions: 0, last_line, unreached: None }
    }

    /// Counts one outcome.
    pub(super) fn note(&mut self, bucket: Bucket, evidence: &Evidence) {
        self.done += 1;
        match bucket {
            Bucket::Reconciled | Bucket::Pending | Bucket::Waived => {}
            Bucket::Discrepant => self.discrepant += 1,
            _ => self.exceptions += 1,
        }
        if let Evidence::Unfetched(reason) = evidence {
            self.unreached.get_or_insert_with(|| reason.detail.clone());
        }
        self.show();
    }

    /// Takes the display away; says the first reason for which a row was not fetched.
    pub(super) fn finish(self) -> Option<String> {
        self.bar.finish_and_clear();
        self.unreached
    }

    fn show(&mut self) {
        match self.display {
            Display::Silent => {}
            Display::Bar => {
                self.bar.set_position(self.done);
                self.bar.set_message(self.counts());
            }
            Display::Lines if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                let (done, rows, counts) = (self.done, self.rows, self.counts());
                // Nobody may be reading: progress is no reason to stop the job.
                let _ = writeln!(io::stderr(), "{done}/{rows} rows · {counts}");
            }
            Display::Lines => {}
        }
    }

    fn counts(&self) -> String {
        format!("{} discrepant, {} exceptions", self.discrepant, self.exceptions)
    }
}

fn bar_style() -> ProgressStyle {
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A display that can't be written to shows nothing.
        let _ = write!(out, "{:.0} rows/s", state.per_sec());
    })
}
