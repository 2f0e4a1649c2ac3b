//! What a caller is told, in English, with what identifies it.

use std::fmt;

/// A sentence for the caller. It is English; what says it in another language knows it by its [`Rule`].
#[derive(Debug, Clone, Eq)]
pub struct Message {
    text: String,
    rule: Option<Rule>,
}

/// What identifies a message: the name of the rule that was broken, and the values in the sentence about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    name: &'static str,
    values: Vec<(&'static str, String)>,
}

impl Rule {
    /// Returns the rule of this name.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self { name, values: Vec::new() }
    }

    /// Returns it with a value that the sentence names.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers, names and references are given as they are")]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// Returns the sentence about it.
    #[must_use]
    pub fn says(self, text: impl Into<String>) -> Message {
        Message { text: text.into(), rule: Some(self) }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the values in the sentence, by their names.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Message {
    /// Returns the sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns what identifies it, if anything does.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }
}

/// Two are the same if they say the same.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A sentence that nothing identifies.
impl From<String> for Message {
    fn from(text: String) -> Self {
        Self { text, rule: None }
    }
}

/// A sentence that nothing identifies.
impl From<&str> for Message {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Returns the text of an error as a sentence.
pub fn sentence(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}
