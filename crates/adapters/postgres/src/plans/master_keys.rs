//! Secrets that are moved to another master key.

use latchkey_domain::{PersonalTokenId, SessionId, TokenId};
use latchkey_ports::{KeyId, Rekeying, SecretDigest, SecretOf, SecretRecord};
use latchkey_sql::{columns::DbId, queries};
use uuid::Uuid;

use super::{large_store, plan, uses, uses_in_order};
use crate::master_keys::Sorted;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_read_in_the_order_of_the_primary_key() {
    let (mut connection, _database) = large_store().await;
    uses_in_order(
        &plan(&mut connection, queries::token_secrets_after(DbId(Uuid::from_u128(7)), 500)).await,
        &["api_tokens_id_unique"],
    );
}

/// The owner of a secret, by number, and the indexes that find it.
type Sort = (fn(u8) -> SecretOf, &'static [&'static str]);

fn token(number: u8) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(number.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_to_replace_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let rekeying = |number: u8, of: fn(u8) -> SecretOf| {
        let to = SecretRecord { digest: SecretDigest([number; 32]), key: KeyId([1; 4]), sealed: None };
        Rekeying { of: of(number), from: SecretDigest([number + 100; 32]), to }
    };
    let conflicting = ["api_tokens_secret_unique", "api_tokens_alias_unique", "retired_secrets_unique"];
    let sorts: [Sort; 5] = [
        (|number| SecretOf::Token(token(number)), &[]),
        (|number| SecretOf::Alias(token(number)), &[]),
        (|number| SecretOf::Retired(token(number)), &["retired_secrets_unique"]),
        (
            |number| SecretOf::PersonalToken(PersonalTokenId(number.into())),
            &["personal_tokens_pkey", "personal_tokens_secret_unique"],
        ),
        (
            |number| SecretOf::Session(SessionId(Uuid::from_u128(number.into()))),
            &["sessions_id_unique", "sessions_secret_unique"],
        ),
    ];
    for (of, indexes) in sorts {
        let rekeyings: Vec<_> = (0..8).map(|number| rekeying(number, of)).collect();
        for statement in Sorted::of(&rekeyings).statements() {
            let plan = plan(&mut connection, statement).await;
            uses(&plan, indexes);
            if matches!(of(0), SecretOf::Token(_) | SecretOf::Alias(_) | SecretOf::Retired(_)) {
                uses(&plan, &conflicting);
            }
        }
    }
}
