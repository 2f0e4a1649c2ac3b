-- Attributes of a token by which no list is sorted: one JSON object, so that a new one needs no column.
ALTER TABLE api_tokens ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
