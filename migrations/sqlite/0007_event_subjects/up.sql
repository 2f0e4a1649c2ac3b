-- The entity that an event is about. NULL for other entities, and in events of older versions.
ALTER TABLE events ADD COLUMN subject TEXT;
