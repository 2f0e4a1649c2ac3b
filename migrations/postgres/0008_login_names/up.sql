-- User names and e-mail addresses share one namespace, so that a login means one account. Triggers maintain the names, so
-- that older processes do so as well. The case of a user name that contains @ is ignored, like that of an address.

CREATE TABLE login_names (
    name text COLLATE "C" CONSTRAINT login_names_unique PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX login_names_by_user ON login_names (user_id);

CREATE FUNCTION login_name(username text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(username, '@') > 0 THEN lower(username COLLATE "C") ELSE username END
$$;

CREATE FUNCTION replace_login_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM login_names WHERE user_id = new.id;
    INSERT INTO login_names (name, user_id)
    SELECT name, new.id
    FROM (SELECT login_name(new.username) AS name UNION SELECT new.email_key) AS names
    WHERE name IS NOT NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER users_have_login_names AFTER INSERT ON users
FOR EACH ROW EXECUTE FUNCTION replace_login_names();

CREATE TRIGGER users_changed_login_names AFTER UPDATE OF username, email_key ON users
FOR EACH ROW
WHEN (old.username IS DISTINCT FROM new.username OR old.email_key IS DISTINCT FROM new.email_key)
EXECUTE FUNCTION replace_login_names();

-- Users of older versions may have a name in common. It goes to the user that logins by it have meant so far: user names
-- come before addresses, then lower ids. No user is changed, and the upgrade does not fail.
INSERT INTO login_names (name, user_id)
SELECT login_name(username), id FROM users WHERE username IS NOT NULL ORDER BY id
ON CONFLICT DO NOTHING;
INSERT INTO login_names (name, user_id)
SELECT email_key, id FROM users WHERE email_key IS NOT NULL ORDER BY id
ON CONFLICT DO NOTHING;
