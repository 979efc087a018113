"""Citation markers and quotations in an answer: where they stand, what they belong to, and whether they hold."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter

from secondpass.errors import ConfigError, InputError
from secondpass.verify.claims.markup import Span, code_ranges, inside, plain
from secondpass.verify.types import Citation, Claim

__all__ = [
    "DEFAULT",
    "NAMES_SOURCES",
    "CitationCheck",
    "CitationMarker",
    "CitationStream",
    "CitingClaim",
    "Quote",
    "check_citations",
]
__all__ += ["citations_of", "cited", "citing_claims", "find_citations", "find_quotes", "is_marker", "marker_pattern"]
__all__ += ["quote_in", "strip_citations"]

_NUMBER = r"\^?\d{1,4}\^?"
_NUMBERS = rf"{_NUMBER}(?:(?:\s?[,;\u2013-]\s?|,? (?:and|&) ){_NUMBER}){{0,50}}"
# Where in a source: "p. 3", "pages 3-5", "section 2.1", "\u00a7 4".
_PLACE = (
    r"(?:(?:\s?[,;:\u2013-]\s?|\s)(?:(?:pp?|pgs?|ch|sec|sect|paras?|par|art|l|fig)\.|(?i:pages?|chapters?|sections?|paragraphs?|lines?|figures?|tables?)"
    r"|\u00a7{1,2})\s?\d{1,4}(?:[.\u2013-]\d{1,4}){0,3})?"
)
_NOUN = (
    r"(?:sources?|src|docs?|documents?|passages?|refs?|references?|contexts?|chunks?|cit(?:e|es|ation|ations)|snippets?|"
    r"excerpts?|(?:(?:web|search) )?results?|articles?|texts?|ids?|web|search|evidence|quellen?|fuentes?|fontes?"
    r"|dokumente?|documentos?)(?:[ _-]ids?)?\s?[:_#.=-]?\s?"
)
_SEE = r"(?:see|cf\.?|per|from|according to|based on|as (?:stated|noted|mentioned|described|shown|seen) in) "
_SOURCES = rf"(?i:{_NOUN}){_NUMBERS}(?:(?:\s?[,;]\s?(?:and )?|\s(?:and|&)\s)(?i:{_NOUN}){_NUMBERS}){{0,20}}"
_NAMED = rf"(?:{_SOURCES}|[SDR#]?{_NUMBERS}){_PLACE}"
_LINK = r"\((?:https?://|www\.|#|/)[^()\s]{0,300}\)"
_RAISED = "\u00b9\u00b2\u00b3\u2070\u2074-\u2079"
_TAG = r"(?:cite|citation|inref|ref|source)s?"
# What names its source, and no passage: by pages alone, by a file, as "Source: ...", by authors and year, or by keys.
_PAGES = r"(?i:pp?\.|pgs?\.|pages?)\s?\d{1,4}(?:\s?[\u2013,-]\s?\d{1,4}){0,5}"
_FILE = r"[\w][\w .()/-]{0,100}\.(?:pdf|docx?|md|html?|txt|csv|json|xlsx?|pptx?)\b(?:#[\w=&-]{1,40}|:\d{1,5}\b)?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\b"
_AUTHOR = rf"(?!{_MONTH})[A-Z][^\W\d_]{{0,30}}(?:['\u2019-][^\W\d_]{{1,30}})?"
_YEAR = r",?\s(?:1[5-9]|20)\d\d[a-z]?"
_AUTHORS = rf"{_AUTHOR}(?:(?:,|,?\s(?:and|&))\s{_AUTHOR}){{0,5}}(?:,?\set al\.?)?{_YEAR}(?:,\s{_PAGES})?"
# In round brackets a name and a year may be what is said: "(Apollo, 1969)".
_SEVERAL = rf"{_AUTHOR}(?:(?:,?\s&\s{_AUTHOR}|,?\set al\.?){_YEAR}(?:,\s{_PAGES})?|{_YEAR},\s{_PAGES})"
_TOLD_BY = (
    r"(?<=\w),? (?:as (?:stated|noted|mentioned|described|shown|seen|reported) (?:in|by)|according to) "
    rf"(?:\[{_NUMBERS}\]|(?i:sources?|passages?|documents?|docs?|contexts?|excerpts?|snippets?) {_NUMBERS})"
)
_SOURCE_LINK = r"\[[^\[\]\n]{1,100}\]\(https?://[^()\s]{0,300}\)"
# Links of numbers are markers one by one, as they are without brackets around them.
_NUMBER_LINKS = rf"\[{_NUMBERS}\]{_LINK}(?:[,;]?\s?\[{_NUMBERS}\]{_LINK}){{0,10}}\)"
_LETTERED = r"(?i:passages?|sources?|docs?|documents?|contexts?) [A-Z]"
_KEYS = (
    r"~?\\[cC]ite[a-z]{0,10}\*?(?:\[[^\[\]]{0,60}\]){0,2}\{[^{}]{1,200}\}"
    r"|\[-?@[\w:.-]{1,60}(?:[,;][^\[\]]{0,100})?\]"
)
DEFAULT = re.compile(
    rf"\[\[(?:{_NUMBERS}|{_SOURCES})\]\](?:{_LINK})?"
    rf"|\[\s?{_NAMED}\s?\](?:{_LINK}|(?![(=a-z_0-9]))|\[(?i:{_SEE}){_SOURCES}{_PLACE}\]"
    rf"|\((?i:{_SEE})?{_SOURCES}{_PLACE}\)|\({_NUMBER}{_PLACE.removesuffix('?')}\)"
    rf"|\[(?:(?i:{_NOUN}))?\d{{1,3}}(?::\s|\s[\u2013\u2014-]\s)[^\W\d_][^\[\]\n]{{0,100}}\]"
    rf"|\((?i:{_SEE})\[{_NUMBERS}\](?:(?:\s?[,;]?\s?| and )\[{_NUMBERS}\]){{0,20}}\)"
    rf"|\\\[{_NUMBERS}\\\]|\[[{_RAISED}]{{1,3}}\]"
    rf"|(?:(?<=[a-z]{{4}})|(?<=\b1[5-9]\d\d)|(?<=\b20\d\d))\^\d{{1,2}}(?=\s?(?:[.,;:!?](?!\w)|\Z|\n))"
    r"|(?:(?<=[a-z]{4})|(?<=\b1[5-9]\d\d)|(?<=\b20\d\d)|(?<=\w )|(?<=[.,;:!?]))\^\d{1,2}(?:,\d{1,2}){0,5}\^(?!\w)"
    rf"|(?<=\w )(?:\{{{{1,2}}{_NUMBERS}\}}{{1,2}}){{1,5}}(?=\s?(?:[.,;:!?](?!\w)|\Z|\n))"
    rf"|\{{{{1,2}}(?i:{_NOUN}){_NUMBERS}\}}{{1,2}}|<\|(?i:{_NOUN}){_NUMBERS}\|>|</co: ?{_NUMBERS}>"
    rf"|:(?:cite|citation|ref)\[{_NUMBERS}\]|\^\[{_NUMBERS}\]\^?|[\uff3b\u3014]{_NUMBERS}[\uff3d\u3015]"
    rf"|\$\^(?:\{{\[?{_NUMBERS}\]?\}}|\d)\$|\[{_TAG}\]\s?{_NUMBERS}\s?\[/{_TAG}\]"
    rf"|{_TOLD_BY}(?=\s?(?:[.;!?](?!\w)|\Z|\n))"
    rf"|\u3010[^\u3010\u3011]{{1,100}}\u3011|\u27e6{_NAMED}\u27e7|\[\d{{1,3}}[\u2020\u2021][^\[\]]{{0,60}}\]"
    rf"|(?<=\w )\(\d{{1,2}}(?:[,;]\s?\d{{1,2}}){{0,5}}\)(?=\s?(?:[.,;:!?](?!\w)|\Z|\n))"
    rf"|<sup>\s?\[?{_NUMBERS}\]?(?:{_LINK})?\s?</sup>"
    rf"|\u207d[{_RAISED}]{{1,3}}(?:[,\u2009\u02d2][{_RAISED}]{{1,3}}){{0,20}}\u207e"
    rf"|(?<![\s(\[\u207a\u207b])[{_RAISED}]{{1,3}}(?:[,\u2009\u02d2][{_RAISED}]{{1,3}}){{0,20}}(?![\w\u207b])"
    rf"|<{_TAG}\b[^<>]{{0,200}}(?:/>|>\s?(?:\[{_NUMBERS}\]|{_NAMED})?\s?</{_TAG}>)"
    r"|\ue200?cite(?:\ue202?turn\d{1,4}[a-z]{3,12}\d{1,4}){1,20}\ue201?"
    rf"|(?P<named>[\[(](?:(?i:sources?|quellen?|fuentes?):\s?[^\[\]()\n]{{1,100}}|(?i:{_SEE})?{_PAGES})[\])]"
    rf"|\[(?i:{_SEE})?(?:{_FILE}{_PLACE}|{_AUTHORS}(?:;\s{_AUTHORS}){{0,10}})\](?![(=a-z_0-9])"
    rf"|\((?i:{_SEE})?(?:{_SEVERAL}(?:;\s{_SEVERAL}){{0,10}}|{_FILE}{_PLACE.removesuffix('?')})\)"
    rf"|[\[(](?i:{_SEE})?{_LETTERED}[\])]|\[\^[^\W\d][\w-]{{0,30}}\]"
    rf"|\((?!{_NUMBER_LINKS}){_SOURCE_LINK}(?:[,;]?\s{_SOURCE_LINK}){{0,10}}\)"
    rf"|(?<!\bthis )(?<!\bthe )\[{{1,2}}(?:(?i:sources?|refs?|references?|citations?)\]{{1,2}}{_LINK}"
    rf"|(?i:links?)\]{{1,2}}{_LINK}(?=\s?(?:[.;!?](?!\w)|\Z|\n)))|{_KEYS})"
)
"""Finds the markers that language models are seen to write, and those of footnotes.

