"""Splits a sentence where it says two things: "X did A and did B", "X is A, but Y is B"."""

import re
from itertools import islice
from typing import NamedTuple

from secondpass.verify.claims.citations import DEFAULT
from secondpass.verify.claims.irregular import PARTICIPLES, PAST_ONLY, PAST_OR_PARTICIPLE, UNCHANGED
from secondpass.verify.claims.markup import code_spans

__all__ = ["Conjunct", "conjuncts", "has_finite_verb"]


class Conjunct(NamedTuple):
    """A part of a sentence that makes a claim of its own.

    Attributes:
        start: where it begins in the sentence, its conjunction included.
        end: where it ends.
        words: where its own words begin, after the conjunction.
        subject_start: where the subject begins that it shares with an earlier part.
        subject_end: where that subject ends; equal to ``subject_start`` if it has a subject of its own.
    """

    start: int
    end: int
    words: int
    subject_start: int = 0
    subject_end: int = 0


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AUXILIARIES = _set(
    "is are was were has had does did can could will would may might must shall should cannot isn't aren't wasn't "
    "weren't hasn't hadn't doesn't didn't can't couldn't won't wouldn't mustn't shouldn't have haven't do don't"
)
# After "and" these may depend on what comes before: "can read and have fun", "they read and do not write".
_DEPENDENT = _set("shall should do don't have haven't")
_PARTICIPLES = PARTICIPLES | UNCHANGED
_PRESENT = _set(
    "becomes takes makes gives gets goes comes keeps holds leads leaves loses brings sends sells buys pays finds "
    "contains includes provides allows requires returns raises accepts creates generates produces uses supports "
    "lies lives exists begins ends starts remains appears seems means belongs consists serves covers borders "
    "stores reads writes sets adds removes opens closes runs calls converts ignores handles defines describes "
    "prevents enables offers needs wants depends causes affects reduces increases improves helps grows rises falls "
    "flows measures weighs costs stands sits works operates employs attracts hosts houses receives earns teaches "
)
# What many do: "members pay"; before a figure or an article only, those that are nouns and adjectives as well.
_PLAIN = _set(
    "take make give get go come keep lose bring send sell buy pay find contain include provide allow require accept "
    "depend grow receive swim eat arrive apply belong become consist begin remain seem appear enter wear know"
)
_PLAIN_BEFORE_OBJECTS = _set(
    "cost need use cover support offer hold lead open close run start end work live return order help want read write "
    "serve host show rise fall"
)
_MANY = _set("people men women children staff police")
# An object right after one of these does not make it active: "was given two prizes".
_TAKES_TWO = _set(
    "given awarded called named elected granted offered paid sent shown taught told made appointed considered declared "
    "asked allowed denied promised assigned lent sold kept left found brought bought got thought said"
)
_PARTICIPLE_AUXILIARIES = _set("is are was were be been being has have had isn't aren't wasn't weren't hasn't hadn't")
_DETERMINERS = _set(
    "a an the his her its their our my your this these those two three four five six seven eight nine ten several many "
    "some no any each every another both all most few more"
)
_PRONOUNS = _set("he she it they we i you there this these those")
_STAND_INS = _set("he she it they this that these those")
_SINGULAR = _set("he she it")
_NOT_SINGULAR = _set("i you we they there these those")
_PLURAL = _set("are were do have aren't weren't don't haven't")
_TEXTS = _set("document text passage context source article report excerpt information material")
# A conjunction after one of these may belong to the clause that it opens.
_BLOCKING = _set(
    "that which who whom whose if whether because although though unless until since when whenever where wherever "
    "while whereas after before once so lest provided either neither both between not-only what how why "
    "said says say claimed claims claim thinks thought believes believed reported reports argued argues suggested "
    "suggests knows knew known stated states believed found shows showed hoped feared denied denies told or nor"
)
_ADVERBS = _set("also then later still now never always often soon thus therefore eventually finally subsequently only")
_LY = re.compile(r"[a-z]{3,}ly\Z")
_LY_NOUNS = _set("family assembly supply reply ally monopoly anomaly")
# "Never won and died" does not say whether it died.
_LIMITING = _set(
    "no not never hardly rarely seldom scarcely barely almost nearly nobody none nothing few always often sometimes"
)
_ED = re.compile(r"[a-z]{2,}ed\Z")
_NOT_VERBS = _set(
    "red bed need seed speed feed breed weed deed creed greed steed indeed hundred sacred naked wicked united embed "
    "exceed proceed succeed bleed shed sled led fed bred united advanced limited related based so-called speed"
)
_TOKEN = re.compile(r"\u0001+|\d[\d.,]*\d|\d|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|[,;:]|[^\w\s]|\w")
_JOINT = re.compile(r";\s+|,?\s+(?:and|but|yet|while|whereas)\s+", re.IGNORECASE)
_REGIONS = re.compile(
    '"[^"]{0,1000}"|\u201c[^\u201c\u201d]{0,1000}\u201d|\\([^()]{0,1000}\\)|\\[[^\\[\\]]{0,1000}\\]|\u00ab[^\u00ab\u00bb]{0,1000}\u00bb'
)
_MARKS = re.compile(r"[*_~]")
_MAX_CHARS = 2000  # what is longer is not a sentence
_MAX_JOINTS = 24  # each costs a look at the whole sentence
_MAX_SUBJECT = 14
_MAX_OWN_SUBJECT = 8
_MIN_WORDS = 3


