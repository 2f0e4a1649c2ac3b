//! How a statement of diesel's is sent: prepared under a name and kept, or without a name.
//!
//! A statement without a name is parsed, bound and executed in one message and leaves nothing in the session. That is
//! how all are sent behind a pooler in transaction mode, where the next transaction may run in another session; and
//! elsewhere those that must be planned for their very values ([`Unprepared`]).

use std::{
    any::TypeId,
    collections::HashMap,
    error::Error as StdError,
    marker::PhantomData,
    sync::{Mutex, PoisonError},
};

use diesel::{
    QueryResult,
    pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata},
    query_builder::{
        AstPass, Query, QueryBuilder, QueryFragment, QueryId, bind_collector::RawBytesBindCollector,
    },
    result::Error,
};
use tokio_postgres::{
    Client,
    types::{IsNull, Kind, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{errors::driver_error, rows::Rows};

/// The prepared statements of a session.
#[derive(Default)]
pub(super) struct StatementCache(Mutex<HashMap<Key, tokio_postgres::Statement>>);

/// What identifies a statement: its type where that determines the text, the text otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Type(TypeId),
    Text(String),
}

impl StatementCache {
    fn get(&self, key: &Key) -> Option<tokio_postgres::Statement> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn insert(&self, key: Key, statement: &tokio_postgres::Statement) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, statement.clone());
    }
}

/// A statement that is ready to be sent.
pub(super) struct Statement {
    form: Form,
    binds: Vec<Bind>,
}

enum Form {
    Prepared(tokio_postgres::Statement),
    ToPrepare { key: Key, text: String, types: Vec<Type> },
    Unnamed { text: String, types: Vec<Type> },
}

impl Statement {
    pub(super) fn of<Q>(query: &Q, cache: Option<&StatementCache>) -> QueryResult<Self>
    where
        Q: QueryFragment<Pg> + QueryId,
    {
        let mut collected = RawBytesBindCollector::<Pg>::new();
        let lookup: &mut dyn PgMetadataLookup = &mut NoLookup;
        query.collect_binds(&mut collected, lookup, &Pg)?;
        let binds = collected.binds.into_iter().map(Bind).collect();
        let types = || collected.metadata.iter().map(type_of).collect::<QueryResult<_>>();
        let by_type = Q::query_id().map(Key::Type);
        // In the usual case no text is written.
        if let (Some(cache), Some(key)) = (cache, &by_type)
            && let Some(statement) = cache.get(key)
        {
            return Ok(Self { form: Form::Prepared(statement), binds });
        }
        let text = text_of(query)?;
        let form = match cache {
            Some(cache) if by_type.is_some() || query.is_safe_to_cache_prepared(&Pg)? => {
                let key = by_type.unwrap_or_else(|| Key::Text(text.clone()));
                match cache.get(&key) {
                    Some(statement) => Form::Prepared(statement),
                    None => Form::ToPrepare { key, text, types: types()? },
                }
            }
            _ => Form::Unnamed { text, types: types()? },
        };
        Ok(Self { form, binds })
    }

    pub(super) async fn load(self, client: &Client, cache: Option<&StatementCache>) -> QueryResult<Rows> {
        let rows = match self.form {
            Form::Prepared(statement) => client.query_raw(&statement, self.binds).await,
            Form::ToPrepare { key, text, types } => {
                let statement = prepare(client, cache, key, &text, &types).await?;
                client.query_raw(&statement, self.binds).await
            }
            Form::Unnamed { text, types } => {
                client.query_typed_raw(&text, self.binds.into_iter().zip(types)).await
            }
        };
        rows.map(Rows::new).map_err(driver_error)
    }

    pub(super) async fn execute(self, client: &Client, cache: Option<&StatementCache>) -> QueryResult<usize> {
        let count = match self.form {
            Form::Prepared(statement) => client.execute_raw(&statement, self.binds).await,
            Form::ToPrepare { key, text, types } => {
                let statement = prepare(client, cache, key, &text, &types).await?;
                client.execute_raw(&statement, self.binds).await
            }
            Form::Unnamed { text, types } => {
                let binds: Vec<(&(dyn ToSql + Sync), Type)> =
                    self.binds.iter().map(|bind| bind as &(dyn ToSql + Sync)).zip(types).collect();
                client.execute_typed(&text, &binds).await
            }
        };
        let count = count.map_err(driver_error)?;
        usize::try_from(count).map_err(|error| Error::DeserializationError(Box::new(error)))
    }
}

/// Of two tasks that prepare a statement at once, the later one's is kept.
async fn prepare(
    client: &Client,
    cache: Option<&StatementCache>,
    key: Key,
    text: &str,
    types: &[Type],
) -> QueryResult<tokio_postgres::Statement> {
    let statement = client.prepare_typed(text, types).await.map_err(driver_error)?;
    if let Some(cache) = cache {
        cache.insert(key, &statement);
    }
    Ok(statement)
}

fn text_of(query: &impl QueryFragment<Pg>) -> QueryResult<String> {
    let mut text = PgQueryBuilder::default();
    query.to_sql(&mut text, &Pg)?;
    Ok(text.finish())
}

fn type_of(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata.oid().map_err(|error| Error::SerializationError(Box::new(error)))?;
    let other = || Type::new(format!("type {oid}"), oid, Kind::Simple, "pg_catalog".to_owned());
    Ok(Type::from_oid(oid).unwrap_or_else(other))
}

/// The schema has no types of its own. For one, the server would be left to infer the type (0: not specified).
struct NoLookup;

impl PgMetadataLookup for NoLookup {
    fn lookup_type(&mut self, _name: &str, _schema: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

/// A value that diesel has serialized already.
#[derive(Debug)]
struct Bind(Option<Vec<u8>>);

impl ToSql for Bind {
    fn to_sql(&self, _kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A statement whose text is always the same for this `T`, so that it is kept prepared. Of statements that are written as
/// text (`sql_query`), diesel does not know that.
pub(crate) struct FixedText<T, Q>(Q, PhantomData<T>);

impl<T, Q> FixedText<T, Q> {
    pub(crate) fn new(query: Q) -> Self {
        Self(query, PhantomData)
    }
}

impl<T: 'static, Q> QueryId for FixedText<T, Q> {
    type QueryId = T;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T, Q: Query> Query for FixedText<T, Q> {
    type SqlType = Q::SqlType;
}

impl<T, Q: QueryFragment<Pg>> QueryFragment<Pg> for FixedText<T, Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// A statement that is planned for its very values each time it is sent. The filters of a list differ from call to call:
/// a generic plan is bad for rare values, and there are more texts of such statements than a session should keep.
pub(crate) struct Unprepared<Q>(pub(crate) Q);

impl<Q> QueryId for Unprepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Unprepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Unprepared<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out)
    }
}
