use super::*;
use crate::SystemEntropy;

/// From the tests of the reference implementation (`test.c` of phc-winner-argon2), of the password `password`.
const FOREIGN: [&str; 2] = [
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
];

fn hasher(cost: Cost) -> Argon2Hasher {
    Argon2Hasher::with_cost(cost, Arc::new(SystemEntropy))
}

fn password(text: &str) -> Password {
    Password::new(text, &[]).expect("good enough")
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

#[tokio::test]
async fn a_password_is_accepted_and_another_is_not() {
    let hasher = hasher(Cost::Least);
    let kept = hasher.hash(&password("correct horse")).await.expect("hashed");
    for (text, expected) in
        [("correct horse", true), ("correct horsf", false), ("", false), ("Correct horse", false)]
    {
        assert_eq!(hasher.verify(text, Some(kept.clone())).await.expect("verified"), expected, "{text}");
    }
}

#[tokio::test]
async fn new_hashes_have_the_cost_of_owasp_and_a_salt_of_their_own() {
    let hasher = Argon2Hasher::new(Arc::new(SystemEntropy));
    let kept = hasher.hash(&password("correct horse")).await.expect("hashed");
    assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.0);
    assert_ne!(hasher.hash(&password("correct horse")).await.expect("hashed"), kept);
    let parsed = StoredHash::parse(&kept).expect("readable");
    assert_eq!((parsed.salt.len(), parsed.output.len()), (16, 32));
    assert!(hasher.verify("correct horse", Some(kept)).await.expect("verified"));
}

#[tokio::test]
async fn without_a_hash_the_answer_is_no_at_the_same_cost() {
    let hasher = hasher(Cost::Least);
    assert!(!hasher.verify("correct horse", None).await.expect("verified"));
    for cost in [Cost::Least, Cost::Standard] {
        let decoy = StoredHash::decoy(cost, &SystemEntropy);
        let parsed = StoredHash::parse(&decoy.to_phc()).expect("readable");
        assert_eq!(
            (parsed.params.m_cost(), parsed.params.t_cost()),
            (cost.params().m_cost(), cost.params().t_cost())
        );
        assert_eq!((parsed.algorithm, parsed.salt.len(), parsed.output.len()), (Algorithm::Argon2id, 16, 32));
    }
    // Even a password that matches the decoy would be refused.
    let found = StoredHash::of(b"found", StoredHash::new_salt(&SystemEntropy), Cost::Least.params());
    let hasher = Argon2Hasher { decoy: found.expect("hashed"), ..hasher };
    assert!(!hasher.verify("found", None).await.expect("verified"));
}

#[tokio::test]
async fn hashes_of_other_costs_and_makers_are_verified() {
    let hasher = hasher(Cost::Standard);
    let weaker = self::hasher(Cost::Least).hash(&password("correct horse")).await.expect("hashed");
    assert!(hasher.verify("correct horse", Some(weaker)).await.expect("verified"));
    for foreign in FOREIGN {
        assert!(hasher.verify("password", Some(hash(foreign))).await.expect("verified"), "{foreign}");
        assert!(!hasher.verify("Password", Some(hash(foreign))).await.expect("verified"), "{foreign}");
    }
}

