//! A sequence of random nights, with a check of every report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::calendar::{ZONES, Zone};
use super::job::{Command, Ending, Interruption, InterruptionKind, Moment, StartResult, Waiver, start, verify};
use super::ledger::{Ledger, RefetchCounts, Retained};
use super::report::{Cells, Folder, Report, cell, folder, latest};
use super::server::{Answer, Entry, Provider};
use super::sheet::{Input, Naming, PARENT};
use super::truth::{Failure, Order, Reply};
use crate::support::Place;

/// The row that gets a long note if the input is to be changed while it is read.
const BULKY: usize = 4;
/// How many lines of history are shown with a failure.
const SHOWN: usize = 14;

/// How often each kind of thing was drawn.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// A sequence of nights that one seed determines.
pub(super) struct Sequence {
    pub(super) place: Place,
    pub(super) provider: Provider,
    pub(super) ledger: Ledger,
    pub(super) random: StdRng,
    pub(super) inputs: Vec<Input>,
    pub(super) reuses: bool,
    /// From this night on, `--as-of` is not given.
    pub(super) timeless_from: usize,
    pub(super) night: usize,
    /// The day of June in the night's `--as-of`.
    pub(super) day: usize,
    pub(super) zone: Zone,
    /// How many audits were made.
    pub(super) audits: usize,
    pub(super) waivers: Vec<Waiver>,
    pub(super) last_found: Vec<Cells>,
    pub(super) history: Vec<String>,
    pub(super) counts: Counts,
}

/// The result of a start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Reported { is_unfetched: bool },
    Stopped { is_published: bool },
}

/// What disturbs a night.
enum Disturbance {
    None,
    /// A signal at a request, or soon after the last reply.
    Signal,
    /// The input is changed in place while it is read.
    Change,
    /// A start that reads a different column is killed first.
    OtherColumn,
    /// A start that is killed and never continued sees figures that are then taken back.
    TakenBack,
}

impl Sequence {
    pub(super) fn drawn(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let orders: Vec<Order> = (0..random.random_range(6..=14)).map(|_| Order::drawn(&mut random)).collect();
        let mut namings =
            vec![Naming::Fixed("a/ids.csv"), Naming::Fixed("b/ids.csv"), Naming::DatedFile, Naming::DatedFolder];
        namings.push(Naming::StandardInput);
        let inputs = (0..random.random_range(2..=3))
            .map(|_| {
                let naming = namings.remove(random.random_range(0..namings.len()));
                let has_parents = naming == Naming::Fixed("a/ids.csv") || random.random_bool(0.2);
                Input::drawn(naming, orders.len(), has_parents, &mut random)
            })
            .collect();
        Self {
            place: Place::new(),
            provider: Provider::start(orders),
            ledger: Ledger::default(),
            inputs,
            reuses: random.random_bool(0.5),
            timeless_from: if random.random_bool(0.25) { random.random_range(0..6) } else { usize::MAX },
            night: 0,
            day: 1,
            zone: ZONES.choose(&mut random).copied().unwrap_or(ZONES[0]),
            audits: 0,
            waivers: Vec::new(),
            last_found: Vec::new(),
            history: Vec::new(),
            counts: Counts::new(),
            random,
        }
    }

    /// Draws how many nights the sequence has.
    pub(super) fn nights(&mut self) -> usize {
        self.random.random_range(3..=8)
    }

    /// The last events of the sequence.
    pub(super) fn history(&self) -> String {
        let from = self.history.len().saturating_sub(SHOWN);
        self.history[from..].join("\n")
    }

    pub(super) const fn refetched(&self) -> RefetchCounts {
        self.ledger.refetched
    }

    pub(super) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn tell(&mut self, what: String) {
        self.history.push(what);
    }

    pub(super) fn odds(&mut self, odds: f64) -> bool {
        self.random.random_bool(odds)
    }

    /// Runs one night; an error says what is wrong with one of its reports.
    pub(super) fn night(&mut self) -> Result<(), String> {
        self.note("nights");
        if self.night > 0 {
            self.change_truth();
            match self.odds(0.1) {
                true => self.note("as-of equal"),
                false => self.day += 1,
            }
        }
        let mut command = self.draw_command();
        let disturbance = match self.random.random_range(0..20) {
            0..=6 => Disturbance::Signal,
            7 | 8 if command.sheet.rows.len() > BULKY + 1 && command.typed != "-" => Disturbance::Change,
            9 | 10 if command.sheet.has_parents && command.column.is_none() => Disturbance::OtherColumn,
            11 if self.night > 0 => Disturbance::TakenBack,
            _ => Disturbance::None,
        };
        let outcome = match disturbance {
            Disturbance::None => {
                self.tear();
                Some(match self.odds(0.1) {
                    true => self.start_with_clock_back(&command)?,
                    false => self.start(&command, None)?,
                })
            }
            Disturbance::Signal => self.interrupt_and_restart(&command)?,
            Disturbance::Change => self.change_input(&mut command)?,
            Disturbance::OtherColumn => {
                self.note("other column killed");
                let other = Command { column: Some(PARENT), ..command.clone() };
                let interruption = self.draw_signal(&other, true);
                self.start(&other, Some(&interruption))?;
                Some(self.start(&command, None)?)
            }
            Disturbance::TakenBack => Some(self.take_back_settlements(&command)?),
        };
        if outcome == Some(Outcome::Reported { is_unfetched: true }) && self.odds(0.8) {
            self.continue_incomplete(&command)?;
        }
        self.night += 1;
        self.look_at_dataset()
    }

