-- Lists of tokens in the order of their environments, of their owners, and of their status: those that are disabled, and then the
-- others by their ends. Two of the expressions are those of the view.
CREATE INDEX api_tokens_by_status ON api_tokens (((attributes ->> 'enabled') IS DISTINCT FROM 'false'), expires_at, id);
CREATE INDEX api_tokens_by_owner ON api_tokens (((attributes ->> 'owner') COLLATE "C") NULLS FIRST, id);
-- The other index of environments has the order of the locale, in which the references from this table are looked up.
CREATE INDEX api_tokens_by_environment_name ON api_tokens (environment COLLATE "C" NULLS FIRST, id);

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
    ) AS project_ids,
    api_tokens.attributes,
    (
        SELECT links.position
        FROM api_token_projects AS links
        WHERE links.token_id = api_tokens.id AND links.position > 0
        LIMIT 1
    ) IS NOT NULL AS may_name_several,
    api_tokens.selector,
    (api_tokens.attributes ->> 'enabled') IS DISTINCT FROM 'false' AS enabled,
    (api_tokens.attributes ->> 'owner') COLLATE "C" AS owner
FROM api_tokens;
