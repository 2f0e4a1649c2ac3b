//! Commands of the binary that create what tests need; part of [`crate::env`].
#![expect(clippy::panic, reason = "a test whose command does not end as expected fails")]

use crate::env::TestEnv;

/// An expiry that lies in the future for as long as these tests are in use.
pub const FAR_FUTURE: &str = "2099-01-01T00:00:00Z";

/// The characters of a secret after its prefix: 33 random ones and 6 of the checksum.
const RANDOM_CHARACTERS: usize = 39;

impl TestEnv {
    /// Creates a project.
    #[track_caller]
    pub fn create_project(&self, id: &str) {
        self.succeed(&format!("project create {id}"));
    }

    /// Creates a user with a root role, who has a user name and no e-mail address.
    #[track_caller]
    pub fn create_user(&self, username: &str, role: &str) {
        self.succeed(&format!("user create --username {username} --role {role}"));
    }

    /// Creates a personal access token for a user; returns its secret.
    #[track_caller]
    pub fn create_personal_token(&self, username: &str, description: &str) -> String {
        secret_in(&self.succeed(&format!(
            "pat create --user {username} --description {description} --expires-at {FAR_FUTURE}"
        )))
    }

    /// Creates a user with a root role; returns the secret of a personal access token of the user.
    #[track_caller]
    pub fn create_caller(&self, username: &str, role: &str) -> String {
        self.create_user(username, role);
        self.create_personal_token(username, "test")
    }

    /// Gives a user a role in a project.
    #[track_caller]
    pub fn grant(&self, username: &str, project: &str, role: &str) {
        self.succeed(&format!("grant --user {username} --project {project} --role {role}"));
    }

    /// Creates an API token of any scope; returns its secret.
    #[track_caller]
    pub fn create_token(&self, token: &NewToken<'_>) -> String {
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
        secret_in(&self.succeed(&arguments.join(" ")))
    }
}

/// A token for [`TestEnv::create_token`].
pub struct NewToken<'t> {
    pub name: &'t str,
    pub kind: &'t str,
    /// Its environment, unless it is an admin token.
    pub environment: Option<&'t str>,
    /// Its projects; none means all.
    pub projects: &'t [&'t str],
    /// Its end, in RFC 3339.
    pub expires_at: Option<&'t str>,
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

/// Returns the one word that has the form of a secret.
#[track_caller]
fn secret_in(printed: &str) -> String {
    let is_secret = |word: &&str| word.contains(':') && random_part(word).len() == RANDOM_CHARACTERS;
    let found: Vec<&str> = printed.split_whitespace().filter(is_secret).collect();
    match found.as_slice() {
        [secret] => (*secret).to_owned(),
        others => panic!("{} secrets, not one, in: {printed}", others.len()),
    }
}

/// Returns what follows a secret's prefix.
pub fn random_part(secret: &str) -> &str {
    let start = secret.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |last| last + 1);
    &secret[start..]
}
