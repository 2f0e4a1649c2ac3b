//! The query.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use deserr::Deserr;
use latchkey_service::Rule;
use serde_json::{Map, Value};

use super::problems::{Problems, parse};
use crate::{error::ApiError, error_body::Detail};

/// The query, read when the handler asks for it. Unknown parameters are ignored, of a repeated one the last counts, and an
/// empty one counts as absent.
pub struct Query<T> {
    request: HttpRequest,
    target: PhantomData<T>,
}

/// Values by names, of a repeated name the last.
pub(crate) type Named = BTreeMap<String, String>;

impl<T: Deserr<Problems>> Query<T> {
    /// Reads the query, and reports every problem of every parameter.
    ///
    /// # Errors
    /// [`ApiError::BadInput`].
    pub fn read(&self) -> Result<T, ApiError> {
        Ok(parse(members(self.filled()?), "query")?)
    }
}

impl<T> Query<T> {
    /// Returns the parameters whose names begin so, by the rest of their names, and all others as [`parse`] takes them.
    pub(crate) fn split(&self, prefix: &str) -> Result<(Named, Map<String, Value>), ApiError> {
        let (mut named, mut others) = (Named::new(), Vec::new());
        for (name, value) in self.filled()? {
            match name.strip_prefix(prefix) {
                Some(rest) => drop(named.insert(rest.to_owned(), value)),
                None => others.push((name, value)),
            }
        }
        Ok((named, members(others)))
    }

    /// Returns all parameters but the empty ones, in the order sent.
    fn filled(&self) -> Result<impl Iterator<Item = (String, String)> + use<T>, ApiError> {
        Ok(pairs(&self.request)?.into_iter().filter(|(_, value)| !value.is_empty()))
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
        let problem = Detail::of_query(name, Rule::named("nul").says("This parameter must not contain NUL."));
        return Err(ApiError::BadInput(vec![problem]));
    }
    Ok(pairs)
}

/// Returns the pairs as an object, as [`parse`] takes it.
pub(crate) fn members(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}
