"""The words of WordNet that the rules in `training.twins` put in each other's place.

Reads the database files themselves (Debian's ``wordnet-base`` has them in /usr/share/wordnet; the format is
described in wndb(5WN)): all that is needed is a word's commonest sense.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from secondpass.errors import InputError

__all__ = ["WordNet"]

Part = Literal["noun", "verb", "adj", "adv"]
_HYPERNYM = ("@", "@i")
_ANTONYM = "!"
# Everything is an entity: words above this depth say too little to stand in for another.
_MOST_GENERAL = frozenset(
    {"entity", "thing", "object", "whole", "abstraction", "matter", "unit", "causal_agent", "act"}
)


@dataclass(frozen=True, slots=True)
class _Synset:
    words: tuple[str, ...]
    hypernyms: tuple[int, ...]
    antonyms: tuple[tuple[int, int, int], ...]  # of which of its words: which word of which synset
    hyponyms: list[int] = field(default_factory=list)


class WordNet:
    """Synonyms, antonyms, hypernyms and sisters of words, by their commonest sense.

    Args:
        folder: where data.noun, index.noun and the like are.

    Raises:
        InputError: the folder does not hold them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("noun", "verb", "adj", "adv"):
            if not (folder / f"data.{part}").is_file() or not (folder / f"index.{part}").is_file():
                raise InputError(f"{folder} has no data.{part} and index.{part}: install Debian's wordnet-base")

    def antonym(self, word: str, part: Part) -> str | None:
        """Return the opposite of a word, or None."""
        senses, synsets = self._database[part]
        for offset in senses.get(word, ())[:2]:
            synset = synsets[offset]
            for source, target, which in synset.antonyms:
                if synset.words[source] == word:
                    return _plain(synsets[target].words[which])
        return None

    def synonym(self, word: str, part: Part) -> str | None:
        """Return another word for the only sense of a word, or None."""
        senses, synsets = self._database[part]
        offsets = senses.get(word, ())
        if len(offsets) != 1:
            return None
        return next((_plain(other) for other in synsets[offsets[0]].words if other != word and _usual(other)), None)

    def hypernym(self, noun: str) -> str | None:
        """Return a more general word for a noun of few senses, or None."""
        parent = self._parent(noun)
        if parent is None:
            return None
        words = [word for word in parent.words if _usual(word)]
        return _plain(words[0]) if words and not _MOST_GENERAL & set(parent.words) else None

    def sister(self, noun: str, number: float) -> str | None:
        """Return a word of the same kind as a noun (``dog``: ``cat``'s kin), or None.

        Args:
            noun: in the singular.
            number: in [0, 1), which of them.
        """
        parent = self._parent(noun)
        if parent is None:
            return None
        senses, synsets = self._database["noun"]
        mine = set(senses[noun])
        kin = [synsets[at].words[0] for at in parent.hyponyms if at not in mine]
        # A word that has senses of its own beyond this one is an everyday word, as a rule.
        kin = [word for word in kin if _usual(word) and "_" not in word and len(senses.get(word, ())) > 1]
        return _plain(kin[int(number * len(kin))]) if kin else None

    def _parent(self, noun: str) -> _Synset | None:
        senses, synsets = self._database["noun"]
        offsets = senses.get(noun, ())
        if not 1 <= len(offsets) <= 8 or not synsets[offsets[0]].hypernyms:
            return None
        return synsets[synsets[offsets[0]].hypernyms[0]]

    @cached_property
    def _database(self) -> dict[str, tuple[dict[str, tuple[int, ...]], dict[int, _Synset]]]:
        return {part: self._read(part) for part in ("noun", "verb", "adj", "adv")}

    def _read(self, part: str) -> tuple[dict[str, tuple[int, ...]], dict[int, _Synset]]:
        synsets = dict(map(_synset, _lines(self.folder / f"data.{part}")))
        for offset, synset in synsets.items():
            for above in synset.hypernyms:
                synsets[above].hyponyms.append(offset)
        senses = {}
        for line in _lines(self.folder / f"index.{part}"):
            fields = line.split()
            senses[fields[0]] = tuple(int(offset) for offset in fields[-int(fields[2]) :])
        return senses, synsets


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="ascii", errors="replace") as file:
        yield from (line for line in file if not line.startswith("  "))  # the licence, at the top


def _synset(line: str) -> tuple[int, _Synset]:
    fields = line.partition("|")[0].split()
    n_words = int(fields[3], 16)
    words = tuple(word.partition("(")[0] for word in fields[4 : 4 + 2 * n_words : 2])
    at = 4 + 2 * n_words
    pointers = [fields[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(fields[at]))]
    hypernyms = tuple(int(offset) for symbol, offset, _, _ in pointers if symbol in _HYPERNYM)
    antonyms = tuple(
        (max(int(ends[:2], 16) - 1, 0), int(offset), max(int(ends[2:], 16) - 1, 0))
        for symbol, offset, _, ends in pointers
        if symbol == _ANTONYM
    )
    return int(fields[0]), _Synset(words, hypernyms, antonyms)


def _usual(word: str) -> bool:
    return word.islower() and word.replace("_", "").isalpha()


def _plain(word: str) -> str:
    return word.replace("_", " ")
