"""A verification for a terminal, and for a notebook."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import uuid4

from secondpass.types import _shortened, printable

if TYPE_CHECKING:
    from secondpass.verify.types import CheckedClaim, Evidence, Verification

__all__ = ["as_html", "as_text"]

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


def as_text(verification: "Verification") -> str:
    """Return a table of the claims in characters that can't steer a terminal."""
    lines = [f"Verification: {_headline(verification)}"]
    for checked in verification.claims[:_ROWS]:
        probability = f"{checked.probability:.2f}" if checked.checked else "    "
        mark = "!" if checked.conflict else " "
        lines.append(
            f"  {_WORDS[checked.verdict]:<15} {probability} {mark} {_shortened(checked.text, 60):<60}{_told(checked)}"
        )
    if len(verification.claims) > _ROWS:
        lines.append(f"  and {len(verification.claims) - _ROWS} more")
    lines += [f"  note: {printable(note)}" for note in verification.trace.notes]
    return "\n".join(line.rstrip() for line in lines)


def as_html(verification: "Verification") -> str:
    """Return a piece of HTML that needs nothing else, and runs nothing."""
    key = f"sp-{uuid4().hex[:12]}"  # a page may show several
    places: dict[tuple[int, int, int], str] = {}
    shown: list[Evidence] = []
    rows = []
    for number, checked in enumerate(verification.claims):
        links = []
        for evidence in dict.fromkeys((*checked.evidence, *checked.contradicting)):
            place = (evidence.passage, evidence.start, evidence.end)
            if place not in places:
                places[place] = f"{key}-e{len(places)}"
                shown.append(evidence)
            links.append(_link(places[place], evidence))
        rows.append(_row(f"{key}-c{number}", number, checked, links))
    heads = "".join(f"<th style='text-align:left'>{name}" for name in ("", "verdict", "p", "claim", "evidence"))
    return (
        "<div style='color:inherit;line-height:1.5'>"
        f"<p><b>{_escaped(_headline(verification))}</b></p>"
        f"<p style='white-space:pre-wrap'>{''.join(_coloured(verification, key))}</p>"
        f"<p><small>{' '.join(_legend(verification))}</small></p>"
        f"<table style='color:inherit'><tr>{heads}{''.join(rows)}</table>"
        f"<ol>{''.join(_passage(places, evidence) for evidence in shown)}</ol>"
        f"{''.join(f'<p><small>{_escaped(note)}</small></p>' for note in verification.trace.notes)}"
        "</div>"
    )


def _headline(verification: "Verification") -> str:
    checked = sum(claim.checked for claim in verification.claims)
    supported = sum(claim.verdict == "supported" for claim in verification.claims)
    outcome = "passed" if verification.passed else "not passed"
    return f"{outcome}; {supported} of {checked} checkable claims supported (policy: {verification.policy})"


def _told(checked: "CheckedClaim") -> str:
    reason = checked.reason or checked.claim.reason
    if reason:
        return f" {_shortened(reason, 80)}"
    if checked.evidence:
        return f" passage {checked.evidence[0].passage + 1}: {_shortened(checked.evidence[0].text, 60)}"
    return ""


def _coloured(verification: "Verification", key: str) -> Iterable[str]:
    at = 0
    answer = verification.answer
    numbered = sorted(enumerate(verification.claims), key=lambda each: (each[1].claim.start, each[1].claim.end))
    for number, checked in numbered:
        # Claims may share words (the subject of both halves of a sentence): each character is coloured once.
        start, end = max(checked.claim.start, at), min(checked.claim.end, len(answer))
        if start >= end:
            continue
        yield _escaped(answer[at:start])
        title = f"{_WORDS[checked.verdict]}, {checked.probability:.2f}" if checked.checked else "not checkable"
        yield (
            f"<a href='#{key}-c{number}' title='{title}' style='{_style(checked.verdict)}'>"
            f"{_escaped(answer[start:end])}</a>"
        )
        at = end
    yield _escaped(answer[at:])


def _legend(verification: "Verification") -> Iterable[str]:
    for verdict, number in verification.counts.items():
        if number:
            yield f"<span style='{_style(verdict)}'>{_WORDS[verdict]}</span> {number}"


def _row(anchor: str, number: int, checked: "CheckedClaim", links: list[str]) -> str:
    probability = f"{checked.probability:.2f}" if checked.checked else ""
    reason = checked.reason or checked.claim.reason
    told = f"<br><small>{_escaped(reason)}</small>" if reason else ""
    return (
        f"<tr id='{anchor}'><td>{number + 1}"
        f"<td><span style='{_style(checked.verdict)}'>{_WORDS[checked.verdict]}</span>"
        f"<td>{probability}<td style='text-align:left'>{_escaped(checked.text)}{told}"
        f"<td style='text-align:left'>{' '.join(links)}"
    )


def _link(anchor: str, evidence: "Evidence") -> str:
    title = f"entailment {evidence.entailment:.2f}, contradiction {evidence.contradiction:.2f}"
    return f"<a href='#{anchor}' title='{title}'>{_place(evidence)}</a>"


def _passage(places: dict[tuple[int, int, int], str], evidence: "Evidence") -> str:
    anchor = places[evidence.passage, evidence.start, evidence.end]
    identity = "" if evidence.id is None else f" ({_escaped(str(evidence.id))})"
    return f"<li id='{anchor}'><b>{_place(evidence)}</b>{identity}: {_escaped(evidence.text)}"


def _place(evidence: "Evidence") -> str:
    return f"passage {evidence.passage + 1}, {evidence.start}-{evidence.end}"


def _style(verdict: str) -> str:
    colour = _COLOURS[verdict]
    return f"color:inherit;text-decoration:none;background:rgba({colour},.25);border-bottom:2px solid rgb({colour})"


def _escaped(text: str) -> str:
    return html.escape(printable(text))
