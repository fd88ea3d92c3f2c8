//! Our own books: what the input's own columns say of an order, beside what the provider says.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::money::{Amount, AmountError};
use super::order::{Amounts, RunOrder};

/// A field of a run order that our books may carry too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Field {
    /// What is finally charged.
    Final,
    /// Compute plus external, in the provider's words.
    Total,
    /// What was quoted.
    Quote,
    /// What of the quote is given back.
    Released,
    /// The cost of GPU time.
    Compute,
    /// The cost of third-party models.
    External,
    /// The currency of the amounts.
    Currency,
    /// The workflow that ran.
    Workflow,
    /// The version of the workflow that ran.
    Revision,
    /// The state of the run.
    RunStatus,
}

impl Field {
    /// Every field that can be compared, by how much it matters to who pays.
    pub const ALL: [Self; 10] = [
        Self::Final,
        Self::Total,
        Self::Quote,
        Self::Released,
        Self::Compute,
        Self::External,
        Self::Currency,
        Self::Workflow,
        Self::Revision,
        Self::RunStatus,
    ];

    /// The names of [`Field::ALL`].
    pub const NAMES: [&'static str; 10] = {
        let mut names = [""; 10];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// The field of that name; `final` stands for `final_amount`, and so on.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_it = |field: &Self| {
            let full = field.name();
            full == name || full.strip_suffix("_amount").or_else(|| full.strip_suffix("_cost")) == Some(name)
        };
        Self::ALL.into_iter().find(is_it)
    }

    /// The provider's name of the field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Final => "final_amount",
            Self::Total => "total_cost",
            Self::Quote => "quote_amount",
            Self::Released => "released_amount",
            Self::Compute => "compute_cost",
            Self::External => "external_model_cost",
            Self::Currency => "quote_currency",
            Self::Workflow => "workflow_id",
            Self::Revision => "revision_id",
            Self::RunStatus => "run_status",
        }
    }

    /// Whether it is one of the six amounts.
    #[must_use]
    pub const fn is_amount(self) -> bool {
        !matches!(self, Self::Currency | Self::Workflow | Self::Revision | Self::RunStatus)
    }

    /// Whether it is one of the amounts that are due only once the order is settled.
    #[must_use]
    pub const fn is_due_when_settled(self) -> bool {
        self.is_amount() && !matches!(self, Self::Quote)
    }

    /// The amount of an order that the field is, where it is one and there is one.
    #[must_use]
    pub const fn amount_of(self, amounts: &Amounts) -> Option<Amount> {
        match self {
            Self::Final => amounts.final_amount,
            Self::Total => amounts.total_cost,
            Self::Quote => amounts.quote_amount,
            Self::Released => amounts.released_amount,
            Self::Compute => amounts.compute_cost,
            Self::External => amounts.external_model_cost,
            Self::Currency | Self::Workflow | Self::Revision | Self::RunStatus => None,
        }
    }

    /// What the provider says of it.
    #[must_use]
    pub fn of(self, order: &RunOrder) -> Entry {
        let text = match self {
            Self::Currency => &order.quote_currency,
            Self::Workflow => &order.workflow_id,
            Self::Revision => &order.revision_id,
            Self::RunStatus => &order.run_status,
            _ => return self.amount_of(&order.amounts).map_or(Entry::Nothing, Entry::Amount),
        };
        text.clone().map_or(Entry::Nothing, Entry::Text)
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let field = Self::ALL.into_iter().find(|field| field.name() == name);
        field.ok_or_else(|| format!("{name:?} is not a field that can be compared"))
    }
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.name()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands in one place of the books, or of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Nothing,
    /// An exact amount.
    Amount(Amount),
    /// A text, trimmed.
    Text(String),
    /// What should be an amount and can't be read as one, exactly.
    Unreadable(Unreadable),
}

/// A cell that is no exact amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What stands there.
    pub text: String,
    /// Why it is none.
    pub why: AmountError,
}

/// One row of our books: the cells of the columns that are compared, as they stand in the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// The line of the input on which the row begins, counted from 1.
    pub line: u64,
    /// What stands there, by field. A cell that the row does not have is empty.
    pub cells: BTreeMap<Field, String>,
}

impl Booking {
    /// The currency sign beside an amount of the books.
    #[must_use]
    pub fn sign(&self, field: Field) -> Option<Sign> {
        sign_of(self.cells.get(&field)?).filter(|_| field.is_amount())
    }

    /// What the books say of a field; `None` where it is not compared.
    #[must_use]
    pub fn entry(&self, field: Field) -> Option<Entry> {
        let text = trimmed(self.cells.get(&field)?);
        Some(match field {
            _ if text.is_empty() => Entry::Nothing,
            _ if !field.is_amount() => Entry::Text(text.to_owned()),
            _ => match amount(text) {
                Ok(amount) => Entry::Amount(amount),
                Err(why) => Entry::Unreadable(Unreadable { text: text.to_owned(), why }),
            },
        })
    }
}

