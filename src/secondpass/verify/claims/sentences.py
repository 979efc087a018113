"""Sentences of a paragraph, as soon as they have ended."""

import re

import sentencex  # type: ignore[import-untyped]

from secondpass.verify.claims.citations import DEFAULT, is_marker
from secondpass.verify.claims.conjuncts import has_finite_verb
from secondpass.verify.claims.markup import MAX_REGION, Span, all_bold, code_end
from secondpass.verify.words import word_set

__all__ = ["SentenceScanner"]

_STOPS = ".!?\u2026\u203d\u3002\uff01\uff1f\uff0e\u0964\u0965\u061f\u06d4"
_WIDE_STOPS = "\u3002\uff01\uff1f\uff0e\u0964\u0965"  # no space follows these
_CLOSING = {
    '"': '"', "\u201c": "\u201d", "\u201e": "\u201c\u201d", "\u00ab": "\u00bb", "(": ")", "[": "]",
    "\uff08": "\uff09", "\u300c": "\u300d", "\u300e": "\u300f",
}  # fmt: skip
_BRACKETS = "([\uff08"
_TOKEN = re.compile(rf"`+|[{re.escape(''.join(_CLOSING))}]|[{re.escape(_STOPS)}]+|\n|<")
# What ends a line, an item or a paragraph of HTML; and what may still become that.
_BLOCK_TAG = re.compile(
    r"<(/?)(?:(h[1-6])|br|p|li|[uo]l|div|table|tr|blockquote|section|hr)(?:\s[^<>]{0,200})?\s?/?>", re.IGNORECASE
)
_GOES_ON = re.compile(r"\s*[a-z.,;:)]")  # "The <p> tag", "two<br>lines"
_OPEN_TAG = re.compile(r"</?(?:[a-zA-Z][a-zA-Z\d]{0,9}(?:\s[^<>]{0,200})?\s?/?)?\Z")
# "Weight: 2.3 kg", with another key in the next line.
_KEY_WORDS = r"[\s>]{0,12}\*{0,3}(?P<first>[^\W\d_])[^\n:.!?;]{0,40}"
_KEY = re.compile(rf"{_KEY_WORDS}(?::\*{{0,3}}|\*{{0,3}}:)[ \t]+(?=\S)")
_KEY_SO_FAR = re.compile(rf"[\s>]{{0,12}}\*{{0,3}}|{_KEY_WORDS}(?::?\*{{0,3}}|\*{{0,3}}:)[ \t]*")
_CLOSERS = re.compile("[\"\u201d\u2019'\u00bb)\\]*_~\uff09\u300d\u300f]*")
_BLANKS = re.compile(r"[^\S\n]*")
_WORD_BEGINNING = 12  # characters; more of the next word makes no difference
_WORD = re.compile(rf"[^\W_][\w'\u2019-]{{0,{_WORD_BEGINNING - 1}}}")
_ENUMERATOR = re.compile(r"\W{0,20}(?:\d{1,3}|[A-Za-z])\Z")
_LAST_WORD = re.compile(r"[\w.]+\Z")
_NOISE = re.compile(r"[^\w\s.,'\u2019-]")
_SPACE = " \t\r\n"
_DASHES = "-\u2013\u2014"
# What sentencex does not take for abbreviations, and what it does not so before numbers.
_ABBREVIATIONS = frozenset({"i.e", "e.g", "approx", "resp", "viz", "incl", "excl", "est", "ca", "cf", "vs", "v"})
_BEFORE_NUMBERS = frozenset(
    {"no", "nos", "vol", "vols", "eq", "eqs", "fig", "figs", "ch", "sec", "tab", "art", "p", "pp", "pt", "tel", "ver"}
)
# These end a sentence only before a word with a capital: "max. 5 kg", "ed. by", "10 deg. C".
_SHORTENED = word_set(
    "max min temp deg avg ed eds tbsp tbs tsp pub rev trans incl excl misc dept govt assn univ spec ref sect par para "
    "suppl repl int ext qty amt pkg hr hrs mins secs wk wks yr yrs mo mos lb lbs oz sq cu ft bn mn tn pts"
)
_HALF_OF_DAY = frozenset({"a.m", "p.m"})
# What follows a time of day in its own sentence.
_BEHIND_TIME = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|eastern|pacific|central|mountain|[a-z]{0,2}[sd]?t|gmt|utc|cest?|bst|"
    r"jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec|january|february|march|april|august|september|october|"
    r"november|december|local"
)
_MEASURED = re.compile(
    r"(?:\d\s?(?:[kmc\u00b5]?m|[kmc]?g|m?l|[kmg]?b|lbs?|oz|ft|yd|mi|sec|min|hrs?|[kmg]?w|[kmg]?hz|\u00b0\s?[cf])"
    r"|/(?:mo|yr|hr|wk|min|sec|kg|lb|oz|s|h))\Z",
    re.IGNORECASE,
)
# With a capital these begin a sentence, and no weekday or place behind a time: "at 9 a.m. It closes".
_OPENERS = word_set("The It He She They We You There This These That If In On At For After Before")
_SUBJECTS = word_set("the it he she they we you there this these that")
_MOST_OF_A_TITLE = 3  # words
_LONGEST_TITLE = 100  # characters, with its marks
_NO_TITLE = word_set("yes no not never none only correct true false the a an it they you this that all both either")
_LONGEST_SHORT = 5  # letters of an abbreviation in a row of them
_MAX_DEPTH = 8  # of brackets within brackets
_BEFORE = 80  # of a sentence, to judge its end by
_AHEAD = 64  # of what follows, likewise
_ENUMERATOR_CHARS = 24
_MARKER_AHEAD = 320  # of what follows a full stop, where it may be a marker: some are links
_MARKER_CLOSERS = {"[": "]", "(": ")", "{": "}", "<": ">", "\u3010": "\u3011", "\u3014": "\u3015"}
_MARKER_CLOSERS |= {"\uff3b": "\uff3d", "\u27e6": "\u27e7", "\ue200": "\ue201"}
_MARKER_TAG = re.compile(r"<(?:sup|(?:cite|citation|inref|ref|source)s?)\b")
_MARKER_SIGNS = frozenset(
    "[({\uff3b\u3014\u3010\u27e6<\ue200\u00b9\u00b2\u00b3\u2070\u2074\u2075\u2076\u2077\u2078\u2079"
)


