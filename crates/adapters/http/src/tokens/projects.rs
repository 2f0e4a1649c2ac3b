//! The projects of a token on the wire: as a body names them, and as responses show them.

use std::{borrow::Cow, collections::HashSet};

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{ProjectId, ProjectScope, ProjectSet};
use latchkey_service::Rule;
use serde::{Serialize, Serializer, ser::SerializeSeq};

use crate::extract::{
    Problems,
    problems::{name, wrong_kind},
    text::{self, FromText},
};

/// The projects that a body names; `None` if it names none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProjectList(pub(crate) Option<ProjectScope>);

impl Deserr<Problems> for ProjectList {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let entries = match value {
            Value::Sequence(entries) => entries,
            other => return Err(wrong_kind(place, "a list of strings", other.kind())),
        };
        let texts = deserr::Sequence::into_iter(entries).map(|entry| {
            let not_text = |_| Problems::at(place, format!("{} must be a list of strings.", name(place)));
            text::scalar(entry.into_value()).map_err(not_text)
        });
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        if texts.iter().any(|text| text == "*") {
            return Ok(Self(Some(ProjectScope::All)));
        }
        let (mut projects, mut known) =
            (Vec::with_capacity(texts.len()), HashSet::with_capacity(texts.len()));
        let mut problems = Problems::default();
        for text in &texts {
            match ProjectId::from_text(text, &name(place)) {
                Ok(_) if !known.insert(text) => {
                    let rule = Rule::named("twice").with("name", text);
                    let message = format!("{} names \"{text}\" twice.", name(place));
                    problems.extend(Problems::at(place, rule.says(message)));
                }
                Ok(project) => projects.push(project),
                Err(message) => problems.extend(Problems::at(place, message)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self(ProjectSet::new(projects).ok().map(ProjectScope::Only)))
    }
}

fn names(projects: &ProjectScope) -> impl Iterator<Item = &str> {
    let all = matches!(projects, ProjectScope::All).then_some("*");
    all.into_iter().chain(projects.named().iter().map(ProjectId::as_str))
}

/// The projects, joined by commas; `*` for all.
pub(crate) struct ProjectNames<'t>(pub(crate) &'t ProjectScope);

impl<'t> ProjectNames<'t> {
    /// Returns the text, which is borrowed for the one project that most tokens have.
    pub(crate) fn text(&self) -> Cow<'t, str> {
        match self.0.named() {
            [] => Cow::Borrowed("*"),
            [one] => Cow::Borrowed(one.as_str()),
            _ => Cow::Owned(self.0.to_string()),
        }
    }
}

impl Serialize for ProjectNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// The projects, as a list; `["*"]` for all.
pub(crate) struct ProjectArray<'t>(pub(crate) &'t ProjectScope);

impl Serialize for ProjectArray<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.named().len().max(1)))?;
        names(self.0).try_for_each(|name| list.serialize_element(name))?;
        list.end()
    }
}
