// Records a dump: starts an Unleash server as a black box, fills it over HTTP, asks what it says of each token, and writes
// the tables and columns that an import reads, with their rows.
//
//   npm install unleash-server@6.10.1 && node record.mjs 6.10.1 postgres://…/<new database> <directory for the dump>
//
// Of 5.6, start the server once before: it makes its first user at the second start. For 7 and 8, put Node 22 first in PATH; with
// V2=1, version 8 makes tokens of the second form.
//
// Texts that the server brings (descriptions of roles and permissions) are left out.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [version, databaseUrl, target] = process.argv.slice(2);
const require = createRequire(`${process.cwd()}/`);
const { Client } = require('pg');
const port = 20000 + Math.floor(Math.random() * 20000);
const base = `http://127.0.0.1:${port}`;
const ADMIN = '*:*.unleash-import-test-admin-token-000001';
const COLUMNS = {
    environments: 'name type enabled sort_order',
    projects: 'id name description created_at updated_at archived_at',
    project_settings: 'project project_mode',
    project_environments: 'project_id environment_name',
    users: 'id name username email password_hash created_at seen_at deleted_at is_service is_system updated_at',
    roles: 'id name description type created_at',
    permissions: 'id permission type',
    role_permission: 'role_id environment permission permission_id',
    role_user: 'role_id user_id project created_at',
    groups: 'id name description mappings_sso root_role_id created_at',
    group_user: 'group_id user_id created_at',
    group_role: 'group_id role_id project created_at',
    api_tokens: 'secret username type created_at expires_at seen_at environment alias token_name created_by_user_id',
    api_token_project: 'secret project',
    api_tokens_v2: 'selector verifier token_name type environment expires_at created_at seen_at user_created',
    api_tokens_v2_project: 'selector project',
    edge_api_tokens: 'id token_value',
    personal_access_tokens: 'id secret description user_id expires_at seen_at created_at selector verifier',
    settings: 'name content',
    events: 'id type created_at created_by created_by_user_id data pre_data project environment',
};

