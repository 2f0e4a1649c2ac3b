//! How projects and environments are held while something is made of them, or in them. `locks` says in which order.

use diesel::{ExpressionMethods, QueryDsl, dsl::exists, select};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EnvironmentName, ProjectId};

use crate::{
    connection::Connection,
    errors::Failure,
    schema::{environments, projects},
};

/// Whether there is a project of this id.
pub(crate) async fn project_exists(connection: &mut Connection, id: &ProjectId) -> Result<bool, Failure> {
    let project = projects::table.filter(projects::id.eq(id.as_str()));
    Ok(select(exists(project)).get_result(connection).await?)
}

/// Whether there is a project of this id, which then stays until the transaction ends.
pub(crate) async fn hold_project(connection: &mut Connection, id: &ProjectId) -> Result<bool, Failure> {
    let project = projects::table.filter(projects::id.eq(id.as_str())).select(projects::id);
    let found: Vec<String> = project.for_key_share().load(connection).await?;
    Ok(!found.is_empty())
}

/// Those of these projects that exist. They stay, and nobody else can count or create tokens in them, until the
/// transaction ends.
pub(crate) async fn hold_projects(
    connection: &mut Connection,
    ids: &[&ProjectId],
) -> Result<Vec<String>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
    Ok(projects::table
        .filter(projects::id.eq_any(ids))
        .order(projects::id)
        .select(projects::id)
        .for_no_key_update()
        .load(connection)
        .await?)
}

/// Those of these environments that exist, which then stay until the transaction ends.
pub(crate) async fn hold_environments(
    connection: &mut Connection,
    names: &[&EnvironmentName],
) -> Result<Vec<String>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    Ok(environments::table
        .filter(environments::name.eq_any(names))
        .order(environments::name)
        .select(environments::name)
        .for_key_share()
        .load(connection)
        .await?)
}

/// The first of these whose key is not among those found.
pub(crate) fn first_missing<'w, W, K: PartialEq + ?Sized>(
    wanted: &'w [W],
    key: impl Fn(&W) -> &K,
    found: &[impl std::borrow::Borrow<K>],
) -> Option<&'w W> {
    wanted.iter().find(|one| !found.iter().any(|key_found| key_found.borrow() == key(one)))
}
