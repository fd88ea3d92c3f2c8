//! A sequence of nights: what is drawn, in which order it happens, and the check of every report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::job::{Blow, Command, Ended, Ending, Strike, Waiver, start, verify};
use super::ledger::{Ledger, Left, Refetched};
use super::report::{Cells, Folder, Report, cell, folder, latest};
use super::server::Provider;
use super::sheet::{Input, Naming, PARENT, Sheet};
use super::truth::{Order, draw_faults};
use crate::support::Place;

/// The row with the long note, where the input is to be changed while it is read.
const BULKY: usize = 4;
/// How much of what happened is shown with a failure.
const SHOWN: usize = 14;

/// How often each kind of thing was drawn.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// One sequence.
pub(super) struct Sequence {
    place: Place,
    provider: Provider,
    ledger: Ledger,
    random: StdRng,
    inputs: Vec<Input>,
    reuses: bool,
    /// The night from which `--as-of` is not given.
    timeless_from: usize,
    night: usize,
    /// The day of June that the night is reconciled to.
    day: usize,
    waivers: Vec<Waiver>,
    last_found: Vec<Cells>,
    history: Vec<String>,
    pub(super) counts: Counts,
}

/// How a start ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Reported { is_unfetched: bool },
    Stopped { is_published: bool },
}

