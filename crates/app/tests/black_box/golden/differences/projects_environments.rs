//! Cases about projects and environments.

use serde_json::{Value, json};

use super::{Difference, Instead, MANY_PROJECTS, NOT_FREE, row};
use crate::golden::expected::Expected;

pub(super) const DIFFERENCES: &[Difference] = &[
    row(
        "projects: delete is not an open source endpoint",
        Instead::Error(403, "OperationDeniedError"),
        "People, DELETE projects/{id}: `default` cannot be deleted",
    ),
    row(
        "projects: access is not an open source endpoint",
        Instead::Body(|| json!({ "users": [], "groups": [], "roles": roles_of_projects() })),
        NOT_FREE,
    ),
    row(
        "roles: not an open source endpoint",
        Instead::Body(|| {
            let mut roles =
                vec![role(1, "Admin", "root"), role(2, "Editor", "root"), role(3, "Viewer", "root")];
            roles.extend(roles_of_projects());
            json!({ "version": 1, "roles": roles })
        }),
        NOT_FREE,
    ),
    row(
        "environments: custom one is hidden on the single project edition",
        Instead::Body(|| {
            json!({
                "name": "staging",
                "type": "test",
                "sortOrder": 9,
                "enabled": true,
                "protected": false,
                "requiredApprovals": null,
            })
        }),
        MANY_PROJECTS,
    ),
    row(
        "environments: of project",
        Instead::Edited(|expected| {
            let environments = expected.body["environments"].as_array_mut().expect("a list");
            for (environment, projects) in environments.iter_mut().zip([0, 1, 1]) {
                let members = environment.as_object_mut().expect("an environment");
                let tokens = members["projectApiTokenCount"].clone();
                members.insert("apiTokenCount".to_owned(), tokens);
                members.insert("projectCount".to_owned(), json!(projects));
            }
        }),
        "People, GET environments/project/{projectId}: the same, with projectApiTokenCount and visible",
    ),
    row(
        "environments: create not open source",
        Instead::Edited(|expected| {
            let made = json!({
                "name": "x",
                "type": "development",
                "sortOrder": 4,
                "enabled": true,
                "protected": false,
                "requiredApprovals": null,
                "projectCount": 0,
                "apiTokenCount": 0,
            });
            *expected = Expected::new(201, Some("application/json"), made);
        }),
        NOT_FREE,
    ),
    row("environments: delete not open source", Instead::Done, NOT_FREE),
    row(
        "environment row deleted: token stays",
        Instead::EmptyList,
        "deleting a project or environment that tokens refer to: they are revoked, or lose just that scope",
    ),
    row(
        "project row deleted: single project token becomes a wildcard token",
        Instead::EmptyList,
        "Differences from Unleash: deleting a project leaves its tokens behind / they are revoked with it",
    ),
];

fn role(id: u8, name: &str, kind: &str) -> Value {
    json!({ "id": id, "name": name, "type": kind, "description": "<text>" })
}

fn roles_of_projects() -> [Value; 2] {
    [role(4, "Owner", "project"), role(5, "Member", "project")]
}
