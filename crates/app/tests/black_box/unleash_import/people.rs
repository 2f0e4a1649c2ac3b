//! The people of the odd database, and their groups.

use latchkey_testkit::{raw_http::Request, server::Server};
use serde_json::Value;

/// Users, roles and personal access tokens are as they were, or narrower.
pub(super) fn came(server: &Server, admin: &str) {
    let get = |target: &str| server.send(&Request::get(target).by(admin)).json();
    let users = get("/api/admin/user-admin");
    let listed = users["users"].as_array().expect("users");
    let name =
        |user: &Value| user["email"].as_str().or(user["username"].as_str()).expect("a name").to_owned();
    let mut names: Vec<String> = listed.iter().map(name).collect();
    names.sort();
    assert_eq!(names, ["ada@example.com", "ed@example.com", "no-address", "plain"]);
    let roles = users["rootRoles"].as_array().expect("roles");
    let root_role = |name_of: &str| {
        let user = listed.iter().find(|user| name(user) == name_of).expect("the user");
        let role = roles.iter().find(|role| role["id"] == user["rootRole"]).expect("its role");
        role["name"].as_str().expect("a name").to_owned()
    };
    assert_eq!(root_role("ada@example.com"), "Admin");
    assert_eq!(root_role("ed@example.com"), "Editor of the instance");
    assert_eq!(root_role("no-address"), "Viewer", "its group is Admin");
    assert_eq!(root_role("plain"), "Viewer");

    // Ed works in the project default and owns shop, and works in no other.
    let ed = "user:1111111111111111";
    let status = |project: &str| server.status(&format!("/api/admin/projects/{project}/api-tokens"), ed);
    assert_eq!([status("default"), status("shop"), status("blog")], [200, 200, 403]);
    assert_eq!(server.status("/api/admin/user", "user:2222222222222222"), 401, "it has expired");
    assert_eq!(server.status("/api/admin/user", "user:4444444444444444"), 401, "of a deleted user");
    assert_eq!(
        server.status("/api/admin/api-tokens", "user:3333333333333333"),
        200,
        "of the service account"
    );

    groups_came(&get("/api/admin/groups"), roles);
    // By its group, the service account works in the project default too.
    let bot = "user:3333333333333333";
    let status = |project: &str| server.status(&format!("/api/admin/projects/{project}/api-tokens"), bot);
    assert_eq!([status("default"), status("shop")], [200, 403]);

    let projects = get("/api/admin/projects");
    let default =
        projects["projects"].as_array().expect("projects").iter().find(|one| one["id"] == "default");
    let default = default.expect("default");
    assert_eq!((default["name"].as_str(), default["mode"].as_str()), (Some("Ours"), Some("private")));
}

/// Each group has its members, its role of the instance and its roles in projects.
fn groups_came(groups: &Value, roles: &[Value]) {
    let listed = groups["groups"].as_array().expect("groups");
    let role = |group: &Value| {
        let role = roles.iter().find(|role| role["id"] == group["rootRole"]);
        role.map_or("none", |role| role["name"].as_str().expect("a name")).to_owned()
    };
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
    };
    let shown: Vec<_> = listed
        .iter()
        .map(|group| {
            let name = group["name"].as_str().expect("a name");
            let users = group["users"].as_array().expect("users").iter();
            let users: Vec<_> = users.map(|one| one["user"]["username"].as_str().expect("a name")).collect();
            (name, role(group), users, texts(&group["projects"]), texts(&group["mappingsSSO"]))
        })
        .collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        shown,
        [
            ("Shopkeepers", text("none"), vec!["plain"], vec![text("shop")], vec![text("shop")]),
            ("Chiefs", text("Admin"), vec!["no-address"], vec![], vec![]),
            ("Editors", text("Editor of the instance"), vec!["bot"], vec![text("default")], vec![]),
        ]
    );
}