    /// Continues the run of an incomplete report, perhaps after a different input, perhaps killed once.
    fn continue_incomplete(&mut self, command: &Command) -> Result<(), String> {
        self.note("incomplete run continued");
        if self.odds(0.7) {
            self.provider.desk().orders.iter_mut().for_each(|order| order.fault = None);
        }
        if self.odds(0.35) {
            self.note("other input between reports");
            self.other_input_between(command)?;
        }
        let command = Command { fresh: false, ..command.clone() };
        let interruption = self.odds(0.25).then(|| self.draw_signal(&command, false));
        if let Outcome::Stopped { .. } = self.start(&command, interruption.as_ref())? {
            self.start(&command, None)?;
        }
        Ok(())
    }

    /// Kills or stops a start; then mostly runs the same command again.
    fn interrupt_and_restart(&mut self, command: &Command) -> Result<Option<Outcome>, String> {
        let mut command = command.clone();
        for _ in 0..self.random.random_range(1..=2) {
            let interruption = self.draw_signal(&command, false);
            let outcome = self.start(&command, Some(&interruption))?;
            let Outcome::Stopped { is_published } = outcome else { return Ok(Some(outcome)) };
            command.fresh = false;
            if is_published {
                return Ok(Some(self.start(&command, None)?));
            }
        }
        match self.random.random_range(0..10) {
            0 => {
                self.note("never continued");
                return Ok(None);
            }
            1..=3 => {
                self.note("other input between");
                self.other_input_between(&command)?;
            }
            4 => {
                self.note("truth changes between");
                self.change_truth();
            }
            _ => {}
        }
        Ok(Some(self.start(&command, None)?))
    }

    /// Changes some settlements while one start runs, which is stopped and never continued. Later starts reuse the
    /// figures that were seen last.
    fn take_back_settlements(&mut self, command: &Command) -> Result<Outcome, String> {
        self.note("taken back");
        let before: Vec<Order> = self.provider.desk().orders.clone();
        for order in self.provider.desk().orders.iter_mut().filter(|order| order.is_whole()) {
            order.restate(&mut self.random);
        }
        let interruption = self.draw_signal(command, false);
        let outcome = self.start(command, Some(&interruption))?;
        self.provider.desk().orders = before;
        if let Outcome::Reported { .. } = outcome {
            return Ok(outcome);
        }
        self.start(&Command { fresh: true, ..command.clone() }, None)?;
        self.start(&Command { fresh: true, reuses: true, ..command.clone() }, None)
    }

    /// Reconciles a different input in between; perhaps the truth changes for that, and perhaps for nothing else.
    fn other_input_between(&mut self, but: &Command) -> Result<(), String> {
        let before = self.provider.desk().orders.clone();
        let changes = self.odds(0.7);
        if changes {
            self.note("truth changes for another input");
            self.change_truth();
            self.restate_or_move();
        }
        self.other_input(but)?;
        if changes && self.odds(0.5) {
            self.note("taken back after another input");
            self.provider.desk().orders = before;
        }
        Ok(())
    }

    /// Reconciles a different input in between, or sometimes a new version of the same one.
    fn other_input(&mut self, but: &Command) -> Result<(), String> {
        let day = self.day;
        let is_other = |input: &Input| input.path(day) != but.path;
        let others: Vec<usize> = (0..self.inputs.len()).filter(|at| is_other(&self.inputs[*at])).collect();
        let command = match others.choose(&mut self.random).filter(|_| self.random.random_bool(0.8)) {
            Some(at) => self.command_of(*at),
            None => self.draw_command(),
        };
        self.start(&command, None).map(drop)
    }

    /// Changes the input while a start reads it, then restores it.
    fn change_input(&mut self, command: &mut Command) -> Result<Option<Outcome>, String> {
        command.sheet.bulky = Some(BULKY);
        command.concurrency = 1;
        let orders = self.provider.desk().orders.clone();
        let Some(changed) = Input::changed(&command.sheet, &orders, &mut self.random) else { return Ok(None) };
        self.note("input changed while it is read");
        let kill_at = self.odds(0.6).then(|| self.random.random_range(3..=command.sheet.rows.len()));
        let after = Duration::from_millis(self.random.random_range(10..40));
        let what = InterruptionKind::Change { bytes: changed.bytes(), kill_at };
        let outcome =
            self.start(command, Some(&Interruption { when: Moment::Request { at: 1, holds: true }, after, what }))?;
        if let Outcome::Reported { .. } = outcome {
            return Ok(Some(outcome));
        }
        command.fresh = false;
        Ok(Some(self.start(command, None)?))
    }

    fn reports(&self) -> PathBuf {
        self.place.path("reports")
    }