/// A currency sign or word beside an amount, and the currencies that it may stand for, the usual one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    text: &'static str,
    codes: &'static [&'static str],
}

impl Sign {
    /// Whether it may stand for that currency.
    #[must_use]
    pub fn is_of(&self, currency: &str) -> bool {
        self.codes.iter().any(|code| currency.eq_ignore_ascii_case(code))
    }

    /// The currency that it stands for where nothing says otherwise.
    #[must_use]
    pub fn usual(&self) -> &'static str {
        self.codes.first().copied().unwrap_or_default()
    }
}

/// Signs and words that spreadsheets put before or after an amount.
const SIGNS: [Sign; 10] = {
    const YUAN: &[&str] = &["CNY"];
    const DOLLARS: &[&str] = &["USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD"];
    const fn sign(text: &'static str, codes: &'static [&'static str]) -> Sign {
        Sign { text, codes }
    }
    [
        sign("¥", &["CNY", "JPY"]),
        sign("$", DOLLARS),
        sign("€", &["EUR"]),
        sign("£", &["GBP"]),
        sign("CN¥", YUAN),
        sign("CNY", YUAN),
        sign("RMB", YUAN),
        sign("USD", &["USD"]),
        sign("元", YUAN),
        sign("人民币", YUAN),
    ]
};

/// The sign beside an amount, where there is one.
#[must_use]
pub fn sign_of(text: &str) -> Option<Sign> {
    let narrow: String = trimmed(text).chars().map(narrowed).collect();
    let text = narrow.trim_matches(|char: char| matches!(char, '\'' | '(' | ')' | '-') || char.is_whitespace());
    found_sign(text).map(|(sign, _)| sign)
}

/// Reads an amount as spreadsheets write it: with thousands separators (`1,234.50`), full-width digits (`１２．５`), a currency
/// sign (`¥12.5`, `12.5元`), a minus of any kind, or in an accountant's brackets (`(12.50)` is below zero).
///
/// # Errors
/// Whatever could be meant in two ways is no amount: `1.234,56`, `12,34`.
pub fn amount(text: &str) -> Result<Amount, AmountError> {
    let narrow: String = trimmed(text).chars().map(narrowed).collect();
    let text = narrow.strip_prefix('\'').unwrap_or(&narrow);
    let (text, is_bracketed) = match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let (text, is_negative) = match trimmed(text).strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (trimmed(text), false),
    };
    let text = without_sign(text);
    // A minus after the sign: ¥-12.
    let (text, is_negative_inside) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if [is_bracketed, is_negative, is_negative_inside].into_iter().filter(|minus| *minus).count() > 1 {
        return Err(AmountError::NotANumber);
    }
    let plain = without_separators(text).ok_or(AmountError::NotANumber)?;
    let amount = Amount::parse(&plain)?;
    Ok(if is_bracketed || is_negative || is_negative_inside { -amount } else { amount })
}

/// Blanks of all kinds, the ideographic one and those that do not break among them.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || matches!(char, '\u{feff}' | '\u{200b}'))
}

/// The character that a full-width one, or another minus, stands for.
fn narrowed(char: char) -> char {
    match char {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xfee0).unwrap_or(char),
        '\u{2212}' | '\u{2013}' => '-',
        '\u{ffe5}' => '¥',
        '\u{ffe1}' => '£',
        other => other,
    }
}

/// The text without one currency sign before or behind it.
fn without_sign(text: &str) -> &str {
    trimmed(found_sign(text).map_or(text, |(_, rest)| rest))
}

/// The sign before or behind a text, and the rest of it. The longest counts: CN¥ ends with ¥.
fn found_sign(text: &str) -> Option<(Sign, &str)> {
    let without = |sign: Sign| {
        let rest = text.strip_prefix(sign.text).or_else(|| text.strip_suffix(sign.text))?;
        Some((sign, rest))
    };
    SIGNS.into_iter().filter_map(without).max_by_key(|(sign, _)| sign.text.len())
}

