"""The claims of an answer: its sentences, split where they say two things, with where they stand."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from secondpass.cancellation import check_cancelled
from secondpass.errors import InputError
from secondpass.types import well_formed
from secondpass.verify.claims.checkable import INTRODUCES, opening, says_nothing, why_no_heading, why_not
from secondpass.verify.claims.citations import NAMES_SOURCES, marker_pattern, strip_citations
from secondpass.verify.claims.conjuncts import Conjunct, conjuncts, has_finite_verb
from secondpass.verify.claims.markdown import MarkdownReader, Part, PartKind
from secondpass.verify.claims.markup import all_bold, plain
from secondpass.verify.claims.sentences import is_run_in
from secondpass.verify.claims.thoughts import Thoughts
from secondpass.verify.record import NO_SIGNS, YES_SIGNS
from secondpass.verify.types import Claim
from secondpass.verify.words import STOP_WORDS

__all__ = ["ClaimStream", "Decomposer", "split_claims"]

Decomposer = Callable[[Claim], Sequence[str]]
"""Takes a claim apart: returns self-contained texts that together say what it says."""

_HTML_HEADING = re.compile(r"\s*<h[1-6]\b", re.IGNORECASE)
_HEADING_MARKS = re.compile(r"^[ \t]*#{1,6}[ \t]*|(?<![ \t])[ \t]+#+[ \t]*$")
# A sentence that ends so, and goes on in the items of a list: "You may return it if:", "The box contains:".
_UNFINISHED = re.compile(
    r"(?:\b(?:if|when|unless|because|that|to|must|should|may|can|will|shall|be|are|is|includes?|contains?|with|for|by|of|in|on"
    r"|requires?|has|have|needs?|provides?|supports?|offers?|covers?|adds?|and|or|where|while|after|before|not|never)"
    r"(?: (?:either|both|all|any|one(?: or more)?)(?: of)?(?: the following)?| the following(?: \w+)?)?"
    r"|, plus|(?:\A|\b(?:please|should|must) )avoid"
    r"|\bif (?:any|all|one|either) of (?:the following|these)(?: conditions)?(?: \w+){0,3})\s?:\Z",
    re.IGNORECASE,
)
# Behind these even a whole sentence is only a part of one.
_OPEN_CLAUSE = re.compile(
    r"\b(?:if|when|unless|because|that|where|while|after|before|to|must|should|may|can|cannot|will|shall|could|would"
    r"|might|not|never)\Z",
    re.IGNORECASE,
)
# "Compressor: - 10 years": a bare value is of what stands above it.
_VALUE = re.compile(
    r"[~<>\u2264\u2265\u2248\u00b1]?\s?[$\u20ac\u00a3\u00a5]?\d[\d.,%]*(?:[ /-]?[^\W\d_]{1,12}){0,3}[%.]?\Z"
)
_CUT_OFF = re.compile(r"\w (?:if|unless|when|because|while)\Z", re.IGNORECASE)
# What the steps of a list are for: "To update it:", "To update it, follow these steps:".
_PURPOSE = re.compile(
    r"((?:in order )?to (?!(?:be|have|summari[sz]e|sum up|recap|clarify|explain)\b)[^,.;:?!]{3,150})"
    r"(?:, (?:please )?(?:\w+ ){0,3}(?:follow|do|take|perform|complete) [^,.;:?!]{2,60})?\s?:\Z",
    re.IGNORECASE,
)
# "Patients: - must not eat": behind a subject that ends in a colon, these begin what is said of it.
_PREDICATE = re.compile(
    r"(?:must|may|can|cannot|should|shall|will|is|are|was|were|has|(?:must|can|should|will|is|are|was|were)n't)\b"
    r"[^?]+\Z",
    re.IGNORECASE,
)
# When, or for whom, the items of a list hold: "If the light is red:", "During pregnancy:".
_CONDITION = re.compile(
    r"((?:if|when|whenever|before|after|once|while|unless|until|as long as|in case"
    r"|(?:for|in|on|during|with|without|under|outside|within|at|to (?:qualify|be eligible))"
    r"(?! (?:example|instance|short|summary|brief|addition|conclusion|general|particular|detail|total|this|that|these"
    r"|those|an? (?:nutshell|glance|word)|other words|more|further|your|reference|context|the other|glance|first|least"
    r"|most|all|it|what)\b)) [^,.;:?!]{2,100}?)\s?:\Z",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"[^.;:?!]{1,60}:\s")
# How titles begin that stand before all else: other words may there be the answer, as "**The landlord**" is.
_TITLE = re.compile(
    r"\W{0,8}(?:(?:an? |the )?(?:quick |brief |short |key |main )?(?:key|main|overview|summary|guide|steps|how to|what"
    r"|why|about|everything|instructions|\w{3,20}ing \w+)\b)",
    re.IGNORECASE,
)
# "**Flights.** Economy is the rule", and the same with a line break in place of the full stop.
_RUN_IN = re.compile(
    r"[^\w*`]{0,8}(\*{2,3})(?=[^\s*])[^*\n]{1,100}(?:\.\1(?=\s)|[^\s*.]\1(?=[ \t]*+\n[ \t]*+[^\sa-z]))"
)
# "What you need:" begins no sentence.
_ASKED = re.compile(r"(?:what|why|how|who|which)\b", re.IGNORECASE)
# "The steps are:", before sentences of their own.
_STEPS = re.compile(
    r"\b(?:steps|instructions|rules|tips|requirements|conditions)\b(?: \w+){0,4} (?:are|is)\Z", re.IGNORECASE
)
# What the items are: "Not included:".
_STATUS = re.compile(
    r"(?:not )?(?:included|excluded|covered|allowed|permitted|prohibited|forbidden|required|recommended|eligible"
    r"|available|supported)\s?:\Z|exclusions?\s?:\Z",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:that|which|who)\b", re.IGNORECASE)
_MODAL = re.compile(r"\b(?:must|should|may|can|cannot|will|shall|could|would|might|not|never)\Z", re.IGNORECASE)
_ALL_OF_THEM = re.compile(
    r" (?:either|both|all|any|one)?(?: or more)?(?: of)? ?(?:the following|these)(?: \w+)*\Z", re.I
)
_AND = re.compile(r"\A(?:and|or) (?=\w)", re.IGNORECASE)
_MAX_LEAD = 300
# What stands above the first column of a comparison, and above no column of one.
_FEATURES = re.compile(
    r"(?:(?:key )?(?:features?|propert(?:y|ies)|attributes?|aspects?|criteri(?:on|a)|categor(?:y|ies)"
    r"|spec(?:ification)?s?|metrics?|characteristics?|parameters?|details?|topics?|comparison))",
    re.IGNORECASE,
)
_OF_FEATURES = re.compile(
    r"(?:\w+ )?(?:descriptions?|defaults?|details?|notes?|values?|types?|required|optional|examples?|meanings?"
    r"|purposes?|explanations?|comments?|remarks?|sources?|references?|status|included|availability|available|units?|importance"
    r"|benefits?|limits?|options?|how|why|what|summary|answer|evidence|quantity|amount)",
    re.IGNORECASE,
)
_HAS = re.compile(rf"\W*(?:yes|included|[{YES_SIGNS}]\ufe0f?)\W*", re.IGNORECASE)
_HAS_NOT = re.compile(rf"\W*(?:no|not included|[{NO_SIGNS}]\ufe0f?)\W*", re.IGNORECASE)
_LONG_CELL, _FEWEST_COMPARED = 6, 3  # words; cells of a row
_SOURCES = re.compile(
    r"\W*(?:sources?|references?|citations?|bibliography|works cited|footnotes|further reading)(?: used| cited)?\W*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://|www\.|\bdoi\b", re.IGNORECASE)
# "[1] https://...", "Source: https://...": nothing but where it is from, with or without a heading above.
_ADDRESSES = re.compile(
    r"(?:(?:\W{0,4}(?:sources?|references?|citations?)\W{1,4}|\[\^?\d{1,3}\]:?\s*+)"
    r"(?:<?(?:https?://|www\.)[^\s<>]++>?\s*+)++)++",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\W{0,3}\d{1,3}\W")
_NOTE = re.compile(r"\[\^?\w{1,12}\]:\s*")  # what a footnote begins with, where it is written out
_TRAILING = " ,;\u2013\u2014-"
_ENDED = (".", "!", "?", "\u2026", ":", ")", '"', "\u201d", "\u3002", "\uff01", "\uff1f")
_SMALL = re.compile(r"(?:an?|the|he|she|it|they|we|this|that|these|those|there|its|his|her|their|in|on|at)\b")


class ClaimStream:
    """Finds the claims of an answer that comes in pieces, each as soon as its sentence has ended.

    A sentence has ended when the first word of the next one has come, or the end of its paragraph; rows of tables
    and headings end with their line. `finish` gives what is left. The claims are those that `split_claims` finds in
    the whole answer, however it is cut into pieces.

    Args:
        pattern: finds citation markers; `secondpass.verify.claims.citations.DEFAULT` for None.

    Raises:
        ConfigError: the pattern can't be used.
    """

    def __init__(self, *, pattern: str | re.Pattern[str] | None = None) -> None:
        self._pattern = marker_pattern(pattern)
        self._thoughts = Thoughts()
        self._reader = MarkdownReader(self._pattern)
        self._text, self._offset = "", 0
        self._sentence = 0
        self._leads: list[str] = []  # what the items of the lists that may follow go on with, one in another
        self._lists_sources = False
        self._is_announced = False  # whether a colon ended the last part
        self._finished = False

    def feed(self, text: str) -> list[Claim]:
        """Add text to the answer, and return the claims whose sentences have ended, in order.

        Raises:
            InputError: it is no str, or the answer has been finished.
        """
        if not isinstance(text, str):
            raise InputError(f"a piece of an answer must be a str, not {type(text).__name__}")
        if self._finished:
            raise InputError("this answer is finished; make a new ClaimStream for the next one")
        return self._read(self._thoughts.feed(well_formed(text)))

    def finish(self) -> list[Claim]:
        """End the answer, and return the claims that are left; none when called again."""
        if self._finished:
            return []
        self._finished = True
        return [*self._read(self._thoughts.finish()), *self._claims(self._reader.finish())]

    def _read(self, text: str) -> list[Claim]:
        if not text:
            return []
        claims: list[Claim] = []
        thoughts = self._thoughts.text
        if thoughts and not self._offset and not self._text:
            start = len(thoughts) - len(thoughts.lstrip())
            reason = "it is what the model thought before it answered"
            claims.append(Claim(thoughts.strip(), start, len(thoughts), self._sentence, checkable=False, reason=reason))
            self._sentence += 1
        self._text += text
        return claims + self._claims(self._reader.feed(text))

    def _claims(self, parts: Iterator[Part]) -> list[Claim]:
        claims: list[Claim] = []
        done = self._offset
        for part in parts:
            check_cancelled()
            raw = self._text[part.start - self._offset : part.end - self._offset]
            found = self._of(part, raw)
            self._is_announced = raw.rstrip("*_ ").endswith(":")
            self._sentence += bool(found)
            claims += found
            done = part.end
        # What has been read goes, so that a long stream is not kept twice.
        self._text, self._offset = self._text[done - self._offset :], done
        return claims

    def _plain(self, raw: str) -> str:
        # A backslash at the end breaks the line.
        return plain(_without_label(raw).removesuffix("\\"), lambda text: strip_citations(text, self._pattern))

    def _of(self, part: Part, raw: str) -> list[Claim]:
        if part.kind is PartKind.SENTENCE and (_HTML_HEADING.match(raw) or self._is_title(part, raw)):
            part = replace(part, kind=PartKind.HEADING)
        if part.kind is PartKind.SENTENCE:
            raw = _with_colon(raw)
            if self._sentence and not any(character.isalnum() for character in raw):
                return []  # a picture behind a sentence
            listed = (self._lists_sources or _NOTE.match(raw)) and self._is_source(part, raw)
            if listed or _ADDRESSES.fullmatch(raw) or NAMES_SOURCES.fullmatch(raw):
                return [self._claim(part, 0, len(raw), self._plain(raw) or raw, "it is an entry in a list of sources")]
            whole, (outer, beside) = self._plain(raw), self._lead_at(part.depth)
            if beside and _CONDITION.fullmatch(whole):
                outer = ""  # "If it is green:" behind "If it is red:"
            claims = self._of_sentence(part, raw, outer)
            own = _inner_lead("" if beside else outer, whole, claims[0].text) if len(claims) == 1 else ""
            self._leads = [*self._leads[: part.depth], *[outer] * (part.depth - len(self._leads))]
            self._leads.append(own or (outer if beside else ""))
            if not outer:
                self._lists_sources = _SOURCES.fullmatch(claims[-1].text) is not None
            return claims
        self._leads, reason = [], ""
        self._lists_sources = part.kind is PartKind.HEADING and _SOURCES.fullmatch(raw.strip("# \t")) is not None
        if part.kind is PartKind.HEADING:
            text = self._plain(_HEADING_MARKS.sub("", raw))
            reason = why_not(text) or why_no_heading(text)
        elif part.kind is PartKind.TABLE_ROW:
            cells = [(self._plain(name), self._plain(cell)) for name, cell in part.cells]
            if compared := _compared(cells):
                return [self._claim(part, 0, len(raw), said) for said in compared]
            text = "; ".join(
                f"{name}: {cell}" if name else cell for name, cell in cells if cell and not says_nothing(cell)
            )
            reason = "" if any(character.isalnum() for character in text) else "there are no words in it"
        elif part.kind is PartKind.TABLE_HEADER:
            text, reason = self._plain(raw.replace("|", " ")), "it is the header of a table"
        elif part.kind is PartKind.CODE:
            text, reason = raw, "it is code"
        elif part.kind is PartKind.DATA:
            text, reason = raw, "it is data, or the output of a tool"
        else:
            text, reason = raw, "it is an address"
        return [self._claim(part, 0, len(raw), text or raw, reason)]

    def _lead_at(self, depth: int) -> tuple[str, bool]:
        """Return what items go on with that stand so deep in lists, if anything, and whether the item before has it."""
        leads = self._leads
        around = leads[min(depth, len(leads)) - 1] if depth and leads else ""
        # A list that is not indented may be of the item before it: "1. To update it:" above "- press OK".
        beside = "" if around or not 0 < depth < len(leads) else leads[depth]
        return around or beside, beside != ""

    def _is_title(self, part: Part, raw: str) -> bool:
        """Return whether a line that is bold as a whole is a heading, and not an answer: "**The landlord**"."""
        bold = all_bold(raw) if part.is_followed else ""
        if not bold or bold.endswith(_ENDED) or has_finite_verb(bold):
            return False
        if part.in_list:  # above a list, or a paragraph, of its own item
            lead, _ = self._lead_at(part.depth)
            return not (lead and _goes_on(lead, bold))
        if self._is_announced:
            return False
        return self._sentence > bool(self._thoughts.text) or _TITLE.match(bold) is not None

    def _is_source(self, part: Part, raw: str) -> bool:
        """Return whether a sentence behind "Sources:" names one: it has an address, or a number and no verb."""
        text = self._plain(raw)
        if _ADDRESS.search(text):
            return True
        is_numbered = part.in_list or _NUMBERED.match(raw) or _NOTE.match(raw) or not text.endswith((".", "!"))
        return bool(is_numbered) and not has_finite_verb(text)

    def _of_sentence(self, part: Part, raw: str, lead: str = "") -> list[Claim]:
        whole = self._plain(raw)
        if not whole:
            return [self._claim(part, 0, len(raw), raw, "there are no words in it")]
        if _CUT_OFF.search(whole):
            whole += ":"  # "**It is not paid if**", before a list
        is_label = whole.endswith(":") and not lead.endswith((",", ":")) and why_not(whole) == INTRODUCES
        if lead and not is_label and _goes_on(lead, whole):
            return [self._claim(part, 0, len(raw), _led(lead, whole))]
        reason = why_not(whole) or (INTRODUCES if _lead(whole) else "")
        if reason:
            return [self._claim(part, 0, len(raw), whole, reason)]
        begun = opening(raw)
        body = raw[begun:]
        parts = conjuncts(body)
        if len(parts) == 1:
            text = _as_statement(self._plain(body) or whole)
            return [self._claim(part, 0, len(raw), _capitalized(text) if begun else text)]
        texts = [self._conjunct(body, conjunct) for conjunct in parts]
        return [
            self._claim(
                part, 0 if at == 0 else begun + conjunct.start, begun + conjunct.end, texts[at], why_not(texts[at])
            )
            for at, conjunct in enumerate(parts)
        ]

    def _conjunct(self, body: str, conjunct: Conjunct) -> str:
        own = self._plain(body[conjunct.words : conjunct.end])
        subject = self._plain(body[conjunct.subject_start : conjunct.subject_end])
        text = _as_statement(f"{subject} {own}".strip().rstrip(_TRAILING))
        return text if subject else _capitalized(text)

    def _claim(self, part: Part, start: int, end: int, text: str, reason: str = "") -> Claim:
        return Claim(text, part.start + start, part.start + end, self._sentence, not reason, reason)


def split_claims(answer: str, *, pattern: str | re.Pattern[str] | None = None) -> tuple[Claim, ...]:
    """Return the claims of an answer, in the order in which they stand in it.

    A claim is a sentence, a part of one that says something by itself (see `secondpass.verify.claims.conjuncts`), or
    a row of a table, each cell with its header. Headings, code, questions, greetings, what a model thought before it
    answered (in ``<think>``) and the like are claims that are not checkable, with the reason: see
    `secondpass.verify.claims.checkable.why_not`, whose rule is that in doubt it is checkable.

    The claims of a sentence together cover it; markdown's own signs between sentences belong to none.

    Args:
        answer: plain text or markdown. A lone surrogate is read as U+FFFD.
        pattern: finds citation markers, which are no part of a claim's text, and belong to the sentence before when
            they follow its full stop.

    Returns:
        Claims with ``answer[start:end]`` where they stand, ordered by ``start``; none for a blank answer.

    Raises:
        InputError: the answer is no str.
        ConfigError: the pattern can't be used.
    """
    if not isinstance(answer, str):
        raise InputError(f"the answer must be a str, not {type(answer).__name__}")
    stream = ClaimStream(pattern=pattern)
    return (*stream.feed(answer), *stream.finish())


def _compared(cells: Sequence[tuple[str, str]]) -> list[str]:
    """Return what each cell says of a row that compares several things: "The price of Team is $9."; none for others.

    Such a table has the things above its columns, and above its first column nothing, or what that is.
    """
    if len(cells) < _FEWEST_COMPARED:
        return []
    (first, label), *others = cells
    names = [name for name, _ in others]
    is_table = label and all(names) and (not first or _FEATURES.fullmatch(first))
    if not is_table or any(_OF_FEATURES.fullmatch(name) for name in names):
        return []
    said = []
    for name, cell in others:
        if _HAS.fullmatch(cell) or _HAS_NOT.fullmatch(cell):
            said.append(f"{name} is {'with' if _HAS.fullmatch(cell) else 'without'} {label}.")
        elif any(map(str.isalnum, cell)) and not says_nothing(cell):
            is_long = len(cell.split()) > _LONG_CELL or has_finite_verb(f"It {cell}")
            said.append(f"{name}: {label}: {cell}" if is_long else f"The {label} of {name} is {cell.rstrip('.')}.")
    return said


def _with_colon(raw: str) -> str:
    """Return a sentence with a colon in place of the marks around the title that it opens with, as long as it was.

    "**Flights.** Economy is the rule", with a full stop or a line break, is read as "Flights: Economy is the rule".
    """
    opening = _RUN_IN.match(raw)
    if opening is None or not is_run_in(opening[0]):
        return raw
    marks = len(opening[1])
    title = raw[: opening.end() - marks].replace(opening[1], " " * marks, 1).removesuffix(".")
    return f"{title}:".ljust(opening.end()) + raw[opening.end() :]


def _without_label(raw: str) -> str:
    label = _NOTE.match(raw)
    return raw[label.end() :] if label else raw


def _lead(text: str) -> str:
    """Return what the items behind a sentence go on with; empty if it needs none of them."""
    purpose = _PURPOSE.fullmatch(text)
    if purpose:
        return f"{purpose[1].rstrip()},"
    condition = _CONDITION.fullmatch(text)
    if condition:
        return f"{condition[1]},"
    if _STATUS.fullmatch(text):
        return text
    if (
        len(text) > _MAX_LEAD
        or not _UNFINISHED.search(text)
        or text.lower().startswith("here")
        or _ASKED.match(text)
        or len(conjuncts(text.rstrip(" :") + ".")) > 1
    ):
        return ""
    return _ALL_OF_THEM.sub("", text.rstrip(" :"))


def _inner_lead(outer: str, item: str, claim: str) -> str:
    """Return what the items of a list go on with that stands in an item, or below a sentence outside of lists.

    They go on with what leads to the item where this is a label ("Luggage:") or a few words.

    Args:
        outer: what leads to the item; empty for a sentence outside of lists.
        item: what it says.
        claim: the same as the claim that it was made.
    """
    own = _lead(claim) or _subject(claim)
    if not outer:
        return own
    if own.endswith(","):  # "For children:"
        first, rest = outer.split(" ", 1) if " " in outer else (outer, "")
        small = first.lower() if first.lower() in STOP_WORDS else first
        return own if outer.endswith((",", ":")) else f"{own} {small} {rest}".rstrip()
    is_label = item == claim and item.endswith(":")
    return outer if is_label or (_goes_on(outer, item) and not has_finite_verb(item)) else own


def _subject(text: str) -> str:
    """Return a lead-in that is only what its items say something of, with its colon; empty if it is more."""
    return text if text.endswith(":") and len(text) <= _MAX_LEAD and not has_finite_verb(text) else ""


def _goes_on(lead: str, item: str) -> bool:
    """Return whether an item of a list says something with its lead-in only."""
    if lead.endswith(":"):
        is_thing = _STATUS.fullmatch(lead) is not None and not has_finite_verb(_RELATIVE.split(item, maxsplit=1)[0])
        return is_thing or _PREDICATE.match(item) is not None or _VALUE.match(item) is not None
    if lead.endswith(",") and _PURPOSE.fullmatch(f"{lead[:-1]}:") is None:
        return _LABELLED.match(item) is None
    return _STEPS.search(lead) is None and (_OPEN_CLAUSE.search(lead) is not None or not has_finite_verb(item))


def _led(lead: str, item: str) -> str:
    """Return an item of a list as the sentence that its lead-in makes of it."""
    if _STATUS.fullmatch(lead) or (lead.endswith(":") and _VALUE.match(item)):
        return _as_statement(f"{lead} {item}".rstrip(_TRAILING))
    item = _AND.sub("", item)
    word = item.split(maxsplit=1)[0]
    # "The" goes small within a sentence, as the verb of a step does; "Paris", "NASA" and "iOS" stay.
    small = (
        word.istitle()
        and (word.lower() in STOP_WORDS or lead.endswith((",", ":")) or _MODAL.search(lead))
        and word != "I"
    )
    lead = lead.rstrip(" :")
    return _as_statement(f"{lead} {item[0].lower() + item[1:] if small else item}".rstrip(_TRAILING))


def _capitalized(text: str) -> str:
    """Return a claim whose opening was left out with a capital, unless its first word is a name such as iOS."""
    word = text.split(maxsplit=1)[0] if text else ""
    return text[:1].upper() + text[1:] if word.islower() and word.isalpha() else text


def _as_statement(text: str) -> str:
    """Return a claim as a sentence of its own."""
    if text.endswith("?"):
        text = text.rstrip("?! ") + "."
    if not text.endswith(_ENDED) and " " in text:
        text += "."
    return text[0].upper() + text[1:] if _SMALL.match(text) else text
