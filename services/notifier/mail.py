"""Mails: text and HTML of the same notice, handed to one SMTP server."""

from __future__ import annotations

import functools
import unicodedata
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifier.channel import Later, Never, Outcome, Sent
from services.notifier.notice import Notice

PORTS: Final = {"smtp": 25, "smtps": 465}
# Characters that turn the direction of the text around them.
TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class Mail:
    """Writes to one user each; `to` is an address with `{user_id}` in it."""

    def __init__(self, url: str, *, sender: str, to: str, page: str, seconds: float) -> None:
        parts = urlsplit(url)
        self._server: dict[str, Any] = {
            "hostname": parts.hostname,
            "port": parts.port or PORTS[parts.scheme],
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "use_tls": parts.scheme == "smtps",
            "timeout": seconds,
        }
        self._sender, self._to, self._page = sender, to, page

    async def deliver(self, notice: Notice) -> Outcome:
        """Hand over one mail. What the server refuses with 5xx is refused for good, but that it does not know us."""
        try:
            message = message_of(notice, sender=self._sender, to=self._to, page=self._page)
        except (ValueError, MessageError) as error:
            return Never(f"no mail can be written: {error}")
        try:
            await aiosmtplib.send(message, **self._server)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            return _outcome(refused.code, refused.message)
        except aiosmtplib.SMTPAuthenticationError as error:
            return Later(f"{error.code} {error.message}")
        except aiosmtplib.SMTPResponseException as error:
            return _outcome(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Later(f"{type(error).__name__}: {error}")
        return Sent()

    async def close(self) -> None:
        """Nothing is kept open."""


def message_of(notice: Notice, *, sender: str, to: str, page: str) -> EmailMessage:
    """The mail; its Message-ID is the notice's, so that a second one can be told.

    Raises:  ValueError or MessageError where an address is none.
    """
    recipient = Address(addr_spec=to.replace("{user_id}", notice.user_id))
    lines = [_line(one) for one in notice.highlights]
    values = {"lines": lines, "more": notice.more, "page": page}
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject_of(lines, notice.more)
    message["Message-ID"] = f"<{notice.notice_id}@{Address(addr_spec=sender).domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_template("mail.txt").render(values))
    message.add_alternative(_template("mail.html").render(values), subtype="html")
    return message


def subject_of(lines: list[dict[str, str]], more: int) -> str:
    """The first badge, and how many come with it."""
    others = len(lines) - 1 + more
    return f"New badge: {lines[0]['name']}" + (f" and {others} more" if others else "")


def clean(text: str) -> str:
    """The text on one line, without characters that are commands to whoever shows it."""
    return "".join(" " if unicodedata.category(one) == "Cc" else one for one in text if one not in TURNING).strip()


def _line(award: dict[str, Any]) -> dict[str, str]:
    badge, evidence = award["badge"], award["evidence"]
    tier = badge["tier"] or ""
    shown = tier.upper() if set(tier) <= set("iv") else tier.title()
    name = badge["name"] if badge["name"].endswith(shown) else f"{badge['name']} {shown}"
    of = next((evidence[key] for key in ("label", "artist", "master") if evidence.get(key)), "")
    return {"name": clean(name), "of": clean(str(of)) if award["context"] else "", "day": award["awarded_at"][:10]}


def _outcome(code: int, said: str) -> Outcome:
    reason = f"{code} {said}"
    return Never(reason) if code >= 500 else Later(reason)


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
