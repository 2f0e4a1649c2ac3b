//! Rows of either way, as diesel reads them.

use std::{
    error::Error,
    future::Future,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use diesel::{
    QueryResult,
    pg::{Pg, PgValue},
    row::{self, PartialRow, Row as _, RowIndex, RowSealed},
};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection};
use futures_util::{Stream, future::BoxFuture, stream::BoxStream};
use tokio_postgres::{
    RowStream,
    types::{FromSql, Type},
};

use super::driver_error::failed;

type PreparedRow = <AsyncPgConnection as AsyncConnectionCore>::Row<'static, 'static>;
type PreparedRows = BoxStream<'static, QueryResult<PreparedRow>>;

/// A statement on its way. Its answer is not wrapped in another future: most statements are the prepared ones.
pub(crate) enum Loading<'a> {
    Prepared(BoxFuture<'a, QueryResult<PreparedRows>>),
    Unnamed(BoxFuture<'a, QueryResult<Rows>>),
}

impl Future for Loading<'_> {
    type Output = QueryResult<Rows>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<QueryResult<Rows>> {
        match self.get_mut() {
            Self::Prepared(loading) => loading.as_mut().poll(context).map(|rows| rows.map(Rows::Prepared)),
            Self::Unnamed(loading) => loading.as_mut().poll(context),
        }
    }
}

/// What a statement answers.
pub(crate) enum Rows {
    Prepared(PreparedRows),
    /// With the types of the columns, once a row has told them.
    Unnamed(Pin<Box<RowStream>>, Option<Arc<[NonZeroU32]>>),
}

impl Rows {
    pub(super) fn unnamed(rows: RowStream) -> Self {
        Self::Unnamed(Box::pin(rows), None)
    }
}

impl Stream for Rows {
    type Item = QueryResult<Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<QueryResult<Row>>> {
        match self.get_mut() {
            Self::Prepared(rows) => {
                rows.as_mut().poll_next(context).map(|row| row.map(|row| row.map(Row::Prepared)))
            }
            Self::Unnamed(rows, types) => rows.as_mut().poll_next(context).map(|row| {
                row.map(|row| {
                    let row = row.map_err(failed)?;
                    let types = types.get_or_insert_with(|| types_of(&row));
                    Ok(Row::Unnamed(row, Arc::clone(types)))
                })
            }),
        }
    }
}

fn types_of(row: &tokio_postgres::Row) -> Arc<[NonZeroU32]> {
    // No column has the type 0, which means "not specified".
    row.columns()
        .iter()
        .map(|column| NonZeroU32::new(column.type_().oid()).unwrap_or(NonZeroU32::MAX))
        .collect()
}

/// A row.
pub(crate) enum Row {
    Prepared(PreparedRow),
    Unnamed(tokio_postgres::Row, Arc<[NonZeroU32]>),
}

impl RowSealed for Row {}

impl<'a> row::Row<'a, Pg> for Row {
    type Field<'f>
        = Field<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        match self {
            Self::Prepared(row) => row.field_count(),
            Self::Unnamed(row, _) => row.len(),
        }
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        match self {
            Self::Prepared(row) => row.get(index).map(Field::Prepared),
            Self::Unnamed(row, types) => Some(Field::Unnamed { row, index, kind: types.get(index)? }),
        }
    }

    fn partial_row(&self, range: std::ops::Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for Row {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.field_count()).then_some(index)
    }
}

impl<'n> RowIndex<&'n str> for Row {
    fn idx(&self, name: &'n str) -> Option<usize> {
        match self {
            Self::Prepared(row) => row.idx(name),
            Self::Unnamed(row, _) => row.columns().iter().position(|column| column.name() == name),
        }
    }
}

/// One value of a row.
pub(crate) enum Field<'f> {
    Prepared(<PreparedRow as row::Row<'static, Pg>>::Field<'f>),
    Unnamed { row: &'f tokio_postgres::Row, index: usize, kind: &'f NonZeroU32 },
}

impl row::Field<'_, Pg> for Field<'_> {
    fn field_name(&self) -> Option<&str> {
        match self {
            Self::Prepared(field) => field.field_name(),
            Self::Unnamed { row, index, .. } => row.columns().get(*index).map(tokio_postgres::Column::name),
        }
    }

    fn value(&self) -> Option<PgValue<'_>> {
        match self {
            Self::Prepared(field) => field.value(),
            Self::Unnamed { row, index, kind } => {
                let Bytes(bytes) = row.try_get(*index).ok()?;
                Some(PgValue::new(bytes?, *kind))
            }
        }
    }
}

/// A value as it came, for diesel to read.
struct Bytes<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_kind: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(bytes)))
    }

    fn from_sql_null(_kind: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }
}
