"""Rules that say the same in other words, so that a model does not take different words for a different meaning."""

import random
import re

__all__ = ["active", "fronted", "in_other_words", "part_removed", "possessive", "rounded", "there_is"]

# The second can stand for the first in nearly every sentence; seldom the other way round.
_SAME = (
    ("began", "started"), ("built", "constructed"), ("bought", "purchased"), ("founded", "established"),
    ("located", "situated"), ("died", "passed away"), ("approximately", "about"), ("usually", "generally"),
    ("is called", "is named"), ("increased", "rose"), ("increase", "rise"), ("decreased", "fell"), ("film", "movie"),
    ("company", "firm"), ("near", "close to"), ("in order to", "to"), ("although", "though"), ("more than", "over"),
    ("at least", "no less than"), ("also", "as well"), ("received", "was given"),
    ("attempted", "tried"), ("obtain", "get"), ("obtained", "got"), ("assist", "help"), ("assisted", "helped"),
    ("commonly", "often"), ("frequently", "often"), ("large", "big"), ("many", "a lot of"), ("children", "kids"),
    ("physician", "doctor"), ("residents", "inhabitants"), ("automobile", "car"), ("beginning", "start"),
    ("completed", "finished"), ("primarily", "mainly"), ("mostly", "mainly"), ("previously", "earlier"),
    ("subsequently", "later"), ("afterwards", "later"), ("entire", "whole"), ("permitted", "allowed"),
    ("required", "needed"), ("requires", "needs"), ("returns", "gives"), ("contains", "holds"),
    ("consists of", "is made up of"), ("comprises", "is made up of"), ("due to", "because of"), ("stated", "said"),
    ("announced", "made known"), ("purchase", "buy"), ("reside", "live"), ("resided", "lived"), ("works as", "is"),
    ("was awarded", "received"), ("attended", "went to"), ("relocated to", "moved to"), ("produced", "made"),
    ("manufactured", "made"), ("destroyed", "ruined"), ("released", "brought out"), ("remains", "is still"),
    ("depicts", "shows"), ("features", "has"), ("provides", "offers"), ("argument", "parameter"),
    ("delete", "remove"), ("deleted", "removed"), ("create", "make"), ("created", "made"),
    ("specified", "given"), ("currently", "now"), ("annually", "every year"), ("daily", "every day"),
    ("street", "road"), ("photograph", "picture"), ("ill", "sick"), ("rapidly", "quickly"), ("swiftly", "quickly"),
    ("jumping", "leaping"), ("sitting", "seated"), ("woman", "lady"), ("sea", "ocean"),
    ("hat", "cap"), ("outdoors", "outside"), ("performing", "playing"), ("jogging", "running"), ("people", "persons"),
    ("percent", "per cent"), ("kilometres", "km"), ("kilometers", "km"), ("metres", "m"),
    ("do not", "don't"), ("does not", "doesn't"), ("is not", "isn't"), ("was not", "wasn't"), ("cannot", "can't"),
)  # fmt: skip
_OTHER = dict(_SAME)
_SAME_WORDS = re.compile(
    r"(?<![\w-])(?:" + "|".join(sorted(map(re.escape, _OTHER), key=len, reverse=True)) + r")(?![\w-])"
)
_PERCENT = re.compile(r"(\d)\s?%")
_PAST_OF = {"written": "wrote", "built": "built", "made": "made", "led": "led", "won": "won", "held": "held"}
_PASSIVE = re.compile(
    r"^(?P<object>[A-Z](?:(?! and | when )[^,;]){3,60}?) (?:was|were) "
    r"(?P<verb>\w{3,}ed|written|built|made|led|won|held) by "
    r"(?P<subject>(?:the |an? )?[A-Z][\w'. -]{2,40}?)(?P<tail>(?: (?:in|on) [^,;.]{3,30})?)\.$"
)
_DATED = re.compile(
    r"^(?P<rest>[A-Z][^;,\d]{10,}) (?P<when>(?:in (?:[A-Z][a-z]+ )?\d{4}|on [A-Z][a-z]+ \d{1,2}, \d{4}))\.$"
)
_OF = re.compile(r"\b[Tt]he (?P<noun>[a-z]+) of (?P<name>[A-Z][a-z]+(?: [A-Z][a-z]+)?)(?=[ ,.])")
_EXISTS = re.compile(r"^(?P<what>(?:An?|Two|Three|Several|Some) (?:[a-z]+ ){1,3}?)(?P<be>is|are) [a-z]+ing\b")
_LARGE = re.compile(r"(?<![\w.,$-])(\d{1,3}(?:,\d{3})+|\d{5,9})(?![\w.,-]*\d)")
_MOST = 3  # replacements in one sentence


