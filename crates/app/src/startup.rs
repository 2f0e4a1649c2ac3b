//! The first tokens of an empty store, and the message that a start prints.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use latchkey_domain::{TokenKind, TokenSecret};
use latchkey_http::{EdgeClient, ReportKey};
use latchkey_service::{InitTokens, InitVariable};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};

use crate::{
    admin_token_file,
    config::{Database, EDGE_CLIENT_SECRET, EnvVars},
    wiring::App,
};

/// The variables with the first tokens. Client and backend are two names of one kind.
const INIT_VARIABLES: [InitVariable; 4] = [
    InitVariable { name: "INIT_ADMIN_API_TOKENS", kind: TokenKind::Admin },
    InitVariable { name: "INIT_CLIENT_API_TOKENS", kind: TokenKind::Client },
    InitVariable { name: "INIT_BACKEND_API_TOKENS", kind: TokenKind::Client },
    InitVariable { name: "INIT_FRONTEND_API_TOKENS", kind: TokenKind::Frontend },
];

const CREATE_ADMIN_TOKEN: &str = "    latchkey token create --type admin --name ops";

/// Reads the first tokens of the `INIT_*` variables; `min_length` is that of a secret without its prefix.
///
/// # Errors
/// Names the variable and the position of the malformed or short entry, without showing it.
pub(crate) fn init_tokens(variables: &EnvVars, min_length: u32) -> anyhow::Result<InitTokens> {
    let mut tokens = InitTokens::default();
    for variable in INIT_VARIABLES {
        let Some(list) = variables.get(variable.name) else { continue };
        tokens.add(variable, list)?;
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let lengths = entries.map(|entry| entry.split_once('.').map_or(entry, |(_, secret)| secret).len());
        let min = usize::try_from(min_length)?;
        if let Some(short) = lengths.into_iter().position(|length| length < min) {
            bail!(
                "{}: entry {}: the secret is shorter than {min} characters and can be guessed: take a longer one, such as \
                 `openssl rand -hex 32` prints after the prefix, or lower tokens.min_init_length",
                variable.name,
                short + 1
            );
        }
    }
    Ok(tokens)
}

/// Reads the secret with which Unleash Enterprise Edge signs its requests; `None`: it gets no tokens.
///
/// # Errors
/// Names the variable whose value is no such secret, without showing it.
pub(crate) fn edge_client(variables: &EnvVars) -> anyhow::Result<Option<EdgeClient>> {
    let Some(secret) = variables.get(EDGE_CLIENT_SECRET) else { return Ok(None) };
    let origin = variables.origin(EDGE_CLIENT_SECRET).unwrap_or(EDGE_CLIENT_SECRET).to_owned();
    EdgeClient::parse(secret.trim()).map(Some).context(origin)
}

/// Reads the keys with which GitHub signs its reports of leaked secrets.
///
/// # Errors
/// Names the file that has no such key.
pub(crate) fn report_keys(files: &[(String, PathBuf)]) -> anyhow::Result<Vec<ReportKey>> {
    let read = |(id, path): &(String, PathBuf)| {
        let info = SubjectPublicKeyInfoDer::from_pem_file(path)?;
        anyhow::Ok(ReportKey::new(id, &info)?)
    };
    let named = |file| read(file).with_context(|| format!("leaks.github_keys: {}", file.1.display()));
    files.iter().map(named).collect()
}

/// How the API of the started server can be called.
#[derive(Debug)]
pub(crate) enum Access {
    /// With an existing token.
    Known,
    /// With the admin token that was just created and is shown once.
    Shown(TokenSecret),
    /// With the admin token in a file.
    InFile { path: PathBuf, is_new: bool },
    /// Not for administration: the server is a verifier.
    Verification,
    /// Not yet: no token exists.
    None { database_can_be_reached: bool },
}

