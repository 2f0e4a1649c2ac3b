//! `latchkey token`.

mod attributes;
mod change;
mod create;
mod usage;

use clap::Subcommand;
use latchkey_domain::Enabled;

pub(crate) use self::create::project_scope;
use self::{
    change::{IdArgs, ListArgs, RotateArgs, UpdateArgs},
    create::TokenArgs,
    usage::UsageArgs,
};
use crate::wiring::App;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create an API token and print its secret, once
    #[command(after_help = "Examples:\n  latchkey token create --type admin --name ops\n  \
        latchkey token create --type client --name web --project shop --environment production\n  \
        latchkey token create --type frontend --name ads --project shop --project blog --expires-in 30d\n  \
        latchkey token create --type client --name orders --owner team-a --scope 'orders:*' --allowed-network 10.1.0.0/16")]
    Create(Box<TokenArgs>),
    /// List API tokens, by creation
    #[command(after_help = "Example:\n  latchkey token list --project shop --owner team-a")]
    List(ListArgs),
    /// Print what is known about a token, but its secret
    Show(IdArgs),
    /// Print how often a token was used, and from where
    #[command(
        after_help = "Example:\n  latchkey token usage 0197a4c2-5d1e-7b3a-9c40-1f2e3d4c5b6a --per hour"
    )]
    Usage(UsageArgs),
    /// Change a token
    #[command(
        after_help = "Examples:\n  latchkey token update 0197a4c2-5d1e-7b3a-9c40-1f2e3d4c5b6a --owner team-a --metadata ticket=SHOP-7\n  \
        latchkey token update 0197a4c2-5d1e-7b3a-9c40-1f2e3d4c5b6a --remove allowed-networks --metadata ticket=\n\n\
        Scopes and networks take the place of those that are there. --metadata NAME= removes that member."
    )]
    Update(Box<UpdateArgs>),
    /// Refuse a token from now on, without losing it
    Disable(IdArgs),
    /// Let a disabled token in again
    Enable(IdArgs),
    /// Give a token a new secret and print it, once
    #[command(
        after_help = "Example:\n  latchkey token rotate 0197a4c2-5d1e-7b3a-9c40-1f2e3d4c5b6a --overlap 0s"
    )]
    Rotate(RotateArgs),
    /// Revoke a token
    Delete(IdArgs),
}

/// Runs a command about tokens.
pub(super) async fn run(app: &App, command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create(arguments) => create::create(app, *arguments).await,
        TokenCommand::List(arguments) => change::list(app, arguments).await,
        TokenCommand::Show(token) => change::show(app, token).await,
        TokenCommand::Usage(arguments) => usage::usage(app, arguments).await,
        TokenCommand::Update(arguments) => change::update(app, *arguments).await,
        TokenCommand::Disable(token) => change::enable(app, token, Enabled(false)).await,
        TokenCommand::Enable(token) => change::enable(app, token, Enabled(true)).await,
        TokenCommand::Rotate(arguments) => change::rotate(app, arguments).await,
        TokenCommand::Delete(token) => change::delete(app, token).await,
    }
}
