//! Values from outside as text of SQL that every engine reads alike.

use super::money::Amount;

/// A text as a literal. Whatever is not plain in some engine is spelled by its code: a backslash begins an escape in
/// some, `$` a variable, and `;` ends a statement even where it is quoted.
#[must_use]
pub fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' | '$' | ';' | '\u{0}'..='\u{1f}' | '\u{7f}' => {
                literal.push_str(&format!("' || chr({}) || '", u32::from(character)));
            }
            character => literal.push(character),
        }
    }
    literal.push('\'');
    literal
}

/// An amount as a literal.
#[must_use]
pub fn amount(amount: Amount) -> String {
    format!("CAST('{amount}' AS DECIMAL(28,8))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(literal("wf_1 订单 -- /*"), "'wf_1 订单 -- /*'");
        assert_eq!(literal("a'; DROP"), "'a' || chr(39) || '' || chr(59) || ' DROP'");
        assert_eq!(literal("\\${x}"), "'' || chr(92) || '' || chr(36) || '{x}'");
    }

    #[test]
    fn an_amount_keeps_its_decimals() {
        assert_eq!(amount(Amount::ZERO), "CAST('0.00000000' AS DECIMAL(28,8))");
    }
}
