//! `/api/admin/instance-admin/statistics`: how much the instance holds.

use actix_web::web::Data;
use latchkey_domain::TokenKind;
use latchkey_ports::Statistics;
use latchkey_service::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::Authorized,
    response::{ApiResult, Tagged, tagged},
};

/// The version of Unleash whose clients are served, which they choose the form of their requests by: those of 7 send names of
/// tokens as both generations call them.
const UNLEASH_VERSION: &str = "7.6.5";

pub(super) fn configure(api: &mut Api) {
    api.tag("Operational").private(operations![get_instance_admin_stats]);
}

/// Get statistics of the instance.
///
/// What it holds, and the version of Unleash that its clients may expect.
#[utoipa::path(get, path = "/api/admin/instance-admin/statistics", responses(
    (status = 200, description = "The statistics.", body = StatisticsBody),
))]
async fn get_instance_admin_stats(
    Authorized(caller): Authorized<Caller>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let statistics = context.use_cases.statistics(&caller).await?;
    tagged(&StatisticsBody::from(&statistics), 256)
}

/// How much the instance holds of each thing.
#[derive(Serialize, ToSchema)]
#[schema(as = instanceAdminStatsSchema)]
#[serde(rename_all = "camelCase")]
struct StatisticsBody {
    /// The version of Unleash that clients may take this server for.
    #[serde(rename = "versionOSS")]
    #[schema(example = "7.6.5")]
    version: &'static str,
    /// The number of people.
    #[schema(example = 8)]
    users: u64,
    /// The number of service accounts.
    #[schema(example = 3)]
    service_accounts: u64,
    /// The number of projects, archived ones too.
    #[schema(example = 4)]
    projects: u64,
    /// The number of environments.
    #[schema(example = 2)]
    environments: u64,
    /// The number of roles, built in or not.
    #[schema(example = 5)]
    roles: u64,
    /// The number of custom roles for the whole instance.
    #[schema(example = 1)]
    custom_root_roles: u64,
    /// The number of API tokens, expired ones too.
    api_tokens: TokenStatisticsBody,
}

/// The number of API tokens of each type.
#[derive(Serialize, ToSchema)]
#[schema(as = apiTokenStatsSchema)]
struct TokenStatisticsBody {
    /// Admin tokens.
    #[schema(example = 1)]
    admin: u64,
    /// Client tokens.
    #[schema(example = 12)]
    client: u64,
    /// Frontend tokens.
    #[schema(example = 4)]
    frontend: u64,
}

impl From<&Statistics> for StatisticsBody {
    fn from(statistics: &Statistics) -> Self {
        let tokens = |kind: TokenKind| statistics.tokens.get(&kind).copied().unwrap_or(0);
        Self {
            version: UNLEASH_VERSION,
            users: statistics.users,
            service_accounts: statistics.service_accounts,
            projects: statistics.projects,
            environments: statistics.environments,
            roles: statistics.roles,
            custom_root_roles: statistics.custom_root_roles,
            api_tokens: TokenStatisticsBody {
                admin: tokens(TokenKind::Admin),
                client: tokens(TokenKind::Client),
                frontend: tokens(TokenKind::Frontend),
            },
        }
    }
}
