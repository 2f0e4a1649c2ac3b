//! The secrets of webhooks at rest: sealed, each for its webhook alone.

use latchkey_domain::{WebhookId, WebhookSecret};
use latchkey_ports::{SealedBytes, SealingError, SecretSealer, StoredWebhook};

/// What the sealed secret of a webhook is bound to.
fn context(id: WebhookId) -> Vec<u8> {
    [b"webhook".as_slice(), id.0.as_bytes()].concat()
}

/// Opens the secret of a webhook.
pub(crate) fn open_secret(
    sealer: &dyn SecretSealer,
    stored: &StoredWebhook,
) -> Result<WebhookSecret, SealingError> {
    let opened = sealer.open_bytes(&stored.secret, &context(stored.webhook.id))?;
    let secret = String::from_utf8(opened).ok().and_then(|text| WebhookSecret::parse(&text));
    secret.ok_or(SealingError::Broken)
}

/// Seals the secret of a webhook under the current key.
pub(crate) fn seal_secret(
    sealer: &dyn SecretSealer,
    secret: &WebhookSecret,
    id: WebhookId,
) -> Result<SealedBytes, SealingError> {
    sealer.seal_bytes(secret.reveal().as_bytes(), &context(id))
}
