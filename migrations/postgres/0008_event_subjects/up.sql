-- The entity that an event is about. NULL for other entities, and in events of older versions.
ALTER TABLE events ADD COLUMN subject text;

CREATE OR REPLACE VIEW event_rows AS
SELECT
    events.id,
    events.kind,
    events.actor_name,
    events.actor_user_id,
    events.address,
    events.user_agent,
    events.at,
    events.concerns,
    events.environment,
    events.before,
    events.after,
    -- The condition of the index events_of_projects, literally.
    events.concerns <> 'nothing' AS about_projects,
    ARRAY(
        SELECT links.project_id
        FROM event_projects AS links
        WHERE links.event_id = events.id
        ORDER BY links.position
    ) AS project_ids,
    events.subject
FROM events;
