//! Text of Unleash, made to fit the rules of Latchkey's names.

use latchkey_domain::InvalidName;

/// A text that fits, and whether it is the text that was given.
pub(crate) struct Fitted<T> {
    pub(crate) value: T,
    pub(crate) is_same: bool,
}

/// Returns the text as a name of at most `max` characters, without control characters and cut if it is too long; what
/// `otherwise` says if nothing is left. `None` if not even that is a name.
pub(crate) fn fit<T>(
    text: &str,
    max: usize,
    otherwise: &str,
    parse: impl Fn(&str) -> Result<T, InvalidName>,
) -> Option<Fitted<T>> {
    if let Ok(value) = parse(text) {
        return Some(Fitted { value, is_same: true });
    }
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    let cut: String = clean.trim().chars().take(max).collect();
    let value = parse(&cut).or_else(|_| parse(otherwise)).ok()?;
    Some(Fitted { value, is_same: false })
}

#[cfg(test)]
mod tests {
    use latchkey_domain::TokenName;

    use super::*;

    #[test]
    fn a_name_is_cut_and_cleaned_and_never_lost() {
        for (given, fitted, is_same) in [
            ("web", "web".to_owned(), true),
            ("a\nb", "ab".to_owned(), false),
            (" \t ", "unnamed".to_owned(), false),
            (&"é".repeat(300), "é".repeat(255), false),
        ] {
            let made = fit(given, TokenName::MAX_CHARACTERS, "unnamed", TokenName::new).expect("a name");
            assert_eq!((made.value.as_str(), made.is_same), (fitted.as_str(), is_same), "{given}");
        }
    }
}
