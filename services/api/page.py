"""The page /docs: the OpenAPI document as plain HTML, without scripts and without anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from services.api.problems import KINDS

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem }
code, pre { font: 0.875em/1.45 ui-monospace, monospace }
pre { background: #8881; padding: .75rem; overflow-x: auto; border-radius: .375rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top }
"""


def render(openapi: Mapping[str, Any]) -> str:
    """The whole page."""
    body = "\n".join(_parts(openapi))
    title = escape(str(openapi["info"]["title"]))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _parts(openapi: Mapping[str, Any]) -> Iterator[str]:
    info = openapi["info"]
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f'<p>{escape(info["description"])} Machines read <a href="/openapi.json">/openapi.json</a>.</p>'
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method, operation)
    yield "<h2>Problems</h2>"
    yield "<p>Errors are <code>application/problem+json</code> (RFC 9457); <code>type</code> points here.</p>"
    yield "<table>"
    for kind in KINDS:
        yield (
            f'<tr id="{escape(kind.slug)}"><td>{int(kind.status)}</td><td>{escape(kind.title)}</td>'
            f"<td>{escape(kind.meaning)}</td></tr>"
        )
    yield "</table>"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>parameter</th><th>in</th><th>rule</th><th></th></tr>"
        for parameter in parameters:
            yield (
                f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td>"
                f"<td>{escape(_rule(parameter['schema']))}</td><td>{escape(parameter.get('description', ''))}</td></tr>"
            )
        yield "</table>"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<pre>{escape(json.dumps(content['example'], indent=2, ensure_ascii=False))}</pre>"
    for status, answer in operation["responses"].items():
        yield f"<p><b>{escape(status)}</b> {escape(answer.get('description', ''))}</p>"
        for content in answer.get("content", {}).values():
            if status == "200" and "example" in content:
                shown = content["example"]
                text = shown if isinstance(shown, str) else json.dumps(shown, indent=2, ensure_ascii=False)
                yield f"<pre>{escape(text)}</pre>"


def _rule(schema: Mapping[str, Any]) -> str:
    kinds = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    words = [str(kinds[0].get("type", ""))]
    for name, said in (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "characters at most:")):
        if name in kinds[0]:
            words.append(f"{said} {kinds[0][name]}")
    if schema.get("default") is not None:
        words.append(f"{schema['default']} if not given")
    return ", ".join(words)
