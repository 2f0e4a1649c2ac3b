//! Attributes of tokens on the command line.

use anyhow::bail;
use clap::Args;
use latchkey_domain::{
    Metadata, NetworkSet, ScopeSet, TokenAttributes, TokenDescription, TokenOwner, TokenScope,
};
use latchkey_service::{Patched, TokenPatch};
use serde_json::{Map, Value};

use crate::output::Usage;

#[derive(Debug, Args)]
pub(crate) struct AttributeArgs {
    /// What the token is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<TokenDescription>,
    /// Who is responsible for the token
    #[arg(long, value_name = "TEXT")]
    pub(crate) owner: Option<TokenOwner>,
    /// A note about the token, may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = member)]
    pub(crate) metadata: Vec<(String, String)>,
    /// What the token may do in the product that it guards, may be repeated: orders:read, orders:*
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<TokenScope>,
    /// A network or address from which the token is accepted, may be repeated; by default everywhere: 10.1.0.0/16
    #[arg(long = "allowed-network", value_name = "CIDR")]
    pub(crate) allowed_networks: Vec<String>,
}

fn member(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=TEXT, such as team=checkout")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl AttributeArgs {
    /// Returns the attributes of a new token.
    ///
    /// # Errors
    /// [`Usage`].
    pub(super) fn of_new_token(self) -> anyhow::Result<TokenAttributes> {
        let Self { description, owner, metadata, scopes, allowed_networks } = self;
        let metadata: Map<_, _> =
            metadata.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        Ok(TokenAttributes {
            description,
            owner,
            metadata: or_usage(Metadata::new(metadata))?,
            scopes: or_usage(ScopeSet::new(scopes))?,
            allowed_networks: or_usage(NetworkSet::parse(allowed_networks.iter().map(String::as_str)))?,
            ..TokenAttributes::default()
        })
    }

    /// Returns the change of a token. An empty text removes its member of the metadata.
    ///
    /// # Errors
    /// [`Usage`].
    pub(super) fn into_patch(self) -> anyhow::Result<TokenPatch> {
        let Self { description, owner, metadata, scopes, allowed_networks } = self;
        let member = |(name, text): (String, String)| {
            (name, if text.is_empty() { Value::Null } else { Value::String(text) })
        };
        let metadata: Map<_, _> = metadata.into_iter().map(member).collect();
        let scopes = or_usage(ScopeSet::new(scopes))?;
        let allowed_networks = or_usage(NetworkSet::parse(allowed_networks.iter().map(String::as_str)))?;
        Ok(TokenPatch {
            description: description.map_or(Patched::Kept, Patched::Set),
            owner: owner.map_or(Patched::Kept, Patched::Set),
            metadata: if metadata.is_empty() { Patched::Kept } else { Patched::Set(metadata) },
            scopes: if scopes.is_empty() { Patched::Kept } else { Patched::Set(scopes) },
            allowed_networks: if allowed_networks.is_empty() {
                Patched::Kept
            } else {
                Patched::Set(allowed_networks)
            },
            ..TokenPatch::default()
        })
    }
}

fn or_usage<T>(result: Result<T, impl std::fmt::Display>) -> anyhow::Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => bail!(Usage(error.to_string())),
    }
}
