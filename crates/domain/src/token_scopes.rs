//! Scopes of API tokens: what a token may do in the product that it guards.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TokenScope;

impl TokenScope {
    /// Whether this scope includes the other one. `*` at the end stands for any further words, so `orders:*` covers `orders:read`
    /// and `orders:items:read`, and not `orders`.
    pub fn covers(&self, wanted: &Self) -> bool {
        match self.as_str().strip_suffix('*') {
            Some(beginning) => wanted.as_str().starts_with(beginning),
            None => self == wanted,
        }
    }
}

/// The scopes of a token: at most [`ScopeSet::MAX`], sorted, each once. What they mean is the business of the product that asks
/// for them; a token without scopes has none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(Vec<TokenScope>);

/// A token cannot have so many scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {max} scopes are possible, not {0}: a wildcard such as orders:* stands for several", max = ScopeSet::MAX)]
pub struct TooManyScopes(usize);

/// Separated by blanks (RFC 6749, section 3.3).
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{scope}")?;
        }
        Ok(())
    }
}

impl ScopeSet {
    /// The maximum number of scopes.
    pub const MAX: usize = 64;

    /// No scopes.
    pub const NONE: &'static Self = &Self(Vec::new());

    /// Returns the set of these scopes.
    ///
    /// # Errors
    /// [`TooManyScopes`].
    pub fn new(scopes: impl IntoIterator<Item = TokenScope>) -> Result<Self, TooManyScopes> {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() > Self::MAX { Err(TooManyScopes(scopes.len())) } else { Ok(Self(scopes)) }
    }

    /// Returns the scopes, in order.
    pub fn as_slice(&self) -> &[TokenScope] {
        &self.0
    }

    /// Whether there are no scopes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the scopes includes this one.
    pub fn covers(&self, wanted: &TokenScope) -> bool {
        self.0.iter().any(|scope| scope.covers(wanted))
    }

    /// Whether every one of these scopes is covered by the others.
    pub fn is_within(&self, others: &Self) -> bool {
        self.first_beyond(others).is_none()
    }

    /// Returns the first of these scopes that the others do not cover.
    pub fn first_beyond(&self, others: &Self) -> Option<&TokenScope> {
        self.0.iter().find(|scope| !others.covers(scope))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn scope(text: &str) -> TokenScope {
        TokenScope::new(text).expect(text)
    }

    fn any_scope() -> impl Strategy<Value = TokenScope> {
        "([ab](:[ab]){0,2}(:\\*)?)|\\*".prop_map(|text| scope(&text))
    }

    fn any_set() -> impl Strategy<Value = ScopeSet> {
        vec(any_scope(), 0..4).prop_map(|scopes| ScopeSet::new(scopes).expect("few"))
    }

    #[test]
    fn a_wildcard_stands_for_further_words() {
        for (one, other, expected) in [
            ("orders:read", "orders:read", true),
            ("orders:read", "orders:write", false),
            ("orders:read", "Orders:read", false),
            ("orders:*", "orders:read", true),
            ("orders:*", "orders:items:read", true),
            ("orders:*", "orders:items:*", true),
            ("orders:*", "orders", false),
            ("orders:*", "ordersystem:read", false),
            ("orders:read", "orders:*", false),
            ("*", "orders", true),
            ("*", "*", true),
            ("orders:*", "*", false),
        ] {
            assert_eq!(scope(one).covers(&scope(other)), expected, "{one} covers {other}");
        }
    }

    #[test]
    fn a_scope_is_words_and_a_wildcard_at_the_end() {
        for text in ["a", "*", "a:b", "a:*", "web-shop:v1.2:read_all", &"x".repeat(100)] {
            assert!(TokenScope::new(text).is_ok(), "{text}");
        }
        for text in
            ["", " ", ":", "a:", ":a", "a::b", "*:a", "a*", "a:b*", "**", "a b", "a/b", "ä", &"x".repeat(101)]
        {
            assert!(TokenScope::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_set_is_sorted_has_each_scope_once_and_not_too_many() {
        let set = ScopeSet::new(["b", "a", "b"].map(scope)).expect("few");
        assert_eq!(set.as_slice(), ["a", "b"].map(scope));
        assert_eq!((set.to_string(), ScopeSet::default().to_string()), ("a b".to_owned(), String::new()));
        let numbered = |count: usize| ScopeSet::new((0..count).map(|number| scope(&format!("s{number}"))));
        assert!(numbered(ScopeSet::MAX).is_ok());
        assert_eq!(numbered(ScopeSet::MAX + 1), Err(TooManyScopes(ScopeSet::MAX + 1)));
    }

    proptest! {
        #[test]
        fn covering_is_reflexive_and_transitive(a in any_scope(), b in any_scope(), c in any_scope()) {
            prop_assert!(a.covers(&a));
            prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        }

        #[test]
        fn a_narrower_set_covers_nothing_more(one in any_set(), other in any_set(), wanted in any_scope()) {
            prop_assert!(one.is_within(&one));
            prop_assert!(!(one.is_within(&other) && one.covers(&wanted)) || other.covers(&wanted));
        }
    }
}