const major = Number(version.split('.')[0]);
const server = spawn('node', ['node_modules/unleash-server/dist/server.js'], {
    env: {
        PATH: process.env.PATH, DATABASE_URL: databaseUrl, DATABASE_SSL: 'false', PORT: String(port), HTTP_HOST: '127.0.0.1',
        INIT_ADMIN_API_TOKENS: ADMIN, CHECK_VERSION: 'false', SEND_TELEMETRY: 'false', TZ: 'UTC', LOG_LEVEL: 'error',
        ...(process.env.V2 ? { UNLEASH_EXPERIMENTAL_SECURE_TOKEN: 'true', UNLEASH_EXPERIMENTAL_SECURE_ACCOUNT_TOKEN: 'true' } : {}),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
});
process.on('exit', () => server.kill());

async function call(method, path, body, headers = {}) {
    const response = await fetch(base + path, {
        method, redirect: 'manual', headers: { 'content-type': 'application/json', ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { body: text ? JSON.parse(text) : undefined, cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] };
}

for (let attempt = 0; ; attempt++) {
    try { await call('GET', '/health'); break; } catch (error) {
        if (attempt > 600) throw error;
        await new Promise((done) => setTimeout(done, 100));
    }
}
const client = new Client({ connectionString: databaseUrl });
await client.connect();
// The free edition has one project, and others have no route.
for (const id of ['shop', 'blog', 'gone']) {
    await client.query('INSERT INTO projects (id, name, description) VALUES ($1, $2, $3)', [id, `The ${id}`, 'A project']);
}
const { rows: environments } = await client.query('SELECT name FROM environments ORDER BY name');
for (const name of ['development', 'production']) {
    if (!environments.some((one) => one.name === name)) await client.query('INSERT INTO environments (name, type) VALUES ($1, $1)', [name]);
}
const login = async (username, password) => ({ cookie: (await call('POST', '/auth/simple/login', { username, password })).cookie });
const admin = await login('admin', 'unleash4all');
const logins = [['admin', 'unleash4all']];
for (const [email, username, rootRole] of [['ada@example.com', undefined, 1], ['ed@example.com', 'ed', 2], ['vic@example.com', 'vic', 3]]) {
    const password = `A long enough pass-phrase of ${email}`;
    await call('POST', '/api/admin/user-admin', { email, username, name: `User ${email}`, password, rootRole, sendEmail: false }, admin);
    logins.push([email, password]);
}
const personal = [];
for (const [email, password] of logins.slice(1)) {
    const session = await login(email, password);
    const { body } = await call('POST', '/api/admin/user/tokens', { description: 'for tests', expiresAt: '2099-01-01T00:00:00.000Z' }, session);
    personal.push(body.secret);
}
// Service accounts have no route in the free edition, and work.
const service = 'user:0123456789abcdef0123456789abcdef0123456789abcdef01234567';
const { rows: [account] } = await client.query(
    `INSERT INTO users (name, username, is_service) VALUES ('Deploys', 'deployer', true) RETURNING id`);
await client.query(`INSERT INTO role_user (role_id, user_id, project) SELECT id, $1, 'default' FROM roles WHERE name = 'Viewer' AND type = 'root'`, [account.id]);
await client.query(
    `INSERT INTO personal_access_tokens (secret, description, user_id, expires_at) VALUES ($1, 'for deploys', $2, '2099-01-01')`,
    [service, account.id]);
const { body: asked } = await call('GET', '/api/admin/user', undefined, { authorization: service });
if (asked.user.username !== 'deployer') throw new Error(`the token of the service account is not accepted: ${JSON.stringify(asked)}`);
const name = major >= 7 ? 'tokenName' : 'username';
const secrets = [ADMIN];
const tokens = [
    { type: 'client', environment: 'development', projects: ['*'] },
    { type: 'CLIENT', environment: 'production', projects: ['default'] },
    { type: 'frontend', environment: 'development', projects: ['shop'] },
    { type: 'client', environment: 'development', projects: ['shop', 'blog'], expiresAt: '2099-01-01T00:00:00.000Z' },
    { type: 'client', environment: 'development', projects: ['default'], expiresAt: '2001-01-01T00:00:00.000Z' },
    { type: 'client', environment: 'development', projects: ['gone'] },
    ...(major >= 8 ? [{ type: 'backend', environment: 'production', projects: ['blog'] }] : []),
];
for (const [place, token] of tokens.entries()) {
    const { body } = await call('POST', '/api/admin/api-tokens', { ...token, [name]: `token ${place}` }, { authorization: ADMIN });
    secrets.push(body.secret);
}
const { body: validated } = await call('POST', '/edge/validate', { tokens: secrets });
// The project goes, and its token stays: an orphan.
const orphan = secrets[6];
// For up to a minute, the server accepts a token that had expired when it was made.
const expired = secrets[5];
await client.query("DELETE FROM projects WHERE id = 'gone'");

const literal = (value) => (value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`);
let sql = `-- What an import reads of the database of Unleash ${version}, after some calls of its API. Made by record.mjs.\n`;
for (const [table, wanted] of Object.entries(COLUMNS)) {
    const { rows } = await client.query(
        `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, [table]);
    const columns = rows.filter((column) => wanted.split(' ').includes(column.name));
    if (columns.length === 0) continue;
    sql += `CREATE TABLE ${table} (${columns.map((column) => `"${column.name}" ${column.type}`).join(', ')});\n`;
    const values = columns.map((column) => (column.name === 'description' && table === 'roles' ? 'NULL' : `"${column.name}"::text`));
    const where = { settings: " WHERE name LIKE 'unleash.auth.%'", events: " WHERE created_by <> 'migration'" }[table] ?? '';
    const content = await client.query({ text: `SELECT ${values.join(', ')} FROM ${table}${where} ORDER BY 1`, rowMode: 'array' });
    for (const row of content.rows) sql += `INSERT INTO ${table} VALUES (${row.map(literal).join(', ')});\n`;
}
const recorded = {
    version, orphan, personal, service, logins, secrets,
    validated: validated.tokens.filter((token) => ![orphan, expired].includes(token.token)),
};
writeFileSync(`${target}/unleash-${version}.sql`, sql);
writeFileSync(`${target}/unleash-${version}.json`, `${JSON.stringify(recorded, null, 1)}\n`);
await client.end();
server.kill();
process.exit(0);
