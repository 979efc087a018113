"""Numbers in all their forms: digits, words, with scales, fractions, ordinals and Roman numerals."""

import math
import re
from typing import NamedTuple

from secondpass.verify.facts.quantities.units import Measured
from secondpass.verify.words import Token, word_numbers, word_set

__all__ = ["ORDINALS", "SCALES", "Figures", "Numeral", "literal", "roman", "said_once"]

_ONES = word_numbers(
    "zero nought|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen"
)
_TENS = {
    word: 10 * number
    for word, number in word_numbers("twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety", start=2).items()
}
SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "lakh": 1e5,
    "crore": 1e7,
    "dozen": 12.0,
}
"""Words that multiply the number before them."""
# Abbreviations of scales, written right after the digits or with a space between.
_SIGNS = {"k": 1e3, "K": 1e3, "mn": 1e6, "mln": 1e6, "bn": 1e9, "tn": 1e12, "M": 1e6, "B": 1e9}
ORDINALS = word_numbers(
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|"
    "fifteenth|sixteenth|seventeenth|eighteenth|nineteenth",
    start=1,
) | {word[:-1] + "ieth": value for word, value in _TENS.items()}
"""Words for the place in an order, up to the nineteenth, and the twentieth, thirtieth and so on."""
_BELOW_TEN = {word for words in (_ONES, ORDINALS) for word, value in words.items() if 0 < value < 10}
_PARTS = {word: value for word, value in ORDINALS.items() if 3 <= value <= 10} | {"quarter": 4, "half": 2, "halve": 2}
_FIRST_WORDS = frozenset({"a", "an", "half", "quarter", *_ONES, *_TENS, *ORDINALS})  # of a number in words
_SIGNED_PARTS = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 1 / 8}
_FRACTION_STEP = 0.1  # of a fraction, which people also use for what is near it
_UNREADABLE = "unreadable"
_RATHER = word_set(
    "by to than about roughly nearly almost around approximately over under only just least exactly some"
)  # before a share: "by a fifth"
_LATEST = word_set("first last past previous next final these those for in")
_SUFFIXES = {"st", "nd", "rd", "th"}
_DASHES = {"-", "\u2010", "\u2011"}

