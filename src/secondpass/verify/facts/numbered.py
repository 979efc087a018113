"""Things that have a number for a name: versions, sections, kings and wars."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.quantities.numerals import Figures, literal, roman
from secondpass.verify.facts.quantities.periods import is_always
from secondpass.verify.facts.quantities.units import CURRENCIES
from secondpass.verify.facts.slots import best_placed
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch
from secondpass.verify.words import STOP_WORDS, Token, stem, word_set

__all__ = ["Numbered", "NumberedKind"]

# What is numbered, and so is not counted: "section 4", "episode 12", "RFC 2616".
_HEADS = word_set(
    "section chapter figure fig table page part volume vol issue line article rule paragraph appendix annex clause "
    "title episode season series book number no nos type class category level stage phase grade round route highway "
    "interstate version release chapter act scene step option question item room gate platform flight channel rfc iso "
    "pep ieee issn isbn din ean bug ticket case psalm verse opus op war division district ward unit apartment model "
    "mark group"
)
_NOT_NAMES = word_set(
    "about around over under nearly almost only approximately roughly some another more less fewer at between up than "
    "exactly just all most both these those there here every each first last next total "
    "add use mix take set wait pour heat bake cook drink give pay allow run buy cut put place stir apply insert keep "
    "store boil fry whisk measure weigh cost costs enter press hold turn move read write send return repeat charge"
)
# What an answer numbers by itself: "Tip 2: Drink water."
_OWN = frozenset(map(stem, word_set("step tip option method reason example point idea approach")))
_BEHIND_OWN = frozenset(".:)-\u2013\u2014")
_ROMAN_WORTH = frozenset("VX")
_GROUP = 3  # digits
_MOST_OTHERS = 32  # of one thing that are compared


@dataclass(frozen=True, slots=True)
class Numbered:
    """A thing that has a number for a name, as a version has: it is compared as it is written.

    Attributes:
        head: the stem of the word before the number.
        number: the number, in digits.
        first: the index of the head's token.
        end: the index of the token after the number.
    """

    head: str
    number: str
    first: int
    end: int


class NumberedKind(FactKind[Numbered]):
    """Numbered things, which are compared as they are written, and only with another number of the same thing."""

    name = "numbered"
    reports = ("number",)
    counts_as = "number"
    precedence = 20
    is_hard = True
    reads_figures = True
    deferring = frozenset({"date"})

    def find(self, text: Text) -> Sequence[Numbered]:
        """Return the numbered things of a text."""
        return _find(text.tokens, text.taken)

    def takes(self, fact: Numbered) -> Iterable[int]:
        """Return the number's tokens: it counts nothing."""
        return range(fact.first + 1, fact.end)

    def values(self, fact: Numbered) -> Iterable[float]:
        """Return its number, which may be a plain one after all: "In Berlin 500 people"."""
        parsed = literal(fact.number)
        return () if parsed is None else (parsed[0],)

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the numbered things of a claim that the evidence does not have."""
        ours, theirs = self.of(claim), self.of(evidence)
        if not ours:
            return
        held = {(item.head, item.number) for item in theirs}.union(_in_words(evidence.read.tokens))
        numbered = {item.head for item in theirs}
        tokens = evidence.read.tokens
        # "500 ms" has no number 500 of anything else.
        anywhere = {
            token.text for at, token in enumerate(tokens) if token.kind == "number" and tokens.unit(at + 1) is None
        }
        values = {f"{value:g}" for value in evidence.values_beside(self.name)} & anywhere
        spoken = {(item.head, item.number) for item in ours}
        by_head: dict[str, list[Numbered]] = {}
        for item in theirs:
            if (item.head, item.number) not in spoken:
                by_head.setdefault(item.head, []).append(item)
        for fact in ours:
            if (fact.head, fact.number) in held or fact.number in anywhere or fact.number in values:
                continue
            if fact.head not in numbered and _is_own(claim.read.tokens, fact):
                continue
            others = by_head.get(fact.head, [])[:_MOST_OTHERS]
            yield finding(
                "number", claim, fact, evidence, best_placed(claim.read.slots, fact, evidence.read.slots, others)
            )


def _in_words(tokens: Figures) -> Iterator[tuple[str, str]]:
    """Yield the stem before each number in one small word, and the number: "chapter three" is chapter 3."""
    for at in range(1, len(tokens)):
        numeral = tokens.numeral(at) if tokens[at].kind == "word" and tokens[at - 1].lower in _HEADS else None
        if numeral is not None and numeral.form == "words" and numeral.end == at + 1:
            yield tokens[at - 1].stem, f"{numeral.value:g}"


def _is_own(tokens: Figures, fact: Numbered) -> bool:
    """Return whether a claim begins with its number in a list of the answer's own: "Step 1: Preheat the oven."."""
    is_followed = fact.end < len(tokens) and tokens[fact.end].text in _BEHIND_OWN
    return fact.head in _OWN and tokens[fact.first].first and is_followed


