use latchkey_domain::TokenKind;
use latchkey_testkit::{
    app::{As, TestApp},
    samples::{access, project_id},
};

use crate::browser::{form, leads_to, page, text};

const LIST: &str = "/console/environments";

#[actix_web::test]
async fn every_user_sees_the_environments_and_administrators_change_them() {
    let app = TestApp::new().await;
    for who in [As::Root, As::Owner, As::Member, As::Viewer] {
        let list = page(&app, who, LIST).await;
        assert!(list.contains("<th scope=\"row\">development</th>"), "{list}");
        assert_eq!(list.contains("/console/environments/development/edit"), who == As::Root, "{list}");
    }
    for path in ["new", "development/edit", "development/delete"] {
        let path = format!("{LIST}/{path}");
        page(&app, As::Root, &path).await;
        assert!(text(&app.get(As::Owner, &path).await, 403).contains("<code>ADMIN</code>"));
        text(&form(&app, As::Owner, &path, &[]).await, 403);
    }
    for path in ["order", "development/enabled"] {
        text(&form(&app, As::Owner, &format!("{LIST}/{path}"), &[]).await, 403);
    }
}

#[actix_web::test]
async fn an_environment_lives_from_its_form_to_its_end() {
    let app = TestApp::new().await;
    // `new` is the name of an environment like any other.
    for name in ["new", "a.b"] {
        let fields =
            [("name", name), ("type", "pre-production"), ("enabled:flag", "false"), ("sortOrder:number", "")];
        let made = form(&app, As::Root, &format!("{LIST}/new"), &fields).await;
        assert_eq!(leads_to(&made), format!("{LIST}?done=environment-created"));
    }
    let list = page(&app, As::Root, &format!("{LIST}?done=environment-created")).await;
    assert!(list.contains("The environment was created.") && list.contains("Pre-production"), "{list}");
    let twice = [("name", "new"), ("type", "test")];
    let twice = text(&form(&app, As::Root, &format!("{LIST}/new"), &twice).await, 409);
    assert!(twice.contains("role=\"alert\"") && twice.contains("value=\"new\""), "{twice}");

    let edit = format!("{LIST}/new/edit");
    assert!(page(&app, As::Root, &edit).await.contains("<option value=\"pre-production\" selected>"));
    let fields =
        [("type", "test"), ("enabled:flag", "false"), ("enabled:flag", "true"), ("sortOrder:number", "-3")];
    assert_eq!(
        leads_to(&form(&app, As::Root, &edit, &fields).await),
        format!("{LIST}?done=environment-changed")
    );
    let changed = page(&app, As::Root, &edit).await;
    assert!(changed.contains("value=\"-3\"") && changed.contains("<option value=\"test\" selected>"));
    let off = form(&app, As::Root, &format!("{LIST}/new/enabled"), &[("enabled:flag", "false")]).await;
    assert_eq!(leads_to(&off), format!("{LIST}?done=environment-disabled"));
    assert!(!page(&app, As::Root, &edit).await.contains("aria-describedby=\"hint-enabled\" checked"));

    let delete = format!("{LIST}/new/delete");
    assert!(page(&app, As::Root, &delete).await.contains("Delete new"));
    assert_eq!(
        leads_to(&form(&app, As::Root, &delete, &[]).await),
        format!("{LIST}?done=environment-deleted")
    );
    for path in [&edit, &delete] {
        text(&app.get(As::Root, path).await, 404);
        text(&form(&app, As::Root, path, &[("type", "test")]).await, 404);
    }
}

#[actix_web::test]
async fn an_environment_with_tokens_is_deleted_by_its_name() {
    let app = TestApp::new().await;
    let token = access(TokenKind::Client, latchkey_domain::ProjectScope::one(project_id("default")));
    app.token(token).await;
    let delete = format!("{LIST}/development/delete");
    let asked = page(&app, As::Root, &delete).await;
    assert!(asked.contains("will be refused from that moment on"), "{asked}");
    let wrong = text(&form(&app, As::Root, &delete, &[("_name", "production")]).await, 400);
    assert!(wrong.contains("This is not the name of the environment."), "{wrong}");
    leads_to(&form(&app, As::Root, &delete, &[("_name", "development")]).await);
    assert!(!page(&app, As::Root, LIST).await.contains("<th scope=\"row\">development</th>"));
}

#[actix_web::test]
async fn environments_are_put_in_order_together_or_not_at_all() {
    let app = TestApp::new().await;
    let fields = [("name", "a.b"), ("type", "test")];
    leads_to(&form(&app, As::Root, &format!("{LIST}/new"), &fields).await);
    let order = format!("{LIST}/order");
    let first = async || {
        let list = page(&app, As::Viewer, LIST).await;
        crate::browser::between(&list, "<th scope=\"row\">", "<").to_owned()
    };
    let wrong = [("_place/a.b", "1"), ("_place/development", "soon")];
    let again = text(&form(&app, As::Root, &order, &wrong).await, 400);
    assert!(again.contains("development must be") && again.contains("value=\"soon\""), "{again}");
    assert_ne!(first().await, "a.b");
    // What is not there is left out.
    let places = [("_place/a.b", "-1"), ("_place/development", "7"), ("_place/gone", "1")];
    assert_eq!(
        leads_to(&form(&app, As::Root, &order, &places).await),
        format!("{LIST}?done=environments-sorted")
    );
    assert_eq!(first().await, "a.b");
}

#[actix_web::test]
async fn wrong_input_is_said_at_its_field() {
    let app = TestApp::new().await;
    let fields = [("name", "<b>"), ("type", "moon"), ("sortOrder:number", "x")];
    let again = text(&form(&app, As::Root, &format!("{LIST}/new"), &fields).await, 400);
    for field in ["name", "type", "sortOrder"] {
        assert!(again.contains(&format!("id=\"problem-{field}\"")), "{field}: {again}");
    }
    assert!(again.contains("&#60;b&#62;") && !again.contains("<b>"), "{again}");
    let edit = format!("{LIST}/development/edit");
    let again = text(&form(&app, As::Root, &edit, &[("sortOrder:number", "1.5")]).await, 400);
    assert!(again.contains("id=\"problem-sortOrder\""), "{again}");
}
