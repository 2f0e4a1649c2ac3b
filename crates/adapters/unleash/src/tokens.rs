//! API tokens.
//!
//! What a token may do comes from its rows alone. The prefix of its secret decides one thing: whether no project means all
//! projects, as it does in Unleash, or that the projects are gone. Of a token of the second form, the secret is known by its
//! SHA-256, and the event of its creation decides that.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use latchkey_domain::{
    EnvironmentName, EnvironmentScope, InvalidSelector, ProjectId, ProjectScope, ProjectSet, Timestamp,
    TokenAccess, TokenKind, TokenName, TokenSecret,
};
use latchkey_ports::{Finding, ForeignDigest, IncomingSecret, IncomingToken, RowKind};

use crate::{
    places::{ALL, Places, time},
    text::fit,
    token_records::{SecretTokenRecord, SelectorTokenRecord, TokenRecord},
};

/// What becomes of tokens whose projects were deleted, which Unleash serves as tokens of all projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrphanChoice {
    /// They do not come.
    LeaveOut,
    /// They are tokens of all projects.
    Keep,
    /// They are tokens of this project.
    Narrow(ProjectId),
}

impl FromStr for OrphanChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "keep" => Ok(Self::Keep),
            Some(("narrow", project)) => {
                ProjectId::new(project).map(Self::Narrow).map_err(|error| error.to_string())
            }
            _ => Err("write keep or narrow:<project>".to_owned()),
        }
    }
}

/// A secret or an alias as a client presents it.
pub struct Presented {
    pub secret: TokenSecret,
    /// What an operator finds it by.
    pub label: String,
}

/// The beginning of the aliases that Unleash gives to tokens of Enterprise Edge, and that can be guessed.
const EDGE_ALIAS: &str = "ee_";

/// What was decided about a token.
struct Decision {
    secret: IncomingSecret,
    access: TokenAccess,
    /// How it differs from what it was.
    note: Option<String>,
}

