"""Answers with wrong words, marked as ``{kind: words}``, beside the passages that they should have been made from."""

import re
from typing import NamedTuple

__all__ = ["EXAMPLES", "Example", "Wrong"]

_MARKED = re.compile(r"\{(\w+): ([^{}]+)\}")


class Wrong(NamedTuple):
    """Words of an answer that are wrong: ``answer[start:end]``."""

    start: int
    end: int
    kind: str


class Example(NamedTuple):
    """An answer, what is wrong in it, and its passages."""

    answer: str
    wrong: tuple[Wrong, ...]
    passages: tuple[str, ...]


def _example(marked: str, *passages: str) -> Example:
    parts: list[str] = []
    wrong: list[Wrong] = []
    at = length = 0
    for match in _MARKED.finditer(marked):
        parts += [marked[at : match.start()], match[2]]
        begin = length + match.start() - at
        length = begin + len(match[2])
        wrong.append(Wrong(begin, length, match[1]))
        at = match.end()
    return Example("".join(parts) + marked[at:], tuple(wrong), passages)


_LIGHTHOUSE = (
    "The lighthouse of Skerryvore was built between 1838 and 1844 by Alan Stevenson. It stands 48 metres high on a "
    "reef 12 miles south-west of the island of Tiree."
)
_FRIDGE = (
    "Set the refrigerator to 4 °C and the freezer to -18 °C. Do not put hot food into the refrigerator. Clean the door "
    "seal every three months with warm water."
)
_RETURNS = (
    "Items may be returned within 30 days of delivery. Opened software cannot be returned. Refunds are paid to the "
    "original card within five working days, and return postage is not refunded."
)
_ZIP = (
    "ZipFile.extractall() extracts all members from the archive to the current working directory. The default "
    "compression method is ZIP_STORED. Support for LZMA was added in Python 3.3."
)
_MEDICINE = (
    "Adults take one tablet of 200 mg up to three times a day, after meals. Children under 12 must not take this "
    "medicine. Store it below 25 °C."
)
_MERGER = (
    "Northwind Traders agreed on 3 March 2021 to buy Contoso for $1.2 billion in cash. Its chief executive, Maria "
    "Lopez, said the deal would close in the third quarter. Contoso has 850 employees in Portugal."
)
_PLANS = "| Plan | Price | Storage |\n|---|---|---|\n| Basic | $9 | 50 GB |\n| Team | $19 | 200 GB |"
_BATTERY = (
    "The drone flies for 31 minutes on one battery and weighs 249 g. It records video in 4K at 60 frames per second. "
    "The remote control has a range of 10 km."
)
_TEAM = "In the final, Norway beat Sweden 3-1. Ada Hegerberg scored twice for Norway, and Fridolina Rolfo for Sweden."
_CAFE = (
    "The café opens at 8 am from Monday to Friday and at 10 am on Saturday. Dogs are allowed on the terrace, but not "
    "inside. Payment is by card only."
)
_VOLCANO = (
    "Mount Tarawera erupted on 10 June 1886 and buried the village of Te Wairoa. About 120 people were killed. The "
    "Pink and White Terraces were destroyed."
)

