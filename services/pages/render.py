"""Templates to answers: the language of the visitor, a strict Content-Security-Policy, compression."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.pages.assets import assets
from services.pages.texts import LANGUAGES, Texts, preferred, texts_of

# Pico draws its arrows and ticks from data: addresses. Nothing is inline, nothing comes from elsewhere.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    # With "no-referrer" browsers do not say where a form comes from, either.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language, Accept-Encoding",
}
LANGUAGE_COOKIE: Final = "gatefold_lang"
YEAR_SECONDS: Final = 31_536_000
WORTH_PACKING: Final = 1_000


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """The page that the template makes of the values, in the visitor's language.

    Shape:  templates also know `t` (texts), `asset` (addresses of files), `path` (this page's address without `lang`),
            `visitor` (the user signed in, or None) and `other_languages` (code, name, address).
    """
    texts = texts_of(language_of(request))
    path = _path_without_language(request)
    joint = "&" if "?" in path else "?"
    others = [(code, name, f"{path}{joint}lang={code}") for code, name in LANGUAGES.items() if code != texts.language]
    known = {"t": texts, "path": path, "other_languages": others, "visitor": getattr(request.state, "visitor", None)}
    content = _environment().get_template(template).render(known | values).encode()
    answer = html(request, content, status, headers)
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, texts.language, max_age=YEAR_SECONDS, samesite="lax", httponly=True)
    return answer


def rendered(language: str, template: str, **values: Any) -> bytes:
    """What the template makes of the values in a language, by itself: no page, nobody's in particular."""
    return _environment().get_template(template).render(t=texts_of(language), **values).encode()


def html(request: Request, content: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The document as an answer, packed where the browser unpacks it.

    No page holds a secret of ours beside what a visitor sends, so its length may tell what it likes.
    """
    sent = {**HEADERS, **(headers or {})}
    if len(content) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, 5)
        sent["Content-Encoding"] = "gzip"
    return Response(content, status, sent, "text/html; charset=utf-8")


def language_of(request: Request) -> str:
    """What the visitor asked for by `?lang=`, has asked for before, or prefers in general."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in LANGUAGES:
            return asked
    return preferred(request.headers.get("accept-language", ""))


def texts(request: Request) -> Texts:
    """The texts in the visitor's language."""
    return texts_of(language_of(request))


def _path_without_language(request: Request) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return request.url.path + (f"?{urlencode(kept)}" if kept else "")


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = assets().url
    return made
