DROP TABLE event_seals;
