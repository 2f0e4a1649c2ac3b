//! The keys with which GitHub signs its reports.

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// What comes before the point in the DER of a public key on the curve P-256 (RFC 5480, section 2).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of a point that is not compressed.
const POINT_BYTES: usize = 65;

/// A public key of GitHub's secret scanning, which its requests name by an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportKey {
    id: String,
    point: Vec<u8>,
}

/// The bytes are no public key of the kind that GitHub signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a public key on the curve P-256")]
pub struct InvalidReportKey;

impl ReportKey {
    /// Reads the key of this id from the DER of its `SubjectPublicKeyInfo`.
    pub fn new(id: &str, info: &[u8]) -> Result<Self, InvalidReportKey> {
        let point = info.strip_prefix(&P256).filter(|point| point.len() == POINT_BYTES);
        Ok(Self { id: id.to_owned(), point: point.ok_or(InvalidReportKey)?.to_owned() })
    }

    /// Returns the id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether this is the signature of the message: ECDSA with SHA-256, in ASN.1.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point).verify(message, signature).is_ok()
    }
}
