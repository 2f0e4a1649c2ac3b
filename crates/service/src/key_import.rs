//! Importing keys of other systems as API tokens, plain or known by their SHA-256.
//!
//! An import is examined as a whole before anything is created. A key is known again by the digests of its secret, so a repeated
//! import creates nothing, and one that was interrupted goes on.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use latchkey_domain::{ApiToken, EnvironmentName, ProjectId, TokenId, TokenSecret, TokenSelector};
use latchkey_ports::{
    ForeignDigest, IncomingSecret, NewToken, Quota, SecretDigest, SecretSealer, Store, TokenMatch,
};

use crate::{Initiator, ServiceError, TokenDraft, TokenIssuer};

/// A key to import.
#[derive(Debug, Clone)]
pub struct ImportedKey {
    pub draft: TokenDraft,
    pub secret: IncomingSecret,
}

/// What an import does with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFinding {
    /// It is created.
    New,
    /// Nothing: it is there.
    Present,
    /// Nothing: this token has its secret, with another name, scope, expiry or description.
    Different(TokenId),
    /// Nothing can be imported: its secret or selector is that of an earlier key, by its place from 0.
    Repeated(usize),
    /// Nothing can be imported. The text says what to change.
    Refused(String),
}

/// The use cases of this module.
pub struct KeyImport {
    store: Arc<dyn Store>,
    issuer: Arc<TokenIssuer>,
    sealer: Arc<dyn SecretSealer>,
}

impl KeyImport {
    /// The minimum length of a plain secret, in characters. Nothing slows down a guess at a short one.
    pub const MIN_SECRET_CHARACTERS: usize = 16;

    pub(crate) fn new(
        store: Arc<dyn Store>,
        issuer: Arc<TokenIssuer>,
        sealer: Arc<dyn SecretSealer>,
    ) -> Self {
        Self { store, issuer, sealer }
    }

    /// Begins to examine the keys of one import.
    pub fn examination(&self) -> KeyExamination<'_> {
        KeyExamination {
            import: self,
            keys: 0,
            secrets: HashMap::new(),
            selectors: HashMap::new(),
            places: Places::default(),
        }
    }

    /// Creates these keys, all or none, each with its event, regardless of quotas.
    ///
    /// # Errors
    /// [`ServiceError`] if one of them exists, or what it names does not exist any more; [`ServiceError::Unavailable`].
    pub async fn create(&self, keys: Vec<ImportedKey>, by: &Initiator) -> Result<(), ServiceError> {
        let created_at = self.issuer.now();
        let ids = self.issuer.new_ids(keys.len(), created_at);
        let mut new = Vec::with_capacity(keys.len());
        for (ImportedKey { draft, secret }, id) in keys.into_iter().zip(ids) {
            let secret = self.issuer.incoming_secret(&secret, id)?;
            let prepared = self.issuer.prepare_as(draft, secret, (id, created_at), by);
            new.push(NewToken { quota: Quota::UNLIMITED, ..prepared });
        }
        self.store.create_tokens(&new).await?;
        for NewToken { event, .. } in &new {
            self.issuer.after_commit(event);
        }
        Ok(())
    }
}

/// The examination of one import, which remembers what it has seen.
pub struct KeyExamination<'i> {
    import: &'i KeyImport,
    keys: usize,
    secrets: HashMap<ForeignDigest, usize>,
    selectors: HashMap<TokenSelector, usize>,
    places: Places,
}

/// Which projects and environments exist, as far as they were asked for.
#[derive(Default)]
struct Places {
    projects: HashMap<ProjectId, bool>,
    environments: HashMap<EnvironmentName, bool>,
}

