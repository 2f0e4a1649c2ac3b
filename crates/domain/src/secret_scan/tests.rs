//! Tests of the search for secrets.

use std::env;

use proptest::prelude::*;
use regex_lite::Regex;

use super::*;
use crate::{EnvironmentScope, ProjectScope, TokenAccess, TokenKind, TokenSelector};

/// What a scan has found, each with its place.
#[derive(Default)]
struct Findings {
    passed: Vec<u8>,
    /// How many bytes came before those of `passed`, which a long text drops.
    dropped: usize,
    found: Vec<(usize, String)>,
}

impl ScanVisitor for Findings {
    fn pass(&mut self, bytes: &[u8]) {
        self.passed.extend_from_slice(bytes);
    }

    fn found(&mut self, found: FoundSecret) {
        self.found.push((self.dropped + self.passed.len(), found.secret.reveal().to_owned()));
    }
}

impl Findings {
    fn of(text: &[u8], mut cut: impl FnMut() -> usize) -> Self {
        let (mut scanner, mut findings, mut rest) = (SecretScanner::default(), Self::default(), text);
        while !rest.is_empty() {
            let (block, after) = rest.split_at(cut().clamp(1, rest.len()));
            scanner.scan(block, &mut findings);
            rest = after;
        }
        scanner.finish(&mut findings);
        assert!(findings.passed == text, "every byte is passed on once, in order");
        findings
    }
}

fn found_in(text: &str) -> Vec<(usize, String)> {
    Findings::of(text.as_bytes(), || usize::MAX).found
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).expect("small")).expect("small")
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_be_bytes()[0])
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }
}

const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const NAME: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_~.-";

fn access(projects: ProjectScope, environment: &str) -> TokenAccess {
    let environment = EnvironmentScope::Only(EnvironmentName::new(environment).expect("a name"));
    TokenAccess::new(TokenKind::Client, projects, environment).expect("a scope")
}

fn project(id: &str) -> ProjectScope {
    ProjectScope::one(ProjectId::new(id).expect("an id"))
}

/// Returns one secret of each form, with short and with the longest names.
fn samples() -> Vec<String> {
    let longest = "x".repeat(100);
    let accesses = [
        TokenAccess::Admin,
        access(ProjectScope::All, "development"),
        access(project("default"), "a.b"),
        access(project(&longest), &longest),
    ];
    let selector = TokenSelector::mint([0xfb; 16]);
    let minted = accesses.iter().flat_map(|access| {
        [TokenSecret::mint(access, [7; 24]), TokenSecret::mint_v2(access, &selector, [0xfb; 32])]
    });
    let others = [TokenSecret::mint_personal([1; 24]), TokenSecret::mint_session([2; 24])];
    minted.chain(others).map(|secret| secret.reveal().to_owned()).collect()
}

fn is_v2(secret: &str) -> bool {
    secret.contains(".v2_")
}

#[test]
fn every_form_is_found_in_every_place() {
    for secret in samples() {
        for (before, after) in [
            ("", ""),
            ("Authorization: Bearer ", "\n"),
            ("{\"token\":\"", "\"}"),
            ("https://a/api/admin/api-tokens/", "?x=1"),
            ("é", "é"),
            ("\0", "\0"),
            ("TOKEN=", "\\n"),
            ("a:b:", " "),
        ] {
            let found = found_in(&format!("{before}{secret}{after}"));
            assert_eq!(found, [(before.len(), secret.clone())], "between {before:?} and {after:?}");
        }
    }
}

#[test]
fn forms_are_told_apart() {
    struct Forms(Vec<SecretForm>);
    impl ScanVisitor for Forms {
        fn pass(&mut self, _: &[u8]) {}
        fn found(&mut self, found: FoundSecret) {
            self.0.push(found.form);
        }
    }
    use SecretForm::{ApiToken, PersonalToken, Session, UnleashV2};
    let (mut scanner, mut forms) = (SecretScanner::default(), Forms(Vec::new()));
    scanner.scan(samples().join(" ").as_bytes(), &mut forms);
    scanner.finish(&mut forms);
    let tokens = [ApiToken, UnleashV2].repeat(4);
    assert_eq!(forms.0, [tokens, vec![PersonalToken, Session]].concat());
}

