"""Times of the day: 17:30, 5:30 pm, 3 p.m."""

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.units import Unit

__all__ = ["CLOCK", "HALF_CLOCK", "HALF_DAY", "clock_at", "hours_of"]

CLOCK = Unit("", "clock")
"""Minutes since midnight."""

HALF_CLOCK = Unit("am or pm", "clock")
"""Minutes since midnight or noon: the text does not say which."""

HALF_DAY = 720.0


def clock_at(tokens: Figures, at: int) -> tuple[float, Unit, int] | None:
    """Return the time of day that begins at a token, in minutes, with its unit and the index of the token after it."""
    hour = _digits(tokens, at, 24)
    if hour is None:
        return None
    end, minutes = at + 1, None
    if end < len(tokens) and tokens[end].text == ":" and tokens[end].glued:
        is_pair = end + 1 < len(tokens) and tokens[end + 1].glued and len(tokens[end + 1].text) == 2
        minutes = _digits(tokens, end + 1, 59) if is_pair else None
        if minutes is None:
            return None
        end += 2
    half, past = _half(tokens, end)
    if half is None and minutes is None:
        return None
    if half is not None and 0 < hour <= 12:
        return hour % 12 * 60.0 + (minutes or 0) + half * HALF_DAY, CLOCK, past
    if minutes is None:
        return None
    # 17:30 and 00:15 can only be in one half of the day.
    return hour * 60.0 + minutes, HALF_CLOCK if 0 < hour <= 12 else CLOCK, past


def hours_of(minutes: float) -> set[float]:
    """Return the numbers that a full hour may be written as: 3 and 15 for 3 pm; none for half past."""
    return {minutes / 60, minutes / 60 % 12} if minutes % 60 == 0 else set()


def _digits(tokens: Figures, at: int, most: int) -> int | None:
    text = tokens[at].text if at < len(tokens) and tokens[at].kind == "number" else ""
    return int(text) if len(text) < 3 and text.isdecimal() and int(text) <= most else None


def _half(tokens: Figures, at: int) -> tuple[int | None, int]:
    """Return 0 for "am" or "a.m." and 1 for "pm", and the index of the token after it."""
    words = [token.lower for token in tokens[at : at + 4]]
    if words[:1] in (["am"], ["pm"]):
        return int(words[0] == "pm"), at + 1
    if len(words) > 2 and words[0] in {"a", "p"} and words[1:3] == [".", "m"] and tokens[at + 1].glued:
        return int(words[0] == "p"), at + 3 + (words[3:] == ["."] and tokens[at + 3].glued)
    return None, at
