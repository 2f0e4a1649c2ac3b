//! Column types: how a value of the domain is stored by each backend.
//!
//! | SQL type | PostgreSQL | SQLite |
//! | --- | --- | --- |
//! | [`UtcTime`] | `timestamptz` | `INTEGER`, milliseconds since 1970 |
//! | [`Id`] | `uuid` | `BLOB` |
//! | [`Json`] | `jsonb` | `TEXT` |
//! | [`Int`] | `integer` | `INTEGER` |
//! | [`RawText`] | `bytea` | `TEXT` |
//! | [`TextList`] | `text[]` | `TEXT`, a JSON array |
//!
//! A value is read straight into its domain type, without a copy in between: lists have thousands of rows. A value that
//! the domain refuses is kept as an error until the row is converted, because only the row has a name that an operator
//! can look for.

use std::{array::TryFromSliceError, fmt::Debug, str::FromStr};

use diesel::{deserialize::FromSqlRow, expression::AsExpression, query_builder::QueryId, sql_types::SqlType};
use latchkey_domain::{Timestamp, TokenId};
use serde_json::Value;
use uuid::Uuid;

/// The SQL types of the tables, for `diesel::table!`.
pub mod prelude {
    #[cfg(feature = "postgres")]
    pub use diesel::sql_types::Array;
    pub use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

    pub use super::{Id, Int, Json, RawText, UtcTime};
}

/// A point in time.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct UtcTime;

/// A UUID.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Id;

/// JSON.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Json;

/// A 32-bit integer.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 23, array_oid = 1007), sqlite_type(name = "Long"))]
pub struct Int;

/// Text that may contain NUL, which PostgreSQL's `text` cannot.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 17, array_oid = 1001), sqlite_type(name = "Text"))]
pub struct RawText;

/// A list of texts, in order.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1009, array_oid = 0), sqlite_type(name = "Text"))]
pub struct TextList;

/// Milliseconds since 1970-01-01T00:00:00Z, as a column of type [`UtcTime`] holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = UtcTime)]
pub struct DbTime(pub i64);

impl From<Timestamp> for DbTime {
    fn from(time: Timestamp) -> Self {
        Self(time.millis())
    }
}

/// A value of a column of type [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Id)]
pub struct DbId(pub Uuid);

impl From<TokenId> for DbId {
    fn from(id: TokenId) -> Self {
        Self(id.as_uuid())
    }
}

impl DbId {
    /// Returns the smallest id that is greater than this one, or the smallest of all; `None` if no id is greater.
    #[must_use]
    pub fn following(after: Option<TokenId>) -> Option<Self> {
        let Some(after) = after else { return Some(Self(Uuid::nil())) };
        after.as_uuid().as_u128().checked_add(1).map(|next| Self(Uuid::from_u128(next)))
    }
}

/// A value of a column of type [`Int`], before its range is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Int)]
pub struct DbInt(pub i64);

/// A value of a column of type [`RawText`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = RawText)]
pub struct DbRawText(pub String);

/// Text or JSON, parsed as a type of the domain.
#[derive(Debug, FromSqlRow)]
pub struct Parsed<T: FromStr>(pub Result<T, T::Err>);

/// A list of texts, each parsed as a type of the domain.
#[derive(FromSqlRow)]
pub struct ParsedList<T: FromStr>(pub Vec<Parsed<T>>);

/// Bytes of a known number.
#[derive(Debug, FromSqlRow)]
pub struct Bytes<const N: usize>(pub Result<[u8; N], TryFromSliceError>);

/// JSON that is read.
#[derive(Debug, FromSqlRow)]
pub struct DbJson(pub Result<Value, serde_json::Error>);

/// JSON that is written.
#[derive(Debug, AsExpression)]
#[diesel(sql_type = Json)]
pub struct NewJson<T: Debug = Value>(pub T);

#[cfg(feature = "postgres")]
mod postgres {
    use std::{fmt::Debug, io::Write, str::FromStr};

