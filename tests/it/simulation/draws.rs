//! Random choices for a night: changes of the truth, the command, waivers, signals.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::calendar;
use super::job::{Command, Interruption, InterruptionKind, Moment, Waiver};
use super::night::Sequence;
use super::report::{Cells, cell};
use super::sheet::{Naming, PARENT, Sheet};
use super::truth::{Order, draw_faults};

impl Sequence {
    pub(super) fn change_truth(&mut self) {
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
        let count = desk.orders.len();
        desk.list_cap = random.random_bool(0.15).then(|| random.random_range(1..count));
        desk.clock_ahead = if random.random_bool(0.15) { random.random_range(-10..=10) * 3_600 } else { 0 };
        history.push(format!("before night {}: {}", *night + 1, changes.join(", ")));
    }

    /// Changes what a dataset shows of many orders: which of two sightings counts can be told then.
    pub(super) fn restate_or_move(&mut self) {
        let Self { provider, random, counts, .. } = self;
        for order in &mut provider.desk().orders {
            match random.random_range(0..4) {
                0 => {
                    order.created = Some(calendar::draw(random));
                    *counts.entry("created on another day").or_default() += 1;
                }
                1 => *counts.entry(order.restate(random)).or_default() += 1,
                _ => {}
            }
        }
    }

    /// Makes some order's first reply tonight show half of a settlement.
    pub(super) fn tear(&mut self) {
        let mut desk = self.provider.desk();
        let mut whole: Vec<&mut Order> = desk.orders.iter_mut().filter(|order| order.is_whole()).collect();
        let count = whole.len();
        if count > 0 && self.random.random_bool(0.15) {
            whole[self.random.random_range(0..count)].tear();
            *self.counts.entry("torn").or_default() += 1;
        }
    }

    pub(super) fn draw_command(&mut self) -> Command {
        let at = self.random.random_range(0..self.inputs.len());
        self.command_of(at)
    }

    /// Tonight's command for an input.
    pub(super) fn command_of(&mut self, at: usize) -> Command {
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
            zone: self.zone,
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
            (command.complete && self.provider.desk().list_cap.is_some(), "list capped"),
            (self.provider.desk().clock_ahead != 0, "clocks differ"),
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

    /// Draws waivers: mostly the same as before, sometimes a new one for one of last night's findings.
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

    /// Draws a signal at some request, or soon after the last reply.
    pub(super) fn draw_signal(&mut self, command: &Command, is_early: bool) -> Interruption {
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
        let interruption = if !is_early && self.odds(0.4) {
            self.note("interrupted after the last reply");
            let after = milliseconds(0, 120, &mut self.random);
            let when = match signal == Signal::SIGKILL && self.odds(0.4) {
                true => Moment::Report,
                false => Moment::Request { at: orders, holds: false },
            };
            let after = if matches!(when, Moment::Report) { Duration::ZERO } else { after };
            Interruption { when, after, what: InterruptionKind::Signal(signal) }
        } else {
            let at = self.random.random_range(1..=if is_early { orders } else { orders + 2 });
            let holds = signal != Signal::SIGKILL || self.odds(0.7);
            let after = if holds { milliseconds(30, 60, &mut self.random) } else { Duration::ZERO };
            Interruption { when: Moment::Request { at, holds }, after, what: InterruptionKind::Signal(signal) }
        };
        self.note(match signal {
            Signal::SIGKILL => "SIGKILL",
            Signal::SIGINT => "SIGINT",
            _ => "SIGTERM",
        });
        interruption
    }
}
