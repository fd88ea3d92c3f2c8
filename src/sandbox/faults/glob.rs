//! Patterns for the IDs that a rule covers.

/// A pattern: `*` matches any number of characters, `?` exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<char>);

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self(pattern.chars().collect())
    }

    /// Whether the pattern matches the whole text. Takes time proportional at most to the product of both lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (pattern, text): (_, Vec<char>) = (&self.0, text.chars().collect());
        let (mut p, mut t) = (0, 0);
        // The position of the last star, and the end of the text it matches so far.
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(wanted) if *wanted == '?' || text.get(t) == Some(wanted) => {
                    p += 1;
                    t += 1;
                }
                _ => {
                    let Some((at, reach)) = star else { return false };
                    star = Some((at, reach + 1));
                    (p, t) = (at + 1, reach + 1);
                }
            }
        }
        pattern.iter().skip(p).all(|rest| *rest == '*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_whole_texts() {
        for (pattern, text, matches) in [
            ("wfrun_0*", "wfrun_0", true),
            ("wfrun_0*", "wfrun_0abc", true),
            ("wfrun_0*", "wfrun_10", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("?", "狐", true),
            ("?", "", false),
            ("*f", "abcdef", true),
            ("*a*b", "xaxbxb", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    /// The definition of the pattern, written out directly.
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|eaten| fits(rest, &text[eaten..])),
            Some(('?', rest)) => !text.is_empty() && fits(rest, &text[1..]),
            Some((letter, rest)) => text.first() == Some(letter) && fits(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (letters, characters): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Glob::new(&pattern).matches(&text), fits(&letters, &characters));
        }
    }
}
