DROP TRIGGER login_names_changed;
DROP TRIGGER login_names_added;
DROP TABLE login_names;