class _Word(NamedTuple):
    text: str  # lower case; "\u0001" for what is masked
    start: int
    end: int
    capital: bool


def has_finite_verb(text: str) -> bool:
    """Return whether a text has a finite verb after its first word, as far as a small lexicon can tell."""
    return any(_is_verb(word) for word in _words(_masked(text), 0, min(len(text), _MAX_CHARS))[1:])


def conjuncts(sentence: str) -> list[Conjunct]:
    """Return the parts of a sentence that make claims of their own, or the sentence itself if it is not split.

    It is split only where whole clauses are joined, or verbs that share a subject, and where both sides have a finite
    verb that is in a small lexicon; never within quotations, brackets, code, lists of nouns, subordinate clauses or
    reported speech, nor at "or". What is in doubt stays whole: "never", "almost" or "quickly" before the first of two
    verbs may apply to the second as well. A pronoun at the beginning of the second part is replaced by the subject of
    the first. English only.
    """
    whole = [Conjunct(0, len(sentence), 0)]
    if len(sentence) > _MAX_CHARS or sentence.rstrip("*_ \"')").endswith(("?", ":")):
        return whole
    masked = _masked(sentence)
    joints = list(islice(_JOINT.finditer(masked), _MAX_JOINTS + 1))
    if len(joints) > _MAX_JOINTS:
        return whole
    parts = whole
    for joint in joints:
        split = _split(sentence, masked, parts[-1], joint)
        if split is not None:
            parts = [*parts[:-1], *split]
    return parts


def _masked(sentence: str) -> str:
    """Return the sentence with all that is not prose masked; its length stays the same."""
    letters = list(sentence)

    def hide(start: int, end: int, sign: str) -> None:
        letters[start:end] = sign * (end - start)

    for start, end in code_spans(sentence):
        hide(start, end, "\u0001")
    for citation in DEFAULT.finditer(sentence):
        hide(*citation.span(), " ")
    for region in _REGIONS.finditer("".join(letters)):
        hide(*region.span(), " " if region[0][0] == "(" else "\u0001")
    return _MARKS.sub(" ", "".join(letters)).replace("\u2019", "'")


def _words(masked: str, start: int, end: int) -> list[_Word]:
    return [
        _Word("\u0001" if token[0][0] == "\u0001" else token[0].lower(), *token.span(), token[0][:1].isupper())
        for token in _TOKEN.finditer(masked, start, end)
    ]


def _is_auxiliary(word: _Word) -> bool:
    return word.text in _AUXILIARIES and not (word.text == "may" and word.capital)  # the month


