"""A verification for a terminal, and for a notebook, made of its plain data: it is imported by what it shows."""

import html
from bisect import bisect_left
from collections.abc import Iterable
from uuid import uuid4

from secondpass.types import printable, shortened
from secondpass.verify.reasons import Data, relevant, telling, told, what_was_done

__all__ = ["as_html", "as_text", "page"]

_ROWS = 40
_WIDTH = 100
# Half transparent over whatever the page has behind it, so that it can be read on light and on dark.
_COLOURS = {
    "supported": "60,170,90",
    "contradicted": "220,60,60",
    "not_enough_info": "230,160,30",
    "not_checkable": "130,130,130",
    "error": "160,80,200",
}
_WORDS = {
    "supported": "supported",
    "contradicted": "contradicted",
    "not_enough_info": "not enough info",
    "not_checkable": "not checkable",
    "error": "error",
}
# A notebook puts cells' texts on the right, and headers in the middle.
_CELL = "text-align:left;vertical-align:top;padding:.5em .6em .5em 0;white-space:normal;min-width:9em"
_MARKS = {"supported": "✓", "contradicted": "✗", "not_enough_info": "?", "not_checkable": "·", "error": "!"}
_FOR, _AGAINST, _NEAR = ("✓ supports", "supported"), ("✗ contradicts", "contradicted"), ("nearest", "not_checkable")
_ABSENT = ("the passage does not have this", "the passage does not say this of them")
_PAGE = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width, "
    "initial-scale=1'><meta name='color-scheme' content='light dark'><title>{title}</title><style>body{{font-family:"
    "system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem}}</style></head><body>{body}</body></html>"
)


def as_text(verification: Data) -> str:
    """Return the claims, each with why it has its verdict, in characters that can't steer a terminal.

    Args:
        verification: what `Verification.to_dict` returns.
    """
    lines = [f"Verification: {_headline(verification)}", *(f"  {line}" for line in _about(verification))]
    claims = verification["claims"]
    for claim in claims[:_ROWS]:
        verdict = f"{_MARKS[claim['verdict']]} {_WORDS[claim['verdict']]}"
        lines.append(f"  {verdict:<17} {_probability(claim):<4}  {shortened(claim['text'], _WIDTH)}")
        if said := told(claim):
            lines.append(f"{'':26}{shortened(said, 2 * _WIDTH)}")
        for (words, _), evidence in _shown(claim)[:2]:
            text = evidence["text"][slice(*telling(evidence["text"], claim["text"]))]
            lines.append(f"{'':26}{words}, {_named(evidence)}: {shortened(text, _WIDTH)}")
    if len(claims) > _ROWS:
        lines.append(f"  and {len(claims) - _ROWS} more")
    lines += [f"  note: {printable(note)}" for note in verification["trace"]["notes"]]
    return "\n".join(line.rstrip() for line in lines)


def page(verification: Data) -> str:
    """Return a whole page of HTML that needs nothing else, for a window of any width, and runs nothing."""
    return _PAGE.format(title="Verification", body=as_html(verification))


def as_html(verification: Data) -> str:
    """Return a piece of HTML that needs nothing else, and runs nothing.

    Args:
        verification: what `Verification.to_dict` returns.
    """
    key = f"sp-{uuid4().hex[:12]}"  # a page may show several
    rows = "".join(_row(f"{key}-c{number}", number, claim) for number, claim in enumerate(verification["claims"]))
    about = "".join(f"<br>{_escaped(line)}" for line in _about(verification))
    given_out = ""
    if verification["text"] not in ("", verification["answer"]):
        shown = f"<p style='white-space:pre-wrap'>{_escaped(verification['text'])}</p>"
        given_out = f"<details><summary>what is given out</summary>{shown}</details>"
    heads = f"<th style='{_CELL}'>verdict<th style='{_CELL}'>claim, and what the sources say"
    table = f"<table style='color:inherit;border-collapse:collapse;width:100%'><tr>{heads}{rows}</table>"
    return (
        "<div style='color:inherit;line-height:1.5;text-align:left;overflow-wrap:anywhere'>"
        f"<p><b>{_escaped(_headline(verification))}</b><small>{about}</small></p>"
        f"<p style='white-space:pre-wrap'>{''.join(_coloured(verification, key))}</p>"
        f"<p><small>{' '.join(_legend(verification))}</small></p>{given_out}{table if rows else ''}"
        f"{''.join(f'<p><small>{_escaped(note)}</small></p>' for note in verification['trace']['notes'])}"
        "</div>"
    )


def _headline(verification: Data) -> str:
    verdicts = [claim["verdict"] for claim in verification["claims"]]
    checked = len(verdicts) - verdicts.count("not_checkable")
    supported = verdicts.count("supported")
    outcome = "passed" if verification["passed"] else "not passed"
    return f"{outcome}; {supported} of {checked} checkable claims supported"


