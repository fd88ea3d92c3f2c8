//! The files of gettext, as far as a catalogue here uses them: comments, `msgid` and `msgstr`, and strings over several
//! lines.

/// The entries of a file: the English and the translated text. The header, whose English text is empty, is left out.
pub(super) fn entries(source: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut is_translation = false;
    for line in source.lines().map(str::trim) {
        let text = if let Some(text) = line.strip_prefix("msgid ") {
            entries.push((String::new(), String::new()));
            is_translation = false;
            text
        } else if let Some(text) = line.strip_prefix("msgstr ") {
            is_translation = true;
            text
        } else {
            line
        };
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        if let (Some(text), Some((english, translation))) = (text, entries.last_mut()) {
            let side = if is_translation { translation } else { english };
            side.push_str(&unescaped(text));
        }
    }
    entries.retain(|(english, _)| !english.is_empty());
    entries
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            char => char,
        });
    }
    plain
}