# Those at the end without a mark are right.
EXAMPLES: tuple[Example, ...] = (
    # Numbers.
    _example("The lighthouse of Skerryvore stands {number: 84} metres high on a reef.", _LIGHTHOUSE),
    _example("The reef is **{number: 21} miles** south-west of Tiree [1].", _LIGHTHOUSE),
    _example("Set the freezer to {number: -8} °C.", _FRIDGE),
    _example("Refunds are paid within **{number: two}** working days, to the original card [1].", _RETURNS),
    _example("Northwind Traders agreed to buy Contoso for ${number: 1.5} billion [1], in cash.", _MERGER),
    _example("- The drone weighs 249 g.\n- It flies for {number: 41} minutes on one battery.\n", _BATTERY),
    _example("Adults take one tablet of {number: 400} mg up to three times a day.", _MEDICINE),
    # Dates.
    _example("Mount Tarawera erupted on 10 June {date: 1896}.", _VOLCANO),
    _example("On 3 {date: May} 2021 Northwind Traders agreed to buy Contoso.", _MERGER),
    _example("The lighthouse was built between {date: 1828} and 1844 by Alan Stevenson.", _LIGHTHOUSE),
    _example("The café opens at 8 am from Monday to {date: Thursday}.", _CAFE),
    # Units.
    _example("The drone weighs 249 {unit: kg} and records video in 4K.", _BATTERY),
    _example("The remote control has a range of *10 {unit: m}* [1].", _BATTERY),
    _example("Store the medicine below 25 {unit: °F}.", _MEDICINE),
    # Names.
    _example("The lighthouse was built by {name: Robert} Stevenson.", _LIGHTHOUSE),
    _example("Contoso has 850 employees in {name: Spain}.", _MERGER),
    _example("The eruption buried the village of **{name: Rotorua}**. About 120 people were killed [1].", _VOLCANO),
    _example(
        "`ZipFile.extractall()` extracts all members. The default compression method is {name: ZIP_DEFLATED}.", _ZIP
    ),
    _example("In the final, Norway beat {name: Denmark} 3-1.", _TEAM),
    # Negation.
    _example("Opened software {negation: can be returned}.", _RETURNS),
    _example("Items may be returned within 30 days [1]. Return postage {negation: is refunded} [1].", _RETURNS),
    _example("Children under 12 {negation: must take} this medicine.", _MEDICINE),
    _example("Dogs {negation: are not allowed} on the terrace.", _CAFE),
    _example("The Pink and White Terraces were {negation: not destroyed}.", _VOLCANO),
    # Additions.
    _example("The drone records video in 4K at 60 frames per second {addition: and streams it to YouTube}.", _BATTERY),
    _example("Clean the door seal every three months with warm water {addition: and vinegar} [1].", _FRIDGE),
    _example("Payment is by card only. {addition: Breakfast is served until noon.}", _CAFE),
    _example(
        "Maria Lopez, who {addition: studied engineering at Oxford}, said the deal would close in the third quarter.",
        _MERGER,
    ),
    _example("Support for LZMA {addition: and Zstandard} was added in Python 3.3.", _ZIP),
    _example("Ada Hegerberg scored twice for Norway. {addition: The match was watched by a record crowd.}", _TEAM),
    # Relations.
    _example("In the final, {relation: Sweden beat Norway} 3-1.", _TEAM),
    _example("Fridolina Rolfo {relation: scored twice for Sweden}.", _TEAM),
    # In other words than the passage's.
    _example("The drone can stay in the air for {number: 45} minutes before its battery is empty.", _BATTERY),
    _example("Customers have {number: 60} days after delivery to send things back.", _RETURNS),
    _example("Alan Stevenson put up the lighthouse from 1838 to {date: 1846}.", _LIGHTHOUSE),
    _example("You pay by card {addition: or in cash} at the café [1].", _CAFE),
    # Several, in tables and lists, and none.
    _example("| Plan | Price |\n|---|---|\n| Basic | ${number: 12} |\n| Team | $19 |\n", _PLANS),
    _example("1. The Team plan has {number: 500} GB of storage.\n2. The Basic plan has 50 GB [1].", _PLANS, _CAFE),
    _example(
        "Adults take {number: two} tablets of 200 mg, {addition: crushed in yoghurt}. Store it below 25 °C.", _MEDICINE
    ),
    _example("Mount Tarawera erupted in 1886, and about 120 people were killed.", _VOLCANO),
    _example("Items may be returned within 30 days of delivery.", _RETURNS),
    _example("The lighthouse was built by Alan Stevenson, and it stands on a reef.", _LIGHTHOUSE),
)
