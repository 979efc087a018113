"""Dates, in the usual English forms, and whether one says what another says."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from secondpass.verify.facts.kind import FactKind, finding
from secondpass.verify.facts.parts import is_within, part_before
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.slots import best_placed
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.facts.weekdays import FIRST_WORDS, weekdays_at
from secondpass.verify.types import Mismatch
from secondpass.verify.words import STOP_WORDS, Token, word_numbers, word_set

__all__ = ["Date", "DateKind", "agree"]

_MONTHS = word_numbers(
    "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct|"
    "november nov|december dec",
    start=1,
)
# These are words too, and so are months only beside a number or behind one of _BEFORE_MONTH.
_AMBIGUOUS = frozenset({"may", "march", "mar", "jun", "jan", "dec", "sep", "august"})
_BEFORE_MONTH = word_set(
    "in of since until till by early late mid last next this every during from to and between before after"
)
_BEFORE_YEAR = word_set(
    "in since until till by during before after circa ca c early late mid year season spring summer autumn fall "
    "winter around about between from and to of for the through"
)
_BEFORE_DECADE = word_set("the early mid late")  # "the 80s"
# These stand before counts as well as before years.
_WEAK = word_set("from to of by and for the between around about over until through")
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014/")
_SPANS = {("from", "to"), ("from", "until"), ("from", "till"), ("from", "through"), ("between", "and")}
_ERAS = {"bc": -1, "bce": -1, "ad": 1, "ce": 1}
_NUMERIC = re.compile(
    r"(?<![\d./-])(?:(?P<y>\d{4})(?P<t>[./-])(?P<m>\d{1,2})(?P=t)(?P<d>\d{1,2})|(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<c>\d{4}))"
    r"(?![\d/-]|[.,]\d)"
)
_QUARTERS, _HALVES = frozenset("1234"), frozenset("12")
_APOSTROPHES = frozenset("'\u2018\u2019")
_FIRST_SHORT = 30  # '30 is 1930, and '29 is 2029
_MIN_YEAR, _MAX_YEAR = 1000, 2100
_DENIAL, _NEAR_DENIAL = re.compile("not|never|.*n't"), 8  # tokens
_DAYS, _IN_A_YEAR = 31, 12


@dataclass(frozen=True, slots=True)
class Date:
    """A date, a part of one, or a span of years.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        years: the first and the last year, equal for a single one and negative before Christ; None if not said.
        month: from 1, or None.
        day: of the month, or None.
        weekday: from 0 for Monday, or None.
        quarter: of a year, from 1, or None.
        half: of a year, 1 or 2, or None.
        part: of the month or, without one, of the years: early, mid, late, or nothing.
        days: of a date in figures that may be read both ways, the two of (month, day); else empty.
        is_span: whether it stands for the time between two years, or two days, that are dates themselves, or is one of
            the days of "every day".
    """

    first: int
    end: int
    years: tuple[int, int] | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    days: frozenset[tuple[int, int]] = frozenset()
    is_span: bool = False
    quarter: int | None = None
    half: int | None = None
    part: str = ""


def agree(claim: Date, evidence: Date) -> bool | None:
    """Return whether the evidence's date says what the claim's says: True, False, or None if it leaves it open.

    It is left open where they have no part in common, and where the claim's is the more precise one.
    """
    if claim.days or evidence.days:
        claim, evidence = _read_alike(claim, evidence)
    open_ = common = False
    for part in ("month", "day", "weekday", "quarter", "half"):
        said, held = getattr(claim, part), getattr(evidence, part)
        if said is not None and held is not None:
            common = True
            if said != held:
                return False
        elif said is not None:
            open_ = True
    if not (_may_lie_in(claim, evidence) and _may_lie_in(evidence, claim)):
        return False
    if claim.years and evidence.years:
        common = True
        (low, high), (held_low, held_high) = claim.years, evidence.years
        if high < held_low or held_high < low:
            return False
        open_ = open_ or low > held_low or high < held_high
    elif claim.years:
        open_ = True
    return None if open_ or not common else True


def _may_lie_in(whole: Date, date: Date) -> bool:
    """Return whether a date may lie in the part of a time that another one names: May 2024 is not in late 2024."""
    if not whole.part:
        return True
    if whole.month == date.month and whole.years == date.years and date.part:
        return {whole.part, date.part} != {"early", "late"}
    if whole.month is not None:
        return date.day is None or is_within(whole.part, date.day - 1, _DAYS)
    low, high = whole.years or (0, 0)
    if low < high and date.years and date.years[0] == date.years[1]:
        return is_within(whole.part, date.years[0] - low, high - low + 1)
    return low < high or date.month is None or is_within(whole.part, date.month - 1, _IN_A_YEAR)


def _read_alike(claim: Date, evidence: Date) -> tuple[Date, Date]:
    """Return two dates with the reading of figures (3/4: March or April) under which they agree, if there is one."""
    ours = claim.days or {(claim.month, claim.day)}
    theirs = evidence.days or {(evidence.month, evidence.day)}
    fitting = [
        (mine, yours)
        for mine in ours
        for yours in theirs
        if all(a == b or a is None or b is None for a, b in zip(mine, yours, strict=True))
    ]
    mine, yours = fitting[0] if fitting else (min(ours), min(theirs))
    return replace(claim, month=mine[0], day=mine[1]), replace(evidence, month=yours[0], day=yours[1])


_MOST_LOST = 32  # dates of a text that are looked into when they are not found at once


class DateKind(FactKind[Date]):
    """Dates, and spans of years."""

    name = "date"
    precedence = 10
    is_hard = True
    reads_figures = True

    def find(self, text: Text) -> Sequence[Date]:
        """Return the dates of a text; a span of years yields its two years, and the time between them."""
        return _find(text.text, text.tokens, text.taken)

    def takes(self, fact: Date) -> Iterable[int]:
        """Return all of its tokens, as its figures count nothing; "every day" may count."""
        return () if fact.is_span else range(fact.first, fact.end)

    def values(self, fact: Date) -> Iterable[float]:
        """Return its years: what reads as one may be a plain number after all."""
        return map(float, fact.years or ())

    def is_checked(self, fact: Date) -> bool:
        """Return whether it is said: both ends of a span are dates of their own."""
        return not fact.is_span

    def is_needed(self, words: str, evidence: Facts) -> bool:
        """Return whether it is in digits; a part of a year only where the evidence names another one, not months."""
        said = _find(words, Figures(words), set())
        for part in ("quarter", "half"):
            if any(getattr(fact, part) for fact in said):
                return any(getattr(fact, part) for fact in self.of(evidence))
        return super().is_needed(words, evidence)

    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the dates of a claim that the evidence does not have."""
        held = self.of(evidence)
        numbers = evidence.values_beside(self.name)
        exact = {_parts(item) for item in held}
        spoken = {_parts(item) for item in self.of(claim)}
        lost = 0
        for fact in filter(self.is_checked, self.of(claim)):
            if _parts(fact) in exact or _is_plain(fact, numbers):
                continue
            lost += 1
            near = held if lost <= _MOST_LOST else []
            verdicts = [agree(fact, item) for item in near]
            if True in verdicts or _has_in_parts(fact, near):
                continue
            pairs = list(zip(near, verdicts, strict=True))
            others = [item for item, verdict in pairs if verdict is False and _is_free(item, spoken)]
            if _is_denied(claim, fact) or any(verdict is None and _same_parts(fact, item) for item, verdict in pairs):
                others = []  # "not on Sundays" goes with "on Mondays"
            yield finding(
                "date", claim, fact, evidence, best_placed(claim.read.slots, fact, evidence.read.slots, others)
            )


