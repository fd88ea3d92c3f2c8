//! Random orders: each begins as one that ties out, and up to two things are changed.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tieout::domain::books::{Booking, Field};
use tieout::domain::listed::ListedAmounts;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::Background;

/// One yuan in units of 10⁻⁸.
const YUAN: i128 = 100_000_000;

/// One order in plain figures: amounts in units of 10⁻⁸, times in seconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct RandomOrder {
    pub(super) asked: String,
    pub(super) replied: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) quote: Option<i128>,
    pub(super) charged: Option<i128>,
    pub(super) released: Option<i128>,
    pub(super) compute: Option<i128>,
    pub(super) external: Option<i128>,
    pub(super) total: Option<i128>,
    pub(super) freeze: Option<&'static str>,
    pub(super) submission: Option<&'static str>,
    pub(super) run: Option<&'static str>,
    pub(super) settlement: Option<&'static str>,
    pub(super) created: Option<i64>,
    pub(super) updated: Option<i64>,
    /// The `final_amount` cell of each row of our own books for this order.
    pub(super) books: Vec<Cell>,
    /// The quote and the charge in the provider's list.
    pub(super) listed: Option<[Option<i128>; 2]>,
}

/// A cell of our own books.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// An amount in units of 10⁻⁸, its text, and the number of decimals in the text.
    Units(i128, String, u32),
    /// An empty cell.
    Empty,
    /// A text that is not an amount.
    Unreadable(&'static str),
}

impl RandomOrder {
    /// The order with this number, always the same.
    pub(super) fn number(number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(number);
        let mut order = Self::that_ties_out(number, &mut random);
        for _ in 0..random.random_range(0..=2) {
            order.change(&mut random);
        }
        // A separate generator, so that the order itself does not depend on these draws.
        let mut random = StdRng::seed_from_u64(number ^ 0xB00C5);
        if random.random() {
            let rows = if random.random_range(0..8) == 0 { 2 } else { 1 };
            order.books = (0..rows).map(|_| Cell::drawn(order.charged, &mut random)).collect();
        }
        if random.random_range(0..3) == 0 {
            let mut listed = |figure: Option<i128>| match random.random_range(0..8) {
                0 => None,
                1 => figure.map(|units| units + 1),
                _ => figure,
            };
            order.listed = Some([listed(order.quote), listed(order.charged)]);
        }
        order
    }

    fn that_ties_out(number: u64, random: &mut StdRng) -> Self {
        // Some figures are round, like prices; others are not, like costs.
        let place = *[1, 100, 10_000, 1_000_000].choose(random).expect("a place");
        let compute = random.random_range(1..20 * YUAN) / place * place;
        let external = if random.random() { random.random_range(0..20 * YUAN) } else { 0 };
        let total = compute + external;
        let released = random.random_range(0..20 * YUAN) / place * place;
        let created = super::AS_OF - random.random_range(0..400_000);
        let id = format!("wfrun_{number:020x}");
        Self {
            asked: id.clone(),
            replied: Some(id),
            currency: Some("CNY".into()),
            quote: Some(total + released),
            charged: Some(total),
            released: Some(released),
            compute: Some(compute),
            external: Some(external),
            total: Some(total),
            freeze: Some("released"),
            submission: Some("submitted"),
            run: Some("succeeded"),
            settlement: Some("settled"),
            created: Some(created),
            updated: Some(created + 60),
            books: Vec::new(),
            listed: None,
        }
    }

