//! Functions of SQLite on texts, as diesel sees them.

use diesel::{
    define_sql_function,
    sql_types::{Nullable, Text},
};

define_sql_function! {
    /// Where a text is in another, from 1; 0 where it is not. Case matters.
    fn instr(whole: Nullable<Text>, part: Nullable<Text>) -> Nullable<Integer>;
}

define_sql_function! {
    /// The text with the letters of ASCII in lower case.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}