/// Returns a token whose secret is there, unless it does not come.
pub(crate) fn token(
    record: &SecretTokenRecord,
    places: &Places,
    orphans: &OrphanChoice,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingToken> {
    let decision = decide(record, places, orphans, now);
    let alias = alias(record);
    let mut token = incoming(&record.token, decision, now, findings)?;
    match alias {
        Ok(alias) => token.alias = alias,
        Err(why) => {
            let label = label(&record.token, &token.name, token.created_at);
            findings.push(Finding::left_out(RowKind::Alias, label, why));
        }
    }
    Some(token)
}

/// Returns a token of the second form, unless it does not come.
pub(crate) fn selector_token(
    record: &SelectorTokenRecord,
    places: &Places,
    orphans: &OrphanChoice,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingToken> {
    let decision = decide_second_form(record, places, orphans);
    let token = incoming(&record.token, decision, now, findings)?;
    if record.is_of_edge {
        let label = label(&record.token, &token.name, token.created_at);
        let why = "it was issued to Enterprise Edge: here it is listed, and stays until it is revoked";
        findings.push(Finding::changed(RowKind::Token, label, why));
    }
    Some(token)
}

/// Returns the token of a row about which this was decided.
fn incoming(
    record: &TokenRecord,
    decision: Result<Decision, String>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingToken> {
    let text = record.name.as_deref().unwrap_or_default();
    let name = fit(text, TokenName::MAX_CHARACTERS, "unnamed", TokenName::new)?;
    let created_at = record.created.map_or(now, time);
    // Of most tokens there is nothing to say.
    let label = || label(record, &name.value, created_at);
    let Decision { secret, access, note } = match decision {
        Ok(decision) => decision,
        Err(why) => {
            findings.push(Finding::left_out(RowKind::Token, label(), why));
            return None;
        }
    };
    findings.extend(note.map(|why| Finding::changed(RowKind::Token, label(), why)));
    if !name.is_same {
        let why = "its name was empty, too long, or had characters that are not text";
        findings.push(Finding::changed(RowKind::Token, label(), why));
    }
    Some(IncomingToken {
        secret,
        alias: None,
        name: name.value,
        access,
        expires_at: record.expires.filter(|millis| *millis < i64::MAX).map(time),
        created_at,
        last_used_at: record.seen.map(time),
        created_by: record.created_by.clone(),
    })
}

/// Decides what a token may do here, or why it does not come.
fn decide(
    record: &SecretTokenRecord,
    places: &Places,
    orphans: &OrphanChoice,
    now: Timestamp,
) -> Result<Decision, String> {
    let secret = TokenSecret::parse(&record.secret).map_err(|error| error.to_string())?;
    refuse_other_kinds(&secret)?;
    if record.second_form_is_elsewhere && secret.selector().is_some() {
        return Err(NO_SELECTOR_ROW.to_owned());
    }
    let is_expired = record.token.expires.is_some_and(|millis| time(millis) <= now);
    if record.is_alias && is_expired {
        return Err("it has expired, and its secret is the alias of another token".to_owned());
    }
    let (access, note) = access(&record.token, places, || {
        let prefix = record.secret.split_once(':').map(|(prefix, _)| prefix);
        // Without a prefix it is from before there were projects, and was always for all of them.
        if matches!(prefix, None | Some(ALL)) {
            return Ok((ProjectScope::All, None));
        }
        orphan("its projects were deleted there, after which it worked in all projects", orphans)
    })?;
    Ok(Decision { secret: IncomingSecret::Plain(secret), access, note })
}

/// Why a text of the second form is no secret of a token of the first.
const NO_SELECTOR_ROW: &str =
    "it has the second form of Unleash without a row of that form, so it was never accepted";

/// Decides about a token of the second form. Its prefix is unknown, so only the event of its creation can say that it was made
/// for all projects.
fn decide_second_form(
    record: &SelectorTokenRecord,
    places: &Places,
    orphans: &OrphanChoice,
) -> Result<Decision, String> {
    let selector = record.selector.parse().map_err(|error: InvalidSelector| error.to_string())?;
    let digest = sha256(&record.verifier).ok_or("its verifier is no SHA-256, so it was never accepted")?;
    if record.verifier_is_repeated {
        return Err(
            "another token has its verifier, and at most one of them was ever accepted: make a new one"
                .to_owned(),
        );
    }
    if let [project] = record.token.projects.as_slice()
        && let Ok(prefix) = TokenSecret::parse(&format!("{project}:"))
    {
        refuse_other_kinds(&prefix)?;
    }
    let (access, note) = access(&record.token, places, || {
        if record.was_for_all {
            return Ok((ProjectScope::All, None));
        }
        let was = "it works in all projects there, and no event says that it was made for them: its projects may have been deleted";
        orphan(was, orphans)
    })?;
    if access == TokenAccess::Admin {
        return Err("there are no admin tokens of the second form, so it was never accepted".to_owned());
    }
    Ok(Decision { secret: IncomingSecret::Sha256 { digest, selector: Some(selector) }, access, note })
}

/// Refuses what begins as a secret that is looked up elsewhere here.
fn refuse_other_kinds(secret: &TokenSecret) -> Result<(), String> {
    if secret.is_personal() {
        return Err(
            "its secret begins as that of a personal access token, so it was never accepted".to_owned()
        );
    }
    if secret.is_session() {
        return Err(
            "its secret begins as that of a session here, which is accepted in cookies alone".to_owned()
        );
    }
    Ok(())
}

/// Returns the digest that a verifier is the text of.
pub(crate) fn sha256(verifier: &str) -> Option<ForeignDigest> {
    URL_SAFE_NO_PAD.decode(verifier).ok()?.try_into().ok().map(ForeignDigest)
}

/// Returns what a token may do, and how it differs from what it was. `no_project` decides about one without projects.
fn access(
    record: &TokenRecord,
    places: &Places,
    no_project: impl FnOnce() -> Result<(ProjectScope, Option<String>), String>,
) -> Result<(TokenAccess, Option<String>), String> {
    let kind: TokenKind = record.kind.as_deref().unwrap_or_default().parse().map_err(|_| {
        format!(
            "its type {:?} is none of client, backend, frontend and admin",
            record.kind.as_deref().unwrap_or_default()
        )
    })?;
    let environment = record.environment.as_deref().filter(|name| !name.is_empty() && *name != ALL);
    if kind == TokenKind::Admin {
        let note = (environment.is_some() || !record.projects.is_empty()).then(|| {
            "an admin token names no project and no environment here: it administers all, as there".to_owned()
        });
        return Ok((TokenAccess::Admin, note));
    }
    let Some(environment) = environment else {
        return Err(format!("a {kind} token for all environments does not exist here: make one for each"));
    };
    let environment =
        EnvironmentName::new(environment).ok().filter(|name| places.environments.contains(name));
    let environment = environment.ok_or("its environment did not come")?;
    let (projects, note) =
        if record.projects.is_empty() { no_project()? } else { projects(&record.projects, places)? };
    let access = TokenAccess::new(kind, projects, EnvironmentScope::Only(environment));
    Ok((access.map_err(|error| error.to_string())?, note))
}

/// Returns the projects of a token that names some.
fn projects(named: &[String], places: &Places) -> Result<(ProjectScope, Option<String>), String> {
    let known = named.iter().filter_map(|id| places.projects.get(id).cloned());
    let set = ProjectSet::new(known).map_err(|_| "none of its projects came".to_owned())?;
    let missing = named.len() - set.as_slice().len();
    let note =
        (missing > 0).then(|| format!("{missing} of its projects did not come, so it does not work in them"));
    Ok((ProjectScope::Only(set), note))
}

/// Decides about a token that lost its projects, or may have lost them; `was` says so.
fn orphan(was: &str, orphans: &OrphanChoice) -> Result<(ProjectScope, Option<String>), String> {
    match orphans {
        OrphanChoice::LeaveOut => Err(format!(
            "{was}: name --orphans=keep to have it for all projects, or --orphans=narrow:<project>"
        )),
        OrphanChoice::Keep => Ok((ProjectScope::All, Some(format!("{was}: it is for all projects")))),
        OrphanChoice::Narrow(project) => {
            let note = format!("{was}: it is for the project {project} alone");
            Ok((ProjectScope::one(project.clone()), Some(note)))
        }
    }
}

/// Returns the alias, or why it does not come.
fn alias(record: &SecretTokenRecord) -> Result<Option<TokenSecret>, String> {
    let Some(alias) = record.alias.as_deref().filter(|alias| !alias.is_empty() && *alias != record.secret)
    else {
        return Ok(None);
    };
    if alias.starts_with(EDGE_ALIAS) || record.is_of_edge {
        return Err("it was given to Enterprise Edge and can be guessed: use the secret".to_owned());
    }
    if record.alias_is_taken {
        return Err("another token has it, as its secret or its alias".to_owned());
    }
    let alias = TokenSecret::parse(alias).map_err(|error| error.to_string())?;
    if alias.is_personal() || alias.is_session() {
        return Err("it begins as a secret of another kind, so it was never accepted".to_owned());
    }
    if record.second_form_is_elsewhere && alias.selector().is_some() {
        return Err(NO_SELECTOR_ROW.to_owned());
    }
    Ok(Some(alias))
}

/// Returns the secret and the alias of a token, as far as a client can present them.
pub(crate) fn presented(record: &SecretTokenRecord, now: Timestamp) -> Vec<Presented> {
    let SecretTokenRecord { token, secret, alias, .. } = record;
    let name = TokenName::new(token.name.as_deref().unwrap_or_default());
    let created_at = token.created.map_or(now, time);
    let label = name.map_or_else(|_| "unnamed".to_owned(), |name| label(token, &name, created_at));
    let parsed =
        |text: &str, label: String| Some(Presented { secret: TokenSecret::parse(text).ok()?, label });
    let alias = alias.as_deref().and_then(|alias| parsed(alias, format!("the alias of {label}")));
    parsed(secret, label).into_iter().chain(alias).collect()
}

/// What an operator finds a token by: never a part of its random characters.
fn label(record: &TokenRecord, name: &TokenName, created_at: Timestamp) -> String {
    let kind = record.kind.as_deref().unwrap_or("without type");
    let projects = if record.projects.is_empty() { ALL.to_owned() } else { record.projects.join(",") };
    let environment = record.environment.as_deref().unwrap_or(ALL);
    format!("{name} ({}, {projects}:{environment}, created {created_at})", kind.to_lowercase())
}

#[cfg(test)]
mod tests;
