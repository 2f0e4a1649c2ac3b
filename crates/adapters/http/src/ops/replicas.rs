//! `/api/admin/replicas`: the processes that serve the instance.

use actix_web::web::Data;
use latchkey_ports::{Replica, ReplicaId};
use latchkey_service::{InstancePermit, ReadInstance};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    extract::Authorized,
    response::{ApiResult, Tagged, tagged},
    wire_time::WireTime,
};

/// About how large one replica is in JSON, in bytes.
const REPLICA_BYTES: usize = 256;

pub(super) fn configure(api: &mut Api) {
    api.tag("Operational").private(operations![get_replicas]);
}

/// Get the replicas.
///
/// The server processes that have reported themselves within the last minute, by their start. Each does so every ten seconds, and says
/// when it stops. Servers of older versions, and verifiers that cannot write to the primary, do not.
#[utoipa::path(get, path = "/api/admin/replicas", responses(
    (status = 200, description = "The replicas, by their start.", body = ReplicasBody<'_>),
))]
async fn get_replicas(
    Authorized(permit): Authorized<InstancePermit<ReadInstance>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let replicas = &context.use_cases.replicas;
    let listed = replicas.list(&permit).await?;
    tagged(&ReplicasBody::of(&listed, replicas.this()), REPLICA_BYTES * listed.len())
}

/// A process that serves the instance.
#[derive(Serialize, ToSchema)]
#[schema(as = replicaSchema)]
#[serde(rename_all = "camelCase")]
struct ReplicaBody<'r> {
    /// The id, new with each start of the process.
    #[schema(example = "1f0e5c1a-6f0e-4a7e-8d52-0b1f8a5a9f6e")]
    id: String,
    /// The name of its machine.
    #[schema(value_type = String, example = "latchkey-1")]
    host: &'r str,
    /// Where it listens, as its configuration says.
    #[schema(value_type = String, example = "0.0.0.0:4242")]
    address: &'r str,
    /// The version of its program.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'r str,
    /// When it started.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    started_at: WireTime,
    /// When it reported itself last, by its own clock.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T10:02:51.000Z")]
    seen_at: WireTime,
    /// How long ago it knew all changes then, in milliseconds, as its metric `latchkey_feed_age_seconds`; null if it never had.
    #[schema(required = true, example = 120)]
    feed_age_ms: Option<u64>,
    /// Whether it is the process that answers.
    #[schema(example = true)]
    current: bool,
}

/// The processes that serve the instance.
#[derive(Serialize, ToSchema)]
#[schema(as = replicasSchema)]
struct ReplicasBody<'r> {
    /// The replicas, by their start.
    replicas: Vec<ReplicaBody<'r>>,
}

impl<'r> ReplicasBody<'r> {
    /// Shows the replicas, of which one may be this process.
    fn of(replicas: &'r [Replica], current: Option<ReplicaId>) -> Self {
        let shown = replicas.iter().map(|replica| ReplicaBody {
            id: replica.id.to_string(),
            host: &replica.host,
            address: &replica.address,
            version: &replica.version,
            started_at: WireTime(replica.started_at),
            seen_at: WireTime(replica.seen_at),
            feed_age_ms: replica.feed_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            current: current == Some(replica.id),
        });
        Self { replicas: shown.collect() }
    }
}
