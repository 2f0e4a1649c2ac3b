"""A mail server (aiosmtpd) that prints each message as a line of JSON, and knows one user.

Arguments: the port, `starttls`, `tls` or `none`, and for the first two a certificate and its key.
"""

import asyncio
import base64
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Receiver:
    async def auth_PLAIN(self, server, args):
        login = base64.b64decode(args[1]) if len(args) == 2 else b""
        return AuthResult(success=login == b"\0latchkey\0open sesame", handled=False)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [part for part in message.walk() if not part.is_multipart()]
        seen = {
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "encrypted": server.transport.get_extra_info("sslcontext") is not None,
            "authenticated": bool(session.authenticated),
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "parts": {part.get_content_type(): part.get_content() for part in parts},
        }
        print(json.dumps(seen), flush=True)
        return "250 taken"


async def main(port, mode, certificate=None, key=None):
    tls = None
    if mode != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
    starttls = mode == "starttls"

    def protocol():
        return SMTP(
            Receiver(),
            hostname="mail.example.com",
            tls_context=tls if starttls else None,
            require_starttls=starttls,
            auth_require_tls=starttls,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", int(port), ssl=None if starttls else tls)
    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
