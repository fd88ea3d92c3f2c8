//! The progress that people see while the job runs. It goes through the log, to standard error and never to standard
//! output.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, ZonedDateTime};

use crate::domain::outcome::{Bucket, Evidence};
use crate::language::Texts;
use crate::provider::{Activity, WaitReason};

/// The target of log events that are progress: people see them whatever the level of the log.
pub const PROGRESS: &str = "tieout::progress";
/// How often the display is updated.
pub(super) const SHOW_EVERY: Duration = Duration::from_millis(200);
/// How often a line is written if there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The time over which the pace is smoothed, in seconds.
const SMOOTH: f64 = 15.0;
/// No ETA is shown before this time has passed.
const TOO_EARLY: Duration = Duration::from_secs(2);
const TEMPLATE: &str = "{bar:24} {msg}";

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A bar on the terminal.
    Bar,
    /// A line every 10 seconds.
    Lines,
    /// Nothing.
    Silent,
}

/// Shows a line about the job, unless the display is silent.
pub(super) fn say(display: Display, what: &str) {
    if display != Display::Silent {
        tracing::info!(target: PROGRESS, "{what}");
    }
}

/// Counts rows or orders, and shows the progress.
pub(super) struct Progress {
    display: Display,
    bar: ProgressBar,
    texts: Texts,
    /// Whether listed orders are counted, not rows.
    is_list: bool,
    /// How many there are in all, as far as known.
    rows: u64,
    done: u64,
    discrepant: u64,
    exceptions: u64,
    pace: Pace,
    start: Instant,
    last_line: Instant,
    unreached: Option<String>,
    has_reused: bool,
}

impl Progress {
    /// Starts to count rows, of which the run's earlier jobs finished `done`.
    pub(super) fn start(display: Display, texts: Texts, rows: u64, done: u64) -> Self {
        Self::of(false, display, texts, rows, done)
    }

    /// Starts to count listed orders.
    pub(super) fn listing(display: Display, texts: Texts) -> Self {
        Self::of(true, display, texts, 0, 0)
    }

    fn of(is_list: bool, display: Display, texts: Texts, rows: u64, done: u64) -> Self {
        let bar = match display {
            Display::Bar => ProgressBar::new(rows).with_style(bar_style()),
            Display::Lines | Display::Silent => ProgressBar::hidden(),
        };
        let start = Instant::now();
        let (pace, last_line) = (Pace::default(), start);
        Self {
            display,
            bar,
            texts,
            is_list,
            rows,
            done,
            discrepant: 0,
            exceptions: 0,
            pace,
            start,
            last_line,
            unreached: None,
            has_reused: false,
        }
    }

    /// Updates how many orders are listed so far, and how many the provider counts.
    pub(super) fn listed(&mut self, orders: u64, total: u64) {
        (self.done, self.rows) = (orders, total.max(orders));
        self.bar.set_length(self.rows);
    }

    /// Counts one outcome.
    pub(super) fn note(&mut self, bucket: Bucket, evidence: &Evidence) {
        self.done += 1;
        match bucket {
            Bucket::Reconciled | Bucket::Pending | Bucket::Waived => {}
            Bucket::Discrepant => self.discrepant += 1,
            _ => self.exceptions += 1,
        }
        match evidence {
            Evidence::Unfetched(reason) => {
                let cause = if reason.detail.is_empty() { &reason.code } else { &reason.detail };
                self.unreached.get_or_insert_with(|| cause.clone());
            }
            Evidence::Fetched(fetched) => self.has_reused |= fetched.is_reused,
            _ => {}
        }
    }

    /// Shows the progress and what the provider's client is doing.
    pub(super) fn show(&mut self, activity: &Activity) {
        let now = Instant::now();
        self.pace.note(now, self.done, activity.held_up.is_some());
        match self.display {
            Display::Silent => {}
            Display::Bar => {
                self.bar.set_position(self.done);
                self.bar.set_message(self.line(activity, now));
            }
            Display::Lines if now.duration_since(self.last_line) >= LINE_EVERY => {
                self.last_line = now;
                say(self.display, &self.line(activity, now));
            }
            Display::Lines => {}
        }
    }

    /// Removes the display. Returns why the first unfetched row was not fetched, unless orders were reused: then there
    /// is something to report.
    pub(super) fn finish(self) -> Option<String> {
        self.bar.finish_and_clear();
        self.unreached.filter(|_| !self.has_reused)
    }

    fn line(&self, activity: &Activity, now: Instant) -> String {
        let texts = self.texts;
        let [done, all] = [self.done, self.rows].map(|count| count.to_string());
        let counted = if self.is_list {
            texts.with("progress-orders", &[("done", done.into()), ("all", all.into())])
        } else {
            texts.with("progress-rows", &[("done", done.into()), ("all", all.into())])
        };
        let used = activity.used.to_string();
        let pace = match activity.allowed.map(|allowed| format!("{allowed:.0}")) {
            Some(most) => texts.with("progress-pace-allowed", &[("used", used.into()), ("allowed", most.into())]),
            None => texts.with("progress-pace", &[("used", used.into())]),
        };
        let mut parts = vec![counted, pace];
        let counts = [
            (self.discrepant, texts.get("progress-discrepant")),
            (self.exceptions, texts.get("progress-exceptions")),
            (activity.retries, texts.get("progress-retries")),
            (activity.throttled, texts.get("progress-throttled")),
        ];
        parts.extend(counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        let held_up = activity.held_up.map(|(why, until)| (why, until.saturating_duration_since(now)));
        parts.extend(held_up.map(|(why, wait)| waiting(why, wait, &ZonedDateTime::now(), texts)));
        if now.duration_since(self.start) >= TOO_EARLY
            && let Some(time) = self.pace.time_for(self.rows.saturating_sub(self.done))
        {
            let wait = held_up.map_or(Duration::ZERO, |(_, wait)| wait);
            parts.push(texts.with("progress-eta", &[("time", rounded(time + wait).into())]));
        }
        parts.join(" · ")
    }
}

/// How many rows are done per second while nothing holds them up.
#[derive(Debug, Default)]
struct Pace {
    rows_per_second: Option<f64>,
    last: Option<(Instant, u64)>,
}

impl Pace {
    fn note(&mut self, now: Instant, done: u64, is_held_up: bool) {
        let last = self.last.replace((now, done));
        let Some((then, before)) = last.filter(|_| !is_held_up) else {
            return;
        };
        let seconds = now.duration_since(then).as_secs_f64();
        if seconds > 0.0 {
            let pace = done.saturating_sub(before) as f64 / seconds;
            let old = (-seconds / SMOOTH).exp();
            self.rows_per_second = Some(self.rows_per_second.map_or(pace, |smooth| smooth * old + pace * (1.0 - old)));
        }
    }

