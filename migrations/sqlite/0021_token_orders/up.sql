-- Lists of tokens in the order of their owners, and of their status: those that are disabled, and then the others by their ends.
ALTER TABLE api_tokens ADD COLUMN enabled INTEGER NOT NULL
    GENERATED ALWAYS AS ((attributes -> '$.enabled') IS NOT 'false') VIRTUAL;
ALTER TABLE api_tokens ADD COLUMN owner TEXT GENERATED ALWAYS AS (attributes ->> '$.owner') VIRTUAL;
CREATE INDEX api_tokens_by_status ON api_tokens (enabled, ends_at, id);
CREATE INDEX api_tokens_by_owner ON api_tokens (owner, id);
