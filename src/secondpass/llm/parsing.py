"""Answers of language models, read with tolerance for their form and none for their content."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from secondpass.llm.types import Answer, CompletionError, TokenChoice

__all__ = ["Count", "best", "grade", "member_in", "permutation", "probability_of_yes", "visible"]

Count = Callable[[str, int], None]
"""A function that adds to a count of the trace."""

_OBJECT = re.compile(r'\{\s*"')  # the beginning of one with members
_BRACKETED = re.compile(r"\[\s*(\d{1,6})\s*\]")
# A number that is all there is, or that stands with its name and nothing else: **3**, [3], 3/3, Grade: 3, {'grade': 3}
_ALONE = re.compile(
    r"""(?:```[a-z]*\s+)?(\{\s*)?
    (?:(?:the\s+)?[*_`"']*(?P<name>[a-z]+)[*_`"']*\s*(?:[:=]|\bis\b)[*_`"'\s]*|[*_`"']*)
    (?:(?P<number>\d{1,6})(?:\.0*)?|\[\s*(?P<bracketed>\d{1,6})\s*\])(?:\s*/\s*(?P<top>\d{1,6}))?[*_`"'.]*
    (?(1)\s*,?\s*\})(?:\s+```)?""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMERAL = re.compile(r"[*_`\s]*(?:\[\s*)?(\d{1,6})(?:\.0*)?(?:\s*\])?[*_`\s]*")
_BARE_LIST = re.compile(r"[\d\s,;>]+")
_MAX_CHARS = 200_000
_MAX_FAILURES = 20  # each failure may read to the end of the text
_REST_OF_NUMBER = "0123456789+-.eE"


def visible(text: str) -> str:
    """Return an answer without the thoughts before it (``<think>``), whether or not they end."""
    head, _, _ = text[:_MAX_CHARS].rpartition("</think>")
    rest = text[len(head) + len("</think>") : _MAX_CHARS] if head or text.startswith("</think>") else text[:_MAX_CHARS]
    return rest.partition("<think>")[0].strip()


def permutation(text: str, n: int, count: Count) -> list[int] | None:
    """Read an order of ``n`` documents numbered from 1: JSON, or ``[2] > [1]`` where there is no such JSON.

    Numbers of no document are dropped and counted as ``unknown_ids``, repeated ones as ``repeated_ids``, and documents
    that were left out as ``missing_ids``.

    Returns:
        Every position from 0 once, those left out at the end in their old order; None if the text names no document.
    """
    named = _numbers(visible(text))
    if named is None:
        return None
    known = [number - 1 for number in named if number is not None and 1 <= number <= n]
    order = list(dict.fromkeys(known))
    if not order:
        count("unknown_ids", len(named))
        return None
    missing = sorted(set(range(n)) - set(order))
    for name, times in (
        ("unknown_ids", len(named) - len(known)),
        ("repeated_ids", len(known) - len(order)),
        ("missing_ids", len(missing)),
    ):
        if times:
            count(name, times)
    return order + missing


def grade(text: str, top: int) -> int | None:
    """Read a grade from 0 to ``top``; None for anything else: grades out of range are not clipped."""
    return _one_number(visible(text), "grade", 0, top)


def best(text: str, n: int) -> int | None:
    """Read the number of the best of ``n`` documents, and return its position from 0; None for anything else."""
    number = _one_number(visible(text), "best", 1, n)
    return None if number is None else number - 1


def probability_of_yes(answer: Answer) -> float | None:
    """Return P(yes) / (P(yes) + P(no)) at the token that decides, or None if the answer is neither.

    If only one of the two is among the listed tokens, the other gets the highest probability that it can have there.

    Raises:
        CompletionError: the answer has a text, but the server gave no log-probabilities.
    """
    if answer.tokens is None or (answer.tokens and not any(token.candidates for token in answer.tokens)):
        if answer.refused or not answer.text.strip():
            return None
        raise CompletionError(
            "the server returns no log-probabilities (for this model), which mode='pointwise' needs: use "
            "mode='graded', or a server and a model that support logprobs"
        )
    tokens = _after_thinking(answer.tokens)
    # A model that starts with anything else still had its odds of both at the first token.
    deciding = [token for token in tokens if _word(token.token) in ("yes", "no")] or list(tokens)
    return _share_of_yes(deciding[0]) if deciding else None


def _share_of_yes(choice: TokenChoice) -> float | None:
    sums, listed = {"yes": 0.0, "no": 0.0}, []
    for token, logprob in choice.candidates:
        if math.isnan(logprob):
            continue
        probability = math.exp(min(logprob, 0.0))
        listed.append(probability)
        if _word(token) in sums:
            sums[_word(token)] += probability
    if not sums["yes"] + sums["no"]:
        return None
    ceiling = min(min(listed), max(0.0, 1.0 - sum(listed)))
    yes, no = sums["yes"] or ceiling, sums["no"] or ceiling
    return yes / (yes + no)


def _after_thinking(tokens: tuple[TokenChoice, ...]) -> tuple[TokenChoice, ...]:
    text, after = "", 0
    for at, token in enumerate(tokens):
        text += token.token
        if "</think>" in text[1 - len(token.token) - len("</think>") :]:
            after = at + 1
    if not after and "<think>" in text:
        return ()  # the thoughts were cut off
    return tokens[after:]


def _word(token: str) -> str:
    # Sentence-piece and byte-level tokenizers mark a leading blank, and some servers show the mark.
    return token.strip(" \t\r\n\u2581\u0120\"'`*.,:!").lower()


def _one_number(text: str, name: str, low: int, high: int) -> int | None:
    alone = _ALONE.fullmatch(text)  # among words, a number may be that of a document which is spoken of
    if alone and (alone["name"] or name).lower() == name and int(alone["top"] or high) == high:
        value: int | None = int(alone["number"] or alone["bracketed"])
    else:
        value = _number(member_in(text, name))
    return value if value is not None and low <= value <= high else None


def _numbers(text: str) -> list[int | None] | None:
    """Return the numbers of a list, with None for each item that is not one; None if there is no list."""
    objects, words = _objects(text)
    value = next((each["ranking"] for each in objects if "ranking" in each), words)
    if isinstance(value, str):
        value = _list_in(value)
    return [_number(item) for item in value] if isinstance(value, list) and value else None


def _list_in(words: str) -> Any:
    bracketed = _BRACKETED.findall(words)
    if len(bracketed) > 1:
        return bracketed
    if _BARE_LIST.fullmatch(words):
        return [int(number[:7]) for number in re.findall(r"\d+", words)]
    # One number in brackets is a list of one document, if it is not a word about it before the list.
    return _json_in(_BRACKETED.sub("", words)) or bracketed


def _number(item: Any) -> int | None:
    """Return the whole number that a JSON value is: 3, 3.0, "3", "[3]", "**3**"; None for anything else."""
    if isinstance(item, str) and (match := _NUMERAL.fullmatch(item)):
        return int(match[1])
    if isinstance(item, float) and item.is_integer():
        return int(item)
    return item if type(item) is int else None


def member_in(text: str, name: str) -> Any:
    """Return the value of the first member of this name, in small or capital letters, in the JSON objects of a text."""
    members = (member for each in _objects(text)[0] for member in each.items())
    return next((value for key, value in members if key.lower() == name), None)


def _json_in(text: str) -> Any:
    """Return the first JSON value in a text, which may be fenced, among words or cut off; None if there is none."""
    if re.fullmatch(r"\d{1,6}", text):
        return int(text)
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    return None if start < 0 else _decoded(text, start)[0]


def _objects(text: str) -> tuple[list[dict[str, Any]], str]:
    """Return the JSON objects in a text, of which the last one may be cut off, and the words around them.

    After an object that can't be read there are no words, as brackets there may not be an answer.
    """
    objects: list[dict[str, Any]] = []
    words, at, failures = [], 0, 0
    while failures < _MAX_FAILURES and (match := _OBJECT.search(text, at)):
        value, end = _decoded(text, match.start())
        if not failures:
            words.append(text[at : match.start()])
        if value is None:
            failures += 1
        else:
            objects.append(value)
        at = end
    return objects, "".join(words if failures else [*words, text[at:]])


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value that begins at a position and may be cut off, or None; and where it ends."""
    decoder = json.JSONDecoder()
    try:
        return decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    try:
        return decoder.raw_decode(_closed(text[start:]))[0], len(text)
    except (ValueError, RecursionError):
        return None, start + 1


def _closed(fragment: str) -> str:
    """Close what a text that was cut off left open, and drop trailing commas.

    Its last number is dropped, as it may be incomplete. (json-repair reads "[2, 3, 1" as a list that ends in 1, which
    may be the beginning of 12; it also takes 30 times as long.)
    """
    kept: list[str] = []
    open_, comma, in_string, escaped = [], -1, False, False
    for letter in fragment:
        kept.append(letter)
        if in_string:
            in_string, escaped = escaped or letter != '"', letter == "\\" and not escaped
            continue
        if letter in "}]" and comma >= 0:
            kept[comma] = ""
        if letter == ",":
            comma = len(kept) - 1
        elif not letter.isspace():
            comma = -1
        if letter == '"':
            in_string = True
        elif letter in "{[":
            open_.append("}" if letter == "{" else "]")
        elif letter in "}]" and open_:
            open_.pop()
    return "".join(kept).rstrip().rstrip(_REST_OF_NUMBER).rstrip(", \t\r\n") + "".join(reversed(open_))
