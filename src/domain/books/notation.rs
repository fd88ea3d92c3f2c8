//! Reads amounts and currencies as spreadsheets and ledgers write them. Ambiguous amounts are refused.

use crate::domain::cell::{bare_text, half_width, trimmed};
use crate::domain::money::{Amount, AmountError};

/// A currency sign or word beside an amount, and the currencies that it may stand for, the usual one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    text: &'static str,
    codes: &'static [&'static str],
}

impl Sign {
    /// Whether the sign may stand for that currency.
    #[must_use]
    pub fn is_of(&self, currency: &str) -> bool {
        self.codes.iter().any(|code| currency.eq_ignore_ascii_case(code))
    }

    /// The currency that the sign stands for unless something says otherwise.
    #[must_use]
    pub fn usual(&self) -> &'static str {
        self.codes.first().copied().unwrap_or_default()
    }
}

/// The signs and words that spreadsheets put before or after an amount, in any case.
const SIGNS: [Sign; 12] = {
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
        sign("US$", &["USD"]),
        sign("HK$", &["HKD"]),
        sign("元", YUAN),
        sign("人民币", YUAN),
    ]
};

/// What databases write for an absent value. A spreadsheet's failed formula (`#N/A`) is not among them.
const NOTHING: [&str; 5] = ["", "NULL", "\\N", "None", "NaN"];

/// Whether a text stands for an absent value.
pub(super) fn is_nothing(text: &str) -> bool {
    NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text))
}

/// The sign beside an amount, if there is one.
#[must_use]
pub fn sign_of(text: &str) -> Option<Sign> {
    let narrow: String = bare_text(text).chars().map(narrowed).collect();
    Parts::of(&narrow).sign
}

/// The code of a currency that our books name, in any case; CNY also by its usual names. A sign of several
/// currencies, such as `$`, stays as it is.
#[must_use]
pub fn currency(text: &str) -> String {
    let narrow: String = bare_text(text).chars().map(narrowed).collect();
    let is_it = |sign: &Sign| sign.text.eq_ignore_ascii_case(&narrow) && (sign.codes.len() == 1 || sign.is_of("CNY"));
    SIGNS.iter().find(|sign| is_it(sign)).map_or_else(|| narrow.to_ascii_uppercase(), |sign| sign.usual().to_owned())
}

/// Reads an amount as spreadsheets and ledgers write it: with thousands separators (`1,234.50`), full-width
/// digits (`１２．５`), a currency sign (`¥12.5`, `12.5元`), no digit before the point (`.5`), any kind of minus
/// before or after it (`12.50-`), or in an accountant's brackets (`(12.50)` is below zero). A lone dash is
/// Excel's zero.
///
/// # Errors
/// [`AmountError`] if the text is not an exact amount, or could mean two things: `1.234,56`, `12,34`, `(-3)`.
pub fn amount(text: &str) -> Result<Amount, AmountError> {
    let narrow: String = bare_text(text).chars().map(narrowed).collect();
    let parts = Parts::of(&narrow);
    match (parts.dashes + parts.brackets, parts.number) {
        (1, "") if parts.brackets == 0 => return Ok(Amount::ZERO),
        (0, _) => {}
        (1, number) if !number.starts_with('+') => {}
        _ => return Err(AmountError::NotANumber),
    }
    let amount = Amount::parse(&plain(parts.number).ok_or(AmountError::NotANumber)?)?;
    Ok(if parts.dashes + parts.brackets == 1 { -amount } else { amount })
}

/// How many decimals an amount is written with, trailing zeros included; `None` for a dash.
pub(super) fn decimals(text: &str) -> Option<u32> {
    let narrow: String = bare_text(text).chars().map(narrowed).collect();
    let number = plain(Parts::of(&narrow).number)?;
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((&number, "0"));
    let written = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let decimals = i64::try_from(written).ok()?.saturating_sub(exponent.parse().ok()?);
    u32::try_from(decimals.max(0)).ok()
}

/// The parts of an amount's text.
struct Parts<'t> {
    sign: Option<Sign>,
    dashes: usize,
    brackets: usize,
    /// The rest: the number itself.
    number: &'t str,
}

impl<'t> Parts<'t> {
    /// Strips dashes, brackets and one sign, from the outside in.
    fn of(text: &'t str) -> Self {
        let mut parts = Self { sign: None, dashes: 0, brackets: 0, number: trimmed(text) };
        loop {
            let text = parts.number;
            let rest = if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
                parts.brackets += 1;
                inner
            } else if let Some(rest) = text.strip_prefix('-').or_else(|| text.strip_suffix('-')) {
                parts.dashes += 1;
                rest
            } else if let (None, Some((sign, rest))) = (parts.sign, found_sign(text)) {
                parts.sign = Some(sign);
                rest
            } else {
                return parts;
            };
            parts.number = trimmed(rest);
        }
    }
}

/// The usual form of a full-width character or of a typographic minus.
fn narrowed(char: char) -> char {
    match char {
        '\u{2212}' | '\u{2013}' => '-',
        '\u{ffe5}' => '¥',
        '\u{ffe1}' => '£',
        other => half_width(other),
    }
}

