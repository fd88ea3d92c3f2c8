//! Damage to a file, at the same places in every run of the test.

use std::ops::Range;

use rusqlite::Connection;

use crate::support::Place;

/// The length of the header of an SQLite file, in bytes.
const HEADER: usize = 100;
const PAGE: usize = 4096;
/// The length of an order's ID, in bytes.
const NAME: usize = 26;
/// The possible first bytes of a B-tree page of a table or index.
const TREES: [u8; 4] = [2, 5, 10, 13];
/// Where a B-tree page holds the number of its rows.
const COUNT: Range<usize> = 3..5;

/// Which file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    State,
    Log,
}

/// One damage.
#[derive(Clone, Debug)]
pub(super) struct Damage {
    file: File,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// Flips one bit of a byte.
    Flip { at: usize, bit: u8 },
    /// Truncates the file here.
    Cut { at: usize },
    /// Fills a page with zeros.
    Blank { page: usize },
    /// Writes a copy of one page over another.
    Misplaced { from: usize, to: usize },
    /// Lowers the row count of a page by one, so that its last row is lost.
    Uncounted { page: usize },
}

impl Damage {
    /// Truncates the state file.
    pub(super) fn cut(at: usize) -> Self {
        Self { file: File::State, change: Change::Cut { at } }
    }

    /// Flips one bit of the state file.
    pub(super) fn flip(at: usize, bit: u8) -> Self {
        Self { file: File::State, change: Change::Flip { at, bit } }
    }

    /// Loses the last row of the only page of a table.
    pub(super) fn uncounted(state: &[u8], table: &str) -> Self {
        let [page] = pages(state, table)[..] else { panic!("one page") };
        Self { file: File::State, change: Change::Uncounted { page } }
    }

    pub(super) fn is_in_log(&self) -> bool {
        self.file == File::Log
    }

    /// Returns the state and its log with this damage.
    pub(super) fn of(&self, state: &[u8], log: Option<&[u8]>) -> (Vec<u8>, Option<Vec<u8>>) {
        match self.file {
            File::State => (self.change.of(state), log.map(<[u8]>::to_vec)),
            File::Log => (state.to_vec(), log.map(|log| self.change.of(log))),
        }
    }
}

impl Change {
    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let page = |page: usize| page * PAGE..(page + 1) * PAGE;
        match self {
            Self::Flip { at, bit } => bytes[*at] ^= 1 << bit,
            Self::Cut { at } => bytes.truncate(*at),
            Self::Blank { page: number } => bytes[page(*number)].fill(0),
            Self::Misplaced { from, to } => bytes.copy_within(page(*from), to * PAGE),
            Self::Uncounted { page } => {
                let count = &mut bytes[page * PAGE..][COUNT];
                let lower = u16::from_be_bytes([count[0], count[1]]) - 1;
                count.copy_from_slice(&lower.to_be_bytes());
            }
        }
        bytes
    }
}

/// The positions of order IDs within a part of the state.
fn names_within(state: &[u8], part: Range<usize>) -> impl Iterator<Item = usize> {
    part.filter(|at| at + NAME <= state.len() && state[*at..].starts_with(b"wfrun_"))
}

/// The positions of order IDs in a table of a state, without remains of replaced rows.
pub(super) fn names(state: &[u8], table: &str) -> Vec<usize> {
    let within = pages(state, table).into_iter().flat_map(|page| names_within(state, page * PAGE..(page + 1) * PAGE));
    let (place, mut copy, sound) = (Place::new(), state.to_vec(), read_names(&Place::new(), state, table));
    let mut is_read = |at: usize| {
        copy[at] ^= 1;
        let found = read_names(&place, &copy, table);
        copy[at] ^= 1;
        found != sound
    };
    within.filter(|at| is_read(*at)).collect()
}

/// The order IDs in a table of a state, in the order of the table.
fn read_names(place: &Place, state: &[u8], table: &str) -> Vec<String> {
    let opened = Connection::open(place.file("state.sqlite", state)).expect("a state");
    let mut names = opened.prepare(&format!("SELECT run_order_id FROM {table}")).expect("a table of orders");
    let names = names.query_map([], |row| row.get(0)).expect("rows");
    names.map(|name| name.expect("a name")).collect()
}

