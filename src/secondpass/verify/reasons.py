"""Why a claim has its verdict, in plain words, and what of its evidence is worth showing."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

__all__ = ["Data", "described", "relevant", "telling", "told", "what_was_done"]

Data = Mapping[str, Any]
"""What `Verification.to_dict` returns, or a part of it."""

_LONGEST, _FEW = 60, 3  # words of sentences that are compared, and of what differs
_ALIKE = 0.6
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?]\s+|\n+")
_RELEVANT = 0.5  # of entailment or contradiction: below, a window is only the nearest of those about something else
_DONE = {
    "annotate": "sentences that are not supported are marked",
    "drop": "sentences that are not supported are left out",
    "abstain": "a message stands in place of the answer",
}


def described(mismatch: Data) -> str:
    """Return what a mismatch is, as a clause: "the source says 9, not 12"."""
    if mismatch["kind"] == "negation":
        return "the source says the opposite"
    if mismatch["evidence"]:
        return f"the source says {mismatch['evidence']}, not {mismatch['claim']}"
    return f"the source does not say {mismatch['claim']} of this"


def why(claim: Data) -> str:
    """Return why a claim has its verdict, as a sentence without its full stop."""
    if claim["reason"]:
        return str(claim["reason"])
    verdict, shown = claim["verdict"], relevant(claim)
    if verdict == "supported":
        return f"{_passages(shown or claim['evidence'])} says it" if claim["evidence"] else ""
    if verdict == "contradicted":
        for span in claim["spans"]:
            if span["evidence"]:
                return f"the source says “{span['evidence']}”, not “{span['text']}”"
        against = claim["contradicting"] or shown
        return _otherwise(claim["text"], against[0]) if against else "the source says otherwise"
    if verdict == "not_enough_info":
        return "no passage says it" if shown else "no evidence in the passages"
    return ""


def _otherwise(claim: str, window: Data) -> str:
    """Return what a window says in place of a claim: the few words that differ, where the rest is the same."""
    sentence = window["text"][slice(*telling(window["text"], claim))]
    said, told = claim.rstrip(".!? ").split(), sentence.rstrip(".!? \n").split()
    if max(len(said), len(told)) <= _LONGEST:
        matcher = SequenceMatcher(None, said, told, autojunk=False)
        changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
        if len(changes) == 1 and changes[0][0] == "replace" and matcher.ratio() >= _ALIKE:
            _, start, end, other_start, other_end = changes[0]
            if max(end - start, other_end - other_start) <= _FEW:
                there, here = " ".join(told[other_start:other_end]), " ".join(said[start:end])
                return f"the source says “{there}”, not “{here}”"
    return f"passage {window['passage'] + 1} says otherwise"


def relevant(claim: Data) -> list[Data]:
    """Return the windows of a claim that say something of it, those for it first."""
    against = claim["contradicting"]
    found = [window for window in claim["evidence"] if window not in against]
    if claim["verdict"] != "supported":  # what the verdict rests on then, or what came nearest
        found = [window for window in found if max(window["entailment"], window["contradiction"]) >= _RELEVANT]
    return [*found, *against]


def missing(claim: Data) -> str:
    """Return which words of the answer are not supported, as a clause; empty if none are known."""
    words = [f"“{span['text']}”" for span in claim["spans"] if span["kind"] != "relation" and not span["evidence"]]
    return f"not in the sources: {', '.join(words)}" if words else ""


def cited(claim: Data) -> list[str]:
    """Return what each citation of a claim is worth, as a clause; one of no passage stands in its reason."""
    return [
        f"[{citation['number']}] {'supports it' if citation['supports'] else 'does not support it'}"
        for citation in claim["citations"]
        if citation["exists"]
    ]


def told(claim: Data) -> str:
    """Return all that there is to say of a claim's verdict, in one line."""
    said = [why(claim), missing(claim), *cited(claim)]
    return "; ".join(filter(None, said))


def telling(evidence: str, claim: str) -> tuple[int, int]:
    """Return where the sentence of a window stands that has most words of the claim."""
    words = set(_WORD.findall(claim.lower()))
    borders = [0, *(match.end() for match in _SENTENCE_END.finditer(evidence)), len(evidence)]
    spans = [(start, end) for start, end in pairwise(borders) if start < end] or [(0, len(evidence))]
    return max(spans, key=lambda span: len(words & set(_WORD.findall(evidence[slice(*span)].lower()))))


def what_was_done(verification: Data) -> str:
    """Return what the policy did to the answer."""
    policy = verification["policy"]
    if not verification["text"] or verification["text"] == verification["answer"]:
        return f"{policy}: the answer is as it was"
    return f"{policy}: {_DONE.get(policy, 'the answer was changed')}"


def _passages(windows: Sequence[Data]) -> str:
    numbers = sorted({window["passage"] + 1 for window in windows})
    return f"passage {numbers[0]}" if numbers else ""
