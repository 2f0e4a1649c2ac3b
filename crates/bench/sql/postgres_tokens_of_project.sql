SELECT t.*, ARRAY(SELECT o.project_id FROM api_token_projects o WHERE o.token_id = t.id ORDER BY o.position)
FROM api_tokens t
WHERE t.id = ANY (ARRAY(SELECT p.token_id FROM api_token_projects p WHERE p.project_id = $1))
ORDER BY t.id
