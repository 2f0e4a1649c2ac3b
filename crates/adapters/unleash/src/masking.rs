//! Masking secrets in what is kept of events.
//!
//! Unleash writes no secret into its events, as far as is known; old versions, other programs and people may have. What cannot
//! be told from a secret is masked, so that none is taken over in clear text: every text that has the form of one, wherever
//! it stands, and every text under a name that stands for secrets.

use serde_json::{Map, Value};

/// What stands for a secret, as in Unleash's own events.
pub(crate) const MASK: &str = "***";

/// The ends of names of secret members, in lower case and without other characters than letters and digits.
const SECRET_NAMES: [&str; 12] = [
    "secret",
    "secrets",
    "password",
    "passwordhash",
    "hash",
    "alias",
    "token",
    "tokens",
    "verifier",
    "apikey",
    "credential",
    "credentials",
];
/// What stands before or at the beginning of secrets that are known by that: of tokens, hashes, signed tokens (JWT), and in links.
const BEGINNINGS: [&str; 10] =
    ["user:", "session:", "$2a$", "$2b$", "$2y$", "$argon2", "eyJ", "token=", "secret=", "password="];
/// What the second form of Unleash has before its selector and its random part.
const V2: &str = "v2_";
/// Fewer characters than those two parts have together, and more than a name has.
const MIN_V2: usize = 40;
/// So many hexadecimal digits in a row are no number and no word.
const MAX_HEX: usize = 31;

/// Returns the value with masked secrets, and whether any was masked.
pub(crate) fn masked(value: Value) -> (Value, bool) {
    let mut masking = Masking(false);
    let value = masking.value(value);
    (value, masking.0)
}

/// Returns the text with masked secrets, and whether any was masked.
pub(crate) fn masked_text(text: &str) -> (String, bool) {
    let mut masking = Masking(false);
    let text = masking.text(text);
    (text, masking.0)
}

/// Whether something was masked so far.
struct Masking(bool);

impl Masking {
    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(values) => values.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(members) => {
                let member = |(name, value): (String, Value)| {
                    let value = if is_secret_name(&name) { self.secret(value) } else { self.value(value) };
                    (self.text(&name), value)
                };
                Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// Masks what stands under the name of a secret. A list or an object may have other things than secrets.
    fn secret(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) if text.is_empty() || text == MASK => Value::String(text),
            Value::String(_) | Value::Number(_) => {
                self.0 = true;
                Value::String(MASK.to_owned())
            }
            Value::Array(values) => values.into_iter().map(|value| self.secret(value)).collect(),
            Value::Object(_) | Value::Null | Value::Bool(_) => self.value(value),
        }
    }

    /// Masks each word of a text that may be a secret, and takes out the character that no database holds.
    fn text(&mut self, text: &str) -> String {
        let text = text.replace('\0', "");
        if is_time(&text) {
            return text;
        }
        let mut kept = String::with_capacity(text.len());
        for part in text.split_inclusive(|c: char| is_separator(c)) {
            let word = part.trim_end_matches(is_separator);
            if may_be_secret(word) {
                self.0 = true;
                kept.push_str(MASK);
                kept.push_str(part.strip_prefix(word).unwrap_or_default());
            } else {
                kept.push_str(part);
            }
        }
        kept
    }
}

/// Whether no secret goes beyond this character.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '\'' | '`' | '(' | ')' | '<' | '>' | '{' | '}' | ',' | ';')
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    plain == "value" || SECRET_NAMES.iter().any(|end| plain.ends_with(end))
}

fn may_be_secret(word: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| word.len() > beginning.len() && word.contains(beginning))
        || has_second_form(word)
        || has_prefix(word)
        || has_prefix(&word.replace("%3A", ":").replace("%3a", ":"))
        || has_long_hex(word)
}

fn has_second_form(word: &str) -> bool {
    let is_base64url = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    word.match_indices(V2).any(|(place, found)| {
        let rest = word.get(place + found.len()..).unwrap_or_default();
        rest.chars().take_while(is_base64url).count() >= MIN_V2
    })
}

/// Whether there is a `<project>:<environment>.` in it with something behind it, as in secrets of both forms of Unleash and of
/// those made here.
fn has_prefix(word: &str) -> bool {
    word.match_indices(':').any(|(place, _)| {
        let (before, after) = (word.get(..place), word.get(place + 1..).unwrap_or_default());
        let Some((environment, random)) = after.split_once('.') else { return false };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '~' | '-' | '*');
        !environment.is_empty()
            && environment.chars().all(is_name)
            && !random.is_empty()
            && !is_clock(before.unwrap_or_default(), environment, random)
    })
}

/// Whether this is a time of day, such as 12:34:56.789.
fn is_clock(before: &str, minutes: &str, rest: &str) -> bool {
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let ends_in_two = before.get(before.len().saturating_sub(2)..).is_some_and(two);
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = rest.len() - zone.len();
    ends_in_two && two(minutes) && (1..=9).contains(&digits) && zone.len() <= 6 && !zone.contains('.')
}

