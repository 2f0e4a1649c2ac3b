//! Finds secrets in text of any kind, offline: by their form and their checksum.
//!
//! A secret in our format ends in 39 letters and digits. Every such run holds one of the bytes at which the search looks, 39
//! bytes apart (the skip of Boyer and Moore), and what ends a prefix stands right before the run. Where the prefix begins is not
//! certain: the checksum decides. The second form of Unleash has no checksum: there the prefix must be one, and
//! nothing of its alphabet may follow.
//!
//! In URLs the characters `:`, `*`, `[`, `]` and `~` of a prefix may be percent-encoded.

use std::ops::Range;

use memchr::{memmem, memrchr3};

use crate::{
    EnvironmentName, ProjectId, TokenSecret,
    names::is_url_friendly,
    secret::{
        CHECKSUM_CHARACTERS, RANDOM_CHARACTERS, SESSION_PREFIX, V2_MARK, V2_TAIL_CHARACTERS, ends_in_checksum,
    },
    selector::is_base64url_byte,
};

/// The regular expression of secrets, for other scanners, in the syntax that PCRE, RE2 and Hyperscan have in common.
///
/// A match of the first form can be chance: only [`SecretScanner`] checks the checksum.
pub const SECRET_PATTERN: &str = concat!(
    r"(?:user:|session:|(?:\*|\[\]|[A-Za-z0-9_~.-]{1,100}):(?:\*|[A-Za-z0-9_~.-]{1,100})\.)",
    r"(?:[0-9A-Za-z]{39}\b|v2_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{43})",
);

/// The length of what follows a prefix in our format.
const TAIL: usize = RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
/// The length of what follows the `.` in the second form of Unleash.
const V2_TAIL: usize = V2_MARK.len() + V2_TAIL_CHARACTERS;
/// The length of the longest prefix: project, `:`, environment, `.`.
const MAX_PREFIX: usize = ProjectId::MAX_CHARACTERS + EnvironmentName::MAX_CHARACTERS + 2;
/// How many bytes the longest secret has, all of its prefix percent-encoded.
const MAX_BYTES: usize = 3 * MAX_PREFIX + V2_TAIL;

/// The forms of secrets that can be told from other text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretForm {
    /// That of an API token.
    ApiToken,
    /// That of a personal access token.
    PersonalToken,
    /// That of a session.
    Session,
    /// The second form of Unleash, of an API token.
    UnleashV2,
}

/// A secret in a text.
#[derive(Debug, Clone)]
pub struct FoundSecret {
    pub secret: TokenSecret,
    pub form: SecretForm,
    /// How many bytes of the text it takes: more than it has if some are percent-encoded.
    pub length: usize,
}

/// Takes what a [`SecretScanner`] reads, in order.
pub trait ScanVisitor {
    /// Takes the next bytes of the text.
    fn pass(&mut self, bytes: &[u8]);

    /// Takes a secret whose bytes come next.
    fn found(&mut self, found: FoundSecret);
}

/// Finds the secrets in a text that comes in blocks, wherever those are cut.
#[derive(Debug, Default)]
pub struct SecretScanner {
    /// The end of the text so far: all that can belong to a secret whose end has not come yet.
    held: Vec<u8>,
    /// How many of these bytes the visitor has taken.
    passed: usize,
    /// Every secret that ends among so many of these bytes was found.
    decided: usize,
}

impl SecretScanner {
    /// Reads the next block.
    pub fn scan(&mut self, block: &[u8], visitor: &mut impl ScanVisitor) {
        self.held.extend_from_slice(block);
        // What follows the second form must be known.
        self.decide(self.held.len().saturating_sub(1), visitor);
        let done = self.held.len().saturating_sub(MAX_BYTES + 1);
        self.pass_to(done, visitor);
        self.held.drain(..done);
        self.passed = self.passed.saturating_sub(done);
        self.decided = self.decided.saturating_sub(done);
    }

    /// Reads the end of the text.
    pub fn finish(mut self, visitor: &mut impl ScanVisitor) {
        self.decide(self.held.len(), visitor);
        self.pass_to(self.held.len(), visitor);
    }

    /// Finds the secrets that end before or at this byte, and after the last one of before.
    fn decide(&mut self, limit: usize, visitor: &mut impl ScanVisitor) {
        for (start, found) in secrets(&self.held, self.decided, limit) {
            self.pass_to(start, visitor);
            visitor.found(found);
        }
        self.decided = limit;
    }

    fn pass_to(&mut self, end: usize, visitor: &mut impl ScanVisitor) {
        if let Some(bytes) = self.held.get(self.passed..end).filter(|bytes| !bytes.is_empty()) {
            visitor.pass(bytes);
            self.passed = end;
        }
    }
}

/// Returns the text with every secret in it masked.
pub fn with_masked_secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for (start, found) in secrets(text.as_bytes(), 0, text.len()) {
        masked.push_str(text.get(from..start).unwrap_or_default());
        masked.push_str(&found.secret.masked());
        from = start + found.length;
    }
    masked.push_str(text.get(from..).unwrap_or_default());
    masked
}

