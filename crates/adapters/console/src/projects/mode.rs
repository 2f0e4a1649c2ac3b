//! Which users see a project, as forms offer it.

use latchkey_domain::ProjectMode;

use crate::frame::Frame;

/// Which users see a project, as forms offer it.
pub(super) struct Mode {
    pub(super) value: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
}

impl Mode {
    pub(super) fn of(frame: &Frame, mode: ProjectMode) -> Self {
        let (label, hint) = match mode {
            ProjectMode::Open => ("project-open", "project-open-hint"),
            ProjectMode::Protected => ("project-protected", "project-protected-hint"),
            ProjectMode::Private => ("project-private", "project-private-hint"),
        };
        Self { value: mode.as_str(), label: frame.t(label).into_owned(), hint: frame.t(hint).into_owned() }
    }

    pub(super) fn all(frame: &Frame) -> Vec<Self> {
        ProjectMode::ALL.iter().map(|mode| Self::of(frame, *mode)).collect()
    }
}