class SentenceScanner:
    """Splits the text of one paragraph, which may come in pieces.

    The splitter is sentencex (Wikimedia): it decides at each full stop, by the end of the sentence and the next word.
    What it does not know is decided here: code, quotations and brackets of up to 300 characters are never split,
    citation markers right after a full stop belong to the sentence before, and a line that ends in a colon, or with
    markdown's hard break, ends a sentence; so do tags such as ``</li>`` and ``<br>`` unless a small letter follows,
    which belong to none. A decision is made once nothing that follows can change it, and so the sentences are the same
    however the text comes. The time is linear in the length.

    Args:
        offset: where the paragraph begins in its text.
        pattern: finds citation markers.
        quoted: whether it stands in a markdown quotation, where lines begin with ``>``.
    """

    def __init__(self, offset: int, pattern: re.Pattern[str] = DEFAULT, *, quoted: bool = False) -> None:
        self._pattern, self._before = pattern, f"{_SPACE}>" if quoted else _SPACE
        self._text, self._offset = "", offset
        self._start = self._at = 0
        self.released = 0

    def feed(self, text: str) -> list[Span]:
        """Add to the paragraph, and return the sentences that have ended, in characters of the whole text."""
        self._text += text
        return self._scan(final=False)

    def finish(self) -> list[Span]:
        """End the paragraph, and return the sentences that are left."""
        spans = self._scan(final=True)
        return spans + self._trimmed(self._start, len(self._text))

    def _scan(self, *, final: bool) -> list[Span]:
        spans: list[Span] = []
        while (token := _TOKEN.search(self._text, self._at)) is not None:
            self._at = token.start()
            if token.end() == len(self._text) and not final:
                break  # there may be more of it
            tag = _BLOCK_TAG.match(self._text, self._at) if token[0] == "<" else None
            if tag is not None:
                ahead = self._text[tag.end() : tag.end() + _AHEAD]
                if not ahead.strip() and len(ahead) < _AHEAD and not final:
                    break
                # A heading keeps its tags, which tell that it is one.
                end = tag.end() if tag[1] and tag[2] else tag.start()
                if _GOES_ON.match(ahead) is None:
                    spans += self._trimmed(self._start, end)
                    self._start = max(end, tag.start() if tag[2] else tag.end())
                self._at = tag.end()
                continue
            step = self._after(token, final)
            if step is None:
                break
            self._at, ended = step
            if ended:
                spans += self._trimmed(self._start, self._at)
                self._start = self._at
        else:
            self._at = len(self._text)
        self._text, self._offset = self._text[self._start :], self._offset + self._start
        self._start, self._at = 0, self._at - self._start
        return spans

    def _trimmed(self, start: int, end: int) -> list[Span]:
        sentence = self._text[start:end]
        left = len(sentence) - len(sentence.lstrip(self._before))
        left += len(sentence[left:]) - len(sentence[left:].lstrip())
        if left == len(sentence):
            return []
        self.released += 1
        return [(self._offset + start + left, self._offset + start + len(sentence.rstrip()))]

    def _after(self, token: re.Match[str], final: bool) -> tuple[int, bool] | None:
        """Return where to go on, and whether a sentence ends there; None if that can't be known yet."""
        first = token[0][0]
        if first == "<":
            return None if not final and _OPEN_TAG.match(self._text, token.start()) else (token.end(), False)
        if first in _STOPS:
            return self._after_stop(token.start(), token.end(), final)
        if first == "\n":
            line = self._text[max(self._start, token.start() - _BEFORE) : token.start()]
            if line.rstrip().endswith((":", "\uff1a")) or line.rstrip("\r").endswith(("  ", "\\")):
                return token.end(), True
            return self._after_value(token.end(), final)
        end = self._region_end(token)
        if not final and (end == len(self._text) or (not end and len(self._text) - token.end() <= MAX_REGION)):
            return None
        if not end:
            return token.end(), False
        inner = self._text[token.end() : end - 1].rstrip("*_")
        whole = not self._text[self._start : token.start()].strip(" \n\t*_>") if first in _BRACKETS else first != "`"
        if whole and inner and inner[-1] in _STOPS and self._text[end : end + 1] not in tuple(_STOPS):
            begin = token.end() + len(inner.rstrip(_STOPS))
            return self._after_stop(begin, token.end() + len(inner), final, at_least=end)
        return end, False

    def _after_value(self, at: int, final: bool) -> tuple[int, bool] | None:
        """Return whether a line break ends a key with its value, as another key follows; None if that is not known."""
        own = _KEY.match(self._text, self._start, self._start + _AHEAD)
        if own is None:
            return at, False
        ahead = self._text[at : at + _AHEAD]
        key = _KEY.match(ahead)
        if key is None and not final and _KEY_SO_FAR.fullmatch(ahead) and len(ahead) < _AHEAD:
            return None
        return at, key is not None and key["first"].isupper() >= own["first"].isupper()

    def _region_end(self, token: re.Match[str]) -> int:
        """Return where the code, quotation or bracket ends that begins with a token; 0 if that is none."""
        text, opening = self._text, token[0]
        if opening[0] == "`":
            return code_end(text, token.start(), token.end())
        closing = _CLOSING[opening]
        limit = min(len(text), token.end() + MAX_REGION)
        if opening in _BRACKETS:
            depth, at = 1, token.end()
            while depth:
                if depth > _MAX_DEPTH:
                    return 0
                end = text.find(closing, at, limit)
                if end < 0:
                    return 0
                depth += text.count(opening, at, end) - 1
                at = end + 1
            return at
        if opening == '"':
            before = text[token.start() - 1] if token.start() > self._start else " "
            if before.isalnum() or text[token.end() : token.end() + 1].isspace():
                return 0  # inches, or the end of a quotation
        found = [at for at in (text.find(mark, token.end(), limit) for mark in closing) if at >= 0]
        return min(found) + 1 if found else 0

    def _after_stop(self, begin: int, end: int, final: bool, at_least: int = 0) -> tuple[int, bool] | None:
        text, stop = self._text, end
        end = max(_CLOSERS.match(text, end).end(), at_least)  # type: ignore[union-attr]  # it matches the empty text
        if end == len(text):
            return (end, False) if final else None
        marked = self._after_markers(end, final)
        if marked is None:
            return None
        wide = text[stop - 1] in _WIDE_STOPS
        if marked == len(text):
            return (marked, False) if final else None
        if not wide and marked == end and not text[end].isspace():
            return end, False
        word = self._next_word(marked, final)
        if word is None:
            return None
        # A marker behind a full stop that a capital follows: "31 mm.[1] The" is no abbreviation.
        ends = marked > end and text[end - 1] == "." and word[:1].isupper()
        if at_least and word[:1].islower():
            return marked, False  # "Stop!" she said.
        if not self.released and end - self._start <= _LONGEST_TITLE and is_run_in(text[self._start : end]):
            return marked, False
        return marked, wide or ends or self._ends(begin, stop, word)

    def _after_markers(self, at: int, final: bool) -> int | None:
        """Return where the citation markers end that follow a full stop; None if that can't be known yet."""
        text = self._text
        while True:
            blank = _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text
            left = len(text) - blank
            if not left:
                return at if final else None
            first = text[blank]
            if (
                first == "\n"
                or (self._pattern is DEFAULT and first not in _MARKER_SIGNS)
                or (self._pattern is not DEFAULT and first.isalnum())
            ):
                return at
            if not final and left <= _MARKER_AHEAD and not self._is_whole(blank):
                return None
            # Nothing before the sentence may count, as that may be gone when the text comes in pieces.
            begin = max(self._start, blank - _BEFORE)
            match = self._pattern.match(text[begin : blank + _MARKER_AHEAD], blank - begin)
            if match is None or begin + match.end() >= blank + _MARKER_AHEAD or not is_marker(match):
                return at
            at = begin + match.end()

    def _is_whole(self, at: int) -> bool:
        """Return whether a marker that begins here is here as a whole, with the character after it, or can be none."""
        text, first = self._text, self._text[at]
        if self._pattern is not DEFAULT:
            return False
        if first in _MARKER_CLOSERS:
            end = text.find(_MARKER_CLOSERS[first], at, -2)
            if first == "<" and end > 0 and text[end - 1] != "/" and _MARKER_TAG.match(text, at):
                return text.find(">", end + 1, -1) > 0
            if end < 0 or first != "[":
                return end >= 0
            while text[end + 1] == "]" and end + 2 < len(text):
                end += 1
            # The address of a link may follow.
            return text[end + 1] != "(" or re.search(r"[)\s].", text[end + 1 :]) is not None
        end = at
        while end < len(text) and not text[end].isspace() and end - at < _AHEAD:
            end += 1
        return end < len(text)

    def _next_word(self, at: int, final: bool) -> str | None:
        """Return a dash, the beginning of the next word with the full stop behind it, or nothing; None if it is cut."""
        ahead = self._text[at : at + _AHEAD]
        enough = final or len(ahead) == _AHEAD
        word = _WORD.search(ahead)
        whole = word is not None and (word.end() < len(ahead) or len(word[0]) == _WORD_BEGINNING)
        if not whole and not enough:
            return None
        first = ahead.lstrip()[:1]
        if first and first in _DASHES:
            return first
        return ahead[word.start() : word.end() + ahead.startswith(".", word.end())] if word else ""

    def _ends(self, begin: int, stop: int, ahead: str) -> bool:
        word = ahead.removesuffix(".")
        before = self._text[max(self._start, begin - _BEFORE) : begin]
        numbered = begin - self._start <= _ENUMERATOR_CHARS and _ENUMERATOR.match(self._text[self._start : begin])
        if numbered or (word and word in _DASHES):
            return False
        if not word:
            return True  # pictures and signs follow
        stops = self._text[begin:stop].replace("\u2026", "...")
        last = _LAST_WORD.search(before)
        if last and stops == ".":
            known = last[0].lower()
            if last[0] == "EST" and word[0].isupper():
                return True  # "It opens at 9 EST. The", not "est. 1990"
            if known in _ABBREVIATIONS or (known in _BEFORE_NUMBERS and word[0].isdigit()):
                return False
            if known in _SHORTENED and (len(word) == 1 or not word[0].isupper()):
                return False
            if len(known) == 1 and word.lower() in {"no", "nos"}:
                return False  # "Pub. L. No. 104-191"
            if _is_short(last[0]) and (word[0].islower() or (ahead != word and _is_short(word))):
                return False  # "in Proc. Natl. Acad. Sci. of 2015"
            if _MEASURED.search(before) and (word[0].isupper() or word.islower()):
                return word[0].isupper() or word in _SUBJECTS  # "31 mm. The", but "5 mg. per day"
            if known in _HALF_OF_DAY and word in _OPENERS:
                return True
            if known in _HALF_OF_DAY and _BEHIND_TIME.fullmatch(word.lower()):
                return False
        if not before[-1:].isalnum():
            before += " it"  # what ends in a bracket or a quotation is no abbreviation
        probe = f"{_NOISE.sub(' ', before).lstrip()}{stops} {word}"
        return len(sentencex.segment("en", probe)[-1].strip()) <= len(word)


def is_run_in(text: str) -> bool:
    """Return whether the first words of a paragraph are its title, as in "**Flights.** Economy is the rule".

    They are bold, three at most, and none of them is a verb, an article or such as begins a reply.
    """
    bold = all_bold(text)
    words = bold.rstrip(".").lower().split()
    if not 0 < len(words) <= _MOST_OF_A_TITLE or not _NO_TITLE.isdisjoint(words):
        return False
    return not has_finite_verb(bold) and all(word.isalnum() for word in words)


def _is_short(word: str) -> bool:
    """Return whether a word may be one of several abbreviations in a row, as the names of journals have them."""
    return 1 < len(word) <= _LONGEST_SHORT and word.isalpha() and word.istitle()