/// What disturbs a night.
enum Disturbance {
    None,
    /// A signal at some request, or soon after the last reply.
    Signal,
    /// The input is changed in place while it is read.
    Change,
    /// A start that reads the other column is killed first.
    OtherColumn,
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
            waivers: Vec::new(),
            last_found: Vec::new(),
            history: Vec::new(),
            counts: Counts::new(),
            random,
        }
    }

    /// How many nights it has.
    pub(super) fn nights(&mut self) -> usize {
        self.random.random_range(3..=8)
    }

    /// What happened lately.
    pub(super) fn history(&self) -> String {
        let from = self.history.len().saturating_sub(SHOWN);
        self.history[from..].join("\n")
    }

    pub(super) const fn refetched(&self) -> Refetched {
        self.ledger.refetched
    }

    fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn tell(&mut self, what: String) {
        self.history.push(what);
    }

    fn odds(&mut self, odds: f64) -> bool {
        self.random.random_bool(odds)
    }

    /// One night; what is wrong with a report of it.
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
            _ => Disturbance::None,
        };
        let outcome = match disturbance {
            Disturbance::None => {
                self.tear();
                Some(self.start(&command, None)?)
            }
            Disturbance::Signal => self.struck(&command)?,
            Disturbance::Change => self.changed(&mut command)?,
            Disturbance::OtherColumn => {
                self.note("other column killed");
                let other = Command { column: Some(PARENT), ..command.clone() };
                let blow = self.draw_signal(&other, true);
                self.start(&other, Some(&blow))?;
                Some(self.start(&command, None)?)
            }
        };
        if outcome == Some(Outcome::Reported { is_unfetched: true }) && self.odds(0.6) {
            self.continue_incomplete(&command)?;
        }
        self.night += 1;
        Ok(())
    }

    /// An incomplete report's run goes on, perhaps after another input, perhaps killed on its way.
    fn continue_incomplete(&mut self, command: &Command) -> Result<(), String> {
        self.note("incomplete run continued");
        if self.odds(0.7) {
            self.provider.desk().orders.iter_mut().for_each(|order| order.fault = None);
        }
        if self.odds(0.2) {
            self.note("other input between reports");
            self.other_input()?;
        }
        let command = Command { fresh: false, ..command.clone() };
        let blow = self.odds(0.25).then(|| self.draw_signal(&command, false));
        if let Outcome::Stopped { .. } = self.start(&command, blow.as_ref())? {
            self.start(&command, None)?;
        }
        Ok(())
    }

    fn change_truth(&mut self) {
        let Self { provider, random, counts, history, night, .. } = self;
        let mut desk = provider.desk();
        let mut changes = Vec::new();
        for order in &mut desk.orders {
            if !random.random_bool(0.3) {
                continue;
            }
            let change = order.change(random);
            changes.push(format!("{} {change}", order.id));
            *counts.entry(change).or_default() += 1;
        }
        for fault in draw_faults(&mut desk.orders, random) {
            *counts.entry(fault).or_default() += 1;
        }
        for order in desk.orders.iter().filter(|order| order.fault.is_some()) {
            changes.push(format!("{} {:?}", order.id, order.fault));
        }
        desk.refuses_list = random.random_bool(0.15);
        history.push(format!("before night {}: {}", *night + 1, changes.join(", ")));
    }

    /// Some order's first reply tonight is half of a settlement.
    fn tear(&mut self) {
        let mut desk = self.provider.desk();
        let mut whole: Vec<&mut Order> = desk.orders.iter_mut().filter(|order| order.is_whole()).collect();
        let count = whole.len();
        if count > 0 && self.random.random_bool(0.15) {
            whole[self.random.random_range(0..count)].tear();
            *self.counts.entry("torn").or_default() += 1;
        }
    }

    fn draw_command(&mut self) -> Command {
        let at = self.random.random_range(0..self.inputs.len());
        self.command_of(at)
    }

    /// Tonight's command for an input.
    fn command_of(&mut self, at: usize) -> Command {
        let day = self.day;
        let mut drawn = Vec::new();
        let orders = self.provider.desk().orders.clone();
        let input = &mut self.inputs[at];
        let path = input.path(day);
        let label = format!("{path} on day {day}");
        let label = if matches!(input.naming, Naming::Fixed(_)) { path.clone() } else { label };
        let sheet = input.sheet(label, &orders, &mut self.random, &mut drawn);
        let mut expect = input.expect.clone();
        let is_standard = input.naming == Naming::StandardInput;
        drawn.push(match input.naming {
            Naming::Fixed(_) => "fixed name",
            Naming::DatedFile => "dated file",
            Naming::DatedFolder => "dated folder",
            Naming::StandardInput => "standard input",
        });
        if !expect.is_empty() && self.odds(0.15) {
            drawn.push("books dropped");
            expect.clear();
        }
        let typed = match self.random.random_range(0..4) {
            _ if is_standard => "-".to_owned(),
            0 => format!("./{path}"),
            1 => self.place.path(&path).display().to_string(),
            _ => path.clone(),
        };
        let as_of = (self.night < self.timeless_from).then(|| format!("2026-06-{day:02}T00:00:00Z"));
        let command = Command {
            typed,
            path,
            column: (sheet.has_parents && self.odds(0.15)).then_some(PARENT),
            sheet,
            expect,
            split_is_off: self.odds(0.12),
            waivers: self.draw_waivers(),
            complete: self.odds(0.25),
            url: self.draw_url(),
            reuses: if self.odds(0.1) { !self.reuses } else { self.reuses },
            confirms: self.odds(0.8),
            as_of,
            fresh: self.odds(0.08),
            concurrency: *[16, 16, 4, 1].choose(&mut self.random).expect("one of four"),
        };
        for (holds, what) in [
            (command.column.is_some(), "column named"),
            (command.expect.contains(&0), "books final"),
            (command.expect.contains(&1), "books quote"),
            (command.split_is_off, "check off"),
            (!command.waivers.is_empty(), "waivers"),
            (command.complete, "complete"),
            (command.complete && self.provider.desk().refuses_list, "list refused"),
            (command.reuses, "reuse"),
            (!command.reuses, "no reuse"),
            (!command.confirms, "single read"),
            (command.as_of.is_none(), "as-of absent"),
            (command.fresh, "fresh"),
        ] {
            drawn.extend(holds.then_some(what));
        }
        drawn.into_iter().for_each(|what| self.note(what));
        command
    }

    /// Mostly the same waivers as before; sometimes one of last night's findings.
    fn draw_waivers(&mut self) -> Vec<Waiver> {
        if self.odds(0.3) {
            self.waivers.clear();
        }
        if self.odds(0.35) {
            let found: Vec<&Cells> = self.last_found.iter().filter(|row| self.is_waivable(row)).collect();
            if let Some(row) = found.choose(&mut self.random) {
                let [order, check, field] = ["run_order_id", "check", "field"].map(|name| cell(row, name).to_owned());
                let figures = ["expected", "actual", "difference"].map(|name| cell(row, name).to_owned());
                self.waivers = vec![Waiver { order, check, field, figures }];
            }
        }
        let gone: Vec<String> =
            self.provider.desk().orders.iter().filter(|order| order.is_gone).map(|order| order.id.clone()).collect();
        if let Some(order) = gone.choose(&mut self.random).filter(|_| self.random.random_bool(0.15)) {
            let (check, field) = ("not-found".to_owned(), String::new());
            self.waivers = vec![Waiver { order: order.clone(), check, field, figures: Default::default() }];
            self.note("waiver of a missing order");
        }
        self.waivers.clone()
    }

    fn is_waivable(&self, row: &Cells) -> bool {
        const NOT: [&str; 3] = ["vanished", "unlisted-in-input", "identity-mismatch"];
        let names = ["run_order_id", "check", "field"];
        let is_same = |other: &&Cells| names.iter().all(|name| cell(other, name) == cell(row, name));
        !NOT.contains(&cell(row, "check")) && self.last_found.iter().filter(is_same).count() == 1
    }

    fn draw_url(&mut self) -> String {
        let port = self.provider.port;
        let spellings = [
            format!("http://127.0.0.1:{port}/api/open/v2/"),
            format!("HTTP://127.0.0.1:{port}/api/open/v2"),
            format!("http://127.0.0.1:{port}/api/./open/v2"),
            format!("http://127.0.0.1:{port}/api/open/x/../v2"),
        ];
        if self.odds(0.3) {
            self.note("URL spelled differently");
            return spellings.choose(&mut self.random).cloned().unwrap_or_default();
        }
        format!("http://127.0.0.1:{port}/api/open/v2")
    }

    /// A signal at some request, or soon after the last reply.
    fn draw_signal(&mut self, command: &Command, is_early: bool) -> Blow {
        let mut ids: Vec<&str> = command.sheet.rows.iter().map(|row| Sheet::id(row, command.column)).collect();
        ids.retain(|id| Sheet::is_usable(id));
        ids.sort_unstable();
        ids.dedup();
        let orders = ids.iter().filter(|id| !(command.reuses && self.ledger.is_reusable(id))).count().max(1);
        let signal = *[Signal::SIGKILL, Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM]
            .choose(&mut self.random)
            .expect("one of four");
        let milliseconds =
            |from: u64, to: u64, random: &mut StdRng| Duration::from_millis(random.random_range(from..=to));
        let blow = if !is_early && self.odds(0.4) {
            self.note("struck after the last reply");
            let after = milliseconds(0, 120, &mut self.random);
            Blow { at: orders, holds: false, after, what: Strike::Signal(signal) }
        } else {
            let at = self.random.random_range(1..=if is_early { orders } else { orders + 2 });
            let holds = signal != Signal::SIGKILL || self.odds(0.7);
            let after = if holds { milliseconds(30, 60, &mut self.random) } else { Duration::ZERO };
            Blow { at, holds, after, what: Strike::Signal(signal) }
        };
        self.note(match signal {
            Signal::SIGKILL => "SIGKILL",
            Signal::SIGINT => "SIGINT",
            _ => "SIGTERM",
        });
        blow
    }

    /// A start is killed or stopped; then mostly the same command again.
    fn struck(&mut self, command: &Command) -> Result<Option<Outcome>, String> {
        let mut command = command.clone();
        for _ in 0..self.random.random_range(1..=2) {
            let blow = self.draw_signal(&command, false);
            let outcome = self.start(&command, Some(&blow))?;
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
            1 => {
                self.note("other input between");
                self.other_input()?;
            }
            2 => {
                self.note("truth changes between");
                self.change_truth();
            }
            _ => {}
        }
        Ok(Some(self.start(&command, None)?))
    }

    /// Another input is reconciled in between.
    fn other_input(&mut self) -> Result<(), String> {
        let command = self.draw_command();
        self.start(&command, None).map(drop)
    }

    /// The input is changed while it is read, and restored.
    fn changed(&mut self, command: &mut Command) -> Result<Option<Outcome>, String> {
        command.sheet.bulky = Some(BULKY);
        command.concurrency = 1;
        let orders = self.provider.desk().orders.clone();
        let Some(changed) = Input::changed(&command.sheet, &orders, &mut self.random) else { return Ok(None) };
        self.note("input changed while it is read");
        let kill_at = self.odds(0.6).then(|| self.random.random_range(3..=command.sheet.rows.len()));
        let after = Duration::from_millis(self.random.random_range(10..40));
        let what = Strike::Change { bytes: changed.bytes(), kill_at };
        let outcome = self.start(command, Some(&Blow { at: 1, holds: true, after, what }))?;
        if let Outcome::Reported { .. } = outcome {
            return Ok(Some(outcome));
        }
        command.fresh = false;
        Ok(Some(self.start(command, None)?))
    }

    fn reports(&self) -> PathBuf {
        self.place.path("reports")
    }

    /// Starts the job, and checks how it ends.
    fn start(&mut self, command: &Command, blow: Option<&Blow>) -> Result<Outcome, String> {
        let before = folder(&self.reports());
        let ended = start(&self.place.path(""), &self.provider, command, blow);
        let struck = blow.filter(|_| ended.was_struck).map(|blow| match &blow.what {
            Strike::Signal(signal) => format!(", {signal} at request {} after {:?}", blow.at, blow.after),
            Strike::Change { kill_at, .. } => format!(", input changed, killed at request {kill_at:?}"),
        });
        let said = ended.said.lines().next().unwrap_or_default();
        let what = format!("{}: {}{}", ended.start, command.described(), struck.unwrap_or_default());
        self.tell(format!("night {}, start {what} -> {:?} {said}", self.night + 1, ended.ending));
        let after = folder(&self.reports());
        let outcome = match (ended.ending, blow.map(|blow| &blow.what).filter(|_| ended.was_struck)) {
            (Ending::Code(code @ (0 | 1 | 3)), _) => self.reported(command, &ended, code, &before),
            (Ending::Code(130), Some(Strike::Signal(Signal::SIGINT)))
            | (Ending::Code(143), Some(Strike::Signal(Signal::SIGTERM))) => {
                self.stopped(command, &ended, Left::All, &before, &after)
            }
            (Ending::Signal(9), Some(Strike::Signal(_))) => self.stopped(command, &ended, Left::Most, &before, &after),
            (Ending::Signal(9) | Ending::Code(4), Some(Strike::Change { .. })) => {
                self.stopped(command, &ended, Left::Void, &before, &after)
            }
            (ending, _) => Err(format!("it ended with {ending:?}: {}", ended.said)),
        };
        outcome.map_err(|problem| format!("night {}, start {what}: {problem}", self.night + 1))
    }

    fn stopped(
        &mut self,
        command: &Command,
        ended: &Ended,
        left: Left,
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
        self.ledger.note_stop(command, ended, left, &self.provider.log(), published);
        Ok(Outcome::Stopped { is_published })
    }

    fn reported(&mut self, command: &Command, ended: &Ended, code: i32, before: &Folder) -> Result<Outcome, String> {
        let name = latest(&self.reports()).ok_or("there is no latest report")?;
        let report = Report::read(&self.reports(), &name);
        let log = self.provider.log();
        let noted = self.ledger.note_report(command, ended, &report, &log, before)?;
        if report.summary["exit_code"].as_i64() != Some(i64::from(code)) {
            return Err(format!("it exits with {code}, and the report says {}", report.summary["exit_code"]));
        }
        let left = folder(&self.reports());
        if before.keys().any(|name| !left.contains_key(name)) {
            return Err("an earlier report is gone".to_owned());
        }
        self.note("reports");
        if noted.is_continued {
            self.note("continued");
        }
        for row in &report.discrepancies {
            self.note(lifecycle_word(row));
        }
        for _ in &report.resolved {
            self.note("resolved");
        }
        for bucket in noted.assessed.buckets.keys() {
            self.note(bucket);
        }
        let waived = report.discrepancies.iter().filter(|row| cell(row, "waived") == "true").count();
        *self.counts.entry("waived discrepancies").or_default() += waived as u64;
        *self.counts.entry("vanished orders").or_default() +=
            report.discrepancies.iter().filter(|row| cell(row, "check") == "vanished").count() as u64;
        self.last_found = report.discrepancies;
        verify(&self.place.path(""), "reports/latest")?;
        let is_unfetched = noted.assessed.buckets.contains_key("unfetched");
        Ok(Outcome::Reported { is_unfetched })
    }
}

fn lifecycle_word(row: &Cells) -> &'static str {
    if cell(row, "lifecycle") == "persisting" { "persisting" } else { "new" }
}
