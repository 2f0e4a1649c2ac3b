//! The number of tokens, for metrics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use latchkey_domain::TokenKind;
use latchkey_metrics::names::{TOKENS, TOKENS_EXPIRING, TOKENS_UNUSED};
use latchkey_ports::{ErrorChain, TokenCounts};
use latchkey_service::UseCases;

use crate::clock::ticks;

/// How often the tokens are counted.
const EVERY: Duration = Duration::from_secs(60);

/// Counts the tokens for metrics, unless another process does so at this moment.
pub(super) async fn publish(use_cases: Arc<UseCases>) {
    let mut ticks = ticks(EVERY);
    loop {
        ticks.tick().await;
        match use_cases.count_tokens().await {
            Ok(counts) => counts.iter().for_each(publish_counts),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "tokens could not be counted for metrics");
            }
        }
    }
}

fn publish_counts(counts: &BTreeMap<TokenKind, TokenCounts>) {
    for kind in TokenKind::ALL {
        // A kind of which there is no token is not among them.
        let counts = counts.get(&kind).copied().unwrap_or_default();
        let kind = kind.as_str();
        TOKENS.set_count([kind], counts.all);
        TOKENS_EXPIRING.set_count([kind, "7d"], counts.expiring_in_7_days);
        TOKENS_EXPIRING.set_count([kind, "30d"], counts.expiring_in_30_days);
        TOKENS_UNUSED.set_count([kind, "90d"], counts.unused_for_90_days);
    }
}
