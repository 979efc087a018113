"""Answers of a word or two, made into sentences by the question that they answer."""

import re

from secondpass.verify.words import word_set

__all__ = ["as_statement"]

# What may follow, and what a splitter may leave of it: "Yes, you can.", "It does not."
_ECHO = (
    r"(?:i|you|he|she|it|we|they|that|this|there) (?:is|are|was|were|am|do|does|did|ca|can|could|wo|will|would|shall"
    r"|should|must|may|might|has|have|had)"
)
_NOT = r"(?:n't|not| not)"
_SURELY = r"(?:absolutely|of course|certainly|definitely|indeed|exactly|sure)"
_YES = re.compile(
    rf"\W*(?:(?:yes|yep|yeah|correct|right|true|that(?: is|'s) (?:correct|right|true)|{_SURELY}|affirmative)"
    rf"(?:[\s,.;:!]{{1,3}}(?:{_SURELY}|{_ECHO}))?|{_ECHO})\W*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"\W*(?:(?:no|nope|incorrect|wrong|false|not (?:correct|true)|that(?: is|'s) (?:not (?:correct|true|right)|wrong"
    rf"|false)|negative)(?:[\s,.;:!]{{1,3}}(?:{_SURELY}|not at all|{_ECHO}{_NOT}))?|{_ECHO}{_NOT})\W*",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\s*(?:(?:so|and|but|then),? )?(is|are|was|were|am|do|does|did|can|could|will|would|shall|should|must|may|might"
    r"|has|have|had)\s+([^?\n]{3,300})\?\s*",
    re.IGNORECASE,
)
# Whoever says yes to these says it of themselves: "Could you explain ...?"
_REQUEST = re.compile(
    r"\s*(?:so,? )?(?:can|could|will|would) you (?:please |kindly |also |briefly )?(?:tell|explain|give|help|show|list"
    r"|name|summari[sz]e|describe|provide|write|find|compare|define|share|walk|clarify|outline|elaborate|translate|recommend"
    r"|suggest|check|confirm|answer|look)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"\s*(?:(?:so|and|but|then),? )?who (?!do\b|does\b|did\b)([^?\n]{3,300})\?\s*", re.IGNORECASE)
_MOST_WORDS = 5  # of who it is
_END = " \t.!,;"
_DO = frozenset({"do", "does", "did"})
_DETERMINERS = word_set("the a an this that these those my your his her its our their all any some every each both no")
_PRONOUNS = word_set("i you he she it we they there this that these those")
# With these a predicate begins.
_SMALL_WORDS = word_set(
    "not in on at by for from of to with within without into over under about after before between through during be "
    "been being have has free open closed available allowed required included possible necessary able due safe legal "
    "part still already always never ever also only now more less as than too very"
)
# Participles that don't end as most do, but for those that are nouns as well ("the data set").
_PARTICIPLES = word_set(
    "begun born bought brought built caught done drawn drunk fed fought found gone grown heard held kept known laid "
    "led lent lost made meant met paid said seen sent shown shut sold spent struck sung sworn taught thought thrown "
    "told torn understood won worn"
)
_LATER = re.compile(r"(?:\w+(?:ed|ing|able|ible|ful|less|ous|ive|ly|en)|\d\S*)\Z")


def as_statement(question: str, reply: str) -> str:
    """Return what a reply of few words to a question says, as a sentence; empty if one of them is of another kind.

    "Is membership free for residents?" with "Yes." is "Membership is free for residents.", and with "No.", "Membership
    is not free for residents."; "Who is excluded?" with "Trainees." is "Trainees is excluded."
    """
    reply = reply.replace("\u2019", "'")
    who = _WHO.fullmatch(question)
    if who and len(reply.split()) <= _MOST_WORDS and not (_YES.fullmatch(reply) or _NO.fullmatch(reply)):
        return f"{reply.strip(_END)} {who[1].strip()}."
    asked = _ASKED.fullmatch(question.replace("\u2019", "'"))
    yes, no = _YES.fullmatch(reply), _NO.fullmatch(reply)
    if asked is None or not (yes or no) or _REQUEST.match(question):
        return ""
    verb, words = asked[1].lower(), asked[2].split()
    subject = _subject(words)
    if not 0 < subject < len(words):
        return ""
    verbs = [verb, "not"] if no else [] if verb in _DO else [verb]
    text = " ".join([*words[:subject], *verbs, *words[subject:]])
    return f"{text[0].upper()}{text[1:]}."


def _subject(words: list[str]) -> int:
    """Return how many words the subject of a question has that its verb stands before."""
    first = words[0].lower()
    if first in _PRONOUNS and not (first in _DETERMINERS and len(words) > 2 and words[1].lower() not in _SMALL_WORDS):
        return 1
    at = 1 + (first in _DETERMINERS)
    while at < len(words):
        word = words[at].strip(",")
        if word.lower() in _SMALL_WORDS | _DETERMINERS | _PARTICIPLES or _LATER.match(word.lower()):
            # "the price of the ticket" goes on.
            if word.lower() == "of":
                at += 2 + (at + 1 < len(words) and words[at + 1].lower() in _DETERMINERS)
                continue
            return at
        if first not in _DETERMINERS and not (words[at - 1][0].isupper() and word[0].isupper()):
            return at
        at += 1
    return 0
