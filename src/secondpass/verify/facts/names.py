"""Names, in capitals: people, places, organisations, acronyms; and whether a text has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise
from typing import overload

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.quantities.numerals import ORDINALS, roman
from secondpass.verify.facts.slots import alikeness
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import STOP_WORDS, Token, bare, word_numbers, word_set

__all__ = ["Name", "NameKind", "Presence", "Vocabulary", "regnal"]

_PARTICLES = word_set("of the de la le del della der den di da do dos du das von van zu bin ibn al el y e & for")
_TITLES = word_set("mr mrs ms miss dr sir lady lord prof professor president king queen prince princess saint st jr sr")
# In capitals within a sentence, and yet no name.
_NOT_NAMES = word_set(
    "i i'm i've i'd i'll ok am pm a.m p.m january february march april may june july august september october "
    "november december jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday "
    "saturday sunday bc bce ad ce mondays tuesdays wednesdays thursdays fridays saturdays sundays"
)
# What is one and the same, "|" between the things.
_ALIAS = word_numbers(
    "us usa america united-states american|uk britain united-kingdom british great-britain|ussr soviet-union "
    "soviet|france french|netherlands dutch holland|spain spanish|greece greek|denmark danish|sweden swedish|"
    "wales welsh|switzerland swiss|poland polish|ireland irish|scotland scottish scots|finland finnish|turkey "
    "turkish|england english|germany german|thailand thai|norway norwegian|portugal portuguese|belgium belgian|"
    "iraq iraqi|peru peruvian|cyprus cypriot|philippines filipino|europe european"
)
_DEMONYMS = ("ians", "ian", "eans", "ean", "ans", "an", "ese", "ish", "ia", "ns", "n", "i", "a", "y", "s")
_VERBS = word_set("is are was were be been am has have had does do did will would can could may might must")
_HYPHENS = frozenset("-\u2010\u2011")
_MIN_SHARED = 0.6  # of the claim's sentence, where another name has the same neighbours on both sides
_MIN_SHARED_ONE_SIDE = 0.85
_MOST_LOST = 32  # names of a text that are looked into when they are not found at once
_MOST_AKIN = 64  # names of a text that have a word in common
_MAX_WORDS = 12
_MAX_ACRONYM = 8


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        parts: its words in lower case, without particles, titles and possessive endings.
        is_acronym: whether it is one word in capitals.
    """

    first: int
    end: int
    parts: tuple[str, ...]
    is_acronym: bool


class Presence(Enum):
    """Whether a text has a name."""

    FOUND = "found"
    OTHER = "other"
    """It has the name with another word in it: Jane Smith for John Smith."""
    ABSENT = "absent"


class NameKind(FactKind[Name]):
    """Names: of people, places and organisations, and acronyms. They are read in English only."""

    name = "name"
    precedence = 40

    def find(self, text: Text) -> "Vocabulary":
        """Return the names of a text; in other languages, German before all, capitals mean other things."""
        return Vocabulary(text.tokens, _find(text.tokens, text.taken) if text.is_english else [])

    def of(self, facts: Facts) -> "Vocabulary":
        """Return the names among the facts, with all that a text can be said to name."""
        vocabulary = super().of(facts)
        assert isinstance(vocabulary, Vocabulary)
        return vocabulary

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the names of a claim that the evidence does not have."""
        ours, theirs = self.of(claim), self.of(evidence)
        free = [name for name in theirs if not any(map(ours.has_part, name.parts))] if ours else []
        lost = 0
        for fact in ours:
            presence = theirs.presence(fact)
            if presence is Presence.FOUND:
                continue
            lost += 1
            others = free
            if presence is Presence.OTHER:
                others = [name for name in theirs.akin(fact) if set(name.parts) - set(fact.parts)]
            near = others if lost <= _MOST_LOST else []
            other = next((name for name in near if _in_the_same_place(claim, fact, evidence, name)), None)
            yield finding("name", claim, fact, evidence, other)


def _in_the_same_place(claim: Facts, fact: Name, evidence: Facts, other: Name) -> bool:
    """Return whether two names have the same next content words, in sentences that share most of theirs."""
    ours, theirs = claim.read.slots.around(fact.first, fact.end), evidence.read.slots.around(other.first, other.end)
    same = [mine[:1] == yours[:1] for mine, yours in zip(ours, theirs, strict=True)]
    if not any(mine and is_same for mine, is_same in zip(ours, same, strict=True)):
        return False
    _, shared = alikeness(claim.read.slots, (fact.first, fact.end), evidence.read.slots, (other.first, other.end))
    return shared >= (_MIN_SHARED if all(same) else _MIN_SHARED_ONE_SIDE)


def _find(tokens: list[Token], taken: set[int]) -> list[Name]:
    """Return the names of a text, in order; of a sentence's first words only those that can be nothing else."""
    within = {token.text for token in tokens if not token.first}
    shouting = _shouting(tokens)
    found: list[Name] = []
    at = 0
    while at < len(tokens):
        if at in taken or tokens[at].sentence in shouting or not _is_capital(tokens[at]):
            at += 1
            continue
        end = _extent(tokens, at, taken)
        name = _name(tokens, at, end, within)
        if name:
            found.append(name)
        at = end
    return found


