//! The signatures of Unleash Enterprise Edge: an HMAC over the method, the path, the time, a nonce and a digest of the body, all
//! of which are in headers. So a request is verified before its body is read.

use std::time::Duration;

use actix_web::http::header;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac as _;
use latchkey_domain::{Hex, Timestamp};
use latchkey_service::SignedRequest;
use sha2::{Digest as _, Sha256};

use crate::{edge_client::EdgeClient, error::ApiError, extract::Client, wire_time};

/// The name by which Edge calls itself.
const CLIENT: &str = "enterprise-edge";
/// How much the time of a request may differ from that of this server.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// The most characters of a nonce.
const MAX_NONCE: usize = 128;

/// A request whose headers were signed by the client.
pub(super) struct Signed {
    pub(super) request: SignedRequest,
    /// The digest of the body, as the headers have it: lower-case hexadecimal SHA-256.
    body_digest: String,
}

impl Signed {
    /// Verifies the headers of a POST request to a path, with the secret of the client that may send it.
    ///
    /// # Errors
    /// [`ApiError::BadSignature`], which says what is wrong.
    pub(super) fn verify(
        sender: Client<'_>,
        path: &str,
        client: Option<&EdgeClient>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let headers = sender.request.headers();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (name, signature) = header(header::AUTHORIZATION.as_str())
            .and_then(|value| value.strip_prefix("HMAC "))
            .and_then(|credentials| credentials.split_once(':'))
            .ok_or(ApiError::BadSignature("Missing HMAC authorization header"))?;
        let signed = (header("x-timestamp"), header("x-nonce"), header("content-sha256"));
        let (Some(time), Some(nonce), Some(body_digest)) = signed else {
            return Err(ApiError::BadSignature("Missing content headers"));
        };
        if nonce.is_empty() || nonce.len() > MAX_NONCE {
            return Err(ApiError::BadSignature("The nonce must have 1 to 128 characters"));
        }
        // A time that cannot be read is as good as none: it could not become stale.
        let at = wire_time::parse(time).ok_or(ApiError::BadSignature("Unreadable timestamp"))?;
        if u128::from(at.millis().abs_diff(now.millis())) > TOLERANCE.as_millis() {
            return Err(ApiError::BadSignature("Stale request"));
        }
        let client = client.filter(|_| name == CLIENT).ok_or(ApiError::BadSignature("Unknown client"))?;
        let signed = format!("POST\n{path}\n{time}\n{nonce}\n{body_digest}");
        let mismatch = ApiError::BadSignature("Signature mismatch");
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return Err(mismatch) };
        if client.mac(&signed).verify_slice(&signature).is_err() {
            return Err(mismatch);
        }
        let digest = client.mac(&format!("nonce\n{nonce}")).finalize().into_bytes();
        let nonce = digest.first_chunk().copied().unwrap_or_default();
        let body_digest = body_digest.to_owned();
        Ok(Self { request: SignedRequest { at, nonce, origin: sender.origin() }, body_digest })
    }

    /// Checks that the body is the signed one: byte by byte, or as the same JSON without blanks, which Edge signs.
    ///
    /// # Errors
    /// [`ApiError::BadSignature`].
    pub(super) fn check_body(&self, body: &[u8], compact: &[u8]) -> Result<(), ApiError> {
        let is_signed = |bytes: &[u8]| Hex(&Sha256::digest(bytes)).to_string() == self.body_digest;
        if is_signed(body) || is_signed(compact) {
            return Ok(());
        }
        Err(ApiError::BadSignature("Body tampering detected"))
    }
}