_MOST_DAYS = 31
_DENOMINATORS = {2, 3, 4, 5, 6, 8, 10, 16, 100}  # others are scores, dates and names (9/11)
_MAX_DIGITS = 25
_EXPONENT = re.compile(r"\d[eE]")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_APOSTROPHES = re.compile("['\u2019]")
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_RAISED_SIGNS = frozenset("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_TIMES_SIGNS = frozenset("\u00d7x*\u00b7\u22c5")
_MINUS = frozenset("-\u2212\u207b")
_MOST_EXPONENT = 60
_MOST_BASE = 1000
_NUMBER_WORD = "|".join([*_ONES, *_TENS, *SCALES])
# "one hundred and twenty (120)": the words, and the same in digits.
_TWICE = re.compile(
    rf"\b(?P<words>(?:{_NUMBER_WORD})(?:(?:-| (?:and )?)(?:{_NUMBER_WORD})){{0,6}}) ?"
    r"\((?P<digits>\d[\d,]{0,12})\)(?!\w)",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"(M{0,3})(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Numeral(NamedTuple):
    """A number in a text.

    Attributes:
        end: the index of the token after it.
        value: what it is.
        step: the place value of its last digit as written: 1 for 1000, 100,000 for 1.2 million.
        scale: what the digits are multiplied by: a million for 1.2 million.
        form: ``digits``, ``words``, ``ordinal`` or ``fraction``; ``unreadable`` of words that make no number together.
    """

    end: int
    value: float
    step: float
    scale: float
    form: str


def literal(text: str) -> tuple[float, float] | None:
    """Return the value of a number in digits and the place value of its last digit; None if it is not one (1.2.3)."""
    if len(text) > _MAX_DIGITS:
        return None
    if _EXPONENT.search(text):
        mantissa, _, exponent = text.lower().replace("\u2212", "-").partition("e")
        return float(f"{mantissa}e{exponent}"), 10.0 ** (int(exponent) - len(mantissa.partition(".")[2]))
    if _INDIAN.fullmatch(text):
        text = text.replace(",", "")
    text = _APOSTROPHES.sub("", text)
    for separator in " \u00a0\u202f\u2009":
        text = text.replace(separator, ",")
    whole, *rest = text.split(",")
    if rest and all(len(group.split(".")[0]) == 3 for group in rest):
        text = whole + "".join(rest)
    elif rest:
        text = f"{whole.replace('.', '')}.{rest[0]}"  # a decimal comma, and dots between thousands
    groups = text.split(".")
    if len(groups) > 2:
        if any(len(group) != 3 for group in groups[1:]) or len(groups[0]) > 3:
            return None
        groups = ["".join(groups)]
    return float(".".join(groups)), 10.0 ** -len("".join(groups[1:]))


def roman(text: str) -> int | None:
    """Return the value of a Roman numeral in capitals, or None."""
    if not text or not _ROMAN.fullmatch(text):
        return None
    values = [_ROMAN_VALUES[letter] for letter in text]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


class Figures(Measured):
    """The tokens of a text, with the unit and the numeral that begin at each: every kind of fact reads these.

    Args:
        text: what is read.

    Attributes:
        unreadable: where words of numbers stand that make none together: "two thousand one million".
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._numerals: list[Numeral | None] = []
        self.unreadable: list[range] = []
        for at in range(len(self)):
            inside = bool(self.unreadable) and at in self.unreadable[-1]  # a part of it would be another number
            found = None if inside else _numeral_at(self, at)
            if found and found.form == _UNREADABLE:
                self.unreadable.append(range(at, found.end))
                found = None
            self._numerals.append(found)

    def numeral(self, at: int) -> Numeral | None:
        """Return the longest number that begins at a token, or None."""
        return self._numerals[at] if at < len(self._numerals) else None


def said_once(text: str) -> str:
    """Return a text without the words of numbers that stand there in digits too, as contracts have them.

    "Within fourteen (14) days" is "within 14 days"; "ten (12)" stays.
    """

    def once(match: re.Match[str]) -> str:
        found = Figures(match["words"]).numeral(0)
        value = literal(match["digits"])
        is_same = found is not None and value is not None and found.value == value[0] and found.form == "words"
        return match["digits"] if is_same else match[0]

    return _TWICE.sub(once, text) if "(" in text else text


def _numeral_at(tokens: Measured, at: int) -> Numeral | None:
    token = tokens[at]
    if token.kind == "number":
        found = _digits(tokens, at)
    elif token.text in _SIGNED_PARTS:
        found = Numeral(at + 1, _SIGNED_PARTS[token.text], _FRACTION_STEP, 1.0, "fraction")
    elif token.kind == "word" and token.lower in _FIRST_WORDS:
        found = _part(tokens, at) or _decimal(tokens, _words(tokens, at))
    else:
        return None
    return found and _scaled(tokens, found)


def _word(tokens: Measured, at: int) -> str:
    return tokens[at].lower if at < len(tokens) else ""


def _joined(tokens: Measured, at: int) -> int:
    """Return the index of the next part of a compound: past a hyphen that stands between two words."""
    if at + 1 < len(tokens) and tokens[at].text in _DASHES and tokens[at].glued and tokens[at + 1].glued:
        return at + 1
    return at


def _digits(tokens: Measured, at: int) -> Numeral | None:
    parsed = literal(tokens[at].text)
    if parsed is None:
        return None
    value, step = parsed
    end = at + 1
    power = _power(tokens, end)
    if power and value <= _MOST_BASE:
        return Numeral(power[1], value ** power[0], 0.0, 1.0, "digits")
    scientific = _times_ten(tokens, end)
    if scientific:
        exponent, end = scientific
        return Numeral(end, value * 10.0**exponent, step * 10.0**exponent, 1.0, "digits")
    if end < len(tokens) and tokens[end].glued and tokens[end].lower in _SUFFIXES:
        return Numeral(end + 1, value, 1.0, 1.0, "ordinal")
    if _is_slashed(tokens, end):
        below = literal(tokens[end + 1].text)
        if below is None or not value < below[0]:
            return None
        # 1/40 is a share; 9/11 and 3/31 are not.
        if below[0] not in _DENOMINATORS and not (value == 1 and _MOST_DAYS < below[0] <= _MOST_BASE):
            return None
        precision = step / below[0] if value % 1 else _FRACTION_STEP  # "4.5/5" is not near "4.7/5", as 2/3 is near 60 %
        return Numeral(end + 2, value / below[0], precision, 1.0, "fraction")
    if end < len(tokens) and tokens[end].text in _SIGNED_PARTS:
        return Numeral(end + 1, value + _SIGNED_PARTS[tokens[end].text], _FRACTION_STEP, 1.0, "digits")
    if end < len(tokens) and tokens[end].kind == "number" and _is_slashed(tokens, end + 1):
        part = _digits(tokens, end)
        if part and part.form == "fraction":
            return Numeral(part.end, value + part.value, _FRACTION_STEP, 1.0, "digits")
    return Numeral(end, value, step, 1.0, "digits")


def _power(tokens: Measured, at: int) -> tuple[int, int] | None:
    """Return the exponent after a base, such as 10^8, 10**8 or 10\u207b\u2074, and the index of the token after it."""
    here, is_raised = at, True
    if at < len(tokens) and tokens[at].glued and tokens[at].text == "^":
        here, is_raised = at + 1, False
    elif at + 1 < len(tokens) and all(token.glued and token.text == "*" for token in tokens[at : at + 2]):
        here, is_raised = at + 2, False
    sign = 1
    if here < len(tokens) and tokens[here].glued and tokens[here].text in _MINUS:
        here, sign = here + 1, -1
    if here >= len(tokens) or not tokens[here].glued:
        return None
    text = tokens[here].text
    if is_raised and not all(letter in _RAISED_SIGNS for letter in text):
        return None
    digits = text.translate(_RAISED)
    if not (digits.isdecimal() and len(digits) < 3 and int(digits) <= _MOST_EXPONENT):
        return None
    return sign * int(digits), here + 1


def _times_ten(tokens: Measured, at: int) -> tuple[int, int] | None:
    """Return the exponent of "\u00d7 10^6" and the index of the token after it, if that comes next."""
    if at + 1 >= len(tokens) or tokens[at].text not in _TIMES_SIGNS or tokens[at + 1].text != "10":
        return None
    return _power(tokens, at + 2)


def _is_slashed(tokens: Measured, at: int) -> bool:
    return (
        at + 1 < len(tokens)
        and tokens[at].text in {"/", "\u2044"}
        and tokens[at].glued
        and tokens[at + 1].glued
        and tokens[at + 1].kind == "number"
    )


def _words(tokens: Measured, at: int) -> Numeral | None:
    total = group = 0.0
    room = 1e12  # only what is smaller may follow: "two three" is not a number
    ceiling = math.inf  # the last scale; those after it must be smaller
    end, form, last, seen = at, "words", 1.0, False
    while True:
        here = _joined(tokens, end) if seen else end
        if room == 10 and here == end and _word(tokens, end) in _DASHES and _word(tokens, end + 1) in _BELOW_TEN:
            here += 1  # some texts put spaces around every hyphen: "thirty - three"
        word = _word(tokens, here)
        if word == "and" and seen and (room == 100 or (room == last == 1000 and _is_a_rest(tokens, at, here + 1))):
            here, word = here + 1, _word(tokens, here + 1)
        if word in _ONES and _ONES[word] < room and not (seen and _ONES[word] == 0):
            group, room, last = group + _ONES[word], 0.0, 1.0
        elif word in _TENS and room >= 100:
            group, room, last = group + _TENS[word], 10.0, 1.0
        elif word in ORDINALS and ORDINALS[word] < room:
            group, end = group + ORDINALS[word], here + 1
            form = "ordinal" if form == "words" else form
            break
        elif word in {"a", "an"} and not seen and _word(tokens, here + 1) in SCALES:
            group, room = 1.0, 0.0
        elif word in SCALES and seen and 0 < group < 1000 and (room < SCALES[word] or room == 100):
            last = SCALES[word]
            if last >= ceiling or (word == "hundred" and group >= 100 and room != 100):
                form = _UNREADABLE
            if word == "hundred":
                group, room = group * 100, 100.0
            else:
                total, group, room, ceiling = total + group * last, 0.0, min(last, 1000.0), last
        else:
            break
        seen, end = True, here + 1
    if form == "words" and not seen:
        return None
    return Numeral(end, total + group, last, 1.0, form)


def _is_a_rest(tokens: Measured, at: int, here: int) -> bool:
    """Return whether "two thousand and" goes on with the rest of the number, fifty-one, and not with another one."""
    word = _word(tokens, here)
    is_ten = word in _TENS
    if not (is_ten or _ONES.get(word)) or (at and tokens[at - 1].lower in {"between", "both"}):
        return False
    end = _joined(tokens, here + 1)
    end += is_ten and 0 < _ONES.get(_word(tokens, end), 0) < 10
    return _word(tokens, end) not in SCALES


def _decimal(tokens: Measured, found: Numeral | None) -> Numeral | None:
    """Add the decimals to a number such as three point one four."""
    if found is None or found.form != "words" or found.step != 1 or _word(tokens, found.end) != "point":
        return found
    end, value, step = found.end + 1, found.value, 1.0
    while _ONES.get(_word(tokens, end), 10) < 10 and step > 1e-9:
        step /= 10
        end, value = end + 1, value + step * _ONES[_word(tokens, end)]
    return Numeral(end, value, step, 1.0, "words") if step < 1 else found


def _part(tokens: Measured, at: int) -> Numeral | None:
    """Return a fraction in words: half, two-thirds, a quarter of."""
    word = _word(tokens, at)
    if at and word == "a" and tokens[at - 1].text in _DASHES and tokens[at].glued:
        return None  # the end of "a-year-and-a-half"
    if word == "half" and _is_loose(tokens, at + 1):
        return Numeral(at + 1, 0.5, _FRACTION_STEP, 1.0, "fraction")
    if word == "quarter" and _is_of_one(tokens, at + 1) and not (at and _is_in_a_row(tokens[at - 1])):
        return Numeral(at + 1, 0.25, _FRACTION_STEP, 1.0, "fraction")
    above = 1 if word in {"a", "an"} else _ONES.get(word, 0)
    here = _joined(tokens, at + 1)
    below = _word(tokens, here)
    if not 0 < above < 10 or below.removesuffix("s") not in _PARTS:
        return None
    plural, parts = below.endswith("s"), _PARTS[below.removesuffix("s")]
    is_measured = below in {"half", "quarter"} and _is_measured(tokens, here + 1)
    if plural == (above == 1) and not (is_measured and not plural and above < parts):
        return None  # "two third places"
    if not plural and here == at + 1 and not is_measured and not _is_a_share(tokens, at, here + 1):
        return None  # "a third person"
    if below == "halves" or (below == "quarters" and (above != 3 or _is_counted(tokens, at, here + 1))):
        return None  # of a match, or of a year
    return Numeral(here + 1, above / parts, _FRACTION_STEP, 1.0, "fraction")


def _is_a_share(tokens: Measured, at: int, end: int) -> bool:
    """Return whether "a fifth" is a part of something: "a fifth of", "a fifth less", "by a fifth", "about a fifth"."""
    after = tokens[end] if end < len(tokens) else None
    if after is not None and (after.is_content or after.text in _DASHES or after.kind == "number"):
        return after.lower in {"less", "more", "fewer"}
    if after is not None and after.lower in {"of", "were", "are", "have"}:
        return True
    is_of_an_hour = tokens[end - 1].lower == "quarter" and _word(tokens, end) in {"to", "past"}
    return bool(at) and tokens[at - 1].lower in _RATHER and not is_of_an_hour


def _is_loose(tokens: Measured, end: int) -> bool:
    """Return whether "half" is a number, as in half-hour and half-dozen, and not part of a word as in half-brother."""
    return end == len(tokens) or not tokens[end].glued or _joined(tokens, end) == end or _is_measured(tokens, end)


def _is_measured(tokens: Measured, at: int) -> bool:
    """Return whether a unit, a scale or points come next."""
    here = _joined(tokens, at)
    word = _word(tokens, here)
    return word in SCALES or word in {"point", "points"} or tokens.unit(here) is not None


def _is_of_one(tokens: Measured, at: int) -> bool:
    """Return whether "of a mile", or another unit or scale, comes next."""
    return _word(tokens, at) == "of" and _word(tokens, at + 1) in {"a", "an"} and _is_measured(tokens, at + 2)


def _is_in_a_row(token: Token) -> bool:
    return token.lower in ORDINALS or token.lower in _LATEST


def _is_counted(tokens: Measured, at: int, end: int) -> bool:
    """Return whether quarters of a year are counted: "the last three quarters", "for three quarters"."""
    if not at or tokens[at + 1].glued or _is_of_one(tokens, end):
        return False
    return _is_in_a_row(tokens[at - 1]) and (tokens[at - 1].lower not in {"for", "in"} or _word(tokens, end) != "of")


def _mixed(tokens: Measured, found: Numeral) -> Numeral:
    """Add the fraction to a number such as two and a half, two-and-three-quarters, a million and a half."""
    here = _joined(tokens, found.end)
    if _word(tokens, here) != "and" or (found.form == "words" and 1 < found.step < 1000 and found.step != 12):
        return found
    here = _joined(tokens, here + 1)
    article = _word(tokens, here) in {"a", "an", "one"}
    at = _joined(tokens, here + 1) if article else here
    if _word(tokens, at) == "half":
        if not _is_loose(tokens, at + 1) or not (article or _is_measured(tokens, at + 1)):
            return found
        part = 0.5
    else:
        fraction = _part(tokens, here)
        at = fraction.end - 1 if fraction else here + 1
        below = _PARTS.get(_word(tokens, at).removesuffix("s"), 0)
        if fraction is None and article and below and _is_measured(tokens, at + 1):
            part = 1 / below
        elif fraction is not None and fraction.value < 1 and _word(tokens, at + 1) != "of":
            part = fraction.value
        else:
            return found
    size = found.step if found.form == "words" and found.step > 1 else 1.0
    return Numeral(at + 1, found.value + part * size, _FRACTION_STEP * size, found.scale, found.form)


def _scaled(tokens: Measured, found: Numeral) -> Numeral:
    if found.form in {"ordinal", _UNREADABLE}:
        return found
    end, value, step, scale, form = found if found.form == "fraction" else _mixed(tokens, found)
    while True:
        here = _joined(tokens, end)
        if form == "fraction" and scale == 1 and _is_of_one(tokens, here):
            here += 1
        if form == "fraction" and _word(tokens, here) in {"a", "an"} and _word(tokens, here + 1) in SCALES:
            here += 1
        word = _word(tokens, here)
        sign = _SIGNS.get(tokens[end].text) if end < len(tokens) and form == "digits" and tokens[end].glued else None
        factor = SCALES.get(word) or sign or (_SIGNS.get(word) if word in {"bn", "mn", "mln", "tn"} else None)
        if not factor or scale >= 1e12:
            break
        end, value, step, scale = here + 1, value * factor, step * factor, scale * factor
    return Numeral(end, value, step, scale, form if scale == 1 or form != "fraction" else "words")
