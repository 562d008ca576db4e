"""What a page weighs: bytes and requests, fonts left out."""

from __future__ import annotations

from typing import NamedTuple

from playwright.async_api import Page, Response


class Load(NamedTuple):
    """Bytes transferred, in how many answers."""

    size: int
    requests: int


async def load(page: Page, path: str) -> Load:
    """Loads the page with nothing in the cache; all of it comes from one host."""
    answers: list[Response] = []

    def heard(answer: Response) -> None:
        answers.append(answer)

    await page.route("**/*", lambda route: route.continue_())  # a page that is listened to does without its cache
    page.on("response", heard)
    await page.goto(path)
    page.remove_listener("response", heard)
    await page.unroute("**/*")
    assert {one.url.split("/")[2] for one in answers} == {page.url.split("/")[2]}
    sizes = [await one.request.sizes() for one in answers if not one.url.endswith(".ttf")]
    return Load(sum(size["responseBodySize"] for size in sizes), len(answers))
