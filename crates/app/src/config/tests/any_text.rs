//! Any text in a file, a variable or a database URL gives settings or an error, and no error tells the password.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::{of_environment, of_file, settings::SECTIONS};

/// A setting by its section and its name.
fn setting() -> impl Strategy<Value = (&'static str, &'static str)> {
    let all: Vec<_> = SECTIONS
        .iter()
        .flat_map(|section| section.settings.iter().map(|setting| (section.name, setting.name)))
        .collect();
    proptest::sample::select(all)
}

/// A text that settings are likely to understand in part.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[0-9]{1,24} ?(ns|us|ms|s|m|h|d|w|M|y|KiB|%)?",
        "(postgres|postgresql|sqlite|memory|http)s?:(//)?.{0,40}",
        r"postgres://\w{0,4}(:[^@]{0,8})?@[\[\]:.\w,-]{0,12}(:\d{0,6})?(/\w{0,4})?(\?\w{0,12}=[%\w]{0,8}(&sslmode=\w{0,8})?)?",
        r"[\d.:a-f]{1,20}(/\d{1,3})?(, ?[\d.:a-f]{1,20}(/\d{1,3})?)?",
    ]
}

proptest! {
    #[test]
    fn in_a_file(text in ".*", (section, name) in setting(), value in value()) {
        drop(of_file(&text));
        drop(of_file(&format!("[{section}]\n{name} = {value}")));
        // A text of JSON is one of TOML.
        let quoted = Json::from(value);
        drop(of_file(&format!("[{section}]\n{name} = {quoted}")));
        drop(of_file(&format!("[{section}]\n{name} = [{quoted}]")));
    }

    #[test]
    fn in_a_variable((section, name) in setting(), value in value()) {
        let variable = format!("LATCHKEY__{}__{}", section.replace('.', "__"), name).to_uppercase();
        drop(of_environment([(variable.as_str(), value.as_str())]));
        drop(of_environment([("DATABASE_URL", value.as_str())]));
        drop(of_environment([("PORT", value.as_str())]));
    }

    #[test]
    fn no_error_tells_the_password(before in r"\w{0,6}", after in ".{0,30}") {
        let url = format!("postgres://{before}:p4ssw0rd@{after}");
        for result in [
            of_environment([("DATABASE_URL", url.as_str())]),
            of_file(&format!("[database]\nurl = {}", Json::from(url.as_str()))),
        ] {
            if let Err(error) = result {
                prop_assert!(!format!("{error:#}").contains("p4ssw0rd"), "{error:#}");
            }
        }
    }
}