    /// Changes one random thing about the order.
    fn change(&mut self, random: &mut StdRng) {
        let ten = 10_i128.pow(random.random_range(1..=8));
        let place = *[100, 10_000, 1_000_000].choose(random).expect("a place");
        let round = |figure: i128| (figure + place / 2) / place * place;
        let noise = random.random_range(-YUAN..YUAN);
        let quote = self.quote.unwrap_or(7);
        let [charged, released] = [self.charged, self.released].map(|figure| figure.unwrap_or(7));
        let [compute, external, total] = [self.compute, self.external, self.total].map(|figure| figure.unwrap_or(7));
        match random.random_range(0..34) {
            0 => (self.charged, self.released) = (Some(quote + 1 + noise.abs()), Some(0)),
            1 => self.released = Some(0),
            2 => self.released = Some(quote),
            3 => self.released = Some(2 * released),
            4 => self.released = Some(-released),
            5 => self.charged = Some(-charged),
            6 => self.charged = Some(charged * ten),
            7 => self.released = Some(released / ten),
            8 => self.quote = Some(round(quote)),
            9 => self.quote = Some(quote + [1, -1].choose(random).expect("one of two")),
            10 => self.total = Some(compute),
            11 => self.total = Some(external),
            12 => self.total = Some(compute + 2 * external),
            13 => self.total = Some(2 * compute + external),
            14 => self.total = Some(compute - external),
            15 => self.total = Some((compute + external) * ten),
            16 => self.total = Some(round(total)),
            17 => self.total = Some(total + noise),
            18 => self.charged = Some(charged + noise),
            19 => self.quote = None,
            20 => self.charged = None,
            21 => self.external = None,
            22 => self.replied = [None, Some("wfrun_another".to_owned())].choose(random).cloned().flatten(),
            23 => self.currency = None,
            24 => self.run = Some("failed"),
            25 => (self.run, self.charged, self.released) = (Some("failed"), Some(0), self.quote),
            26 => self.settlement = *[None, Some("unsettled"), Some("closed")].choose(random).expect("one"),
            27 => self.freeze = *[None, Some("frozen"), Some("thawed")].choose(random).expect("one"),
            28 => self.run = *[None, Some("queued"), Some("running"), Some("archived")].choose(random).expect("one"),
            29 => self.submission = *[None, Some("taken")].choose(random).expect("one"),
            30 => self.updated = self.created.map(|created| created - random.random_range(-2..=2)),
            31 => (self.created, self.updated) = (None, self.updated),
            32 => {
                (self.freeze, self.run, self.settlement) = (Some("frozen"), Some("running"), None);
                (self.charged, self.released) = (None, None);
            }
            _ => {
                let age = 86_400 + random.random_range(-2..=2);
                (self.freeze, self.run, self.settlement) = (Some("frozen"), Some("queued"), Some("pending"));
                (self.created, self.updated) = (Some(super::AS_OF - age), None);
            }
        }
    }

    /// What else is known of the order, in the program's types.
    pub(super) fn background(&self) -> Background {
        let amount = |units: i128| Amount::parse(&super::expected::money(units)).expect("an amount");
        let bookings = self.books.iter().zip(2..).map(|(cell, line)| {
            let text = match cell {
                Cell::Units(_, text, _) => text.clone(),
                Cell::Empty => String::new(),
                Cell::Unreadable(text) => (*text).to_owned(),
            };
            Booking { line, cells: [(Field::Final, text)].into() }
        });
        let listed = self.listed.map(|[quote, charged]| ListedAmounts {
            quote_amount: quote.map(amount),
            final_amount: charged.map(amount),
        });
        Background { bookings: bookings.collect(), listed, ..Background::default() }
    }

    /// The same order in the program's types.
    pub(super) fn order(&self) -> RunOrder {
        let time = |seconds: Option<i64>| seconds.map(|seconds| Timestamp::from_second(seconds).expect("a time"));
        let word = |word: Option<&str>| word.map(str::to_owned);
        let figures = [self.quote, self.charged, self.released, self.compute, self.external, self.total];
        RunOrder {
            run_order_id: self.replied.clone(),
            quote_currency: self.currency.clone(),
            amounts: Amounts::from_order(figures.map(|units| {
                units.map(|units| Amount::parse(&super::expected::money(units)).expect("an amount of 28 digits"))
            })),
            freeze_status: word(self.freeze),
            submission_status: word(self.submission),
            run_status: word(self.run),
            settlement_status: word(self.settlement),
            created_at: time(self.created),
            updated_at: time(self.updated),
            ..RunOrder::default()
        }
    }
}

impl Cell {
    /// A random cell: mostly the charge, in a random notation.
    fn drawn(charged: Option<i128>, random: &mut StdRng) -> Self {
        let units = charged.unwrap_or(0);
        let mut places = 8;
        let units = match random.random_range(0..13) {
            4 => -units,
            5 => units * 10_i128.pow(random.random_range(1..=9)),
            6 => {
                places = random.random_range(0..=6);
                let last = 10_i128.pow(8 - places);
                let (whole, rest) = (units.abs() / last, units.abs() % last);
                (whole + i128::from(rest * 2 >= last)) * last * units.signum()
            }
            0 => units + 1,
            1 => units - 1,
            2 => return Self::Empty,
            3 => return Self::Unreadable(["12,5", "n/a", "1.0.0", "5%"].choose(random).expect("one of four")),
            _ => units,
        };
        let mut plain = super::expected::money(units);
        plain.truncate(plain.len() - 8 + places as usize);
        let plain = plain.trim_end_matches('.').to_owned();
        let text = match random.random_range(0..5) {
            0 => format!("¥{plain}"),
            1 => format!("{plain}元"),
            2 => plain.chars().map(|char| char::from_u32(char as u32 + 0xfee0).expect("its full-width form")).collect(),
            3 if units < 0 => format!("({})", &plain[1..]),
            _ => plain,
        };
        Self::Units(units, text, places)
    }
}
