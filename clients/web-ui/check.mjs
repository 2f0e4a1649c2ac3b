// Uses Unleash's web UI as a person does, in Chromium, over nginx with Unleash and Latchkey behind it: signs in; creates, copies
// and deletes tokens of the instance, of a project and of a person; makes users; looks at events; changes flags. Prints a row for
// each step and one for each request that failed but should not have, and ends with 1 if there is a failure.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

// ADMIN_TOKEN is one of Latchkey, OWN_TOKEN one in Unleash's database alone, UNLEASH_URL leads past nginx.
const { BASE_URL, UNLEASH_URL, SCREENSHOTS, CHROMIUM = '/usr/bin/chromium', PASSWORD, ADMIN_TOKEN, OWN_TOKEN } = process.env;
rmSync(SCREENSHOTS, { recursive: true, force: true });
mkdirSync(SCREENSHOTS, { recursive: true });

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
let page;
let who;
let step = 'start';
let failures = 0;
let shots = 0;
const problems = new Map();

/** Requests that fail with Unleash alone too: without a session, for a project that the UI has not looked up yet, and for what only
 * the paid edition has. */
const EXPECTED = [
    /^401 GET \/api\/admin\/(user|ui-config|projects)$/,
    /^404 GET \/api\/admin\/projects\/undefined\/overview$/,
    /^404 GET \/api\/admin\/.*impact-metrics\/(metadata|config)$/,
];
let expected = [];

function report(problem) {
    if ([...EXPECTED, ...expected].some((pattern) => pattern.test(problem))) return;
    const line = `${problem} (${who}: ${step})`;
    problems.set(line, (problems.get(line) ?? 0) + 1);
}

async function settle() {
    await page.waitForLoadState('networkidle');
}

async function open(path) {
    await page.goto(BASE_URL + path);
    await settle();
}

async function shoot(name) {
    shots += 1;
    await page.screenshot({ path: join(SCREENSHOTS, `${String(shots).padStart(2, '0')}-${who}-${name}.png`) });
}

/** One step: a line of the output, and a screenshot at its end. */
async function does(name, action, mayFail = []) {
    step = name;
    expected = mayFail;
    let outcome = 'pass';
    try {
        await action();
        await settle();
    } catch (error) {
        failures += 1;
        outcome = `FAILED: ${error.message.split('\n').slice(0, 6).join(' ')}`;
    }
    await shoot(name.replaceAll(/[^a-z]+/gi, '-'));
    console.log(`| ${who}: ${name} | ${outcome} |`);
}

/** Sends a request as a client without a browser does. */
async function send(path, { method = 'GET', token, cookie, body, site, to = BASE_URL } = {}) {
    const headers = {
        ...(token && { authorization: token }),
        ...(cookie && { cookie }),
        ...(body && { 'content-type': 'application/json' }),
        ...(site && { 'sec-fetch-site': site }),
    };
    return fetch(to + path, { method, headers, body: body && JSON.stringify(body) });
}

async function isValid(secret) {
    const answer = await send('/edge/validate', { method: 'POST', body: { tokens: [secret] } });
    return (await answer.json()).tokens.length === 1;
}

async function clipboard() {
    return page.evaluate(() => navigator.clipboard.readText());
}

async function signIn(name) {
    who = name;
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: BASE_URL });
    page = await context.newPage();
    page.setDefaultTimeout(8_000);
    page.on('response', (response) => {
        const { origin, pathname, search } = new URL(response.url());
        if (origin !== BASE_URL || response.status() < 400) return;
        report(`${response.status()} ${response.request().method()} ${pathname}${search}`);
    });
    page.on('pageerror', (error) => report(`error in the page: ${error.message}`));
    await does('sign in', async () => {
        await open('/');
        await page.fill('#username', name);
        await page.fill('#password', PASSWORD);
        await page.keyboard.press('Enter');
        await page.getByTestId('HEADER_USER_AVATAR').waitFor();
        const welcome = page.getByRole('button', { name: /get started/i });
        await welcome.click();
        await welcome.waitFor({ state: 'hidden' });
    });
}

async function signOut() {
    await does('sign out', async () => {
        await page.getByTestId('HEADER_USER_AVATAR').click();
        await page.getByRole('button', { name: 'Log out' }).click();
        await page.waitForURL(/\/login/);
        const me = await page.evaluate(() => fetch('/api/admin/user').then(({ status }) => status));
        assert.equal(me, 401, 'the session has ended');
    });
    await page.context().close();
}

function row(text) {
    return page.getByRole('row').filter({ hasText: text });
}