impl KeyExamination<'_> {
    /// Returns what becomes of the next keys, in their order. Nothing is changed.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn examine(&mut self, keys: &[ImportedKey]) -> Result<Vec<KeyFinding>, ServiceError> {
        let sealer = &*self.import.sealer;
        let digests: Vec<_> = keys.iter().map(|key| key.secret.digests(sealer)).collect();
        let matches = self.import.store.find_tokens_by_digests(&digests.concat()).await?;
        let matches: HashMap<SecretDigest, TokenMatch> =
            matches.into_iter().map(|found| (found.found_by, found)).collect();
        let mut findings = Vec::with_capacity(keys.len());
        for (key, digests) in keys.iter().zip(&digests) {
            let found = digests.iter().find_map(|digest| matches.get(digest));
            findings.push(self.finding(key, found).await?);
            self.keys += 1;
        }
        Ok(findings)
    }

    async fn finding(
        &mut self,
        key: &ImportedKey,
        found: Option<&TokenMatch>,
    ) -> Result<KeyFinding, ServiceError> {
        let sha256 = match &key.secret {
            IncomingSecret::Plain(secret) => {
                if let Some(refusal) = refusal_of(secret) {
                    return Ok(KeyFinding::Refused(refusal));
                }
                self.import.sealer.foreign_digest(secret)
            }
            IncomingSecret::Sha256 { digest, .. } => *digest,
        };
        let selector = key.secret.selector();
        if let Some(first) = earlier(&mut self.secrets, sha256, self.keys) {
            return Ok(KeyFinding::Repeated(first));
        }
        if let Some(selector) = &selector
            && let Some(first) = earlier(&mut self.selectors, selector.clone(), self.keys)
        {
            return Ok(KeyFinding::Repeated(first));
        }
        if let Some(TokenMatch { stored, secret_until, found_by }) = found {
            let is_same = secret_until.is_none()
                && stored.secret.digest == *found_by
                && describes(&key.draft, selector.as_ref(), &stored.token);
            return Ok(if is_same { KeyFinding::Present } else { KeyFinding::Different(stored.token.id) });
        }
        if let Some(refusal) = self.missing_place(&key.draft).await? {
            return Ok(KeyFinding::Refused(refusal));
        }
        if let Some(selector) = &selector
            && let Some(other) = self.import.store.find_token_by_selector(selector).await?
        {
            let id = other.token.id;
            return Ok(KeyFinding::Refused(format!(
                "its selector is that of the token {id}, which has another secret: delete that token, or leave this key out"
            )));
        }
        Ok(KeyFinding::New)
    }

    async fn missing_place(&mut self, draft: &TokenDraft) -> Result<Option<String>, ServiceError> {
        let store = &self.import.store;
        if let Some(name) = draft.access.environment() {
            let exists = match self.places.environments.get(name) {
                Some(exists) => *exists,
                None => store.find_environment(name).await?.is_some(),
            };
            self.places.environments.insert(name.clone(), exists);
            if !exists {
                return Ok(Some(format!("there is no environment \"{name}\": create it, or name another")));
            }
        }
        for id in draft.access.projects().named() {
            let exists = match self.places.projects.get(id) {
                Some(exists) => *exists,
                None => store.find_project(id).await?.is_some(),
            };
            self.places.projects.insert(id.clone(), exists);
            if !exists {
                return Ok(Some(format!(
                    "there is no project \"{id}\": create it with `latchkey project create {id}`, or name another"
                )));
            }
        }
        Ok(None)
    }
}

/// Returns what is wrong with a plain secret, if anything is.
fn refusal_of(secret: &TokenSecret) -> Option<String> {
    if secret.is_personal() || secret.is_session() {
        let refusal =
            "its secret begins with user: or session:, and would be taken for that of a person: leave it out";
        return Some(refusal.to_owned());
    }
    let length = secret.characters();
    let min = KeyImport::MIN_SECRET_CHARACTERS;
    (length < min).then(|| {
        format!("its secret has {length} characters and could be guessed: {min} are needed, so give its client a new one")
    })
}

/// Returns the place of the earlier key with this property; remembers the present one if there is none.
fn earlier<K: Eq + std::hash::Hash>(
    seen: &mut HashMap<K, usize>,
    property: K,
    place: usize,
) -> Option<usize> {
    match seen.entry(property) {
        Entry::Occupied(first) => Some(*first.get()),
        Entry::Vacant(entry) => {
            entry.insert(place);
            None
        }
    }
}

/// Whether the token is what the draft describes.
fn describes(draft: &TokenDraft, selector: Option<&TokenSelector>, token: &ApiToken) -> bool {
    let TokenDraft { name, access, expires_at, attributes } = draft;
    *name == token.name
        && *access == token.access
        && expires_at.moment() == token.expires_at
        && *attributes == token.attributes
        && selector == token.selector.as_ref()
}
