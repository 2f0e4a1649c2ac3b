//! The first tokens of an empty store, and what a start says to whoever started it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use latchkey_domain::{TokenKind, TokenSecret};
use latchkey_service::{InitTokens, InitVariable};

use crate::{
    admin_token_file,
    config::{Database, Environment},
    wiring::House,
};

/// The variables that may bring the first tokens; those for clients and backends are two names of one thing.
const INIT_VARIABLES: [InitVariable; 4] = [
    InitVariable { name: "INIT_ADMIN_API_TOKENS", kind: TokenKind::Admin },
    InitVariable { name: "INIT_CLIENT_API_TOKENS", kind: TokenKind::Client },
    InitVariable { name: "INIT_BACKEND_API_TOKENS", kind: TokenKind::Client },
    InitVariable { name: "INIT_FRONTEND_API_TOKENS", kind: TokenKind::Frontend },
];

/// Reads the first tokens that the environment brings.
///
/// # Errors
/// Names the variable and the entry that is wrong, and does not show it.
pub(crate) fn init_tokens(environment: &Environment) -> anyhow::Result<InitTokens> {
    let mut tokens = InitTokens::default();
    for variable in INIT_VARIABLES {
        if let Some(list) = environment.get(variable.name) {
            tokens.add(variable, list)?;
        }
    }
    Ok(tokens)
}

/// How to call the server that just started.
#[derive(Debug)]
pub(crate) enum Access {
    /// With a token that somebody has.
    Known,
    /// With the admin token that was just made, to be shown this once.
    Shown(TokenSecret),
    /// With the admin token in that file; whether it was made just now.
    InFile { path: PathBuf, is_new: bool },
    /// Not yet: there is no token.
    None { database_can_be_reached: bool },
}

/// Creates the first tokens, where the store holds none.
///
/// # Errors
/// Where they cannot be created, or kept where their owner finds them.
pub(crate) async fn first_tokens(
    house: &House,
    database: &Database,
    init: InitTokens,
    has_terminal: bool,
) -> anyhow::Result<Access> {
    let nothing = "the first tokens could not be made";
    let file = match database {
        Database::SqliteFile(path) => Some(path.with_file_name(admin_token_file::NAME)),
        _ => None,
    };
    let has_tokens = house.store.has_tokens().await.context(nothing)?;
    let first_tokens = &house.use_cases.first_tokens;
    if has_tokens {
        let left = file.filter(|path| path.exists());
        return Ok(left.map_or(Access::Known, |path| Access::InFile { path, is_new: false }));
    }
    if !init.is_empty() {
        if first_tokens.create(init).await.context(nothing)? {
            tracing::info!("the tokens of INIT_*_API_TOKENS were made");
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
    let secret = admin_token_file::load_or_create(&path, &*house.entropy)?;
    let variable = InitVariable { name: admin_token_file::NAME, kind: TokenKind::Admin };
    init.add(variable, secret.reveal())?;
    let is_new = first_tokens.create(init).await.context(nothing)?;
    Ok(Access::InFile { path, is_new })
}

/// What a start prints on standard output. The secret of [`Access::Shown`] is in it, so it goes to a terminal only.
pub(crate) fn banner(url: &str, database: &Database, access: &Access) -> String {
    let mut lines = vec![
        format!("Latchkey {} serves on {url} ({database})", env!("CARGO_PKG_VERSION")),
        format!("The API is described, and can be tried, at {url}/docs/openapi"),
        String::new(),
    ];
    let call = |authorization: &str| {
        format!("    curl -H {authorization} {url}/api/admin/projects/default/api-tokens")
    };
    match access {
        Access::Known => {
            lines.push("Call it with one of its tokens:".to_owned());
            lines.push(call("\"Authorization: $TOKEN\""));
        }
        Access::Shown(secret) => {
            let secret = secret.reveal();
            lines.push("A first admin token was made. It is shown this once:".to_owned());
            lines.extend([String::new(), format!("    {secret}"), String::new(), "Try it:".to_owned()]);
            lines.push(call(&format!("'Authorization: {secret}'")));
        }
        Access::InFile { path, is_new } => {
            let shown = path.display();
            lines.push(if *is_new {
                format!("A first admin token was made. It is in {shown}: keep it safe, then delete that file. Try it:")
            } else {
                format!("The first admin token is still in {shown}: keep it safe, then delete that file. Try it:")
            });
            lines.push(call(&format!("\"Authorization: $(cat {})\"", shell_word(path))));
        }
        Access::None { database_can_be_reached: true } => {
            lines.push(
                "There is no token yet. Make one, on this database and with the same settings:".to_owned(),
            );
            lines.push("    latchkey token create --type admin --name ops".to_owned());
            lines.push("or start with INIT_ADMIN_API_TOKENS set. Then:".to_owned());
            lines.push(call("\"Authorization: $TOKEN\""));
        }
        Access::None { database_can_be_reached: false } => {
            lines.push(
                "There is no token yet, and nobody but this process can make one in its memory:".to_owned(),
            );
            lines.push("start it on a terminal, or with INIT_ADMIN_API_TOKENS set.".to_owned());
        }
    }
    lines.join("\n")
}

/// The path as one word for a shell, inside double quotes and `$( )`.
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