def _find(tokens: Figures, taken: set[int]) -> list[Numbered]:
    """Return the numbered things of a text: versions, sections, kings and wars."""
    found: list[Numbered] = []
    for at in range(1, len(tokens)):
        token = tokens[at]
        head, first = tokens[at - 1], at - 1
        if token.glued and token.kind == "number" and head.lower == "v" and not _is_behind_a_letter(tokens, first):
            found.append(Numbered("version", token.text, first, at + 1))
            continue
        if head.text == "." and at > 1 and head.glued:
            head, first = tokens[at - 2], at - 2
        if at in taken or first in taken or head.kind != "word" or token.sentence != head.sentence:
            continue
        if head.text in CURRENCIES:
            continue  # "EUR 10" is an amount
        # "no 5", but not "no. Five people": the number's own token must not begin a sentence.
        is_head = head.lower in _HEADS
        if not is_head and (head.lower in _NOT_NAMES or head.lower in STOP_WORDS or not head.text[0].isupper()):
            continue
        number = _number(tokens, at, head, is_head)
        if number is not None and (is_head or not head.first or _is_title(tokens, at)):
            found.append(Numbered(head.stem, number, first, at + 1))
    return found


def _is_behind_a_letter(tokens: Figures, at: int) -> bool:
    return at > 0 and tokens[at].glued and tokens[at - 1].kind != "symbol"


def _is_title(tokens: Figures, at: int) -> bool:
    """Return whether a number behind a sentence's first word numbers that: "Python 3.11 is", not "Scoring 5 goals"."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return "." in tokens[at].text or after is None or not after.is_content


def _is_hour(tokens: Figures, at: int) -> bool:
    """Return whether minutes follow: "Sat 10:00"."""
    after = tokens[at + 1 : at + 3]
    return len(after) > 1 and after[0].text == ":" and after[1].kind == "number" and after[0].glued and after[1].glued


def _is_group(token: Token) -> bool:
    """Return whether it may be the thousands' rest: "Employees 2 310"."""
    return token.kind == "number" and len(token.text) == _GROUP and not token.glued


def _number(tokens: Figures, at: int, head: Token, is_head: bool) -> str | None:
    token = tokens[at]
    if is_always(tokens, at):
        return None  # "Open 24/7"
    if token.kind == "number":
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        numeral = tokens.numeral(at)
        if after is not None and (tokens.unit(at + 1) or (numeral and numeral.end > at + 1) or after.text == "%"):
            return None
        is_year = len(token.text) == 4 and "1000" <= token.text <= "2100"
        if after is not None and (_is_hour(tokens, at) or _is_group(after)):
            return None
        if "," in token.text or (is_year and not is_head and not (head.text.isupper() and len(head.text) > 1)):
            return None
        return token.text
    if token.kind != "word":
        return None
    if token.text[0].isupper():
        value = roman(token.text)
        if value is not None and (
            len(token.text) > 1 or token.text in _ROMAN_WORTH or (is_head and head.text[0].isupper())
        ):
            return str(value)
        if is_head:
            numeral = tokens.numeral(at)
            return str(int(numeral.value)) if numeral and numeral.form == "words" and numeral.end == at + 1 else None
    return None
