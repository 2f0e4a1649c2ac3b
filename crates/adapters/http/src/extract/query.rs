//! The query.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use deserr::Deserr;
use serde_json::{Map, Value};

use super::problems::{Problems, parse};
use crate::{error::ApiError, error_body::Detail};

/// The query, read when the handler asks for it. Unknown parameters are ignored, of a repeated one the last counts, and an
/// empty one counts as absent.
pub(crate) struct Query<T> {
    request: HttpRequest,
    target: PhantomData<T>,
}

impl<T: Deserr<Problems>> Query<T> {
    /// Reads the query, and reports every problem of every parameter.
    pub(crate) fn read(&self) -> Result<T, ApiError> {
        let filled = pairs(&self.request)?.into_iter().filter(|(_, value)| !value.is_empty());
        Ok(parse(members(filled), "query")?)
    }
}

impl<T> Query<T> {
    /// Returns the parameters whose names begin so, by the rest of their names, of a repeated one the last. Empty ones are
    /// absent.
    pub(crate) fn prefixed(&self, prefix: &str) -> Result<BTreeMap<String, String>, ApiError> {
        let named = |(name, value): (String, String)| Some((name.strip_prefix(prefix)?.to_owned(), value));
        Ok(pairs(&self.request)?
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(named)
            .collect())
    }
}

impl<T> FromRequest for Query<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), target: PhantomData }))
    }
}

/// Returns the names and values of a query, decoded and in the order sent.
pub(crate) fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, ApiError> {
    if request.query_string().is_empty() {
        return Ok(Vec::new());
    }
    let unreadable = || ApiError::BadInput(vec![Detail::of_query("", "The query cannot be read.")]);
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = pairs.map_err(|_| unreadable())?.into_inner();
    if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
        let problem = Detail::of_query(name, "This parameter must not contain NUL.");
        return Err(ApiError::BadInput(vec![problem]));
    }
    Ok(pairs)
}

/// Returns the pairs as an object, as [`parse`] takes it.
pub(crate) fn members(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}
