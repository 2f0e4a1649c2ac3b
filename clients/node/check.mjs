// The SDK for Node behind `/auth/verify`: nginx asks Latchkey about the token of each request. OTHER_URL is a second Latchkey
// process on the same database.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { InMemStorageProvider, Unleash } from "unleash-client";

const { ADMIN_TOKEN, SERVER_URL, OTHER_URL, FLAGS_URL, REQUEST_LOG } = process.env;
const TOKENS = "/api/admin/api-tokens";
const MAX_SECONDS = 60;
// Of a change made by another process: `verify.max_staleness`, and one interval of the SDK.
const MAX_SECONDS_UNTIL_REFUSED = 6;

async function administer(method, path, body, base = SERVER_URL) {
    const headers = { Authorization: ADMIN_TOKEN, "Content-Type": "application/json" };
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
}

async function createToken(tokenName, more = {}) {
    const body = { tokenName, type: "client", environment: "development", projects: ["default"], ...more };
    return (await administer("POST", TOKENS, body)).secret;
}

const pathOf = (secret) => `${TOKENS}/${encodeURIComponent(secret)}`;

// Starts the SDK, which asks every half second.
function start(appName, secret) {
    return new Unleash({
        url: `${FLAGS_URL}/api/`,
        appName,
        refreshInterval: 500,
        metricsInterval: 500,
        customHeaders: { Authorization: secret },
        storageProvider: new InMemStorageProvider(),
        skipInstanceCountWarning: true,
    }).on("error", () => {});
}

function next(client, event) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no event "${event}" in ${MAX_SECONDS} s`)), MAX_SECONDS * 1000);
        client.once(event, (value) => {
            clearTimeout(timer);
            resolve(value);
        });
    });
}

function report(call, actual, expected, more = "") {
    const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
    if (is !== should) throw new Error(`${call}: expected ${should}, got ${is}`);
    console.log(`| ${call} | ${actual}${more} |`);
}

// Waits until the server with flags has answered a call of this client with this status, and returns that.
async function answered(appName, call, status) {
    const line = `flags ${call} ${status} ${appName}`;
    const end = performance.now() + MAX_SECONDS * 1000;
    while (!readFileSync(REQUEST_LOG, "utf8").split("\n").includes(line)) {
        if (performance.now() > end) throw new Error(`not in ${MAX_SECONDS} s: ${line}`);
        await sleep(50);
    }
    return status;
}

// Returns the status that the SDK reports in an error.
async function refusal(client) {
    const error = await next(client, "error");
    return Number(/responded (\d+)/.exec(error.message)?.[1]);
}

const flag = (client) => (client.isEnabled("shop-basket") ? "on" : "off");

async function refused(what, secret, status) {
    const client = start(what.replaceAll(" ", "-"), secret);
    report(`GET /api/client/features, ${what}`, await refusal(client), status);
    report("a flag, then", flag(client), "off");
    client.destroy();
}

const good = await createToken("good");
const client = start("shop", good);
await next(client, "synchronized");
report("GET /api/client/features, good token", client.getFeatureToggleDefinitions().length, 2, " flags");
report("a flag that is on", flag(client), "on");
for (const call of ["POST /api/client/register", "POST /api/client/metrics"]) {
    report(call, await answered("shop", call, 202), 202);
}

await refused("unknown token", "default:development.unknown", 401);
await refused("expired token", await createToken("expired", { expiresAt: "2020-01-01T00:00:00Z" }), 401);
await refused("frontend token", await createToken("frontend", { type: "frontend" }), 403);

const rotated = (await administer("POST", `${pathOf(good)}/rotate`, { overlap: "PT1H" })).secret;
const after = start("after-rotation", rotated);
await next(after, "synchronized");
report("a flag, with the new secret of a rotated token", flag(after), "on");
await next(client, "changed");
report("a flag, with the old secret, within the overlap", flag(client), "on");

const revokedAt = performance.now();
await administer("DELETE", pathOf(rotated), undefined, OTHER_URL);
const status = await refusal(after);
const seconds = (performance.now() - revokedAt) / 1000;
report("GET /api/client/features, after another process revoked the token", status, 401, ` after ${seconds.toFixed(1)} s; the SDK asks every 0.5 s`);
if (seconds > MAX_SECONDS_UNTIL_REFUSED) throw new Error(`that took longer than ${MAX_SECONDS_UNTIL_REFUSED} s`);
report("a flag, then", flag(after), "on", ": the SDK keeps what it has, and asks no more");
process.exit(0);