/// Whether the whole text is a point in time in one of the forms that servers and databases write.
fn is_time(text: &str) -> bool {
    (10..=35).contains(&text.len())
        && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && text.as_bytes().get(4) == Some(&b'-')
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.+TZ ".contains(&byte))
}

/// Whether it has a long row of hexadecimal digits, the random part of a secret. In a path they name a picture.
fn has_long_hex(word: &str) -> bool {
    if word.contains("://") {
        return false;
    }
    word.split(|c: char| !c.is_ascii_hexdigit()).any(|row| row.len() > MAX_HEX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn secrets() -> impl Strategy<Value = String> {
        let prefix = prop_oneof![
            Just("*".to_owned()),
            Just("[]".to_owned()),
            "[a-zA-Z0-9_~-]{1,9}".prop_map(|text| text)
        ];
        let environment = "[a-zA-Z0-9_~-]{1,9}|\\*";
        let random = prop_oneof![
            "[0-9a-f]{56}",
            "[0-9A-Za-z]{39}",
            "[a-z-]{3,30}",
            "v2_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{43}"
        ];
        prop_oneof![
            4 => (prefix, environment, random.clone()).prop_map(|(p, e, r)| format!("{p}:{e}.{r}")),
            1 => random.clone().prop_map(|random| format!("user:{random}")),
            1 => Just("$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned()),
            1 => "[0-9a-f]{32,64}",
            1 => "v2_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{43}",
        ]
    }

    /// Whether a part of the secret that says something is in the text.
    fn says(text: &str, secret: &str) -> bool {
        let random = secret.rsplit(['.', ':']).next().expect("a part");
        text.contains(secret) || (random.len() > 5 && text.contains(random))
    }

    proptest! {
        #[test]
        fn no_secret_is_left_wherever_it_stands(secret in secrets(), before in "[a-z =\"']{0,9}", after in "[ \"',;]|") {
            let text = format!("{before}{secret}{after}");
            let value = json!({
                "a": [{ "deep": text, "list": [text, 5] }],
                (text.clone()): true,
                "plain": secret,
            });
            let (value, was_masked) = masked(value);
            prop_assert!(was_masked && !says(&value.to_string(), &secret), "{secret}: {value}");
            let (text, was_masked) = masked_text(&text);
            prop_assert!(was_masked && !says(&text, &secret), "{text}");
        }

        #[test]
        fn under_the_name_of_a_secret_every_text_is_masked(
            name in "(old|new|client_|)(secret|Secret|password|passwordHash|tokenHash|alias|token|verifier|api-key)",
            legacy in "[a-z]{3,20}",
        ) {
            let value = json!({ (name): [legacy, legacy.len()], "x": { "password_hash": legacy, "value": 1234 } });
            let (value, was_masked) = masked(value);
            prop_assert!(was_masked && !value.to_string().contains(&format!("{legacy:?}")), "{value}");
            prop_assert!(!value.to_string().contains("1234"));
        }

        #[test]
        fn any_text_is_masked_without_a_panic_and_twice_as_once(text in ".{0,60}") {
            let (once, _) = masked_text(&text);
            prop_assert!(!once.contains('\0'));
            let (twice, was_masked) = masked_text(&once);
            prop_assert!(!was_masked && twice == once, "{once:?} {twice:?}");
        }
    }

    #[test]
    fn what_events_say_stays_as_it_is() {
        for value in [
            json!({ "createdAt": "2026-11-29T23:27:29.058Z", "at": "2026-11-29 23:27:28.840212+00", "day": "2026-11-29" }),
            json!({ "tokenName": "token 0", "type": "client", "projects": ["*"], "project": "*", "alias": null, "secure": true }),
            json!({ "secret": "***", "userId": 2, "expiresAt": "2099-01-01T00:00:00.000Z" }),
            json!({ "id": 1, "selector": "82lbcDwOC2Qq3vLM7O8E0g", "tokenVersion": 2 }),
            json!({ "imageUrl": "https://gravatar.com/avatar/5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99?s=42" }),
            json!({ "email": "ada@example.com", "name": "User ada@example.com: at 12:34:56.789, see http://example.com:80/a.b" }),
            json!({ "description": "Ratio 3:4, and so on. Ändern: ja." }),
            json!({ "id": "6b1f7a34-8a5e-4d0b-9f7a-1d2c3b4a5f60", "tokens": [], "password": "" }),
        ] {
            assert_eq!(masked(value.clone()), (value, false));
        }
    }

    #[test]
    fn a_secret_in_a_path_is_masked() {
        let (text, was_masked) =
            masked_text("DELETE /api/admin/api-tokens/default%3Adevelopment.abcdef done");
        assert!(was_masked && text == "DELETE *** done", "{text}");
    }
}
