DROP INDEX api_tokens_by_owner;
DROP INDEX api_tokens_by_status;
ALTER TABLE api_tokens DROP COLUMN owner;
ALTER TABLE api_tokens DROP COLUMN enabled;
