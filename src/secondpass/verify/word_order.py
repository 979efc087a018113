"""Whether a claim has words of a sentence in each other's place: who sued whom, and what closes at nine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby, pairwise, permutations, takewhile
from operator import attrgetter

from secondpass.verify.claims.conjuncts import conjuncts, has_finite_verb
from secondpass.verify.claims.irregular import PARTICIPLES, VERBS
from secondpass.verify.words import Token, stem, tokenize, word_set

__all__ = ["Turned", "misplaces", "swaps", "turns"]

_FEWEST, _MOST = 3, 16  # content words of a claim
_PASSIVE = word_set("was were is are be been being")
_NOT = word_set("not no never")
# What ends who did it: "by the bank in March".
_ENDS_AGENT = word_set(
    "in on at for over from to with and or who which that after before during because when while as , ; :"
)
_BEGINS_PATIENT = word_set("and or but who which that when while because after before if ; :")
_ENDS_CLAUSE = _BEGINS_PATIENT | {","}
_ARTICLES = word_set("the a an his her its their")
_PRONOUNS = word_set("he she it they we i you who which that this these those")
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
    Claims of three to sixteen content words, each once, are looked into. The names and values of a record, such as a
    row of a table, have no order. In time linear in the evidence.
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
        if _is_record(sentence):
            continue
        places: dict[str, list[int]] = {word: [] for word in words}
        for at, token in enumerate(sentence):
            if token.is_content and token.stem in places:
                places[token.stem].append(at)
        if all(places.values()):
            if _in_order(words, places):
                return False
            found = found or _swapped(ours, words, sentence, places)
    return found


def _is_record(sentence: Sequence[Token]) -> bool:
    """Return whether a sentence is of names with their values: "Day: Saturday; Opens: 10:00"."""
    names = sum(token.text == ":" and not after.glued for token, after in pairwise(sentence))
    return names > 1 and names > sum(token.text == ";" for token in sentence) > 0


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
    if ("from" in said) != ("from" in told):
        return False  # what resulted from the one resulted in the other
    return ("by" in said) == ("by" in told) and bool(said & _PASSIVE) == bool(told & _PASSIVE)


class Turned(Enum):
    """What became of who did it, and to whom, between a claim in one voice and a sentence in the other."""

    RIGHTLY = auto()
    """ "The bank sued the broker" for "The broker was sued by the bank". """
    WRONGLY = auto()
    """ "The broker sued the bank" for it. """


def turns(claim: str, evidence: str) -> Turned | None:
    """Return whether a claim turns the voice of a sentence rightly or wrongly; None if it does neither, or both.

    That is, of a verb that one of them has with "was" and "by", whether those who do it, and to whom it is done, have
    changed places. In time linear in the evidence.
    """
    ours = tokenize(claim)
    found: set[Turned] = set()
    for _, group in groupby(tokenize(evidence), key=attrgetter("sentence")):
        sentence = list(group)
        for passive, active in ((ours, sentence), (sentence, ours)):
            found.update(_turned(passive, active))
    return found.pop() if len(found) == 1 else None


def _turned(passive: Sequence[Token], active: Sequence[Token]) -> Iterator[Turned]:
    agents = [at for at, token in enumerate(passive) if token.lower == "by"][:_MOST]
    verbs = {_verb(token): at for at, token in enumerate(active) if token.is_content}
    for by in agents:
        auxiliary = next((at for at in range(by - 1, -1, -1) if passive[at].lower in _PASSIVE), None)
        if auxiliary is None or passive[by - 1].lower in _NOT:
            continue
        verb = next((_verb(token) for token in reversed(passive[auxiliary:by]) if _is_participle(token)), "")
        if verb not in verbs or _is_passive(active, verbs[verb]):
            continue
        did = _content(_agent(passive, by))
        was_done = _content(takewhile(lambda token: token.lower not in _BEGINS_PATIENT, reversed(passive[:auxiliary])))
        subject, rest = active[: verbs[verb]], active[verbs[verb] + 1 :]
        before, after = _content(subject), _content(rest)
        behind = _content(takewhile(lambda token: token.lower not in _ENDS_CLAUSE, rest))
        shared = (did & was_done) | (before & after)  # "Dr.", of both
        who, whom = _sides(did - shared, before, after), _sides(was_done - shared, before, after)
        if who == (True, False) and whom == (False, True):
            yield Turned.RIGHTLY
        elif who == (False, True) and (whom == (True, False) or (did <= behind and _names_who(subject))):
            yield Turned.WRONGLY


def _agent(tokens: Sequence[Token], by: int) -> Iterator[Token]:
    """Yield the words of who did it, of which there are none in "by carefully using dolls"."""
    for token in tokens[by + 1 :]:
        is_deed = token.text.islower() and token.lower.endswith(("ing", "ly"))
        if token.sentence != tokens[by].sentence or token.lower in _ENDS_AGENT or is_deed:
            return
        yield token


def _sides(words: frozenset[str], before: frozenset[str], after: frozenset[str]) -> tuple[bool, bool]:
    return bool(words & before), bool(words & after)


def _names_who(subject: Sequence[Token]) -> bool:
    """Return whether what stands before a verb says who did it, and not with a pronoun."""
    return any(token.is_content for token in subject) and not any(token.lower in _PRONOUNS for token in subject)


def _verb(token: Token) -> str:
    """Return the stem of a word, and that of the verb for an irregular form: "bit" for "bitten"."""
    return stem(VERBS[token.lower]) if token.lower in VERBS else token.stem


def _is_participle(token: Token) -> bool:
    return token.lower.endswith("ed") or token.lower in PARTICIPLES


def _is_passive(tokens: Sequence[Token], verb: int) -> bool:
    """Return whether a verb may be a participle: behind "was", or before "by", as in "the film directed by her".

    What it has right behind it is whom it is done to: "sued the bank, backed by others".
    """
    if any(token.lower in _PASSIVE for token in tokens[max(0, verb - 3) : verb]):
        return True
    has_object = verb + 1 < len(tokens) and tokens[verb + 1].lower in _ARTICLES
    return not has_object and any(token.lower == "by" for token in tokens[verb:])


def _content(tokens: Iterable[Token]) -> frozenset[str]:
    return frozenset(token.stem for token in tokens if token.is_content and token.kind == "word")


def misplaces(claim: str, evidence: str) -> bool:
    """Return whether a claim has a number of one part of a sentence with the words of another: "It closes at 9".

    The sentence may be "It opens at 9 and closes at 6", whose parts are those of
    `secondpass.verify.claims.conjuncts`: the other one has a number of its own behind the same word. Nothing is
    misplaced if a part, or a whole sentence that has no parts, says all of the claim. In time linear in the evidence.
    """
    ours = _Clause(tokenize(claim))
    if not ours.words or len(ours.numbers) != 1:
        return False
    (number,) = ours.numbers
    found = False
    for _, group in groupby(tokenize(evidence), key=attrgetter("sentence")):
        sentence = list(group)
        whole = _Clause(sentence)
        if not ours.words <= whole.words or number not in whole.numbers:
            continue
        clauses = list(_clauses(evidence[sentence[0].start : sentence[-1].end]))
        if any(ours.words <= clause.words and number in clause.numbers for clause in clauses):
            return False
        before = ours.numbers[number]
        found = found or any(
            clause.numbers.get(number) == before
            and ours.words <= other.words
            and any(word == before and _alike(number, theirs) for theirs, word in other.numbers.items())
            for clause, other in permutations(clauses, 2)
        )
    return found


class _Clause:
    """The content words of a clause, and its numbers, each with the word before it."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.words = frozenset(token.stem for token in tokens if token.is_content and token.kind != "number")
        self.words -= {word for word in self.words if len(word) == 1}  # "a.m.", "s"
        self.numbers: dict[str, str] = {}
        word = ""
        for token in tokens:
            if token.kind == "number":
                self.numbers[token.stem] = word
            elif token.stem:
                word = token.lower


def _clauses(sentence: str) -> Iterator[_Clause]:
    for part in conjuncts(sentence):
        shared = sentence[part.subject_start : part.subject_end]
        yield _Clause(tokenize(f"{shared} {sentence[part.words : part.end]}"))


def _alike(number: str, other: str) -> bool:
    """Return whether two numbers may be of the same: both of them years, or none."""
    return (len(number) == len(other) == 4) or 4 not in (len(number), len(other))
