"""The SDK for Python behind `/auth/verify`: nginx asks Latchkey about the token of each request. OTHER_URL is a second
Latchkey process on the same database."""

import logging
import os

from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

from common import create_token, report, requests, revoke, wait_until

# What the SDK logs about refusals is the purpose of this check.
logging.getLogger("UnleashClient").setLevel(logging.CRITICAL)
# Of a change made by another process: `verify.max_staleness`, and one interval of the SDK.
MAX_SECONDS_UNTIL_REFUSED = 6
FEATURES = ("GET", "/api/client/features")


def start(app, secret):
    """Starts the SDK, which asks every second."""
    client = UnleashClient(
        url=os.environ["FLAGS_URL"] + "/api", app_name=app, environment="development", refresh_interval=1, metrics_interval=1,
        custom_headers={"Authorization": secret}, cache=FileCache(app, directory=os.path.join(os.environ["CACHE"], app)),
    )
    client.initialize_client()
    return client


def answered(source, app, call, status):
    """Waits until nginx has answered a call of this client with this status."""
    wanted = (source, *call, str(status), app)
    wait_until(" ".join(wanted), lambda: wanted in requests())
    return status


def flag(client):
    return "on" if client.is_enabled("shop-basket") else "off"


def refused(what, secret, status):
    app = what.replace(" ", "-")
    client = start(app, secret)
    report(f"GET /api/client/features, {what}", answered("client", app, FEATURES, status), status)
    report("a flag, then", flag(client), "off")
    client.destroy()


good = create_token("good")
client = start("shop", good)
report("GET /api/client/features, good token", answered("flags", "shop", FEATURES, 200), 200)
wait_until("the SDK has the flags", lambda: flag(client) == "on")
report("a flag that is on", flag(client), "on")
report("POST /api/client/register", answered("flags", "shop", ("POST", "/api/client/register"), 202), 202)
report("POST /api/client/metrics", answered("flags", "shop", ("POST", "/api/client/metrics"), 202), 202)

refused("unknown token", "default:development.unknown", 401)
refused("expired token", create_token("expired", expiresAt="2020-01-01T00:00:00Z"), 401)
refused("frontend token", create_token("frontend", type="frontend"), 403)

revoke(good, base=os.environ["OTHER_URL"])
_, seconds = wait_until("the SDK is refused", lambda: ("client", *FEATURES, "401", "shop") in requests())
report("GET /api/client/features, after another process revoked the token", 401, 401,
       f" after {seconds:.1f} s; the SDK asks every second")
if seconds > MAX_SECONDS_UNTIL_REFUSED:
    raise SystemExit(f"that took longer than {MAX_SECONDS_UNTIL_REFUSED} s")
report("a flag, then", flag(client), "on", ": the SDK keeps what it has")
client.destroy()