#[test]
fn the_checksum_tells_where_a_prefix_begins_and_a_secret_ends() {
    let secret = TokenSecret::mint(&access(project("shop"), "production"), [9; 24]).reveal().to_owned();
    for (before, after) in [("my-", ""), ("a.b.c", "x"), ("token_", "0123456789"), ("", ".json")] {
        let found = found_in(&format!("{before}{secret}{after}"));
        assert_eq!(found, [(before.len(), secret.clone())], "between {before:?} and {after:?}");
    }
}

#[test]
fn a_prefix_in_a_url_may_be_encoded() {
    for secret in samples() {
        let expected = TokenSecret::parse(&secret).expect("a secret").masked();
        for codes in [["%3A", "%2A", "%5B", "%5D"], ["%3a", "%2a", "%5b", "%5d"], [":", "%2A", "[", "%5D"]] {
            let characters = [":", "*", "[", "]"].into_iter().zip(codes);
            let encoded = characters.fold(secret.clone(), |text, (plain, code)| text.replace(plain, code));
            assert_eq!(found_in(&format!("GET /{encoded} HTTP/1.1")), [(5, secret.clone())], "{encoded}");
            let masked = with_masked_secrets(&format!("https://a/{encoded}?b={secret}&c"));
            assert_eq!(masked, format!("https://a/{expected}?b={expected}&c"));
        }
    }
    assert_eq!(with_masked_secrets("https://a/é?b=:c"), "https://a/é?b=:c");
}

#[test]
fn what_only_looks_like_a_secret_is_not_found() {
    let (tail, selector, random) = ("R".repeat(39), "S".repeat(22), "R".repeat(43));
    for text in [
        format!("default:development.{tail}"),
        format!("user:{tail}"),
        format!("sha256:{}", "0123456789abcdef".repeat(4)),
        format!("https://example.com/{tail}.{tail}"),
        format!("v2_{selector}_{random}"),
        format!(".v2_{selector}_{random}"),
        format!("user:v2_{selector}_{random}"),
        format!("a.v2_{selector}_{random}"),
        format!("p:e.v2_{selector}_{random}R"),
        format!("p:e.v2_{selector}_{random}-"),
        format!("p:e.v2_{selector}-{random}"),
        format!("p:é.v2_{selector}_{random}"),
    ] {
        assert_eq!(found_in(&text), [], "{text}");
    }
}

#[test]
fn the_pattern_matches_every_secret_as_a_whole() {
    let pattern = Regex::new(SECRET_PATTERN).expect("a regular expression");
    for secret in samples() {
        let text = format!("\"{secret}\"");
        assert_eq!(pattern.find(&text).map(|found| found.as_str()), Some(&*secret));
    }
    let too_long = format!("sha256:a:b.{}", "0".repeat(40));
    for text in ["default:development", "user:name", "*:*.short", &too_long] {
        assert!(!pattern.is_match(text), "{text}");
    }
}

/// Text of many kinds without a secret, among it much that resembles one.
fn chaff(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < 256 * 1024 {
        let (letters, name) = (1 + random.below(60), 1 + random.below(100));
        let piece = match random.below(9) {
            0..4 => random.text(LETTERS, letters % 12) + " ",
            4 => random.text(b"0123456789abcdef", 40) + "\n",
            5 => format!("{}:{}.", random.text(NAME, name), random.text(NAME, name)),
            6 => format!("{}:{}.{} ", random.text(NAME, 7), random.text(NAME, 9), random.text(LETTERS, 39)),
            7 => format!(" *:*.{} user:{}\"", random.text(LETTERS, 39), random.text(LETTERS, letters)),
            _ => format!("%3A{}[]:%2A", random.text(LETTERS, letters)),
        };
        text.extend_from_slice(piece.as_bytes());
        text.extend_from_slice(&random.bytes::<2>());
    }
    text
}

