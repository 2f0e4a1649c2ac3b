"""The life of tokens by the package `latchkey_client`, which was generated: each answer is checked."""

import datetime
import os

from latchkey_client import AuthenticatedClient, Client
from latchkey_client.api.api_tokens import (
    create_api_token,
    delete_api_token,
    get_all_api_tokens,
    get_api_tokens_by_name,
    rotate_api_token,
    update_api_token,
)
from latchkey_client.api.projects import (
    create_project,
    create_project_api_token,
    delete_project_api_token,
    get_project_api_token,
    get_project_api_tokens,
    patch_project_api_token,
    rotate_project_api_token,
)
from latchkey_client.api.verification import get_valid_tokens
from latchkey_client.models import (
    CreateApiTokenSchema,
    CreateProjectSchema,
    PatchApiTokenSchema,
    RotateApiTokenSchema,
    TokenStringListSchema,
    UpdateApiTokenSchema,
)

BASE = os.environ["LATCHKEY_URL"]
END = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
administrator = AuthenticatedClient(base_url=BASE, token=os.environ["ADMIN_TOKEN"], raise_on_unexpected_status=True)


def call(operation, status, note="", client=administrator, **arguments):
    """Calls an operation, checks the status, prints the call, and returns the body."""
    name = operation.__name__.rpartition(".")[2] + note
    response = operation.sync_detailed(client=client, **arguments)
    check(name, response.status_code, status)
    print(f"| {name} | {status} |")
    return response.parsed


def check(name, actual, expected):
    if actual != expected:
        raise SystemExit(f"{name}: expected {expected!r}, got {actual!r}")


def valid(*secrets):
    """Returns those of the secrets that are valid."""
    body = TokenStringListSchema(tokens=list(secrets))
    anonymous = Client(base_url=BASE, raise_on_unexpected_status=True)
    return [entry.token for entry in call(get_valid_tokens, 200, client=anonymous, body=body).tokens]


project = call(create_project, 201, body=CreateProjectSchema(id="shop", name="Web shop"))
check("id", project.id, "shop")

body = CreateApiTokenSchema(token_name="checkout", type_="client", environment="development", expires_at=None)
created = call(create_project_api_token, 201, project_id="shop", body=body)
check("secret", created.secret.startswith("shop:development."), True)
check("token", (created.token_name, created.type_, created.projects), ("checkout", "client", ["shop"]))
check("times", (created.expires_at, created.seen_at, created.secure), (None, None, False))

listed = call(get_project_api_tokens, 200, project_id="shop", name="check", sort_by="createdAt", limit=10)
check("list", listed.tokens, [created])
one = call(get_project_api_token, 200, project_id="shop", token=created.secret)
check("token", one, created)

body = PatchApiTokenSchema(description="Reads flags.", expires_at=END)
changed = call(patch_project_api_token, 200, project_id="shop", token=created.secret, body=body)
check("changed", (changed.description, changed.expires_at), ("Reads flags.", END))

body = RotateApiTokenSchema(overlap="PT0S")
rotated = call(rotate_project_api_token, 200, project_id="shop", token=created.secret, body=body)
check("old and new secret", valid(created.secret, rotated.secret), [rotated.secret])
call(delete_project_api_token, 200, project_id="shop", token=rotated.secret)
check("deleted", valid(rotated.secret), [])

body = CreateApiTokenSchema(token_name="proxy", type_="backend", environment="production", projects=["*"])
everywhere = call(create_api_token, 201, body=body)
check("scope", (everywhere.type_, everywhere.project), ("backend", "*"))
call(update_api_token, 200, token=everywhere.secret, body=UpdateApiTokenSchema(expires_at=END))
named = call(get_api_tokens_by_name, 200, token="proxy")
check("named", [(token.type_, token.expires_at) for token in named.tokens], [("client", END)])
again = call(rotate_api_token, 200, token=everywhere.secret, body=RotateApiTokenSchema())
call(delete_api_token, 200, token=again.secret)
everything = call(get_all_api_tokens, 200)
check("all", [token.type_ for token in everything.tokens], ["admin"])

body = CreateApiTokenSchema(type_="client")
invalid = call(create_project_api_token, 400, ", without a name", project_id="shop", body=body)
check("error", (invalid.name, [problem.path for problem in invalid.details]), ("BadDataError", ["/body/tokenName"]))
unknown = call(get_project_api_tokens, 404, ", of an unknown project", project_id="nowhere")
check("error", unknown.name, "NotFoundError")
anonymous = Client(base_url=BASE, raise_on_unexpected_status=True)
refused = call(get_project_api_tokens, 401, ", without credentials", client=anonymous, project_id="shop")
check("error", refused.name, "AuthenticationRequired")
