//! Breaks texts of both languages into lines. Chinese breaks between any two characters, but no line begins with a
//! closing mark or ends with an opening one. (Clap breaks only at spaces.)

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that no line begins with.
const CLOSING: &str = "，。、；：！？）」』】》…,.;:!?)]}";
/// Marks that no line ends with.
const OPENING: &str = "（「『【《([{";

/// The lines of a text, at most `columns` of a terminal wide; only a single longer word exceeds that. Existing line
/// breaks stay.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrapped_line(line, columns)).collect()
}

/// The text, padded with blanks to `columns` of a terminal.
pub(super) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

fn wrapped_line(line: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(line) {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].width() + piece.trim_end().width() > columns {
            lines.push(piece.to_owned());
        } else {
            lines[last].push_str(piece);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The parts of a line between which it may break. Text in square brackets, such as a default, stays together.
fn pieces(line: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut before, mut brackets) = (Vec::new(), 0, None, 0_usize);
    for (at, char) in line.char_indices() {
        if brackets == 0 && before.is_some_and(|before| may_break(before, char)) {
            pieces.push(&line[start..at]);
            start = at;
        }
        match char {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        before = Some(char);
    }
    pieces.push(&line[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    let is_wide = |char: char| char.width() == Some(2);
    before == ' ' || is_wide(before) || is_wide(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_breaks_at_spaces() {
        assert_eq!(wrapped("the longest single wait", 11), ["the longest", "single wait"]);
        assert_eq!(wrapped("an-unbreakable-word and", 5), ["an-unbreakable-word", "and"]);
        assert_eq!(wrapped("one\n\n  two", 80), ["one", "", "  two"]);
        assert_eq!(wrapped("", 80), Vec::<String>::new());
    }

    #[test]
    fn chinese_breaks_between_characters_and_keeps_marks_with_them() {
        // Ten columns hold five of these characters.
        assert_eq!(wrapped("一二三四五六七", 10), ["一二三四五", "六七"]);
        assert_eq!(wrapped("一二三四五，六七", 10), ["一二三四", "五，六七"], "no line begins with a comma");
        assert_eq!(wrapped("一二三四（五）", 10), ["一二三四", "（五）"], "no line ends with an opening bracket");
        assert_eq!(wrapped("一二三 [默认：无]", 12), ["一二三", "[默认：无]"], "text in brackets stays together");
        assert_eq!(wrapped("选项 --fail-on 可重复", 12), ["选项", "--fail-on 可", "重复"], "options stay whole");
    }

    #[test]
    fn padding_counts_columns_not_characters() {
        assert_eq!(padded("错误", 8), "错误    ");
        assert_eq!(padded("error", 8), "error   ");
        assert_eq!(padded("too long", 3), "too long");
    }
}
