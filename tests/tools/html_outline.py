"""A page without what was found well-formed in the same place before, so that a slow parser need not read it again.

Whether a parser finds fault with an element depends on the elements around it, its attributes and its content, as long as every
element is closed by its own end tag. So an element with the same outline in the same place is right if the first one was. A text
for which that does not hold (a tag left open, a script, a character that may be a fault by itself) is ``Unbalanced``, and is to be
parsed whole.
"""

from __future__ import annotations

import re
from functools import lru_cache

# An entity that is written out stands for a harmless character.
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|[lr]arr|middot|ndash|mdash|hellip|times|#34|#39);")
_DOUBTFUL = re.compile(
    "[&\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]"
)
_ATTRIBUTE = r"""\s+[a-zA-Z_:@][\w:.@-]*(?:="[^"]*"|='[^']*')?"""
_TOKEN = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:{_ATTRIBUTE})*)\s*(/?)>|([^<]+)", re.ASCII)
_VALUE = re.compile(rf"({_ATTRIBUTE})", re.ASCII)
_VALUES_THAT_MATTER = frozenset({"type", "charset", "http-equiv", "content", "encoding"})
_DOCTYPE = re.compile(r"\s*<!doctype html>", re.IGNORECASE)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# What they hold is not read as elements, or is read by other rules.
_TEXT_ONLY = frozenset({"script", "style", "textarea", "title"})
_DOUBTFUL_TAGS = frozenset(
    ["noscript", "iframe", "noembed", "noframes", "xmp", "plaintext", "template", "math", "frameset"]
)
# There is one of each, and where it stands matters.
_ONCE = frozenset({"html", "head", "body"})
Found = set[int]


class Unbalanced(Exception):
    """The text must be parsed whole."""


class _Element:
    """An element that is read; ``key`` tells its outline when it has been closed: what it holds twice counts once."""

    __slots__ = ("children", "key", "path", "start", "tag")

    def __init__(self, tag: str, start: str, path: int) -> None:
        self.tag, self.start, self.path, self.key = tag, start, path, 0
        self.children: list[_Element | str] = []

    def close(self) -> None:
        """Note what has become of it."""
        inside = [child if isinstance(child, str) else child.key for child in self.children]
        self.key = hash((self.path, self.start, *(inside if self.tag in _ONCE else dict.fromkeys(inside))))


class Outline:
    """Remembers in ``known`` which elements were well-formed, by their place and outline."""

    def __init__(self) -> None:
        self.known: Found = set()

    def of(self, text: bytes, parent: str) -> tuple[bytes, Found]:
        """Return what is left to parse, and what is known once that has turned out well. Raises ``Unbalanced``."""
        try:
            written = _ENTITY.sub("x", text.decode("utf-8"))
        except UnicodeDecodeError:
            raise Unbalanced from None
        if _DOUBTFUL.search(written):
            raise Unbalanced
        doctype = "" if parent else _DOCTYPE.match(written)
        if doctype is None:
            raise Unbalanced
        start = doctype.group() if doctype else ""
        root = _tree(written[len(start) :], parent)
        found: Found = set()
        return (start + "".join(self._rest(root, found))).encode(), found

    def _rest(self, element: _Element, found: Found) -> list[str]:
        rest: list[str] = []
        for child in element.children:
            if isinstance(child, str):
                rest.append(child)
                continue
            if child.key in self.known or child.key in found:
                continue
            if child.tag not in _ONCE:
                found.add(child.key)
            rest.append(child.start)
            if not _is_empty(child.tag, child.start):
                rest += [*self._rest(child, found), f"</{child.tag}>"]
        return rest


def _tree(text: str, parent: str) -> _Element:
    root = _Element("", "", hash(parent))
    open_elements, at = [root], 0
    for token in _TOKEN.finditer(text):
        if token.start() != at:
            raise Unbalanced
        at = token.end()
        _read(token, open_elements)
    if at != len(text) or len(open_elements) > 1:
        raise Unbalanced
    return root


def _read(token: re.Match[str], open_elements: list[_Element]) -> None:
    closing, tag, attributes, ends_itself, characters = token.groups()
    inner = open_elements[-1]
    if characters is not None:
        inner.children.append("x" if characters.strip() else " ")
    elif tag != tag.lower() or tag in _DOUBTFUL_TAGS:
        raise Unbalanced
    elif closing:
        if tag != inner.tag or attributes or ends_itself:
            raise Unbalanced
        open_elements.pop().close()
    else:
        if inner.tag in _TEXT_ONLY:
            raise Unbalanced
        start = _start(tag, attributes, ends_itself)
        element = _Element(tag, start, hash((inner.path, inner.start)))
        inner.children.append(element)
        if _is_empty(tag, start):
            element.close()
        else:
            open_elements.append(element)


@lru_cache(maxsize=20_000)
def _start(tag: str, attributes: str, ends_itself: str) -> str:
    """Return the start tag without the values that do not matter; pages repeat most of theirs."""
    return f"<{tag}{_VALUE.sub(_emptied, attributes)}{ends_itself}>"


def _is_empty(tag: str, start: str) -> bool:
    return tag in _VOID or start.endswith("/>")


def _emptied(attribute: re.Match[str]) -> str:
    name, equals, _ = attribute.group().lstrip().partition("=")
    return attribute.group() if name in _VALUES_THAT_MATTER else f' {name}="x"' if equals else f" {name}"
