"""Whether a claim has two words of a sentence in each other's place: who sued whom."""

from collections.abc import Mapping, Sequence

from secondpass.verify.claims.conjuncts import has_finite_verb
from secondpass.verify.words import Token, tokenize, word_set

__all__ = ["swaps"]

_FEWEST, _MOST = 3, 16  # content words of a claim
_PASSIVE = word_set("was were is are be been being")
_NOT = word_set("not no never")
_OF = word_set("of in for at from")
# What is true of both: with these between them, two may change places.
_MUTUAL = word_set(
    "marry married marries border borders bordered adjoin adjoins meet meets met equal equals equalled resemble "
    "resembles neighbour neighbours neighbor neighbors face faces faced join joins joined differ differs differed near "
    "beside opposite match matches matched with between and or alongside like unlike"
)


def swaps(claim: str, evidence: str) -> bool:
    """Return whether two words of a claim stand in each other's place in a sentence that has all of its words.

    Between them is at least one other word of the claim in both, so that they belong to something, or "than"; the
    voice is the same, as what "was sued by" the one has been sued; and no sentence has the words in the claim's order.
    Claims of three to sixteen content words, each once, are looked into. In time linear in the evidence.
    """
    ours = tokenize(claim)
    words = [token.stem for token in ours if token.is_content]
    if not _FEWEST <= len(words) <= _MOST or len(set(words)) < len(words):
        return False
    sentences: dict[int, list[Token]] = {}
    for token in tokenize(evidence):
        sentences.setdefault(token.sentence, []).append(token)
    found = False
    for sentence in sentences.values():
        places: dict[str, list[int]] = {word: [] for word in words}
        for at, token in enumerate(sentence):
            if token.is_content and token.stem in places:
                places[token.stem].append(at)
        if all(places.values()):
            if _in_order(words, places):
                return False
            found = found or _swapped(ours, words, sentence, places)
    return found


def _in_order(words: Sequence[str], places: Mapping[str, Sequence[int]]) -> bool:
    at = -1
    for word in words:
        later = [place for place in places[word] if place > at]
        if not later:
            return False
        at = later[0]
    return True


def _swapped(
    ours: Sequence[Token], words: Sequence[str], sentence: Sequence[Token], places: Mapping[str, Sequence[int]]
) -> bool:
    here = {token.stem: at for at, token in enumerate(ours) if token.is_content}
    names = {token.stem for token in ours if token.kind == "word"}  # numbers have rules of their own
    for first, left in enumerate(words):
        for last in range(first + 1, len(words)):
            right = words[last]
            low, high = places[right][-1], places[left][0]
            said, told = ours[here[left] : here[right]], sentence[low:high]
            if _compares(said) and _compares(told):
                if _denies(ours) == _denies(sentence):
                    return True
                continue
            if not {left, right} <= names:
                continue
            between = any(low < place < high for word in words[first + 1 : last] for place in places[word])
            if between and _same_voice(said, told) and not _is_name_of_both(said, told):
                return True
    return False


def _compares(tokens: Sequence[Token]) -> bool:
    return any(token.lower == "than" for token in tokens)


def _denies(tokens: Sequence[Token]) -> bool:
    return any(token.lower in _NOT or token.lower.endswith("n't") for token in tokens)


def _is_name_of_both(ours: Sequence[Token], theirs: Sequence[Token]) -> bool:
    """Return whether one is "the manager of the hotel in" Oslo, and the other one "Oslo hotel" manager."""
    if all(token.is_content for token in ours) == all(token.is_content for token in theirs):
        return False
    text = " ".join(token.text for token in (*ours, *theirs))
    return any(token.lower in _OF for token in (*ours, *theirs)) and not has_finite_verb(f"it {text}")


def _same_voice(ours: Sequence[Token], theirs: Sequence[Token]) -> bool:
    said, told = ({token.lower for token in tokens} for tokens in (ours, theirs))
    if (said | told) & _MUTUAL:
        return False
    return ("by" in said) == ("by" in told) and bool(said & _PASSIVE) == bool(told & _PASSIVE)
