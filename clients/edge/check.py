"""Unleash Edge in front of nginx, Latchkey and a server with flags: EDGE_URL, started with the token EDGE_TOKEN."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

from common import (
    ADMIN_TOKEN, LATCHKEY, TOKENS, administer, create_token, report, requests, revoke, send, token, wait_until,
)

EDGE = os.environ["EDGE_URL"]
STARTUP = os.environ["EDGE_TOKEN"]
FEATURES = "/api/client/features"
FLAGS = ["shop-basket", "shop-search"]
# The most tokens that Latchkey creates in one request.
BATCH = 1000


def accepted_copies():
    """Returns how many reports of metrics Latchkey accepted; nginx shows no client its answers."""
    metric = 'latchkey_http_requests_total{route="/api/client/metrics/bulk",method="POST",status="202"} '
    lines = send(LATCHKEY, "GET", "/metrics")[1].splitlines()
    return sum(int(line.removeprefix(metric)) for line in lines if line.startswith(metric))


# What an Edge that was checked before did is of no interest.
BEFORE, COPIES_BEFORE = len(requests()), accepted_copies()


def features(secret):
    return send(EDGE, "GET", FEATURES, secret)


def status(secret):
    return features(secret)[0]


def statuses(secrets):
    """Asks for the flags with each of these tokens, 200 at a time, and returns the statuses that came."""
    with ThreadPoolExecutor(200) as clients:
        return sorted(set(clients.map(status, secrets)))


def validated(secrets):
    answer = send(EDGE, "POST", "/edge/validate", None, {"tokens": secrets})[1]
    return {one["token"] for one in answer["tokens"]}


def each_kind_of_token():
    wait_until("Edge has the flags of its own token", lambda: status(STARTUP) == 200)
    names = sorted(feature["name"] for feature in features(STARTUP)[1]["features"])
    report(f"GET {FEATURES}, the token that Edge was started with", names, FLAGS)
    good, other = create_token("good"), create_token("other")
    report("the same, a token that Edge sees for the first time", status(good), 200)
    revoked, expired = create_token("revoked"), create_token("expired", expiresAt="2020-01-01T00:00:00Z")
    revoke(revoked)
    report("the same, a token that was revoked before", status(revoked), 403)
    report("the same, an expired token", status(expired), 403)
    report("the same, an unknown token", status("default:development.unknown"), 403)
    report("the same, a text without colon and dot", status("no-token"), 403)
    report("the same, an admin token", status(ADMIN_TOKEN), 403)
    frontend = create_token("frontend", type="frontend")
    report("the same, a frontend token", status(frontend), 403)
    report("GET /api/frontend, a frontend token", send(EDGE, "GET", "/api/frontend", frontend)[0], 200)
    backend = create_token("backend", type="backend")
    report(f"GET {FEATURES}, a token that was created as `backend`", status(backend), 200)
    asked = [STARTUP, good, other, revoked, expired, backend, "default:development.unknown"]
    names = {STARTUP: "startup", good: "good", other: "other", backend: "backend"}
    report("POST /edge/validate, these and the bad ones", sorted(names.get(one, one) for one in validated(asked)),
           sorted(names.values()))
    return good, backend


def reports_of_use(secret):
    report("POST /api/client/metrics, to Edge",
           send(EDGE, "POST", "/api/client/metrics", secret, {
               "appName": "shop", "instanceId": "one", "environment": "development",
               "bucket": {"start": "2026-01-01T00:00:00Z", "stop": "2026-01-01T00:01:00Z",
                          "toggles": {"shop-basket": {"yes": 3, "no": 1, "variants": {}}}},
           })[0], 202)
    bulk = ("client", "POST", "/api/client/metrics/bulk")
    sent, _ = wait_until("Edge reports metrics", lambda: [one for one in requests()[BEFORE:] if one[:3] == bulk])
    report("POST /api/client/metrics/bulk, by Edge", sorted({int(one[3]) for one in sent}), [202])
    wait_until("Latchkey accepts a copy", lambda: accepted_copies() > COPIES_BEFORE)
    report("the copy of it that nginx sends to Latchkey", 202, 202)
    seen, _ = wait_until("Latchkey knows of the use", lambda: token("good")["seenAt"])
    report("`seenAt` of that token, in Latchkey", "a time" if seen else seen, "a time")


def revocation(good, kept):
    revoke(good)
    _, seconds = wait_until("Edge refuses the revoked token", lambda: status(good) == 403)
    report(f"GET {FEATURES}, a cached token, revoked since", status(good), 403,
           f" after {seconds:.1f} s; Edge asks every second")
    report("the same, another cached token", status(kept), 200)


def five_thousand():
    secrets = []
    for first in range(0, 5000, BATCH):
        bodies = [{"tokenName": f"many {first + n}", "type": "client", "environment": "development",
                   "projects": ["default"]} for n in range(BATCH)]
        made = administer("POST", f"{TOKENS}/batch", {"tokens": bodies})
        secrets += [one["secret"] for one in made["tokens"]]
    report("POST /edge/validate, 5,000 good tokens in one request", len(validated(secrets)), 5000)
    report(f"GET {FEATURES}, each of them", statuses(secrets), [200])
    revoked, kept = secrets[:BATCH], secrets[BATCH:]
    with ThreadPoolExecutor(16) as operators:
        list(operators.map(revoke, revoked))
    wait_until("Edge refuses the 1,000", lambda: statuses(revoked) == [403])
    report("the same, 1,000 of them, revoked since", statuses(revoked), [403])
    report("the same, the other 4,000", statuses(kept), [200])
    return kept


def flood(kept):
    """One client of Edge guesses; the others must not notice."""
    guesses = [f"default:development.{n:040}" for n in range(5000)]
    new = create_token("new in a flood")
    with ThreadPoolExecutor(1) as attacker:
        answers = attacker.submit(statuses, guesses)
        report("the same, 1,000 cached tokens, while a client tries 5,000 unknown ones", statuses(kept[:BATCH]), [200])
        # 503 is the answer of Latchkey to a client that exceeds `verify.unknown_per_second`.
        unexpected = set(answers.result()) - {403, 503}
        report("the same, the unknown ones", unexpected or "refused", "refused")
    wait_until("Edge accepts a new token", lambda: status(new) == 200)
    report("the same, a new token, after that", status(new), 200)


def outage(kept):
    """Latchkey stands still; Edge must forget no token that was good."""
    process = int(os.environ["SERVER_PID"])
    new = create_token("new")
    asked = len(requests())
    os.kill(process, signal.SIGSTOP)
    try:
        failed = lambda: any(one[2] == "/edge/validate" and one[3] != "200" for one in requests()[asked:])
        wait_until("a request of Edge fails", failed)
        answer = "accepted" if status(new) == 200 else "refused"
        report("the same, a token that Edge sees for the first time, while Latchkey does not answer", answer, "refused")
        report("the same, 1,000 cached tokens, then", statuses(kept[:BATCH]), [200])
    finally:
        os.kill(process, signal.SIGCONT)
    wait_until("Edge accepts a new token", lambda: status(new) == 200)
    report("the same, a new token, after that", status(new), 200)


good, backend = each_kind_of_token()
reports_of_use(good)
revocation(good, backend)
kept = five_thousand()
flood(kept)
outage(kept)
