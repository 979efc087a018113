"""Takes markdown off a text, and finds its code."""

import html
import re
from bisect import bisect_right
from collections.abc import Callable
from operator import itemgetter

from secondpass.verify.tex import without_tex

__all__ = ["MAX_REGION", "Span", "all_bold", "code_end", "code_ranges", "code_spans", "hidden", "inside", "plain"]

Span = tuple[int, int]
"""Where something begins and ends in its text, in characters."""

MAX_REGION = 300
"""How far from its beginning an inline region (code, a quotation, brackets) may end, in characters.

Whoever reads a stream can't wait for ever for the end of what may have none.
"""

_TICKS = re.compile("`+")
_FENCE = re.compile(r"^(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)
_QUOTE_PREFIX = re.compile(r"\n[ \t]*(?:>[ \t]?)+")
_TASK = re.compile(r"^\s*\[[ xX]\]\s+")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\((?:[^()\s]|\([^()\s]{0,100}\)){0,500}(?:\s+\"[^\"\n]{0,200}\")?\)")
_REFERENCE = re.compile(r"(?<!\w)\[([^\[\]\d^][^\[\]]{0,200})\]\[[^\[\]]{0,50}\]")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,500})>")
_COMMENT = re.compile(r"<!--[^<>]{0,300}-->")
_TAG = re.compile(
    r"</?(?:br|b|i|u|s|em|strong|sub|sup|p|div|span|a|mark|kbd|small|del|ins|details|summary|ul|ol|li|answer|"
    r"final_answer|response|output)"
    r"(?:\s[^<>]{0,200})?\s?/?>"
    # Around the words that are cited for.
    r"|<cite(?:\s[^<>]{1,200})?>|</cite>|</?co(?:: ?\d[\d, ]{0,20})?>|\[/?cite_(?:start|end)\]"
    # Around something; "the <h1> tag" is about it.
    r"|<(?:h[1-6]|t[dhr]|thead|tbody|blockquote|section)(?:\s[^<>]{0,200})?>(?=[\w<\"\u201c*$])"
    r"|(?<=[\w>.!?:;,)\"\u201d*%])</(?:h[1-6]|t[dhr]|thead|tbody|blockquote|section)>",
    re.IGNORECASE,
)
_APART = re.compile(r"</?(?:br|p|li|div|h\d|t[dhr]|thead|tbody|blockquote|section)\b", re.IGNORECASE)
_RAISED = re.compile(r"<sup>\s?(-?\d{1,4})\s?</sup>", re.IGNORECASE)
_RAISED_SIGNS = str.maketrans("0123456789-", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_STARS = re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]{1,500})(?<=[^\s])\1(?![\w*])")
_ALL_BOLD = re.compile(r"[^\w*`]{0,8}(\*{2,3})(?=[^\s*])([^*\n]{1,100})(?<=\S)\1\s*")
_STRIKE = re.compile(r"~~(?=[^\s~])([^~]{1,500})~~")
# `__init__` is rather a name than a bold "init".
_BARS = re.compile(r"(?<!\w)(?:__(?=\S)([^_]{0,300}[\s][^_]{0,200})__|_(?=[^\s_])([^_]{1,500})_)(?!\w)")
_LOOSE_STARS = re.compile(r"^\*{1,3}(?=\w)|(?<=[\w.!?:;,)\"\u201d])\*{2,3}(?!\w)|(?<!\w)\*{2,3}(?=\w)")
_MARKUP = re.compile(r"[`*_~<>&\\\[\]$\ue000]|https?:")
_SPACE = re.compile(r"\s+")


def all_bold(text: str) -> str:
    """Return what a text that is bold from its first letter to its last one says; empty if it is not."""
    bold = _ALL_BOLD.fullmatch(text)
    return bold[2] if bold else ""


def code_spans(text: str) -> list[Span]:
    """Return the inline code of a text, its backticks included."""
    spans, at = [], 0
    while (opening := _TICKS.search(text, at)) is not None:
        end = code_end(text, opening.start(), opening.end())
        if end:
            spans.append((opening.start(), end))
        at = end or opening.end()
    return spans


