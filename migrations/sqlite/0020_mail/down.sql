DROP TABLE mail_items;
DROP TABLE mail_digests;
