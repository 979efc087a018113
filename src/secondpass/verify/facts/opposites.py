"""Whether a claim has the opposite of a word of its evidence in that word's place: rose for fell, before for after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.slots import alikeness
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import Token, word_set

__all__ = ["Opposite", "OppositeKind"]

# The forms of words, "|" between those of one and those of its opposite, ";" between pairs. Only of words that hardly
# ever stand in the same place with the same sense: "without" is a denial, and a doctor may say it of his patient.
_PAIRS = """
rise rises rose risen rising increase increases increased increasing grow grows grew grown growing climb climbs
climbed climbing gained raise raises raised raising | fall falls fell fallen falling decrease decreases decreased
decreasing decline declines declined declining drop drops dropped dropping shrink shrinks shrank shrunk shrinking
reduce reduces reduced reducing lost lower lowers lowered lowering cut; improve improves improved improving | worsen
worsens worsened worsening deteriorate deteriorates deteriorated; most | least fewest; highest | lowest; largest
biggest greatest | smallest; longest | shortest; oldest eldest | newest youngest; earliest | latest; early | late;
fastest quickest | slowest; best | worst; strong | weak; heavy | light; wet | dry; cheapest | dearest; first | last;
poor | rich; major | minor; full | empty; open opens opened opening reopen reopens reopened | close closes closed
closing shut; start starts started starting begin begins began begun beginning | stop stops stopped stopping end ends
ended ending finish finishes finished; enable enables enabled enabling | disable disables disabled disabling;
activate activates activated | deactivate deactivates deactivated; on | off; include includes included including |
exclude excludes excluded excluding; mandatory compulsory obligatory required | optional voluntary; permit permits
permitted allow allows allowed | prohibit prohibits prohibited forbid forbids forbidden ban bans banned block blocks
blocked; accept accepts accepted | reject rejects rejected; add adds added adding | remove removes removed removing;
upload uploads uploaded uploading | download downloads downloaded downloading; inbound incoming ingress | outbound
outgoing egress; inner | outer; minimum min minimal | maximum max maximal; ascending | descending; clockwise |
counterclockwise anticlockwise; encrypt encrypts encrypted | decrypt decrypts decrypted; lock locks locked locking |
unlock unlocks unlocked unlocking; install installs installed installing | uninstall uninstalls uninstalled
uninstalling; connected | disconnected; public | private; paid | unpaid; used | unused; temporary temporarily |
permanent permanently; manually manual | automatically automatic; upgrade upgrades upgraded upgrading | downgrade
downgrades downgraded downgrading; succeed succeeds succeeded successful | failed unsuccessful; support supports
supported | oppose opposes opposed; agree agrees agreed | disagree disagrees disagreed; profit profits | loss losses;
surplus | deficit; cheap | expensive; horizontal horizontally | vertical vertically; positive | negative; active |
inactive; weekdays weekday | weekends weekend; dawn sunrise | dusk sunset; odd | even; correct | incorrect; often
frequently | rarely seldom; always | never sometimes rarely seldom; gradually | suddenly abruptly; rural | urban;
synchronous synchronously | asynchronous asynchronously; before | after; above | below; inside | outside; up | down;
more | less fewer; higher | lower; larger bigger greater | smaller; longer | shorter; older | newer younger; earlier
sooner | later; faster quicker | slower; better | worse; stronger | weaker; heavier | lighter; warmer hotter | colder
cooler; cheaper | dearer; thicker | thinner; taller | shorter; deeper | shallower; wider broader | narrower; upper |
lower; top | bottom; northern north northernmost | southern south southernmost; eastern east easternmost | western
west westernmost; next following | previous preceding; buy buys bought buying purchase purchases purchased | sell
sells sold selling; import imports imported importing | export exports exported exporting; won winning | lost losing;
upstream | downstream
"""
_MOST = 8  # of a claim, and as many times as many of its evidence
_FEWEST_WORDS = 2  # beside the word, in the claim's sentence
_MIN_ALIKE, _MIN_SHARED = 0.75, 0.75  # of the neighbours, and of the claim's other words
_MIN_ALIKE_CHANGE = 0.5  # of the neighbours, where the number behind is the same
_TO_NUMBER = 3  # tokens: "by $ 5"
_DENYING = word_set("not no never nor neither cannot without none nobody nothing only unless except until hardly but")

Sides = frozenset[tuple[int, int]]


def _sides() -> dict[str, Sides]:
    """Return the pairs that each word belongs to, and on which side."""
    sides: dict[str, set[tuple[int, int]]] = {}
    for pair, both in enumerate(_PAIRS.split(";")):
        for side, words in enumerate(both.split("|")):
            for word in words.split():
                sides.setdefault(word, set()).add((pair, side))
    return {word: frozenset(places) for word, places in sides.items()}


_SIDES = _sides()
_MOVES = {"up": _SIDES["rise"], "down": _SIDES["fall"]}  # "up 5 %"
_CHANGES = frozenset().union(*_MOVES.values())
_HYPHENS = frozenset("-\u2010\u2011")


@dataclass(frozen=True, slots=True)
class Opposite:
    """A word that has an opposite.

    Attributes:
        first: the index of its token.
        end: the index of the token after it.
        sides: the pairs that it belongs to, and on which side, 0 or 1.
    """

    first: int
    end: int
    sides: Sides

    def opposes(self, other: "Opposite") -> bool:
        """Return whether the other word is an opposite of it, and cannot be the same: "reduced" and "lost"."""
        return self.sides.isdisjoint(other.sides) and any((pair, 1 - side) in other.sides for pair, side in self.sides)


class OppositeKind(FactKind[Opposite]):
    """Opposites: of change, order, place and state, where the rest of a claim is in a sentence of the evidence.

    No word on the claim's side may be in that sentence, both must deny and limit alike, and have the words beside it in
    the same order, as "A is above B" is "B is below A", or tell of a change by the same number.
    """

    name = "opposite"
    counts_as = "negation"
    is_sought = False

    def find(self, text: Text) -> Sequence[Opposite]:
        """Return the words of a text that have an opposite; none in other languages than English."""
        return list(_found(text.tokens)) if text.is_english else []

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the words of a claim in whose place the evidence has the opposite."""
        theirs = self.of(evidence)[: _MOST**2]
        for fact in self.of(claim)[:_MOST]:
            if not any(fact.opposes(other) for other in theirs):
                continue
            other = _in_its_place(claim, fact, evidence, theirs)
            if other is not None:
                yield finding(self.name, claim, fact, evidence, other)


