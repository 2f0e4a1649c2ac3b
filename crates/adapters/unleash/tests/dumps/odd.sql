-- One row of every oddity that databases of Unleash have had, in the layout of `layout-8.sql`.
INSERT INTO environments (name, type, enabled, sort_order) VALUES ('development', 'development', true, 100), ('production', 'production', true, 200), ('canary', 'odd', false, NULL);
INSERT INTO projects (id, name, description, created_at, updated_at, archived_at) VALUES
    ('default', 'Ours', NULL, '2021-01-01', NULL, NULL),
    ('shop', 'Shop', 'What we sell', '2022-02-02', now(), NULL),
    ('blog', '', repeat('x', 3000), '2022-02-02', now(), now()),
    (repeat('w', 120), 'Too long', NULL, '2022-02-02', now(), NULL);
INSERT INTO project_settings (project, project_mode) VALUES ('default', 'private'), ('shop', 'protected');
INSERT INTO project_environments VALUES ('default', 'development'), ('default', 'canary'), ('shop', 'production');

INSERT INTO roles (id, name, description, type) VALUES (20, 'Tokens', 'Works with tokens', 'root-custom'), (21, 'Deployer', NULL, 'custom'), (22, 'Editor', NULL, 'custom');
INSERT INTO role_permission (role_id, environment, permission) VALUES
    (20, NULL, 'READ_CLIENT_API_TOKEN'), (20, '', 'CREATE_ADDON'), (21, NULL, 'READ_PROJECT_API_TOKEN'), (21, '*', 'CREATE_FEATURE_STRATEGY'), (22, NULL, 'UPDATE_PROJECT');

