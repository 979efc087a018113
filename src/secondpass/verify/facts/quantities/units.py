"""Units of measurement: what they are called, and how they convert."""

from dataclasses import dataclass

from secondpass.verify.words import Token, tokenize

__all__ = [
    "CENT",
    "COUNT",
    "CURRENCIES",
    "FREQUENCY_ADVERBS",
    "HOUR",
    "INCH",
    "MINUTE",
    "ODDS",
    "ORDINAL",
    "PERCENT",
    "RATIO",
    "TIMES",
    "Measured",
    "Unit",
    "frequency_unit",
    "per",
    "period_at",
]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Attributes:
        name: what it is called.
        dimension: what it measures; only quantities of one dimension are compared.
        factor: its size in the dimension's base unit.
        offset: where its zero is, in the base unit.
    """

    name: str
    dimension: str
    factor: float = 1.0
    offset: float = 0.0


COUNT = Unit("", "count")
ORDINAL = Unit("ordinal", "ordinal")
RATIO = Unit("ratio", "ratio")
ODDS = Unit("to one", "odds")

# Dimension: unit, factor, and further names, separated by "|". One-word names in lower case have a plural in -s.
_TABLE = """
length:   mm 1e-3 millimetre|millimeter
length:   cm 1e-2 centimetre|centimeter
length:   m 1 metre|meter
length:   km 1e3 kilometre|kilometer|kms
length:   nm 1e-9 nanometre|nanometer
length:   inch 0.0254 inches
length:   ft 0.3048 foot|feet
length:   yd 0.9144 yard|yds
length:   mi 1609.344 mile
length:   nmi 1852 nautical mile|nautical miles
area:     m² 1 square metre|square meter|square metres|square meters|sq m|m2|m^2|sqm
area:     km² 1e6 square kilometre|square kilometer|square kilometres|square kilometers|sq km|km2|km^2
area:     mi² 2589988.11 square mile|square miles|sq mi|mi2|sq. mi
area:     ft² 0.09290304 square foot|square feet|sq ft|sq. ft|ft2|sqft
area:     ha 1e4 hectare
area:     acre 4046.856
volume:   m³ 1 cubic metre|cubic meter|cubic metres|cubic meters|m3
volume:   km³ 1e9 cubic kilometre|cubic kilometer|cubic kilometres|cubic kilometers|km3
volume:   l 1e-3 litre|liter|L
volume:   ml 1e-6 millilitre|milliliter|mL|cc
volume:   gallon 3.785e-3 gal
volume:   teaspoon 4.92892e-6 tsp|tsps
volume:   tablespoon 1.478676e-5 tbsp|tbsps
volume:   cl 1e-5 centilitre|centiliter
volume:   dl 1e-4 decilitre|deciliter
mass:     mg 1e-6 milligram
mass:     µg 1e-9 microgram|mcg|μg
mass:     g 1e-3 gram|gramme
mass:     kg 1 kilogram|kilo|kgs
mass:     tonne 1e3 metric ton|metric tons
mass:     lb 0.45359237 lbs|pound
mass:     oz 0.0283495 ounce
mass:     ton 1e3
time:     ns 1e-9 nanosecond
time:     µs 1e-6 microsecond|μs
time:     ms 1e-3 millisecond
time:     s 1 second|sec|secs
time:     min 60 minute|mins
time:     h 3600 hour|hr|hrs
time:     day 86400
time:     week 604800 wk|wks
time:     fortnight 1209600
time:     month 2629800 mo|mos
time:     year 31557600 yr|yrs|annum
time:     decade 315576000
data:     bit 0.125
data:     byte 1 B
data:     KB 1e3 kB|kilobyte|KiB|kibibyte
data:     MB 1e6 megabyte|MiB|mebibyte
data:     GB 1e9 gigabyte|GiB|gibibyte
data:     TB 1e12 terabyte|TiB
rate:     Mbps 1 Mbit/s|megabits per second
rate:     Gbps 1e3 Gbit/s|gigabits per second
times:    times 1 fold
speed:    m/s 1 metres per second|meters per second
speed:    km/h 0.2777778 kph|km/hr|kmh|kilometres per hour|kilometers per hour|km per hour
speed:    mph 0.44704 miles per hour|mi/h
speed:    kn 0.5144444 knot|kt
power:    W 1 watt
power:    kW 1e3 kilowatt
power:    MW 1e6 megawatt
power:    GW 1e9 gigawatt
power:    hp 745.7 horsepower|bhp
energy:   J 1 joule
energy:   kJ 1e3 kilojoule
energy:   kWh 3.6e6 kilowatt-hour|kilowatt-hours|kilowatt hours
energy:   kcal 4184 kilocalorie
energy:   calorie 1 cal
frequency: Hz 1 hertz
frequency: kHz 1e3 kilohertz
frequency: MHz 1e6 megahertz
frequency: GHz 1e9 gigahertz
pressure: Pa 1 pascal
pressure: hPa 100 hectopascal|mbar|millibar
pressure: kPa 1e3 kilopascal
pressure: bar 1e5
pressure: psi 6894.757
angle:    ° 1 degree|deg
charge:   mAh 3.6 milliampere-hour|milliampere-hours
charge:   Ah 3600
activity: IU 1 international unit|international units
pixels:   px 1 pixel
pixels:   MP 1e6 megapixel
frequency: fps 1 frames per second
frequency: rpm 0.01666667 revolutions per minute
level:    dB 1 decibel
voltage:  V 1 volt
voltage:  kV 1e3 kilovolt
ratio:    % 0.01 percent|per cent|pct|percentage point|percentage points|pp
ratio:    bp 1e-4 basis point|basis points
USD:      $ 1 dollar|USD|US$|US dollar|US dollars|U.S. dollar|U.S. dollars|usd
USD:      ¢ 0.01 cent|ct
EUR:      € 1 euro|EUR
GBP:      £ 1 GBP|pounds sterling|quid
GBP:      p 0.01 pence|penny
JPY:      ¥ 1 yen|JPY
INR:      ₹ 1 rupee|Rs|INR
CHF:      CHF 1 Swiss franc|Swiss francs|franc
CNY:      CNY 1 yuan|RMB|renminbi
CAD:      CA$ 1 CAD|Canadian dollar|Canadian dollars
AUD:      A$ 1 AUD|Australian dollar|Australian dollars
SEK:      SEK 1 Swedish krona|Swedish kronor|kronor
NOK:      NOK 1 Norwegian krone|Norwegian kroner|Norwegian crowns
DKK:      DKK 1 Danish krone|Danish kroner
PLN:      PLN 1 zloty|zlotys
CZK:      CZK 1 koruna
HUF:      HUF 1 forint
ZAR:      ZAR 1 rand
SGD:      SGD 1 Singapore dollar|Singapore dollars
HKD:      HK$ 1 HKD|Hong Kong dollar|Hong Kong dollars
NZD:      NZ$ 1 NZD|New Zealand dollar|New Zealand dollars
BRL:      BRL 1 Brazilian real|Brazilian reais
peso:     MXN 1 peso
RUB:      ₽ 1 ruble|rouble|RUB
KRW:      ₩ 1 KRW
ILS:      ₪ 1 shekel
TRY:      ₺ 1 lira
temperature: K 1 kelvin
"""
_TEMPERATURES = (
    (
        Unit("°C", "temperature", 1.0, 273.15),
        "°C|° C|℃|degrees Celsius|degree Celsius|degrees C|celsius|degrees centigrade",
    ),
    (
        Unit("°F", "temperature", 5 / 9, 255.3722222),
        "°F|° F|℉|degrees Fahrenheit|degree Fahrenheit|degrees F|fahrenheit",
    ),
)
# Symbols with too many other meanings: K is a thousand, and kelvin has to be written out.
_NEVER = frozenset({"K", "bar", "bp", "p"})
_TOLD = frozenset({"bar", "p", "C", "F"})  # what these are is told by the number before them
_BEFORE_DEGREES = frozenset({"at", "to", "about", "around", "below", "above"})
_PENCE, _BAR = Unit("p", "GBP", 0.01), Unit("bar", "pressure", 1e5)
_MAX_TOKENS = 4


def _key(name: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokenize(name))


def _units() -> dict[tuple[str, ...], Unit]:
    units: dict[tuple[str, ...], Unit] = {}
    for line in _TABLE.strip().splitlines():
        dimension, _, rest = line.partition(":")
        name, factor, *others = rest.split(maxsplit=2)
        unit = Unit(name, dimension, float(factor))
        for other in [name, *(others[0].split("|") if others else ())]:
            if other not in _NEVER:
                units[_key(other)] = unit
            if len(other) > 2 and other.isalpha() and other.islower():
                units[_key(other + "s")] = unit
    for unit, names in _TEMPERATURES:
        units.update((_key(name), unit) for name in names.split("|"))
    return units


_UNITS = _units()
_FIRST_WORDS = frozenset(key[0] for key in _UNITS)  # few tokens begin a unit's name
TIMES = _UNITS["times",]
INCH = _UNITS["inch",]
_EACH = frozenset({"a", "an", "per", "each", "every", "/"})
FREQUENCY_ADVERBS = {
    "hourly": "h",
    "daily": "day",
    "nightly": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
}
"""Adverbs, and the period that they name."""
_WRITTEN_BEFORE = (
    "$ € £ ¥ ₹ ₽ ₩ ₪ ₺ USD EUR GBP JPY INR CHF CNY Rs RMB CAD AUD SEK NOK DKK PLN CZK HUF ZAR SGD HKD NZD BRL RUB KRW"
)
CURRENCIES = {sign: _UNITS[sign,] for sign in _WRITTEN_BEFORE.split()}
"""Currencies that may be written before the number."""
CENT = _UNITS["cent",]
PERCENT = _UNITS["%",]
MINUTE = _UNITS["min",]
HOUR = _UNITS["h",]


class Measured(list[Token]):
    """The tokens of a text, and the unit that begins at each, which is looked up once.

    Args:
        text: what is read.
    """

    def __init__(self, text: str) -> None:
        super().__init__(tokenize(text))
        self._units = [_unit_at(self, at) for at in range(len(self))]

    def unit(self, at: int) -> tuple[Unit, int] | None:
        """Return the unit that begins at a token, with the index of the token after it; the longest name wins."""
        return self._units[at] if at < len(self._units) else None


def _unit_at(tokens: list[Token], at: int) -> tuple[Unit, int] | None:
    if tokens[at].text in _TOLD and (told := _told_by_its_number(tokens, at)):
        return told, at + 1
    if tokens[at].text not in _FIRST_WORDS and tokens[at].text.lower() not in _FIRST_WORDS:
        return None
    texts = [token.text for token in tokens[at : at + _MAX_TOKENS]]
    for n in range(len(texts), 0, -1):
        key = tuple(texts[:n])
        if any(token.kind == "number" and not token.glued for token in tokens[at : at + n]):
            continue  # "6 ft 2" is not square feet
        # Names match in upper and lower case, symbols only as they are written: mW is not MW.
        unit = _UNITS.get(key) or (_UNITS.get(tuple(map(str.lower, key))) if len(texts[0]) > 2 else None)
        if unit:
            return unit, at + n
    return None


def _told_by_its_number(tokens: list[Token], at: int) -> Unit | None:
    """Return what "p", "bar", "C" or "F" is behind a number; None if it is not a unit.

    So it is of 85p, but not of 720p; of 3.5 bar, but not of "2 bar stools" or "1 bar"; of "at 180 C", but not of "unit
    180 C".
    """
    number = tokens[at - 1] if at else None
    if number is None or number.kind != "number":
        return None
    if tokens[at].text == "p":
        return _PENCE if tokens[at].glued and len(number.text) < 3 else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if tokens[at].text in {"C", "F"}:
        is_hot = at > 1 and tokens[at - 2].lower in _BEFORE_DEGREES and 1 < len(number.text) < 4
        is_last = after is None or not after.glued or after.text in {".", ",", ";", ")", "/"}
        return _UNITS["\u00b0", tokens[at].text] if is_hot and is_last and number.text.isdecimal() else None
    is_first = after is not None and after.is_content and after.sentence == tokens[at].sentence
    return None if number.text == "1" or is_first or tokens[at].glued else _BAR


def per(tokens: Measured, at: int) -> Unit | None:
    """Return the unit of a frequency, such as times a day, if its period comes next."""
    found = period_at(tokens, at)
    return frequency_unit(found[0]) if found else None


def period_at(tokens: Measured, at: int) -> tuple[str, int] | None:
    """Return the period that something is for, "a month" or "monthly", and the index of the token after it; or None."""
    word = tokens[at].lower if at < len(tokens) else ""
    if word in FREQUENCY_ADVERBS:
        return FREQUENCY_ADVERBS[word], at + 1
    if [token.text for token in tokens[at : at + 3]] == ["p", ".", "a"]:
        return "year", at + 3
    if word in {"in", "per"} and [token.lower for token in tokens[at + 1 : at + 3]] == ["24", "hours"]:
        return "day", at + 3
    found = tokens.unit(at + 1) if word in _EACH else None
    return (found[0].name, found[1]) if found and found[0].dimension == "time" else None


def frequency_unit(period: str) -> Unit:
    """Return the unit of frequencies in a period: times a day, in times a second."""
    return Unit(f"{TIMES.name} a {period}", TIMES.dimension, 1 / _UNITS[period,].factor)
