"""Sealed text: read with its key and label, and with nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.sealing import seal, unseal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_sealed_comes_back_with_its_key_and_label(text: str, key: str, label: str) -> None:
    assert unseal(seal(text, key=key, label=label), key=key, label=label) == text


def test_another_key_or_label_gives_another_text() -> None:
    secret = "lw_tok0123456789abcdef_" + "s" * 43
    sealed = {seal(secret, key=key, label=label) for key in ("one", "two") for label in ("this", "that")}
    assert len(sealed) == 4
    assert all("lw_" not in one for one in sealed)