/** Creates a token on the page with the button for it, copies it in both places, and deletes it. */
async function livesOn(path, name, project) {
    let secret;
    await does(`create a token on ${path}`, async () => {
        await open(path);
        await page.getByTestId('CREATE_API_TOKEN_BUTTON').click();
        await page.getByLabel('Token name').fill(name);
        await page.getByRole('button', { name: /^create token$/i }).click();
        const dialog = page.getByRole('dialog', { name: /token created/i });
        await dialog.getByRole('button', { name: /copy/i }).first().click();
        secret = await clipboard();
        assert.ok(secret.startsWith(`${project}:development.`), secret);
        assert.ok(await isValid(secret), 'the token is valid');
        await shoot('the-new-token');
        await dialog.getByRole('button', { name: /close/i }).click();
        await row(name).waitFor();
    });
    await does(`copy it from the list`, async () => {
        await page.evaluate(() => navigator.clipboard.writeText(''));
        await row(name).getByTestId('COPY_BUTTON').or(row(name).getByRole('button').first()).first().click();
        assert.equal(await clipboard(), secret);
    });
    await does('get flags with it', async () => {
        const answer = await send('/api/client/features', { token: secret });
        assert.equal(answer.status, 200, await answer.clone().text());
    });
    await does('delete it', async () => {
        await row(name).getByRole('button').last().click();
        await deletes(page.getByRole('button', { name: /^(delete token|yes, i'm sure)$/i }));
        await row(name).waitFor({ state: 'detached' });
        assert.ok(!(await isValid(secret)), 'the token is revoked');
        assert.equal((await send('/api/client/features', { token: secret })).status, 401, 'and gets no flags');
    });
}

/** Presses the button, and waits for the response to the deletion: the list can lose the row before. */
async function deletes(button) {
    await Promise.all([page.waitForResponse((response) => response.request().method() === 'DELETE'), button.click()]);
}

async function personalToken() {
    let secret;
    await does('create a personal token', async () => {
        await open('/profile/personal-api-tokens');
        await page.getByRole('button', { name: 'New token' }).click();
        await page.getByLabel('Description').fill('laptop');
        await page.getByRole('button', { name: /^create token$/i }).click();
        const dialog = page.getByRole('dialog', { name: /token created/i });
        await dialog.getByRole('button', { name: /copy/i }).first().click();
        secret = await clipboard();
        assert.match(secret, /^user:\S{30,}$/);
        const me = await send('/api/admin/user', { token: secret });
        assert.equal((await me.json()).user.username, who);
        await shoot('the-new-token');
        await dialog.getByRole('button', { name: /close/i }).click();
        await row('laptop').waitFor();
    });
    await does('delete it', async () => {
        await row('laptop').getByRole('button').last().click();
        await deletes(page.getByRole('button', { name: 'Delete token' }));
        await row('laptop').waitFor({ state: 'detached' });
        assert.equal((await send('/api/admin/user', { token: secret })).status, 401);
        assert.equal((await send('/api/admin/features', { token: secret })).status, 401);
    });
}

async function users() {
    await does('create a user', async () => {
        await open('/admin/create-user');
        await page.getByLabel('Full name').fill('Nora');
        await page.getByLabel('Email').fill('nora@example.com');
        await page.getByLabel('Role').click();
        await page.getByRole('option', { name: /editor/i }).click();
        await page.getByRole('button', { name: 'Create user' }).click();
        await page.getByRole('dialog', { name: 'Team member added' }).getByRole('button', { name: 'Close' }).click();
        // The UI keeps the list that it had two seconds before.
        await open('/admin/users');
        await row('nora@example.com').waitFor();
    });
    await does('set the password of the user', async () => {
        await row('nora@example.com').getByRole('button').last().click();
        await page.getByRole('menuitem', { name: /change password/i }).click();
        const dialog = page.getByRole('dialog', { name: /password/i });
        await dialog.getByLabel('New password').fill(`Of nora 1! ${PASSWORD}`);
        await dialog.getByLabel('Confirm password').fill(`Of nora 1! ${PASSWORD}`);
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.waitFor({ state: 'hidden' });
        const body = { username: 'nora@example.com', password: `Of nora 1! ${PASSWORD}` };
        assert.equal((await send('/auth/simple/login', { method: 'POST', body })).status, 200);
    });
    await does('change the role of the user', async () => {
        await row('nora@example.com').getByRole('button').last().click();
        await page.getByRole('menuitem', { name: /edit/i }).or(page.getByText(/edit user/i)).first().click();
        await page.getByLabel('Role').click();
        await page.getByRole('option', { name: /viewer/i }).click();
        await page.getByRole('button', { name: /save/i }).click();
        await open('/admin/users');
        await row('nora@example.com').filter({ hasText: 'Viewer' }).waitFor();
    });
    await does('delete the user', async () => {
        await row('nora@example.com').getByRole('button').last().click();
        await page.getByText(/remove user|delete user/i).first().click();
        await page.getByRole('dialog').getByRole('button', { name: /delete user/i }).click();
        await row('nora@example.com').waitFor({ state: 'detached' });
    });
}

async function events() {
    await does('see the events', async () => {
        await open('/history');
        for (const type of ['user-deleted', 'user-created', 'pat-created', 'api-token-deleted']) {
            await page.getByText(type).first().waitFor();
        }
    });
    await does('search the events', async () => {
        await page.getByTestId('SEARCH_INPUT').last().fill('nora@example.com');
        await page.getByText('api-token-deleted').first().waitFor({ state: 'detached' });
        await page.getByText('user-created').first().waitFor();
    });
    await does('see the events of the project', async () => {
        await open('/projects/default/logs');
        await page.getByText('api-token-created').first().waitFor();
    });
}

/** A project that Unleash does not know. */
async function projectOfLatchkey() {
    await does('see a project without flags', async () => {
        const project = { id: 'shop', name: 'Web shop' };
        const made = await send('/api/admin/projects', { method: 'POST', token: ADMIN_TOKEN, body: project });
        assert.equal(made.status, 201);
        await open('/projects');
        await page.getByText('Web shop').first().click();
        await page.getByText('No feature flags available').waitFor();
        await page.getByText('Web shop').first().waitFor();
        await open('/projects/shop/logs');
        await page.getByText('project-created').first().waitFor();
    });
    await livesOn('/projects/shop/settings/api-access', 'of-the-shop', 'shop');
}

/** Flags: changed by those who may, and by no one else. */
async function flags(mayChange) {
    const name = `flag-of-${who}`;
    await does(mayChange ? 'create a flag' : 'be refused to create a flag', async () => {
        await open('/projects/default');
        const button = page.locator('button', { hasText: /^new feature flag|^create flag/i }).first();
        await button.waitFor();
        assert.equal(await button.isEnabled(), mayChange, 'the button is enabled');
        const create = (name) =>
            fetch('/api/admin/projects/default/features', {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify({ name, type: 'release' }),
            }).then(({ status }) => status);
        assert.equal(await page.evaluate(create, name), mayChange ? 201 : 403);
        if (mayChange) await open(`/projects/default/features/${name}`);
    }, mayChange ? [] : [/^403 POST \/api\/admin\/projects\/default\/features$/]);
}

/** What a page does not show: Unleash takes no request that Latchkey would refuse, on any way. */
async function guard() {
    who = 'no page';
    const isRefused = async (name, status, path, request) => {
        let outcome = 'pass';
        for (const to of [BASE_URL, UNLEASH_URL]) {
            const answer = await send(path, { ...request, to });
            if (answer.status !== status) outcome = `FAILED: ${answer.status} ${to} ${await answer.text()}`;
        }
        if (outcome !== 'pass') failures += 1;
        console.log(`| ${name} | ${outcome === 'pass' ? status : outcome} |`);
    };
    const flag = { method: 'POST', body: { name: 'other', type: 'release' } };
    const create = '/api/admin/projects/default/features';
    await isRefused('no credentials', 401, create, flag);
    await isRefused('no credentials, two slashes', 401, '//api//admin/ui-config', {});
    await isRefused('no credentials, capitals', 401, '/API/Admin/ui-config', {});
    await isRefused('an admin token that only Unleash has', 401, create, { ...flag, token: OWN_TOKEN });
    await isRefused('the same, at the flags', 401, '/api/client/features', { token: OWN_TOKEN });
    const made = { tokenName: 'sdk', type: 'client', environment: 'development', projects: ['default'] };
    const client = await send('/api/admin/api-tokens', { method: 'POST', token: ADMIN_TOKEN, body: made });
    const { secret } = await client.json();
    await isRefused('a client token that creates a flag', 403, create, { ...flag, token: secret });
    await isRefused('a client token at the frontend', 403, '/api/frontend', { token: secret });
    const login = { method: 'POST', body: { username: 'editor', password: PASSWORD } };
    const session = await send('/auth/simple/login', login);
    const [cookie] = session.headers.get('set-cookie').split(';');
    await isRefused("an Editor's session, from another site", 403, create, { ...flag, cookie, site: 'cross-site' });
    const { id } = await session.json();
    const role = { method: 'PUT', token: ADMIN_TOKEN, body: { rootRole: 3 } };
    assert.equal((await send(`/api/admin/user-admin/${id}`, role)).status, 200);
    await isRefused('an Editor who became a Viewer creates a flag', 403, create, { ...flag, cookie });
    const gone = { method: 'DELETE', token: ADMIN_TOKEN };
    assert.equal((await send(`/api/admin/user-admin/${id}`, gone)).status, 200);
    await isRefused('a user who was deleted', 401, '/api/admin/features', { cookie });
}

await signIn('admin');
await livesOn('/admin/api', 'web-shop', '*');
await livesOn('/projects/default/settings/api-access', 'of-the-project', 'default');
await personalToken();
await users();
await events();
await projectOfLatchkey();
await flags(true);
await signOut();

await signIn('editor');
await livesOn('/projects/default/settings/api-access', 'of-the-editor', 'default');
await personalToken();
await flags(true);
await signOut();

await signIn('viewer');
await personalToken();
await flags(false);
await does('see no tokens', async () => {
    const status = await page.evaluate(() => fetch('/api/admin/api-tokens').then((answer) => answer.status));
    assert.equal(status, 403);
}, [/^403 GET \/api\/admin\/api-tokens$/]);
await signOut();

await guard();

for (const [problem, times] of problems) console.log(`| ${problem} | FAILED ${times} × |`);
await browser.close();
process.exitCode = failures + problems.size > 0 ? 1 : 0;
