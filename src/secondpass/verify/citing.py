"""Whether what an answer cites for a claim is there, and says it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpass.verify.claims.citations import CitationMarker, quote_in
from secondpass.verify.types import Citation

__all__ = ["CitedClaim", "check_citations"]

_MOST = 3  # suggestions


@dataclass(frozen=True, slots=True)
class CitedClaim:
    """What is known of a claim's citations.

    Attributes:
        suggested: numbers of passages, from 1, that support the claim by themselves and are not cited for it.
        reason: what is wrong with the citations; empty if nothing is.
    """

    citations: tuple[Citation, ...]
    suggested: tuple[int, ...]
    reason: str


def check_citations(
    markers: Sequence[CitationMarker],
    quotes: Sequence[str],
    texts: Sequence[str],
    alone: Callable[[int], tuple[float, bool] | None],
    scored: Sequence[int],
    supported: bool,
) -> CitedClaim:
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
        suggested = [passage + 1 for _, passage in able[:_MOST]]
    return CitedClaim(tuple(citations), tuple(suggested), _reason(citations, cited, quotes, texts, supported))


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


def _reason(
    citations: Sequence[Citation], cited: set[int], quotes: Sequence[str], texts: Sequence[str], supported: bool
) -> str:
    parts = []
    absent = sorted({citation.number for citation in citations if not citation.exists})
    if absent:
        parts.append(f"it cites {_listed(absent)}, but there are {len(texts)} passages")
    if supported and cited and not any(citation.supports for citation in citations):
        parts.append(f"no cited passage ({_listed(sorted(at + 1 for at in cited))}) supports it by itself")
    if cited:
        missing = [quote for quote in quotes if not any(quote_in(quote, texts[at]) for at in cited)]
        parts += [f"no cited passage has the words {quote[:80]!r}" for quote in missing[:_MOST]]
    return "; ".join(parts)


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _MOST} more" if len(numbers) > _MOST else ""
    return ", ".join(f"[{number}]" for number in numbers[:_MOST]) + more
