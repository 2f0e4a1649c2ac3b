DROP TABLE token_uses;
DROP TABLE token_rates;