def _found(tokens: Sequence[Token]) -> Iterator[Opposite]:
    for at, token in enumerate(tokens):
        if token.lower not in _SIDES or not (token.first or token.text.islower()) or _is_part(tokens, at):
            continue
        sides = _SIDES[token.lower]
        if token.lower in _MOVES and at + 1 < len(tokens) and tokens[at + 1].kind in {"number", "symbol"}:
            sides |= _MOVES[token.lower]
        yield Opposite(at, at + 1, sides)


def _is_part(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a word is part of another one: "north-west", "check-in"."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    joined = after is not None and after.glued and after.text in _HYPHENS
    return joined or (at > 0 and tokens[at].glued and tokens[at - 1].text in _HYPHENS)


def _in_its_place(claim: Facts, fact: Opposite, evidence: Facts, theirs: Sequence[Opposite]) -> Opposite | None:
    ours, held = claim.read.tokens, evidence.read.tokens
    rest = claim.read.slots.sentence(fact.first) - claim.read.slots.within(fact.first, fact.end)
    if len(rest) < _FEWEST_WORDS:
        return None
    best, best_alike = None, 0.0
    for other in theirs:
        is_opposite = fact.opposes(other)
        if not is_opposite and fact.sides.isdisjoint(other.sides):
            continue
        alike, shared = alikeness(
            claim.read.slots, (fact.first, fact.end), evidence.read.slots, (other.first, other.end)
        )
        if shared < _MIN_SHARED:
            continue
        if not is_opposite:
            return None  # the sentence says it of something
        if alike < max(_MIN_ALIKE_CHANGE, best_alike) or _denials(ours, fact) != _denials(held, other):
            continue
        if _by_as_much(ours, fact, held, other) or (alike >= _MIN_ALIKE and _in_order(ours, fact, held, other)):
            best, best_alike = other, alike
    return best


def _denials(tokens: Sequence[Token], word: Opposite) -> list[str]:
    """Return the words that deny or limit something in a word's sentence."""
    sentence = tokens[word.first].sentence
    words = (token.lower for token in tokens if token.sentence == sentence)
    return sorted("not" if each.endswith("n't") else each for each in words if each in _DENYING or each.endswith("n't"))


def _by_as_much(ours: Sequence[Token], fact: Opposite, theirs: Sequence[Token], other: Opposite) -> bool:
    """Return whether both tell of a change, with the same number right behind: "up 5%", "fell by 5%"."""
    if fact.sides.isdisjoint(_CHANGES):
        return False
    behind = (tokens[word.end : word.end + _TO_NUMBER] for tokens, word in ((ours, fact), (theirs, other)))
    said, held = ({token.stem for token in tokens if token.kind == "number"} for tokens in behind)
    return not said.isdisjoint(held)


def _in_order(ours: Sequence[Token], fact: Opposite, theirs: Sequence[Token], other: Opposite) -> bool:
    """Return whether the claim's words stand in its order in the other's sentence, as far as they are there."""
    at_fact, at_other = ours[fact.first].sentence, theirs[other.first].sentence
    places: dict[str, list[int]] = {}
    for at, token in enumerate(theirs):
        if token.sentence == at_other and token.is_content:
            places.setdefault(token.stem, []).append(at)
    words = [token.stem for token in ours if token.sentence == at_fact and token.is_content]
    once = [places[word][0] for word in words if len(places.get(word, ())) == 1]
    return all(first < last for first, last in pairwise(once))
