DROP TRIGGER users_changed_login_names ON users;
DROP TRIGGER users_have_login_names ON users;
DROP FUNCTION replace_login_names();
DROP FUNCTION login_name(text);
DROP TABLE login_names;
