"""`gatefold notifier` against a real SMTP server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP

from tests.e2e.processes import Crew, until
from tests.integration.notifier.world import Award, notifying


class Box:
    """An SMTP server's mails; answers a recipient with a refusal of its own where one waits."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


async def test_mails_name_what_was_earned_and_nothing_else_gets_in(crew: Crew, award: Award, user: str) -> None:
    box = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    name = "<b>Größe</b>\r\nBcc: all@example.org \u202eRTL 🎷"
    mail = {
        "notifier_webhook_url": "",
        "notifier_smtp_url": f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "notifier_mail_from": "badges@records.example",
        "notifier_mail_to": "{user_id}@users.example",
        "notifier_page": "https://records.example/me",
    }
    async with server:
        async with notifying(crew, **mail) as process:
            box.refusals = ["451 later", "451 later"]
            await award(user, "label-loyalist", context="label:1", label=name)
            await award(user, name)
            await award(f"{user}@twice", "owner")
            await asyncio.to_thread(process.wait_for, "notice is dead")
            await asyncio.to_thread(until, lambda: len(box.mails) == 1, "a mail")
        ((to, message),) = box.mails
        assert to == [f"{user}@users.example"]
        assert message["bcc"] is None
        assert message["subject"].startswith("New badge: ")
        assert message["subject"].endswith(" and 1 more")
        assert message["message-id"].endswith("@records.example>")
        text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
        assert "Label-Loyalist Silver (<b>Größe</b>  Bcc: all@example.org RTL 🎷), 2026-03-01" in text
        assert "(<bdi>&lt;b&gt;Größe&lt;/b&gt;  Bcc: all@example.org RTL 🎷</bdi>)" in html
        assert "<b>" not in html
        assert "https://records.example/me" in text
