//! The bodies of groups.

use deserr::Deserr;
use latchkey_domain::{Group, GroupDescription, GroupName, ProjectId, SsoGroupName, Timestamp, User, UserId};
use latchkey_ports::GroupOverview;
use latchkey_service::{GroupDraft, RoleReference};
use serde::Serialize;
use utoipa::ToSchema;

use super::{role_body::RootRoleReference, user_body::BaseUserBody};
use crate::{
    extract::{List, Problems},
    wire_time::WireTime,
};

/// The state of a group as a whole, for one that is created or replaced.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createGroupSchema, rename_all = "camelCase")]
pub struct GroupDraftBody {
    /// The name: 1 to 255 characters, trimmed; unique among groups.
    #[schema(value_type = String, example = "Payments", min_length = 1, max_length = 255)]
    name: GroupName,
    /// The description, of at most 2,000 characters. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Those who take money.", max_length = 2000)]
    description: Option<GroupDescription>,
    /// The groups of a single sign-on provider whose members are to be members. Absent or null: none.
    #[deserr(default, rename = "mappingsSSO")]
    #[schema(rename = "mappingsSSO", value_type = Option<Vec<String>>, example = json!(["payments-engineers"]))]
    mappings_sso: Option<List<SsoGroupName>>,
    /// The role that members have for the whole instance, besides their own, by id or name. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<RootRoleReference>, example = 3)]
    root_role: Option<RoleReference>,
    /// The members. Absent or null: none.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<MemberReferenceBody>>)]
    users: Option<List<MemberReferenceBody>>,
}

/// A member of a group, by reference.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = groupMemberReferenceSchema)]
struct MemberReferenceBody {
    /// The user.
    user: UserReferenceBody,
}

/// A user, by reference.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = userReferenceSchema)]
struct UserReferenceBody {
    /// The id of the user.
    #[schema(value_type = i64, example = 1)]
    id: UserId,
}

impl From<GroupDraftBody> for GroupDraft {
    fn from(body: GroupDraftBody) -> Self {
        let GroupDraftBody { name, description, mappings_sso, root_role, users } = body;
        let users = users.map_or_else(Vec::new, |List(users)| users);
        Self {
            name,
            description: description.unwrap_or_default(),
            sso_groups: mappings_sso.map_or_else(Vec::new, |List(groups)| groups),
            root_role,
            users: users.into_iter().map(|MemberReferenceBody { user }| user.id).collect(),
        }
    }
}

/// A group with its members.
#[derive(Serialize, ToSchema)]
#[schema(as = groupSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupBody<'g> {
    #[serde(flatten)]
    group: BaseGroupBody<'g>,
    /// The groups of a single sign-on provider whose members are to be members.
    #[serde(rename = "mappingsSSO")]
    #[schema(value_type = Vec<String>, example = json!(["payments-engineers"]))]
    mappings_sso: Vec<&'g str>,
    /// When the group was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// The members, by id.
    users: Vec<GroupMemberBody<'g>>,
    /// The ids of the projects in which the group has a role.
    #[schema(value_type = Vec<String>, example = json!(["default"]))]
    projects: Vec<&'g str>,
}

impl<'g> GroupBody<'g> {
    pub(crate) fn of(overview: &'g GroupOverview) -> Self {
        let GroupOverview { group, users, projects } = overview;
        let member = |user: &'g User| GroupMemberBody::of(user, group.members.get(&user.id).copied());
        Self {
            group: BaseGroupBody::of(group),
            mappings_sso: group.sso_groups.iter().map(SsoGroupName::as_str).collect(),
            created_at: WireTime(group.created_at),
            users: users.iter().map(member).collect(),
            projects: projects.iter().map(ProjectId::as_str).collect(),
        }
    }
}

/// What every caller may know of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = groupBaseSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BaseGroupBody<'g> {
    /// The id.
    #[schema(example = 1)]
    id: i64,
    /// The name.
    #[schema(value_type = String, example = "Payments")]
    name: &'g str,
    /// The description; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Those who take money.")]
    description: Option<&'g str>,
    /// The id of the role that members have for the whole instance; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    root_role: Option<i64>,
    /// The number of members.
    #[schema(example = 1)]
    user_count: usize,
}

impl<'g> BaseGroupBody<'g> {
    pub(super) fn of(group: &'g Group) -> Self {
        let description = Some(GroupDescription::as_str(&group.description));
        Self {
            id: group.id.0,
            name: GroupName::as_str(&group.name),
            description: description.filter(|text| !text.is_empty()),
            root_role: group.root_role.map(|role| role.0),
            user_count: group.members.len(),
        }
    }
}

/// A member of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = groupUserModelSchema)]
#[serde(rename_all = "camelCase")]
struct GroupMemberBody<'g> {
    /// When the user became a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    joined_at: Option<WireTime>,
    /// The user.
    user: BaseUserBody<'g>,
}

impl<'g> GroupMemberBody<'g> {
    fn of(user: &'g User, joined_at: Option<Timestamp>) -> Self {
        Self { joined_at: joined_at.map(WireTime), user: BaseUserBody::of(user) }
    }
}

/// A list of groups.
#[derive(Serialize, ToSchema)]
#[schema(as = groupsSchema)]
pub(super) struct GroupsBody<'g> {
    /// The groups, by id.
    groups: Vec<GroupBody<'g>>,
}

impl<'g> GroupsBody<'g> {
    pub(super) fn of(groups: &'g [GroupOverview]) -> Self {
        Self { groups: groups.iter().map(GroupBody::of).collect() }
    }
}

/// The users and groups that can be given a role in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = usersGroupsBaseSchema)]
pub(super) struct BaseUsersBody<'u> {
    /// The users and service accounts, by id.
    users: Vec<BaseUserBody<'u>>,
    /// The groups, by id.
    groups: Vec<BaseGroupBody<'u>>,
}

impl<'u> BaseUsersBody<'u> {
    pub(super) fn of(users: &'u [User], groups: &'u [Group]) -> Self {
        Self {
            users: users.iter().map(BaseUserBody::of).collect(),
            groups: groups.iter().map(BaseGroupBody::of).collect(),
        }
    }
}