#[tokio::test]
async fn a_hash_of_a_lower_cost_is_upgraded() {
    let hasher = hasher(Cost::Standard);
    for weaker in FOREIGN {
        let upgraded = hasher.upgrade("password", &hash(weaker)).await.expect("hashed").expect(weaker);
        assert!(upgraded.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", upgraded.0);
        assert!(hasher.verify("password", Some(upgraded.clone())).await.expect("verified"));
        assert_eq!(hasher.upgrade("password", &upgraded).await.expect("hashed"), None);
    }
    let output = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let with = |params: &str| hash(&format!("$argon2id$v=19${params}{output}"));
    for (params, is_weaker) in [
        ("m=65536,t=3,p=4", false),
        ("m=47104,t=1,p=1", false),
        ("m=19456,t=1,p=1", true),
        ("m=12288,t=3,p=1", true),
    ] {
        let upgraded = hasher.upgrade("password", &with(params)).await.expect("hashed");
        assert_eq!(upgraded.is_some(), is_weaker, "{params}");
    }
    assert!(hasher.upgrade("password", &hash("hush")).await.is_err());
}

#[tokio::test]
async fn an_unreadable_hash_is_an_error_that_does_not_repeat_it() {
    let hasher = hasher(Cost::Least);
    for (unreadable, reason) in [
        ("", "not a PHC string"),
        ("hush", "not a PHC string"),
        ("$2b$12$hush.hush.hush", "not a whole one of bcrypt"),
        ("$2x$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "not a PHC string"),
        ("$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "the cost 15"),
        (
            "$scrypt$ln=16,r=8,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "not one of Argon2",
        ),
        (
            "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "not one of Argon2",
        ),
        (
            "$argon2id$v=19$m=1,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "not one of Argon2",
        ),
        ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ", "no salt"),
        ("$argon2id$v=19$m=256,t=2,p=1", "no salt"),
        ("$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg", "4194304 KiB"),
        ("$argon2id$v=19$m=256,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg", "65 passes"),
    ] {
        let HashingError(error) =
            hasher.verify("password", Some(hash(unreadable))).await.expect_err(unreadable);
        let error = error.to_string();
        assert!(error.contains(reason) && !error.contains("hush"), "{unreadable}: {error}");
    }
}

#[tokio::test]
async fn a_text_of_any_length_is_verified_as_it_is() {
    let hasher = hasher(Cost::Least);
    let long = "correct horse ".repeat(9);
    let kept = hasher.hash(&password(&long)).await.expect("hashed");
    assert!(hasher.verify(&long, Some(kept.clone())).await.expect("verified"));
    assert!(!hasher.verify(long.trim(), Some(kept.clone())).await.expect("verified"));
    assert!(!hasher.verify(&"x".repeat(1_000_000), Some(kept)).await.expect("verified"));
}

#[test]
fn debug_shows_no_hash() {
    assert_eq!(format!("{:?}", hasher(Cost::Standard)), "Argon2Hasher { cost: Standard, .. }");
}

/// From the tests of `crypt_blowfish` (`wrapper.c`). bcrypt ignores what follows the first 72 bytes.
const BCRYPT: [(&str, &str); 4] = [
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    (
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
    ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
];

#[tokio::test]
async fn hashes_of_bcrypt_are_verified() {
    let hasher = hasher(Cost::Least);
    for (text, kept) in BCRYPT {
        for form in ["$2a$", "$2b$", "$2y$"] {
            let kept = hash(&kept.replacen("$2a$", form, 1));
            assert!(hasher.verify(text, Some(kept.clone())).await.expect("verified"), "{text} {form}");
            for wrong in [format!("x{text}"), text.to_lowercase() + "u", "0".repeat(100)] {
                assert!(
                    !hasher.verify(&wrong, Some(kept.clone())).await.expect("verified"),
                    "{wrong} {form}"
                );
            }
        }
    }
    // The work on top changes no answer.
    let kept = hasher.hash(&password("correct horse")).await.expect("hashed");
    assert!(hasher.verify("correct horse", Some(kept.clone())).await.expect("verified"));
    assert!(!hasher.verify("incorrect horse", Some(kept)).await.expect("verified"));
    assert!(!hasher.verify("correct horse", None).await.expect("verified"));
}

#[tokio::test]
async fn a_hash_of_bcrypt_is_upgraded_if_it_was_of_the_whole_text() {
    let hasher = hasher(Cost::Standard);
    let (text, kept) = BCRYPT[0];
    let upgraded = hasher.upgrade(text, &hash(kept)).await.expect("hashed").expect("another hash");
    assert!(upgraded.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", upgraded.0);
    assert!(hasher.verify(text, Some(upgraded)).await.expect("verified"));
    let (text, kept) = BCRYPT[2];
    assert_eq!(hasher.upgrade(text, &hash(kept)).await.expect("read"), None);
    let (whole, _) = text.split_at(72);
    assert!(hasher.upgrade(whole, &hash(kept)).await.expect("hashed").is_some());
}