def _is_denied(claim: Facts, fact: Date) -> bool:
    """Return whether something is denied in a date's sentence, before it."""
    tokens = claim.read.tokens
    before = tokens[max(fact.first - _NEAR_DENIAL, 0) : fact.first]
    return any(token.sentence == tokens[fact.first].sentence and _DENIAL.fullmatch(token.lower) for token in before)


def _is_plain(fact: Date, numbers: frozenset[float]) -> bool:
    """Return whether it is a year that the evidence has as a number."""
    return fact.years is not None and fact.month is None and fact.years[0] == fact.years[1] and fact.years[0] in numbers


def _is_free(item: Date, spoken: set[tuple[object, ...]]) -> bool:
    """Return whether the claim has no such date itself."""
    return not item.is_span and _parts(item) not in spoken


def _parts(date: Date) -> tuple[object, ...]:
    return date.years, date.month, date.day, date.weekday, date.quarter, date.half, date.days, date.part


def _same_parts(fact: Date, item: Date) -> bool:
    """Return whether two dates have a part in common."""
    return any(
        getattr(fact, part) is not None and getattr(item, part) is not None
        for part in ("years", "month", "day", "weekday", "quarter", "half")
    )


def _has_in_parts(fact: Date, held: Sequence[Date]) -> bool:
    """Return whether a text has a date's day in one place and its year in another."""
    if fact.years is None or fact.month is None:
        return False
    year = Date(fact.first, fact.end, fact.years)
    day = Date(fact.first, fact.end, None, fact.month, fact.day, days=fact.days)
    return all(any(agree(part, item) for item in held if _open(fact, item)) for part in (year, day))


