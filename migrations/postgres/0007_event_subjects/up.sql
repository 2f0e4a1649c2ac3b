-- The entity that an event is about. NULL for other entities, and in events of older versions. The views event_rows,
-- project_rows and environment_rows are for older processes that still run; no later version reads them.
ALTER TABLE events ADD COLUMN subject text;
