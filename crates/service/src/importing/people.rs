//! Users and service accounts, what they may do, and their personal access tokens.

use std::collections::{HashMap, HashSet};

use latchkey_domain::{
    AccountKind, Description, EventKind, ProjectId, RoleId, RoleName, UserId, UserIdentity,
};
use latchkey_ports::{
    Account, Finding, ImportedPersonalToken, ImportedUser, IncomingMembership, IncomingPersonalToken,
    IncomingUser, Reference, RowKind,
};

use super::{Given, ImportPlan, Importer, RolesByName, free};
use crate::{Initiator, ServiceError};

/// The users of the other system who are here or in the plan, by a login name of each.
pub(super) struct UsersByName(HashMap<String, Reference<UserId>>);

impl UsersByName {
    pub(super) fn get(&self, identity: &UserIdentity) -> Option<Reference<UserId>> {
        identity.login_names().find_map(|name| self.0.get(&name)).copied()
    }
}

impl Importer {
    /// Plans to add users, and returns the reference to each of them. Their roles in projects are added to those that are
    /// given.
    pub(super) async fn plan_users(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<IncomingUser>,
        roles: &RolesByName,
        given: &mut Given,
        by: &Initiator,
    ) -> Result<UsersByName, ServiceError> {
        let mut users = UsersByName(HashMap::new());
        let mut held = HashMap::new();
        for user in incoming {
            let kind = RowKind::from(user.kind);
            let label = user.identity.label().to_owned();
            let IncomingUser { memberships, personal_tokens, .. } = &user;
            let reference = match self.known(&user.identity).await? {
                Known::Several => {
                    let why = "its user name and its e-mail address belong to two users here: give one of them another there \
                               or here";
                    plan.findings.push(Finding::left_out(kind, &label, why));
                    continue;
                }
                Known::One(account) if account.user.kind != user.kind => {
                    let why = "a user of another kind has this name here: rename one of them";
                    plan.findings.push(Finding::left_out(kind, &label, why));
                    continue;
                }
                Known::One(account) => {
                    let why = differences(&user, &account, roles);
                    plan.findings.push(Finding::present(kind, &label, why));
                    Reference::Existing(account.user.id)
                }
                Known::None => {
                    let Some(root_role) = roles.0.get(&user.root_role).copied() else {
                        let why = format!("its role {:?} did not come", user.root_role.as_str());
                        plan.findings.push(Finding::left_out(kind, &label, why));
                        continue;
                    };
                    let created = match user.kind {
                        AccountKind::Person => EventKind::UserCreated,
                        AccountKind::Service => EventKind::ServiceAccountCreated,
                    };
                    plan.findings.push(Finding::came(kind, &label));
                    plan.import.users.push(ImportedUser {
                        identity: user.identity.clone(),
                        name: user.name.clone(),
                        kind: user.kind,
                        root_role,
                        created_at: user.created_at,
                        last_seen_at: user.last_seen_at,
                        password: user.password.clone(),
                        event: self.event(created, None, by),
                    });
                    Reference::New(plan.import.users.len() - 1)
                }
            };
            users.0.extend(user.identity.login_names().map(|name| (name, reference)));
            for membership in memberships {
                let found = self.plan_membership(membership, reference, roles, &mut held, given).await?;
                let name = format!("{label} as {} in {}", membership.role, membership.project);
                plan.findings.push(match found {
                    Membership::New => Finding::came(RowKind::Membership, name),
                    Membership::Held => Finding::present(RowKind::Membership, name, ""),
                    Membership::NoRole => {
                        Finding::left_out(RowKind::Membership, name, "the role did not come")
                    }
                });
            }
            self.plan_personal_tokens(plan, &label, reference, personal_tokens, by).await?;
        }
        Ok(users)
    }

    /// Finds the user who has these login names here.
    async fn known(&self, identity: &UserIdentity) -> Result<Known, ServiceError> {
        let mut known: Option<Account> = None;
        for name in identity.login_names() {
            let Some(account) = self.store.find_account_by_login(&name).await? else { continue };
            match &known {
                Some(other) if other.user.id != account.user.id => return Ok(Known::Several),
                _ => known = Some(account),
            }
        }
        Ok(known.map_or(Known::None, |account| Known::One(Box::new(account))))
    }

