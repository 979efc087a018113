"""Whether a claim denies what the evidence says, or says what it denies."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from secondpass.verify.facts.kind import FactKind
from secondpass.verify.facts.limits import EXCEPT, beyond
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.facts.values import answers
from secondpass.verify.types import Mismatch
from secondpass.verify.words import AUXILIARIES, STOP_WORDS, Token, word_set
from secondpass.verify.words import stem as stem_of

__all__ = ["Clause", "NegationKind", "denial", "denied_as_in"]

_MIN_SHARED_WORDS = 8  # a claim of so many words may differ in another one too
_MOST_SENTENCES = 8  # a claim is a sentence; in a longer text, these are looked into
# A name in code says in its last part what kind of thing it is: ValueError, ZipFile.
_HUMPED = re.compile(r"(?:[A-Z][a-z0-9]+)+([A-Z][a-z]+)")

_CUES = word_set(
    "not no never neither nor cannot hardly scarcely barely none nobody nothing nowhere lacks lacked lacking"
)
_FAILING = word_set("fail fails failed failing refuse refuses refused decline declines declined unable")  # before "to"
_DENYING = word_set("deny denies denied denying dispute disputes disputed refute refutes refuted")  # before these:
_REPORTED = word_set("that having being reports claims allegations rumours rumors accusations suggestions")
# Behind "not": what it denies is how much, when or what else, not the thing itself.
_NOT_DENIED = word_set(
    "only just merely simply all every everyone everything always necessarily entirely completely fully exclusively "
    "solely least until till unlike uncommon because so very too much many long quite exactly including"
)
_SKIPPED = word_set("longer one more any")  # "no longer", "no one", "not any": what is denied comes after
_BREAKS = frozenset(".;:()[]\u2014\u2013")
# Behind a comma these begin a clause of their own; other commas are those of lists: "no roads, tracks or bridges".
_OPENERS = word_set("he she it they we i you this that these those who which there the a an and so then instead")
_VERBS = AUXILIARIES | {"be", "been", "being"}
_LITTLE = word_set("little few without less unless")  # deny half: what is beside them is neither said nor denied
_CONJUNCTIONS = word_set("but although though while whereas however yet except unless if whether until till")
_CONDITIONS = word_set("if when once whenever provided")  # what follows these is what "unless" denies
_MOST_CONDITIONS = 8  # of a sentence
_COMPARED = word_set("more less fewer later earlier sooner")  # between "no" and "than"
_MOST_DENIED = 8  # of a sentence that are looked into
_MORE_SHARED = 2  # words that a clause shares, more than another one: it is the one in question
_ELLIPSIS = 4  # tokens: "does not", and the signs behind it
_SAME_CONDITION = 0.5  # of the words of the shorter one of two

_IN_WORDS = word_set(
    "ability able accessible accurate action active adequate appropriate capable complete compatible consistent "
    "convenient correct credible curable definite dependent direct effective eligible equal equality experienced "
    "expensive famous finite flexible formal frequent sane secure significant soluble stable sufficient tolerant "
    "valid variable visible voluntary vulnerable possible perfect mature moral mortal partial patient polite "
    "practical precise probable proper pure legal legitimate literate logical rational regular relevant replaceable "
    "responsible reversible resistible"
)
_PREFIXES = ("un", "non", "in", "im", "il", "ir", "dis")
_MIN_ROOT = 4
_SHORT_ROOTS = frozenset(map(stem_of, word_set("safe sure true wise ripe")))  # of "unsafe"
# What comes with a denial and says nothing else: "no longer", "actually not", "at all".
_EMPTY_STEMS = frozenset(
    map(
        stem_of,
        _CUES
        | _FAILING
        | _LITTLE
        | _SKIPPED
        | word_set("able actually really definitely much still ever clearly quite nearly"),
    )
)
_ROOTS = frozenset(map(stem_of, _IN_WORDS))
_DIS_WORDS = word_set(
    "agree agreed agrees allow allowed approve approved honest loyal similar satisfied advantage like liked continued"
)
_DIS_ROOTS = frozenset(map(stem_of, _DIS_WORDS))


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a sentence that a negation does not reach out of.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        sentence: the index of its sentence.
        stems: of its content words.
        opener: its first word, in lower case.
        denied: the stem that a negation is put before, to the index of the negating token.
        has_cue: whether anything is denied in it, in whatever way.
        beyond: the stems that are beyond a limit, or an exception, to the side that they are on.
        elides: whether it ends where its verb would follow: "but the other one does not".
    """

    first: int
    end: int
    sentence: int
    opener: str
    stems: frozenset[str]
    denied: dict[str, int]
    has_cue: bool
    beyond: dict[str, str]
    elides: bool


