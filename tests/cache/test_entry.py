"""Keys that no two inputs share, and values that come back as they were."""

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secondpass.cache.entry import Entry, InvalidEntryError, KeyMaker, UnstorableError, pack, plain, unpack

KEY = bytes(32)
TEXTS = ("a query", "The document, in which the winning passage stands.")

# Few letters, so that different inputs often are the same when they are joined; and a NUL, a separator's favourite.
short = st.text(alphabet="ab\0", max_size=4)
inputs = st.tuples(short, short, short, short, st.none() | st.sampled_from([0.0, -0.0, 1.0, 2.0]))


def _key(version: str, namespace: str, query: str, text: str, initial: float | None) -> bytes:
    initial_scores = None if initial is None else (initial,)
    (key,) = KeyMaker(version, namespace).keys(query, (text,), initial_scores)
    return key


@given(inputs, inputs)
def test_no_two_inputs_share_a_key(one: Any, other: Any) -> None:
    """Keys are equal where the inputs are, and nowhere else."""
    same = one[:4] == other[:4] and repr(one[4]) == repr(other[4])
    assert (_key(*one) == _key(*other)) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("v", "n", "ab", "c", None), ("v", "n", "a", "bc", None)),
        (("v", "n", "", "abc", None), ("v", "n", "abc", "", None)),
        (("vn", "", "q", "d", None), ("v", "n", "q", "d", None)),
        (("v", "nq", "", "d", None), ("v", "n", "q", "d", None)),
        (("v", "n", "q\0", "d", None), ("v", "n", "q", "\0d", None)),
        # The length and the bytes of the next field, inside the field before it.
        (("v", "n", "q\1\0\0\0\0\0\0\0", "d", None), ("v", "n", "q", "\1\0\0\0\0\0\0\0d", None)),
        (("v", "n", "q", "d" + struct.pack("<d", 0.0).decode(), None), ("v", "n", "q", "d", 0.0)),
        (("v", "n", "é", "", None), ("v", "n", "e\u0301", "", None)),
    ],
)
def test_tricky_concatenations_differ(one: Any, other: Any) -> None:
    """Fields that give the same bytes when they are joined give different keys."""
    assert _key(*one) != _key(*other)


def test_a_key_depends_on_nothing_else() -> None:
    """Not on the other documents, nor on the process: it is the same on every machine."""
    maker = KeyMaker("v", "n")
    first, second, third = maker.keys("q", ("a", "b", "a"), None)
    assert first == third != second and len(first) == 32
    assert maker.keys("q", ("b",), None) == [second]
    assert first.hex() == "969c2c772f6c1e2836dce6d95ddd34ab2288c5b86ab99c72a2e6383e5aaf60b1"


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(st.text(), plain_values, max_size=3),
    st.tuples(st.text(), st.text()),
    st.booleans(),
)
def test_entries_come_back_as_they_were(score: float, explanation: Any, texts: Any, store_texts: bool) -> None:
    """The score bit for bit, the explanation with equal values of equal types, whatever the texts are."""
    assume("\0" not in explanation)
    entry = Entry(score, plain(explanation))
    restored = unpack(KEY, pack(KEY, entry, texts, store_texts=store_texts), texts)
    assert struct.pack("<d", restored.score) == struct.pack("<d", score)
    assert repr(restored.explanation) == repr(entry.explanation) == repr(explanation)


def test_a_score_alone_takes_13_bytes() -> None:
    """Version, checksum and the number."""
    assert len(pack(KEY, Entry(0.1, {}), TEXTS)) == 13


def test_no_text_is_written() -> None:
    """A passage of the document, wherever in the explanation, is written as its position, and read back."""
    explanation = {"passage": {"text": "the winning passage", "span": [27, 46]}, "all": ["The document", "a query"]}
    data = pack(KEY, Entry(1.0, explanation), TEXTS)
    assert b"winning" not in data and b"document" not in data and b"a query" not in data
    assert unpack(KEY, data, TEXTS).explanation == explanation


