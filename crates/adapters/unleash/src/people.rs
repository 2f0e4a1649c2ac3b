//! Everyone: users and service accounts with their personal access tokens, and groups, with the roles of all of them.

use std::collections::{BTreeMap, HashSet};

use latchkey_domain::{
    AccountKind, Description, Email, NewRole, PasswordHash, PersonName, RoleName, Timestamp, TokenSecret,
    UserIdentity, Username,
};
use latchkey_ports::{Finding, IncomingGroup, IncomingPersonalToken, IncomingSecret, IncomingUser, RowKind};

use crate::{
    error::UnleashError,
    groups::{self, GroupRows},
    holdings::{EditorChoice, Holder, Holding, Holdings},
    places::{Places, time},
    records::{HeldRole, PersonalTokenRecord, RoleRecord, UserRecord, UserRoleRecord},
    roles::{self, VIEWER},
    text::fit,
    tokens::{self, Presented},
};

/// The rows about people.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) roles: Vec<RoleRecord>,
    pub(crate) users: Vec<UserRecord>,
    pub(crate) held: Vec<UserRoleRecord>,
    pub(crate) groups: GroupRows,
    pub(crate) personal_tokens: Vec<PersonalTokenRecord>,
}

/// The custom roles, the users and the groups.
pub(crate) struct Everyone {
    pub(crate) roles: Vec<NewRole>,
    pub(crate) users: Vec<IncomingUser>,
    pub(crate) groups: Vec<IncomingGroup>,
}

/// What Unleash calls itself and holders of admin tokens, as users.
const SYSTEM_USERS: [i32; 2] = [-1337, -42];

