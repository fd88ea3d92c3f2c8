//! JSON written by hand. It shares nothing with the decoder of the provider's replies, so that a bug in one can't
//! cancel out the same bug in the other.

use std::fmt::Write as _;

/// Units of 10⁻⁸ in one yuan.
const ONE: u128 = 100_000_000;

/// A JSON string.
pub(super) fn text(plain: &str) -> String {
    let mut json = String::with_capacity(plain.len() + 2);
    json.push('"');
    for character in plain.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            control if control < ' ' => {
                // Writing to a String can't fail.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// A JSON object; the members' values are JSON already.
pub(super) fn object<'m>(members: impl IntoIterator<Item = (&'m str, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(name, value)| format!("{}:{value}", text(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// A JSON array; the elements are JSON already.
pub(super) fn array(elements: impl IntoIterator<Item = String>) -> String {
    let elements: Vec<String> = elements.into_iter().collect();
    format!("[{}]", elements.join(","))
}

/// An amount as a quoted string with 8 decimals, as in the provider's reference.
pub(super) fn decimal_string(units: i128) -> String {
    format!("\"{}\"", eight_places(units))
}

/// An amount as a JSON number in plain notation: `0.1`.
pub(super) fn plain_number(units: i128) -> String {
    let places = eight_places(units);
    places.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount as a JSON number in exponent notation: `1e-8`.
pub(super) fn exponent_number(units: i128) -> String {
    let (mut mantissa, mut exponent) = (units, -8);
    while mantissa != 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    format!("{mantissa}e{exponent}")
}

fn eight_places(units: i128) -> String {
    let (sign, size) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    format!("{sign}{}.{:08}", size / ONE, size % ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_reserved_characters() {
        assert_eq!(text("a\"b\\c\nd\te狐🦊"), r#""a\"b\\c\nd\u0009e狐🦊""#);
        assert_eq!(object([("a", text("b")), ("c", array(["1".into(), "{}".into()]))]), r#"{"a":"b","c":[1,{}]}"#);
    }

    #[test]
    fn writes_amounts_digit_for_digit() {
        for (units, string, plain, exponent) in [
            (1, "\"0.00000001\"", "0.00000001", "1e-8"),
            (0, "\"0.00000000\"", "0", "0e-8"),
            (-28_780, "\"-0.00028780\"", "-0.0002878", "-2878e-7"),
            (12_000_000_000, "\"120.00000000\"", "120", "12e1"),
        ] {
            assert_eq!(decimal_string(units), string);
            assert_eq!(plain_number(units), plain);
            assert_eq!(exponent_number(units), exponent);
        }
    }
}