def code_end(text: str, start: int, end: int) -> int:
    """Return where the code ends that the backticks at ``start:end`` begin; 0 if it doesn't."""
    for closing in _TICKS.finditer(text, end, min(len(text), end + MAX_REGION)):
        # A run that the limit cuts is none.
        if closing.end() - closing.start() == end - start and text[closing.end() : closing.end() + 1] != "`":
            return closing.end()
    return 0


def code_ranges(text: str) -> list[Span]:
    """Return where code stands in a whole markdown text, fenced and inline, in order."""
    ranges: list[Span] = []
    at = 0
    while (fence := _FENCE.search(text, at)) is not None:
        ranges += ((at + begin, at + end) for begin, end in code_spans(text[at : fence.start()]))
        mark = fence[1]
        closing = re.compile(rf"^[ \t>]*{re.escape(mark)}{re.escape(mark[0])}*[ \t]*$", re.MULTILINE)
        found = closing.search(text, fence.end())
        at = found.end() if found else len(text)
        ranges.append((fence.start(), at))
    return ranges + [(at + begin, at + end) for begin, end in code_spans(text[at:])]


def inside(position: int, ranges: list[Span]) -> bool:
    """Return whether a position lies in one of some ranges, which are in order."""
    at = bisect_right(ranges, position, key=itemgetter(0)) - 1
    return at >= 0 and ranges[at][0] <= position < ranges[at][1]


def hidden(text: str) -> list[Span]:
    """Return where words may stand that `plain` takes away: the addresses behind links, comments and tags."""
    spans = [match.span() for regex in (_COMMENT, _TAG) for match in regex.finditer(text)] if "<" in text else []
    if "](" in text or "][" in text:
        spans += [(match.end(1), match.end()) for regex in (_LINK, _REFERENCE) for match in regex.finditer(text)]
    return spans


def plain(text: str, strip: Callable[[str], str] | None = None) -> str:
    """Return a piece of markdown as plain text in one line.

    Links become their text, emphasis and simple tags go, formulas in TeX are written out, inline code becomes its
    content, untouched.

    Args:
        text: a sentence, or a cell of a table.
        strip: takes away what else should go, such as citation markers; it sees no code.
    """
    if _MARKUP.search(text) is None:  # most sentences have none
        return _SPACE.sub(" ", strip(text) if strip is not None else text).strip()
    parts, at = [], 0
    text = _TASK.sub("", _QUOTE_PREFIX.sub("\n", text))
    held: list[str] = []
    for begin, end in code_spans(text):
        ticks = len(text[begin:end]) - len(text[begin:end].lstrip("`"))
        held.append(text[begin + ticks : end - ticks].strip() or text[begin:end])
        # A word of a private character keeps its place while markup around it goes.
        parts += [text[at:begin], "\ue000"]
        at = end
    prose = _without_markup("".join([*parts, text[at:].replace("\ue000", "\ufffd")]), strip)
    contents = iter(held)
    prose = re.sub("\ue000", lambda _: next(contents, ""), prose)
    return _SPACE.sub(" ", prose).strip()


def _without_markup(text: str, strip: Callable[[str], str] | None) -> str:
    text = without_tex(text)
    if strip is not None:
        text = strip(text)
    text = _RAISED.sub(lambda match: match[1].translate(_RAISED_SIGNS), text)  # 10<sup>6</sup> is not 106
    for regex in (_COMMENT, _TAG):
        text = regex.sub(" " if regex is _COMMENT else _tag_blank, text)
    text = _REFERENCE.sub(r"\1", _LINK.sub(r"\1", _AUTOLINK.sub(r"\1", text)))
    for _ in range(2):  # emphasis within emphasis
        text = _BARS.sub(lambda match: match[1] or match[2], _STRIKE.sub(r"\1", _STARS.sub(r"\2", text)))
    text = _ESCAPE.sub(r"\1", _LOOSE_STARS.sub("", text))
    return html.unescape(text) if "&" in text else text


def _tag_blank(tag: "re.Match[str]") -> str:
    return " " if _APART.match(tag[0]) else ""
