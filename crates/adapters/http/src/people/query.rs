//! The queries of lists of users and service accounts.

use deserr::Deserr;
use latchkey_domain::ProjectId;
use latchkey_ports::Page;
use utoipa::IntoParams;

use crate::extract::{Problems, text::Parsed};

/// The page of a list of users or service accounts.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// The maximum number of accounts to return. Absent: all.
    #[deserr(default)]
    #[param(value_type = Option<u32>, format = "uint32")]
    limit: Option<Parsed<u32>>,
    /// The number of accounts to skip.
    #[deserr(default)]
    #[param(value_type = Option<u64>, format = "uint64")]
    offset: Option<Parsed<u64>>,
}

impl From<PageQuery> for Page {
    fn from(query: PageQuery) -> Self {
        Self {
            limit: query.limit.map(|Parsed(limit)| limit),
            offset: query.offset.map_or(0, |Parsed(offset)| offset),
        }
    }
}

/// Where a user's permissions are looked at.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaceQuery {
    /// The project. Absent: permissions of projects are looked at for the whole instance.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "web-shop", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    pub(super) project: Option<ProjectId>,
}

/// The text that users are searched for.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// The text; fewer than two characters find no user.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "hunter", pattern = "^[^\\u0000]*$")]
    pub(super) q: String,
}
