//! What an event says to people: a title, and a sentence about who did what.

use latchkey_domain::{EventKind, NewEvent, ProjectId, ProjectScope};
use serde_json::Value;

/// A title of this kind of event, and what was done, up to where its object is named.
fn words(kind: EventKind) -> (&'static str, &'static str, Object) {
    use EventKind as K;
    use Object::{EnvironmentIn, Named, Nothing, Place};
    match kind {
        K::ApiTokenCreated => ("API token created", "created API token", Named),
        K::ApiTokenUpdated => ("API token updated", "updated API token", Named),
        K::ApiTokenRotated => ("API token rotated", "gave a new secret to API token", Named),
        K::ApiTokenDeleted => ("API token deleted", "deleted API token", Named),
        K::PersonalTokenCreated => ("Personal access token created", "created personal access token", Named),
        K::PersonalTokenDeleted => ("Personal access token deleted", "deleted personal access token", Named),
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
        K::ProjectCreated => ("Project created", "created project", Place),
        K::ProjectUpdated => ("Project updated", "updated project", Place),
        K::ProjectArchived => ("Project archived", "archived project", Place),
        K::ProjectRevived => ("Project revived", "revived project", Place),
        K::ProjectDeleted => ("Project deleted", "deleted project", Place),
        K::ProjectAccessAdded => ("Project access added", "gave users roles in project", Place),
        K::ProjectAccessUpdated => ("Project access updated", "replaced a user's roles in project", Place),
        K::ProjectAccessRemoved => ("Project access removed", "removed a user from project", Place),
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
    }
}

/// To what something was done.
enum Object {
    /// To what the sentence names already.
    Nothing,
    /// To what the event's data name.
    Named,
    /// To the project.
    Place,
    /// To an environment in its relation to the project.
    EnvironmentIn(&'static str),
}

/// The title of an event.
pub(crate) fn label(kind: EventKind) -> &'static str {
    let (label, _, _) = words(kind);
    label
}

/// The sentence about an event, in Markdown as in the reference; `data` is what the event says that things look like.
pub(crate) fn summary(record: &NewEvent, data: Option<&Value>) -> String {
    let (_, deed, object) = words(record.kind);
    let project = record.projects.as_ref().map(joined);
    let rest = match object {
        Object::Nothing => None,
        Object::Named => data.and_then(name_in).map(strong),
        Object::Place => project.as_deref().map(strong),
        Object::EnvironmentIn(relation) => {
            record.environment.as_ref().zip(project.as_deref()).map(|(environment, project)| {
                format!("{} {relation} {}", strong(environment.as_str()), strong(project))
            })
        }
    };
    let actor = strong(record.actor.name());
    rest.map_or_else(|| format!("{actor} {deed}"), |rest| format!("{actor} {deed} {rest}"))
}

/// The projects that an event concerns, joined by commas; `*` for all.
pub(crate) fn joined(projects: &ProjectScope) -> String {
    match projects {
        ProjectScope::All => "*".to_owned(),
        ProjectScope::Only(set) => set.as_slice().iter().map(ProjectId::as_str).collect::<Vec<_>>().join(","),
    }
}

/// What people call the thing that the data describe.
fn name_in(data: &Value) -> Option<&str> {
    const NAMES: &[&str] = &["tokenName", "email", "username", "name", "description"];
    NAMES.iter().find_map(|member| data.get(member)?.as_str())
}

/// Text in bold. Whatever it holds, it stays text: a name must not become a link in somebody's browser.
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
    use latchkey_domain::{Actor, EnvironmentName, Origin, Timestamp};
    use serde_json::json;

    use super::*;

    fn event(kind: EventKind) -> NewEvent {
        let at = Timestamp::from_millis(0).expect("in range");
        let projects = Some(ProjectScope::one(ProjectId::new("shop").expect("an id")));
        let environment = EnvironmentName::new("production").ok();
        let actor = Actor::AdminToken { name: "admin".to_owned() };
        NewEvent { projects, environment, ..NewEvent::new(kind, actor, Origin::default(), at) }
    }

    fn said(kind: EventKind, data: &Value) -> String {
        summary(&event(kind), Some(data))
    }

    #[test]
    fn a_sentence_says_who_did_what_to_what() {
        for (kind, sentence) in [
            (EventKind::ApiTokenCreated, "**admin** created API token **x**"),
            (EventKind::ApiTokenDeleted, "**admin** deleted API token **x**"),
            (EventKind::ProjectArchived, "**admin** archived project **shop**"),
            (
                EventKind::ProjectEnvironmentRemoved,
                "**admin** removed environment **production** from project **shop**",
            ),
            (EventKind::SessionStarted, "**admin** signed in"),
        ] {
            assert_eq!(said(kind, &json!({"tokenName": "x", "username": "x"})), sentence);
        }
        let user = json!({"username": "ed", "email": null, "name": "Edwina", "id": 7});
        assert_eq!(said(EventKind::UserDeleted, &user), "**admin** deleted user **ed**");
        assert_eq!(said(EventKind::RoleCreated, &json!({})), "**admin** created role");
    }

    #[test]
    fn a_name_stays_text() {
        let name = r"[free](https://evil.example) <b>**`\";
        assert_eq!(
            said(EventKind::ApiTokenCreated, &json!({"tokenName": name})),
            r"**admin** created API token **\[free\](https://evil.example) \<b\>\*\*\`\\**"
        );
    }

    #[test]
    fn every_kind_has_words_of_its_own() {
        let labels: std::collections::BTreeSet<_> = EventKind::ALL.iter().map(|kind| label(*kind)).collect();
        assert_eq!(labels.len(), EventKind::ALL.len());
    }
}
