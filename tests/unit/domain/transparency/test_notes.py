"""Signed notes and checkpoints: what is written is read back, what is forged or spelled otherwise is refused, others agree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lotus_web.domain.transparency import notes
from lotus_web.domain.transparency.checkpoints import (
    AddCheckpoint,
    Checkpoint,
    origin_of,
    parse_add_checkpoint,
    parse_checkpoint,
)
from lotus_web.domain.transparency.notes import InvalidNote, Note, Signature, SignatureType, VerifierKey
from lotus_web.store.ed25519 import verify
from tests.tools.third_party_tlog import aics_tlog

ORIGIN = "lotus.example/log/default"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY = VerifierKey(ORIGIN, PUBLIC)
WITNESS_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WITNESS = VerifierKey("audit.example/w", WITNESS_PRIVATE.public_key().public_bytes_raw(), SignatureType.COSIGNATURE)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
AT = 1_679_315_147


def signed(text: str, private: Ed25519PrivateKey = PRIVATE, key: VerifierKey = KEY) -> Signature:
    return Signature(key.name, key.key_id, private.sign(text.encode()))


def cosigned(text: str, at: int = AT) -> Signature:
    value = WITNESS_PRIVATE.sign(notes.cosigned_message(text, at))
    return Signature(WITNESS.name, WITNESS.key_id, at.to_bytes(8, "big") + value)


NOTE = Note(str(CHECKPOINT), (signed(str(CHECKPOINT)), cosigned(str(CHECKPOINT))))


def test_a_note_says_what_it_said_when_it_was_written() -> None:
    text = str(NOTE)
    assert text.startswith(f"{ORIGIN}\n20852163\nAAECAwQF")
    assert notes.parse_note(text) == notes.parse_note(text.encode()) == NOTE
    assert parse_checkpoint(NOTE.text) == CHECKPOINT
    assert notes.verified_by(NOTE, [KEY, WITNESS], verify) == (KEY, WITNESS)
    assert notes.cosigned_at(NOTE.signatures[1]) == AT
    assert notes.parse_signatures("".join(str(one) for one in NOTE.signatures)) == NOTE.signatures


def test_the_example_of_the_standard_is_read() -> None:
    text = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    note = notes.parse_note(text)
    assert note.text.endswith("sera.\n")
    assert (note.signatures[0].name, note.signatures[0].key_id.hex()) == ("quasimodo.example/salvatore", "367ba04b")


def test_another_implementation_accepts_our_checkpoint_and_its_cosignature() -> None:
    theirs = aics_tlog.parse_note(str(NOTE))
    log, witness = aics_tlog.parse_vkey(str(KEY)), aics_tlog.parse_vkey(str(WITNESS))
    found = aics_tlog.verify_checkpoint(theirs, log, [witness], quorum=1, expected_origin=ORIGIN)
    assert (found.ok, found.size, found.root, found.witnesses) == (
        True,
        CHECKPOINT.size,
        CHECKPOINT.root,
        [WITNESS.name],
    )


def test_we_accept_a_checkpoint_that_another_implementation_signed() -> None:
    theirs = aics_tlog.sign_checkpoint(aics_tlog.Checkpoint(ORIGIN, 7, bytes(32)), PRIVATE, ORIGIN)
    _, cosignature = aics_tlog.sign_cosignature(WITNESS_PRIVATE, WITNESS.name, AT, ORIGIN, 7, bytes(32))
    text = theirs.serialise() + aics_tlog.Note(theirs.text, (cosignature,)).serialise().rpartition("\n\n")[2]
    note = notes.parse_note(text)
    assert notes.verified_by(note, [KEY, WITNESS], verify) == (KEY, WITNESS)
    assert parse_checkpoint(note.text) == Checkpoint(ORIGIN, 7, bytes(32))
    assert notes.parse_key(aics_tlog.format_vkey(aics_tlog.parse_vkey(str(KEY)))) == KEY


def test_a_change_of_any_byte_of_the_text_or_of_a_signature_is_found() -> None:
    data = str(NOTE).encode()
    end = data.index("— audit".encode())
    for place in range(end):
        for bit in (0x01, 0x80):
            changed = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            with pytest.raises(InvalidNote):
                notes.verified_by(notes.parse_note(changed), [KEY], verify)
    for place in range(end, len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(InvalidNote):
            notes.verified_by(notes.parse_note(changed), [WITNESS], verify)


def test_signatures_of_strangers_are_ignored_and_one_of_a_known_key_must_verify() -> None:
    stranger = Signature("stranger.example", b"abcd", b"whatever")
    twin = Signature(KEY.name, b"abcd", b"same name, another id")
    text = str(CHECKPOINT)
    assert notes.verified_by(Note(text, (stranger, twin, signed(text))), [KEY, WITNESS], verify) == (KEY,)
    forged = replace(signed(text), value=signed("other text").value)
    for signatures in [(stranger,), (forged,), (signed(text), forged), (signed(text), signed(text)), ()]:
        with pytest.raises(InvalidNote):
            notes.verified_by(Note(text, signatures), [KEY], verify)
    assert notes.verified_by(Note(text, (replace(stranger), cosigned(text))), [KEY, WITNESS], verify) == (WITNESS,)


def test_a_signature_of_the_log_is_no_cosignature_nor_the_other_way_about() -> None:
    text = str(CHECKPOINT)
    as_witness = replace(KEY, kind=SignatureType.COSIGNATURE)
    posing = Signature(KEY.name, as_witness.key_id, bytes(8) + PRIVATE.sign(text.encode()))
    with pytest.raises(InvalidNote):
        notes.verified_by(Note(text, (posing,)), [as_witness], verify)
    later = replace(cosigned(text), value=(AT + 1).to_bytes(8, "big") + cosigned(text).value[8:])
    with pytest.raises(InvalidNote):
        notes.verified_by(Note(text, (later,)), [WITNESS], verify)


def line(change: Callable[[str], str]) -> str:
    text, _, lines = str(NOTE).rpartition("\n\n")
    return f"{text}\n\n{change(lines)}"


HOSTILE = {
    "empty": "",
    "no signatures": str(CHECKPOINT),
    "no lines below the gap": f"{CHECKPOINT}\n",
    "no end of the last line": str(NOTE)[:-1],
    "an empty line at the end": f"{NOTE}\n",
    "carriage returns": str(NOTE).replace("\n", "\r\n"),
    "a tab": str(NOTE).replace("20852163", "20852163\t"),
    "a zero byte": str(NOTE).replace("lotus", "lotus\0"),
    "a hyphen": line(lambda lines: lines.replace("— ", "- ", 1)),
    "no dash": line(lambda lines: lines.replace("— ", "", 1)),
    "two spaces": line(lambda lines: lines.replace("— ", "—  ", 1)),
    "a space in the name": line(lambda lines: lines.replace("lotus.", "lotus .", 1)),
    "a no-break space in the name": line(lambda lines: lines.replace("lotus.", "lotus\u00a0.", 1)),
    "a plus in the name": line(lambda lines: lines.replace("lotus.", "lotus+", 1)),
    "a name that is too long": line(lambda lines: lines.replace("lotus.", "l" * 256, 1)),
    "no name": line(lambda lines: lines.replace(ORIGIN, "", 1)),
    "no base 64": line(lambda lines: lines[:60] + "*" + lines[61:]),
    "base 64 without its padding": f"{CHECKPOINT}\n— {ORIGIN} AAAAAAA\n",
    "base 64 with bits behind its end": f"{CHECKPOINT}\n— {ORIGIN} AAAAAAB=\n",
    "a signature of nothing": f"{CHECKPOINT}\n— {ORIGIN} AAAAAA==\n",
    "too many signatures": f"{CHECKPOINT}\n" + f"— {ORIGIN} AAAAAAA=\n" * (notes.SIGNATURES_MAX + 1),
    "too long": "x" * notes.NOTE_MAX_BYTES + str(NOTE),
    "a lone surrogate": str(NOTE).replace("lotus", "\ud800"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_note_in_its_one_spelling_is_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        notes.parse_note(text)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_no_input_does_anything_but_parse_or_be_refused(data: bytes | str) -> None:
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    for parse in (notes.parse_note, notes.parse_signatures, lambda _: parse_add_checkpoint(raw)):
        with suppress(InvalidNote):
            parse(data)


def test_many_signatures_are_accepted_as_the_standard_asks() -> None:
    text = (
        f"{CHECKPOINT}\n"
        + "".join(f"— other{number}.example AAAAAAA=\n" for number in range(15))
        + str(signed(NOTE.text))
    )
    assert notes.verified_by(notes.parse_note(text), [KEY], verify) == (KEY,)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", f"{ORIGIN}\n1\n", f"{ORIGIN}\n1\n{'A' * 43}=", f"\n1\n{'A' * 43}=\n", f"{ORIGIN}\n01\n{'A' * 43}=\n",
        f"{ORIGIN}\n-1\n{'A' * 43}=\n", f"{ORIGIN}\n+1\n{'A' * 43}=\n", f"{ORIGIN}\n１\n{'A' * 43}=\n", f"{ORIGIN}\n1 \n{'A' * 43}=\n",
        f"{ORIGIN}\n{2**63}\n{'A' * 43}=\n", f"{ORIGIN}\n{'9' * 5000}\n{'A' * 43}=\n", f"{ORIGIN}\n1\nAAAA\n",
        f"{ORIGIN}\n1\n{'A' * 43}=\n\n", f"{ORIGIN}\n1\n{'A' * 43}=\n\nmore\n", f"two words\n1\n{'A' * 43}=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        parse_checkpoint(text)


def test_further_lines_of_a_checkpoint_are_signed_with_it() -> None:
    longer = replace(CHECKPOINT, extensions=("one", "two"))
    assert parse_checkpoint(str(longer)) == longer
    assert parse_checkpoint(str(longer)) != CHECKPOINT


@pytest.mark.parametrize("kind", SignatureType)
def test_a_key_is_read_as_it_is_written(kind: SignatureType) -> None:
    key = replace(KEY, kind=kind)
    assert notes.parse_key(f"{key}\n") == key
    assert aics_tlog.parse_vkey(str(key)).key_id == key.key_id


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+abcd", str(KEY)[:-4], str(KEY).replace("lotus", "locus"), str(KEY).replace("+", "+0", 1),
        f"{ORIGIN}+{KEY.key_id.hex().upper()}+{notes.encode(b'x' * 33)}", f"{ORIGIN}+00000000+{notes.encode(b'x' * 33)}",
        f"{ORIGIN}+00000000+{notes.encode(bytes([1]) + PUBLIC)}", "+00000000+AQ==",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        notes.parse_key(text)


def test_what_a_witness_is_asked_is_read_as_it_is_written() -> None:
    for old, proof in ((0, ()), (20_852_014, (bytes(32), bytes(range(32))))):
        asked = AddCheckpoint(old, proof, NOTE)
        assert parse_add_checkpoint(str(asked).encode()) == asked


PROOF = notes.encode(bytes(32))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"old 1", f"new 1\n\n{NOTE}".encode(), f"old 01\n\n{NOTE}".encode(), f"old -1\n\n{NOTE}".encode(),
        f"old 1\nAAAA\n\n{NOTE}".encode(), f"old 1\n{PROOF}\n{NOTE}".encode(), f"old 1\r\n\n{NOTE}".encode(),
        f"old 1\n{f'{PROOF}{chr(10)}' * 64}\n{NOTE}".encode(), b"\xff\n\n", f"old 1\n\n{CHECKPOINT}".encode(),
    ],
)  # fmt: skip
def test_what_asks_a_witness_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidNote):
        parse_add_checkpoint(data)


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_tenants_never_have_one_origin(one: str, other: str) -> None:
    try:
        origins = {origin_of("lotus.example", one), origin_of("lotus.example", other)}
    except (InvalidNote, UnicodeError):
        return
    assert len(origins) == len({one, other})
    assert all("+" not in origin and " " not in origin for origin in origins)