    use diesel::{
        deserialize::{self, FromSql},
        pg::{Pg, PgValue},
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Array, BigInt, Binary, Integer, Text},
    };
    use serde::Serialize;
    use uuid::Uuid;

    use super::{
        Bytes, DbId, DbInt, DbJson, DbRawText, DbTime, Id, Int, Json, NewJson, Parsed, ParsedList, RawText,
        TextList, UtcTime,
    };

    /// Milliseconds from 1970, the epoch of [`DbTime`], to 2000, the epoch of PostgreSQL.
    const YEAR_2000: i64 = 946_684_800_000;
    /// The only version of the binary form of `jsonb`.
    const JSONB_VERSION: u8 = 1;

    impl FromSql<UtcTime, Pg> for DbTime {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let micros: i64 = FromSql::<BigInt, Pg>::from_sql(value)?;
            Ok(Self(micros.div_euclid(1_000).saturating_add(YEAR_2000)))
        }
    }

    impl ToSql<UtcTime, Pg> for DbTime {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            let micros = self.0.saturating_sub(YEAR_2000).saturating_mul(1_000);
            ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
        }
    }

    impl FromSql<Id, Pg> for DbId {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.as_bytes())?))
        }
    }

    impl ToSql<Id, Pg> for DbId {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Json, Pg> for DbJson {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(serde_json::from_slice(json_text(value.as_bytes())?)))
        }
    }

    impl<T: FromStr> FromSql<Json, Pg> for Parsed<T> {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(str::from_utf8(json_text(value.as_bytes())?)?.parse()))
        }
    }

    fn json_text(value: &[u8]) -> deserialize::Result<&[u8]> {
        match value {
            [JSONB_VERSION, text @ ..] => Ok(text),
            _ => Err("unknown version of jsonb".into()),
        }
    }

    impl<T: Debug + Serialize> ToSql<Json, Pg> for NewJson<T> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            serde_json::to_writer(out, &self.0)?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Int, Pg> for DbInt {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            let number: i32 = FromSql::<Integer, Pg>::from_sql(value)?;
            Ok(Self(number.into()))
        }
    }

    impl ToSql<Int, Pg> for DbInt {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            ToSql::<Integer, Pg>::to_sql(&i32::try_from(self.0)?, &mut out.reborrow())
        }
    }

    impl FromSql<RawText, Pg> for DbRawText {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(str::from_utf8(value.as_bytes())?.to_owned()))
        }
    }

    impl ToSql<RawText, Pg> for DbRawText {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl<T: FromStr> FromSql<Text, Pg> for Parsed<T> {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(str::from_utf8(value.as_bytes())?.parse()))
        }
    }

    impl<T: FromStr> FromSql<TextList, Pg> for ParsedList<T> {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            FromSql::<Array<Text>, Pg>::from_sql(value).map(Self)
        }
    }

    impl<const N: usize> FromSql<Binary, Pg> for Bytes<N> {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(value.as_bytes().try_into()))
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::{borrow::Cow, fmt::Debug, str::FromStr};

    use diesel::{
        deserialize::{self, FromSql},
        serialize::{self, IsNull, Output, ToSql},
        sql_types::{Binary, Text},
        sqlite::{Sqlite, SqliteValue},
    };
    use serde::Serialize;
    use uuid::Uuid;

    use super::{
        Bytes, DbId, DbInt, DbJson, DbRawText, DbTime, Id, Int, Json, NewJson, Parsed, ParsedList, RawText,
        TextList, UtcTime,
    };

    impl FromSql<UtcTime, Sqlite> for DbTime {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_long()))
        }
    }

    impl ToSql<UtcTime, Sqlite> for DbTime {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0);
            Ok(IsNull::No)
        }
    }

    impl FromSql<Id, Sqlite> for DbId {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.read_blob())?))
        }
    }

    impl ToSql<Id, Sqlite> for DbId {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_bytes().as_slice());
            Ok(IsNull::No)
        }
    }

    impl FromSql<Json, Sqlite> for DbJson {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(serde_json::from_str(value.read_text())))
        }
    }

    impl<T: FromStr> FromSql<Json, Sqlite> for Parsed<T> {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_text().parse()))
        }
    }

    impl<T: Debug + Serialize> ToSql<Json, Sqlite> for NewJson<T> {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(serde_json::to_string(&self.0)?);
            Ok(IsNull::No)
        }
    }

    impl FromSql<Int, Sqlite> for DbInt {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_long()))
        }
    }

    impl ToSql<Int, Sqlite> for DbInt {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0);
            Ok(IsNull::No)
        }
    }

    impl FromSql<RawText, Sqlite> for DbRawText {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_text().to_owned()))
        }
    }

    impl ToSql<RawText, Sqlite> for DbRawText {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_str());
            Ok(IsNull::No)
        }
    }

    impl<T: FromStr> FromSql<Text, Sqlite> for Parsed<T> {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_text().parse()))
        }
    }

    impl<T: FromStr> FromSql<TextList, Sqlite> for ParsedList<T> {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            let texts: Vec<Cow<'_, str>> = serde_json::from_str(value.read_text())?;
            Ok(Self(texts.iter().map(|text| Parsed(text.parse())).collect()))
        }
    }

    impl<const N: usize> FromSql<Binary, Sqlite> for Bytes<N> {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(value.read_blob().try_into()))
        }
    }
}
