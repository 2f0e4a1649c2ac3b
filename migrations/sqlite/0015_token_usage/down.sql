DROP TABLE token_addresses;
DROP TABLE token_usage;
