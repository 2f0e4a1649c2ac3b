//! The title of an event, and the sentence that describes it.

use latchkey_domain::{EventKind, NewEvent};
use serde_json::Value;

use crate::tokens::ProjectNames;

/// Returns the title of this kind of event, and the verb and the object of its sentence.
fn words(kind: EventKind) -> (&'static str, &'static str, Object) {
    use EventKind as K;
    use Object::{EnvironmentIn, Named, Nothing, Project};
    match kind {
        K::ApiTokenCreated => ("API token created", "created API token", Named),
        K::ApiTokenUpdated => ("API token updated", "updated API token", Named),
        K::ApiTokenRotated => ("API token rotated", "gave a new secret to API token", Named),
        K::ApiTokenRotationEnded => ("API token rotation ended", "ended the old secret of API token", Named),
        K::ApiTokenDeleted => ("API token deleted", "deleted API token", Named),
        K::ApiTokenLeaked => ("API token leaked", "reported the leak of API token", Named),
        K::ApiTokenExpiring => ("API token expiring", "noticed the end of API token", Named),
        K::ApiTokenExpiredInUse => {
            ("API token expired in use", "noticed uses after the end of API token", Named)
        }
        K::ApiTokenUnused => ("API token unused", "noticed that nothing uses API token", Named),
        K::ApiTokenPolicyViolated => {
            ("API token violates policy", "noticed a violation of the policy by API token", Named)
        }
        K::ApiTokenRotationDue => {
            ("API token rotation due", "noticed that it is time to rotate API token", Named)
        }
        K::ApiTokensImported => ("API tokens imported", "imported API tokens", Nothing),
        K::PersonalTokenCreated => ("Personal access token created", "created personal access token", Named),
        K::PersonalTokenDeleted => ("Personal access token deleted", "deleted personal access token", Named),
        K::PersonalTokenLeaked => {
            ("Personal access token leaked", "reported the leak of personal access token", Named)
        }
        K::UserCreated => ("User created", "created user", Named),
        K::UserUpdated => ("User updated", "updated user", Named),
        K::UserDeleted => ("User deleted", "deleted user", Named),
        K::PasswordChanged => ("Password changed", "changed the password of user", Named),
        K::ServiceAccountCreated => ("Service account created", "created service account", Named),
        K::ServiceAccountUpdated => ("Service account updated", "updated service account", Named),
        K::ServiceAccountDeleted => ("Service account deleted", "deleted service account", Named),
        K::SessionStarted => ("Session started", "signed in", Nothing),
        K::SessionEnded => ("Session ended", "ended a session", Nothing),
        K::RoleCreated => ("Role created", "created role", Named),
        K::RoleUpdated => ("Role updated", "updated role", Named),
        K::RoleDeleted => ("Role deleted", "deleted role", Named),
        K::GroupCreated => ("Group created", "created group", Named),
        K::GroupUpdated => ("Group updated", "updated group", Named),
        K::GroupDeleted => ("Group deleted", "deleted group", Named),
        K::ProjectCreated => ("Project created", "created project", Project),
        K::ProjectUpdated => ("Project updated", "updated project", Project),
        K::ProjectPolicyUpdated => ("Project policy updated", "changed the policy of project", Project),
        K::ProjectArchived => ("Project archived", "archived project", Project),
        K::ProjectRevived => ("Project revived", "revived project", Project),
        K::ProjectDeleted => ("Project deleted", "deleted project", Project),
        K::ProjectAccessAdded => ("Project access added", "gave roles in project", Project),
        K::ProjectAccessUpdated => ("Project access updated", "replaced a user's roles in project", Project),
        K::ProjectAccessRemoved => ("Project access removed", "removed a user from project", Project),
        K::ProjectGroupAccessUpdated => {
            ("Group access to project updated", "replaced a group's roles in project", Project)
        }
        K::ProjectGroupAccessRemoved => {
            ("Group access to project removed", "removed a group from project", Project)
        }
        K::ProjectAccessReplaced => ("Project access replaced", "replaced all members of project", Project),
        K::ProjectEnvironmentAdded => {
            ("Environment added to project", "added environment", EnvironmentIn("to project"))
        }
        K::ProjectEnvironmentRemoved => {
            ("Environment removed from project", "removed environment", EnvironmentIn("from project"))
        }
        K::EnvironmentCreated => ("Environment created", "created environment", Named),
        K::EnvironmentUpdated => ("Environment updated", "updated environment", Named),
        K::EnvironmentsSorted => ("Environments sorted", "changed the order of environments", Nothing),
        K::EnvironmentDeleted => ("Environment deleted", "deleted environment", Named),
        K::WebhookCreated => ("Webhook created", "created webhook", Named),
        K::WebhookUpdated => ("Webhook updated", "updated webhook", Named),
        K::WebhookDeleted => ("Webhook deleted", "deleted webhook", Named),
    }
}

