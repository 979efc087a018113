"""Answers of a word or two, made into sentences by the question that they answer."""

import re

from secondpass.verify.claims.checkable import why_not
from secondpass.verify.claims.conjuncts import has_finite_verb
from secondpass.verify.claims.irregular import PARTICIPLES, PAST
from secondpass.verify.words import AUXILIARIES, word_set

__all__ = ["as_statement", "needs_question"]

_FEW_WORDS = 3  # a claim of so few is an answer to the question, not a sentence
_MOST_OF_A_FRAGMENT = 8  # words: "From May to the end of June"
# What to do is told in sentences of one's own: "Hold the button."
_WH = re.compile(
    r"\s*(?:(?:so|and|but|then),? )?(?:(?:in|at|on|for|to|by|from|with|until|since|under|of) )?"
    r"(?:what|when|where|which|who|whom|whose|why|how(?! (?:do|can|could|should|to|would|must|might)\b))\b.*\?\s*",
    re.IGNORECASE | re.DOTALL,
)

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
# "The answer is no.", "Final answer: Paris"
_ANSWER = re.compile(
    r"[\s*_]{0,4}(?:(?:so|thus|therefore),? )?(?:the )?(?:final |short |correct |right )?answer"
    r"(?:\s?:| is:?)[\s*_]{1,5}",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\W{0,3}(?:\d|(?:at|in|on|by|for|from|to|of|with|within|without|under|over|after|before|between|during|since|until|till"
    r"|through|via|near|behind|beside|inside|outside|because|due|thanks|about|around|approximately|roughly|nearly|almost"
    r"|only|just|up|every|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|both|either|not"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october"
    r"|november|december)\b)(?:[^:]|(?<=\d):(?=\d))*\Z",
    re.IGNORECASE,
)
# "With annual billing you save 20%." is a sentence, whatever its verb is.
_SUBJECT = re.compile(r"\b(?:i|you|he|she|we|they) (?!(?:and|or|to|in|on|at|for|from)\b)[a-z]", re.IGNORECASE)
_ASKED = re.compile(
    r"\s*(?:(?:so|and|but|then),? )?(?:(is|are|was|were|am|do|does|did|can|could|will|would|shall|should|must|may|might"
    r"|has|have|had)|(is|are|was|were|do|does|did|ca|could|wo|would|should|has|have|had)n't)\s+([^?\n]{3,300})\?\s*",
    re.IGNORECASE,
)
# "Yes, on Mondays."
_AND_MORE = re.compile(r"(\W*\w+)\s?[,:\u2013\u2014-]\s+(\S.*)", re.DOTALL)
# Whoever says yes to these says it of themselves: "Could you explain ...?"
_REQUEST = re.compile(
    r"\s*(?:so,? )?(?:can|could|will|would) you (?:please |kindly |also |briefly )?(?:tell|explain|give|help|show|list"
    r"|name|summari[sz]e|describe|provide|write|find|compare|define|share|walk|clarify|outline|elaborate|translate|recommend"
    r"|suggest|check|confirm|answer|look)\b",
    re.IGNORECASE,
)
# The subject is another one in "Who did they hire?" and "Who was she married to?".
_WHO = re.compile(
    r"\s*(?:(?:so|and|but|then),? )?who (?!(?:do|does|did)\b|(?:is|are|was|were|has|have|had|can|could|will|would|shall"
    r"|should|must|may) (?:i|you|he|she|it|we|they)\b)([^?\n]{3,300})\?\s*",
    re.IGNORECASE,
)
# What is asked for, with its verb, and the rest of the question.
_WANTED = re.compile(
    r"\s*(?:(?:so|and|but|then),? )?(when|(?:(?:in|on) )?(?:what|which) (?:year|month|date|(?:week)?day)s?|where|what"
    r"|how (?:long|often|much)|how many(?= (\w+(?: \w+)?) (?:do|does|did)\b))(?: \2)? (is|are|was|were|do|does|did)"
    r" ([^?\n]{3,300})\?\s*",
    re.IGNORECASE,
)
_TIMES = word_set("year month date day weekday")
_SPAN, _ONE_YEAR = re.compile(r"\bto\b|[-\u2013]"), re.compile(r"(?:1\d|20)\d\d")
_DAY = re.compile(r"\b[0-3]?\d(?:st|nd|rd|th)?\b(?!:)")
_TIME = re.compile(r"\d{1,2}(?::\d\d)?\s?(?:[ap]\.?m\.?|o'clock)|\d{1,2}:\d\d|noon|midnight", re.IGNORECASE)
_LABELLED = re.compile(r":(?!\d)")
_ADVERBIAL = word_set("every each daily weekly always never today tomorrow yesterday once twice next last")
_MOST_WORDS = 5  # of who it is
_END = " \t.!,;"
_DO = frozenset({"do", "does", "did"})
_MODALS = frozenset({"can", "could", "will", "would", "shall", "should", "must", "may", "might"})
_DETERMINERS = word_set("the a an this that these those my your his her its our their all any some every each both no")
_PRONOUNS = word_set("i you he she it we they there this that these those")
# With these a predicate begins.
_SMALL_WORDS = word_set(
    "not in on at by for from of to with within without into over under about after before between through during be "
    "been being have has free open closed available allowed required included possible necessary able due safe legal "
    "part still already always never ever also only now more less as than too very"
)
_PREPOSITIONS = word_set(
    "in on at by for from to with within without into over under about after before between through during near per "
    "across behind beside above below beyond against around along towards until since"
)
_NUMBERS = word_set(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred half twice"
)
_FIGURE = re.compile(r"[$\u20ac\u00a3\u00a5]?\d")
_MONTHS = word_set(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec"
)
_WEEKDAYS = word_set(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays"
)
# Where they end a question, they are what is said.
_LAST = word_set(
    "late early cheap big small high low long short new old wrong right true false good bad hot cold warm full empty "
    "clean dirty easy hard rare common normal real big large strong weak fresh ready online"
)
# Before these, or after some of them, stands the verb that "do" has taken from its place.
_BEFORE_VERBS = word_set("not still already always never ever also only now")
_VERBS = word_set(
    "accept allow apply rely reply supply arrive become begin belong bring buy contain deliver depend eat exist expire "
    "get give have include keep know live lose make meet pay provide receive remain require say seem sell send serve "
    "speak swim take teach tell travel understand wear weigh win write"
)
# Nouns as well: verbs only before a word that begins something else.
_VERBS_AND_NOUNS = word_set(
    "change charge close cost cover end fit found grow help hold increase last lead limit lock match need offer open "
    "order own rain replace rest restart return rise run show start stay stop store support switch use work"
)
_BEGINNINGS = _SMALL_WORDS | _DETERMINERS | _PRONOUNS | word_set("off up down out away back")
_PRESENT = {"have": "has", "be": "is"}
# Two participles may stand before the subject's noun: "the left door", "the felt lining".
_BEGIN_PREDICATES = _SMALL_WORDS | _DETERMINERS | (PARTICIPLES - {"left", "felt"}) | {"shut"}
# What is certainly said of a thing, so that the word before may belong to its name: "Is tap water safe?"
_SAID = word_set(
    "free open closed available allowed required included possible necessary due safe legal waterproof be been"
) | (PARTICIPLES - {"left", "felt"})
_SAID_ENDING = re.compile(r"\w{3,}(?:ed|able|ible)\Z")
_NOUNS = word_set(
    "speed breed hundred vegetable timetable variable building morning evening meeting ceiling parking swimming "
    "training garden kitchen children women men ten seven eleven family july"
)
_ADVERBS = word_set("well best better much far long once first so half")
_AT_END = word_set("do does did is are was were has have had can could will would")
_LATER = re.compile(r"(?:\w+(?:ed|ing|able|ible|ful|less|ous|ive|ly|en)|\d\S*)\Z")


def as_statement(question: str, reply: str) -> str:
    """Return what a reply of few words to a question says, as a sentence; empty if one of them is of another kind.

    "Is membership free for residents?" with "Yes." is "Membership is free for residents.", and with "No.", "Membership
    is not free for residents."; "Is membership free?" with "Yes, for residents." is "Membership is free, for
    residents."; "Who is excluded?" with "Trainees." is "Trainees is excluded."
    """
    reply = reply.replace("\u2019", "'")
    if announced := _ANSWER.match(reply):
        reply = reply[announced.end() :]
    question = question.replace("\u2019", "'")
    who = _WHO.fullmatch(question)
    if who and len(reply.split()) <= _MOST_WORDS and _names_somebody(reply, who[1].split()[0]):
        return _who_it_is(reply.strip(_END), who[1].strip())
    if said := _put_in(question, reply.strip().rstrip(_END)):
        return said
    asked, (reply, more) = _ASKED.fullmatch(question), _parted(reply)
    yes, no = _YES.fullmatch(reply), _NO.fullmatch(reply)
    if asked is None or not (yes or no) or _REQUEST.match(question):
        return ""
    verb, words = (asked[1] or asked[2]).lower(), asked[3].split()
    verb = {"ca": "can", "wo": "will"}.get(verb, verb)
    subject = _subject_of_do(words) if verb in _DO else _subject_of_modal(words) if verb in _MODALS else _subject(words)
    if not 0 < subject < len(words):
        return ""
    predicate = words[subject:]
    if no:
        # Nobody is forbidden what nobody has to do.
        predicate = ["need" if verb == "must" else verb, "not", *predicate]
    elif verb in _DO:
        at = min(_is_adverb(predicate[0]), len(predicate) - 1)
        predicate[at] = _inflected(predicate[at], verb)
    elif words[0].lower() == "there" and len(predicate) > 1 and predicate[0].lower() == "any":
        predicate = [verb, *predicate[1:]]
    else:
        predicate = [verb, *predicate]
    text = " ".join([*words[:subject], *predicate])
    return f"{text[0].upper()}{text[1:]}{more}."


def _put_in(question: str, reply: str) -> str:
    """Return what a few words say in the place of what is asked for; empty if that is unclear.

    "When did the cafe open?" with "2004" is "The cafe opened in 2004.", and "How many rooms does it have?" with "12",
    "It has 12 rooms."
    """
    asked = _WANTED.fullmatch(question)
    if asked is None or not needs_question(question, reply) or not _is_a_part(reply):
        return ""
    wanted, counted, verb = asked[1].lower(), asked[2] or "", asked[3].lower()
    words, kind = asked[4].split(), "many" if counted else wanted.split()[-1]
    kind = "when" if kind.rstrip("s") in _TIMES else kind
    if verb in _DO:
        subject = _subject_of_do(words)
        if not 0 < subject < len(words):
            return ""
        predicate = words[subject:]
        at = min(_is_adverb(predicate[0]), len(predicate) - 1)
        predicate[at] = _inflected(predicate[at], verb)
        told = predicate[: at + 1], predicate[at + 1 :]
    else:
        subject = _subject(words) or (0 if kind == "many" else _whole_name(words))
        told = [verb, *words[subject:]], []
    if not subject or (kind in {"what", "much"} and (told[1] or (verb not in _DO and len(told[0]) > 1))):
        return ""
    placed = _with_preposition(kind, reply)
    if kind == "many":
        if verb not in _DO or not (reply[0].isdigit() or reply.lower() in _NUMBERS):
            return ""
        parts = [
            *words[:subject],
            *told[0],
            placed if counted.split()[-1] in reply.split() else f"{placed} {counted}",
            *told[1],
        ]
    else:
        parts = [*words[:subject], *told[0], *told[1], placed]
        if kind == "long" and verb not in _DO and len(told[0]) == 1:
            parts.append("long")
    text = " ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _is_a_part(reply: str) -> bool:
    """Return whether a reply is neither yes nor no, nor a sentence, a refusal or a phrase."""
    if _YES.fullmatch(reply) or _NO.fullmatch(reply) or why_not(reply) or has_finite_verb(reply):
        return False
    return bool(reply) and not _SUBJECT.search(reply) and not _LABELLED.search(reply)


def _whole_name(words: list[str]) -> int:
    """Return how many words a question has if all of them may be one name: "the old mill in Bern"; else 0."""
    lower = [word.strip(",").lower() for word in words]
    unclear = any(word in _BEGIN_PREDICATES - _PREPOSITIONS - _DETERMINERS or word in AUXILIARIES for word in lower[1:])
    return 0 if unclear or not (lower[0] in _DETERMINERS or words[0][0].isupper()) else len(words)


def _with_preposition(kind: str, reply: str) -> str:
    """Return a reply as it stands in a sentence: "in 2004", "on Monday", "in Bern"."""
    first = reply.split()[0].strip(",").lower()
    if first in _PREPOSITIONS | _DETERMINERS | _NUMBERS | _ADVERBIAL:
        return f"{reply[0].lower()}{reply[1:]}"
    if kind == "where" and reply[0].isupper():
        return f"in {reply}"
    if kind != "when" or _SPAN.search(reply):
        return reply
    if _TIME.fullmatch(reply):
        return f"at {reply}"
    if reply[0].islower():
        return reply
    if _ONE_YEAR.fullmatch(reply) or (first in _MONTHS and _DAY.search(reply) is None):
        return f"in {reply}"
    return f"on {reply}" if first in _WEEKDAYS or first in _MONTHS or _DAY.match(reply) else reply


def _parted(reply: str) -> tuple[str, str]:
    """Return a reply without what it adds to yes or no, and that behind a comma; empty if there is no such part."""
    found = None if _YES.fullmatch(reply) or _NO.fullmatch(reply) else _AND_MORE.fullmatch(reply)
    more = found[2].rstrip(_END) if found else ""
    if (
        found is None
        or not _PART.match(more.removeprefix("but "))
        or len(more.split()) > _MOST_OF_A_FRAGMENT
        or has_finite_verb(more)
    ):
        return reply, ""
    return found[1], f", {more}"


def needs_question(question: str, reply: str) -> bool:
    """Return whether a claim says something only together with the question: it is short, or only a part of a sentence.

    That is a few words more, without a verb, behind a preposition or a number: "From May to the end of June.", or "The
    answer is Paris."
    """
    n_words = len(reply.split())
    if n_words <= _FEW_WORDS or not question:
        return bool(question)
    if n_words <= _MOST_OF_A_FRAGMENT and _ANSWER.match(reply):
        return True
    return (
        n_words <= _MOST_OF_A_FRAGMENT
        and _PART.match(reply) is not None
        and _WH.fullmatch(question) is not None
        and not has_finite_verb(reply)
        and not _SUBJECT.search(reply)
    )


def _names_somebody(reply: str, verb: str) -> bool:
    """Return whether a reply may be only who it is, and not a sentence, yes, no or a refusal."""
    if _YES.fullmatch(reply) or _NO.fullmatch(reply) or why_not(reply):
        return False
    words = [word.strip(_END).lower() for word in reply.split()]
    if not words or words[-1] in _AT_END or verb.lower() in words:
        return False  # "Bell did.", "It was Bell."
    return words[0] not in _PRONOUNS - _DETERMINERS or not has_finite_verb(reply)


def _who_it_is(reply: str, predicate: str) -> str:
    verb, _, name = predicate.partition(" ")
    if verb in {"is", "was", "are", "were"} and name[:1].isupper() and reply.split()[:1] in (["A"], ["An"], ["The"]):
        return f"{name} {verb} {reply[0].lower()}{reply[1:]}."  # "Who was Anna Berg?" "A painter."
    return f"{reply} {predicate}."


def _is_adverb(word: str) -> bool:
    return word.lower() in _BEFORE_VERBS or (word.endswith("ly") and word not in _VERBS)


def _inflected(verb: str, auxiliary: str) -> str:
    """Return a verb as it is without "do": "open" with "does" is "opens", and with "did", "opened"."""
    if auxiliary == "do" or not verb.isalpha() or not verb.islower():
        return verb
    ends_in_y = verb.endswith("y") and verb[-2:-1] not in "aeiou"
    if auxiliary == "does":
        if verb in _PRESENT:
            return _PRESENT[verb]
        if ends_in_y:
            return f"{verb[:-1]}ies"
        return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    if verb in PAST:
        return PAST[verb]
    return f"{verb[:-1]}ied" if ends_in_y else verb + ("d" if verb.endswith("e") else "ed")


def _subject_of_do(words: list[str]) -> int:
    """Return how many words the subject has that stands before the verb of "do"; 0 if that is unclear."""
    lower = [word.strip(",").lower() for word in words]
    if lower[0] in _PRONOUNS and lower[0] not in _DETERMINERS:
        return 1
    first = 1 + (lower[0] in _DETERMINERS - _PRONOUNS)

    def begins(at: int) -> bool:
        """Return whether something else than the subject's or the verb's own noun begins at a word."""
        return at >= len(words) or lower[at] in _BEGINNINGS or not words[at].islower()

    for at in range(first, len(words)):
        if lower[at] in _VERBS or (lower[at] in _VERBS_AND_NOUNS and begins(at + 1)) or _is_adverb(lower[at]):
            return at
    at = first
    while at < len(words):
        if lower[at] == "of":
            at += 2 + (at + 1 < len(words) and lower[at + 1] in _DETERMINERS)
        elif at > first and begins(at) and not words[at][0].isupper():
            return 0 if lower[at - 1] in _SMALL_WORDS | _DETERMINERS else at - 1
        at += 1
    if first == len(words) - 1 or (first == len(words) - 2 and lower[first] in _VERBS_AND_NOUNS):
        return first  # "Does the policy cover theft?", but not "Does the customer support team answer?"
    return 0


def _subject(words: list[str]) -> int:
    """Return how many words the subject of a question has that its verb stands before."""
    lower = [word.strip(",").lower() for word in words]
    first = lower[0]
    if first in _PRONOUNS and not (
        first in _DETERMINERS
        and len(words) > 2
        and lower[1] not in _SMALL_WORDS | _DETERMINERS
        and not _is_said(lower[1])  # "Is this covered by the lease?"
    ):
        return 1
    at = 1 + (first in _DETERMINERS)
    while at < len(words):
        word, after = lower[at], lower[at + 1] if at + 1 < len(words) else ""
        # "the price of the ticket" goes on, and "Anna and the others".
        if word in {"of", "and", "or"}:
            at += 2 + (after in _DETERMINERS)
            continue
        if word.isdigit() and _is_said(after) and not words[at - 1].islower() and not words[at - 1].isupper():
            return at + 1  # "Is Windows 11 free?"
        if word in _PREPOSITIONS:
            return _behind_phrases(words, lower, at) or at
        if word in _BEGIN_PREDICATES or _LATER.match(word) or after == "than":
            return at
        if first not in _DETERMINERS and not (words[at - 1][0].isupper() and words[at][0].isupper()):
            return at + (words[0].islower() and word not in _ADVERBS and _is_said(after))  # "Is tap water safe?"
        at += 1
    return 0


def _subject_of_modal(words: list[str]) -> int:
    """Return how many words the subject has that stands before the verb of "can"; 0 if that is unclear."""
    lower = [word.strip(",").lower() for word in words]
    auxiliary = next((at for at, word in enumerate(lower) if at and word in {"be", "have"}), 0)
    subject = auxiliary or _subject_of_do(words) or _subject(words)
    return 0 if subject < len(words) and lower[subject] in _PREPOSITIONS else subject


def _behind_phrases(words: list[str], lower: list[str], at: int) -> int:
    """Return where a predicate begins behind phrases that belong to the subject: "the fee for children".

    Args:
        words: of the question, without its verb.
        lower: the same in lower case.
        at: where the first phrase begins, with its preposition.

    Returns:
        The index of a word; 0 if the phrases are all that is said.
    """
    begins = at + 1  # where the noun of a phrase does
    for here in range(at + 1, len(words)):
        word, before = lower[here], lower[here - 1]
        if word in _PREPOSITIONS or word in {"of", "and", "or"}:
            begins = here + 1
        elif here == begins:
            begins += word in _DETERMINERS
        elif _FIGURE.match(word) or word in _NUMBERS:
            ends = not any(_is_predicate(words, later) for later in range(here + 1, len(words)))
            if ends and before != "than" and not _is_of_a_name(words, here):
                return here
        elif _is_predicate(words, here) or word in _DETERMINERS:
            return here
    return len(words) - 1 if lower[-1] in _LAST and begins < len(words) - 1 else 0


def _is_of_a_name(words: list[str], at: int) -> bool:
    """Return whether a number belongs to the word before it: "May 5" and "Corvo 300", but not "May 5 euros"."""
    before, after = words[at - 1], words[at + 1] if at + 1 < len(words) else ""
    if before.lower() in _WEEKDAYS:
        return after.lower() in _MONTHS
    return before[:1].isupper() and not (before.lower() in _MONTHS and after.islower() and after not in _PREPOSITIONS)


def _is_predicate(words: list[str], at: int) -> bool:
    """Return whether a predicate may begin at a word behind a noun: "free", "closed", "higher than"."""
    word, after = words[at].strip(",").lower(), words[at + 1].lower() if at + 1 < len(words) else ""
    if word in _PREPOSITIONS | _NOUNS or (word.endswith("ing") and after and after not in _BEGINNINGS):
        return False  # "the old swimming pool"
    later = words[at].islower() and _LATER.match(word) is not None and not _FIGURE.match(word)
    return word in _BEGIN_PREDICATES - _DETERMINERS or later or after == "than"


def _is_said(word: str) -> bool:
    return word in _SAID or (word not in _NOUNS and _SAID_ENDING.match(word) is not None)
