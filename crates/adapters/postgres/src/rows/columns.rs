//! Columns that are read straight into what the domain makes of them, without a copy in between; for the rows that are
//! read by the dozen.
//!
//! What the domain refuses is kept, not thrown: whoever knows the row turns it into an [`Inconsistency`].
//!
//! [`Inconsistency`]: latchkey_ports::Inconsistency

use std::{array::TryFromSliceError, str::FromStr};

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    pg::{Pg, PgValue, data_types::PgTimestamp},
    sql_types::{Binary, Text, Timestamptz},
};
use latchkey_domain::{Timestamp, TimestampOutOfRange};

/// Milliseconds from 1970, where time begins for us, to 2000, where it does for PostgreSQL.
const YEAR_2000: i64 = 946_684_800_000;

/// Text, as a type of the domain reads it.
#[derive(Debug, FromSqlRow)]
pub(crate) struct Parsed<T: FromStr>(pub(crate) Result<T, T::Err>);

/// Bytes of a number that is known.
#[derive(Debug, FromSqlRow)]
pub(crate) struct Bytes<const N: usize>(pub(crate) Result<[u8; N], TryFromSliceError>);

/// A moment.
#[derive(Debug, FromSqlRow)]
pub(crate) struct Moment(pub(crate) Result<Timestamp, TimestampOutOfRange>);

impl<T: FromStr> FromSql<Text, Pg> for Parsed<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(str::from_utf8(value.as_bytes())?.parse()))
    }
}

impl<const N: usize> FromSql<Binary, Pg> for Bytes<N> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(value.as_bytes().try_into()))
    }
}

impl FromSql<Timestamptz, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(micros) = FromSql::<Timestamptz, Pg>::from_sql(value)?;
        Ok(Self(Timestamp::from_millis(micros.div_euclid(1_000).saturating_add(YEAR_2000))))
    }
}