/// Returns a new secret of any form, as it may stand in a text.
fn planted(random: &mut Random) -> String {
    let (id, name) = (1 + random.below(100), 1 + random.below(100));
    let environment = random.text(NAME, name);
    let projects = if random.below(3) == 0 { ProjectScope::All } else { project(&random.text(NAME, id)) };
    let access = access(projects, &environment);
    let secret = match random.below(8) {
        0 => TokenSecret::mint_personal(random.bytes()),
        1 => TokenSecret::mint_session(random.bytes()),
        2 => TokenSecret::mint(&TokenAccess::Admin, random.bytes()),
        3 => TokenSecret::mint_v2(&access, &TokenSelector::mint(random.bytes()), random.bytes()),
        _ => TokenSecret::mint(&access, random.bytes()),
    };
    secret.reveal().to_owned()
}

/// `LATCHKEY_SCAN_MEBIBYTES` makes the text longer.
#[test]
fn ten_thousand_planted_secrets_are_found_and_nothing_else() {
    const SECRETS: usize = 10_000;
    let mebibytes = env::var("LATCHKEY_SCAN_MEBIBYTES").map_or(3, |size| size.parse().expect("a size"));
    let around = mebibytes * 1024 * 1024 / SECRETS;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let chaff = chaff(&mut random);
    let (mut scanner, mut findings) = (SecretScanner::default(), Findings::default());
    let (mut expected, mut waiting, mut length) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SECRETS {
        let mut piece = Vec::new();
        while piece.len() < around {
            let start = random.below(chaff.len());
            let end = chaff.len().min(start + around - piece.len());
            piece.extend_from_slice(&chaff[start..end]);
        }
        let secret = planted(&mut random);
        let is_encoded = random.below(4) == 0;
        // Without a checksum only its surroundings tell where a secret begins and ends.
        let (edge, end) =
            if is_v2(&secret) { ("\"", "\"") } else { (["x", " ", "é", "=", "~"][random.below(5)], "") };
        piece.extend_from_slice(edge.as_bytes());
        expected.push((length + piece.len(), secret.clone()));
        let shown = if is_encoded { secret.replace(':', "%3A").replace('*', "%2a") } else { secret };
        piece.extend_from_slice(shown.as_bytes());
        piece.extend_from_slice(end.as_bytes());
        length += piece.len();
        waiting.extend_from_slice(&piece);
        while waiting.len() > 64 * 1024 {
            let block: Vec<u8> = waiting.drain(..=random.below(64 * 1024)).collect();
            scanner.scan(&block, &mut findings);
            findings.dropped += findings.passed.len();
            findings.passed.clear();
        }
    }
    scanner.scan(&waiting, &mut findings);
    scanner.finish(&mut findings);
    assert_eq!(findings.found.len(), SECRETS);
    assert!(findings.found == expected, "each at its place");
}

proptest! {
    #[test]
    fn every_secret_is_found_once_wherever_blocks_are_cut(
        seed in 1_u64..,
        before in "[ -~]{0,300}[ \"']",
        after in "[ \"'][ -~]{0,100}",
        size in 1_usize..300,
    ) {
        let mut random = Random(seed);
        let (one, two) = (planted(&mut random), planted(&mut random));
        let text = format!("{before}{one} {two}{after}");
        let expected = [(before.len(), one.clone()), (before.len() + one.len() + 1, two)];
        let findings = Findings::of(text.as_bytes(), || 1 + random.below(size));
        prop_assert_eq!(findings.found, expected);
    }

    #[test]
    fn a_secret_with_another_character_is_not_found(seed in 1_u64.., at: prop::sample::Index) {
        let mut random = Random(seed);
        let mut secret = planted(&mut random);
        prop_assume!(!is_v2(&secret));
        let at = at.index(secret.len());
        let other = if secret.as_bytes()[at] == b'x' { "y" } else { "x" };
        secret.replace_range(at..=at, other);
        prop_assert_eq!(found_in(&secret), []);
    }

    #[test]
    fn any_bytes_are_passed_on(bytes: Vec<u8>, size in 1_usize..20) {
        Findings::of(&bytes, || size);
    }
}
