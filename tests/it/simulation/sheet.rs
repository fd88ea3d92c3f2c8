//! Inputs: which orders they hold, what our books say, and how both change from night to night.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::truth::{FINAL, Order, QUOTE, money};

/// The length of the long note between the first rows and the last, in bytes: more than a reader reads ahead.
const BULK: usize = 1 << 20;
/// The column of the orders.
pub(super) const OWN: &str = "run_order_id";
/// The column of the orders that they belong to.
pub(super) const PARENT: &str = "parent_id";

/// One row of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) parent: String,
    /// The cells of our books, by position in `BOOKS`.
    pub(super) books: [String; 2],
}

/// The content of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) label: String,
    pub(super) has_parents: bool,
    pub(super) rows: Vec<Row>,
    /// The row with a very long note.
    pub(super) bulky: Option<usize>,
}

impl Sheet {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        let mut line = |id: &str, parent: &str, books: [&str; 2], note: &str| {
            let parent = if self.has_parents { format!("{parent},") } else { String::new() };
            text += &format!("{parent}{id},{},{},{note}\n", books[0], books[1]);
        };
        line(OWN, PARENT, ["booked", "quoted"], "note");
        for (at, row) in self.rows.iter().enumerate() {
            let note = if self.bulky == Some(at) { "x".repeat(BULK) } else { self.label.clone() };
            line(&row.id, &row.parent, [&row.books[0], &row.books[1]], &note);
        }
        text.into_bytes()
    }

    /// The line number of the row at a position.
    pub(super) const fn line(at: usize) -> usize {
        at + 2
    }

    /// The ID of a row in a column.
    pub(super) fn id<'r>(row: &'r Row, column: Option<&str>) -> &'r str {
        if column == Some(PARENT) { &row.parent } else { &row.id }
    }

    /// Whether a cell is a usable ID.
    pub(super) fn is_usable(id: &str) -> bool {
        !id.is_empty() && !id.contains(' ')
    }
}

/// How an input's file is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    Fixed(&'static str),
    /// `c/ids-20260601.csv`.
    DatedFile,
    /// `d/20260601/ids.csv`.
    DatedFolder,
    StandardInput,
}

/// An input through all nights.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) naming: Naming,
    has_parents: bool,
    /// Whether each order is in it tonight, by position.
    members: Vec<bool>,
    /// What our books say, by order.
    books: BTreeMap<String, [String; 2]>,
    /// The fields that are usually compared.
    pub(super) expect: Vec<usize>,
    /// An order that is in our books twice, and the second row's cells.
    twice: Option<usize>,
}

impl Input {
    pub(super) fn drawn(naming: Naming, orders: usize, has_parents: bool, random: &mut StdRng) -> Self {
        let members = (0..orders).map(|_| random.random_bool(0.65)).collect();
        let expect: &[&[usize]] = &[&[], &[], &[0], &[0], &[1], &[0, 1]];
        let expect = expect.choose(random).map(|fields| fields.to_vec()).unwrap_or_default();
        Self { naming, has_parents, members, books: BTreeMap::new(), expect, twice: None }
    }

    /// The path from the simulation's folder on a day of June.
    pub(super) fn path(&self, day: usize) -> String {
        match self.naming {
            Naming::Fixed(path) => path.to_owned(),
            Naming::DatedFile => format!("c/ids-202606{day:02}.csv"),
            Naming::DatedFolder => format!("d/202606{day:02}/ids.csv"),
            Naming::StandardInput => "e/standard.csv".to_owned(),
        }
    }

    /// Draws tonight's rows; adds what was drawn to `drawn`.
    pub(super) fn sheet(
        &mut self,
        label: String,
        orders: &[Order],
        random: &mut StdRng,
        drawn: &mut Vec<&'static str>,
    ) -> Sheet {
        self.move_members(random, drawn);
        for order in orders {
            self.book(order, random);
        }
        let mut rows: Vec<Row> =
            orders.iter().zip(&self.members).filter(|(_, is)| **is).map(|(order, _)| self.row(order)).collect();
        let parents: Vec<&Order> = orders.iter().filter(|_| random.random_bool(0.8)).collect();
        for row in &mut rows {
            row.parent = parents.choose(random).map(|order| order.id.clone()).unwrap_or_default();
        }
        self.double(&mut rows, random, drawn);
        if random.random_bool(0.15) {
            drawn.push("rejected");
            let id = (*["", "not an id"].choose(random).expect("one of two")).to_owned();
            let at = random.random_range(1..=rows.len());
            let row = Row { parent: id.clone(), id, books: [String::new(), "1".to_owned()] };
            rows.insert(at, row);
        }
        Sheet { label, has_parents: self.has_parents, rows, bulky: None }
    }

    fn row(&self, order: &Order) -> Row {
        Row { id: order.id.clone(), parent: String::new(), books: self.books[&order.id].clone() }
    }

    /// Lets some orders leave and some come back; at least three stay.
    fn move_members(&mut self, random: &mut StdRng, drawn: &mut Vec<&'static str>) {
        for is_member in &mut self.members {
            if random.random_bool(if *is_member { 0.08 } else { 0.25 }) {
                *is_member = !*is_member;
                drawn.push(if *is_member { "order comes" } else { "order leaves" });
            }
        }
        let few: Vec<usize> = (0..self.members.len()).filter(|at| !self.members[*at]).collect();
        let lacking = 3_usize.saturating_sub(self.members.len() - few.len());
        for at in few.into_iter().take(lacking) {
            self.members[at] = true;
        }
    }

    /// Draws what our books say about an order: often the same as before.
    fn book(&mut self, order: &Order, random: &mut StdRng) {
        let is_known = self.books.contains_key(&order.id);
        let books = self.books.entry(order.id.clone()).or_default();
        for (cell, field) in books.iter_mut().zip([FINAL, QUOTE]) {
            if is_known && random.random_bool(0.7) {
                continue;
            }
            let figure = order.figures[field];
            *cell = match random.random_range(0..20) {
                0 => String::new(),
                1 | 2 => money(figure + random.random_range(1..9)),
                3 if field == FINAL => "0".to_owned(),
                _ if !order.is_settled && field == FINAL => String::new(),
                _ => money(figure),
            };
        }
    }

    /// Repeats a row, perhaps with different figures.
    fn double(&mut self, rows: &mut Vec<Row>, random: &mut StdRng, drawn: &mut Vec<&'static str>) {
        if random.random_bool(0.3) {
            self.twice = random.random_bool(0.6).then(|| random.random_range(0..rows.len()));
        }
        let Some(at) = self.twice.filter(|at| *at < rows.len()) else { return };
        drawn.push("duplicate");
        let mut again = rows[at].clone();
        if random.random_bool(0.5) {
            again.books = [money(123_456_789), money(987_654_321)];
        }
        rows.insert(random.random_range(at + 1..=rows.len()), again);
    }

    /// The rows with one near the end replaced by a different order, or dropped; `None` if there are too few rows.
    pub(super) fn changed(sheet: &Sheet, orders: &[Order], random: &mut StdRng) -> Option<Sheet> {
        let bulky = sheet.bulky?;
        let mut changed = sheet.clone();
        let at = random.random_range(bulky + 1..sheet.rows.len());
        let mut others: Vec<&Order> =
            orders.iter().filter(|order| sheet.rows.iter().all(|row| row.id != order.id)).collect();
        others.shuffle(random);
        match others.first().filter(|_| random.random_bool(0.7)) {
            Some(other) => changed.rows[at].id = other.id.clone(),
            None => _ = changed.rows.remove(at),
        }
        Some(changed)
    }
}
