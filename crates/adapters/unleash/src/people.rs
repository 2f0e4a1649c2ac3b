//! Users and service accounts, the roles that they hold, and their personal access tokens.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    str::FromStr,
};

use latchkey_domain::{
    AccountKind, Description, Email, NewRole, PasswordHash, PersonName, ProjectId, RoleDescription, RoleName,
    Timestamp, TokenSecret, UserIdentity, Username,
};
use latchkey_ports::{
    Finding, IncomingMembership, IncomingPersonalToken, IncomingSecret, IncomingUser, RowKind,
};

use crate::{
    error::UnleashError,
    places::{Places, time},
    records::{HeldRole, PersonalTokenRecord, RoleRecord, UserRecord},
    roles::{self, DEFAULT_PROJECT, KnownRole, VIEWER},
    text::fit,
    tokens::{self, Presented},
};

/// What becomes of roles of the instance that work in the project `default` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditorChoice {
    /// They are divided, and their holders keep what they have.
    Default,
    /// They work in every project, as here.
    Everywhere,
}

impl FromStr for EditorChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::Default),
            "everywhere" => Ok(Self::Everywhere),
            _ => Err("write default or everywhere"),
        }
    }
}

/// The rows about people.
pub(crate) struct People {
    pub(crate) roles: Vec<RoleRecord>,
    pub(crate) users: Vec<UserRecord>,
    pub(crate) held: Vec<HeldRole>,
    pub(crate) personal_tokens: Vec<PersonalTokenRecord>,
}

/// What Unleash calls itself and holders of admin tokens, as users.
const SYSTEM_USERS: [i32; 2] = [-1337, -42];

/// Returns the custom roles and the users.
pub(crate) fn people(
    people: People,
    places: &Places,
    editor: Option<EditorChoice>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<NewRole>, Vec<IncomingUser>), UnleashError> {
    let People { roles, users, held, personal_tokens } = people;
    let (known, mut new) = roles::roles(roles, findings);
    let mut held_by: BTreeMap<i32, Vec<HeldRole>> = BTreeMap::new();
    for one in held {
        held_by.entry(one.user).or_default().push(one);
    }
    let mut tokens_of: BTreeMap<i32, Vec<PersonalTokenRecord>> = BTreeMap::new();
    for one in personal_tokens {
        tokens_of.entry(one.user).or_default().push(one);
    }
    let (mut names, mut secrets, mut incoming, mut narrower) =
        (HashSet::new(), HashSet::new(), Vec::new(), 0);
    let mut divided = BTreeMap::new();
    for record in users {
        let (held, tokens) = (
            held_by.remove(&record.id).unwrap_or_default(),
            tokens_of.remove(&record.id).unwrap_or_default(),
        );
        let Some(mut user) = user(record, &mut names, now, findings) else { continue };
        let label = user.identity.label().to_owned();
        let holding = holding(&held, &known, places, &label, now, findings);
        user.memberships = holding.memberships;
        match holding.root {
            Some((role, Some(project))) if role.is_wider_here() => {
                narrower += 1;
                if editor == Some(EditorChoice::Default) {
                    let (of_instance, of_project) = role.parts();
                    user.root_role = of_instance.name.clone();
                    user.memberships.push(IncomingMembership {
                        project,
                        role: of_project.name.clone(),
                        added_at: user.created_at,
                    });
                    let why = format!(
                        "its role {:?} is divided, so that it works in one project as before",
                        role.name.as_str()
                    );
                    findings.push(Finding::changed(kind_of(&user), &label, why));
                    divided.insert(role.name.clone(), [of_instance, of_project]);
                } else {
                    user.root_role = role.name;
                }
            }
            Some((role, _)) => user.root_role = role.name,
            None => {}
        }
        user.personal_tokens = tokens
            .into_iter()
            .filter_map(|token| personal_token(token, &label, &mut secrets, now, findings))
            .collect();
        incoming.push(user);
    }
    if narrower > 0 && places.projects.len() > 1 && editor.is_none() {
        return Err(UnleashError::EditorUndecided { users: narrower, projects: places.projects.len() });
    }
    let description = RoleDescription::default();
    new.extend(divided.values().flatten().map(|role: &KnownRole| role.to_new(description.clone())));
    Ok((new, incoming))
}

fn kind_of(user: &IncomingUser) -> RowKind {
    user.kind.into()
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

/// What a user holds, itself and by groups.
struct Holding {
    /// The role of the instance, and the project where its rights in projects count; `None` where they count in all.
    root: Option<(KnownRole, Option<ProjectId>)>,
    memberships: Vec<IncomingMembership>,
}

fn holding(
    held: &[HeldRole],
    known: &BTreeMap<i32, KnownRole>,
    places: &Places,
    label: &str,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Holding {
    let mut holding = Holding { root: None, memberships: Vec::new() };
    let mut given = BTreeSet::new();
    for one in held {
        let Some(role) = known.get(&one.role) else {
            let why = "the role did not come";
            findings.push(Finding::left_out(
                RowKind::Membership,
                format!("{label} as role {}", one.role),
                why,
            ));
            continue;
        };
        let project = one.project.as_deref().unwrap_or(DEFAULT_PROJECT);
        if role.kind.is_root() {
            let project = if project == "*" { None } else { places.projects.get(DEFAULT_PROJECT).cloned() };
            take_root(&mut holding.root, role, project, one, label, findings);
            continue;
        }
        let Some(project) = places.projects.get(project) else {
            let name = format!("{label} as {} in {project}", role.name);
            findings.push(Finding::left_out(
                RowKind::Membership,
                name,
                "the project does not exist there any more",
            ));
            continue;
        };
        if given.insert((project.clone(), role.name.clone())) {
            if let Some(group) = &one.group {
                let name = format!("{label} as {} in {project}", role.name);
                let why = format!("it was held by the group {group:?} and is held by the user itself here");
                findings.push(Finding::changed(RowKind::Membership, name, why));
            }
            let added_at = one.since.map_or(now, time);
            let (project, role) = (project.clone(), role.name.clone());
            holding.memberships.push(IncomingMembership { project, role, added_at });
        }
    }
    holding
}

/// Decides which of several roles of the instance a user has here, where there can be one: Admin, which implies all; otherwise
/// the first with any right.
fn take_root(
    root: &mut Option<(KnownRole, Option<ProjectId>)>,
    role: &KnownRole,
    project: Option<ProjectId>,
    held: &HeldRole,
    label: &str,
    findings: &mut Vec<Finding>,
) {
    let is_taken = match root {
        None => true,
        Some((kept, _)) => {
            // Of several of its own, Unleash takes any.
            let is_own = held.group.is_none();
            !is_own
                && (role.is_built_in("Admin") || kept.permissions.is_empty())
                && !kept.is_built_in("Admin")
        }
    };
    let by = held.group.as_ref().map(|group| format!(" by the group {group:?}")).unwrap_or_default();
    let name = format!("{label} as {}{by}", role.name);
    if is_taken {
        if held.group.is_some() {
            let why = "the role of the group is the role of the user itself here";
            findings.push(Finding::changed(RowKind::Membership, name, why));
        }
        *root = Some((role.clone(), project));
    } else if root
        .as_ref()
        .is_some_and(|(kept, _)| !role.permissions.is_subset(&kept.permissions) && !kept.is_built_in("Admin"))
    {
        let why = "a user has one role of the instance here, and has another: make a role that has the permissions of both";
        findings.push(Finding::left_out(RowKind::Membership, name, why));
    }
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