    async fn plan_membership(
        &self,
        membership: &IncomingMembership,
        user: Reference<UserId>,
        roles: &RolesByName,
        held: &mut HashMap<ProjectId, HashSet<(UserId, RoleId)>>,
        given: &mut Given,
    ) -> Result<Membership, ServiceError> {
        let IncomingMembership { project, role, added_at } = membership;
        let Some(role) = roles.0.get(role).copied() else { return Ok(Membership::NoRole) };
        if let (Reference::Existing(user), Reference::Existing(role)) = (user, role) {
            if !held.contains_key(project) && self.store.find_project(project).await?.is_some() {
                let members = self.store.members(project).await?.into_iter();
                let pairs = members.flat_map(|member| {
                    let user = member.user.id;
                    member.roles.into_iter().map(move |role| (user, role))
                });
                held.insert(project.clone(), pairs.collect());
            }
            if held.get(project).is_some_and(|held| held.contains(&(user, role))) {
                return Ok(Membership::Held);
            }
        }
        let users = &mut given.entry((project.clone(), role)).or_default().users;
        if users.iter().all(|(other, _)| *other != user) {
            users.push((user, *added_at));
        }
        Ok(Membership::New)
    }

    async fn plan_personal_tokens(
        &self,
        plan: &mut ImportPlan,
        label: &str,
        user: Reference<UserId>,
        incoming: &[IncomingPersonalToken],
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        let mut descriptions: HashSet<Description> = match user {
            Reference::Existing(id) if !incoming.is_empty() => {
                let own = self.store.personal_tokens_of(&[id]).await?;
                own.into_iter().map(|token| token.description).collect()
            }
            _ => HashSet::new(),
        };
        for token in incoming {
            let name = format!("{:?} of {label}", token.description.as_str());
            let digests = token.secret.digests(&*self.sealer);
            if self.store.find_personal_token_by_digest(&digests).await?.is_some() {
                plan.findings.push(Finding::present(RowKind::PersonalToken, name, ""));
                continue;
            }
            let Some(description) = free(&token.description, 2..1_000, &descriptions, Description::new)
            else {
                let why = "the user has tokens of this description and of all like it here: delete some";
                plan.findings.push(Finding::left_out(RowKind::PersonalToken, name, why));
                continue;
            };
            if description != token.description {
                let why = format!(
                    "it is {:?} here, because the user has another of that description",
                    description.as_str()
                );
                plan.findings.push(Finding::changed(RowKind::PersonalToken, &name, why));
            }
            descriptions.insert(description.clone());
            plan.findings.push(Finding::came(RowKind::PersonalToken, name));
            plan.import.personal_tokens.push(ImportedPersonalToken {
                user,
                description,
                expires_at: token.expires_at,
                created_at: token.created_at,
                last_used_at: token.last_used_at,
                secret: token.secret.record(&*self.sealer),
                event: self.event(EventKind::PersonalTokenCreated, None, by),
            });
        }
        Ok(())
    }
}

/// The users here with the login names of one there.
enum Known {
    None,
    One(Box<Account>),
    Several,
}

/// What becomes of a membership.
enum Membership {
    New,
    Held,
    NoRole,
}

/// Says what stays as it is here although it is different there.
fn differences(there: &IncomingUser, here: &Account, roles: &RolesByName) -> String {
    let mut differences = Vec::new();
    if roles.0.get(&there.root_role) != Some(&Reference::Existing(here.user.root_role)) {
        differences.push(format!("has the root role {:?} there", RoleName::as_str(&there.root_role)));
    }
    match (&there.password, &here.password) {
        (Some(_), None) => differences.push("has a password there and none here".to_owned()),
        (Some(there), Some(here)) if there != here => {
            differences.push("signs in with the password that it has here".to_owned());
        }
        _ => {}
    }
    differences.join("; ")
}