    /// Starts the job and checks how it ends.
    pub(super) fn start(&mut self, command: &Command, interruption: Option<&Interruption>) -> Result<Outcome, String> {
        let before = folder(&self.reports());
        let ended = start(&self.place.path(""), &self.provider, command, interruption);
        let details = interruption.filter(|_| ended.was_interrupted).map(|interruption| match &interruption.what {
            InterruptionKind::Signal(signal) => {
                format!(", {signal} at {:?} after {:?}", interruption.when, interruption.after)
            }
            InterruptionKind::Change { kill_at, .. } => format!(", input changed, killed at request {kill_at:?}"),
        });
        let message = ended.stderr.lines().next().unwrap_or_default();
        let what = format!("{}: {}{}", ended.start, command.described(), details.unwrap_or_default());
        self.tell(format!("night {}, start {what} -> {:?} {message}", self.night + 1, ended.ending));
        let after = folder(&self.reports());
        let outcome =
            match (ended.ending, interruption.map(|interruption| &interruption.what).filter(|_| ended.was_interrupted))
            {
                (Ending::Code(code @ (0 | 1 | 3)), _) => self.reported(command, &ended, code, &before),
                (Ending::Code(130), Some(InterruptionKind::Signal(Signal::SIGINT)))
                | (Ending::Code(143), Some(InterruptionKind::Signal(Signal::SIGTERM))) => {
                    self.stopped(command, &ended, Retained::All, &before, &after)
                }
                (Ending::Signal(9), Some(InterruptionKind::Signal(_))) => {
                    self.stopped(command, &ended, Retained::Most, &before, &after)
                }
                (Ending::Signal(9) | Ending::Code(4), Some(InterruptionKind::Change { .. })) => {
                    self.stopped(command, &ended, Retained::Void, &before, &after)
                }
                (ending, _) => Err(format!("it ended with {ending:?}: {}", ended.stderr)),
            };
        outcome.map_err(|problem| format!("night {}, start {what}: {problem}", self.night + 1))
    }

    fn stopped(
        &mut self,
        command: &Command,
        ended: &StartResult,
        retained: Retained,
        before: &Folder,
        after: &Folder,
    ) -> Result<Outcome, String> {
        let new = after.iter().find(|(name, hash)| before.get(*name) != Some(*hash)).map(|(name, _)| name);
        if new.is_some() && ended.ending != Ending::Signal(9) {
            return Err("it was stopped, and there is a new report".to_owned());
        }
        let published = new.map(|name| Report::read(&self.reports(), name));
        if published.is_some() {
            self.note("killed with a report in place");
        }
        let is_published = published.is_some();
        self.ledger.note_stop(command, ended, retained, &self.provider.log(), published);
        Ok(Outcome::Stopped { is_published })
    }

    fn reported(
        &mut self,
        command: &Command,
        ended: &StartResult,
        code: i32,
        before: &Folder,
    ) -> Result<Outcome, String> {
        let name = latest(&self.reports()).ok_or("there is no latest report")?;
        let report = Report::read(&self.reports(), &name);
        let log = self.provider.log();
        let result = self.ledger.note_report(command, ended, &report, &log, before)?;
        // A gateway's page has the gateway's time.
        let is_page = |answer: &Answer| matches!(answer, Answer::Order(_, Reply::Failed(Failure::Gateway(_))));
        let tells_time = |entry: &Entry| entry.start == ended.start && entry.is_served && !is_page(&entry.answer);
        let is_off = self.provider.desk().clock_ahead != 0 && log.iter().any(tells_time);
        if report.manifest["clock"].is_null() == is_off {
            return Err(format!("the clocks differ: {is_off}; the manifest has {}", report.manifest["clock"]));
        }
        if report.summary["exit_code"].as_i64() != Some(i64::from(code)) {
            return Err(format!("it exits with {code}, and the report says {}", report.summary["exit_code"]));
        }
        let left = folder(&self.reports());
        if before.keys().any(|name| !left.contains_key(name)) {
            return Err("an earlier report is gone".to_owned());
        }
        self.note("reports");
        if result.is_continued {
            self.note("continued");
        }
        for row in &report.discrepancies {
            self.note(lifecycle_word(row));
        }
        for _ in &report.resolved {
            self.note("resolved");
        }
        for bucket in result.assessed.buckets.keys() {
            self.note(bucket);
        }
        let waived = report.discrepancies.iter().filter(|row| cell(row, "waived") == "true").count();
        *self.counts.entry("waived discrepancies").or_default() += waived as u64;
        *self.counts.entry("vanished orders").or_default() +=
            report.discrepancies.iter().filter(|row| cell(row, "check") == "vanished").count() as u64;
        self.last_found = report.discrepancies;
        verify(&self.place.path(""), "reports/latest")?;
        let is_unfetched = result.assessed.buckets.contains_key("unfetched");
        Ok(Outcome::Reported { is_unfetched })
    }
}

fn lifecycle_word(row: &Cells) -> &'static str {
    if cell(row, "lifecycle") == "persisting" { "persisting" } else { "new" }
}
