"""Keys in files: made once, for their owner only, and refused with one sentence where they cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotus_web.store.ed25519 import NoSigningKey, create_key, public_file, read_key, read_public, verify

RFC8032_PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
RFC8032_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


def test_a_key_is_read_as_it_was_made_and_signs(tmp_path: Path) -> None:
    made = create_key(tmp_path / "new" / "key")
    read = read_key(tmp_path / "new" / "key")
    assert read.public == made.public
    assert verify(read.public, read.sign(b"message"), b"message")
    assert not verify(read.public, read.sign(b"message"), b"another")
    assert (tmp_path / "new" / "key").stat().st_mode & 0o777 == 0o600


def test_signatures_of_the_standard_verify_and_nothing_like_them() -> None:
    assert verify(RFC8032_PUBLIC, RFC8032_SIGNATURE, b"")
    assert not verify(RFC8032_PUBLIC, RFC8032_SIGNATURE, b"x")
    assert not verify(RFC8032_PUBLIC[:-1], RFC8032_SIGNATURE, b"")
    assert not verify(RFC8032_PUBLIC, RFC8032_SIGNATURE[:-1], b"")
    assert not verify(b"", b"", b"")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(NoSigningKey, match="is there already"):
        create_key(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    create_key(tmp_path / "key")
    for mode in (0o640, 0o604, 0o660):
        (tmp_path / "key").chmod(mode)
        with pytest.raises(NoSigningKey, match="can be read by others"):
            read_key(tmp_path / "key")


@pytest.mark.parametrize("data", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(data)
    with pytest.raises(NoSigningKey, match="holds no Ed25519 key"):
        read_key(path)


def test_a_key_that_is_not_there_is_refused_and_so_is_a_place_for_none(tmp_path: Path) -> None:
    with pytest.raises(NoSigningKey, match="No such file"):
        read_key(tmp_path / "key")
    (tmp_path / "file").touch()
    with pytest.raises(NoSigningKey, match="file"):
        create_key(tmp_path / "file" / "key")


def test_who_may_not_read_the_key_reads_its_public_half(tmp_path: Path) -> None:
    made = create_key(tmp_path / "key")
    assert read_public(tmp_path / "key") == made.public
    (tmp_path / "key").unlink()
    assert read_public(tmp_path / "key") == made.public
    for wrong in ("", "AAAA", "not base 64", "ü"):
        public_file(tmp_path / "key").write_text(wrong, encoding="utf-8")
        with pytest.raises(NoSigningKey, match="No such file"):
            read_public(tmp_path / "key")
