"""What a row of a table or an entry of data says: its values with their names, in parts that are read at once."""

import re
from collections.abc import Iterator, Sequence

from secondpass.verify.facts.quantities.captions import captions
from secondpass.verify.record import NO_SIGNS, YES_SIGNS, written
from secondpass.verify.words import word_set

__all__ = ["priced", "said"]

_PERIOD = re.compile(
    r"(?:[\s_(]{1,2}(?:per|a)[\s_]([a-z]{3,12})|\s?/\s?(month|year|week|day|hour|night|person|user|seat))\)?$"
    r"|\s?\(((?:month|year|week|dai)ly)\)$",
    re.IGNORECASE,
)
_PRICE = re.compile(r"[$€£¥]?\s?\d[\d.,]*(?:\s?[$€£¥]|\s(?:euros|dollars|pounds|EUR|USD|GBP))?")
_FIGURE = re.compile(r"[-+]?\d[\d.,]*")
_UNITS = {
    "kg": "kg", "g": "g", "mg": "mg", "lb": "lb", "km": "km", "m": "m", "cm": "cm", "mm": "mm", "l": "l", "ml": "ml",
    "v": "V", "volts": "V", "volt": "V", "w": "W", "watts": "W", "kw": "kW", "kwh": "kWh", "mah": "mAh", "ah": "Ah",
    "hz": "Hz", "mhz": "MHz", "ghz": "GHz", "gb": "GB", "mb": "MB", "tb": "TB", "ms": "ms", "s": "s", "sec": "seconds",
    "seconds": "seconds", "min": "minutes", "minutes": "minutes", "h": "hours", "hours": "hours", "days": "days",
    "weeks": "weeks", "months": "months", "years": "years", "eur": "euros", "usd": "dollars", "gbp": "pounds",
    "pct": "%", "percent": "%", "km2": "km²", "m2": "m²", "sqm": "m²", "ha": "ha", "kmh": "km/h", "mph": "mph",
    "px": "pixels",
}  # fmt: skip
_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£"}
_OF_MONEY = word_set(
    "price total subtotal amount cost fee tax vat balance discount salary revenue payment refund due paid"
)
_ZEROS = re.compile(r"\.0+\Z")
_SIGNS = {**dict.fromkeys(YES_SIGNS, "yes"), **dict.fromkeys(NO_SIGNS, "no")}
_MOST_WORDS = 64  # of an entry that is read as a whole
_MOST_IN_A_PART, _MOST_IN_FRONT = 40, 12  # words of a part, and of what stands in front of each: whose entry it is
_MOST_NAMING = 3  # values, the first of which with a letter names the entry
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*")


def said(names: Sequence[str], values: Sequence[str]) -> list[str]:
    """Return what an entry says, in one text, or several if it is long: each then begins with the entry's first values.

    Args:
        names: of its columns or keys; empty where there is none.
        values: as many, or fewer, or more; blank ones say nothing.
    """
    fields = []
    values = _with_currency(names, values)
    for at, value in enumerate(values):
        if value.strip():
            fields.append(_named(names[at] if at < len(names) else "", value.strip()))
    if sum(map(_n_words, fields)) <= _MOST_WORDS:
        return [written(fields)] if fields else []
    front = _front(fields)
    return [written([*front, *part]) for part in _parts(fields[len(front) :])]


def priced(value: str, currency: str) -> str:
    """Return a figure with the sign of its currency, as models know it best; with its code where there is none."""
    sign = _CURRENCIES.get(currency.strip().upper())
    return f"{sign}{_ZEROS.sub('', value)}" if sign and _FIGURE.fullmatch(value) else f"{value} {currency}"


def _with_currency(names: Sequence[str], values: Sequence[str]) -> Sequence[str]:
    """Return values with the currency that stands in an entry of its own: "total": 208, "currency": "EUR"."""
    last = [re.split(r"[\W_]+", name.lower())[-1] for name in names]
    codes = {value.strip().upper() for name, value in zip(last, values, strict=False) if name == "currency"}
    if len(codes) != 1 or codes.isdisjoint(_CURRENCIES):
        return values
    (code,) = codes
    known = zip([*last, *[""] * (len(values) - len(last))], values, strict=False)
    return [priced(value, code) if name in _OF_MONEY and _FIGURE.fullmatch(value) else value for name, value in known]


def _n_words(field: tuple[str, str]) -> int:
    return len(field[0].split()) + len(field[1].split())


def _front(fields: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return the first fields up to one that has a letter, as a name has; none if they are long."""
    named = next((at for at, (_, value) in enumerate(fields[:_MOST_NAMING]) if any(map(str.isalpha, value))), 0)
    front = fields[: named + 1]
    return front if sum(map(_n_words, front)) <= _MOST_IN_FRONT else ()


def _parts(fields: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    part: list[tuple[str, str]] = []
    n_words = 0
    for name, value in fields:
        for piece in _pieces(value):
            longer = _n_words((name, piece))
            if part and n_words + longer > _MOST_IN_A_PART:
                yield part
                part, n_words = [], 0
            if part and part[-1][0] == name and name:
                part[-1] = name, f"{part[-1][1]} {piece}"
            else:
                part.append((name, piece))
            n_words += longer
    if part:
        yield part


def _pieces(value: str) -> list[str]:
    """Return the sentences of a long value, or so many words of one without an end; else the value."""
    if len(value.split()) <= _MOST_IN_A_PART:
        return [value]
    pieces = []
    for sentence in _SENTENCE_END.split(value):
        words = sentence.split(" ")
        n = _MOST_IN_A_PART if len(words) > 2 * _MOST_IN_A_PART else len(words)
        pieces += [" ".join(words[at : at + n]) for at in range(0, len(words), n)]
    return pieces


def _named(name: str, value: str) -> tuple[str, str]:
    """Return the words of a name, and a value with the unit that the name ends in."""
    value = _SIGNS.get(value.rstrip("\ufe0f"), value)
    words = re.sub(r"[_\W]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).split()
    unit = _UNITS.get(words[-1].lower()) if len(words) > 1 else None
    period = _PERIOD.search(name)
    if period and period.start() and _PRICE.fullmatch(value):
        each = (period[1] or period[2] or period[3]).lower()
        return name[: period.start()].strip(), f"{value} {each if each.endswith('ly') else f'per {each}'}"
    if unit and _FIGURE.fullmatch(value):
        rest = " ".join(words[:-1])
        return rest, f"{value}{'' if unit == '%' else ' '}{unit}"
    if any(captions(name)):
        return name.strip(), value
    return " ".join(words) if "_" in name or len(words) == 1 else name.strip(), value
