-- Whoever follows the events is told that there are new ones, when they are committed. What is told is a hint: an engine
-- that speaks PostgreSQL's protocol and knows no NOTIFY is polled, as everybody is besides.
CREATE FUNCTION announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY latchkey_events;
    RETURN NULL;
EXCEPTION WHEN feature_not_supported THEN
    RETURN NULL;
END $$;

CREATE TRIGGER events_are_announced AFTER INSERT ON events
FOR EACH STATEMENT EXECUTE FUNCTION announce_events();
