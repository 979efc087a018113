"""Days of the week: single ones, "Monday to Friday", "every day except Monday", weekends."""

from collections.abc import Iterator

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.words import word_numbers, word_set

__all__ = ["FIRST_WORDS", "Weekday", "weekdays_at"]

_WEEKDAYS = word_numbers(
    "monday mondays|tuesday tuesdays|wednesday wednesdays|thursday thursdays|friday fridays|saturday saturdays|"
    "sunday sundays"
)
_SHORT_DAYS = word_numbers("mon|tue tues|wed weds|thu thur thurs|fri|sat|sun")
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014/")
_TO = word_set("to through until till") | _DASHES - {"/"}
_SEVERAL = {
    ("every", "day"): range(7),
    ("daily",): range(7),
    ("weekdays",): range(5),
    ("weekends",): range(5, 7),
    ("weekend",): range(5, 7),
}
_EXCEPT = (("except",), ("excluding",), ("but",), ("apart", "from"), ("other", "than"))
_AND = frozenset({"and", "or", ",", "&", "on", "for"})
FIRST_WORDS = frozenset(words[0] for words in _SEVERAL)
"""What names several days begins with."""

Weekday = tuple[int, int, int, bool]
"""Where a day's words begin and end, which it is, from 0 for Monday, and whether they name several."""


def weekdays_at(tokens: Figures, at: int) -> list[Weekday]:
    """Return the days that are named at a token, those between two of them included."""
    if tokens[at].lower in FIRST_WORDS:
        return _several(tokens, at)
    day = _weekday(tokens, at)
    if day is None:
        return []
    last = _weekday(tokens, at + 2) if at + 2 < len(tokens) and tokens[at + 1].lower in _TO else None
    if last is None or last == day:
        return [(at, at + 1, day, False)]
    between = [(day + n) % 7 for n in range(1, (last - day) % 7)]
    return [(at, at + 1, day, False), *((at, at + 3, one, True) for one in between), (at + 2, at + 3, last, False)]


def _several(tokens: Figures, at: int) -> list[Weekday]:
    words = next((words for words in _SEVERAL if _are(tokens, at, words)), None)
    if words is None:
        return []
    end, left_out = at + len(words), set()
    for exception in _EXCEPT:
        if _are(tokens, end, exception):
            days = dict(_listed(tokens, end + len(exception)))
            left_out, end = set(days.values()), max(days, default=end - 1) + 1
    return [(at, end, day, True) for day in _SEVERAL[words] if day not in left_out]


def _listed(tokens: Figures, at: int) -> Iterator[tuple[int, int]]:
    """Yield where days stand, one after the other, and which they are."""
    while at < len(tokens):
        day = _weekday(tokens, at)
        if day is not None:
            yield at, day
        elif tokens[at].lower not in _AND:
            return
        at += 1


def _are(tokens: Figures, at: int, words: tuple[str, ...]) -> bool:
    return tuple(token.lower for token in tokens[at : at + len(words)]) == words


def _weekday(tokens: Figures, at: int) -> int | None:
    if not tokens[at].text[0].isupper():
        return None
    word = tokens[at].lower
    if word in _SHORT_DAYS:  # "Tue.", "Sat:", "Mon-Fri", "on Sun", but not "the Sun"
        before, after = (tokens[place].lower if 0 <= place < len(tokens) else "" for place in (at - 1, at + 1))
        beside = before == "on" or before in _DASHES or after in _DASHES or after in {".", ":"} or after.isdecimal()
        return _SHORT_DAYS[word] if beside and before != "the" else None
    return _WEEKDAYS.get(word)