INSERT INTO users (id, name, username, email, password_hash, created_at, seen_at, deleted_at, is_service) VALUES
    (1, 'Ada', 'ada', 'ada@example.com', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', '2021-01-01', now(), NULL, false),
    (2, 'Ed', NULL, 'ed@example.com', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', '2021-01-01', NULL, NULL, false),
    (3, NULL, 'plain', NULL, NULL, '2021-01-01', NULL, NULL, false),
    (4, '(Deleted)', NULL, NULL, NULL, '2021-01-01', NULL, now(), false),
    (5, 'Bot', 'bot', NULL, NULL, '2021-01-01', NULL, NULL, true),
    (6, 'No address', 'no-address', 'not an address', 'md5:odd', '2021-01-01', NULL, NULL, false),
    (7, 'Twin', 'ada@example.com', NULL, NULL, '2021-01-01', NULL, NULL, false);
INSERT INTO role_user (role_id, user_id, project, created_at) VALUES
    (1, 1, 'default', '2021-01-01'), (2, 2, 'default', '2021-01-01'), (4, 2, 'shop', '2021-01-01'), (5, 2, 'gone', '2021-01-01'),
    (20, 5, 'default', '2021-01-01'), (3, 5, 'default', '2022-01-01'), (8, 3, 'shop', '2021-01-01'), (21, 3, 'shop', '2021-01-01'), (22, 3, 'blog', '2021-01-01');
INSERT INTO groups (id, name, mappings_sso, root_role_id) VALUES
    (1, 'Shopkeepers', '["shop", "shop"]', NULL), (2, 'Chiefs', NULL, 1), (3, 'Editors', '{}', 2), (4, 'Chiefs', NULL, 2);
INSERT INTO group_user (group_id, user_id) VALUES (1, 3), (1, 4), (2, 6), (3, 5);
INSERT INTO group_role (group_id, role_id, project) VALUES (1, 5, 'shop');
INSERT INTO personal_access_tokens (secret, description, user_id, expires_at) VALUES
    ('user:1111111111111111', 'ci', 2, '2099-01-01'), ('user:2222222222222222', 'ci', 2, '2001-01-01'), ('user:2222222222222222', 'twice', 2, '2099-01-01'),
    ('odd', 'never worked', 2, '2099-01-01'), ('user:3333333333333333', '', 5, '2099-01-01'), ('user:4444444444444444', 'of a deleted user', 4, '2099-01-01');
INSERT INTO settings VALUES ('unleash.secret', '"hush"'), ('unleash.auth.simple', '{"disabled": true}'), ('unleash.auth.oidc', '{"enabled": true}');

INSERT INTO api_tokens (secret, username, token_name, type, environment, alias, created_at, expires_at, seen_at, created_by_user_id) VALUES
    ('shop:development.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'plain', 'plain', 'client', 'development', NULL, '2023-01-01', NULL, '2024-01-01', 1),
    ('*:production.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'old name', NULL, 'CLIENT', 'production', 'old-proxy-secret', '2023-01-02', NULL, NULL, NULL),
    ('[]:development.cccccccccccccccccccccccccccccccccc', 'several', 'several', 'backend', 'development', NULL, '2023-01-03', NULL, NULL, -42),
    ('*:*.dddddddddddddddddddddddddddddddddddddddddddddd', 'admin', 'admin', 'admin', '*', NULL, '2023-01-04', NULL, NULL, -1337),
    ('*:*.eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', 'admin', 'admin', 'admin', NULL, NULL, '2023-01-05', NULL, NULL, NULL),
    ('a-legacy-secret-without-a-prefix', 'legacy', 'legacy', 'client', 'development', NULL, '2019-01-01', NULL, NULL, NULL),
    ('gone:development.ffffffffffffffffffffffffffffffff', 'orphan', 'orphan', 'client', 'development', NULL, '2023-01-06', NULL, NULL, NULL),
    ('undefined:development.gggggggggggggggggggggggggggg', 'orphan', 'orphan', 'frontend', 'development', NULL, '2023-01-07', NULL, NULL, NULL),
    ('shop:retired.hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh', 'lost environment', 'lost environment', 'frontend', 'retired', NULL, '2023-01-08', NULL, NULL, NULL),
    ('shop:development.iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii', 'ended', 'ended', 'client', 'development', NULL, '2023-01-09', '2023-02-01', NULL, NULL),
    ('shop:development.jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj', 'endless', 'endless', 'client', 'development', NULL, '2023-01-10', 'infinity', NULL, NULL),
    ('shop:development.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 'of Edge', 'of Edge', 'backend', 'development', 'ee_development', '2023-01-11', NULL, NULL, NULL),
    ('shop:development.llllllllllllllllllllllllllllllll', 'first alias', 'first alias', 'client', 'development', 'shared-alias', '2023-01-12', NULL, NULL, NULL),
    ('shop:development.mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm', 'second alias', 'second alias', 'client', 'development', 'shared-alias', '2023-01-13', NULL, NULL, NULL),
    ('shop:development.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn', 'taken alias', 'taken alias', 'client', 'development', 'a-legacy-secret-without-a-prefix', '2023-01-14', NULL, NULL, NULL),
    ('*:development.oooooooooooooooooooooooooooooooooooo', 'everywhere', 'everywhere', 'client', '*', NULL, '2023-01-15', NULL, NULL, NULL),
    ('*:development.pppppppppppppppppppppppppppppppppppp', 'odd type', 'odd type', 'proxy', 'development', NULL, '2023-01-16', NULL, NULL, NULL),
    ('user:qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq', 'personal', 'personal', 'client', 'development', NULL, '2023-01-17', NULL, NULL, NULL),
    ('*:development.r r', 'blank inside', 'blank inside', 'client', 'development', NULL, '2023-01-18', NULL, NULL, NULL),
    ('*:production.ssssssssssssssssssssssssssssssssssss', '', '', 'frontend', 'production', NULL, '2023-01-19', NULL, NULL, NULL),
    ('*:development.tttttttttttttttttttttttttttttttttttt', 'narrowed', 'narrowed', 'client', 'development', NULL, '2023-01-20', NULL, NULL, NULL);
INSERT INTO api_token_project (secret, project)
    SELECT secret, 'shop' FROM api_tokens WHERE secret LIKE 'shop:%';
INSERT INTO api_token_project (secret, project) VALUES
    ('[]:development.cccccccccccccccccccccccccccccccccc', 'shop'), ('[]:development.cccccccccccccccccccccccccccccccccc', 'blog'),
    ('*:development.tttttttttttttttttttttttttttttttttttt', 'default'), ('*:development.tttttttttttttttttttttttttttttttttttt', repeat('w', 120));
INSERT INTO edge_api_tokens VALUES ('1', 'shop:development.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk');
