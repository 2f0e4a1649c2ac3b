// Starts Unleash 6 or 7 beside Latchkey, which decides who may do what: docs/guide/beside-unleash.md.
//
//     LATCHKEY_URL=http://127.0.0.1:4242 DATABASE_URL=postgres://… node sign-in.mjs
//
// Unleash looks at no password, session or token of its own. For each request, Latchkey is asked about the credentials, so
// that a session or token that it revokes is worth nothing here either. Without an answer, the request is refused.
import * as unleash from 'unleash-server';

const latchkey = process.env.LATCHKEY_URL ?? 'http://127.0.0.1:4242';

/** What Latchkey says to a GET with the credentials of a request. */
async function ask(path, { credentials }) {
    const headers = Object.entries(credentials).filter(([, value]) => value !== undefined);
    try {
        return await fetch(new URL(path, latchkey), { headers, redirect: 'error', signal: AbortSignal.timeout(5000) });
    } catch {
        const message = 'Latchkey, which knows users and tokens, does not answer. Try again later.';
        return Response.json({ name: 'ServiceUnavailableError', message }, { status: 503 });
    }
}

async function passOn(answer, response) {
    for (const name of ['content-type', 'www-authenticate', 'retry-after']) {
        if (answer.headers.has(name)) response.set(name, answer.headers.get(name));
    }
    response.status(answer.status).send(await answer.text());
}

function refuse(response, message) {
    response.status(403).json({ name: 'OperationDeniedError', message });
}

/** The role for flags that follows from permissions in Latchkey. */
function roleOf(permissions) {
    const may = (name, ...projects) =>
        permissions.some(({ permission, project }) => permission === name && projects.includes(project));
    if (may('ADMIN', undefined)) return 'Admin';
    return may('UPDATE_PROJECT', '*', 'default') ? 'Editor' : 'Viewer';
}

const inProgress = new Map();

/** Does something once for all requests that need it at the same time: a page sends many. */
function once(key, action) {
    if (!inProgress.has(key)) inProgress.set(key, action().finally(() => inProgress.delete(key)));
    return inProgress.get(key);
}

/** The account in Unleash of a user of Latchkey, with this role. It is made when it is first needed. Undefined if another user has
 * the name there. */
async function accountOf(user, role, { userService, accessService }) {
    const key = user.email ? { email: user.email.toLowerCase() } : { username: user.username };
    const find = () => userService.store.getByQuery(key).catch(() => undefined);
    const create = () => userService.createUser({ ...key, name: user.name, rootRole: role });
    const account = (await find()) ?? (await once(JSON.stringify(key), create));
    // With the address, it is the account of another user of Latchkey.
    if (!user.email && account.email) return undefined;
    if ((await accessService.getRootRoleForUser(account.id)).name !== role) {
        await once(`${account.id} ${role}`, () => accessService.setUserRootRole(account.id, role));
    }
    return account;
}

/** A client's request for flags: the token, with its projects and its environment. */
async function admitClient(request, response, type) {
    const answer = await ask(`/auth/verify?type=${type}`, request);
    if (answer.status !== 200) return passOn(answer, response);
    const said = (name) => answer.headers.get(`x-latchkey-token-${name}`);
    request.user = new unleash.ApiUser({
        tokenName: decodeURIComponent(said('name')),
        permissions: [type.toUpperCase()],
        projects: said('projects').split(','),
        environment: said('environment'),
        type,
        secret: request.credentials.authorization,
    });
    return undefined;
}

/** Puts what Latchkey says into Unleash's response where both know something: the web UI shows both. */
async function merge(request, response, me) {
    const replace = (change, instead = (error) => error) => {
        const json = response.json.bind(response);
        response.json = (body) => json(response.statusCode < 400 ? change(body) : instead(body));
    };
    const isProject = /^\/admin\/projects\/[^/]+\/overview$/.test(request.path);
    if (request.path === '/admin/user') {
        const isAboutFlags = ({ permission }) => !/_API_TOKEN$|_PROJECT$/.test(permission);
        replace(({ permissions, ...body }) => ({
            ...body,
            user: me.user,
            permissions: [...me.permissions, ...permissions.filter(isAboutFlags)],
        }));
    } else if (request.path === '/admin/projects' || isProject) {
        const answer = await ask(`/api${request.url}`, request);
        if (answer.status !== 200) return passOn(answer, response);
        const said = await answer.json();
        if (isProject) {
            // Unleash knows projects with flags alone. Of others, the web UI wants no more than that it needs no introduction.
            const alone = () => response.status(200) && { ...said, onboardingStatus: { status: 'onboarded' } };
            replace((body) => ({ ...body, ...said, environments: body.environments }), alone);
        } else {
            const withFlags = (known) => (project) => ({ ...known.find(({ id }) => id === project.id), ...project });
            replace((body) => ({ ...body, projects: said.projects.map(withFlags(body.projects)) }));
        }
    }
    return undefined;
}

/** An administrative request: a user, or an admin token. */
async function admitUser(request, response, services) {
    const isChange = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    if (isChange && ![undefined, 'same-origin', 'none'].includes(request.get('sec-fetch-site'))) {
        return refuse(response, 'Another site sent this request.');
    }
    const answer = await ask('/api/admin/user', request);
    if (answer.status !== 200) return passOn(answer, response);
    const { user, permissions } = await answer.json();
    if (user.isAPI) {
        const { username: tokenName, internalAdminTokenUserId, ...token } = user;
        request.user = Object.assign(new unleash.ApiUser({ ...token, tokenName }), { internalAdminTokenUserId });
        return undefined;
    }
    request.user = await accountOf(user, roleOf(permissions), services);
    if (!request.user) return refuse(response, `In Unleash, another user is called ${user.username}. Change one of the names.`);
    await merge(request, response, { user, permissions });
    return undefined;
}

function customAuthHandler(app, config, services) {
    app.use(`${config.server.baseUriPath}/api`, async (request, response, next) => {
        const [, sdk] = request.path.match(/^\/(client|frontend)(?:\/|$)/i) ?? [];
        try {
            await (sdk ? admitClient(request, response, sdk.toLowerCase()) : admitUser(request, response, services));
        } catch (error) {
            return next(error);
        }
        return response.headersSent ? undefined : next();
    });
}

/** Takes the credentials out of each request before Unleash can look at them. */
function preHook(app) {
    app.use((request, _response, next) => {
        const { authorization, cookie, 'x-forwarded-for': address } = request.headers;
        request.credentials = { authorization, cookie, 'x-forwarded-for': address };
        delete request.headers.authorization;
        delete request.headers.cookie;
        next();
    });
}

const authentication = { type: 'custom', enableApiToken: false, createAdminUser: false, customAuthHandler };
await unleash.start({ authentication, preHook });