class NegationKind(FactKind[Clause]):
    """Denials: a claim that denies what the evidence says in much the same words, or the other way round."""

    name = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Clause]:
        """Return the clauses of a text; none in other languages than English."""
        return [_clause(text.tokens, first, end) for first, end in _bounds(text.tokens)] if text.is_english else []

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the sentences of a claim that differ from one of the evidence in a denial, and in nothing else."""
        if answers(claim, evidence):
            return  # "Balcony: no" stands in no sentence
        ours, theirs = _by_sentence(self.of(claim)), _by_sentence(self.of(evidence))
        tokens, held_tokens = claim.read.tokens, evidence.read.tokens
        known = {token.text for token in held_tokens}
        calls, called, kinds = _calls(tokens, known), _calls(held_tokens, known), _kinds(held_tokens)
        for sentence, clauses in list(ours.items())[:_MOST_SENTENCES]:
            said = claim.read.slots.sentences.get(sentence, set()) - _EMPTY_STEMS
            rivals: list[tuple[int, int]] = []
            for other, held in theirs.items():
                there = evidence.read.slots.sentences.get(other, set()) | kinds.get(other, set())
                # The function that a page is about is named in its heading, and not in every sentence.
                stems = said if other in called else said - calls.get(sentence, set())
                shared = len(stems & there)
                if shared < max(len(stems) - 1, 1):
                    continue
                words = _denied(clauses, held)
                if words and _is_plain(claim, sentence, words, stems - there):
                    rivals.append((shared, other))
                elif not words and (shared == len(stems) or len(stems) >= _MIN_SHARED_WORDS):
                    rivals = []
                    break  # one sentence says it as the claim does
            if rivals:
                yield Mismatch("negation", _sentence(claim, sentence), _sentence(evidence, max(rivals)[1]))


def denial(claim: Facts, evidence: Facts) -> tuple[tuple[int, int], str] | None:
    """Return the words in which a claim denies what a sentence says, or says what it denies; None if there are none.

    Args:
        claim: the claim.
        evidence: the sentence.

    Returns:
        Where that stands among the claim's tokens, from the first to before the last: what is denied on one of the two
        sides, with its negation and its auxiliary verbs; and the words of the sentence in its place.
    """
    theirs = list(evidence.found["negation"])
    for ours in list(_by_sentence(claim.found["negation"]).values())[:_MOST_SENTENCES]:
        words = _denied(ours, theirs)
        here, there = _words_of(words, ours, claim), _words_of(words, theirs, evidence)
        if here and there:
            return here, evidence.read.words(*there)
    return None


def denied_as_in(claim: Facts, evidence: Facts) -> Iterator[tuple[int, int, str]]:
    """Yield where a claim says "untested", and the evidence that something is not tested: with those words.

    Returns:
        The first of the claim's tokens, the one after the last, and the words in their place.
    """
    denied = {stem for clause in evidence.found["negation"] for stem in clause.denied}
    if not denied:
        return
    # "Not untested" is said twice.
    others = {token.stem for token in evidence.read.tokens}.union(*(each.denied for each in claim.found["negation"]))
    for at, token in enumerate(claim.read.tokens):
        root = _without_prefix(token.stem) if token.kind == "word" and token.stem not in others else ""
        if root in denied and token.text.islower():
            yield at, at + 1, f"not {token.text.removeprefix(_prefix(token.stem))}"


def _words_of(words: frozenset[str], clauses: Sequence[Clause], facts: Facts) -> tuple[int, int] | None:
    """Return where one of some stems stands, with the negation that it is denied by and the verbs before it."""
    tokens = facts.read.tokens
    for clause in clauses:
        for at in range(clause.first, clause.end):
            if tokens[at].stem in words:
                first = min(at, clause.denied.get(tokens[at].stem, at))
                while first > clause.first and tokens[first - 1].lower in _VERBS:
                    first -= 1
                return first, at + 1
    return None


def _calls(tokens: Sequence[Token], known: set[str]) -> dict[int, set[str]]:
    """Return those of some words that are named as functions, such as "open()", by sentence."""
    found: dict[int, set[str]] = {}
    for token, after in pairwise(tokens):
        if token.kind == "word" and after.text == "(" and after.glued and token.text in known:
            found.setdefault(token.sentence, set()).add(token.stem)
    return found


def _kinds(tokens: Sequence[Token]) -> dict[int, set[str]]:
    """Return what names in code are by their last part, by sentence: a ValueError is an error."""
    found: dict[int, set[str]] = {}
    for token in tokens:
        if match := _HUMPED.fullmatch(token.text):
            found.setdefault(token.sentence, set()).add(stem_of(match[1]))
    return found


def _is_plain(claim: Facts, sentence: int, words: frozenset[str], lacking: set[str]) -> bool:
    """Return whether nothing but a denial differs: "not good" is "bad", another word makes up for the denial."""
    others = lacking - words
    if not others:
        return True
    if len(claim.read.slots.sentences[sentence]) < _MIN_SHARED_WORDS:
        return False
    places = [at for at, token in enumerate(claim.read.tokens) if token.sentence == sentence and token.stem in words]
    return not any(others & set(side) for at in places for side in claim.read.slots.around(at, at + 1))


def _by_sentence(clauses: Sequence[Clause]) -> dict[int, list[Clause]]:
    found: dict[int, list[Clause]] = {}
    for clause in clauses:
        found.setdefault(clause.sentence, []).append(clause)
    return found


def _sentence(facts: Facts, sentence: int) -> str:
    places = [at for at, token in enumerate(facts.read.tokens) if token.sentence == sentence]
    return facts.read.words(places[0], places[-1] + 1)


def _bounds(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    first = 0
    for at, token in enumerate(tokens):
        new = token.sentence != tokens[first].sentence or token.text in _BREAKS
        new = new or (token.lower in _CONJUNCTIONS and not _is_so_far(tokens, at))
        new = new or (token.text == "," and at + 1 < len(tokens) and tokens[at + 1].lower in _OPENERS)
        if at > first and new and not _is_within_number(tokens, at):
            yield first, at
            first = at
    if tokens:
        yield first, len(tokens)


def _is_so_far(tokens: list[Token], at: int) -> bool:
    """Return whether a "yet" tells the time: "not yet", "has yet to"."""
    after = tokens[at + 1].lower if at + 1 < len(tokens) else ""
    return tokens[at].lower == "yet" and (after == "to" or tokens[at - 1].lower == "not")


def _is_within_number(tokens: list[Token], at: int) -> bool:
    return tokens[at].glued and at + 1 < len(tokens) and tokens[at + 1].glued and tokens[at + 1].kind == "number"


def _clause(tokens: list[Token], first: int, end: int) -> Clause:
    stems: set[str] = set()
    denied: dict[str, int] = {}
    cue: int | None = None
    has_cue = again = False
    for at in range(first, end):
        token = tokens[at]
        if not token.stem:
            continue
        if _is_cue(tokens, at, end):
            if at > first and _is_alternative(tokens, at):
                continue
            if _is_bound(tokens, at, end):
                denied[tokens[at + 1].stem] = at
                continue
            has_cue = True
            cue = None if cue is not None else at  # two of them make none
            continue
        has_cue = has_cue or token.lower in _LITTLE
        if token.lower in STOP_WORDS:
            # "did not drink or smoke": both are denied.
            if token.lower in {"or", "nor"} and again:
                cue = max(denied.values(), default=None)
            continue
        if cue is not None and token.lower in _SKIPPED | _REPORTED:
            continue
        stems.add(token.stem)
        again = cue is not None
        if cue is not None:
            denied[token.stem] = cue
            cue = None
    outside = beyond(tokens, first, end, STOP_WORDS)
    elides = _is_elliptic(tokens, first, end)
    return Clause(
        first, end, tokens[first].sentence, tokens[first].lower, frozenset(stems), denied, has_cue, outside, elides
    )


def _is_bound(tokens: list[Token], at: int, end: int) -> bool:
    """Return whether a negation belongs to a limit, as in "no more than five": it denies what is more, and no verb."""
    words = [token.lower for token in tokens[at : min(at + 3, end)]]
    return len(words) == 3 and words[0] in {"no", "not"} and words[1] in _COMPARED and words[2] == "than"


def _is_elliptic(tokens: list[Token], first: int, end: int) -> bool:
    """Return whether a clause ends in an auxiliary verb, or in "not" behind one."""
    words = [token.lower for token in tokens[max(end - _ELLIPSIS, first) : end] if token.stem]
    if words[-1:] == ["not"]:
        words.pop()
    return words[-1:] != [] and words[-1] in AUXILIARIES


def _is_cue(tokens: list[Token], at: int, end: int) -> bool:
    word = tokens[at].lower
    after = tokens[at + 1].lower if at + 1 < end else ""
    if word.endswith("n't") or word in _CUES:
        # "No. 5" is a number.
        return after not in _NOT_DENIED and not (word == "no" and (after == "." or after.isdigit()))
    if (word, after) in {("rather", "than"), ("instead", "of"), ("yet", "to")}:
        return True
    return (word in _FAILING and after == "to") or (word in _DENYING and after in _REPORTED)


def _is_alternative(tokens: list[Token], at: int) -> bool:
    """Return whether a negation is only one of two ways: "guilty or not guilty", "may or may not"."""
    words = [token.lower for token in tokens[max(at - 2, 0) : at]]
    return words[-1] == "or" or (words[0] == "or" and words[-1] in STOP_WORDS)


def _denied(claim: list[Clause], evidence: list[Clause]) -> frozenset[str]:
    """Return the stem that one of two sentences denies and the other one says, with that of its opposite; or nothing.

    Args:
        claim: the clauses of the claim's sentence.
        evidence: the clauses of one sentence of the evidence.
    """
    excepted = _either(_excepted, claim, evidence)
    if excepted:
        return excepted  # what "no one except the cook may" says of the cook has no "no" beside it
    cued, *others = (_either(differ, claim, evidence) for differ in (_cued, _prefixed, _conditioned))
    # "not easy" is "uneasy", and what is free unless it is late is not free if it is late: two make none.
    found = [words for words in (cued, *others) if words]
    if len(found) != 1 or (cued and (_is_limited(claim, evidence) or _is_elided(claim, evidence))):
        return frozenset()
    return found[0]


def _is_limited(claim: list[Clause], evidence: list[Clause]) -> bool:
    """Return whether one sentence speaks of what the other one leaves out, so that a denial of it is none.

    "Who are not members pay" where it is free for members, "not after May" where it is until May, "not on Sundays"
    where it is daily except on Sundays.
    """
    return _leaves_out(claim, evidence) or _leaves_out(evidence, claim)


def _leaves_out(ours: list[Clause], theirs: list[Clause]) -> bool:
    outside = {stem: side for clause in ours for stem, side in clause.beyond.items()}
    within = {stem for clause in ours for stem in clause.stems if stem not in clause.beyond}
    beyond_there = {stem: side for clause in theirs for stem, side in clause.beyond.items()}
    said = {stem for clause in theirs for stem in clause.stems}
    return any(stem in said and stem not in within and beyond_there.get(stem) != side for stem, side in outside.items())


def _is_elided(claim: list[Clause], evidence: list[Clause]) -> bool:
    """Return whether one sentence speaks of that whose verb the other one leaves out: "but the others do not"."""
    return _elides(claim, evidence) or _elides(evidence, claim)


def _elides(ours: list[Clause], theirs: list[Clause]) -> bool:
    said = {stem for clause in theirs for stem in clause.stems}
    return any(
        last.elides and last.has_cue is not before.has_cue and not said.isdisjoint(last.stems - before.stems)
        for before, last in pairwise(ours)
    )


def _either(
    differ: Callable[[list[Clause], list[Clause]], frozenset[str]], claim: list[Clause], evidence: list[Clause]
) -> frozenset[str]:
    return differ(claim, evidence) or differ(evidence, claim)


def _cued(ours: list[Clause], theirs: list[Clause]) -> frozenset[str]:
    """Return a stem that a word of ours denies, and that theirs have where nothing is denied."""
    denied = [stem for clause in ours for stem in clause.denied]
    if not denied:
        return frozenset()
    only_said = _stems(theirs, has_cue=False) - _stems(theirs, has_cue=True) - _stems(ours, has_cue=False)
    said = {stem for clause in ours for stem in clause.stems}
    found = islice((stem for stem in denied if stem in only_said), _MOST_DENIED)
    return frozenset(islice((stem for stem in found if not _of_another(stem, said, theirs)), 1))


def _of_another(stem: str, said: set[str], theirs: list[Clause]) -> bool:
    """Return whether clauses say a word of another thing than a sentence: "children swim free; adults pay"."""
    shared = [(stem in clause.stems, len(clause.stems & said - {stem})) for clause in theirs]
    here = max(n for has, n in shared if has)
    return any(not has and n >= here + _MORE_SHARED for has, n in shared)


def _conditioned(ours: list[Clause], theirs: list[Clause]) -> frozenset[str]:
    """Return the stems of a condition that theirs have, and that ours have as an exception: "unless it rains"."""
    exceptions = [clause for clause in ours if clause.opener == "unless" and not clause.denied]
    conditions = [clause for clause in theirs if clause.opener in _CONDITIONS and not clause.has_cue]
    for exception in exceptions[:_MOST_CONDITIONS]:
        for condition in conditions[:_MOST_CONDITIONS]:
            shared = exception.stems & condition.stems
            if shared and len(shared) >= _SAME_CONDITION * min(len(exception.stems), len(condition.stems)):
                return shared
    return frozenset()


def _excepted(ours: list[Clause], theirs: list[Clause]) -> frozenset[str]:
    """Return what theirs leave out, if ours say of just that what theirs say, or deny, of all else: "but the cook"."""
    left_out = {stem for clause in theirs for stem, side in clause.beyond.items() if side == EXCEPT}
    said = {stem for clause in ours for stem in clause.stems}
    held = {stem for clause in theirs for stem in clause.stems}
    left_out -= {stem for clause in theirs for stem in clause.stems - clause.beyond.keys()}
    is_alike = any(clause.has_cue for clause in ours) is any(clause.has_cue for clause in theirs)
    plain = not any(clause.beyond for clause in ours)
    return frozenset(left_out) if left_out and plain and is_alike and left_out < said <= held else frozenset()


def _prefixed(ours: list[Clause], theirs: list[Clause]) -> frozenset[str]:
    """Return a stem of ours, and what theirs have without its prefix, unless one is denied: unfair, not fair."""
    said = {stem for clause in theirs for stem in clause.stems}
    here = {stem for clause in ours for stem in clause.stems}
    for stem in sorted(here - said):
        root = _without_prefix(stem)
        if root and root in said and root not in here:
            differ = _is_target(stem, ours) == _is_target(root, theirs)
            return frozenset({stem, root}) if differ else frozenset()
    return frozenset()


def _is_target(stem: str, clauses: list[Clause]) -> bool:
    return any(stem in clause.denied for clause in clauses)


def _stems(clauses: list[Clause], *, has_cue: bool) -> set[str]:
    """Return the words of the clauses in which something is denied, or in which nothing is."""
    found: set[str] = set()
    for clause in clauses:
        if clause.has_cue is has_cue:
            found |= clause.stems if has_cue else clause.stems - clause.denied.keys()
    return found


def _without_prefix(stem: str) -> str:
    prefix = _prefix(stem)
    return stem.removeprefix(prefix) if prefix else ""


def _prefix(stem: str) -> str:
    """Return the prefix by which a stem denies what it says without it; empty if there is none."""
    for prefix in _PREFIXES:
        root = stem.removeprefix(prefix)
        if root == stem or (len(root) < _MIN_ROOT and not (prefix == "un" and root in _SHORT_ROOTS)):
            continue
        if prefix in {"un", "non"} or (root in _ROOTS if prefix != "dis" else root in _DIS_ROOTS):
            return prefix
    return ""