``[1]``, ``[2, 3]``, ``[1-3]``, ``[^1]``, ``^[1]``, each of ``[1][2]``, ``[[1]]``, links of a number
(``[1](https://...)``), ``{{cite:1}}``, ``<|cite_1|>``, ``:cite[1]``, ``[ref]1[/ref]``, ``</co: 0>`` (from 0, too),
``[Source 2]``, ``[1, p. 3]``, ``[doc1]``, ``[S1]``, ``[#1]``, ``[ID:0]`` (which counts from 0), ``(Source 1)``,
``(see passage 1)``, ``(cf. [1])``, ``(1)``, ``{1}`` or ``^1`` at the end of a clause, ``according to passage 1`` there,
``^1^``, ``[1\u2020source]`` and ``\u30101\u2020source\u3011``, raised figures, and tags such as ``<cite>1</cite>``. The
group ``named`` finds those that number no passage: ``[p. 4]``, ``[report.pdf, page 4]``, ``(Source: ...)``,
``[Passage A]``, ``[Smith 2010]``, ``(Smith & Lee, 2010)``, ``[^smith]``, ``[@smith10]``, ``\\cite{smith10}``,
``[source](https://...)`` and any link in brackets of its own. What only looks like a marker is left to `is_marker`.
"""

# "Source: passage 1.", as a sentence of its own.
_ONE_SOURCE = rf"(?:{_SOURCES}|{_FILE}|{_LETTERED}){_PLACE}"
NAMES_SOURCES = re.compile(
    rf"\W{{0,5}}(?i:sources?|references?|citations?|quellen?)\W{{0,5}}:\W{{0,5}}{_ONE_SOURCE}"
    rf"(?:(?:\s?[,;&]\s?|\sand\s|,\sand\s){_ONE_SOURCE}){{0,10}}\W{{0,5}}"
)
"""Matches a sentence that is nothing but where the ones before it are from: "Source: passage 1."."""

# An index into something (x[1], sys.argv[1], f(x)[1], grid[1][2]); "Paris[1]", "U.S.[1]" and "1999.[1][2]" are none.
_INDEXED = re.compile(r"(?:(?<!\w)[a-z]|\w_\w*|_\w*|\w\.\w*[^\W\d]\w*|\w\([^()\s]*\))(?:\[\d+\]){0,8}\Z")
# Behind these a list of numbers is what it says: an interval, a vector.
_VALUED = re.compile(
    r"(?:[=:\u2208~<>(]|\b(?:is|are|was|were|be|equals?|ci|intervals?|ranges?|vectors?|lists?|arrays?|tuples?|sets?|"
    r"matrix|values?|bounds?|limits?|shapes?|coordinates?|returns?|gives?|yields?|between))\s*\Z",
    re.IGNORECASE,
)
# Behind these two numbers in round brackets are a place.
_PLACED = re.compile(
    r"\b(?:points?|positions?|cells?|pixels?|vert(?:ex|ices)|nodes?|entry|entries|pairs?|at)\s*\Z", re.I
)
# A raised figure behind one of these is a power: m\u00b2, 10\u00b3, x\u00b2; a year is none.
_POWER = re.compile(r"(?:(?<![^\W\d_])[^\W\d_]{1,2}|(?<!\d)(?!(?:1[5-9]|20)\d\d\Z)[\d.,]*\d|[)%\u03c3\u03c0])\Z")
# "within ten (10) days" says it twice.
_IN_WORDS = re.compile(
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|teen|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundred)\s*\Z",
    re.IGNORECASE,
)
_AT_A_PLACE = re.compile(_PLACE.removesuffix("?"))
_TITLED = re.compile(r"\[[^\W\d]{0,12}[\s.:_#-]{0,3}(\d{1,3})(?::\s|\s[\u2013\u2014-]\s)[^\W\d_]")
_YEAR_ALONE = re.compile(r"(?:1[5-9]|20)\d\d\s?(?:\]|\Z)")
_ARTICLE = re.compile(rf"\((?:{_SEE})?articles? \d", re.IGNORECASE)  # "[Article 1]" may be a passage
_FROM_ZERO = re.compile(r"[\[(]\s?ids?\s?:|</co:", re.IGNORECASE)
_RAISED_DIGITS = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_URL = re.compile(r"\((?:https?://|www\.|#|/)[^()\s]{0,300}\)\Z")
_FIRST_YEAR, _LAST_YEAR = 1500, 2099
_BEFORE = 80
_MAX_RANGE = 50
_DIGITS = re.compile(r"\d+")
_RAISED_SIGNS = frozenset("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_RANGE = re.compile(r"(\d{1,9})\s?[\u2013-]\s?\^?(\d{1,9})")
_DOUBLE = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_SINGLE = "'\u2018\u2019\u201a\u201b`\u00b4"
_QUOTES = re.compile(
    r"(?<![\w\"])\"(?=[^\s\"])([^\"]{1,1000})\"(?!\w)"
    "|\u201c([^\u201c\u201d]{1,1000})\u201d|\u00ab([^\u00ab\u00bb]{1,1000})\u00bb"
    "|\u201e([^\u201c\u201d\u201e]{1,1000})[\u201c\u201d]"
)
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_LETTER = re.compile(r"[^\W\d_]")
# What joins two markers, and the bracket that opens around them: "([1], [2])", "(Sources: [1] and [2])".
_BETWEEN = re.compile(r"\s{0,2}[,;\u2013-]?\s{0,2}(?:(?:and|or|&)\s{1,2})?")
_OPENED = re.compile(
    r"[(\[](?:(?:see|cf\.?|per|from|sources?|refs?\.?|references?|citations?|documents?|docs?|passages?)\s?:?\s?)?\Z",
    re.IGNORECASE,
)
_MAX_OPENED = 16
_MIN_WORDS = 3
_MOST_RUNS = 4  # that a quotation is put together of
_MOST_QUOTED = 100  # words of a quotation that is looked into
_MOST_LISTED = 3  # numbers, quotations or suggestions in one sentence
_PIECES = re.compile(rf"(\s+|[{_DOUBLE}]|[{re.escape(_SINGLE)}])")


@dataclass(frozen=True, slots=True)
class CitationMarker:
    """A citation marker in an answer.

    Attributes:
        start: where it begins in the answer, in characters.
        end: where it ends.
        text: the marker itself: ``answer[start:end]``.
        numbers: what it cites, as written, in order and each once; 1 is the first passage.
    """

    start: int
    end: int
    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What stands between quotation marks in an answer; ``answer[start:end]`` is ``text``, without the marks."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class CitingClaim:
    """A claim with what it cites and quotes.

    Attributes:
        claim: the claim.
        markers: the citation markers that belong to it.
        quotes: what it has in quotation marks.
        sentence: the whole sentence that it is of, without markup and markers.
    """

    claim: Claim
    markers: tuple[CitationMarker, ...]
    quotes: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class CitationCheck:
    """What is known of a claim's citations.

    Attributes:
        suggested: numbers of passages, from 1, that support the claim by themselves and are not cited for it.
        reason: what is wrong with the citations; empty if nothing is.
    """

    citations: tuple[Citation, ...]
    suggested: tuple[int, ...]
    reason: str


def marker_pattern(pattern: str | re.Pattern[str] | None) -> re.Pattern[str]:
    """Return a pattern of citation markers, compiled; `DEFAULT` for None.

    Raises:
        ConfigError: it is no regular expression for texts, or it matches the empty text.
    """
    if pattern is None:
        return DEFAULT
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as exc:
        raise ConfigError(f"the pattern of citation markers is not a regular expression: {exc}") from exc
    if not isinstance(compiled.pattern, str) or compiled.search("") is not None:
        raise ConfigError("the pattern of citation markers must be a str, and must not match the empty text")
    return compiled


def find_citations(answer: str, pattern: str | re.Pattern[str] | None = None) -> tuple[CitationMarker, ...]:
    """Return the citation markers of an answer, in order.

    Code, fenced or inline, holds none, nor does the definition of a footnote (``[1]: ...`` at the beginning of a line).

    Args:
        answer: the whole answer, markdown or not.
        pattern: finds a marker; `DEFAULT` for None. The numbers are read from its first group, or from all of
            it if there is none; ``1-3`` is a range.

    Raises:
        InputError: the answer is no str.
        ConfigError: the pattern can't be used.
    """
    regex = marker_pattern(pattern)
    if not isinstance(answer, str):
        raise InputError(f"the answer must be a str, not {type(answer).__name__}")
    code = code_ranges(answer)
    markers = []
    for match in regex.finditer(answer):
        numbers = cited(match)
        if numbers and is_marker(match) and not inside(match.start(), code):
            markers.append(CitationMarker(*match.span(), match[0], numbers))
    return tuple(markers)


def is_marker(match: re.Match[str]) -> bool:
    """Return whether a match of the pattern is a marker.

    An index, an interval, a vector, a power, a year, an article of a law and the definition of a footnote are not.
    """
    if match.end() == match.start() or _defines(match):
        return False
    if match.re is not DEFAULT:
        return True
    first, before = match[0][0], match.string[max(0, match.start() - _BEFORE) : match.start()]
    if first == "[":
        inner = match[0][1:].partition("](")[0].lstrip()  # without its address
        if _YEAR_ALONE.match(inner):
            return False
        is_list = inner[0].isdecimal() and len(_DIGITS.findall(inner)) > 1
        if is_list and (_VALUED.search(before) or re.search(r"\b0\b", inner)):
            return False
        return _INDEXED.search(before) is None
    if first == "(" and _ARTICLE.match(match[0]):
        return False
    if first == "(" and match[0][1].isdecimal():
        if match[0][1:-1].isdecimal():
            return _IN_WORDS.search(before) is None
        return not (_VALUED.search(before) or _PLACED.search(before) or re.search(r"\b0\b", match[0]))
    if first == "{":
        return match[0].strip("{ ")[0].isalpha() or _VALUED.search(before) is None
    if first in _RAISED_SIGNS or first in "\u207d$" or match[0].startswith("<sup>"):
        return _POWER.search(before) is None
    return True


def cited(match: re.Match[str]) -> tuple[int, ...]:
    """Return the numbers of a marker, as passages are counted, from 1; none if it has an address or a name."""
    if match.re is not DEFAULT:
        return _numbers(match[1] if match.re.groups and match[1] is not None else match[0])
    if match["named"]:
        return ()
    text = _URL.sub("", match[0]).translate(_RAISED_DIGITS)
    text = re.split("[\u2020\u2021]", text)[0]
    if text[0] == "\u3010":
        return _numbers(text) if text.strip("\u3010\u3011 ").isdecimal() else ()
    if text[0] == "<" and not text.startswith(("<|", "</co")):
        text = re.sub(r"<[^<>]*>", " ", text)
    elif text[0] in "\ue200c":
        return ()
    if titled := _TITLED.match(text):
        return (int(titled[1]),)
    numbers = _numbers(_AT_A_PLACE.sub("", text))
    if len(numbers) > 1:  # "[Source 1, 2021]"
        numbers = tuple(number for number in numbers if not _FIRST_YEAR <= number <= _LAST_YEAR) or numbers
    return tuple(number + 1 for number in numbers) if _FROM_ZERO.match(text) else numbers


def strip_citations(text: str, pattern: re.Pattern[str] = DEFAULT) -> str:
    """Return a text without its citation markers, and the blanks before them.

    What joins markers goes with them, and so do the emphasis and the brackets that are around them alone.
    """
    runs: list[Span] = []
    for match in pattern.finditer(text):
        if not is_marker(match):
            continue
        joins = runs and _BETWEEN.fullmatch(text, runs[-1][1], match.start())
        runs.append((runs.pop()[0] if joins else match.start(), match.end()))
    parts, at = [], 0
    for start, end in runs:
        before = text[at:start]
        opened = _OPENED.search(before[-_MAX_OPENED:])
        if opened and text.startswith(")" if opened[0][0] == "(" else "]", end):
            before, end = before[: len(before) - len(opened[0])], end + 1
        bare = before.rstrip("*_")
        stars = before[len(bare) :]
        if stars and (not bare or bare[-1].isspace()) and text.startswith(stars, end):
            before, end = bare, end + len(stars)
        parts.append(before.rstrip())
        # "It closed. [1]." has two full stops.
        at = end + (parts[-1].endswith((".", "!", "?")) and text.startswith(".", end))
    return "".join(parts) + text[at:]


def _defines(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 4) : match.start()]
    return match.string[match.end() : match.end() + 1] == ":" and not before.rpartition("\n")[2].strip()


def _numbers(text: str) -> tuple[int, ...]:
    numbers: list[int] = []
    at = 0
    while (found := _DIGITS.search(text, at)) is not None:
        span = _RANGE.match(text, found.start())
        if span and int(span[1]) < int(span[2]) <= int(span[1]) + _MAX_RANGE:
            numbers += range(int(span[1]), int(span[2]) + 1)
            at = span.end()
        else:
            numbers.append(int(found[0][:9]))
            at = found.end()
    return tuple(dict.fromkeys(numbers))


def citations_of(claims: Sequence[Claim], markers: Sequence[CitationMarker]) -> list[tuple[CitationMarker, ...]]:
    """Return the markers that belong to each claim.

    A marker belongs to the claim that it stands in; sentences hold the markers that directly follow them. A claim
    without one takes the next ones of its sentence, as "A and B [1]." cites for both. Markers that are all there is
    of a line belong to the claim before it.

    Args:
        claims: of `split_claims`, in order.
        markers: of `find_citations`, in order.
    """
    belong: list[list[CitationMarker]] = [[] for _ in claims]
    owners: list[int] = []
    for at, claim in enumerate(claims):
        owners.append(owners[-1] if at and _holds_only_markers(claim) else at)
    at = 0
    for marker in markers if claims else ():
        while at + 1 < len(claims) and claims[at + 1].start <= marker.start:
            at += 1
        if not claims[at].start <= marker.start < claims[at].end:
            continue  # of a sentence that is not among the claims
        owner = owners[at]
        # A decomposer makes several claims of one place, and all of them are cited for.
        place = (claims[owner].start, claims[owner].end)
        while owner >= 0 and (claims[owner].start, claims[owner].end) == place:
            belong[owner].append(marker)
            owner -= 1
    found = [tuple(own) for own in belong]
    for index in range(len(claims) - 2, -1, -1):
        if not found[index] and claims[index].sentence == claims[index + 1].sentence:
            found[index] = found[index + 1]
    return found


def _holds_only_markers(claim: Claim) -> bool:
    return not claim.checkable and not any(map(str.isalpha, claim.text))


def citing_claims(answer: str, claims: Sequence[Claim], pattern: re.Pattern[str] = DEFAULT) -> list[CitingClaim]:
    """Return claims with the citation markers that belong to them and what they quote, in linear time.

    Each sentence is read by itself, and so the same is found in an answer that is still being generated.

    Args:
        answer: what the claims are of, at least up to the end of the last one.
        claims: of `split_claims`, in order, or a part of them; a decomposer may have made several of one place.
        pattern: finds citation markers.
    """
    markers: list[CitationMarker] = []
    quotes: list[tuple[str, ...]] = []
    sentences: list[str] = []
    for _, group in groupby(claims, key=attrgetter("sentence")):
        own = list(group)
        start, end = min(claim.start for claim in own), max(claim.end for claim in own)
        sentence = answer[start:end]
        markers += (
            CitationMarker(start + found.start, start + found.end, found.text, found.numbers)
            for found in find_citations(sentence, pattern)
        )
        quoted = find_quotes(sentence)
        begins = [start + quote.start for quote in quoted]
        for claim in own:
            within = quoted[bisect_left(begins, claim.start) : bisect_left(begins, claim.end)]
            quotes.append(tuple(quote.text for quote in within if start + quote.end <= claim.end))
            sentences.append(plain(sentence, lambda text: strip_citations(text, pattern)))
    belonging = citations_of(claims, markers)
    return [CitingClaim(*each) for each in zip(claims, belonging, quotes, sentences, strict=True)]


class CitationStream:
    """Holds the claims of an answer that is being generated until all the markers that belong to them have come.

    Only markers that are all there is of a line come after their claim has ended. So the claims of a sentence are
    given out when a letter shows that something else follows them, when the next claim does, or at the end.

    Args:
        pattern: finds citation markers.
    """

    def __init__(self, pattern: re.Pattern[str] = DEFAULT) -> None:
        self._pattern = pattern
        self._held: list[Claim] = []
        self._at = 0  # how far the answer has been looked at
        self._undecided = False  # whether the next letter can tell that no line of markers follows

    def feed(self, answer: str, ended: Sequence[Claim]) -> list[Claim]:
        """Return the claims of which all markers are in the answer, in order.

        Args:
            answer: as much of it as there is.
            ended: the claims that have ended since the last call.
        """
        released: list[Claim] = []
        for claim in ended:
            if self._held and claim.sentence != self._held[-1].sentence and not _holds_only_markers(claim):
                released += self._held
                self._held = []
            self._held.append(claim)
        if ended:
            self._at, self._undecided = ended[-1].end, True
        if self._held and self._undecided:
            begin = self._held[-1].end
            letter = _LETTER.search(answer, self._at)
            self._at = letter.start() if letter else len(answer)
            if letter:
                self._undecided = False
                between = answer[begin : self._at]
                # In links, tags, entities and markers stand letters that are none of the claim's text.
                if not any(sign in between for sign in "[<&(\u3010") and not self._pattern.search(between):
                    released += self.finish()
        return released

    def finish(self) -> list[Claim]:
        """Return the claims that are left, as the answer has ended."""
        released, self._held = self._held, []
        return released


def find_quotes(answer: str) -> tuple[Quote, ...]:
    """Return the quotations of at least three words in an answer, in order; code holds none.

    Raises:
        InputError: the answer is no str.
    """
    if not isinstance(answer, str):
        raise InputError(f"the answer must be a str, not {type(answer).__name__}")
    code = code_ranges(answer)
    quotes = []
    for match in _QUOTES.finditer(answer):
        group = match.lastindex or 1
        if not inside(match.start(), code) and len(_WORD.findall(match[group])) >= _MIN_WORDS:
            quotes.append(Quote(*match.span(group), match[group]))
    return tuple(quotes)


def quote_in(quote: str, passage: str) -> Span | None:
    """Return where a passage says what is quoted, word for word; None if it doesn't.

    Blanks, the style of quotation marks, the case of the first letter, and punctuation at the very end (that may
    be the quoting sentence's own) make no difference.
    """
    words = quote.strip().rstrip(".,;:!?\u2026").rstrip()
    if not words:
        return None
    pieces = [_as_pattern(piece) for piece in _PIECES.split(words) if piece]
    first = words[0]
    if first.lower() != first.upper() and len(first.lower()) == len(first.upper()) == 1:
        pieces[0] = f"[{first.lower()}{first.upper()}]" + pieces[0][1:]
    found = re.search(rf"(?<!\w){''.join(pieces)}(?!\w)", passage)
    return None if found is None else found.span()


def _as_pattern(piece: str) -> str:
    if piece.isspace():
        return r"\s+"
    if piece in _DOUBLE:
        return f"[{_DOUBLE}]"
    return f"[{re.escape(_SINGLE)}]" if piece in _SINGLE else re.escape(piece)


def check_citations(
    markers: Sequence[CitationMarker],
    quotes: Sequence[str],
    texts: Sequence[str],
    alone: Callable[[int], tuple[float, bool] | None],
    scored: Sequence[int],
    supported: bool,
) -> CitationCheck:
    """Check the markers that stand with a claim.

    Args:
        markers: the claim's.
        quotes: what the claim has in quotation marks.
        texts: the passages.
        alone: the probability that a passage by itself supports the claim, and whether that is enough; None if
            nothing of it was scored.
        scored: the passages of which something was scored.
        supported: whether the claim is supported.
    """
    citations = [
        _citation(marker, number, len(texts), alone) for marker in markers for number in dict.fromkeys(marker.numbers)
    ]
    cited = {citation.passage for citation in citations if citation.passage is not None}
    suggested: list[int] = []
    if supported:
        found = [(alone(passage), passage) for passage in scored if passage not in cited]
        able = sorted((-each[0], passage) for each, passage in found if each is not None and each[1])
        suggested = [passage + 1 for _, passage in able[:_MOST_LISTED]]
    return CitationCheck(tuple(citations), tuple(suggested), _what_is_wrong(citations, cited, quotes, texts, supported))


def _citation(
    marker: CitationMarker, number: int, n_passages: int, alone: Callable[[int], tuple[float, bool] | None]
) -> Citation:
    exists = 1 <= number <= n_passages
    found = alone(number - 1) if exists else None
    return Citation(
        marker.text,
        marker.start,
        marker.end,
        number,
        number - 1 if exists else None,
        exists,
        found is not None and found[1],
        None if found is None else found[0],
    )


def _what_is_wrong(
    citations: Sequence[Citation], cited: set[int], quotes: Sequence[str], texts: Sequence[str], supported: bool
) -> str:
    parts = []
    absent = sorted({citation.number for citation in citations if not citation.exists})
    if absent:
        parts.append(f"it cites {_listed(absent)}, but there are {len(texts)} passages")
    if supported and cited and not any(citation.supports for citation in citations):
        parts.append(f"no cited passage ({_listed(sorted(at + 1 for at in cited))}) supports it by itself")
    missing = [quote for quote in quotes if not any(quote_in(quote, texts[at]) for at in cited)] if texts else []
    parts += filter(None, (_whose_words(quote, cited, texts) for quote in missing[:_MOST_LISTED]))
    return "; ".join(parts)


def _whose_words(quote: str, cited: set[int], texts: Sequence[str]) -> str:
    """Return whether a quotation that no cited passage has is of another one, stitched together, or invented."""
    said = f"the words {quote[:80]!r}"
    elsewhere = [at + 1 for at, text in enumerate(texts) if at not in cited and quote_in(quote, text)]
    if elsewhere:
        return f"{said} are in {_listed(elsewhere)}, not in {_listed(sorted(at + 1 for at in cited))}" if cited else ""
    apart = [at + 1 for at, text in enumerate(texts) if _is_stitched(quote, text)]
    if apart:
        return f"{said} are put together of what stands apart in {_listed(apart)}"
    return f"no {'cited ' if cited else ''}passage has {said}"


def _is_stitched(quote: str, passage: str) -> bool:
    """Return whether a text has all the words of a quotation in a few runs of two words or more."""
    words = [word.lower() for word in _WORD.findall(quote)]
    held = [word.lower() for word in _WORD.findall(passage)]
    if len(words) > _MOST_QUOTED or not set(words) <= set(held):
        return False
    places: dict[tuple[str, str], list[int]] = {}
    for at, pair in enumerate(pairwise(held)):
        places.setdefault(pair, []).append(at)
    runs, at = 0, 0
    while at < len(words):
        here = places.get((words[at], words[at + 1]), []) if at + 1 < len(words) else []
        if not here or runs == _MOST_RUNS:
            return False
        reached = at + 1
        while here and reached < len(words):  # as far as any of the places goes
            length = reached - at
            here = [place for place in here if held[place + length : place + length + 1] == [words[reached]]]
            reached += bool(here)
        runs, at = runs + 1, reached
    return runs > 1


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _MOST_LISTED} more" if len(numbers) > _MOST_LISTED else ""
    return ", ".join(f"[{number}]" for number in numbers[:_MOST_LISTED]) + more
