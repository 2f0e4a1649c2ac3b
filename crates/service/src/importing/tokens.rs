//! API tokens.

use std::collections::{BTreeSet, HashSet};

use latchkey_domain::{
    ApiToken, EventKind, ProjectScope, ProjectSet, Snapshot, TokenAccess, TokenAttributes, TokenId,
    TokenSelector,
};
use latchkey_ports::{Finding, IncomingToken, RowKind, SecretDigest, StoredToken};

use super::{
    ImportPlan, Importer,
    lookup::{Found, Lookup, TokenImport},
};
use crate::{Initiator, ServiceError};

impl Importer {
    /// Plans to add API tokens of projects and environments that are here or are in the plan. `source` is the name of the
    /// other system, for the audit trail.
    pub async fn plan_tokens(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<IncomingToken>,
        known: &mut TokenImport,
        source: &str,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        let asked: Vec<(Vec<SecretDigest>, Option<Vec<SecretDigest>>)> = incoming
            .iter()
            .map(|token| {
                let alias = token.alias.as_ref().map(|alias| self.sealer.digests(alias));
                (token.secret.digests(&*self.sealer), alias)
            })
            .collect();
        let TokenImport { ended, taken, selectors, all } = known;
        let looked_up;
        let lookup = if let Some(all) = &*all {
            all
        } else {
            looked_up = self.look_up(&asked).await?;
            &looked_up
        };

        let mut new = Vec::with_capacity(incoming.len());
        for (token, (secret_digests, alias_digests)) in incoming.into_iter().zip(asked) {
            let label = label(&token);
            let ids = secret_digests.iter().map(|digest| id_of(&token, digest));
            match lookup.find(&secret_digests) {
                Found::Secret(known) => {
                    plan.findings.push(Finding::present(RowKind::Token, label, differences(&token, known)));
                    continue;
                }
                Found::Other => {
                    let why = "its secret is an alias or a replaced secret of another token here";
                    plan.findings.push(Finding::left_out(RowKind::Token, label, why));
                    continue;
                }
                Found::Nothing if ids.into_iter().any(|id| ended.contains(&id)) => {
                    let why = "it came before, and was revoked or got another secret here since";
                    plan.findings.push(Finding::left_out(RowKind::Token, label, why));
                    continue;
                }
                Found::Nothing => {}
            }
            if let Some(finding) = self.selector_is_taken(&token, &label, selectors, all.as_ref()).await? {
                plan.findings.push(finding);
                continue;
            }
            let Some(digest) = secret_digests.first().copied().filter(|digest| taken.insert(*digest)) else {
                let why = "another token has this secret, or has it as its alias";
                plan.findings.push(Finding::left_out(RowKind::Token, label, why));
                continue;
            };
            let id = id_of(&token, &digest);
            let alias = match (&token.alias, alias_digests) {
                (Some(alias), Some(digests)) => {
                    let is_free = matches!(lookup.find(&digests), Found::Nothing)
                        && digests.first().is_some_and(|digest| taken.insert(*digest));
                    if is_free {
                        Some(self.issuer.new_secret(alias, id)?.0)
                    } else {
                        let why = "another token has it, as its secret or its alias";
                        plan.findings.push(Finding::left_out(RowKind::Alias, &label, why));
                        None
                    }
                }
                _ => None,
            };
            plan.findings.push(Finding::came(RowKind::Token, label));
            let (secret, selector) = self.issuer.incoming_secret(&token.secret, id)?;
            let stored = StoredToken {
                token: ApiToken {
                    id,
                    name: token.name,
                    selector,
                    access: token.access,
                    expires_at: token.expires_at,
                    created_at: token.created_at,
                    last_used_at: token.last_used_at,
                    attributes: TokenAttributes::default(),
                },
                secret,
                alias,
            };
            new.push((stored, token.created_by));
        }
        // Tokens of the same scope together: an event is listed under few projects, and says a scope once.
        let mut named: Vec<(&ApiToken, Option<&str>)> =
            new.iter().map(|(stored, created_by)| (&stored.token, created_by.as_deref())).collect();
        named.sort_by_key(|(token, _)| {
            (token.access.projects().named(), token.access.environment(), token.access.kind())
        });
        for some in named.chunks(Snapshot::MAX_IMPORTED_TOKENS) {
            let projects = projects_of(some.iter().map(|(token, _)| &token.access));
            let event = self.event(EventKind::ApiTokensImported, projects, by);
            plan.import.token_events.push(event.with_after(Snapshot::of_imported_tokens(source, some)));
        }
        plan.import.tokens.extend(new.into_iter().map(|(stored, _)| stored));
        Ok(())
    }