def in_other_words(text: str, rng: random.Random) -> str | None:
    """Put other words for up to three of a sentence's own."""
    changed = _PERCENT.sub(r"\1 percent", text)
    found = list(_SAME_WORDS.finditer(changed))
    for match in sorted(rng.sample(found, min(_MOST, len(found))), key=lambda match: -match.start()):
        changed = changed[: match.start()] + _OTHER[match.group()] + changed[match.end() :]
    return changed if changed != text else None


def fronted(text: str, rng: random.Random) -> str | None:
    """Put the date at the end of a sentence to its front."""
    match = _DATED.match(text)
    if match is None:
        return None
    when, rest = match["when"], match["rest"]
    if rest.partition(" ")[0] in {"The", "It", "He", "She", "They", "A", "An", "This", "In"}:
        rest = rest[0].lower() + rest[1:]
    return f"{when[0].upper()}{when[1:]}, {rest}."


def active(text: str, rng: random.Random) -> str | None:
    """Turn "X was built by Y" into "Y built X"."""
    match = _PASSIVE.match(text)
    if match is None or " and " in match["subject"]:
        return None
    thing = match["object"]
    if thing.partition(" ")[0] in {"The", "It", "He", "She", "They", "A", "An", "This", "These"}:
        thing = {"He": "him", "She": "her", "They": "them"}.get(thing, thing[0].lower() + thing[1:])
    subject = match["subject"][0].upper() + match["subject"][1:]
    return f"{subject} {_PAST_OF.get(match['verb'], match['verb'])} {thing}{match['tail']}."


def possessive(text: str, rng: random.Random) -> str | None:
    """Turn "the mayor of Oslo" into "Oslo's mayor"."""
    match = _OF.search(text)
    return match and text[: match.start()] + f"{match['name']}'s {match['noun']}" + text[match.end() :]


def there_is(text: str, rng: random.Random) -> str | None:
    """Turn "Two men are running ..." into "There are two men."."""
    match = _EXISTS.match(text)
    if match is None or " no " in text or " not " in text:
        return None
    what = match["what"].strip()
    return f"There {match['be']} {what[0].lower()}{what[1:]}."


def rounded(text: str, rng: random.Random) -> str | None:
    """Say of a large number only what it is more than, or about."""
    match = _LARGE.search(text)
    if match is None or re.search(r"\b(?:over|than|about|least|most|up to|nearly|almost|exactly)\b", text):
        return None
    value = int(match.group().replace(",", ""))
    step = 10 ** (len(str(value)) - rng.choice((1, 2)))
    lower = value // step * step
    if lower == value or 1800 <= value <= 2100:
        return None
    spoken = f"{lower / 1_000_000:g} million" if lower >= 1_000_000 else f"{lower:,}"
    return text[: match.start()] + rng.choice(("more than ", "over ")) + spoken + text[match.end() :]


def part_removed(text: str, rng: random.Random) -> str | None:
    """Take out what stands in brackets or between two commas."""
    found = list(re.finditer(r" \([^()]+\)|(?<=\w), (?:which|who|an?|the) [^,]{5,60},(?= \w)", text))
    if not found:
        return None
    match = rng.choice(found)
    return text[: match.start()] + text[match.end() :]
