//! Attributes of tokens on the command line.

use anyhow::bail;
use clap::Args;
use latchkey_domain::{
    IsoDuration, Metadata, NetworkSet, RateLimit, Refill, ScopeSet, Term, TokenAttributes, TokenDescription,
    TokenOwner, TokenScope, Uses,
};
use latchkey_service::{Patched, RateLimitPatch, RefillPatch, TokenPatch, UsesPatch};
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
    /// How often the token is accepted in each span of time: 100/PT1M, or 100/PT1M+20 with up to 20 that were left over
    #[arg(long, value_name = "REQUESTS/SPAN[+BURST]", value_parser = rate_limit)]
    pub(crate) rate_limit: Option<RateLimit>,
    /// How often the token is accepted at all: 1000, or 1000+500/P1D with a refill up to 500 each day
    #[arg(long, value_name = "NUMBER[+AMOUNT/SPAN]", value_parser = uses)]
    pub(crate) uses: Option<Uses>,
    /// After how long the secret is to be rotated, each time: 90d. There is a notice when it is due
    #[arg(long, value_name = "DURATION", value_parser = term)]
    pub(crate) rotate_every: Option<Term>,
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    let form = "write REQUESTS/SPAN, such as 100/PT1M, or with +BURST";
    let (limit, burst) = text.split_once('+').unwrap_or((text, "0"));
    let (requests, per) = limit.split_once('/').ok_or(form)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| form.to_owned());
    RateLimit::new(number(requests)?, span(per)?, number(burst)?).map_err(|error| error.to_string())
}

fn uses(text: &str) -> Result<Uses, String> {
    let form = "write a NUMBER, such as 1000, or with +AMOUNT/SPAN";
    let number = |text: &str| text.parse::<u64>().map_err(|_| form.to_owned());
    let (remaining, refill) = match text.split_once('+') {
        None => (text, None),
        Some((remaining, refill)) => {
            let (amount, every) = refill.split_once('/').ok_or(form)?;
            let refill = Refill::new(number(amount)?, span(every)?).map_err(|error| error.to_string())?;
            (remaining, Some(refill))
        }
    };
    Uses::new(number(remaining)?, refill).map_err(|error| error.to_string())
}

fn span(text: &str) -> Result<IsoDuration, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Returns the patch after which the limit is this one.
fn to_rate_limit(limit: RateLimit) -> RateLimitPatch {
    RateLimitPatch {
        requests: Some(limit.requests()),
        per: Some(limit.per()),
        burst: Patched::Set(limit.burst()),
    }
}

/// Returns the patch after which the uses are these.
fn to_uses(uses: Uses) -> UsesPatch {
    let refill = uses
        .refill()
        .map(|refill| RefillPatch { amount: Some(refill.amount()), every: Some(refill.every()) });
    UsesPatch { remaining: uses.granted(), refill: refill.map_or(Patched::Removed, Patched::Set) }
}

fn term(text: &str) -> Result<Term, String> {
    let span = humantime::parse_duration(text).map_err(|error| format!("{error}; write 24h or 90d"))?;
    Term::new(span).map_err(|_| format!("write a duration from 1s to {}d in whole seconds", Term::MAX_DAYS))
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
        let Self { description, owner, metadata, scopes, allowed_networks, rate_limit, uses, rotate_every } =
            self;
        let metadata: Map<_, _> =
            metadata.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        Ok(TokenAttributes {
            description,
            owner,
            metadata: or_usage(Metadata::new(metadata))?,
            scopes: or_usage(ScopeSet::new(scopes))?,
            allowed_networks: or_usage(NetworkSet::parse(allowed_networks.iter().map(String::as_str)))?,
            rate_limit,
            uses,
            rotate_every,
            ..TokenAttributes::default()
        })
    }

    /// Returns the change of a token. An empty text removes its member of the metadata.
    ///
    /// # Errors
    /// [`Usage`].
    pub(super) fn into_patch(self) -> anyhow::Result<TokenPatch> {
        let Self { description, owner, metadata, scopes, allowed_networks, rate_limit, uses, rotate_every } =
            self;
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
            rate_limit: rate_limit.map_or(Patched::Kept, |limit| Patched::Set(to_rate_limit(limit))),
            uses: uses.map_or(Patched::Kept, |uses| Patched::Set(to_uses(uses))),
            rotate_every: rotate_every.map_or(Patched::Kept, Patched::Set),
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
