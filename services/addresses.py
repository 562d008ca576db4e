"""What settings may look like that are addresses and rates: text that is wrong is refused before a process starts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import SecretStr

_SITE = re.compile(r"https?://([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII).fullmatch
_BOLT = re.compile(
    r"(bolt|neo4j)(\+s|\+ssc)?://([^\s/?#@\[\]:]+:[^\s/?#@\[\]:]*@)?([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?/?"
).fullmatch
_SERVERS = re.compile(r"((([\w.%-]*|\[[0-9A-Fa-f:.]+\])(:\d+)?)(,|$))*").fullmatch


def rate(text: str) -> str:
    """The text, where it is one rate of at least one request.

    Raises:  ValueError.
    """
    if text:
        from limits import parse_many

        if [item.amount > 0 for item in parse_many(text)] != [True]:
            raise ValueError("write one rate, as 20/second or 600/minute")
    return text


def postgres(url: str) -> str:
    """The URL, where it is clear what in it is the password, so that it is never shown.

    Raises:  ValueError that tells nothing of it.
    """
    try:
        parts = urlsplit(url)
        servers = parts.netloc.rpartition("@")[2]
    except ValueError:
        servers, parts = "?", urlsplit("")
    rest = parts.path + parts.query
    if not _SERVERS(servers) or "@" in rest or parts.fragment or parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("write postgresql://user:password@host:port/database, / ? # @ [ in it as %2F %3F %23 %40 %5B")
    return url


def neo4j(url: str) -> str:
    """The URL, where it is clear what in it is the password.

    Raises:  ValueError that tells nothing of it.
    """
    if not _BOLT(url):
        raise ValueError("write bolt://host:port or bolt://user:password@host:port, / ? # @ [ : in it as %2F %3F …")
    return url


def web(url: SecretStr) -> SecretStr:
    """The URL, where it is one of HTTP, or empty.

    Raises:  ValueError that tells nothing of it.
    """
    return _of_scheme(url, ("http", "https"))


def smtp(url: SecretStr) -> SecretStr:
    """The URL, where it is one of SMTP, or empty.

    Raises:  ValueError that tells nothing of it.
    """
    return _of_scheme(url, ("smtp", "smtps"))


def _of_scheme(url: SecretStr, schemes: tuple[str, str]) -> SecretStr:
    try:
        text = url.get_secret_value()
        parts = urlsplit(text)
        good = not text or (parts.scheme in schemes and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"write {schemes[0]}://host:port or {schemes[1]}://host:port")
    return url


def site(url: str) -> str:
    """The URL, where it is scheme, host and port alone.

    Raises:  ValueError.
    """
    if not _SITE(url):
        raise ValueError("write https://host or https://host:port")
    return url


def sites(text: str) -> str:
    """The text, where it is such URLs."""
    for url in text.replace(",", " ").split():
        site(url)
    return text
