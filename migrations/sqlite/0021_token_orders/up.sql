-- Lists of tokens by status: those that are disabled, and then the others by their ends.
ALTER TABLE api_tokens ADD COLUMN enabled INTEGER NOT NULL
    GENERATED ALWAYS AS ((attributes -> '$.enabled') IS NOT 'false') VIRTUAL;
CREATE INDEX api_tokens_by_status ON api_tokens (enabled, ends_at, id);
