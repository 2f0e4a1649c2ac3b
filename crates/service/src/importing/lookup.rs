//! What an import knows of tokens while it goes on.

use std::collections::{HashMap, HashSet};

use latchkey_domain::{TokenId, TokenSelector};
use latchkey_ports::{SecretDigest, StoredToken, TokenMatch};

/// What the plans of one import have to know of tokens that are not in the store.
#[derive(Debug, Default)]
pub struct TokenImport {
    /// Tokens that an earlier import added, and that were revoked or have another secret.
    pub(super) ended: HashSet<TokenId>,
    /// The secrets and aliases of all plans so far.
    pub(super) taken: HashSet<SecretDigest>,
    /// The selectors of all plans so far.
    pub(super) selectors: HashSet<TokenSelector>,
    /// All tokens of a new instance. The store is not asked for any while it takes in others.
    pub(super) all: Option<Lookup>,
}

/// What a lookup says of a secret.
pub(super) enum Found<'m> {
    Nothing,
    Secret(&'m StoredToken),
    /// An alias, or a secret that was replaced.
    Other,
}

/// The tokens that were found.
#[derive(Debug)]
pub(super) struct Lookup {
    by_digest: HashMap<SecretDigest, TokenMatch>,
    selectors: HashSet<TokenSelector>,
}

impl Lookup {
    pub(super) fn new(matches: Vec<TokenMatch>) -> Self {
        let selectors = matches.iter().filter_map(|found| found.stored.token.selector.clone()).collect();
        let by_digest = matches.into_iter().map(|found| (found.found_by, found)).collect();
        Self { by_digest, selectors }
    }

    pub(super) fn has_selector(&self, selector: &TokenSelector) -> bool {
        self.selectors.contains(selector)
    }

    pub(super) fn find(&self, digests: &[SecretDigest]) -> Found<'_> {
        let Some(found) = digests.iter().find_map(|digest| self.by_digest.get(digest)) else {
            return Found::Nothing;
        };
        if found.stored.secret.digest == found.found_by { Found::Secret(&found.stored) } else { Found::Other }
    }
}