/// The sign before or after a text, and the rest of the text. The longest sign wins: CN¥ ends with ¥.
fn found_sign(text: &str) -> Option<(Sign, &str)> {
    let without = |sign: Sign| {
        let is_sign = |part: &str| part.eq_ignore_ascii_case(sign.text);
        let before = text.split_at_checked(sign.text.len()).filter(|(part, _)| is_sign(part));
        let behind =
            || text.split_at_checked(text.len().checked_sub(sign.text.len())?).filter(|(_, part)| is_sign(part));
        before.map(|(_, rest)| rest).or_else(|| behind().map(|(rest, _)| rest)).map(|rest| (sign, rest))
    };
    SIGNS.into_iter().filter_map(without).max_by_key(|(sign, _)| sign.text.len())
}

/// The number as [`Amount::parse`] reads it: with a digit before the point, and without thousands separators.
/// These must stand where they belong, and the first group must not begin with 0: the comma of `0,123` may be
/// a decimal one.
fn plain(text: &str) -> Option<String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, rest) = match text.find(['.', 'e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    if whole.is_empty() && rest.starts_with('.') {
        return Some(format!("0{rest}"));
    }
    if !whole.contains(',') {
        return whole.starts_with(|char: char| char.is_ascii_digit()).then(|| text.to_owned());
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
            (".5", "0.50000000"),
            ("-.5", "-0.50000000"),
            ("+.5", "0.50000000"),
            ("¥.5", "0.50000000"),
            ("¥(12.50)", "-12.50000000"),
            ("(¥12.50)", "-12.50000000"),
            ("（￥１２．５０）", "-12.50000000"),
            ("( 12.50 )", "-12.50000000"),
            ("12.50-", "-12.50000000"),
            ("1,234.50 -", "-1234.50000000"),
            ("¥12.50-", "-12.50000000"),
            ("12.50- CNY", "-12.50000000"),
            ("-", "0.00000000"),
            (" ¥ -   ", "0.00000000"),
            ("-   €", "0.00000000"),
            ("－", "0.00000000"),
            ("2.88E-04", "0.00028800"),
            ("2.88e-4-", "-0.00028800"),
            ("=\"0.01\"", "0.01000000"),
            ("=\"(¥0.01)\"", "-0.01000000"),
            ("`0.20", "0.20000000"),
            ("' 0.20", "0.20000000"),
            ("12.5 cny", "12.50000000"),
            ("Rmb3", "3.00000000"),
            ("人民币3", "3.00000000"),
            ("US$3", "3.00000000"),
        ];
        for (text, expected) in cases {
            assert_eq!(amount(text).map(|amount| amount.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn ambiguous_texts_are_refused() {
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
            "(-3)",
            "-3-",
            "(3)-",
            "-+3",
            "+-3",
            "3+",
            "(+3)",
            "()",
            "(-)",
            "--",
            "+",
            "¥",
            "¥()",
            ".",
            "3.",
            ".5.5",
            "(3",
            "3)",
            "3-4",
            "=3",
            "=\"3",
            "''3",
            "¥$3",
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
            ("¥(12.50)", Some("CNY")),
            ("¥ -", Some("CNY")),
            ("12.50 usd-", Some("USD")),
            ("=\"HK$1\"", Some("HKD")),
            ("`$1", Some("USD")),
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
    fn currencies_are_known_by_their_names() {
        for text in ["CNY", "cny", " RMB ", "rmb", "人民币", "￥", "¥", "CN¥", "元", "ＣＮＹ", "=\"CNY\"", "'CNY"]
        {
            assert_eq!(currency(text), "CNY", "{text}");
        }
        for (text, code) in
            [("usd", "USD"), ("€", "EUR"), ("HK$", "HKD"), ("jpy", "JPY"), ("$", "$"), ("", ""), ("yuan", "YUAN")]
        {
            assert_eq!(currency(text), code, "{text}");
        }
    }

    #[test]
    fn decimals_are_counted_as_written() {
        let cases = [
            ("0.20", Some(2)),
            ("1,234", Some(0)),
            ("-.5", Some(1)),
            ("¥(12.500)", Some(3)),
            ("2.88E-04", Some(6)),
            ("1.5e3", Some(0)),
            ("-", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decimals(text), expected, "{text}");
        }
    }

    #[test]
    fn absent_values_of_databases_are_recognised() {
        for text in ["", "NULL", "null", "\\N", "None", "nan"] {
            assert!(is_nothing(text), "{text}");
        }
        for text in ["-", "0", "#N/A", "n/a", "N", "#REF!"] {
            assert!(!is_nothing(text), "{text}");
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

        /// Any one mark makes an amount negative without changing its size. Two marks are refused.
        #[test]
        fn a_negative_amount_has_one_mark(units in 1..10_i128.pow(20), outer in 0..7_usize, inner in 0..7_usize) {
            let mark = |how: usize, text: &str| match how {
                0 => format!("-{text}"),
                1 => format!("{text}-"),
                2 => format!("({text})"),
                3 => format!("¥{text}"),
                4 => format!("{text} CNY"),
                5 => format!(" {text}\u{a0}"),
                _ => format!("=\"{text}\""),
            };
            let size = Amount::from_units(units).expect("20 digits");
            let (is_minus, is_sign) = (|how| how < 3, |how| how == 3 || how == 4);
            prop_assume!(inner < 6 && !(is_sign(outer) && is_sign(inner)));
            let expected = match (is_minus(outer), is_minus(inner)) {
                (true, true) => Err(AmountError::NotANumber),
                (false, false) => Ok(size),
                _ => Ok(-size),
            };
            let text = mark(outer, &mark(inner, &size.to_string()));
            prop_assert_eq!(amount(&text), expected, "{}", text);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}") {
            let _ = amount(&text);
        }
    }
}
