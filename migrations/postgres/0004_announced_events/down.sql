DROP TRIGGER events_are_announced ON events;
DROP FUNCTION announce_events();