/// Returns everyone who comes, with their roles.
pub(crate) fn people(
    people: People,
    places: &Places,
    editor: Option<EditorChoice>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Everyone, UnleashError> {
    let People { roles, users, held, groups, personal_tokens } = people;
    let (known, mut new) = roles::roles(roles, findings);
    let mut holdings = Holdings::new(known, places, editor, now);
    let mut held_by: BTreeMap<i32, Vec<HeldRole>> = BTreeMap::new();
    for UserRoleRecord(one) in held {
        held_by.entry(one.holder).or_default().push(one);
    }
    let mut tokens_of: BTreeMap<i32, Vec<PersonalTokenRecord>> = BTreeMap::new();
    for one in personal_tokens {
        tokens_of.entry(one.user).or_default().push(one);
    }
    let (mut names, mut secrets, mut incoming) = (HashSet::new(), HashSet::new(), Vec::new());
    let mut identities = BTreeMap::new();
    for record in users {
        let number = record.id;
        let held = held_by.remove(&number).unwrap_or_default();
        let tokens = tokens_of.remove(&number).unwrap_or_default();
        let Some(mut user) = user(record, &mut names, now, findings) else { continue };
        let label = user.identity.label().to_owned();
        let holder = Holder { kind: user.kind.into(), label: &label, created_at: user.created_at };
        let Holding { root, memberships } = holdings.of(&holder, &held, findings);
        user.memberships = memberships;
        if let Some(role) = root {
            user.root_role = role;
        }
        user.personal_tokens = tokens
            .into_iter()
            .filter_map(|token| personal_token(token, &label, &mut secrets, now, findings))
            .collect();
        identities.insert(number, user.identity.clone());
        incoming.push(user);
    }
    let groups = groups::groups(groups, &identities, &mut holdings, now, findings);
    new.extend(holdings.finish()?);
    Ok(Everyone { roles: new, users: incoming, groups })
}

/// Returns a user, still without roles and tokens.
fn user(
    record: UserRecord,
    names: &mut HashSet<String>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingUser> {
    if record.is_system || SYSTEM_USERS.contains(&record.id) {
        return None;
    }
    let kind = if record.is_service { AccountKind::Service } else { AccountKind::Person };
    let row = if record.is_service { RowKind::ServiceAccount } else { RowKind::User };
    let number = format!("number {}", record.id);
    if record.is_deleted {
        findings.push(Finding::left_out(row, number, "it was deleted there"));
        return None;
    }
    let email = record.email.as_deref().filter(|text| !text.is_empty());
    let username = record.username.as_deref().filter(|text| !text.is_empty());
    let parsed = email.map(Email::new).transpose().ok();
    if parsed.is_none() {
        findings.push(Finding::changed(row, &number, "its e-mail address is none, and is left out"));
    }
    let username = username.and_then(|name| Username::new(name).ok());
    let Ok(identity) = UserIdentity::new(username, parsed.flatten()) else {
        let why = "it has neither a user name nor an e-mail address that can be used: give it one there";
        findings.push(Finding::left_out(row, number, why));
        return None;
    };
    let label = identity.label().to_owned();
    let own: Vec<String> = identity.login_names().collect();
    if own.iter().any(|name| names.contains(name)) {
        let why = "another user signs in by the same name or address: change one of them there";
        findings.push(Finding::left_out(row, label, why));
        return None;
    }
    names.extend(own);
    let hash = record.password_hash.filter(|hash| !hash.is_empty() && !record.is_service);
    let has_password = hash.is_some();
    let password = hash.map(|hash| PasswordHash(hash.into())).filter(PasswordHash::is_bcrypt);
    if has_password && password.is_none() {
        let why = "its password is hashed in an unknown way: set a new one with `latchkey user set-password`";
        findings.push(Finding::changed(row, &label, why));
    }
    let text = record.name.as_deref().filter(|text| !text.trim().is_empty());
    let name = text.and_then(|text| fit(text, PersonName::MAX_CHARACTERS, text, PersonName::new));
    Some(IncomingUser {
        identity,
        name: name.map(|name| name.value),
        kind,
        root_role: viewer()?,
        created_at: record.created.map_or(now, time),
        last_seen_at: record.seen.map(time),
        password,
        memberships: Vec::new(),
        personal_tokens: Vec::new(),
    })
}

fn viewer() -> Option<RoleName> {
    RoleName::new(VIEWER).ok()
}

fn personal_token(
    record: PersonalTokenRecord,
    label: &str,
    secrets: &mut HashSet<String>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingPersonalToken> {
    let text = record.description.unwrap_or_default();
    let description = fit(&text, Description::MAX_CHARACTERS, "personal access token", Description::new)?;
    let name = format!("{:?} of {label}", description.value.as_str());
    let mut left_out = |why: &str| {
        findings.push(Finding::left_out(RowKind::PersonalToken, &name, why));
        None
    };
    let secret = match personal_secret(record.secret.as_deref(), record.verifier.as_deref()) {
        Ok(secret) => secret,
        Err(why) => return left_out(why),
    };
    if record.secret.or(record.verifier).is_some_and(|text| !secrets.insert(text)) {
        return left_out("another personal access token has the same secret");
    }
    if !description.is_same {
        let why = "its description was too long or had characters that are not text";
        findings.push(Finding::changed(RowKind::PersonalToken, &name, why));
    }
    Some(IncomingPersonalToken {
        secret,
        description: description.value,
        // Without an end it was never accepted.
        expires_at: record.expires.map_or(now, time),
        created_at: record.created.map_or(now, time),
        last_used_at: record.seen.map(time),
    })
}

/// Returns what is known of the secret of a personal access token, or why it was never accepted.
fn personal_secret(secret: Option<&str>, verifier: Option<&str>) -> Result<IncomingSecret, &'static str> {
    match (secret, verifier) {
        (Some(secret), _) if !secret.starts_with(TokenSecret::PERSONAL_PREFIX) => {
            Err("it does not begin with \"user:\", so it was never accepted")
        }
        (Some(secret), _) => TokenSecret::parse(secret)
            .map(IncomingSecret::Plain)
            .map_err(|_| "its secret has characters that no header carries"),
        // Its selector names it nowhere: routes have its id.
        (None, Some(verifier)) => tokens::sha256(verifier)
            .map(|digest| IncomingSecret::Sha256 { digest, selector: None })
            .ok_or("its verifier is no SHA-256, so it was never accepted"),
        (None, None) => Err("it has no secret, so it was never accepted"),
    }
}

/// Returns a personal access token as its user presents it, unless the secret is known to the user alone.
pub(crate) fn presented(record: PersonalTokenRecord) -> Option<Presented> {
    let label = format!("{:?} of user {}", record.description.unwrap_or_default(), record.user);
    Some(Presented { secret: TokenSecret::parse(&record.secret?).ok()?, label })
}
