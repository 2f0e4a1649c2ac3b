DROP VIEW event_rows;
ALTER TABLE events DROP COLUMN subject;
CREATE VIEW event_rows AS
SELECT
    events.*,
    -- The condition of the index events_of_projects, literally.
    events.concerns <> 'nothing' AS about_projects,
    ARRAY(
        SELECT links.project_id
        FROM event_projects AS links
        WHERE links.event_id = events.id
        ORDER BY links.position
    ) AS project_ids
FROM events;