def _is_capital(token: Token) -> bool:
    text = token.text
    if token.kind != "word" or text.islower():
        return False
    is_acronym = text.isupper() and len(text) > 1 and text.isalpha()
    if bare(text) in _NOT_NAMES or token.lower in _NOT_NAMES or (token.lower in STOP_WORDS and not is_acronym):
        return False
    return text[0].isupper() or any(letter.isupper() for letter in text[1:])


def _shouting(tokens: list[Token]) -> set[int]:
    """Return the sentences in capitals, headings and cries, whose capitals tell nothing."""
    counts: dict[int, list[int]] = {}
    running = set()  # those with a verb, or without a capital to begin with
    for token in tokens:
        if token.kind == "word" and len(token.text) > 1:
            if token.lower in _VERBS or (token.first and token.text[0].islower()):
                running.add(token.sentence)
            capital, content, cried, words = counts.setdefault(token.sentence, [0, 0, 0, 0])
            is_content = token.lower not in STOP_WORDS
            counts[token.sentence] = [
                capital + (is_content and token.text[0].isupper()),
                content + is_content,
                cried + token.text.isupper(),
                words + 1,
            ]
    return {
        sentence
        for sentence, (capital, content, cried, words) in counts.items()
        if (words > 2 and 2 * cried > words) or (capital == content > 2 and sentence not in running)
    }


def _extent(tokens: list[Token], at: int, taken: set[int]) -> int:
    end = here = at + 1
    while here < len(tokens) and here - at < _MAX_WORDS and tokens[here].sentence == tokens[at].sentence:
        token = tokens[here]
        if _is_capital(token) and here not in taken:
            if token.lower in STOP_WORDS:
                break
            end = here = here + 1
        elif _is_between(tokens, here):
            here += 1
        else:
            break
    return end


def _is_between(tokens: list[Token], at: int) -> bool:
    """Return whether a token may stand between two words of a name: a particle, a hyphen, the dot of an initial."""
    token = tokens[at]
    if token.glued and (token.text in _HYPHENS or (token.text == "." and len(tokens[at - 1].text) == 1)):
        return True
    return token.lower in _PARTICLES and token.text != "The"


def _name(tokens: list[Token], first: int, end: int, within: set[str]) -> Name | None:
    words = [tokens[at] for at in range(first, end) if tokens[at].kind == "word" and tokens[at].text not in _PARTICLES]
    parts = [bare(word.text) for word in words]
    if not parts:
        return None
    acronym = len(parts) == 1 and len(parts[0]) > 1 and bare_upper(words[0].text)
    if words[0].first and not acronym and words[0].text not in within:
        # The first word is in capitals whatever it is: by itself it tells nothing.
        words, parts = words[1:], parts[1:]
        if len(parts) == 1 and tokens[first + 1].text in _HYPHENS:
            return None
    kept = tuple(part for part in parts if part not in _TITLES)
    return Name(first, end, kept, acronym) if kept else None


def bare_upper(word: str) -> bool:
    """Return whether a word is in capitals, a plural or possessive ending aside."""
    word = word.removesuffix("s").removesuffix("'").removesuffix("\u2019").replace(".", "")
    return word.isalpha() and word.isupper()


def regnal(part: str) -> int | None:
    """Return the number that a word of a name is: 14 of "XIV" and of "Fourteenth"; None if it is not a number."""
    return ORDINALS.get(part.lower()) or roman(part.upper())