def _about(verification: Data) -> Iterable[str]:
    if verification["question"]:
        yield f"question: {shortened(verification['question'], 2 * _WIDTH)}"
    model = f"model: {verification['model']}; " if verification["model"] else ""
    yield f"{model}policy: {what_was_done(verification)}"


def _probability(claim: Data) -> str:
    return "" if claim["verdict"] == "not_checkable" else f"{claim['probability']:.2f}"


def _shown(claim: Data) -> list[tuple[tuple[str, str], Data]]:
    """Return the windows that say something of a claim, each with what it does and the verdict whose colour it has."""
    against = claim["contradicting"]
    supports = _FOR if claim["verdict"] == "supported" else _NEAR
    return [(_AGAINST if window in against else supports, window) for window in relevant(claim)]


def _coloured(verification: Data, key: str) -> Iterable[str]:
    at = 0
    answer, spans = verification["answer"], verification["spans"]
    begun = [span["start"] for span in spans]
    numbered = sorted(enumerate(verification["claims"]), key=lambda each: (each[1]["start"], each[1]["end"]))
    for number, claim in numbered:
        # Claims may share words (the subject of both halves of a sentence): each character is coloured once.
        start, end = max(claim["start"], at), min(claim["end"], len(answer))
        if start >= end:
            continue
        yield _escaped(answer[at:start])
        own = spans[bisect_left(begun, start) : bisect_left(begun, end)]
        title = ", ".join(filter(None, (_WORDS[claim["verdict"]], _probability(claim))))
        yield (
            f"<a href='#{key}-c{number}' title='{title}' style='{_style(claim['verdict'])}'>"
            f"{''.join(_underlined(answer, start, end, own))}</a>"
        )
        at = end
    yield _escaped(answer[at:])


def _underlined(answer: str, start: int, end: int, spans: Iterable[Data]) -> Iterable[str]:
    """Yield a part of the answer with the words underlined that are not supported."""
    for span in spans:
        there = f"the passage has {span['evidence']}" if span["evidence"] else _ABSENT[span["kind"] == "relation"]
        yield _escaped(answer[start : span["start"]])
        start = min(span["end"], end)
        yield (
            f"<span title='{_escaped(span['kind'])}: {_escaped(there)}' style='text-decoration:underline wavy'>"
            f"{_escaped(answer[span['start'] : start])}</span>"
        )
    yield _escaped(answer[start:end])


def _legend(verification: Data) -> Iterable[str]:
    verdicts = [claim["verdict"] for claim in verification["claims"]]
    for verdict, words in _WORDS.items():
        if verdict in verdicts:
            yield f"<span style='{_style(verdict)}'>{words}</span> {verdicts.count(verdict)}"


def _row(anchor: str, number: int, claim: Data) -> str:
    evidence = "".join(_evidence(how, window, claim["text"]) for how, window in _shown(claim))
    probability = f"<br><small>p {_probability(claim)}</small>" if _probability(claim) else ""
    verdict = (
        f"<span style='{_style(claim['verdict'])}'>{_MARKS[claim['verdict']]}&nbsp;{_WORDS[claim['verdict']]}</span>"
    )
    return (
        f"<tr id='{anchor}'><td style='{_CELL}'>{verdict}{probability}"
        f"<td style='{_CELL}'><b>{number + 1}.</b> {_escaped(claim['text'])}"
        f"<br><small>{_escaped(told(claim))}</small>{evidence}"
    )


def _evidence(how: tuple[str, str], evidence: Data, claim: str) -> str:
    (words, verdict), text = how, evidence["text"]
    start, end = telling(text, claim)
    quoted = f"{_escaped(text[:start])}<b>{_escaped(text[start:end])}</b>{_escaped(text[end:])}"
    title = f"entailment {evidence['entailment']:.2f}, contradiction {evidence['contradiction']:.2f}"
    border = f"margin:.4em 0;padding-left:.6em;border-left:3px solid rgb({_COLOURS[verdict]})"
    return (
        f"<div style='{border}' title='{title}'><small><b>{words}</b>, {_escaped(_named(evidence))}, "
        f"{evidence['start']}-{evidence['end']}:<br>{quoted}</small></div>"
    )


def _named(evidence: Data) -> str:
    identity = "" if evidence["id"] is None else f" ({evidence['id']})"
    return printable(f"passage {evidence['passage'] + 1}{identity}")


def _style(verdict: str) -> str:
    colour = _COLOURS[verdict]
    return f"color:inherit;text-decoration:none;background:rgba({colour},.25);border-bottom:2px solid rgb({colour})"


def _escaped(text: str) -> str:
    return html.escape(printable(text))
