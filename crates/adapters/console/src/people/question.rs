//! The page that asks before something is deleted that cannot be brought back.

use askama::Template;
use latchkey_http::pages::{ApiError, ApiResult};
use latchkey_service::ServiceError;

use super::tabs::{Tab, Tabs};
use crate::{
    frame::{Frame, Section},
    page::see_other,
    problem,
    visitor::Visitor,
};

/// A question.
#[derive(Template)]
#[template(path = "people/question.html")]
pub(super) struct Question {
    frame: Frame,
    tabs: Tabs,
    /// What is asked, and the words of the button.
    title: String,
    /// The key of what happens then.
    what: &'static str,
    /// Where the form is sent.
    action: String,
    /// The page of what is about to be deleted.
    back: String,
    /// The name of what that page is about.
    name: String,
    /// Why it was not done.
    problem: Option<String>,
}

impl Question {
    /// Returns the question under a key, which has a name in it.
    pub(super) fn of(
        visitor: &Visitor,
        tab: Tab,
        (key, name): (&str, &str),
        what: &'static str,
        back: String,
    ) -> Self {
        let frame = visitor.frame(Section::People);
        Self {
            title: frame.text(key, "name", name),
            frame,
            tabs: Tabs::of(visitor, tab),
            what,
            action: format!("{back}/delete"),
            back,
            name: name.to_owned(),
            problem: None,
        }
    }

    /// Returns the question with another place to send the form to, about a part of what `name` stands for.
    pub(super) fn about(self, name: &str, action: String) -> Self {
        Self { name: name.to_owned(), action, ..self }
    }

    /// Shows the question.
    pub(super) fn ask(&self, visitor: &Visitor) -> ApiResult {
        visitor.browser.show(self)
    }

    /// Leads on to `then` if it was done. Shows the question again with the reason if a rule was against it.
    pub(super) fn answer(
        mut self,
        visitor: &Visitor,
        result: Result<(), ServiceError>,
        then: &str,
    ) -> ApiResult {
        match result {
            Ok(()) => Ok(see_other(then)),
            Err(error @ (ServiceError::Invalid { .. } | ServiceError::NotPermitted(_))) => {
                let error = ApiError::from(error);
                self.problem = Some(problem::said(visitor.browser.words, &error));
                let (status, _) = error.kind();
                visitor.browser.show_with(status, &self)
            }
            Err(error) => Err(error.into()),
        }
    }
}
