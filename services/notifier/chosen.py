"""Which way of delivery the settings choose."""

from __future__ import annotations

from typing import Final

from services.notifier.channel import Channel
from services.notifier.mail import Mail
from services.notifier.webhook import Webhook
from services.settings import Settings

SECRET_BYTES: Final = 32


class NoChannel(ValueError):
    """The settings choose no way, or two, or lack a part of it; the message names the variable."""


def channel_of(settings: Settings) -> Channel:
    """The channel that is set.

    Raises:  NoChannel.
    """
    webhook, smtp = (
        "" if url is None else url.get_secret_value()
        for url in (settings.notifier_webhook_url, settings.notifier_smtp_url)
    )
    if bool(webhook) == bool(smtp):
        raise NoChannel("set one of GATEFOLD_NOTIFIER_WEBHOOK_URL and GATEFOLD_NOTIFIER_SMTP_URL")
    if webhook:
        secret = b"" if settings.notifier_secret is None else settings.notifier_secret.get_secret_value().encode()
        if len(secret) < SECRET_BYTES:
            raise NoChannel(f"set GATEFOLD_NOTIFIER_SECRET to {SECRET_BYTES} bytes or more: webhooks are signed")
        return Webhook(webhook, secret, seconds=settings.notifier_seconds)
    if "{user_id}" not in settings.notifier_mail_to or not settings.notifier_mail_from:
        raise NoChannel("set GATEFOLD_NOTIFIER_MAIL_FROM, and GATEFOLD_NOTIFIER_MAIL_TO with {user_id} in it")
    return Mail(
        smtp,
        sender=settings.notifier_mail_from,
        to=settings.notifier_mail_to,
        page=settings.notifier_page,
        seconds=settings.notifier_seconds,
    )
