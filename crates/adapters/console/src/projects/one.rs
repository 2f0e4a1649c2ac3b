//! One project: what is known of it, its environments, its members and the policy that holds in it.

use askama::Template;
use latchkey_domain::{Permission, Project};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, ProjectEnvironmentBody, RawBody};
use latchkey_ports::ProjectOverview;
use latchkey_service::{ReadTokens, UpdateProject};

use super::{
    address::{id, root},
    members::{self, Holding},
    mode::Mode,
    policy::{self, Rule},
};
use crate::{
    environments::kind_label,
    form::Form,
    frame::{Frame, Section},
    mark::Mark,
    page::see_other,
    paths::escaped,
    visitor::Visitor,
};

/// The members that are shown here; the others are on a page of their own.
const MEMBERS: usize = 10;

#[derive(Template)]
#[template(path = "projects/one.html")]
struct OnePage {
    frame: Frame,
    root: String,
    overview: ProjectOverview,
    mode: Mode,
    allowed: Allowed,
    environments: Vec<EnvironmentHere>,
    /// The names of the environments that it does not have.
    others: Vec<String>,
    /// The first of its members, for visitors who may see them.
    members: Vec<Holding>,
    rules: Vec<Rule>,
    /// What was sent to add an environment.
    form: Form,
}

/// What the visitor may do in a project.
struct Allowed {
    read_tokens: bool,
    update: bool,
    /// Archive, revive and delete.
    end: bool,
}

/// An environment that the project has.
struct EnvironmentHere {
    name: String,
    kind: String,
    state: Mark,
    /// How many tokens work in it and in the project.
    tokens: u64,
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let page = page(&visitor, &id(&path)?, Form::default()).await?;
    visitor.browser.show(&page)
}

async fn page(visitor: &Visitor, id: &str, form: Form) -> Result<OnePage, ApiError> {
    let use_cases = visitor.use_cases();
    let overview = use_cases.projects.get(visitor.caller(), id).await?;
    let frame = visitor.frame(Section::Projects);
    let project = &overview.project;
    let mut tokens = use_cases.environments.tokens_in(visitor.caller(), &project.id).await?;
    let (mut environments, mut others) = (Vec::new(), Vec::new());
    for environment in use_cases.environments.list(visitor.caller()).await? {
        let environment = environment.environment;
        if overview.environments.contains(&environment.name) {
            environments.push(EnvironmentHere {
                name: environment.name.to_string(),
                kind: kind_label(&frame, environment.kind),
                state: Mark::of_switch(environment.enabled),
                tokens: tokens.remove(&environment.name).unwrap_or(0),
            });
        } else {
            others.push(environment.name.to_string());
        }
    }
    let members = match visitor.may_in::<UpdateProject>(id) {
        Ok(permit) => members::of(visitor, &permit).await?.into_iter().take(MEMBERS).collect(),
        Err(_) => Vec::new(),
    };
    let rules = match visitor.may_in::<ReadTokens>(id) {
        Ok(permit) => policy::rules(&frame, &use_cases.policies.of_project(&permit).await?),
        Err(_) => Vec::new(),
    };
    let is_default = project.id.as_str() == Project::DEFAULT;
    let allowed = Allowed {
        read_tokens: visitor.may_in::<ReadTokens>(id).is_ok(),
        update: visitor.has_in(Permission::UpdateProject, &project.id),
        end: visitor.has_in(Permission::DeleteProject, &project.id) && !is_default,
    };
    let mode = Mode::of(&frame, project.mode);
    let root = root(&project.id);
    Ok(OnePage { frame, root, overview, mode, allowed, environments, others, members, rules, form })
}

pub(super) async fn add_environment(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let form = Form::read(body).await?;
    let projects = &visitor.use_cases().projects;
    let added = async {
        let body: ProjectEnvironmentBody = form.body()?;
        Ok(projects.add_environment(&permit, &body.environment).await?)
    };
    let Err(error) = added.await else {
        return Ok(see_other(&format!("{}?done=project-environment-added", root(permit.project()))));
    };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let page = page(&visitor, permit.project().as_str(), form).await?;
    visitor.browser.show_with(status, &page)
}

pub(super) async fn remove_environment(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    Form::read(body).await?;
    let environment = path.text("environment")?;
    visitor.use_cases().projects.remove_environment(&permit, &environment).await?;
    Ok(see_other(&format!("{}?done=project-environment-removed", root(permit.project()))))
}

impl OnePage {
    /// Returns whether no policy demands anything.
    fn is_free(&self) -> bool {
        self.rules.iter().all(|rule| rule.effective.is_empty())
    }

    /// Returns the address of the audit trail of the project.
    fn audit(&self) -> String {
        format!("{}?project={}", path!("audit"), escaped(self.overview.project.id.as_str()))
    }
}