def _open(fact: Date, item: Date) -> bool:
    return agree(fact, item) is not False


def _find(text: str, tokens: Figures, taken: set[int]) -> list[Date]:
    """Return the dates of a text, in order.

    A span of years yields its two years, and the time between them.
    """
    numeric = _numeric(text, tokens)
    found: list[Date] = []
    at = 0
    while at < len(tokens):
        if not _may_begin(tokens, at):
            at += 1
            continue
        dates = [numeric[at]] if at in numeric else [] if at in taken else _dates_at(tokens, at)
        if part := _quarter(tokens, at) or _half(tokens, at):
            dates = [part]
        elif len(dates) == 1 and dates[0].day is None and dates[0].weekday is None and not dates[0].days:
            dates = [_in_part(tokens, dates[0])]
        found += dates
        at = max([at + 1, *(date.end for date in dates)])
    return found


def _in_part(tokens: Figures, date: Date) -> Date:
    part = part_before(tokens, date.first)
    return date if part is None else replace(date, part=part[0], first=part[1])


def _may_begin(tokens: Figures, at: int) -> bool:
    """Return whether a date may begin at a token: with a figure, a number in words, or a capital."""
    token = tokens[at]
    begins = token.kind == "number" or token.text[0].isupper() or token.lower in FIRST_WORDS
    return begins or tokens.numeral(at) is not None


def _numeric(text: str, tokens: Figures) -> dict[int, Date]:
    starts = {token.start: at for at, token in enumerate(tokens)}
    found: dict[int, Date] = {}
    for match in _NUMERIC.finditer(text):
        first = starts.get(match.start())
        if first is None:
            continue
        end = first
        while end < len(tokens) and tokens[end].end <= match.end():
            end += 1
        if tokens[end - 1].end != match.end():
            continue  # a part of a longer number
        if match["y"]:
            year, readings = int(match["y"]), {(int(match["m"]), int(match["d"]))}
        else:
            a, b, year = int(match["a"]), int(match["b"]), int(match["c"])
            readings = {(b, a)} if match["s"] == "." else {(b, a), (a, b)}
        valid = sorted((month, day) for month, day in readings if 1 <= month <= 12 and 1 <= day <= 31)
        if len(valid) > 1:
            found[first] = Date(first, end, (year, year), days=frozenset(valid))
        elif valid:
            found[first] = Date(first, end, (year, year), *valid[0])
    return found


