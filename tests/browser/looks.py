"""Looking a page over in both themes at three widths: one load, then the open page is resized and recoloured."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.conftest import Axe

THEMES = ("dark", "light")
WIDTHS = (375, 768, 1280)
HEIGHT = 800
# Folds of one group close each other unless they lose their name.
_UNFOLD = """() => {
  const closed = [...document.querySelectorAll('main details:not([open])')];
  document.querySelectorAll('main details').forEach((fold) => { fold.removeAttribute('name'); fold.open = true; });
  return closed.length > 0;
}"""


def faults(page: Page, axe: Axe, where: str, include: str = "html", rules: str = "all") -> list[str]:
    """Return what axe finds on the page as it stands, and whether it scrolls sideways."""
    found = [f"{where}: {fault}" for fault in axe(page, include, rules)]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{where}: scrolls sideways")
    return found


def faults_in_any_look(page: Page, axe: Axe, where: str) -> list[str]:
    """Return the faults of the open page in each theme at each width; it is left light and wide.

    Every rule is applied in one theme and those of colours in the other, which differs in nothing else
    (tests/architecture/test_themes.py).
    """
    return [
        fault
        for theme, look in _looks(page, where)
        for fault in faults(page, axe, look, rules="all" if theme == THEMES[0] else "colours")
    ]


def _looks(page: Page, where: str) -> Iterator[tuple[str, str]]:
    """Set each theme and width on the page in turn; yield the theme and what to call the look."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            yield theme, f"{where}, {theme}, {width} px"


def unfold(page: Page) -> bool:
    """Open every fold and return whether any was closed."""
    closed: bool = page.evaluate(_UNFOLD)
    return closed


def faults_folded_and_unfolded(page: Page, axe: Axe, where: str) -> list[str]:
    """Return the faults of the open page as it came, and with every fold open where it has any.

    The second time, colours are looked at inside of the folds only: around them they are what they were.
    """
    found = faults_in_any_look(page, axe, where)
    if unfold(page):
        for theme, look in _looks(page, f"{where}, unfolded"):
            found += faults(page, axe, look, "main details", "colours")
            if theme == THEMES[0]:
                found += faults(page, axe, look, rules="structure")
    return found
