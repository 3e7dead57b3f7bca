"""Looking a page over in both themes at three widths: one load, then the open page is resized and recoloured.

What cannot come out differently is looked at once. The rules of axe that read colours are run in each theme at each width, on
what looks as nothing did before in this window: all of the first page; then what changes its colours in the other theme, what
comes up at a narrower width, in a fold, on another page or in answer to a form. All other rules read structure, which no theme
changes (tests/architecture/test_themes.py): they are run on a page as it came to a wide screen, and with its folds open, or with
the answer to its form, on a phone, where the sizes of what is pressed are measured too. No width may scroll sideways.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

THEMES = ("dark", "light")
WIDTHS = WIDE, _, PHONE = (1280, 768, 375)
HEIGHT = 800
# Folds of one group close each other unless they lose their name.
_UNFOLD = """() => {
  document.querySelectorAll('main details').forEach((fold) => { fold.removeAttribute('name'); fold.open = true; });
}"""


@cache
def _scripts() -> str:
    """Return axe and what runs it; evaluated rather than loaded by a tag, for the page's content security policy."""
    here = Path(__file__).resolve().parent
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (here.parent / "vendor" / "axe.min.js", here / "looks.js")
    )


def scrolls_sideways(page: Page) -> bool:
    """Return whether something on the page is wider than the window."""
    wider: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wider


def faults(page: Page, where: str, structure_at: Collection[int] = (PHONE,)) -> list[str]:
    """Return the faults of the open page in each theme at each width, one line each; it is left light and narrow."""
    if page.evaluate("!window.looks"):
        page.evaluate(_scripts())
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found += [f"{where}, {theme}, {width} px: {fault}" for fault in page.evaluate("looks.colours()")]
        if width in structure_at:
            found += [f"{where}, {width} px: {fault}" for fault in page.evaluate("looks.structure", width == PHONE)]
        if scrolls_sideways(page):
            found.append(f"{where}, {width} px: scrolls sideways")
    return found


def unfold(page: Page) -> None:
    """Open every fold."""
    page.evaluate(_UNFOLD)


def faults_folded_and_unfolded(page: Page, where: str) -> list[str]:
    """Return the faults of the open page as it came, and with every fold open where it has any."""
    if not page.locator("main details:not([open])").count():
        return faults(page, where, (WIDE, PHONE))
    found = faults(page, where, (WIDE,))
    unfold(page)
    return found + faults(page, f"{where}, unfolded")


def look_over(page: Page, addresses: Mapping[str, str]) -> list[str]:
    """Open each address, by what it is called, and return its faults."""
    found: list[str] = []
    for where, url in addresses.items():
        page.goto(url)
        found += faults_folded_and_unfolded(page, where)
    return found