/// The number without thousands separators, which must stand where they belong: no group of thousands begins a number with 0,
/// where the comma may be a decimal one.
fn without_separators(text: &str) -> Option<String> {
    let (whole, rest) = match text.find(['.', 'e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    if !whole.contains(',') {
        return Some(text.to_owned());
    }
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let are_right = (1..=3).contains(&first.len()) && !first.starts_with('0') && groups.all(|group| group.len() == 3);
    (are_right && !rest.contains(',')).then(|| format!("{}{rest}", whole.replace(',', "")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_as_spreadsheets_write_them() {
        let cases = [
            ("0.1", "0.10000000"),
            ("1,234.5", "1234.50000000"),
            ("1,234,567", "1234567.00000000"),
            ("１２．５", "12.50000000"),
            ("￥1，234．50", "1234.50000000"),
            ("¥ 12.5", "12.50000000"),
            ("CN¥12.5", "12.50000000"),
            ("12.5元", "12.50000000"),
            ("12.5 CNY", "12.50000000"),
            ("RMB 3", "3.00000000"),
            ("$-3", "-3.00000000"),
            ("-$3", "-3.00000000"),
            ("−3", "-3.00000000"),
            ("(12.50)", "-12.50000000"),
            ("（12.50）", "-12.50000000"),
            ("'12", "12.00000000"),
            ("\u{a0}12\u{3000}", "12.00000000"),
            ("1e-8", "0.00000001"),
            ("+7", "7.00000000"),
        ];
        for (text, expected) in cases {
            assert_eq!(amount(text).map(|amount| amount.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_could_be_meant_in_two_ways_is_no_amount() {
        for text in [
            "1.234,56",
            "12,34",
            "0,123",
            "0,200",
            "-0,123",
            "¥0,123",
            "00,123",
            "012,345",
            "1,2345",
            ",123",
            "1,,234",
            "1.000,000",
            "-(3)",
            "--3",
            "-¥-3",
            "12%",
            "abc",
            "",
        ] {
            assert_eq!(amount(text), Err(AmountError::NotANumber), "{text}");
        }
        assert!(matches!(amount("0.123456789"), Err(AmountError::TooManyDecimals(_))));
    }

    #[test]
    fn signs_stand_for_their_currencies() {
        let cases = [
            ("USD 0.20", Some("USD")),
            ("$0.20", Some("USD")),
            ("-$3", Some("USD")),
            ("(€0.20)", Some("EUR")),
            ("0.20 €", Some("EUR")),
            ("£1", Some("GBP")),
            ("￥1", Some("CNY")),
            ("'CN¥12.5", Some("CNY")),
            ("12.5元", Some("CNY")),
            ("0.20", None),
            ("", None),
        ];
        for (text, usual) in cases {
            assert_eq!(sign_of(text).map(|sign| sign.usual()), usual, "{text}");
        }
        let is_of = |text: &str, code: &str| sign_of(text).is_some_and(|sign| sign.is_of(code));
        assert!(is_of("$1", "HKD") && is_of("¥1", "JPY") && is_of("¥1", "cny"));
        assert!(!is_of("$1", "CNY") && !is_of("USD 1", "HKD") && !is_of("元1", "JPY"));
    }

    #[test]
    fn a_booking_says_what_it_has() {
        let cells =
            [(Field::Final, "1,000.5"), (Field::Total, " "), (Field::Quote, "n/a"), (Field::Workflow, " wf_1 ")];
        let cells = cells.map(|(field, text)| (field, text.to_owned())).into();
        let booking = Booking { line: 2, cells };
        assert_eq!(booking.entry(Field::Final), Amount::parse("1000.5").ok().map(Entry::Amount));
        assert_eq!(booking.entry(Field::Total), Some(Entry::Nothing));
        let unreadable = Unreadable { text: "n/a".to_owned(), why: AmountError::NotANumber };
        assert_eq!(booking.entry(Field::Quote), Some(Entry::Unreadable(unreadable)));
        assert_eq!(booking.entry(Field::Workflow), Some(Entry::Text("wf_1".to_owned())));
        assert_eq!(booking.entry(Field::Revision), None);
    }

    #[test]
    fn fields_go_by_their_names() {
        assert_eq!(Field::named("final_amount"), Some(Field::Final));
        assert_eq!(Field::named("final"), Some(Field::Final));
        assert_eq!(Field::named("total"), Some(Field::Total));
        assert_eq!(Field::named("external_model"), Some(Field::External));
        assert_eq!(Field::named("workflow_id"), Some(Field::Workflow));
        assert_eq!(Field::named("workflow"), None);
        for field in Field::ALL {
            assert_eq!(Field::named(field.name()), Some(field));
        }
    }

    proptest! {
        #[test]
        fn separators_and_full_width_digits_change_nothing(units in -10_i128.pow(20)..10_i128.pow(20)) {
            let (sign, size) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
            let (whole, decimals) = ((size / 100_000_000).to_string(), size % 100_000_000);
            let mut grouped = String::new();
            for (at, digit) in whole.chars().enumerate() {
                if at > 0 && (whole.len() - at) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let written = format!("{sign}{grouped}.{decimals:08}");
            let wide: String = written.chars().map(|char| char::from_u32(char as u32 + 0xfee0).unwrap()).collect();
            for text in [written.clone(), wide, format!("{written}元"), format!("¥{written}")] {
                prop_assert_eq!(amount(&text).map(Amount::units), Ok(units), "{}", text);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}") {
            let _ = amount(&text);
        }
    }
}
