"""What the checks in Python share: requests, tokens of Latchkey, waiting, and the table of calls."""

import http.client
import json
import os
import sys
import time
import urllib.parse

LATCHKEY = os.environ["SERVER_URL"]
ADMIN_TOKEN = os.environ["ADMIN_TOKEN"]
TOKENS = "/api/admin/api-tokens"
MAX_SECONDS = 60


def send(base, method, path, token=None, body=None):
    """Sends a request and returns the status and the body, read as JSON if it is JSON."""
    address = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=MAX_SECONDS)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token is not None:
        headers["Authorization"] = token
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    try:
        return response.status, json.loads(data)
    except ValueError:
        return response.status, data.decode(errors="replace")


def administer(method, path, body=None, base=LATCHKEY):
    """Sends a request with the admin token, which has to succeed, and returns the body."""
    status, answer = send(base, method, path, ADMIN_TOKEN, body)
    if status not in (200, 201):
        raise SystemExit(f"{method} {path}: {status} {answer}")
    return answer


def create_token(name, **more):
    """Creates a token, for a client of the project `default` if nothing else is said, and returns its secret."""
    body = {"tokenName": name, "type": "client", "environment": "development", "projects": ["default"], **more}
    return administer("POST", TOKENS, body)["secret"]


def revoke(secret, base=LATCHKEY):
    """Revokes a token."""
    administer("DELETE", f"{TOKENS}/{urllib.parse.quote(secret, safe='')}", base=base)


def token(name):
    """Returns the token of this name as Latchkey lists it."""
    return administer("GET", f"{TOKENS}/{urllib.parse.quote(name, safe='')}")["tokens"][0]


def wait_until(what, condition):
    """Waits until the condition gives a true value, and returns that and the seconds that it took."""
    start = time.monotonic()
    while not (value := condition()):
        if time.monotonic() - start > MAX_SECONDS:
            raise SystemExit(f"after {MAX_SECONDS} s, this still does not hold: {what}")
        time.sleep(0.05)
    return value, time.monotonic() - start


def report(call, actual, expected, more=""):
    """Prints a call and its result as a row of the table, and ends the check if the result is another one."""
    if actual != expected:
        raise SystemExit(f"{call}: expected {expected!r}, got {actual!r}")
    shown = ", ".join(map(str, actual)) if isinstance(actual, list) else actual
    print(f"| {call} | {shown}{more} |")
    sys.stdout.flush()


def requests():
    """Returns the requests that nginx logged so far: (`client` or `flags`, method, path, status, name of the client)."""
    with open(os.environ["REQUEST_LOG"]) as log:
        return [tuple(line.rstrip("\n").split(" ", 4)) for line in log]