def _is_verb(word: _Word) -> bool:
    text = word.text
    if _is_auxiliary(word) or text in PAST_ONLY or text in PAST_OR_PARTICIPLE or text in _PRESENT:
        return True
    return bool(_ED.match(text)) and text not in _NOT_VERBS


def _split(sentence: str, masked: str, last: Conjunct, joint: re.Match[str]) -> tuple[Conjunct, Conjunct] | None:
    left = _words(masked, last.words, joint.start())
    right = _words(masked, joint.end(), last.end)
    if len(left) < _MIN_WORDS - (last.subject_end > 0) or len(right) < 2:
        return None
    semicolon = joint[0][0] == ";"
    verb = 0 if last.subject_end else _first_verb(left)
    if verb is None or (verb == 0 and not last.subject_end):
        return None
    if not semicolon and any(_blocks(left, at) for at in range(len(left))):
        return None
    if not _complete(left, verb):
        return None
    start = joint.start() + len(joint[0]) - len(joint[0].lstrip(",; \t\r\n"))
    first = last._replace(end=len(sentence[:start].rstrip()))  # with its citation markers
    comma = joint[0][0] in ",;"
    subject = (last.subject_start, last.subject_end) if last.subject_end else (last.words, left[verb].start)
    has_subject = bool(last.subject_end) or _is_subject(left[:verb])
    if _own_clause(right, comma=comma):
        if right[0].text not in _STAND_INS:
            return first, Conjunct(start, last.end, joint.end())
        # Without its subject, "It has two million people" is true of too many things.
        if not has_subject or not _stands_for(right[0].text, _words(masked, *subject), left[verb:]):
            return None
        return first, Conjunct(start, last.end, right[1].start, *subject)
    if joint[0].strip(", \t\r\n").lower() not in ("and", "but", "yet") or not _continues(left, verb, right):
        return None
    if not has_subject:
        return None
    return first, Conjunct(start, last.end, joint.end(), *subject)


def _stands_for(pronoun: str, subject: list[_Word], said: list[_Word]) -> bool:
    """Return whether a pronoun may stand for a subject, of which the words ``said`` tell something, the verb first."""
    texts = [word.text for word in subject]
    if pronoun not in _SINGULAR or not texts or "and" in texts or said[0].text in _PLURAL:
        return False
    if texts[-1] in _NOT_SINGULAR or texts in [[other] for other in _SINGULAR - {pronoun}]:
        return False  # "There is a pool and it is heated", "It is nice and he left"
    # "The text does not mention the fee, but it is low"
    denies = any(word.text == "not" or word.text.endswith("n't") for word in said)
    return not (denies and texts[-1] in _TEXTS)


def _is_done_by_many(words: list[_Word], at: int) -> bool:
    """Return whether a word is the verb of those that the words begin with: "children under four swim free"."""
    if not 0 < at < len(words) - 1 or words[at].capital or words[at - 1].text in _DETERMINERS - {"four", "all"}:
        return False
    text, after = words[at].text, words[at + 1].text
    if text in _PLAIN_BEFORE_OBJECTS:
        is_verb = after in _DETERMINERS or after[0].isdigit() or after == "\u0001"
    else:
        is_verb = text in _PLAIN
    # "The members", "all new members"
    named = next((word.text for word in words[:at] if word.text not in _DETERMINERS | {"the", "new", "all"}), "")
    return is_verb and (named in _MANY or (named.endswith("s") and not named.endswith(("ss", "us", "is"))))


def _first_verb(words: list[_Word]) -> int | None:
    for at, word in enumerate(words):
        if _is_done_by_many(words, at):
            return at
        # A participle before a noun, or after one ("the film directed by him"), is not the verb.
        if _is_auxiliary(word) or word.text in PAST_ONLY:
            return at
        if _is_verb(word):
            before, after = words[at - 1].text if at else "", words[at + 1].text if at + 1 < len(words) else ""
            if before in _DETERMINERS or before in ("of", "in", "by", "and", ",") or after in ("by", ","):
                return None
            return at
    return None


