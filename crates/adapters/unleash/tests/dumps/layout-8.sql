-- The tables and columns of Unleash 8.1 on that an import reads, without rows.
CREATE TABLE environments (name varchar(100) PRIMARY KEY, type text NOT NULL, enabled boolean DEFAULT true, protected boolean DEFAULT false, sort_order integer DEFAULT 9999, created_at timestamptz DEFAULT now());
CREATE TABLE projects (id varchar(255) PRIMARY KEY, name varchar NOT NULL, description varchar, created_at timestamp DEFAULT now(), updated_at timestamptz DEFAULT now(), archived_at timestamptz);
CREATE TABLE project_settings (project varchar(255) PRIMARY KEY REFERENCES projects (id), project_mode varchar(100) NOT NULL DEFAULT 'open');
CREATE TABLE project_environments (project_id varchar(255) NOT NULL REFERENCES projects (id), environment_name varchar(100) NOT NULL REFERENCES environments (name), PRIMARY KEY (project_id, environment_name));
CREATE TABLE users (id serial PRIMARY KEY, name varchar(255), username varchar(255) UNIQUE, email varchar(255) UNIQUE, password_hash varchar(255), created_at timestamp DEFAULT now(), seen_at timestamp, deleted_at timestamptz, is_service boolean DEFAULT false, is_system boolean NOT NULL DEFAULT false, updated_at timestamptz DEFAULT now());
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL, description text, type text NOT NULL DEFAULT 'custom', created_at timestamptz DEFAULT now(), UNIQUE (type, name));
CREATE TABLE permissions (id serial, permission varchar(255) PRIMARY KEY, type varchar(255));
CREATE TABLE role_permission (id serial PRIMARY KEY, role_id integer NOT NULL, environment varchar(100), permission text);
CREATE TABLE role_user (role_id integer NOT NULL, user_id integer NOT NULL, project varchar(255) NOT NULL, created_at timestamptz DEFAULT now(), PRIMARY KEY (role_id, user_id, project));
CREATE TABLE groups (id serial PRIMARY KEY, name text NOT NULL, description text, mappings_sso jsonb, root_role_id integer, created_at timestamptz DEFAULT now());
CREATE TABLE group_user (group_id integer NOT NULL, user_id integer NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (group_id, user_id));
CREATE TABLE group_role (group_id integer NOT NULL, role_id integer NOT NULL, project text NOT NULL, created_at timestamptz DEFAULT now(), PRIMARY KEY (group_id, role_id, project));
CREATE TABLE api_tokens (secret text PRIMARY KEY, username text NOT NULL, type text NOT NULL, created_at timestamptz DEFAULT now(), expires_at timestamptz, seen_at timestamptz, environment varchar, alias text, token_name text, created_by_user_id integer);
CREATE TABLE api_token_project (secret text NOT NULL REFERENCES api_tokens (secret) ON DELETE CASCADE, project text NOT NULL REFERENCES projects (id) ON DELETE CASCADE, PRIMARY KEY (secret, project));
CREATE TABLE api_tokens_v2 (selector text PRIMARY KEY, verifier text NOT NULL, token_name text NOT NULL, type text NOT NULL, environment text NOT NULL REFERENCES environments (name) ON DELETE CASCADE, expires_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz, user_created boolean NOT NULL DEFAULT true);
CREATE TABLE api_tokens_v2_project (selector text NOT NULL REFERENCES api_tokens_v2 (selector) ON DELETE CASCADE, project text NOT NULL REFERENCES projects (id) ON DELETE CASCADE, PRIMARY KEY (selector, project));
CREATE TABLE edge_api_tokens (id text PRIMARY KEY, token_value text NOT NULL REFERENCES api_tokens (secret));
CREATE TABLE personal_access_tokens (id serial PRIMARY KEY, secret text, description text, user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE, expires_at timestamptz NOT NULL, seen_at timestamptz, created_at timestamptz DEFAULT now(), selector text UNIQUE, verifier text, CHECK ((secret IS NULL) = (verifier IS NOT NULL)));
CREATE TABLE settings (name varchar(255) PRIMARY KEY, content json);
CREATE TABLE events (id serial PRIMARY KEY, created_at timestamptz DEFAULT now(), type varchar NOT NULL, created_by varchar NOT NULL, created_by_user_id integer, data json, pre_data jsonb, project text, environment text);

INSERT INTO roles (id, name, type) VALUES (1, 'Admin', 'root'), (2, 'Editor', 'root'), (3, 'Viewer', 'root'), (4, 'Owner', 'project'), (5, 'Member', 'project'), (8, 'Reader', 'project');
INSERT INTO users (id, name, username, is_system) VALUES (-1337, 'Unleash System', '_unleash_system_user', true), (-42, 'Unleash Admin Token User', '_unleash_admin_token', true);
