"""Ed25519 keys outside the store: made in a file that only its owner reads, signing, and verifying.

Next to the file is its public half, ``FILE.pub``, for processes and people that verify and must not sign.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lotus_web.store.private_files import make_file

PUBLIC_SIZE = 32


class NoSigningKey(Exception):
    """The file of a key cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; ``public`` is its public half, 32 bytes."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The bytes that others verify with."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message, 64 bytes."""
        return self.private.sign(message)


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a signature over a message is by this key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_file(path: Path) -> Path:
    """Return where the public half of a key lies."""
    return path.with_name(f"{path.name}.pub")


def create_key(path: Path) -> SigningKey:
    """Make a key in a new file, readable by its owner only; raises NoSigningKey if the file is there already."""
    key = SigningKey(Ed25519PrivateKey.generate())
    try:
        with os.fdopen(make_file(path), "wb") as file:
            file.write(key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        public_file(path).write_text(f"{b64encode(key.public).decode()}\n", encoding="ascii")
    except FileExistsError:
        raise NoSigningKey(f"{path} is there already: a key is never overwritten") from None
    except OSError as problem:
        raise NoSigningKey(f"{path}: {problem.strerror}") from None
    return key


def read_public(path: Path) -> bytes:
    """Return the public half of the key in a file, from the file next to it where this process may not read the key.

    Raises NoSigningKey if neither gives one.
    """
    try:
        return read_key(path).public
    except NoSigningKey as refused:
        try:
            found = b64decode(public_file(path).read_text(encoding="ascii").strip(), validate=True)
        except (OSError, ValueError):
            raise refused from None
        if len(found) != PUBLIC_SIZE:
            raise refused from None
        return found


def read_key(path: Path) -> SigningKey:
    """Return the key in a file; raises NoSigningKey if it is not there, is none, or could be read by others."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as problem:
        raise NoSigningKey(f"{path}: {problem.strerror}") from None
    if mode & 0o077:
        raise NoSigningKey(f"{path} can be read by others: chmod 600 {path}")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey(f"{path} holds no Ed25519 key")
    return SigningKey(key)
