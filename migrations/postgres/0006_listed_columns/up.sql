-- Views list their columns: `SELECT *` is expanded when a view is created, so a later column would be missing from it
-- without notice. The views themselves stay as they are.
CREATE OR REPLACE VIEW token_rows AS
SELECT
    api_tokens.id,
    api_tokens.name,
    api_tokens.kind,
    api_tokens.all_projects,
    api_tokens.environment,
    api_tokens.expires_at,
    api_tokens.created_at,
    api_tokens.seen_at,
    api_tokens.secret_digest,
    api_tokens.secret_key,
    api_tokens.secret_sealed,
    api_tokens.alias_digest,
    api_tokens.alias_key,
    api_tokens.alias_sealed,
    ARRAY(
        SELECT links.project_id
        FROM api_token_projects AS links
        WHERE links.token_id = api_tokens.id
        ORDER BY links.position
    ) AS project_ids
FROM api_tokens;

CREATE OR REPLACE VIEW project_rows AS
SELECT
    projects.id,
    projects.name,
    projects.description,
    projects.created_at,
    projects.archived_at,
    projects.mode,
    projects.updated_at,
    coalesce((SELECT tokens FROM project_token_counts AS counts WHERE counts.project_id = projects.id), 0) AS tokens,
    coalesce((SELECT members FROM project_member_counts AS counts WHERE counts.project_id = projects.id), 0) AS members,
    ARRAY(
        SELECT links.environment
        FROM project_environments AS links
        INNER JOIN environments ON environments.name = links.environment
        WHERE links.project_id = projects.id
        ORDER BY environments.sort_order, environments.name
    ) AS environments
FROM projects;

CREATE OR REPLACE VIEW environment_rows AS
SELECT
    environments.name,
    environments.kind,
    environments.sort_order,
    environments.enabled,
    coalesce(
        (SELECT tokens FROM environment_token_counts AS counts WHERE counts.environment = environments.name), 0
    ) AS tokens,
    (SELECT count(*) FROM project_environments AS links WHERE links.environment = environments.name) AS projects
FROM environments;

CREATE OR REPLACE VIEW event_rows AS
SELECT
    events.id,
    events.kind,
    events.actor_name,
    events.actor_user_id,
    events.address,
    events.user_agent,
    events.at,
    events.concerns,
    events.environment,
    events.before,
    events.after,
    -- The very condition of the index events_of_projects. As a bind, it would be unknown when the statement is planned.
    events.concerns <> 'nothing' AS about_projects,
    ARRAY(
        SELECT links.project_id
        FROM event_projects AS links
        WHERE links.event_id = events.id
        ORDER BY links.position
    ) AS project_ids
FROM events;
