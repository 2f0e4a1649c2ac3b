//! Statements without names: parsed, bound and executed in one message, so that nothing of them is left in the session.

use std::error::Error;

use diesel::{
    QueryResult,
    connection::{Instrumentation, InstrumentationEvent},
    pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata},
    query_builder::{QueryBuilder, QueryFragment, bind_collector::RawBytesBindCollector},
};
use diesel_async::AnsiTransactionManager;
use tokio_postgres::{
    Client,
    types::{IsNull, Kind, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{driver_error::failed, rows::Rows};

/// A connection whose statements have no names.
pub(crate) struct Unnamed {
    client: Client,
    transaction_state: AnsiTransactionManager,
    instrumentation: Quiet,
}

impl Unnamed {
    pub(super) fn of(client: Client) -> Self {
        Self { client, transaction_state: AnsiTransactionManager::default(), instrumentation: Quiet }
    }

    pub(super) async fn load(&self, statement: QueryResult<Statement>) -> QueryResult<Rows> {
        let Statement { text, binds } = statement?;
        let rows = self.client.query_typed_raw(&text, binds).await.map_err(failed)?;
        Ok(Rows::unnamed(rows))
    }

    pub(super) async fn execute(&self, statement: QueryResult<Statement>) -> QueryResult<usize> {
        let Statement { text, binds } = statement?;
        let binds: Vec<(&(dyn ToSql + Sync), Type)> =
            binds.iter().map(|(bind, kind)| (bind as &(dyn ToSql + Sync), kind.clone())).collect();
        let count = self.client.execute_typed(&text, &binds).await.map_err(failed)?;
        usize::try_from(count).map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
    }

    pub(super) async fn batch_execute(&self, statements: &str) -> QueryResult<()> {
        self.client.batch_execute(statements).await.map_err(failed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transaction_state
    }

    pub(super) fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut self.instrumentation
    }
}

/// A statement as it is sent.
pub(super) struct Statement {
    text: String,
    binds: Vec<(Bind, Type)>,
}

impl Statement {
    pub(super) fn of(query: &impl QueryFragment<Pg>) -> QueryResult<Self> {
        let mut text = PgQueryBuilder::default();
        query.to_sql(&mut text, &Pg)?;
        let mut collected = RawBytesBindCollector::<Pg>::new();
        let lookup: &mut dyn PgMetadataLookup = &mut NoLookup;
        query.collect_binds(&mut collected, lookup, &Pg)?;
        let binds = collected.binds.into_iter().zip(&collected.metadata);
        let binds = binds.map(|(bytes, metadata)| Ok((Bind(bytes), type_of(metadata)?)));
        Ok(Self { text: text.finish(), binds: binds.collect::<QueryResult<_>>()? })
    }
}

fn type_of(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata.oid().map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
    let other = || Type::new(format!("type {oid}"), oid, Kind::Simple, "pg_catalog".to_owned());
    Ok(Type::from_oid(oid).unwrap_or_else(other))
}

/// The schema has no types of its own; were there one, the database would be left to infer it (0: not specified).
struct NoLookup;

impl PgMetadataLookup for NoLookup {
    fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

/// A value that diesel has written already.
#[derive(Debug)]
struct Bind(Option<Vec<u8>>);

impl ToSql for Bind {
    fn to_sql(&self, _kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Nobody looks on: `tracing` tells of the calls of ports.
struct Quiet;

impl Instrumentation for Quiet {
    fn on_connection_event(&mut self, _event: InstrumentationEvent<'_>) {}
}
