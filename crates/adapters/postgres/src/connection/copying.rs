//! `COPY … FROM STDIN BINARY`: many rows for the cost of their bytes.

use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use diesel::{QueryResult, result::Error};
use futures_util::SinkExt;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::{Connection, errors::driver_error};

/// What the binary form begins with: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a length: no value; in place of the number of columns: the end.
const NONE: i32 = -1;
const END: i16 = -1;

/// Rows in PostgreSQL's binary form ("File Formats" in the reference page of `COPY`). They are made without a connection, so that
/// one thread makes them while another sends those before.
pub(crate) struct CopyRows {
    types: &'static [Type],
    bytes: BytesMut,
    /// The value that is being written: its length comes first.
    value: BytesMut,
}

impl CopyRows {
    /// Begins rows with columns of these types.
    pub(crate) fn new(types: &'static [Type]) -> Self {
        Self { types, bytes: BytesMut::from(HEADER), value: BytesMut::new() }
    }

    /// Adds a row. It has a value for each column.
    pub(crate) fn push(&mut self, values: &[&(dyn ToSql + Sync)]) -> QueryResult<()> {
        self.bytes.put_i16(i16::try_from(values.len()).map_err(unwritable)?);
        for (value, kind) in values.iter().zip(self.types) {
            self.value.clear();
            match value.to_sql_checked(kind, &mut self.value).map_err(Error::SerializationError)? {
                IsNull::Yes => self.bytes.put_i32(NONE),
                IsNull::No => {
                    self.bytes.put_i32(i32::try_from(self.value.len()).map_err(unwritable)?);
                    self.bytes.put_slice(&self.value);
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Bytes {
        self.bytes.put_i16(END);
        self.bytes.freeze()
    }
}

fn unwritable(error: std::num::TryFromIntError) -> Error {
    Error::SerializationError(Box::new(error))
}

impl Connection {
    /// Executes a statement `COPY … FROM STDIN BINARY` with these rows.
    pub(crate) async fn copy_in(&self, statement: &str, rows: CopyRows) -> QueryResult<()> {
        let copied = async {
            let mut sink = pin!(self.client.copy_in(statement).await.map_err(driver_error)?);
            sink.send(rows.finish()).await.map_err(driver_error)?;
            sink.finish().await.map(drop).map_err(driver_error)
        };
        self.watch.over(pin!(copied)).await
    }
}
