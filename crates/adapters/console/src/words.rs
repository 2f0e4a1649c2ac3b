//! The languages of the console: which one a browser is shown, and the catalogues of words in `locales/`.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use latchkey_service::{Message, Rule};
use unic_langid::{LanguageIdentifier, langid};

/// The catalogues of each language, by part of the console.
macro_rules! catalogues {
    ($language:literal: $($part:literal),+ $(,)?) => {
        [$(include_str!(concat!("../locales/", $language, "/", $part, ".ftl"))),+]
    };
}

/// Every part that has words, once for all languages.
macro_rules! languages {
    ($parts:tt) => {
        static LANGUAGES: LazyLock<[Words; 2]> = LazyLock::new(|| {
            [
                Words::of("en", "English", langid!("en"), &languages!(@of "en" $parts), ENGLISH_PROBLEMS),
                Words::of("de", "Deutsch", langid!("de"), &languages!(@of "de" $parts), GERMAN_PROBLEMS),
            ]
        });
    };
    (@of $language:literal [$($part:literal),+ $(,)?]) => { catalogues!($language: $($part),+) };
}

languages!([
    "account",
    "audit",
    "common",
    "environments",
    "instance",
    "overview",
    "people",
    "projects",
    "sign_in",
    "tokens",
    "webhooks",
]);

/// What the API says is wrong is English: it has words in the other languages alone.
const ENGLISH_PROBLEMS: &str = "";
const GERMAN_PROBLEMS: &str = include_str!("../locales/de/problems.ftl");

/// The cookie that holds the language that the visitor has chosen.
pub(crate) const LANGUAGE_COOKIE: &str = "latchkey-language";

/// The words of one language.
pub(crate) struct Words {
    /// Its tag (BCP 47).
    pub(crate) tag: &'static str,
    /// Its name in itself.
    pub(crate) name: &'static str,
    bundle: FluentBundle<Arc<FluentResource>>,
}

impl Words {
    fn of(
        tag: &'static str,
        name: &'static str,
        language: LanguageIdentifier,
        catalogues: &[&str],
        problems: &str,
    ) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Values stand in elements of their own where their direction may differ.
        bundle.set_use_isolating(false);
        for catalogue in catalogues.iter().chain([&problems]) {
            // What can be read of a bad catalogue is used; a test finds the rest.
            let resource = FluentResource::try_new((*catalogue).to_owned()).unwrap_or_else(|(read, _)| read);
            bundle.add_resource_overriding(Arc::new(resource));
        }
        Self { tag, name, bundle }
    }

    /// Returns all languages.
    pub(crate) fn all() -> &'static [Self] {
        &*LANGUAGES
    }

    /// Returns the language that a browser asks for: by the visitor's choice, else by `Accept-Language`, else English.
    pub(crate) fn asked(headers: &HeaderMap, chosen: Option<&str>) -> &'static Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let preferred = accepted.split(',').filter_map(|range| {
            let tag = range.split(';').next()?.trim();
            tag.split('-').next()
        });
        let [english, ..] = &*LANGUAGES;
        let known = |tag: &str| Self::all().iter().find(|words| words.tag.eq_ignore_ascii_case(tag));
        chosen.into_iter().chain(preferred).find_map(known).unwrap_or(english)
    }

    /// Returns the words under a key.
    pub(crate) fn get(&self, key: &str) -> Cow<'_, str> {
        self.format(key, None)
    }

    /// Returns the words under a key, with a value for each name in them.
    pub(crate) fn with<const N: usize>(
        &self,
        key: &str,
        values: [(&'static str, FluentValue<'_>); N],
    ) -> Cow<'_, str> {
        let mut arguments = FluentArgs::with_capacity(N);
        for (name, value) in values {
            arguments.set(name, value);
        }
        Cow::Owned(self.format(key, Some(&arguments)).into_owned())
    }

    /// Returns what the API says, in this language as far as it has words for it.
    pub(crate) fn message<'m>(&self, message: &'m Message) -> Cow<'m, str> {
        let said = message.rule().and_then(|rule| self.of_rule(rule));
        said.map_or(Cow::Borrowed(message.as_str()), Cow::Owned)
    }

    /// Returns the sentence about a rule that was broken; `None` where the API's own words are to be shown.
    pub(crate) fn of_rule(&self, rule: &Rule) -> Option<String> {
        let pattern = self.bundle.get_message(&format!("problem-{}", rule.name()))?.value()?;
        let mut arguments = FluentArgs::new();
        for (name, value) in rule.values() {
            arguments.set(name, value);
        }
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
        errors.is_empty().then_some(said)
    }

    fn format<'b>(&'b self, key: &str, arguments: Option<&'b FluentArgs<'_>>) -> Cow<'b, str> {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = self.tag, "the console has no words for this");
            return Cow::Owned(key.to_owned());
        };
        self.bundle.format_pattern(pattern, arguments, &mut Vec::new())
    }

    /// Returns whether there are words under a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }
}

#[cfg(test)]
mod tests;
