DROP TABLE event_consumers;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
