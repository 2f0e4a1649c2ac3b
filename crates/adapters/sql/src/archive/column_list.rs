//! The columns of diesel's tables, with the kinds that their values have in archives.

use diesel::{Column, Expression, sql_types};
use latchkey_ports::{ArchivedColumn, ColumnKind};

use crate::columns::{Id, Int, Json, RawText, UtcTime};

/// The SQL types that archives have.
pub(super) trait Kind {
    const KIND: ColumnKind;
}

macro_rules! kinds {
    ($($type:ty => $kind:ident),+ $(,)?) => {
        $( impl Kind for $type { const KIND: ColumnKind = ColumnKind::$kind; } )+
    };
}

kinds! {
    sql_types::Text => Text,
    sql_types::BigInt => Integer,
    Int => Integer,
    sql_types::Bool => Boolean,
    UtcTime => Time,
    sql_types::Binary => Bytes,
    Id => Id,
    Json => Json,
    RawText => RawText,
}

impl<T> Kind for sql_types::Nullable<T>
where
    T: Kind + sql_types::SqlType<IsNull = sql_types::is_nullable::NotNull>,
{
    const KIND: ColumnKind = T::KIND;
}

/// The columns of a table, as diesel lists them.
pub(super) trait ColumnList {
    fn list() -> Vec<ArchivedColumn>;
}

macro_rules! column_lists {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first, $($rest),*> ColumnList for ($first, $($rest,)*)
        where
            $first: Column + Expression<SqlType: Kind>,
            $( $rest: Column + Expression<SqlType: Kind>, )*
        {
            fn list() -> Vec<ArchivedColumn> {
                let column = |name: &str, kind| ArchivedColumn { name: name.to_owned(), kind };
                vec![
                    column($first::NAME, <$first::SqlType as Kind>::KIND),
                    $( column($rest::NAME, <$rest::SqlType as Kind>::KIND), )*
                ]
            }
        }
        column_lists!($($rest)*);
    };
}

column_lists!(A B C D E F G H I J K L M N O P Q R S T U V W X);