def _quarter(tokens: Figures, at: int) -> Date | None:
    """Return a quarter of a year, without the year: Q3, 3Q, third quarter."""
    token, after = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
    if after is None:
        return None
    number = after.text if token.text == "Q" else token.text if after.text == "Q" else ""
    if number in _QUARTERS and after.glued:
        return Date(at, at + 2, quarter=int(number))
    nth = tokens.numeral(at)
    if nth is None or nth.form != "ordinal" or nth.value not in range(1, 5):
        return None
    end = nth.end + (nth.end < len(tokens) and _is_hyphen(tokens, nth.end))
    is_one = end < len(tokens) and tokens[end].lower == "quarter"
    return Date(at, end + 1, quarter=int(nth.value)) if is_one else None


def _half(tokens: Figures, at: int) -> Date | None:
    """Return a half of a year, without the year: H1, 1H, first half."""
    token, after = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
    if after is None:
        return None
    number = after.text if token.text == "H" else token.text if after.text == "H" else ""
    is_alone = at + 2 == len(tokens) or not tokens[at + 2].glued or tokens[at + 2].kind == "symbol"
    if number in _HALVES and after.glued and is_alone and not (at and token.glued and tokens[at - 1].kind == "word"):
        return Date(at, at + 2, half=int(number))
    nth = tokens.numeral(at)
    if nth is None or nth.form != "ordinal" or nth.value not in {1, 2} or nth.end >= len(tokens):
        return None
    end = nth.end + _is_hyphen(tokens, nth.end)
    is_one = end < len(tokens) and tokens[end].lower == "half"
    return Date(at, end + 1, half=int(nth.value)) if is_one else None


def _dates_at(tokens: Figures, at: int) -> list[Date]:
    token = tokens[at]
    if token.kind == "word":
        if weekdays := weekdays_at(tokens, at):
            return [Date(first, end, weekday=day, is_span=is_span) for first, end, day, is_span in weekdays]
        month = _month(tokens, at)
        if month:
            return _month_first(tokens, at, month)
    days, end = _days(tokens, at)
    if days:
        end += end < len(tokens) and (tokens[end].lower == "of" or _is_hyphen(tokens, end))
        month = _month(tokens, end, beside=True) if end < len(tokens) else None
        if month:
            end += 1 + (end + 1 < len(tokens) and tokens[end + 1].text == "." and tokens[end + 1].glued)
            year, end = _year_behind(tokens, end)
            return _dates(at, end, year, month, days)
    return _years(tokens, at)


def _dates(at: int, end: int, year: tuple[int, int] | None, month: int, days: Sequence[int]) -> list[Date]:
    """Return the dates of days of one month; those between two others are not facts of their own."""
    inside = set(days[1:-1])
    return [Date(at, end, year, month, day, is_span=day in inside) for day in days]


def _days(tokens: Figures, at: int) -> tuple[list[int], int]:
    """Return one day of a month, two ("24 and 25"), or all from one to another ("14-16"), and where they end."""
    found = _day(tokens, at)
    if found is None:
        return [], at
    day, end = found
    joint = tokens[end].lower if end + 1 < len(tokens) and tokens[at].kind == "number" else ""
    other = _day(tokens, end + 1) if joint in _DASHES or joint in {"to", "and", "&", "or"} else None
    if other is None or tokens[end + 1].kind != "number" or other[0] <= day:
        return [day], end
    is_span = joint == "to" or (joint in _DASHES and joint != "/")
    return [*range(day, other[0] if is_span else day + 1), other[0]], other[1]


def _is_hyphen(tokens: Figures, at: int) -> bool:
    """Return whether a hyphen stands between two parts of a date: 05-Jan-2024."""
    return at + 1 < len(tokens) and tokens[at].text == "-" and tokens[at].glued and tokens[at + 1].glued


