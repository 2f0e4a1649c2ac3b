//! License expressions (SPDX), as manifests state them.

use std::collections::BTreeSet;

/// Whether an expression can be met with allowed licenses: one side of each `OR`, both sides of each `AND`. The old form
/// `MIT/Apache-2.0` means `OR`.
pub(crate) fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    let met = any_of(&mut rest, allowed);
    met && rest.is_empty() && !tokens.is_empty()
}

fn any_of(tokens: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(tokens, allowed);
    while let [keyword, rest @ ..] = *tokens
        && *keyword == "OR"
    {
        *tokens = rest;
        met |= all_of(tokens, allowed);
    }
    met
}

fn all_of(tokens: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut met = one(tokens, allowed);
    while let [keyword, rest @ ..] = *tokens
        && *keyword == "AND"
    {
        *tokens = rest;
        met &= one(tokens, allowed);
    }
    met
}

fn one(tokens: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    match *tokens {
        ["(", rest @ ..] => {
            *tokens = rest;
            let met = any_of(tokens, allowed);
            *tokens = tokens.get(1..).unwrap_or_default();
            met
        }
        [license, keyword, exception, rest @ ..] if *keyword == "WITH" => {
            *tokens = rest;
            allowed.contains(&format!("{license} WITH {exception}"))
        }
        [license, rest @ ..] => {
            *tokens = rest;
            allowed.contains(*license)
        }
        [] => false,
    }
}

#[test]
fn expressions_are_evaluated() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for good in [
        "MIT",
        "MIT OR GPL-3.0-only",
        "GPL-3.0-only OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR ISC) AND Apache-2.0",
        "ISC AND Zlib OR MIT",
        "Apache-2.0 WITH LLVM-exception AND MIT",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["", "ISC", "MIT AND ISC", "(MIT OR ISC) AND ISC", "GPL-2.0 WITH LLVM-exception", "MIT )"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