/// The positions of the first value, which is one byte, in the rows of the last page of a `WITHOUT ROWID` table.
pub(super) fn first_values(state: &[u8], table: &str) -> Vec<usize> {
    const LEAF: u8 = 10;
    let is_leaf = |page: &usize| state[page * PAGE] == LEAF;
    let page = pages(state, table).into_iter().filter(is_leaf).max().expect("a page of rows");
    let number = |at: usize| usize::from(u16::from_be_bytes([state[at], state[at + 1]]));
    let start = page * PAGE;
    let first_value = |row: usize| {
        let cell = start + number(start + 8 + 2 * row);
        // The length of the row as a variable-length integer, then the length of its header, that byte included.
        let header = cell + state[cell..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
        header + usize::from(state[header])
    };
    (0..number(start + COUNT.start)).map(first_value).collect()
}

/// The page numbers of a table, from 0.
fn pages(state: &[u8], table: &str) -> Vec<usize> {
    let place = Place::new();
    let opened = Connection::open(place.file("state.sqlite", state)).expect("a state");
    let mut pages = opened.prepare("SELECT pageno FROM dbstat WHERE name = ?1").expect("pages are known");
    let pages = pages.query_map([table], |row| row.get::<_, i64>(0)).expect("pages");
    pages.map(|page| usize::try_from(page.expect("a page")).expect("a number") - 1).collect()
}

/// A generator of random damage (Knuth's LCG).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// A random number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn one_of(&mut self, places: &[usize]) -> usize {
        places[self.below(places.len())]
    }

    /// The next damage; `number` picks its kind. If there is a log, every second damage is in it.
    pub(super) fn damage(&mut self, number: usize, state: &[u8], log: Option<&[u8]>) -> Damage {
        match log {
            Some(log) if number % 2 == 1 => Damage { file: File::Log, change: self.change_of_log(number / 2, log) },
            Some(_) => Damage { file: File::State, change: self.change_of_state(number / 2, state) },
            None => Damage { file: File::State, change: self.change_of_state(number, state) },
        }
    }

    fn change_of_state(&mut self, number: usize, state: &[u8]) -> Change {
        let pages = state.len() / PAGE;
        let used = |range: Range<usize>| -> Vec<usize> { range.filter(|at| state[*at] != 0).collect() };
        let bit = u8::try_from(self.below(8)).expect("a bit");
        match number % 8 {
            0 => Change::Flip { at: self.below(HEADER), bit },
            // Bytes that are not zero: mostly the text and numbers of rows.
            1 | 2 => Change::Flip { at: self.one_of(&used(HEADER..state.len())), bit },
            // The header of a page, or its pointers to rows.
            3 => Change::Flip { at: (1 + self.below(pages - 1)) * PAGE + self.below(32), bit },
            // An order's ID, by which its row is found.
            4 => {
                let names: Vec<usize> = names_within(state, 0..state.len()).collect();
                Change::Flip { at: self.one_of(&names) + self.below(NAME), bit }
            }
            5 => {
                let trees: Vec<usize> = (1..pages)
                    .filter(|page| TREES.contains(&state[page * PAGE]) && state[page * PAGE..][COUNT] != [0, 0])
                    .collect();
                Change::Uncounted { page: self.one_of(&trees) }
            }
            6 => Change::Cut {
                at: [self.below(state.len() - 1) + 1, (self.below(pages - 1) + 1) * PAGE][number / 8 % 2],
            },
            _ => {
                let (from, to) = (self.below(pages), 1 + self.below(pages - 1));
                if from == to { Change::Blank { page: to } } else { Change::Misplaced { from, to } }
            }
        }
    }

    fn change_of_log(&mut self, number: usize, log: &[u8]) -> Change {
        let used: Vec<usize> = (0..log.len()).filter(|at| log[*at] != 0).collect();
        let bit = u8::try_from(self.below(8)).expect("a bit");
        match number % 4 {
            0 => Change::Cut { at: self.below(log.len()) },
            // The header of the log.
            1 => Change::Flip { at: self.below(32), bit },
            2 => Change::Flip { at: self.one_of(&used), bit },
            _ => Change::Blank { page: self.below(log.len() / PAGE) },
        }
    }
}
