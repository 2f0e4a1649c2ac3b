DROP INDEX api_tokens_by_selector;
ALTER TABLE api_tokens DROP COLUMN selector;
