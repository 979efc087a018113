"""The key and the value under which a score is kept: no pickle, and no text unless asked for."""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

__all__ = ["Entry", "InvalidEntryError", "KeyMaker", "UnstorableError", "pack", "plain", "unpack"]

_VERSION = b"\x01"
_HEAD = struct.Struct("<cId")  # version, checksum of all that follows it and of the key, score
_CHECKSUM_END = 5
# Marks a slice of a text: {"\0": [which text, start, end]}.
_SLICE = "\0"


class InvalidEntryError(ValueError):
    """What a cache returned is not what was written under that key."""


class UnstorableError(ValueError):
    """An explanation is not plain data, and so would not come back from a cache as it was."""


class KeyMaker:
    """Makes the keys of a reranker's scores.

    A key is a BLAKE2b hash of 256 bits over the query, the document and the first stage's score, keyed with
    a hash of what scores them. Each field goes in with its length before it, so that no two different
    inputs are the same bytes: ("ab", "c") is not ("a", "bc").

    Args:
        identity: what scores: version, namespace, fingerprint.
    """

    def __init__(self, *identity: str) -> None:
        key = hashlib.blake2b(b"".join(map(_field, identity)), person=b"secondpass.cache").digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=32)

    def keys(
        self,
        query: str,
        texts: tuple[str, ...],
        initial_scores: tuple[float, ...] | None,
        instruction: str | None = None,
    ) -> list[bytes]:
        """Return one key of 32 bytes for each document."""
        queried = self._keyed.copy()
        queried.update(_field(query))
        if instruction is not None:
            queried.update(b"instruction" + _field(instruction))
        keys = []
        for at, text in enumerate(texts):
            document = queried.copy()
            document.update(_field(text))
            if initial_scores is not None:
                document.update(struct.pack("<d", initial_scores[at]))
            keys.append(document.digest())
        return keys


def _field(text: str) -> bytes:
    encoded = text.encode(errors="surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded


@dataclass(frozen=True, slots=True)
class Entry:
    """A score, and what explains it, by name."""

    score: float
    explanation: Mapping[str, Any]


def plain(value: object) -> Any:
    """Return a value as JSON gives it back: tuples and arrays as lists, numpy's numbers as Python's.

    Raises:
        UnstorableError: it is, or holds, something else.
    """
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist()) if value.dtype.kind in "biufU" else _refuse(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) and _SLICE not in value:
        return {str(key): plain(item) for key, item in value.items()}
    return _refuse(value)


def _refuse(value: object) -> Any:
    raise UnstorableError(f"a {type(value).__name__} can't be kept in a cache")


def pack(key: bytes, entry: Entry, texts: tuple[str, str], *, store_texts: bool = False) -> bytes:
    """Return an entry, whose explanation is `plain`, as bytes.

    A string of the explanation that stands in the query or in the document, such as a winning passage, is
    written as its position: only somebody who has the texts can read it back.

    Args:
        key: the key that it will be kept under.
        entry: what to keep.
        texts: the query and the document.
        store_texts: write these too.
    """
    data: dict[str, Any] = {}
    if entry.explanation:
        data["explanation"] = _with_slices(entry.explanation, texts)
    if store_texts:
        data["query"], data["document"] = texts
    rest = json.dumps(data, separators=(",", ":")).encode() if data else b""
    payload = struct.pack("<d", entry.score) + rest
    return _VERSION + struct.pack("<I", crc32(payload, crc32(key))) + payload


def unpack(key: bytes, data: object, texts: tuple[str, str]) -> Entry:
    """Return the entry that `pack` wrote.

    Raises:
        InvalidEntryError: it is damaged, from another version, or was written under another key.
    """
    if not isinstance(data, bytes) or len(data) < _HEAD.size or data[:1] != _VERSION:
        raise InvalidEntryError("it was not written by this version of secondpass")
    _, checksum, score = _HEAD.unpack_from(data)
    if checksum != crc32(data[_CHECKSUM_END:], crc32(key)) or not math.isfinite(score):
        raise InvalidEntryError("it is damaged")
    rest = data[_HEAD.size :]
    try:
        explanation = _from_slices(json.loads(rest).get("explanation", {}), texts) if rest else {}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as exc:
        raise InvalidEntryError("its explanation is damaged") from exc
    return Entry(score, explanation)


def _with_slices(value: Any, texts: tuple[str, str]) -> Any:
    if isinstance(value, str):
        for at in (1, 0):
            start = texts[at].find(value)
            if start >= 0:
                return {_SLICE: [at, start, start + len(value)]}
    if isinstance(value, list):
        return [_with_slices(item, texts) for item in value]
    if isinstance(value, Mapping):
        return {key: _with_slices(item, texts) for key, item in value.items()}
    return value


def _from_slices(value: Any, texts: tuple[str, str]) -> Any:
    if isinstance(value, list):
        return [_from_slices(item, texts) for item in value]
    if isinstance(value, dict):
        if _SLICE in value:
            at, start, end = value[_SLICE]
            return texts[at][start:end]
        return {key: _from_slices(item, texts) for key, item in value.items()}
    return value