def test_texts_are_written_when_asked_for() -> None:
    """Then they stand in the entry as JSON, to be read by a person."""
    data = pack(KEY, Entry(1.0, {}), TEXTS, store_texts=True)
    assert json.loads(data[13:]) == {"query": TEXTS[0], "document": TEXTS[1]}
    assert unpack(KEY, data, TEXTS) == Entry(1.0, {})


def test_what_json_has_no_word_for_becomes_plain() -> None:
    """Tuples and arrays are lists, numpy's numbers are Python's."""
    value = {"span": (1, 2), "spread": np.float32(0.5), "n": np.int64(3), "flag": np.bool_(True), "a": np.zeros(2)}
    made = plain(value)
    assert made == {"span": [1, 2], "spread": 0.5, "n": 3, "flag": True, "a": [0.0, 0.0]}
    assert [type(part) for part in made.values()] == [list, float, int, bool, list]
    assert math.isnan(unpack(KEY, pack(KEY, Entry(0.0, {"x": math.nan}), TEXTS), TEXTS).explanation["x"])


@pytest.mark.parametrize("value", [object(), {1: "key"}, {"\0": [0, 0, 1]}, {1, 2}, b"bytes", np.array([object()])])
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    """Rather than something else coming back."""
    with pytest.raises(UnstorableError, match="can't be kept in a cache"):
        plain([value])


@given(st.data())
def test_damage_is_found(data: st.DataObject) -> None:
    """A bit that flipped, a cut, or another key: no score is better than a wrong one."""
    packed = pack(KEY, Entry(1.5, {"passage": "The document"}), TEXTS)
    at = data.draw(st.integers(0, 8 * len(packed) - 1))
    flipped = bytearray(packed)
    flipped[at // 8] ^= 1 << at % 8
    for bad in (bytes(flipped), packed[: at // 8], packed + b" "):
        with pytest.raises(InvalidEntryError):
            unpack(KEY, bad, TEXTS)
    with pytest.raises(InvalidEntryError, match="damaged"):
        unpack(b"\1" * 32, packed, TEXTS)


@pytest.mark.parametrize("rest", [b"[]", b"{", b'{"explanation":{"a":{"\\u0000":[7,0,1]}}}', b"[" * 100_000])
def test_a_forged_explanation_is_no_crash(rest: bytes) -> None:
    """Someone who can write to the cache gets no further than a miss."""
    from zlib import crc32

    payload = struct.pack("<d", 1.0) + rest
    with pytest.raises(InvalidEntryError, match="explanation is damaged"):
        unpack(KEY, b"\x01" + struct.pack("<I", crc32(payload, crc32(KEY))) + payload, TEXTS)


def test_a_score_that_is_no_number_is_invalid() -> None:
    """Such a one was never written."""
    with pytest.raises(InvalidEntryError):
        unpack(KEY, pack(KEY, Entry(math.nan, {}), TEXTS), TEXTS)
    with pytest.raises(InvalidEntryError):
        unpack(KEY, "text", TEXTS)


def test_texts_of_both_are_written_as_positions() -> None:
    """A string of the query as well as one of the document, whole ones and those at the beginning too."""
    explanation = {"asked": "query", "all": ["a query", TEXTS[1], "The"], "both": "e", "neither": "rain"}
    data = pack(KEY, Entry(0.5, explanation), TEXTS)
    assert json.loads(data[13:]) == {
        "explanation": {
            "asked": {"\0": [0, 2, 7]},
            "all": [{"\0": [0, 0, 7]}, {"\0": [1, 0, len(TEXTS[1])]}, {"\0": [1, 0, 3]}],
            "both": {"\0": [1, 2, 3]},
            "neither": "rain",
        }
    }
    assert unpack(KEY, data, TEXTS) == Entry(0.5, explanation)
