//! Groups, their members and their roles.

use std::collections::{BTreeMap, HashSet};

use latchkey_domain::{GroupDescription, GroupName, SsoGroupName, Timestamp, UserIdentity};
use latchkey_ports::{Finding, IncomingGroup, RowKind};

use crate::{
    holdings::{Holder, Holding, Holdings},
    places::time,
    records::{GroupMemberRecord, GroupRecord, GroupRoleRecord, HeldRole},
    text::fit,
};

/// The rows about groups.
#[derive(Default)]
pub(crate) struct GroupRows {
    pub(crate) groups: Vec<GroupRecord>,
    pub(crate) members: Vec<GroupMemberRecord>,
    pub(crate) roles: Vec<GroupRoleRecord>,
}

/// Returns the groups. `users` are those who come, by their numbers.
pub(crate) fn groups(
    rows: GroupRows,
    users: &BTreeMap<i32, UserIdentity>,
    holdings: &mut Holdings<'_>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Vec<IncomingGroup> {
    let mut members_of: BTreeMap<i32, Vec<GroupMemberRecord>> = BTreeMap::new();
    for one in rows.members {
        members_of.entry(one.group).or_default().push(one);
    }
    let mut roles_of: BTreeMap<i32, Vec<HeldRole>> = BTreeMap::new();
    for GroupRoleRecord(one) in rows.roles {
        roles_of.entry(one.holder).or_default().push(one);
    }
    let (mut names, mut incoming) = (HashSet::new(), Vec::new());
    for record in rows.groups {
        let members = members_of.remove(&record.id).unwrap_or_default();
        let held = roles_of.remove(&record.id).unwrap_or_default();
        let Some(group) = group(&record, now, findings) else { continue };
        let label = group.name.as_str().to_owned();
        if !names.insert(label.clone()) {
            let why = "another group has this name: rename one of them there";
            findings.push(Finding::left_out(RowKind::Group, label, why));
            continue;
        }
        let known = members
            .iter()
            .filter_map(|one| Some((users.get(&one.user)?.clone(), one.since.map_or(now, time))));
        let known: Vec<_> = known.collect();
        let missing = members.len() - known.len();
        if missing > 0 {
            let why = format!("{missing} of its members did not come");
            findings.push(Finding::changed(RowKind::Group, &label, why));
        }
        let own = record.root_role.map(|role| HeldRole {
            holder: record.id,
            role,
            project: None,
            since: record.created,
        });
        let held: Vec<HeldRole> = own.into_iter().chain(held).collect();
        let holder = Holder { kind: RowKind::Group, label: &label, created_at: group.created_at };
        let Holding { root, memberships } = holdings.of(&holder, &held, findings);
        incoming.push(IncomingGroup { root_role: root, members: known, memberships, ..group });
    }
    incoming
}

/// Returns a group, still without members and roles.
fn group(record: &GroupRecord, now: Timestamp, findings: &mut Vec<Finding>) -> Option<IncomingGroup> {
    let name = fit(&record.name, GroupName::MAX_CHARACTERS, "unnamed group", GroupName::new)?;
    let text = record.description.as_deref().unwrap_or_default();
    let description = fit(text, GroupDescription::MAX_CHARACTERS, "", GroupDescription::new);
    let is_same = name.is_same && description.as_ref().is_some_and(|text| text.is_same);
    let (sso_groups, all_fit) = sso_groups(record.sso_groups.as_deref());
    for (is_good, why) in [
        (is_same, "its name or description was too long or had characters that are not text"),
        (all_fit, "some of its names for single sign-on cannot be used, and are left out"),
    ] {
        if !is_good {
            findings.push(Finding::changed(RowKind::Group, &name.value, why));
        }
    }
    Some(IncomingGroup {
        name: name.value,
        description: description.map(|text| text.value).unwrap_or_default(),
        sso_groups,
        root_role: None,
        created_at: record.created.map_or(now, time),
        members: Vec::new(),
        memberships: Vec::new(),
    })
}

/// Returns the names of a JSON array, each once, and whether these are all.
fn sso_groups(json: Option<&str>) -> (Vec<SsoGroupName>, bool) {
    let Some(json) = json.filter(|text| *text != "null") else { return (Vec::new(), true) };
    let Ok(serde_json::Value::Array(all)) = serde_json::from_str(json) else { return (Vec::new(), false) };
    let (mut names, mut all_fit) = (Vec::new(), true);
    for value in all {
        match value.as_str().map(SsoGroupName::new) {
            Some(Ok(name)) if names.contains(&name) => {}
            Some(Ok(name)) => names.push(name),
            _ => all_fit = false,
        }
    }
    (names, all_fit)
}

#[cfg(test)]
mod tests;
