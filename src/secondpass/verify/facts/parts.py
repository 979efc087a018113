"""Rough parts of a time: early 2024, mid-May, the late 1960s, at the end of the 19th century."""

from secondpass.verify.facts.quantities.numerals import Figures

__all__ = ["is_within", "part_before"]

# Where each may lie, as shares of the whole: May is not early in a year, but April may be, and is in its middle, too.
_SPANS = {"early": (0.0, 0.36), "mid": (0.25, 0.75), "late": (0.6, 1.0)}
_MONTHS, _SLACK = 12, 0.1  # of years, and of days: 1964 may be called the early sixties
_WORDS = dict.fromkeys(("early", "beginning", "start"), "early")
_WORDS |= dict.fromkeys(("mid", "middle"), "mid") | dict.fromkeys(("late", "end"), "late")
_OF = frozenset({"beginning", "start", "middle", "end"})  # of what follows; the others stand right before it
_LIMITS = frozenset({"by", "until", "till", "before", "after", "since", "from", "to", "between", "through"})
_MOST_BETWEEN = 2  # tokens: "of the"


def part_before(tokens: Figures, at: int) -> tuple[str, int] | None:
    """Return the part that is said of a time, and where its words begin; None if none is, or it is a limit.

    Args:
        tokens: of the text.
        at: where the time begins.
    """
    word = at - 1
    while word >= 0 and at - word <= _MOST_BETWEEN and tokens[word].lower in {"of", "the", "in", "-"}:
        word -= 1
    part = _WORDS.get(tokens[word].lower) if word >= 0 else None
    if part is None or tokens[word].sentence != tokens[at].sentence:
        return None
    joined = [token.lower for token in tokens[word + 1 : at]]
    if (tokens[word].lower in _OF) != ("of" in joined):
        return None
    before = [token.lower for token in tokens[max(word - 2, 0) : word]]
    if before[-1:] == ["the"]:
        before.pop()
    return None if before and before[-1] in _LIMITS else (part, word)


def is_within(part: str, nth: int, n: int) -> bool:
    """Return whether what is the nth of n units of a time, from 0, may be called that part of it."""
    low, high = _SPANS[part]
    slack = 0.0 if n == _MONTHS else _SLACK
    return low - slack <= (nth + 0.5) / n <= high + slack