def _blocks(words: list[_Word], at: int) -> bool:
    text = words[at].text
    if text in ("since", "before", "after", "until") and at + 1 < len(words):
        return not words[at + 1].text[0].isdigit()
    if text == "not" and at + 1 < len(words):
        return words[at + 1].text in ("only", "just", "merely")
    return text in _BLOCKING


def _complete(words: list[_Word], verb: int) -> bool:
    """Return whether anything follows the verb: in "was born and died in Warsaw" the verbs share it."""
    at = verb + 1
    while at < len(words) and (
        words[at].text in _ADVERBS
        or _LY.match(words[at].text)
        or words[at].text in ("not", "been", "be")
        or (
            words[verb].text in _AUXILIARIES
            and at == verb + 1
            and (_is_verb(words[at]) or words[at].text in _PARTICIPLES)
        )
    ):
        at += 1
    return any(word.text not in (",", ";", ":") for word in words[at:])


def _is_subject(words: list[_Word]) -> bool:
    """Return whether the words before a verb can be the subject of another verb."""
    if not words or len(words) > _MAX_SUBJECT:
        return False
    texts = [word.text for word in words]
    if ";" in texts or ":" in texts or texts.count(",") > 1:
        return False
    if not _LIMITING.isdisjoint(texts):
        return False
    if _LY.match(texts[-1]) and not words[-1].capital and texts[-1] not in _LY_NOUNS:
        return False  # an adverb that belongs to the first verb
    # A second pronoun begins a relative clause without "that": "the man I saw".
    return not any(text in ("he", "she", "they", "we", "i") for text in texts[1:] if "," not in texts)


def _own_clause(words: list[_Word], *, comma: bool) -> bool:
    """Return whether the words are a short subject, its verb, and something after it."""
    if words[0].text in ("then", "so", "however", "therefore", "thus") and len(words) > 2:
        words = words[1:]
    if words[0].text in _PRONOUNS and len(words) > 2:
        at = 2 if words[1].text in _ADVERBS or _LY.match(words[1].text) else 1
        return at < len(words) and _is_verb(words[at])
    for at, word in enumerate(words[: _MAX_OWN_SUBJECT + 1]):
        if word.text in (",", ";", ":", "and", "or") or _blocks(words, at):
            return False
        if comma and _is_done_by_many(words, at):
            return True
        if not _is_verb(word):
            continue
        if at == 0 or at + 1 >= len(words):
            return False
        sure = _is_auxiliary(word) or word.text in PAST_ONLY
        begins = words[0].capital or words[0].text in _DETERMINERS or words[0].text == "\u0001"
        if not begins or (not comma and not sure):
            return False
        if not sure and words[at + 1].text in ("by", ",", "and", "or"):
            return False
        # "... and Lucas produced was a hit": this verb ends a relative clause, and the main verb follows.
        following = [other.text for other in words[at + 1 : at + 12]]
        return sure or not any(text in _AUXILIARIES for text in following)
    return False


def _continues(left: list[_Word], verb: int, right: list[_Word]) -> bool:
    """Return whether the words begin with a finite verb whose subject is that of the part before."""
    at = 1 if (right[0].text in _ADVERBS or _LY.match(right[0].text)) and len(right) > 1 else 0
    word, after = right[at], right[at + 1].text if at + 1 < len(right) else ""
    if word.capital or not after or after in (",", ";", ":", "and", "or", "of"):
        return False
    if word.text in _AUXILIARIES:
        return word.text not in _DEPENDENT
    if word.text in PAST_ONLY:
        return True
    determined = after in _DETERMINERS or after[0].isdigit() or after == "\u0001" or right[at + 1].capital
    if word.text in _PRESENT:
        return determined or after in ("to", "from", "in", "on", "at", "for", "with", "as", "into", "by")
    if not _is_verb(word):
        return False
    said = {other.text for other in left[verb:]}
    if _PARTICIPLE_AUXILIARIES.isdisjoint(said):
        return True
    if not _LIMITING.isdisjoint(said) or any(text.endswith("n't") for text in said):
        return False  # "has never smoked a pipe and tasted the wine"
    return determined and after != "all" and word.text not in _TAKES_TWO