def _month(tokens: Figures, at: int, *, beside: bool = False) -> int | None:
    token = tokens[at]
    month = _MONTHS.get(token.lower) if token.kind == "word" and token.text[0].isupper() else None
    if month is None or beside or token.lower not in _AMBIGUOUS:
        return month
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is not None and (
        after.kind == "number" or (after.text == "." and at + 2 < len(tokens) and tokens[at + 2].kind == "number")
    ):
        return month
    return month if at and tokens[at - 1].lower in _BEFORE_MONTH else None


def _month_first(tokens: Figures, at: int, month: int) -> list[Date]:
    end = at + 1
    if (
        end < len(tokens)
        and tokens[end].text == "."
        and tokens[end].glued
        and tokens[at].lower in _MONTHS
        and len(tokens[at].text) < 5
    ):
        end += 1
    here = end + (end < len(tokens) and tokens[end].lower == "the")
    days, past = _days(tokens, here)
    if len(days) > 1 and past < len(tokens) and tokens[past].is_content and not _is_year(tokens[past]):
        found = _day(tokens, here)  # "on May 5 and 10 people" has one day
        days, past = ([found[0]], found[1]) if found else ([], past)
    end = past if days else end
    year, end = _year_behind(tokens, end)
    return _dates(at, end, year, month, days) if days else [Date(at, end, year, month)]


def _day(tokens: Figures, at: int) -> tuple[int, int] | None:
    if at >= len(tokens) or (tokens[at].kind != "number" and not tokens[at].stem):
        return None
    if tokens[at].kind == "number" and not (len(tokens[at].text) < 3 and tokens[at].text.isdigit()):
        return None
    numeral = tokens.numeral(at)
    if numeral is None or not 1 <= numeral.value <= 31 or numeral.value % 1 or numeral.scale != 1:
        return None
    if numeral.form == "words":
        return None
    return int(numeral.value), numeral.end


def _year_behind(tokens: Figures, end: int) -> tuple[tuple[int, int] | None, int]:
    here = end
    if here < len(tokens) and (
        tokens[here].text == "," or tokens[here].lower in {"of", "in"} or _is_hyphen(tokens, here)
    ):
        here += 1
    if here < len(tokens) and _is_year(tokens[here]):
        return (int(tokens[here].text),) * 2, here + 1
    year = _short_year(tokens, end + 1)
    return ((year, year), end + 2) if year else (None, end)


def _short_year(tokens: Figures, at: int) -> int | None:
    """Return the year of the two figures of '94, behind its apostrophe."""
    if not 0 < at < len(tokens) or tokens[at - 1].text not in _APOSTROPHES or tokens[at - 1].glued:
        return None
    text = tokens[at].text
    is_short = tokens[at].glued and len(text) == 2 and text.isdecimal()
    is_last = at + 1 == len(tokens) or not tokens[at + 1].glued or not tokens[at + 1].stem
    return (1900 if int(text) >= _FIRST_SHORT else 2000) + int(text) if is_short and is_last else None


def _is_year(token: Token) -> bool:
    text = token.text
    return token.kind == "number" and len(text) == 4 and text.isdecimal() and _MIN_YEAR <= int(text) <= _MAX_YEAR


def _years(tokens: Figures, at: int) -> list[Date]:
    token = tokens[at]
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    century = _century(tokens, at)
    if century:
        return [century]
    era = _era(tokens, at)
    if era:
        return [era]
    if token.kind != "number":
        return []
    if after is not None and after.lower in {"s", "'s", "\u2019s"} and after.glued and token.text.endswith("0"):
        if _is_year(token):
            low = int(token.text)
            return [Date(at, at + 2, (low, low + (99 if token.text.endswith("00") else 9)))]
        is_short = before is not None and (before.text in _APOSTROPHES or before.lower in _BEFORE_DECADE)
        if len(token.text) == 2 and is_short:
            low = 1900 + int(token.text)
            return [Date(at, at + 2, (low, low + 9))]
    if before is not None and before.lower == "fy" and len(token.text) == 2 and token.text.isdecimal():
        return [Date(at, at + 1, (2000 + int(token.text),) * 2)]
    short = _short_year(tokens, at)
    if short and at > 1 and tokens[at - 2].lower in _BEFORE_YEAR:
        return [Date(at, at + 1, (short, short))]
    if not _is_year(token):
        return []
    span = _span(tokens, at)
    if span:
        return span
    return [Date(at, at + 1, (int(token.text),) * 2)] if _reads_as_year(tokens, at) else []


