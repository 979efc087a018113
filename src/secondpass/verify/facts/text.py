"""A text as the kinds of facts read it, and what they found in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from secondpass.language import is_foreign
from secondpass.verify.facts.identifiers import identifier_tokens, marker_tokens
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.slots import Slots

__all__ = ["Facts", "Text"]

_LONGEST_CHUNK = 32  # tokens to either side


class Text:
    """A text before its facts are found.

    Args:
        text: what is read.

    Attributes:
        tokens: with the unit and the numeral that begin at each, which are read once, here.
        taken: the indices of tokens that belong to an identifier, or to a fact of a kind that was read before.
        markers: those of citations and of the items of lists, whose figures say nothing.
        slots: the words around each token, and the sentences.
        is_english: whether it seems to be English: elsewhere capitals and denials are read otherwise.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = Figures(text)
        self.markers = marker_tokens(text, self.tokens)
        self.taken: set[int] = self.markers | identifier_tokens(text, self.tokens)
        self.slots = Slots(self.tokens)
        self.is_english = not is_foreign(text)

    def chunk(self, at: int) -> str:
        """Return what stands together with a token, without a blank."""
        first = end = at
        while first and self.tokens[first].glued and at - first < _LONGEST_CHUNK:
            first -= 1
        while end + 1 < len(self.tokens) and self.tokens[end + 1].glued and end - at < _LONGEST_CHUNK:
            end += 1
        return self.words(first, end + 1)

    def words(self, first: int, end: int) -> str:
        """Return the words from one token to before another, as they stand in the text."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text holds that can be checked.

    Attributes:
        read: the text, as the kinds of facts read it.
        found: the facts of each kind, by its name, in the order of the text.
        values: by the name of a kind, the plain numbers that its facts may be read as: 1990 of a year.
        unread: what holds figures that no kind read, such as a part number, as it stands in the text; each once.
    """

    read: Text
    found: dict[str, Sequence[Any]]
    values: dict[str, frozenset[float]]
    unread: list[str]

    @property
    def text(self) -> str:
        """The text, as it was read."""
        return self.read.text

    def values_beside(self, name: str) -> frozenset[float]:
        """Return the plain numbers that the facts of all kinds but one may be read as."""
        return frozenset().union(*(values for kind, values in self.values.items() if kind != name))
