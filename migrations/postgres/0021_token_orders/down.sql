DROP VIEW token_rows;
DROP INDEX api_tokens_by_environment_name;
DROP INDEX api_tokens_by_owner;
DROP INDEX api_tokens_by_status;
CREATE VIEW token_rows AS
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
    api_tokens.selector
FROM api_tokens;