def _reads_as_year(tokens: Figures, at: int) -> bool:
    token, before = tokens[at], tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    cue = before.lower if before is not None else ""
    recent = token.text >= "1600"
    if before is not None and before.text in "$\u20ac\u00a3\u00a5\u20b9#\u00b0~<>=":
        return False
    is_noun = after is not None and after.kind == "word" and after.lower not in STOP_WORDS and after.text[0].islower()
    noun = after.lower if is_noun and after is not None else ""
    is_plural = noun.endswith("s") or noun in {"people", "men", "women", "children"} or bool(tokens.unit(at + 1))
    if is_plural and (cue not in _BEFORE_YEAR or cue in _WEAK):
        return cue == "the" and recent
    return recent or (cue in _BEFORE_YEAR and cue not in _WEAK)


def _span(tokens: Figures, at: int) -> list[Date]:
    if at + 2 >= len(tokens):
        return []
    middle, last = tokens[at + 1], tokens[at + 2]
    if last.kind != "number" or not last.text.isdecimal():
        return []
    if middle.text not in _DASHES:
        opened = tokens[at - 1].lower if at else ""
        if (opened, middle.lower) not in _SPANS or not _is_year(last):
            return []
    low, text = int(tokens[at].text), last.text
    high = int(tokens[at].text[: 4 - len(text)] + text) if len(text) in {2, 4} else 0
    if not low < high <= _MAX_YEAR or (len(text) == 2 and not (middle.glued and last.glued)):
        return []
    return [
        Date(at, at + 1, (low, low)),
        Date(at + 2, at + 3, (high, high)),
        Date(at, at + 3, (low, high), is_span=True),
    ]


def _century(tokens: Figures, at: int, *, is_last: bool = False) -> Date | None:
    if tokens[at].kind == "symbol":
        return None
    numeral = tokens.numeral(at)
    if numeral is None or numeral.form != "ordinal" or not 1 <= numeral.value <= 21:
        return None
    end = numeral.end + (numeral.end < len(tokens) and tokens[numeral.end].text in _DASHES)
    if not is_last and end + 1 < len(tokens) and tokens[end].lower in {"and", "or", "to"}:
        # "the third or fourth century"
        other = _century(tokens, end + 1, is_last=True)
        return other and Date(at, numeral.end, (100 * int(numeral.value) - 99, 100 * int(numeral.value)))
    if end >= len(tokens) or tokens[end].lower not in {"century", "centuries"}:
        return None
    number = int(numeral.value)
    if end + 1 < len(tokens) and _ERAS.get(tokens[end + 1].stem) == -1:
        return Date(at, end + 2, (-100 * number, -100 * number + 99))
    return Date(at, end + 1, (100 * number - 99, 100 * number))


def _era(tokens: Figures, at: int) -> Date | None:
    """Return a year with its era: AD 49, 49 BC."""
    token = tokens[at]
    if token.kind == "number" and token.text.isdecimal() and len(token.text) < 5 and at + 1 < len(tokens):
        sign = _ERAS.get(tokens[at + 1].stem) if tokens[at + 1].text[0].isupper() else None
        if sign:
            return Date(at, at + 2, (sign * int(token.text),) * 2)
    if token.stem == "ad" and token.text.isupper() and at + 1 < len(tokens):
        number = tokens[at + 1]
        if number.kind == "number" and number.text.isdecimal() and len(number.text) < 5:
            return Date(at, at + 2, (int(number.text),) * 2)
    return None
