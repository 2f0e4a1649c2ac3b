SELECT t.*, ARRAY(SELECT o.project_id FROM api_token_projects o WHERE o.token_id = t.id ORDER BY o.position)
FROM api_token_projects p
JOIN api_tokens t ON t.id = p.token_id
WHERE p.project_id = $1
ORDER BY p.token_id
