"""Words that are written short: Sat for Saturday, Bldg. for building."""

import re

__all__ = ["spelt_as_in"]

# The whole word, and how it is shortened.
_SHORT = {
    "monday": "mon", "tuesday": "tue tues", "wednesday": "wed weds", "thursday": "thu thur thurs", "friday": "fri",
    "saturday": "sat", "sunday": "sun", "january": "jan", "february": "feb", "march": "mar", "april": "apr",
    "august": "aug", "september": "sep sept", "october": "oct", "november": "nov", "december": "dec",
    "building": "bldg", "street": "st", "avenue": "ave", "road": "rd", "department": "dept", "government": "govt",
    "university": "univ", "association": "assn assoc", "international": "intl", "national": "natl",
    "corporation": "corp", "company": "co", "limited": "ltd", "incorporated": "inc", "brothers": "bros",
    "professor": "prof", "doctor": "dr", "saint": "st", "mount": "mt", "captain": "capt", "general": "gen",
    "maximum": "max", "minimum": "min", "average": "avg", "temperature": "temp", "quantity": "qty",
    "approximately": "approx", "including": "incl", "excluding": "excl", "established": "est", "estimated": "est",
    "number": "no", "volume": "vol", "figure": "fig", "section": "sec sect", "chapter": "ch", "page": "p",
    "telephone": "tel", "information": "info", "reference": "ref", "administration": "admin", "manager": "mgr",
}  # fmt: skip
_LONG: dict[str, list[str]] = {}
for _word, _shorts in _SHORT.items():
    for _short in _shorts.split():
        _LONG.setdefault(_short, []).append(_word)
# Without a full stop these are other words: "no", "co" of a name, "p" of a formula. Days and months have a capital.
_STOPPED = frozenset({"co", "no", "p", "st", "gen", "ch", "min", "sec", "est", "fig", "inc", "ref", "dr", "mt"})
_WORD = re.compile(r"(?<![\w.'\u2019-])([A-Za-z]{1,15})(\.?)(?![\w'\u2019])")
_MOST = 64  # words of a claim


def spelt_as_in(claim: str, evidence: str) -> str:
    """Return a claim with words as the evidence spells them, where one of the two has them short.

    Only words change that the evidence does not have: "Saturdays" becomes "Sat" where that is what it has. Capitals
    must agree: "Sat" is a day, "sat" is not.
    """
    held: dict[str, str] = {}
    for match in _WORD.finditer(evidence):
        if match[2] or match[1].lower() not in _STOPPED:
            held.setdefault(match[1], match[0])
    known = {word.lower() for word in held}

    def spelt(match: re.Match[str]) -> str:
        here, word, stop = map(str, (match[0], match[1], match[2]))
        lower = word.lower()
        if lower in known or (lower in _STOPPED and not stop):
            return here
        whole = lower if lower in _SHORT else lower.removesuffix("s")
        others: list[str] = [*_LONG.get(lower, []), *_SHORT.get(whole, "").split()]
        for other in others:
            form = other.capitalize() if word[0].isupper() else other
            if form not in held and other in _SHORT:
                form = other  # "Bldg. 4" is "building 4"
            if form not in held:
                continue
            if other in _SHORT:  # the stop was the short form's, unless it ends the claim as well
                return form + (stop if match.end() == len(claim) else "")
            return held[form] if held[form] != form else form + stop
        return here

    return _WORD.sub(spelt, claim, count=_MOST)
