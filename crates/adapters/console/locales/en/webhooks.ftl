# Webhooks and their deliveries.
