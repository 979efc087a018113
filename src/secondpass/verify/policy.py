"""Policies: what becomes of an answer once its claims are checked."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpass.errors import ConfigError
from secondpass.verify.types import CheckedClaim, Verdict

__all__ = ["POLICIES", "Policy", "Sentence", "find_policy", "has_passed", "sentences_of"]

Policy = Callable[[str, Sequence[CheckedClaim], bool, str], str]
"""Makes the text that is given out, from the answer, its claims, whether it passed, and the message."""

_MARKS = {
    Verdict.CONTRADICTED: "[contradicted]",
    Verdict.NOT_ENOUGH_INFO: "[unsupported]",
    Verdict.ERROR: "[unverified]",
}
_WORST = (Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO, Verdict.ERROR)
_KEPT = (Verdict.SUPPORTED, Verdict.NOT_CHECKABLE)
_EMPHASIS = "*_~`"
_CLOSING = ".!?\u2026\u3002\uff01\uff1f"
_EMPTY_ITEM = re.compile(r"[ \t>]*(?:[^\w\s]\ufe0f?|\d{1,4}[.)])?[ \t]*")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The claims of one sentence, and where it stands in the answer, with its citation markers and full stop."""

    start: int
    end: int
    claims: tuple[CheckedClaim, ...]

    @property
    def worst(self) -> Verdict | None:
        """The worst verdict of a claim that is not supported; None if there is none."""
        verdicts = {claim.verdict for claim in self.claims}
        return next((verdict for verdict in _WORST if verdict in verdicts), None)


def sentences_of(answer: str, claims: Sequence[CheckedClaim]) -> list[Sentence]:
    """Return the sentences of an answer that have claims, in order."""
    by_sentence: dict[int, list[CheckedClaim]] = {}
    for claim in claims:
        by_sentence.setdefault(claim.claim.sentence, []).append(claim)
    spans = []
    for group in by_sentence.values():
        start = min(min(claim.claim.start, *(c.start for c in claim.citations), claim.claim.end) for claim in group)
        end = max(max(claim.claim.end, *(c.end for c in claim.citations), claim.claim.start) for claim in group)
        spans.append((start, end, tuple(group)))
    spans.sort(key=lambda span: span[:2])
    limits = [*(start for start, _, _ in spans[1:]), len(answer)][: len(spans)]
    return [
        Sentence(*_with_marks(answer, start, min(end, max(limit, start)), limit), group)
        for (start, end, group), limit in zip(spans, limits, strict=True)
    ]


def has_passed(claims: Sequence[CheckedClaim], min_supported: float, allow_unchecked: bool) -> bool:
    """Return whether an answer passes.

    It does if no claim is contradicted or could not be checked, and at least ``min_supported`` of those that
    are checkable are supported. An answer in which nothing could be checked passes only where ``allow_unchecked``
    says so, and one without any claim never.
    """
    checked = [claim for claim in claims if claim.checked]
    if not checked:
        return allow_unchecked and bool(claims)
    if any(claim.verdict in (Verdict.CONTRADICTED, Verdict.ERROR) for claim in checked):
        return False
    supported = sum(claim.verdict is Verdict.SUPPORTED for claim in checked)
    return supported >= min_supported * len(checked) - 1e-9


def annotate(answer: str, claims: Sequence[CheckedClaim], passed: bool, message: str) -> str:
    """Put a short mark behind each sentence that is not supported."""
    parts, at = [], 0
    for sentence in sentences_of(answer, claims):
        if sentence.worst is not None:
            end = _place_of_mark(answer, sentence)
            parts += [answer[at:end], f" {_MARKS[sentence.worst]}"]
            at = end
    return "".join([*parts, answer[at:]])


def cite(answer: str, claims: Sequence[CheckedClaim], passed: bool, message: str) -> str:
    """Write the numbers of passages into each supported sentence that cites none; mark others as `annotate` does."""
    parts, at = [], 0
    for sentence in sentences_of(answer, claims):
        numbers = dict.fromkeys(number for claim in sentence.claims for number in claim.suggested)
        if sentence.worst is not None:
            end, written = _place_of_mark(answer, sentence), f" {_MARKS[sentence.worst]}"
        elif numbers and not any(claim.citations for claim in sentence.claims):
            end, written = _place_of_citation(answer, sentence), f" [{', '.join(map(str, sorted(numbers)))}]"
        else:
            continue
        parts += [answer[at:end], written]
        at = end
    return "".join([*parts, answer[at:]])


