use super::*;

const URL: &str = "http://127.0.0.1:4242";

fn said(access: &Access) -> String {
    let database = "sqlite://data/latchkey.db".parse().expect("a URL");
    banner(URL, &database, access)
}

#[test]
fn a_start_says_where_it_is_and_how_to_call_it() {
    let said = said(&Access::Known);
    assert!(said.starts_with("Latchkey "), "{said}");
    assert!(said.contains(" serves on http://127.0.0.1:4242 (SQLite in data/latchkey.db)\n"), "{said}");
    assert!(
        said.ends_with("\n    curl -H \"Authorization: $TOKEN\" http://127.0.0.1:4242/api/admin/projects/default/api-tokens"),
        "{said}"
    );
}

#[test]
fn on_a_terminal_the_secret_and_the_line_to_try_it_are_shown() {
    let secret = TokenSecret::parse("*:*.abc").expect("a secret");
    let said = said(&Access::Shown(secret));
    assert!(said.contains("\n    *:*.abc\n"), "{said}");
    assert!(said.contains("curl -H 'Authorization: *:*.abc' http://127.0.0.1:4242/"), "{said}");
}

#[test]
fn elsewhere_the_file_is_named_and_read_by_the_line() {
    let in_file = |path: &str| said(&Access::InFile { path: path.into(), is_new: true });
    assert!(in_file("data/admin-token").contains("curl -H \"Authorization: $(cat data/admin-token)\" http"));
    assert!(in_file("my data/admin-token").contains("$(cat 'my data/admin-token')"));
    assert!(in_file("it's/admin-token").contains(r"$(cat 'it'\''s/admin-token')"));
}

#[test]
fn without_a_token_a_start_says_how_to_get_one() {
    let reachable = said(&Access::None { database_can_be_reached: true });
    assert!(reachable.contains("latchkey token create --type admin --name ops"), "{reachable}");
    let unreachable = said(&Access::None { database_can_be_reached: false });
    assert!(
        unreachable.contains("INIT_ADMIN_API_TOKENS") && !unreachable.contains("token create"),
        "{unreachable}"
    );
}

#[test]
fn init_tokens_come_from_any_of_the_variables() {
    let variables = EnvVars::from([("INIT_BACKEND_API_TOKENS", "*:development.some-secret")]);
    assert!(!init_tokens(&variables).expect("good").is_empty());
    assert!(init_tokens(&EnvVars::from([("INIT_ADMIN_API_TOKENS", "")])).expect("none").is_empty());
}

#[test]
fn a_malformed_init_token_is_named_by_its_place_and_not_shown() {
    let variables = EnvVars::from([("INIT_ADMIN_API_TOKENS", "*:*.good-secret,hush-hush")]);
    let error = init_tokens(&variables).expect_err("malformed").to_string();
    assert!(error.starts_with("INIT_ADMIN_API_TOKENS: entry 2: "), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