    /// Looks up every secret and alias.
    async fn look_up(
        &self,
        asked: &[(Vec<SecretDigest>, Option<Vec<SecretDigest>>)],
    ) -> Result<Lookup, ServiceError> {
        let digests = asked.iter().flat_map(|(secret, alias)| secret.iter().chain(alias.iter().flatten()));
        let digests: Vec<SecretDigest> = digests.copied().collect();
        Ok(Lookup::new(self.store.find_tokens_by_digests(&digests).await?))
    }

    /// Returns what becomes of a token whose selector is that of another one here or in the plan. If there is none, the
    /// selector is taken from now on.
    async fn selector_is_taken(
        &self,
        token: &IncomingToken,
        label: &str,
        planned: &mut HashSet<TokenSelector>,
        all: Option<&Lookup>,
    ) -> Result<Option<Finding>, ServiceError> {
        let Some(selector) = token.secret.selector() else { return Ok(None) };
        let is_known = match all {
            Some(all) => all.has_selector(&selector),
            None => self.store.find_token_by_selector(&selector).await?.is_some(),
        };
        if is_known {
            // A selector is 128 random bits: it is the token itself, after a rotation or from another source.
            let why = "a token here has its selector, with a secret that was replaced here or came in full: if its client is refused, \
                       give it a new one";
            return Ok(Some(Finding::present(RowKind::Token, label, why)));
        }
        if planned.insert(selector) {
            return Ok(None);
        }
        Ok(Some(Finding::left_out(RowKind::Token, label, "another token has its selector")))
    }
}

/// Returns the id of a token that is imported: the same each time, so that a later import knows what became of it. The digest
/// is keyed, so the id says nothing about the secret.
fn id_of(token: &IncomingToken, SecretDigest(digest): &SecretDigest) -> TokenId {
    let mut entropy = [0; 10];
    for (byte, from) in entropy.iter_mut().zip(digest) {
        *byte = *from;
    }
    TokenId::new(token.created_at, entropy)
}

/// What an operator finds a token by.
fn label(token: &IncomingToken) -> String {
    let projects = token.access.projects();
    let environment = token.access.environment().map_or("*", |name| name.as_str());
    format!(
        "{} ({}, {projects}:{environment}, created {})",
        token.name,
        token.access.kind(),
        token.created_at
    )
}

/// Says what stays as it is here although it is different there.
fn differences(there: &IncomingToken, here: &StoredToken) -> String {
    let mut differences = Vec::new();
    let here = &here.token;
    if there.expires_at != here.expires_at {
        let shown =
            |at: Option<latchkey_domain::Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
        differences.push(format!(
            "expires {} there and {} here",
            shown(there.expires_at),
            shown(here.expires_at)
        ));
    }
    if there.secret.selector() != here.selector {
        differences.push("is not named by its selector here".to_owned());
    }
    let (wider, narrower) = (there.access.projects(), here.access.projects());
    let is_same = wider.is_within(narrower) && narrower.is_within(wider);
    let rest = |access: &TokenAccess| (access.kind(), access.environment().cloned());
    if !is_same || rest(&there.access) != rest(&here.access) {
        differences.push("has another scope here".to_owned());
    }
    differences.join("; ")
}

/// Returns the projects under which the event of these tokens is listed.
fn projects_of<'a>(all: impl Iterator<Item = &'a TokenAccess>) -> Option<ProjectScope> {
    let mut named = BTreeSet::new();
    for access in all {
        match access.projects() {
            ProjectScope::All => return Some(ProjectScope::All),
            ProjectScope::Only(set) => named.extend(set.as_slice().iter().cloned()),
        }
    }
    ProjectSet::new(named).ok().map(ProjectScope::Only)
}
