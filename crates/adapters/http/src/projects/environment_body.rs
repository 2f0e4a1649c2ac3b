//! Environments on the wire.

use latchkey_domain::{Environment, EnvironmentKind, EnvironmentName};
use latchkey_ports::{EnvironmentOverview, ProjectOverview};
use latchkey_service::{EnvironmentChange, EnvironmentDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{error::ApiError, error_body::Detail, extract::fields::Fields};

/// A body that makes an environment.
#[derive(ToSchema)]
#[schema(as = createEnvironmentSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateEnvironmentBody {
    /// The name, chosen once; not `.`, `..`, `project` or `sort-order`, which paths cannot carry.
    #[schema(example = "staging", pattern = "^[A-Za-z0-9_~.-]{1,100}$")]
    name: String,
    /// What it is used for.
    #[schema(value_type = EnvironmentType, example = "pre-production")]
    r#type: String,
    /// Whether it is switched on.
    #[schema(example = true, default = true)]
    enabled: Option<bool>,
    /// Where it stands in lists. Absent: last.
    #[schema(example = 4)]
    #[schema(rename = "sortOrder")]
    sort_order: Option<i32>,
}

/// A body that changes an environment. What is absent stays as it is.
#[derive(ToSchema)]
#[schema(as = updateEnvironmentSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it, problem by problem")]
pub(crate) struct UpdateEnvironmentBody {
    /// What it is used for.
    #[schema(value_type = Option<EnvironmentType>, example = "production")]
    r#type: Option<String>,
    /// Whether it is switched on.
    #[schema(example = false)]
    enabled: Option<bool>,
    /// Where it stands in lists.
    #[schema(example = 9)]
    #[schema(rename = "sortOrder")]
    sort_order: Option<i32>,
}

/// What an environment is used for.
#[derive(ToSchema)]
#[schema(as = environmentTypeSchema, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes the values for the document")]
pub(crate) enum EnvironmentType {
    Development,
    Test,
    PreProduction,
    Production,
}

/// Places in lists, by the names of environments.
#[derive(ToSchema)]
#[schema(as = sortOrderSchema, example = json!({"development": 1, "production": 2}))]
#[expect(dead_code, reason = "it describes the body for the document; `orders` reads it, problem by problem")]
pub(crate) struct SortOrderBody(std::collections::BTreeMap<String, i32>);

/// Reads the body that makes an environment.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<EnvironmentDraft, ApiError> {
    let mut fields = Fields::of(body)?;
    let name =
        fields.required("name", |text| EnvironmentName::new(text).map_err(|error| format!("The {error}.")));
    fields.need("type");
    let kind = kind(&mut fields);
    let enabled = fields.boolean("enabled").unwrap_or(true);
    let sort_order = fields.integer("sortOrder");
    let draft = name.zip(kind).map(|(name, kind)| EnvironmentDraft { name, kind, enabled, sort_order });
    fields.finish(draft)
}

/// Reads the body that changes an environment.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn change(body: Value) -> Result<EnvironmentChange, ApiError> {
    let mut fields = Fields::of(body)?;
    let change = EnvironmentChange {
        kind: kind(&mut fields),
        enabled: fields.boolean("enabled"),
        sort_order: fields.integer("sortOrder"),
    };
    fields.finish(Some(change))
}

fn kind(fields: &mut Fields) -> Option<EnvironmentKind> {
    fields.optional("type", |text| {
        text.parse().map_err(|_| "type must be development, test, pre-production or production.".to_owned())
    })
}

/// Reads the body that gives environments their places: its members are their names.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn orders(body: Value) -> Result<Vec<(EnvironmentName, i32)>, ApiError> {
    let members = body.as_object().cloned().unwrap_or_default();
    let mut fields = Fields::of(body)?;
    let mut orders = Vec::with_capacity(members.len());
    for name in members.keys() {
        fields.need(name);
        match EnvironmentName::new(name) {
            Ok(known) => orders.extend(fields.integer(name).map(|order| (known, order))),
            Err(error) => fields.problem(Detail::of_name(name, &error)),
        }
    }
    fields.finish(Some(orders))
}

/// An environment.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvironmentBody<'e> {
    /// The name.
    #[schema(value_type = String, example = "development")]
    name: &'e str,
    /// What it is used for.
    #[schema(value_type = EnvironmentType, example = "development")]
    r#type: &'static str,
    /// Where it stands in lists.
    #[schema(example = 2)]
    sort_order: i32,
    /// Whether it is switched on; tokens work either way.
    #[schema(example = true)]
    enabled: bool,
    /// Always false: any environment can be deleted.
    #[schema(example = false)]
    protected: bool,
    /// Always null: there are no change requests.
    #[schema(required = true, nullable, value_type = Option<u32>)]
    required_approvals: Option<u32>,
}

impl<'e> EnvironmentBody<'e> {
    pub(crate) fn of(environment: &'e Environment) -> Self {
        Self {
            name: environment.name.as_str(),
            r#type: environment.kind.as_str(),
            sort_order: environment.sort_order,
            enabled: environment.enabled,
            protected: false,
            required_approvals: None,
        }
    }
}

/// An environment with how much it is used.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentUsageSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvironmentUsageBody<'e> {
    #[serde(flatten)]
    environment: EnvironmentBody<'e>,
    /// In how many projects it is.
    #[schema(example = 3)]
    project_count: u64,
    /// How many tokens work in it.
    #[schema(example = 12)]
    api_token_count: u64,
}

impl<'e> EnvironmentUsageBody<'e> {
    fn of(overview: &'e EnvironmentOverview) -> Self {
        Self {
            environment: EnvironmentBody::of(&overview.environment),
            project_count: overview.projects,
            api_token_count: overview.tokens,
        }
    }

    /// As an environment is when it was just made.
    pub(crate) fn unused(environment: &'e Environment) -> Self {
        Self { environment: EnvironmentBody::of(environment), project_count: 0, api_token_count: 0 }
    }
}

/// A list of environments.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentsSchema)]
pub(crate) struct EnvironmentsBody<'e> {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentUsageBody<'e>>,
}

impl<'e> EnvironmentsBody<'e> {
    pub(crate) fn of(environments: &'e [EnvironmentOverview]) -> Self {
        Self { version: 1, environments: environments.iter().map(EnvironmentUsageBody::of).collect() }
    }
}

/// An environment, and whether a project has it.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentProjectSchema)]
pub(crate) struct EnvironmentOfProjectBody<'e> {
    #[serde(flatten)]
    environment: EnvironmentUsageBody<'e>,
    /// Whether the project has it.
    #[schema(example = true)]
    visible: bool,
}

/// All environments, as one project sees them.
#[derive(Serialize, ToSchema)]
#[schema(as = environmentsProjectSchema)]
pub(crate) struct EnvironmentsOfProjectBody<'e> {
    /// The version of this form.
    #[schema(example = 1)]
    version: u32,
    /// The environments, by sort order, then name.
    environments: Vec<EnvironmentOfProjectBody<'e>>,
}

impl<'e> EnvironmentsOfProjectBody<'e> {
    pub(crate) fn of(environments: &'e [EnvironmentOverview], project: &ProjectOverview) -> Self {
        let entry = |overview: &'e EnvironmentOverview| EnvironmentOfProjectBody {
            environment: EnvironmentUsageBody::of(overview),
            visible: project.environments.contains(&overview.environment.name),
        };
        Self { version: 1, environments: environments.iter().map(entry).collect() }
    }
}
