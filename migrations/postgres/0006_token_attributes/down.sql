DROP VIEW token_rows;
ALTER TABLE api_tokens DROP COLUMN attributes;
CREATE VIEW token_rows AS
SELECT
    api_tokens.*,
    ARRAY(
        SELECT links.project_id
        FROM api_token_projects AS links
        WHERE links.token_id = api_tokens.id
        ORDER BY links.position
    ) AS project_ids
FROM api_tokens;
