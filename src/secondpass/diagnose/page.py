"""Explanations as pages that need nothing else: no script, no request, on a phone and in the dark."""

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from secondpass.types import printable, shortened

if TYPE_CHECKING:
    from secondpass.diagnose.explanation import Explanation, Part
    from secondpass.diagnose.verdicts import ExplainedClaim, ExplainedVerification

__all__ = ["score_page", "verdict_page"]

_STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}
.document{white-space:pre-wrap}
.part{border-radius:.2em;padding:.1em 0}
.word{border-bottom:.15em solid}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3em .6em .3em 0;border-bottom:1px solid #8884}
th[scope=row]{width:8rem;overflow-wrap:normal}
td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
blockquote{margin:.5em 0;padding-left:.8em;border-left:.2em solid #8888}
small{opacity:.75}
"""
_FOR, _AGAINST = "60,150,90", "200,70,60"
_VERDICTS = {
    "supported": "60,150,90",
    "contradicted": "200,70,60",
    "not_enough_info": "220,150,30",
    "not_checkable": "130,130,130",
    "error": "160,80,200",
}


def score_page(explanation: "Explanation") -> str:
    """Return the page of what a score rests on."""
    strongest = explanation.top(10)
    rows = "".join(f"<tr><td class='n'>{part.weight:+.3f}<td>{_short(part.text)}" for part in strongest)
    notes = "<p>The model saw only the beginning of the document.</p>" if explanation.truncated else ""
    return _page(
        "What a score rests on",
        f"<p>Score {explanation.score:.4f} ({explanation.scale}) for <b>{_short(explanation.query)}</b></p>"
        "<p><small>The stronger the colour of a sentence, the more the score changes without it: green ones carry it, "
        "red ones speak against it. Underlined words likewise.</small></p>"
        f"{notes}<p class='document'>{''.join(_coloured(explanation))}</p>"
        f"<h2>Sentences that carry it</h2><table><tr><th>without it<th>sentence{rows}</table>",
    )


def verdict_page(explained: "ExplainedVerification") -> str:
    """Return the page of what verdicts rest on."""
    outcome = "The answer passed." if explained.verification.passed else "The answer did not pass."
    return _page("What verdicts rest on", f"<p>{outcome}</p>{''.join(map(_claim, explained.claims))}")


def _page(title: str, body: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def _coloured(explanation: "Explanation") -> Iterator[str]:
    text, at = explanation.document, 0
    most = _most(explanation.sentences)
    for part in explanation.sentences:
        yield _escaped(text[at : part.start])
        words = [word for word in explanation.words if part.start <= word.start < part.end]
        inner = "".join(_underlined(text, part, words, _most(explanation.words)))
        colour = _colour(part.weight, most, 0.5)
        yield f"<span class='part' title='{part.weight:+.4f}' style='background:{colour}'>{inner}</span>"
        at = part.end
    yield _escaped(text[at:])


def _underlined(text: str, part: "Part", words: Sequence["Part"], most: float) -> Iterator[str]:
    at = part.start
    for word in words:
        yield _escaped(text[at : word.start])
        colour = _colour(word.weight, most, 1)
        inner = _escaped(word.text)
        yield f"<span class='word' title='{word.weight:+.4f}' style='border-color:{colour}'>{inner}</span>"
        at = word.end
    yield _escaped(text[at : part.end])


def _claim(claim: "ExplainedClaim") -> str:
    verdict = str(claim.verdict)
    badge = f"<span class='part' style='background:rgba({_VERDICTS[verdict]},.35)'>{verdict.replace('_', ' ')}</span>"
    rows = [("why", _escaped(claim.why))]
    if claim.fact is not None:
        there = _escaped(claim.fact.evidence) or "nothing"
        rows.append(
            (_escaped(claim.fact.kind), f"the claim has <b>{_escaped(claim.fact.claim)}</b>, the evidence {there}")
        )
    if claim.with_correction is not None:
        said = f"{claim.with_correction.verdict!s} ({claim.with_correction.probability:.2f})".replace("_", " ")
        rows.append(("put right", f"<i>{_escaped(claim.corrected)}</i> would be {said}"))
    if claim.without is not None:
        said = f"{claim.without.verdict!s} ({claim.without.probability:.2f})".replace("_", " ")
        rows.append(("without the evidence", f"it would be {said}"))
    table = "".join(f"<tr><th scope='row'>{name}<td>{cell}" for name, cell in rows)
    window = claim.evidence
    quoted = ""
    if window is not None:
        numbers = f"entailment {window.entailment:.2f}, contradiction {window.contradiction:.2f}"
        place = f"passage {window.passage + 1}, {window.start}-{window.end}; {numbers}"
        quoted = f"<blockquote>{_escaped(window.text)}<br><small>{place}</small></blockquote>"
    probability = "" if verdict == "not_checkable" else f"probability {claim.probability:.2f}"
    head = f"<h2>{_escaped(claim.text)}</h2><p>{badge} {probability}</p>"
    return f"<section>{head}{quoted}<table>{table}</table></section>"


def _most(parts: Iterable["Part"]) -> float:
    return max((abs(part.weight) for part in parts), default=0.0)


def _colour(weight: float, most: float, strongest: float) -> str:
    share = abs(weight) / most if most else 0.0
    return f"rgba({_FOR if weight > 0 else _AGAINST},{strongest * share:.2f})"


def _short(text: str) -> str:
    return html.escape(shortened(text, 300))


def _escaped(text: str) -> str:
    return html.escape(printable(text))