def _keys(part: str) -> Iterator[str]:
    """Yield what a word of a name can be found by: itself, and what is left of a country's and its people's."""
    yield part
    if number := regnal(part):
        yield f"number {number}"
    if part in _ALIAS:
        yield f"alias {_ALIAS[part]}"
    if part.endswith("s") and len(part) > 4:
        yield part[:-1]
    for ending in _DEMONYMS:
        if part.endswith(ending) and len(part) - len(ending) > 3:
            yield "root " + part[: -len(ending)]
    yield "root " + part


class Vocabulary(Sequence[Name]):
    """The names of a text, and what names it can be said to have.

    Args:
        tokens: of the text.
        names: its names.
    """

    def __init__(self, tokens: list[Token], names: list[Name]) -> None:
        self.names, self._tokens = names, tokens

    # What follows is made when it is asked for, as most texts are compared with few that name anything.

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the text."""
        return frozenset(self._words)

    @cached_property
    def _words(self) -> list[str]:
        return [bare(token.text) for token in self._tokens if token.kind == "word"]

    @cached_property
    def _keys(self) -> set[str]:
        capitals = {bare(token.text) for token in self._tokens if token.kind == "word" and token.text[0].isupper()}
        pairs = map("-".join, pairwise(self._words))
        aliases = (f"alias {_ALIAS[pair]}" for pair in pairs if pair in _ALIAS)
        return {key for word in capitals for key in _keys(word)}.union(self.words, aliases)

    @cached_property
    def _letters(self) -> str:
        return _letters_of(self._words)

    @cached_property
    def _by_part(self) -> dict[str, list[Name]]:
        found: dict[str, list[Name]] = {}
        for name in self.names:
            for part in name.parts:
                akin = found.setdefault(part, [])
                if len(akin) < _MOST_AKIN:
                    akin.append(name)
        return found

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Name: ...
    @overload
    def __getitem__(self, at: slice) -> list[Name]: ...
    def __getitem__(self, at: int | slice) -> Name | list[Name]:
        return self.names[at]

    def has_part(self, part: str) -> bool:
        """Return whether the text has a word of a name, as it is or as its people are called."""
        return part in self._keys or any(key in self._keys for key in _keys(part))

    def presence(self, name: Name) -> Presence:
        """Return whether the text has a name: in full, by a part, by its initials or by another spelling."""
        missing = [part for part in name.parts if not self.has_part(part) and not self._has_initial(part, name)]
        if not missing or self._has_acronym(name):
            return Presence.FOUND
        if len(missing) == len(name.parts):
            return Presence.ABSENT
        # "Smith" is what is left of "John Smith" later in a text; "Jane Smith" is somebody else.
        kept = [part for part in name.parts if part not in missing]
        others = [other for part in kept for other in self._by_part.get(part, ())]
        if any(set(other.parts) - set(name.parts) for other in others):
            return Presence.OTHER
        return Presence.FOUND if name.parts[-1] in kept else Presence.ABSENT

    def akin(self, name: Name) -> list[Name]:
        """Return the text's names that have a word in common with one, of each word the first sixty-four."""
        return [other for part in name.parts for other in self._by_part.get(part, ())]

    def _has_initial(self, part: str, name: Name) -> bool:
        """Return whether a part is an initial of a name here, or is shortened to its initial here."""
        if len(name.parts) < 2:
            return False
        for other in self._by_part.get(name.parts[-1], ()):
            for held in other.parts[:-1]:
                if (len(part) == 1 and held.startswith(part)) or (len(held) == 1 and part.startswith(held)):
                    return True
        return False

    def _has_acronym(self, name: Name) -> bool:
        alias = _ALIAS.get("-".join(name.parts))
        if alias is not None:
            return f"alias {alias}" in self._keys
        if name.is_acronym:
            letters = name.parts[0]
            return len(letters) <= _MAX_ACRONYM and letters in self._letters
        return len(name.parts) > 1 and "".join(part[0] for part in name.parts) in self.words


def _letters_of(words: list[str]) -> str:
    """Return the words' first letters in a row, once with the particles and once without."""
    content = [word for word in words if word not in STOP_WORDS]
    return " ".join("".join(word[:1] for word in row) for row in (words, content))
