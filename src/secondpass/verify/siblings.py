"""Whether a window speaks of another thing of the same kind than a claim does: sample W-17, and not W-18."""

import re
from collections.abc import Iterable

from secondpass.verify.words import content_words, word_set

__all__ = ["is_of_a_sibling", "lends_only_its_name"]

# Letters with a number that together name one of several: "W-18", "X200", "Q3", "GPT-4".
_CODE = re.compile(r"(?<![\w./-])([A-Za-z]{1,6}-?)(\d{1,6}[A-Za-z]?)(?![\w/-]|\.\d)")
_PATH = re.compile(r"(?<![\w.:/<])/(?:[\w{}<>:-]+[/.]?){1,12}")
_PLACEHOLDER = re.compile(r"\{[^{}/]*\}|<[^<>/]*>|(?<=/):\w+|(?<=/)\d+")
# Nothing is given back (++), and each word is begun once: a text of capitals takes linear time.
_NAME = re.compile(r"(?<!\w)[A-Z][^\W\d_]++(?:[ '\u2019-][A-Z][^\W\d_]++){1,4}")
# With who it is: "environment minister Ann Lee", "Ann Lee, the minister for the environment,".
_PERSON = re.compile(rf"(?:\b[a-z]+ ){{0,3}}{_NAME.pattern}(?:, (?:the|an?|its|their) [\w -]{{1,60}},)?")
_PRONOUNS = word_set("he she it they this these his her hers its their theirs him them")
_WORD = re.compile(r"[^\W\d_]+")
_NOT_CODES = word_set("at in on of to by a an and or the from for no usd eur gbp ca mid pre post sub non co")


def is_of_a_sibling(claim: str, text: str) -> bool:
    """Return whether a text names things like those that a claim names, and none of these: W-17 and not W-18.

    Codes of the same letters are alike, and so are paths.
    """
    ours = _codes(claim)
    theirs = _codes(text) if ours else ours
    return ours.isdisjoint(theirs) and not {kind for kind, _ in ours}.isdisjoint(kind for kind, _ in theirs)


def lends_only_its_name(claim: str, lender: str, other: str) -> bool:
    """Return whether a text adds only a name to what another one says, by name, of somebody else.

    "Park visited the site" and "Ruiz ordered the closure" do not say together that Park ordered it. Where the other
    text has a pronoun, it may be of whom the first one names.
    """
    if _NAME.search(claim) is None:
        return False
    names = {word for person in _PERSON.findall(claim) for word in content_words(person)}
    held, words = set(content_words(other)), set(content_words(claim))
    lent = (words & set(content_words(lender))) - held
    if not lent or not lent <= names or not _PRONOUNS.isdisjoint(_lower(other)):
        return False
    return any(words.isdisjoint(content_words(name)) for name in _NAME.findall(other))


def _codes(text: str) -> frozenset[tuple[str, str]]:
    found = ((match[1].rstrip("-").lower(), match[2].lower()) for match in _CODE.finditer(text))
    paths = (("/", _PLACEHOLDER.sub("*", match[0]).rstrip("/.:")) for match in _PATH.finditer(text))
    return frozenset([*(code for code in found if code[0] not in _NOT_CODES), *paths])


def _lower(text: str) -> Iterable[str]:
    return (word.lower() for word in _WORD.findall(text))
