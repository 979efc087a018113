"""A verification for a terminal, and for a notebook, made of its plain data: it is imported by what it shows."""

import html
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from secondpass.types import printable, shortened

__all__ = ["as_html", "as_text"]

Data = Mapping[str, Any]

_ROWS = 40
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

_ABSENT = ("the passage does not have this", "the passage does not say this of them")


def as_text(verification: Data) -> str:
    """Return a table of the claims in characters that can't steer a terminal.

    Args:
        verification: what `Verification.to_dict` returns.
    """
    lines = [f"Verification: {_headline(verification)}"]
    claims = verification["claims"]
    for claim in claims[:_ROWS]:
        mark = "!" if claim["conflict"] else " "
        lines.append(
            f"  {_WORDS[claim['verdict']]:<15} {_probability(claim):<4} {mark} "
            f"{shortened(claim['text'], 60):<60}{_told(claim)}"
        )
        if claim["spans"]:
            lines.append(f"{'':25}not supported: {shortened('; '.join(map(_described, claim['spans'])), 120)}")
    if len(claims) > _ROWS:
        lines.append(f"  and {len(claims) - _ROWS} more")
    lines += [f"  note: {printable(note)}" for note in verification["trace"]["notes"]]
    return "\n".join(line.rstrip() for line in lines)


def as_html(verification: Data) -> str:
    """Return a piece of HTML that needs nothing else, and runs nothing.

    Args:
        verification: what `Verification.to_dict` returns.
    """
    key = f"sp-{uuid4().hex[:12]}"  # a page may show several
    places: dict[tuple[int, int, int], str] = {}
    shown: list[Data] = []
    rows = []
    for number, claim in enumerate(verification["claims"]):
        windows = [*claim["evidence"], *claim["contradicting"]]
        links = []
        for at, evidence in enumerate(windows):
            if evidence in windows[:at]:
                continue
            place = _place(evidence)
            if place not in places:
                places[place] = f"{key}-e{len(places)}"
                shown.append(evidence)
            links.append(_link(places[place], evidence))
        rows.append(_row(f"{key}-c{number}", number, claim, links))
    heads = "".join(f"<th style='text-align:left'>{name}" for name in ("", "verdict", "p", "claim", "evidence"))
    return (
        "<div style='color:inherit;line-height:1.5'>"
        f"<p><b>{_escaped(_headline(verification))}</b></p>"
        f"<p style='white-space:pre-wrap'>{''.join(_coloured(verification, key))}</p>"
        f"<p><small>{' '.join(_legend(verification))}</small></p>"
        f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table>"
        f"<ol>{''.join(_passage(places[_place(evidence)], evidence) for evidence in shown)}</ol>"
        f"{''.join(f'<p><small>{_escaped(note)}</small></p>' for note in verification['trace']['notes'])}"
        "</div>"
    )


def _headline(verification: Data) -> str:
    verdicts = [claim["verdict"] for claim in verification["claims"]]
    checked = len(verdicts) - verdicts.count("not_checkable")
    supported = verdicts.count("supported")
    outcome = "passed" if verification["passed"] else "not passed"
    return f"{outcome}; {supported} of {checked} checkable claims supported (policy: {verification['policy']})"


def _probability(claim: Data) -> str:
    return "" if claim["verdict"] == "not_checkable" else f"{claim['probability']:.2f}"


def _told(claim: Data) -> str:
    if claim["reason"]:
        return f" {shortened(claim['reason'], 80)}"
    if claim["evidence"]:
        evidence = claim["evidence"][0]
        return f" passage {evidence['passage'] + 1}: {shortened(evidence['text'], 60)}"
    return ""


def _described(span: Data) -> str:
    there = f", where the passage has {span['evidence']!r}" if span["evidence"] else ""
    return f"{span['text']!r} ({span['kind']}{there})"


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


def _row(anchor: str, number: int, claim: Data, links: list[str]) -> str:
    told = f"<br><small>{_escaped(claim['reason'])}</small>" if claim["reason"] else ""
    return (
        f"<tr id='{anchor}'><td>{number + 1}"
        f"<td><span style='{_style(claim['verdict'])}'>{_WORDS[claim['verdict']]}</span>"
        f"<td>{_probability(claim)}<td style='text-align:left'>{_escaped(claim['text'])}{told}"
        f"<td style='text-align:left'>{' '.join(links)}"
    )


def _link(anchor: str, evidence: Data) -> str:
    title = f"entailment {evidence['entailment']:.2f}, contradiction {evidence['contradiction']:.2f}"
    return f"<a href='#{anchor}' title='{title}'>{_label(evidence)}</a>"


def _passage(anchor: str, evidence: Data) -> str:
    identity = "" if evidence["id"] is None else f" ({_escaped(str(evidence['id']))})"
    return f"<li id='{anchor}'><b>{_label(evidence)}</b>{identity}: {_escaped(evidence['text'])}"


def _place(evidence: Data) -> tuple[int, int, int]:
    return evidence["passage"], evidence["start"], evidence["end"]


def _label(evidence: Data) -> str:
    passage, start, end = _place(evidence)
    return f"passage {passage + 1}, {start}-{end}"


def _style(verdict: str) -> str:
    colour = _COLOURS[verdict]
    return f"color:inherit;text-decoration:none;background:rgba({colour},.25);border-bottom:2px solid rgb({colour})"


def _escaped(text: str) -> str:
    return html.escape(printable(text))
