use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, TokenKind, Unused};
use latchkey_testkit::{
    app::{As, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use crate::browser::{form, leads_to, page, text};

const LIST: &str = "/console/projects";
const NEW: &str = "/console/new-project";
const DEFAULT: &str = "/console/projects/default";

#[actix_web::test]
async fn the_list_leads_to_what_a_visitor_may_see() {
    let app = TestApp::new().await;
    for (who, creates, tokens, members) in [
        (As::Root, true, true, true),
        (As::Owner, false, true, true),
        (As::Member, false, true, false),
        (As::Viewer, false, false, false),
    ] {
        let list = page(&app, who, LIST).await;
        assert!(list.contains("href=\"/console/projects/default\"") && list.contains("elsewhere"), "{list}");
        assert_eq!(list.contains(NEW), creates, "{who:?}: {list}");
        assert_eq!(list.contains("/console/projects/default/tokens"), tokens, "{who:?}: {list}");
        assert_eq!(list.contains("/console/projects/default/members"), members, "{who:?}: {list}");
        let one = page(&app, who, DEFAULT).await;
        assert_eq!(one.contains("/console/projects/default/policy"), tokens, "{who:?}: {one}");
        assert_eq!(one.contains("/console/audit?project=default"), tokens, "{who:?}: {one}");
        assert_eq!(one.contains("/console/projects/default/edit"), members, "{who:?}: {one}");
        assert_eq!(one.contains("/environments/development/remove"), members, "{who:?}: {one}");
        assert_eq!(one.contains("/console/projects/default/members"), members, "{who:?}: {one}");
        // The default project stays.
        assert!(!one.contains("/delete") && !one.contains("/archive"), "{who:?}: {one}");
    }
    text(&app.get(As::Root, "/console/projects/nothing").await, 404);
    // The pages of tokens are beside these.
    page(&app, As::Owner, "/console/projects/default/tokens").await;
}

#[actix_web::test]
async fn lists_have_pages() {
    let app = TestApp::new().await;
    for number in 0..51 {
        app.project(&format!("p{number:02}")).await;
    }
    let first = page(&app, As::Viewer, LIST).await;
    assert!(first.contains("href=\"/console/projects?offset=50\"") && first.contains("1–50"), "{first}");
    let second = page(&app, As::Viewer, &format!("{LIST}?offset=50")).await;
    assert!(
        second.contains("51–53") && second.contains("rel=\"prev\" href=\"/console/projects\""),
        "{second}"
    );
}

#[actix_web::test]
async fn what_one_may_not_do_is_refused_with_the_permission() {
    let app = TestApp::new().await;
    for (path, permission) in [
        (NEW, "CREATE_PROJECT"),
        ("/console/projects/default/edit", "UPDATE_PROJECT"),
        ("/console/projects/default/delete", "DELETE_PROJECT"),
        ("/console/projects/default/members/add", "UPDATE_PROJECT"),
        ("/console/projects/default/members/users/1", "UPDATE_PROJECT"),
    ] {
        for who in [As::Member, As::Viewer] {
            let refused = text(&app.get(who, path).await, 403);
            assert!(refused.contains(&format!("<code>{permission}</code>")), "{path}: {refused}");
            text(&form(&app, who, path, &[]).await, 403);
        }
    }
    for (path, permission) in [
        ("archive", "DELETE_PROJECT"),
        ("revive", "DELETE_PROJECT"),
        ("environments", "UPDATE_PROJECT"),
        ("environments/development/remove", "UPDATE_PROJECT"),
        ("members/users/1/remove", "UPDATE_PROJECT"),
        ("policy", "UPDATE_PROJECT"),
    ] {
        let refused = text(&form(&app, As::Member, &format!("{DEFAULT}/{path}"), &[]).await, 403);
        assert!(refused.contains(&format!("<code>{permission}</code>")), "{path}: {refused}");
    }
    let refused = text(&app.get(As::Viewer, &format!("{DEFAULT}/policy")).await, 403);
    assert!(refused.contains("<code>READ_PROJECT_API_TOKEN</code>"), "{refused}");
    text(&app.get(As::Member, &format!("{DEFAULT}/members")).await, 403);
    // Not even to those who may delete others.
    text(&app.get(As::Root, &format!("{DEFAULT}/delete")).await, 403);
    text(&form(&app, As::Root, &format!("{DEFAULT}/archive"), &[]).await, 403);
}

#[actix_web::test]
async fn a_project_lives_from_its_form_to_its_end() {
    let app = TestApp::new().await;
    assert!(page(&app, As::Root, NEW).await.contains("value=\"development\" checked"));
    // `new` is the id of a project like any other.
    let name = "<script>alert(1)</script>";
    let fields = [
        ("id", "new"),
        ("name", name),
        ("description", "One.\r\nTwo."),
        ("mode", "private"),
        ("environments[]", ""),
        ("environments[]", "production"),
    ];
    let root = "/console/projects/new";
    assert_eq!(leads_to(&form(&app, As::Root, NEW, &fields).await), format!("{root}?done=project-created"));
    let one = page(&app, As::Root, &format!("{root}?done=project-created")).await;
    for part in [
        "The project was created.",
        "&#60;script&#62;alert(1)",
        "One.\nTwo.",
        "Private",
        "environments/production/remove",
    ] {
        assert!(one.contains(part), "{part}: {one}");
    }
    assert!(!one.contains("<script>alert") && !one.contains("environments/development/remove"), "{one}");
    text(&app.get(As::Viewer, root).await, 404);
    assert!(!page(&app, As::Viewer, LIST).await.contains(root));

    let edit = format!("{root}/edit");
    let fields = [("name", "Shop"), ("description", ""), ("mode", "open")];
    assert_eq!(leads_to(&form(&app, As::Root, &edit, &fields).await), format!("{root}?done=project-changed"));
    let one = page(&app, As::Viewer, root).await;
    assert!(one.contains("<bdi>Shop</bdi>") && !one.contains("Two."), "{one}");
    let again = text(&form(&app, As::Root, &edit, &[("name", " "), ("mode", "moon")]).await, 400);
    assert!(again.contains("id=\"problem-name\"") && again.contains("id=\"problem-mode\""), "{again}");

    let add = format!("{root}/environments");
    let added = form(&app, As::Root, &add, &[("environment", "development")]).await;
    assert_eq!(leads_to(&added), format!("{root}?done=project-environment-added"));
    text(&form(&app, As::Root, &add, &[("environment", "development")]).await, 409);
    let unknown = text(&form(&app, As::Root, &add, &[("environment", "moon")]).await, 400);
    assert!(unknown.contains("moon"), "{unknown}");
    let removed = form(&app, As::Root, &format!("{add}/production/remove"), &[]).await;
    assert_eq!(leads_to(&removed), format!("{root}?done=project-environment-removed"));
    let one = page(&app, As::Root, root).await;
    assert!(
        one.contains("environments/development/remove") && !one.contains("environments/production/remove")
    );

    leads_to(&form(&app, As::Root, &format!("{root}/archive"), &[]).await);
    assert!(!page(&app, As::Root, LIST).await.contains(root));
    assert!(page(&app, As::Root, &format!("{LIST}?archived=true")).await.contains(root));
    assert!(page(&app, As::Root, root).await.contains("This project is archived"));
    leads_to(&form(&app, As::Root, &format!("{root}/revive"), &[]).await);
    assert!(page(&app, As::Root, LIST).await.contains(root));

    app.token(access(TokenKind::Client, ProjectScope::one(project_id("new")))).await;
    let delete = format!("{root}/delete");
    assert!(page(&app, As::Root, &delete).await.contains("1 token names this project."));
    let wrong = text(&form(&app, As::Root, &delete, &[("_id", "Shop")]).await, 400);
    assert!(wrong.contains("This is not the id of the project."), "{wrong}");
    let deleted = form(&app, As::Root, &delete, &[("_id", "new")]).await;
    assert_eq!(leads_to(&deleted), format!("{LIST}?done=project-deleted"));
    for path in ["", "/edit", "/delete", "/members", "/members/add", "/policy"] {
        text(&app.get(As::Root, &format!("{root}{path}")).await, 404);
    }
    for path in ["/edit", "/delete", "/archive", "/policy"] {
        text(&form(&app, As::Root, &format!("{root}{path}"), &[("name", "x")]).await, 404);
    }
}

#[actix_web::test]
async fn wrong_input_of_a_new_project_is_said_at_its_field() {
    let app = TestApp::new().await;
    let fields = [("id", "a b"), ("name", ""), ("mode", "open"), ("environments[]", "<i>")];
    let again = text(&form(&app, As::Root, NEW, &fields).await, 400);
    assert!(again.contains("id=\"problem-id\"") && again.contains("value=\"a b\""), "{again}");
    assert!(again.contains("id=\"problem-environments\"") && !again.contains("<i>"), "{again}");
    let taken = text(&form(&app, As::Root, NEW, &[("id", "default"), ("name", "x")]).await, 409);
    assert!(taken.contains("role=\"alert\""), "{taken}");
}

#[actix_web::test]
async fn members_are_added_changed_and_removed() {
    let app = TestApp::new().await;
    let (ada, root) = (app.user("ada<b>", "Viewer").await, format!("{DEFAULT}/members"));
    let group = app.post(As::Admin, "/api/admin/groups", &json!({"name": "crew", "users": []})).await.json();
    let group = group["id"].to_string();
    let add = format!("{root}/add");
    let offered = page(&app, As::Owner, &add).await;
    assert!(
        offered.contains("ada&#60;b&#62;@example.com") && offered.contains("<bdi>crew</bdi>"),
        "{offered}"
    );
    assert!(!offered.contains("<bdi>Editor</bdi>"), "roles of the instance are not given here: {offered}");
    let found = page(&app, As::Owner, &format!("{add}?search=ada")).await;
    assert!(found.contains("ada&#60;b&#62;") && !found.contains("viewer@example.com"), "{found}");

    let id = ada.id.to_string();
    let nothing = [("users[]", ""), ("groups[]", ""), ("roles[]", "")];
    let again = text(&form(&app, As::Owner, &add, &nothing).await, 400);
    assert!(again.contains("id=\"problem-users\""), "{again}");
    let unknown = [("users[]", "999999"), ("users[]", &id), ("roles[]", "5")];
    let again = text(&form(&app, As::Owner, &add, &unknown).await, 400);
    assert!(again.contains("There is no user 999999."), "{again}");
    assert!(again.contains(&format!("value=\"{id}\" checked")), "what was chosen stays so: {again}");
    text(&form(&app, As::Owner, &add, &[("users[]", "x"), ("roles[]", "5")]).await, 400);
    let both = [("users[]", id.as_str()), ("groups[]", group.as_str()), ("roles[]", "5")];
    assert_eq!(
        leads_to(&form(&app, As::Owner, &add, &both).await),
        format!("{root}?done=project-members-added")
    );
    let members = page(&app, As::Owner, &root).await;
    assert!(members.contains("ada&#60;b&#62;") && members.contains("crew"), "{members}");
    assert!(members.contains("Group of 0 users"), "{members}");

    let user = format!("{root}/users/{id}");
    assert!(page(&app, As::Owner, &user).await.contains("value=\"5\" checked"));
    let none = text(&form(&app, As::Owner, &user, &[]).await, 400);
    assert!(none.contains("Choose at least one role"), "{none}");
    text(&form(&app, As::Owner, &user, &[("roles[]", "Editor")]).await, 400);
    assert_eq!(
        leads_to(&form(&app, As::Owner, &user, &[("roles[]", "4")]).await),
        format!("{root}?done=project-member-changed")
    );
    assert!(page(&app, As::Owner, &user).await.contains("value=\"4\" checked"));

    for path in [user, format!("{root}/groups/{group}")] {
        let removed = form(&app, As::Owner, &format!("{path}/remove"), &[]).await;
        assert_eq!(leads_to(&removed), format!("{root}?done=project-member-removed"));
        text(&app.get(As::Owner, &path).await, 404);
        text(&form(&app, As::Owner, &path, &[("roles[]", "5")]).await, 404);
        text(&form(&app, As::Owner, &format!("{path}/remove"), &[]).await, 404);
    }
    // Owners who remove themselves are led to where they may be.
    let own = format!("{root}/users/{}/remove", app.user_of(As::Owner).await.id);
    assert_eq!(
        leads_to(&form(&app, As::Owner, &own, &[]).await),
        format!("{LIST}?done=project-member-removed")
    );
    text(&app.get(As::Owner, &root).await, 403);
}

#[actix_web::test]
async fn only_roles_with_permissions_of_ones_own_are_offered_and_given() {
    let app = TestApp::new().await;
    let role = json!({"name": "Host", "type": "custom", "permissions": [{"name": "UPDATE_PROJECT"}]});
    assert_eq!(app.post(As::Admin, "/api/admin/roles", &role).await.status, 200);
    let host = app.user("host", "Viewer").await;
    app.member(&host, "default", "Host").await;
    let (secret, add) = (app.personal_token(&host).await, format!("{DEFAULT}/members/add"));
    let offered = text(&app.send_by(&secret, TestRequest::get().uri(&add)).await, 200);
    assert!(offered.contains("<bdi>Host</bdi>") && !offered.contains("<bdi>Owner</bdi>"), "{offered}");
    let id = host.id.to_string();
    let fields = [("users[]", id.as_str()), ("roles[]", "5")];
    let refused = text(&app.send_by(&secret, TestRequest::post().uri(&add).set_form(fields)).await, 403);
    assert!(refused.contains("_PROJECT_API_TOKEN</code>"), "{refused}");
    // A change of what one holds oneself leads to where one may be.
    let own =
        TestRequest::post().uri(&format!("{DEFAULT}/members/users/{id}")).set_form([("roles[]", "Host")]);
    assert_eq!(leads_to(&app.send_by(&secret, own).await), format!("{DEFAULT}?done=project-member-changed"));
}

#[actix_web::test]
async fn a_policy_is_shown_set_and_held_against_tokens() {
    let app = TestApp::with(|settings| {
        settings.use_cases.policy.unused = Unused::new("P180D".parse().ok(), None).expect("in order");
        settings.use_cases.policy.allow_all_projects = false;
    })
    .await;
    let policy = format!("{DEFAULT}/policy");
    let shown = page(&app, As::Member, &policy).await;
    assert!(
        shown.contains("<td>180 days</td>")
            && !shown.contains("<form method=\"post\" action=\"/console/projects")
    );
    assert!(shown.contains("No token of this project breaks the policy."), "{shown}");

    let wrong = [("maxLifetime", "soon"), ("unusedDisable", "P900D")];
    let again = text(&form(&app, As::Owner, &policy, &wrong).await, 400);
    assert!(again.contains("id=\"problem-maxLifetime\"") && again.contains("value=\"P900D\""), "{again}");
    let again = text(&form(&app, As::Owner, &policy, &[("unusedDisable", "P900D")]).await, 400);
    assert!(again.contains("id=\"problem-unusedDisable\""), "{again}");

    let fields = [("maxLifetime", "P30D"), ("requireExpiry:flag", "true"), ("unusedNotice", "PT36H")];
    assert_eq!(
        leads_to(&form(&app, As::Owner, &policy, &fields).await),
        format!("{policy}?done=project-policy-changed")
    );
    let set = page(&app, As::Owner, &policy).await;
    for part in [
        "<strong>30 days</strong>",
        "value=\"P30D\"",
        "P1DT12H",
        "name=\"requireExpiry:flag\" value=\"true\" checked",
    ] {
        assert!(set.contains(part), "{part}: {set}");
    }
    assert!(page(&app, As::Member, DEFAULT).await.contains("<dd>30 days</dd>"));
    leads_to(&form(&app, As::Owner, &policy, &[("maxLifetime", "")]).await);
    assert!(!page(&app, As::Owner, &policy).await.contains("30 days"));
}

#[actix_web::test]
async fn tokens_that_break_the_policy_are_listed_with_links() {
    let app = TestApp::new().await;
    let (_, id) = app.token_and_id(access(TokenKind::Client, ProjectScope::one(project_id("default")))).await;
    let policy = format!("{DEFAULT}/policy");
    leads_to(&form(&app, As::Owner, &policy, &[("requireExpiry:flag", "true")]).await);
    let shown = page(&app, As::Member, &policy).await;
    assert!(shown.contains(&format!("href=\"{DEFAULT}/tokens/{id}\"")), "{shown}");
    assert!(shown.contains("<span>Must expire</span>"), "{shown}");
    page(&app, As::Member, &format!("{DEFAULT}/tokens/{id}")).await;
    let after = page(&app, As::Member, &format!("{policy}?cursor={id}")).await;
    assert!(after.contains("None of the tokens that this page looked at"), "{after}");
}
