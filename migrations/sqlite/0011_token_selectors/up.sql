-- The public part of a secret in the second form of Unleash, by which its token is found too (docs/design/decisions, 41). Few
-- tokens have one: an index of them alone costs the others nothing.
ALTER TABLE api_tokens ADD COLUMN selector TEXT CHECK (length(selector) = 22);
CREATE UNIQUE INDEX api_tokens_by_selector ON api_tokens (selector) WHERE selector IS NOT NULL;