/// The object of a sentence.
enum Object {
    /// None: the verb is enough.
    Nothing,
    /// The name in the event's data.
    Named,
    /// The project.
    Project,
    /// An environment, and its relation to the project.
    EnvironmentIn(&'static str),
}

/// Returns the title of a kind of event.
#[must_use]
pub fn label(kind: EventKind) -> &'static str {
    let (label, _, _) = words(kind);
    label
}

/// Returns the sentence that describes an event, in Markdown as in Unleash. The data name its object.
pub(crate) fn summary(record: &NewEvent, data: Option<&Value>) -> String {
    sentence(record, data, strong)
}

/// Returns the sentence that describes an event, with names as they are to be shown.
pub(crate) fn sentence(record: &NewEvent, data: Option<&Value>, shown: impl Fn(&str) -> String) -> String {
    let (_, verb, object) = words(record.kind);
    let project = record.projects.as_ref().map(|projects| ProjectNames(projects).text());
    let rest = match object {
        Object::Nothing => None,
        Object::Named => data.and_then(name_in).map(&shown),
        Object::Project => project.as_deref().map(&shown),
        Object::EnvironmentIn(relation) => {
            record.environment.as_ref().zip(project.as_deref()).map(|(environment, project)| {
                format!("{} {relation} {}", shown(environment.as_str()), shown(project))
            })
        }
    };
    let actor = shown(record.actor.name());
    rest.map_or_else(|| format!("{actor} {verb}"), |rest| format!("{actor} {verb} {rest}"))
}

/// Returns the name of what an event is about, which is in its data.
#[must_use]
pub fn name_in(data: &Value) -> Option<&str> {
    const NAMES: &[&str] = &["tokenName", "email", "username", "name", "description", "url"];
    NAMES.iter().find_map(|member| data.get(member)?.as_str())
}

/// Returns the text in bold, with its Markdown escaped, so that a name cannot become a link in a browser.
fn strong(text: &str) -> String {
    let mut strong = "**".to_owned();
    for character in text.chars() {
        if "\\*[]<>`".contains(character) {
            strong.push('\\');
        }
        strong.push(character);
    }
    strong.push_str("**");
    strong
}

#[cfg(test)]
mod tests {
    use latchkey_domain::{Actor, EnvironmentName, Origin, ProjectId, ProjectScope, Timestamp};
    use serde_json::json;

    use super::*;

    fn event(kind: EventKind) -> NewEvent {
        let at = Timestamp::from_millis(0).expect("in range");
        let projects = Some(ProjectScope::one(ProjectId::new("shop").expect("an id")));
        let environment = EnvironmentName::new("production").ok();
        let actor = Actor::AdminToken { name: "admin".to_owned() };
        NewEvent { projects, environment, ..NewEvent::new(kind, actor, Origin::default(), at) }
    }

    fn summarized(kind: EventKind, data: &Value) -> String {
        summary(&event(kind), Some(data))
    }

    #[test]
    fn a_sentence_has_actor_verb_and_object() {
        for (kind, expected) in [
            (EventKind::ApiTokenCreated, "**admin** created API token **x**"),
            (EventKind::ApiTokenDeleted, "**admin** deleted API token **x**"),
            (EventKind::ProjectArchived, "**admin** archived project **shop**"),
            (
                EventKind::ProjectEnvironmentRemoved,
                "**admin** removed environment **production** from project **shop**",
            ),
            (EventKind::SessionStarted, "**admin** signed in"),
        ] {
            assert_eq!(summarized(kind, &json!({"tokenName": "x", "username": "x"})), expected);
        }
        let user = json!({"username": "ed", "email": null, "name": "Edwina", "id": 7});
        assert_eq!(summarized(EventKind::UserDeleted, &user), "**admin** deleted user **ed**");
        assert_eq!(summarized(EventKind::RoleCreated, &json!({})), "**admin** created role");
    }

    #[test]
    fn markdown_in_names_is_escaped() {
        let name = r"[free](https://evil.example) <b>**`\";
        assert_eq!(
            summarized(EventKind::ApiTokenCreated, &json!({"tokenName": name})),
            r"**admin** created API token **\[free\](https://evil.example) \<b\>\*\*\`\\**"
        );
    }

    #[test]
    fn every_kind_has_its_own_title() {
        let labels: std::collections::BTreeSet<_> = EventKind::ALL.iter().map(|kind| label(*kind)).collect();
        assert_eq!(labels.len(), EventKind::ALL.len());
    }
}