def flag(answer: str, claims: Sequence[CheckedClaim], passed: bool, message: str) -> str:
    """Leave the answer as it is: `Verification.passed` and the verdicts say it all."""
    return answer


def drop(answer: str, claims: Sequence[CheckedClaim], passed: bool, message: str) -> str:
    """Leave out each sentence of which a claim is not supported; if no claim is left, give the message."""
    sentences = sentences_of(answer, claims)
    dropped = [sentence for sentence in sentences if sentence.worst is not None]
    if not dropped:
        return answer if claims else message
    text = _without(answer, dropped)
    left = any(claim.verdict is Verdict.SUPPORTED for s in sentences if s.worst is None for claim in s.claims)
    return text if left and _WORD.search(text) else message


def abstain(answer: str, claims: Sequence[CheckedClaim], passed: bool, message: str) -> str:
    """Give the message in place of an answer that did not pass."""
    return answer if passed else message


POLICIES: dict[str, Policy] = {
    "annotate": annotate,
    "cite": cite,
    "flag": flag,
    "drop": drop,
    "abstain": abstain,
    "raise": flag,  # the verifier raises, with the verification, whose text is the answer
}
"""The policies with a name. Add your own here, or pass it as a function."""


def find_policy(policy: object) -> tuple[str, Policy]:
    """Return a policy with its name.

    Args:
        policy: a name of `POLICIES`, or a function as `Policy` describes it.

    Raises:
        ConfigError: it is neither a known name nor a function.
    """
    if isinstance(policy, str) and policy in POLICIES:
        return policy, POLICIES[policy]
    if callable(policy):
        return getattr(policy, "__name__", type(policy).__name__), policy
    raise ConfigError(f"policy must be one of {', '.join(POLICIES)}, or a function, not {policy!r}")


def _place_of_mark(answer: str, sentence: Sentence) -> int:
    """Return where a mark goes: behind the sentence, but into a table's last cell, as behind it nothing is shown.

    It goes before a backslash that breaks the line, which must stay at its end.
    """
    text = answer[sentence.start : sentence.end]
    if text.endswith("\\") and answer[sentence.end : sentence.end + 1] in {"\n", "\r"}:
        return sentence.end - 1
    if not text.startswith("|") or not text.endswith("|") or text.endswith("\\|"):
        return sentence.end
    return sentence.start + len(text[:-1].rstrip())


def _place_of_citation(answer: str, sentence: Sentence) -> int:
    """Return where a citation goes: before the full stop, and before what closes around it."""
    end = _place_of_mark(answer, sentence)
    kept = len(answer[sentence.start : end].rstrip(_CLOSING))
    return sentence.start + kept if kept else end


def _with_marks(answer: str, start: int, end: int, limit: int) -> tuple[int, int]:
    """Widen a span by closing quotes, full stops, and by emphasis marks that stand on both of its sides."""
    while end < limit and answer[end] in _CLOSING + "\"'\u201d\u2019)" and not answer[end - 1 : end].isspace():
        end += 1
    while start > 0 and end < limit and answer[start - 1] == answer[end] and answer[end] in _EMPHASIS:
        start, end = start - 1, end + 1
    return start, end


def _without(answer: str, dropped: Sequence[Sentence]) -> str:
    """Cut sentences out: a line that then is empty, or a list item without a text, goes as a whole."""
    cuts: list[tuple[int, int]] = []
    for sentence in dropped:
        start, end = sentence.start, sentence.end
        while end < len(answer) and answer[end] in " \t":
            end += 1
        if cuts and start <= cuts[-1][1]:
            cuts[-1] = cuts[-1][0], max(cuts[-1][1], end)
        else:
            cuts.append((start, end))
    parts, at = [], 0
    for start, end in cuts:
        line_start = max(answer.rfind("\n", 0, start) + 1, at)
        line_end = answer.find("\n", end)
        line_end = len(answer) if line_end < 0 else line_end
        before, after = answer[line_start:start], answer[end:line_end]
        if _EMPTY_ITEM.fullmatch(before) and not after.strip() and (line_start == 0 or answer[line_start - 1] == "\n"):
            start, end = line_start, min(line_end + 1, len(answer))
        elif not after.strip():
            start = line_start + len(before.rstrip(" \t"))  # what ends a line needs no blank behind it
        parts.append(answer[at:start])
        at = max(end, at)
    return "".join([*parts, answer[at:]])
