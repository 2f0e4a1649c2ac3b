//! The driver's rows, as diesel reads them.

use std::{
    error::Error,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use diesel::{
    QueryResult,
    pg::{Pg, PgValue},
    row::{self, PartialRow, RowIndex, RowSealed},
};
use futures_util::Stream;
use tokio_postgres::{
    RowStream,
    types::{FromSql, Type},
};

use super::errors::driver_error;

/// The rows that a statement returns.
pub(crate) struct Rows {
    rows: Pin<Box<RowStream>>,
    /// The types of the columns, from the first row on.
    types: Option<Arc<[NonZeroU32]>>,
}

impl Rows {
    pub(super) fn new(rows: RowStream) -> Self {
        Self { rows: Box::pin(rows), types: None }
    }
}

impl Stream for Rows {
    type Item = QueryResult<Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<QueryResult<Row>>> {
        let Self { rows, types } = self.get_mut();
        rows.as_mut().poll_next(context).map(|row| {
            row.map(|row| {
                let row = row.map_err(driver_error)?;
                let types = types.get_or_insert_with(|| types_of(&row));
                Ok(Row { row, types: Arc::clone(types) })
            })
        })
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
pub(crate) struct Row {
    row: tokio_postgres::Row,
    types: Arc<[NonZeroU32]>,
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
        self.row.len()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        Some(Field { row: &self.row, index, kind: self.types.get(index)? })
    }

    fn partial_row(&self, range: std::ops::Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for Row {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.row.len()).then_some(index)
    }
}

impl<'n> RowIndex<&'n str> for Row {
    fn idx(&self, name: &'n str) -> Option<usize> {
        self.row.columns().iter().position(|column| column.name() == name)
    }
}

/// One value of a row.
pub(crate) struct Field<'f> {
    row: &'f tokio_postgres::Row,
    index: usize,
    kind: &'f NonZeroU32,
}

impl row::Field<'_, Pg> for Field<'_> {
    fn field_name(&self) -> Option<&str> {
        self.row.columns().get(self.index).map(tokio_postgres::Column::name)
    }

    fn value(&self) -> Option<PgValue<'_>> {
        let Bytes(bytes) = self.row.try_get(self.index).ok()?;
        Some(PgValue::new(bytes?, self.kind))
    }
}

/// A value as the server sent it.
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
