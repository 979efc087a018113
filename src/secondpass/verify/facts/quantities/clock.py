"""Times of the day: 17:30, 5:30 pm, 3 p.m., half past five, six o'clock, noon."""

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.units import Unit
from secondpass.verify.words import word_set

__all__ = ["BEFORE_TIMES", "CLOCK", "FIRST_WORDS", "HALF_CLOCK", "HALF_DAY", "clock_at", "hours_of"]

CLOCK = Unit("", "clock")
"""Minutes since midnight."""

HALF_CLOCK = Unit("am or pm", "clock")
"""Minutes since midnight or noon: the text does not say which."""

HALF_DAY = 720.0
BEFORE_TIMES = word_set("at from until till to by between and before after since around about - \u2013")
"""Words and signs that stand before a time of day, among others."""

_HOURS = {"noon": HALF_DAY, "midday": HALF_DAY, "midnight": 0.0}
FIRST_WORDS = frozenset({"a", "half", "quarter", *_HOURS})
"""What a time of day begins with, if not with a number."""

_PARTS_OF_DAY = {"morning": 0, "afternoon": 1, "evening": 1}


def clock_at(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    """Return the time of day that begins at a token, in minutes, with its unit and the index of the token after it."""
    return _in_words(tokens, at) or _in_digits(tokens, at)


def _in_words(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    """Read "half past six", "a quarter to nine", "ten past four", "six o'clock", and the part of the day behind it."""
    if tokens[at].lower in _HOURS:
        return _HOURS[tokens[at].lower], CLOCK, at + 1
    begin = at + (tokens[at].lower == "a")
    word = tokens[begin].lower if begin < len(tokens) else ""
    side = tokens[begin + 1].lower if begin + 1 < len(tokens) else ""
    minutes = {"half": 30.0, "quarter": 15.0}.get(word) or (_count(tokens, begin, 29) if begin == at else None)
    if minutes and (side == "past" or (side == "to" and word == "quarter")):
        hour, end = _count(tokens, begin + 2, 12), begin + 3
        total = None if hour is None else hour * 60 + (minutes if side == "past" else -minutes)
    elif begin == at and side in {"o'clock", "o\u2019clock"}:
        hour, end = _count(tokens, at, 12), at + 2
        total = None if hour is None else hour * 60
    else:
        return None
    if total is None:
        return None
    half, past = _half(tokens, end)
    if half is None:
        return total % HALF_DAY, HALF_CLOCK, past
    return total % HALF_DAY + half * HALF_DAY, CLOCK, past


def _in_digits(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    hour = _digits(tokens, at, 24)
    if hour is None:
        return None
    end = at + 1
    minutes: float | None = None
    if end < len(tokens) and tokens[end].text == ":" and tokens[end].glued:
        minutes = _digits(tokens, end + 1, 59) if _is_pair(tokens, end) else None
        if minutes is None:
            return None
        end += 2
        seconds = _digits(tokens, end + 1, 59) if end + 1 < len(tokens) and _is_pair(tokens, end) else None
        if seconds is not None:
            minutes, end = minutes + seconds / 60, end + 2
    half, past = _half(tokens, end)
    if half is None and minutes is None:
        return None
    if half is not None and 0 < hour <= 12:
        return hour % 12 * 60.0 + (minutes or 0) + half * HALF_DAY, CLOCK, past
    if minutes is None:
        return None
    # 17:30 and 00:15 can only be in one half of the day, and 05:30 is written where the other one is 17:30.
    is_open = 0 < hour <= 12 and not tokens[at].text.startswith("0")
    return hour * 60.0 + minutes, HALF_CLOCK if is_open else CLOCK, past


def _is_pair(tokens: Figures, at: int) -> bool:
    """Return whether a colon is here, with two figures behind it."""
    if at + 1 >= len(tokens) or not (tokens[at].text == ":" and tokens[at].glued):
        return False
    return tokens[at + 1].glued and len(tokens[at + 1].text) == 2


def hours_of(minutes: float) -> set[float]:
    """Return the numbers that a full hour may be written as: 3 and 15 for 3 pm; none for half past."""
    return {minutes / 60, minutes / 60 % 12} if minutes % 60 == 0 else set()


def _digits(tokens: Figures, at: int, most: int) -> int | None:
    text = tokens[at].text if at < len(tokens) and tokens[at].kind == "number" else ""
    return int(text) if len(text) < 3 and text.isdecimal() and int(text) <= most else None


def _count(tokens: Figures, at: int, most: int) -> float | None:
    """Return the number at a token, in digits or in one word, from 1 to a largest one."""
    numeral = tokens.numeral(at)
    is_one = numeral is not None and numeral.end == at + 1 and numeral.form in {"digits", "words"}
    return numeral.value if is_one and numeral and 1 <= numeral.value <= most and not numeral.value % 1 else None


def _half(tokens: Figures, at: int) -> tuple[int | None, int]:
    """Return 0 for "am" or "in the morning" and 1 for "pm" or "in the evening", and the index of the token after it."""
    words = [token.lower for token in tokens[at : at + 4]]
    if words[:1] in (["am"], ["pm"]):
        return int(words[0] == "pm"), at + 1
    if len(words) > 2 and words[0] in {"a", "p"} and words[1:3] == [".", "m"] and tokens[at + 1].glued:
        return int(words[0] == "p"), at + 3 + (words[3:] == ["."] and tokens[at + 3].glued)
    if words[:2] == ["in", "the"] and words[2:3] and words[2] in _PARTS_OF_DAY:
        return _PARTS_OF_DAY[words[2]], at + 3
    return None, at
