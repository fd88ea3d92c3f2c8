//! What spreadsheets and databases put around a value, in its place, or below a column of values.

/// What stands in place of an absent value, in lower case.
const PLACEHOLDERS: [&str; 22] = [
    "null", "(null)", "<null>", "\\n", "none", "nil", "nan", "n/a", "na", "#n/a", "#n/a!", "#ref!", "#value!",
    "#name?", "#null!", "#num!", "#div/0!", "-", "--", "—", "——", "无",
];

/// Words that label a line of sums, in lower case.
const SUBTOTALS: [&str; 10] =
    ["合计", "总计", "小计", "共计", "总和", "累计", "total", "subtotal", "sub-total", "grand total"];

/// Words that may follow such a label, in lower case.
const AFTER_SUBTOTALS: [&str; 5] = ["amount", "records", "orders", "rows", "count"];

/// The value in a cell, without surrounding blanks, byte order marks and zero-width characters, without the
/// `="…"` that keeps a spreadsheet from changing it, and without a leading `'` or backtick, which does the
/// same.
#[must_use]
pub fn bare_text(text: &str) -> &str {
    let text = trimmed(text);
    let inner = text.strip_prefix("=\"").and_then(|inner| inner.strip_suffix('"'));
    let text = inner.map_or(text, trimmed);
    trimmed(text.strip_prefix(['\'', '`']).unwrap_or(text))
}

/// Whether a bare text stands for an absent value.
#[must_use]
pub fn is_placeholder(bare: &str) -> bool {
    bare.is_empty() || PLACEHOLDERS.iter().any(|placeholder| placeholder.eq_ignore_ascii_case(bare))
}

/// Whether a bare text labels a sum: 合计, 总计：, 小计 (3), Total 200. A name may begin with such a word without
/// being a label.
#[must_use]
pub fn is_subtotal(bare: &str) -> bool {
    let is_label = |word: &&str| {
        let Some(rest) = without(word, bare).map(str::trim_start) else { return false };
        rest.is_empty()
            || rest.starts_with([':', '：', '(', '（', '[', '¥', '￥', '$'])
            || rest.starts_with(|char: char| char.is_ascii_digit())
            || (!word.is_ascii() && !rest.is_ascii())
            || AFTER_SUBTOTALS.iter().any(|after| without(after, rest).is_some())
    };
    SUBTOTALS.iter().any(is_label)
}

/// The rest of a text that begins with a word in any case; `None` if it doesn't.
fn without<'t>(word: &str, text: &'t str) -> Option<&'t str> {
    text.split_at_checked(word.len()).filter(|(start, _)| start.eq_ignore_ascii_case(word)).map(|(_, rest)| rest)
}

/// The ASCII form of a full-width character. Any other character stays as it is.
#[must_use]
pub fn half_width(char: char) -> char {
    match char {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xfee0).unwrap_or(char),
        other => other,
    }
}

/// The text without surrounding blanks of all kinds, byte order marks and zero-width characters.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    let is_invisible = |char: char| {
        char.is_whitespace() || matches!(char, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}')
    };
    text.trim_matches(is_invisible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_value_is_removed() {
        for text in
            ["a", " a\t", "\u{feff}a\u{200b}", "=\"a\"", "'a", "`a", "=\"'a\"", "\t`a ", "\u{a0}a\u{3000}", "=\" a \""]
        {
            assert_eq!(bare_text(text), "a", "{text:?}");
        }
        for (text, expected) in
            [("=a", "=a"), ("=\"", "=\""), ("a'", "a'"), ("", ""), ("''a", "'a"), ("\"a\"", "\"a\"")]
        {
            assert_eq!(bare_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn placeholders_and_labels_of_sums_are_not_values() {
        for text in ["", "NULL", "\\N", "None", "nan", "N/A", "#N/A", "#REF!", "-", "—"] {
            assert!(is_placeholder(text) && !is_subtotal(text), "{text:?}");
        }
        for text in ["合计", "总计：", "小计 (3)", "Total", "TOTAL:", "Grand Total", "合计200笔", "Total records: 1"]
        {
            assert!(is_subtotal(text) && !is_placeholder(text), "{text:?}");
        }
        for text in ["wfrun_1", "total_1", "totals", "nullable", "n-1", "订单", "Total Oil", "Total-C"] {
            assert!(!is_subtotal(text) && !is_placeholder(text), "{text:?}");
        }
    }
}
