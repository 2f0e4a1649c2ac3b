// The life of tokens by the client that was generated into `client`: what it returns is checked as data here, and as types by
// the compiler.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";

import { client } from "./client/client.gen.js";
import * as latchkey from "./client/index.js";
import type { ApiTokenSchema, ErrorSchema } from "./client/index.js";

const { ADMIN_TOKEN = "", LATCHKEY_URL = "" } = process.env;
const PROJECT = { projectId: "shop" };

client.setConfig({ baseUrl: LATCHKEY_URL, auth: ADMIN_TOKEN });

interface Outcome<T> {
    data?: T | undefined;
    error?: unknown;
    request?: Request | undefined;
    response?: Response | undefined;
}

// Prints the call, and returns its data if the status is the expected one.
async function expect<T>(status: number, call: string, outcome: Promise<Outcome<T>>): Promise<T> {
    const { data, error, response } = await outcome;
    strictEqual(response?.status, status, `${call}: ${response?.status} ${JSON.stringify(error)}`);
    console.log(`| ${call} | ${status} |`);
    return data as T;
}

async function refused(status: number, call: string, outcome: Promise<Outcome<unknown>>): Promise<ErrorSchema> {
    const { error, response } = await outcome;
    strictEqual(response?.status, status, `${call}: ${response?.status} ${JSON.stringify(error)}`);
    console.log(`| ${call} | ${status} |`);
    return error as ErrorSchema;
}

// The names of the tokens whose secrets are valid.
async function valid(secrets: string[]): Promise<string[]> {
    const body = { tokens: secrets };
    const { tokens } = await expect(200, "getValidTokens", latchkey.getValidTokens({ body }));
    return tokens.map(({ token }) => token);
}

const project = await expect(
    201,
    "createProject",
    latchkey.createProject({ body: { id: "shop", name: "Web shop" } }),
);
strictEqual(project.id, "shop");

const created: ApiTokenSchema = await expect(
    201,
    "createProjectApiToken",
    latchkey.createProjectApiToken({
        path: PROJECT,
        body: { tokenName: "checkout", type: "client", environment: "development", expiresAt: null },
    }),
);
match(created.secret, /^shop:development\./);
deepStrictEqual([created.tokenName, created.type, created.projects], ["checkout", "client", ["shop"]]);
deepStrictEqual([created.expiresAt, created.seenAt, created.secure], [null, null, false]);

const listed = await expect(
    200,
    "getProjectApiTokens",
    latchkey.getProjectApiTokens({ path: PROJECT, query: { name: "check", sortBy: "createdAt", limit: 10 } }),
);
deepStrictEqual(listed.tokens, [created]);

const one = await expect(
    200,
    "getProjectApiToken",
    latchkey.getProjectApiToken({ path: { ...PROJECT, token: created.secret } }),
);
deepStrictEqual(one, created);

const described = await expect(
    200,
    "patchProjectApiToken",
    latchkey.patchProjectApiToken({
        path: { ...PROJECT, token: created.secret },
        body: { description: "Reads flags.", expiresAt: "2099-01-01T00:00:00.000Z" },
    }),
);
deepStrictEqual([described.description, described.expiresAt], ["Reads flags.", "2099-01-01T00:00:00.000Z"]);

const rotated = await expect(
    200,
    "rotateProjectApiToken",
    latchkey.rotateProjectApiToken({ path: { ...PROJECT, token: created.secret }, body: { overlap: "PT0S" } }),
);
ok(rotated.secret !== created.secret);
deepStrictEqual(await valid([created.secret, rotated.secret]), [rotated.secret]);

await expect(
    200,
    "deleteProjectApiToken",
    latchkey.deleteProjectApiToken({ path: { ...PROJECT, token: rotated.secret } }),
);
deepStrictEqual(await valid([rotated.secret]), []);

const everywhere = await expect(
    201,
    "createApiToken",
    latchkey.createApiToken({ body: { tokenName: "proxy", type: "backend", environment: "production", projects: ["*"] } }),
);
deepStrictEqual([everywhere.type, everywhere.project], ["backend", "*"]);
await expect(
    200,
    "updateApiToken",
    latchkey.updateApiToken({ path: { token: everywhere.secret }, body: { expiresAt: "2099-01-01T00:00:00.000Z" } }),
);
const named = await expect(
    200,
    "getApiTokensByName",
    latchkey.getApiTokensByName({ path: { token: "proxy" } }),
);
deepStrictEqual(named.tokens.map(({ type, expiresAt }) => [type, expiresAt]), [["client", "2099-01-01T00:00:00.000Z"]]);
const again = await expect(
    200,
    "rotateApiToken",
    latchkey.rotateApiToken({ path: { token: everywhere.secret }, body: {} }),
);
await expect(200, "deleteApiToken", latchkey.deleteApiToken({ path: { token: again.secret } }));
const all = await expect(200, "getAllApiTokens", latchkey.getAllApiTokens());
deepStrictEqual(all.tokens.map(({ type }) => type), ["admin"]);

const invalid = await refused(
    400,
    "createProjectApiToken, without a name",
    latchkey.createProjectApiToken({ path: PROJECT, body: { type: "client" } }),
);
strictEqual(invalid.name, "BadDataError");
deepStrictEqual(invalid.details?.map(({ path }) => path), ["/body/tokenName"]);
const unknown = await refused(
    404,
    "getProjectApiTokens, of an unknown project",
    latchkey.getProjectApiTokens({ path: { projectId: "nowhere" } }),
);
strictEqual(unknown.name, "NotFoundError");
const anonymous = await refused(
    401,
    "getProjectApiTokens, without credentials",
    latchkey.getProjectApiTokens({ path: PROJECT, auth: () => undefined }),
);
strictEqual(anonymous.name, "AuthenticationRequired");