    /// How long `rows` rows take at this pace; `None` if unknown.
    fn time_for(&self, rows: u64) -> Option<Duration> {
        let seconds = rows as f64 / self.rows_per_second.filter(|pace| *pace > 0.0)?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// What the client is waiting for, with the time of day until when, if it is known.
fn waiting(why: WaitReason, wait: Duration, now: &ZonedDateTime, texts: Texts) -> String {
    let until = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
    let until = until.filter(|_| !wait.is_zero()).map(|until| until.strftime("%H:%M:%S").to_string());
    let what = match why {
        WaitReason::Rate => texts.get("progress-wait-rate"),
        WaitReason::Concurrency => texts.get("progress-wait-replies"),
        WaitReason::RetryAfter => texts.get("progress-wait-provider"),
        WaitReason::BackOff => texts.get("progress-wait-back-off"),
        WaitReason::Breaker => texts.get("progress-wait-breaker"),
        WaitReason::RetryBudget => texts.get("progress-wait-retries"),
    };
    match until {
        Some(until) => texts.with("progress-until", &[("what", what.into()), ("time", until.into())]),
        None => what,
    }
}

/// A duration in its two largest units.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (0, hours, minutes, _) => format!("{hours}h {minutes}m"),
        (days, hours, _, _) => format!("{days}d {hours}h"),
    }
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn calm() -> Activity {
        Activity {
            requests: 0,
            retries: 0,
            throttled: 0,
            replies: 0,
            has_envelope: true,
            allowed: Some(20.0),
            used: 19,
            held_up: None,
        }
    }

    #[test]
    fn a_line_shows_the_rate_and_what_the_client_waits_for() {
        let mut progress = Progress::start(Display::Silent, Texts::new(Language::English), 400, 0);
        let start = progress.start;
        assert_eq!(progress.line(&calm(), start), "0/400 rows · 19 requests/s of 20 allowed");
        (progress.done, progress.discrepant) = (100, 3);
        progress.pace.rows_per_second = Some(2.0);
        let now = start + Duration::from_secs(60);
        let held_up = Some((WaitReason::Breaker, now));
        let busy = Activity { retries: 2, throttled: 1, allowed: None, held_up, ..calm() };
        let line = "100/400 rows · 19 requests/s · 3 discrepant · 2 retries · 1 throttled · the provider is failing: pausing · ETA 2m 30s";
        assert_eq!(progress.line(&busy, now), line);
        progress.texts = Texts::new(Language::Chinese);
        let line = "100/400 行 · 每秒请求 19 次 · 3 差异 · 2 重试 · 1 限速 · 服务方故障，暂停请求 · 预计还需 2m 30s";
        assert_eq!(progress.line(&busy, now), line);
    }

    #[test]
    fn a_list_counts_orders_against_the_known_total() {
        let mut progress = Progress::listing(Display::Silent, Texts::new(Language::English));
        for (orders, total, counted) in [(0, 0, "0/0"), (100, 350, "100/350"), (400, 350, "400/400")] {
            progress.listed(orders, total);
            let line = format!("{counted} orders · 19 requests/s of 20 allowed");
            assert_eq!(progress.line(&calm(), progress.start), line);
        }
    }

    #[test]
    fn a_wait_shows_until_when() {
        let now: ZonedDateTime = "2026-11-23T02:12:05+08:00[Asia/Shanghai]".parse().expect("a time");
        let minute = Duration::from_secs(60);
        let waiting = |wait| waiting(WaitReason::RetryAfter, wait, &now, Texts::new(Language::English));
        assert_eq!(waiting(minute), "the provider asks to wait until 02:13:05");
        assert_eq!(waiting(Duration::MAX), "the provider asks to wait");
    }

    #[test]
    fn the_pace_does_not_run_away_while_everything_waits() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for second in 0..30 {
            pace.note(start + Duration::from_secs(second), second * 10, false);
        }
        for second in 30..300 {
            pace.note(start + Duration::from_secs(second), 290, true);
        }
        let time = pace.time_for(1_000).expect("a time").as_secs_f64();
        assert!((time - 100.0).abs() < 1.0, "{time}");
        assert_eq!(Pace::default().time_for(5), None);
    }

    #[test]
    fn a_duration_has_at_most_two_units() {
        let times = [(59, "59s"), (61, "1m 1s"), (3_660, "1h 1m"), (90_000, "1d 1h")];
        for (seconds, text) in times {
            assert_eq!(rounded(Duration::from_secs(seconds)), text);
        }
    }
}
