"""Near-duplicates by MinHash (Broder 1997), with the datasketch library; what it finds is then measured exactly."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from secondpass.errors import MissingExtraError
from secondpass.learn.data.normalised import normalised
from secondpass.learn.data.union import Union

__all__ = ["NearIndex", "clusters"]

_SHINGLE = 5  # characters
_PERMUTATIONS = 128
_SLACK = 0.2  # so that hardly anything is missed: what is found below the threshold is sorted out afterwards
_MOST_CHARACTERS = 20_000  # of a text: a book must not stall the rest
_MOST_NEAR = 50  # that are known of one text: a hundred thousand notices from one template must not be pairs of each


class NearIndex:
    """Texts among which those are found that are near to another one.

    Args:
        similarity: from which Jaccard similarity of their shingles (runs of 5 characters of the normalised texts) two
            texts are near-duplicates, in (0, 1].

    Raises:
        MissingExtraError: datasketch is not installed.
    """

    def __init__(self, similarity: float) -> None:
        self.similarity = similarity
        self._minhash, lsh = _datasketch()
        self._lsh = lsh(threshold=max(0.05, similarity - _SLACK), num_perm=_PERMUTATIONS)
        self._shingles: dict[int, frozenset[bytes]] = {}

    def near(self, text: str, *, add_as: int | None = None) -> list[tuple[int, float]]:
        """Return the numbers of the texts that are near to one, and how similar they are, the most similar first.

        Args:
            text: the text.
            add_as: its number, to take it in as well. Where many are near already, these will do, and it is left out.
        """
        shingles = _shingles(text)
        if not shingles:
            return []
        hashed = self._minhash(num_perm=_PERMUTATIONS, hashfunc=crc32)
        hashed.update_batch(shingles)
        measured = ((number, _jaccard(shingles, self._shingles[number])) for number in self._lsh.query(hashed))
        found = [each for each in measured if each[1] >= self.similarity]
        if add_as is not None and len(found) < _MOST_NEAR:
            self._lsh.insert(add_as, hashed)
            self._shingles[add_as] = shingles
        return sorted(found, key=lambda each: (-each[1], each[0]))


def clusters(texts: Sequence[str], similarity: float | None) -> list[int]:
    """Return a number for each text, the same for texts that are the same when normalised, or near-duplicates.

    Args:
        texts: the texts.
        similarity: see `NearIndex`; None for only those that are the same when normalised.
    """
    together, index = Union(len(texts)), None if similarity is None else NearIndex(similarity)
    first: dict[str, int] = {}
    for at, text in enumerate(texts):
        plain = normalised(text)
        together.join(at, first.setdefault(plain, at))
        if index is not None and first[plain] == at:
            for number, _ in index.near(text, add_as=at):
                together.join(at, number)
    return [together.of(at) for at in range(len(texts))]


def _shingles(text: str) -> frozenset[bytes]:
    plain = normalised(text[:_MOST_CHARACTERS])
    if not plain:
        return frozenset()
    ends = range(max(1, len(plain) - _SHINGLE + 1))
    return frozenset(plain[at : at + _SHINGLE].encode("utf-8", "surrogatepass") for at in ends)


def _jaccard(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    return len(one & other) / len(one | other)


def _datasketch() -> Sequence[Any]:
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError as exc:
        raise MissingExtraError.of("learn", "finding near-duplicates") from exc
    return MinHash, MinHashLSH