/// Returns the secrets that end after `decided`, and not after `limit`, each with its start, in order.
fn secrets(bytes: &[u8], decided: usize, limit: usize) -> Vec<(usize, FoundSecret)> {
    let mut found = Vec::new();
    for at in (0..bytes.len()).skip(TAIL - 1).step_by(TAIL) {
        if bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
            let from = at.saturating_sub(TAIL);
            let before = bytes.get(from..at).unwrap_or_default();
            // The `%` is that of an encoded `:`.
            let end_of_prefix = memrchr3(b'.', b':', b'%', before);
            found.extend(end_of_prefix.and_then(|end| checked_secret(bytes, from + end + 1)));
        }
    }
    found.extend(memmem::find_iter(bytes, V2_MARK).filter_map(|mark| v2_secret(bytes, mark)));
    found.retain(|(start, one)| (decided + 1..=limit).contains(&(start + one.length)));
    found.sort_by_key(|(start, _)| *start);
    found
}

/// Returns the secret in our format whose run of letters and digits begins here, behind the prefix, and where it starts.
fn checked_secret(bytes: &[u8], run: usize) -> Option<(usize, FoundSecret)> {
    // The digits of an encoded `:` belong to the run.
    let tail_start = if encoded_before(bytes, run + 2).is_some() { run + 2 } else { run };
    let tail_end = tail_start + TAIL;
    let tail = bytes.get(tail_start..tail_end).filter(|tail| tail.iter().all(u8::is_ascii_alphanumeric))?;
    let tail = str::from_utf8(tail).ok()?;
    let prefix = Prefix::before(bytes, tail_start);
    let text = format!("{}{tail}", prefix.text);
    let (mut starts, form) = prefix.starts()?;
    let first = starts.find(|start| text.get(*start..).is_some_and(ends_in_checksum))?;
    let start = *prefix.positions.get(first)?;
    let secret = TokenSecret::parse(text.get(first..)?).ok()?;
    Some((start, FoundSecret { secret, form, length: tail_end - start }))
}

/// Returns the secret in the second form of Unleash whose mark begins here, and where it starts.
fn v2_secret(bytes: &[u8], mark: usize) -> Option<(usize, FoundSecret)> {
    let end = mark + V2_TAIL;
    let tail = str::from_utf8(bytes.get(mark..end)?).ok()?;
    if bytes.get(end).copied().is_some_and(is_base64url_byte) {
        return None;
    }
    let prefix = Prefix::before(bytes, mark);
    let (mut starts, _) = prefix.starts()?;
    let first = starts.next()?;
    let start = *prefix.positions.get(first)?;
    let secret = TokenSecret::parse(&format!("{}{tail}", prefix.text.get(first..)?)).ok()?;
    secret.selector()?;
    Some((start, FoundSecret { secret, form: SecretForm::UnleashV2, length: end - start }))
}

/// The characters before a random part that a prefix may have, decoded.
struct Prefix {
    /// ASCII.
    text: String,
    /// Where each of them is.
    positions: Vec<usize>,
}

impl Prefix {
    fn before(bytes: &[u8], end: usize) -> Self {
        let (mut text, mut positions, mut at) = (Vec::new(), Vec::new(), end);
        while text.len() < MAX_PREFIX
            && let Some((byte, width)) = encoded_before(bytes, at)
                .map(|byte| (byte, 3))
                .or_else(|| Some((plain_before(bytes, at)?, 1)))
        {
            at -= width;
            text.push(byte);
            positions.push(at);
        }
        text.reverse();
        positions.reverse();
        Self { text: text.into_iter().map(char::from).collect(), positions }
    }

    /// Returns where in the text the prefix may begin, the earliest first, and whose it is.
    fn starts(&self) -> Option<(Range<usize>, SecretForm)> {
        let fixed = |start: usize, form| Some((start..start + 1, form));
        if self.text.ends_with(':') {
            let named = [
                (TokenSecret::PERSONAL_PREFIX, SecretForm::PersonalToken),
                (SESSION_PREFIX, SecretForm::Session),
            ];
            let (prefix, form) = named.into_iter().find(|(prefix, _)| self.text.ends_with(prefix))?;
            return fixed(self.text.len() - prefix.len(), form);
        }
        let (projects, environment) = self.text.strip_suffix('.')?.rsplit_once(':')?;
        if environment != "*" && EnvironmentName::new(environment).is_err() {
            return None;
        }
        let end = projects.len();
        if projects.ends_with('*') {
            return fixed(end - 1, SecretForm::ApiToken);
        }
        if projects.ends_with("[]") {
            return fixed(end - 2, SecretForm::ApiToken);
        }
        let id = projects.bytes().rev().take_while(|byte| is_url_friendly(*byte)).count();
        let id = id.min(ProjectId::MAX_CHARACTERS);
        (id > 0).then_some((end - id..end, SecretForm::ApiToken))
    }
}

/// Returns the character of a prefix that stands before this byte as it is.
fn plain_before(bytes: &[u8], end: usize) -> Option<u8> {
    let byte = *bytes.get(end.checked_sub(1)?)?;
    (is_url_friendly(byte) || b":*[]".contains(&byte)).then_some(byte)
}

/// Returns the character of a prefix that stands before this byte in percent-encoding.
fn encoded_before(bytes: &[u8], end: usize) -> Option<u8> {
    match bytes.get(end.checked_sub(3)?..end)? {
        b"%3A" | b"%3a" => Some(b':'),
        b"%2A" | b"%2a" => Some(b'*'),
        b"%5B" | b"%5b" => Some(b'['),
        b"%5D" | b"%5d" => Some(b']'),
        b"%7E" | b"%7e" => Some(b'~'),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
