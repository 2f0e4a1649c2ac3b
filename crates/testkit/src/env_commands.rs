//! The command line's words for making what tests need: until its routes exist, this is the only way.

use crate::ground::Ground;

/// A date that lies ahead for as long as these tests live.
pub(crate) const FAR_AHEAD: &str = "2099-01-01T00:00:00Z";

impl Ground {
    #[track_caller]
    pub(crate) fn make_project(&self, id: &str) {
        self.run(&["project", "create", id]);
    }

    /// A user with a root role, known by user name.
    #[track_caller]
    pub(crate) fn make_user(&self, username: &str, role: &str) {
        self.run(&["user", "create", "--username", username, "--role", role]);
    }

    /// A personal access token of a user.
    #[track_caller]
    pub(crate) fn make_personal_token(&self, username: &str, description: &str) -> String {
        secret_in(&self.run(&[
            "pat",
            "create",
            "--user",
            username,
            "--description",
            description,
            "--expires-at",
            FAR_AHEAD,
        ]))
    }

    /// A new user of that root role; gives back a personal access token of theirs.
    #[track_caller]
    pub(crate) fn make_caller(&self, username: &str, role: &str) -> String {
        self.make_user(username, role);
        self.make_personal_token(username, "test")
    }

    #[track_caller]
    pub(crate) fn grant(&self, username: &str, project: &str, role: &str) {
        self.run(&["grant", "--user", username, "--project", project, "--role", role]);
    }

    /// An API token of any scope; gives back its secret.
    #[track_caller]
    pub(crate) fn make_token(&self, token: &NewToken<'_>) -> String {
        let mut arguments = vec!["token", "create", "--name", token.name, "--type", token.kind];
        if let Some(environment) = token.environment {
            arguments.extend(["--environment", environment]);
        }
        for project in token.projects {
            arguments.extend(["--project", project]);
        }
        if let Some(end) = token.expires_at {
            arguments.extend(["--expires-at", end]);
        }
        secret_in(&self.run(&arguments))
    }
}

/// A token for [`Ground::make_token`].
pub(crate) struct NewToken<'t> {
    pub(crate) name: &'t str,
    pub(crate) kind: &'t str,
    pub(crate) environment: Option<&'t str>,
    /// None at all is all projects.
    pub(crate) projects: &'t [&'t str],
    pub(crate) expires_at: Option<&'t str>,
}

impl Default for NewToken<'_> {
    fn default() -> Self {
        Self {
            name: "made",
            kind: "client",
            environment: Some("development"),
            projects: &[],
            expires_at: None,
        }
    }
}

/// The one word that looks like a secret of ours.
#[track_caller]
fn secret_in(printed: &str) -> String {
    let is_secret = |word: &&str| word.contains(':') && random_part(word).len() == RANDOM_CHARACTERS;
    let found: Vec<&str> = printed.split_whitespace().filter(is_secret).collect();
    match found.as_slice() {
        [secret] => (*secret).to_owned(),
        others => panic!("{} secrets, not one, in: {printed}", others.len()),
    }
}

/// 33 characters of chance and 6 of checksum.
const RANDOM_CHARACTERS: usize = 39;

/// What follows a secret's prefix.
pub(crate) fn random_part(secret: &str) -> &str {
    let start = secret.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |last| last + 1);
    &secret[start..]
}