/// Creates the first tokens if the store has none.
///
/// # Errors
/// If they cannot be created, or the file with the admin token cannot be written.
pub(crate) async fn first_tokens(
    app: &App,
    database: &Database,
    init: InitTokens,
    has_terminal: bool,
) -> anyhow::Result<Access> {
    let nothing = "the first tokens could not be created";
    let file = match database {
        Database::SqliteFile(path) => Some(path.with_file_name(admin_token_file::NAME)),
        _ => None,
    };
    let has_tokens = app.store.has_tokens().await.context(nothing)?;
    let first_tokens = &app.use_cases.first_tokens;
    if has_tokens {
        if !init.is_empty() {
            tracing::info!("INIT_*_API_TOKENS are ignored: the database has tokens already");
        }
        let left = file.filter(|path| path.exists());
        return Ok(left.map_or(Access::Known, |path| Access::InFile { path, is_new: false }));
    }
    if !init.is_empty() {
        if first_tokens.create(init).await.context(nothing)? {
            tracing::info!("the tokens of INIT_*_API_TOKENS were created");
        }
        return Ok(Access::Known);
    }
    if has_terminal {
        let secret = first_tokens.create_admin().await.context(nothing)?;
        return Ok(secret.map_or(Access::Known, Access::Shown));
    }
    let Some(path) = file else {
        let database_can_be_reached = matches!(database, Database::Postgres(_));
        return Ok(Access::None { database_can_be_reached });
    };
    let mut init = InitTokens::default();
    let secret = admin_token_file::load_or_create(&path, &*app.entropy)?;
    let variable = InitVariable { name: admin_token_file::NAME, kind: TokenKind::Admin };
    init.add(variable, secret.reveal())?;
    let is_new = first_tokens.create(init).await.context(nothing)?;
    Ok(Access::InFile { path, is_new })
}

/// Creates no tokens: a verifier cannot.
pub(crate) fn no_tokens(init: &InitTokens) -> Access {
    if !init.is_empty() {
        tracing::info!("INIT_*_API_TOKENS are ignored: a verifier creates no tokens");
    }
    Access::Verification
}

/// How the server is reached on this machine.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) url: String,
    /// The Unix domain socket through which it is reached.
    pub(crate) socket: Option<PathBuf>,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            None => f.write_str(&self.url),
            Some(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Returns the message of a start. With [`Access::Shown`] it contains the secret, so it must go to a terminal.
pub(crate) fn banner(reach: &Reach, verify: Option<&Reach>, database: &Database, access: &Access) -> String {
    let Reach { url, socket } = reach;
    let mut lines = vec![format!("Latchkey {} serves on {reach} ({database})", env!("CARGO_PKG_VERSION"))];
    if let Some(verify) = verify {
        lines.push(format!("Verification only: {verify}"));
    }
    // A browser does not connect to a Unix domain socket.
    if socket.is_none() && !matches!(access, Access::Verification) {
        lines.push(format!("API documentation: {url}/docs/openapi"));
    }
    lines.push(String::new());
    let through =
        socket.as_ref().map(|path| format!("--unix-socket {} ", shell_word(path))).unwrap_or_default();
    let call = |authorization: &str| {
        format!("    curl {through}-H {authorization} {url}/api/admin/projects/default/api-tokens")
    };
    match access {
        Access::Verification => {
            lines.push(
                "It verifies tokens and serves nothing else (server.role = \"verifier\"). Try it:".to_owned(),
            );
            lines.push(format!("    curl -i {through}-H \"Authorization: $TOKEN\" {url}/auth/verify"));
        }
        Access::Known => {
            lines.push("Call it with one of its tokens:".to_owned());
            lines.push(call("\"Authorization: $TOKEN\""));
            if matches!(database, Database::SqliteFile(_) | Database::Postgres(_)) {
                lines.push("If no admin token is at hand, create one, with the same settings:".to_owned());
                lines.push(CREATE_ADMIN_TOKEN.to_owned());
            }
        }
        Access::Shown(secret) => {
            let secret = secret.reveal();
            lines.push("A first admin token was created. It is shown only now:".to_owned());
            lines.extend([String::new(), format!("    {secret}"), String::new(), "Try it:".to_owned()]);
            lines.push(call(&format!("'Authorization: {secret}'")));
        }
        Access::InFile { path, is_new } => {
            let shown = path.display();
            lines.push(if *is_new {
                format!("A first admin token was created. It is in {shown}: store it safely, then delete that file. Try it:")
            } else {
                format!("The first admin token is still in {shown}: store it safely, then delete that file. Try it:")
            });
            lines.push(call(&format!("\"Authorization: $(cat {})\"", shell_word(path))));
        }
        Access::None { database_can_be_reached: true } => {
            lines.push("There is no token yet. Create one, with the same settings:".to_owned());
            lines.push(CREATE_ADMIN_TOKEN.to_owned());
            lines.push("or start with INIT_ADMIN_API_TOKENS set. Then:".to_owned());
            lines.push(call("\"Authorization: $TOKEN\""));
        }
        Access::None { database_can_be_reached: false } => {
            lines.push(
                "There is no token yet, and only this process can create one in its memory:".to_owned(),
            );
            lines.push("start on a terminal, or with INIT_ADMIN_API_TOKENS set.".to_owned());
        }
    }
    lines.join("\n")
}

/// Quotes the path as one shell word, for use inside double quotes and `$( )`.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
