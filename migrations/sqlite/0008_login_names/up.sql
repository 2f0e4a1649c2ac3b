-- User names and e-mail addresses share one namespace, so that a login means one account. Triggers maintain the names, so
-- that older processes do so as well. The case of a user name that contains @ is ignored, like that of an address.

CREATE TABLE login_names (
    name TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX login_names_by_user ON login_names (user_id);

CREATE TRIGGER login_names_added AFTER INSERT ON users BEGIN
    INSERT INTO login_names (name, user_id)
    SELECT name, new.id FROM (
        SELECT CASE WHEN instr(new.username, '@') > 0 THEN lower(new.username) ELSE new.username END AS name
        UNION SELECT new.email_key
    ) WHERE name IS NOT NULL;
END;
CREATE TRIGGER login_names_changed AFTER UPDATE OF username, email_key ON users
WHEN old.username IS NOT new.username OR old.email_key IS NOT new.email_key BEGIN
    DELETE FROM login_names WHERE user_id = new.id;
    INSERT INTO login_names (name, user_id)
    SELECT name, new.id FROM (
        SELECT CASE WHEN instr(new.username, '@') > 0 THEN lower(new.username) ELSE new.username END AS name
        UNION SELECT new.email_key
    ) WHERE name IS NOT NULL;
END;

-- Users of older versions may have a name in common. It goes to the user that logins by it have meant so far: user names
-- come before addresses, then lower ids. No user is changed, and the upgrade does not fail.
INSERT OR IGNORE INTO login_names (name, user_id)
SELECT CASE WHEN instr(username, '@') > 0 THEN lower(username) ELSE username END, id
FROM users WHERE username IS NOT NULL ORDER BY id;
INSERT OR IGNORE INTO login_names (name, user_id)
SELECT email_key, id FROM users WHERE email_key IS NOT NULL ORDER BY id;
