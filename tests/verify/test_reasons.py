"""Why a claim has its verdict, in words."""

from typing import Any

import pytest

from secondpass.verify.reasons import described, relevant, telling, told, what_was_done


def window(
    passage: int = 0, entailment: float = 0.9, contradiction: float = 0.0, text: str = "Nothing of the kind."
) -> Any:
    """Return a window of a passage, as `Verification.to_dict` has it."""
    return {"passage": passage, "entailment": entailment, "contradiction": contradiction, "text": text}


def claim(verdict: str, **parts: Any) -> dict[str, Any]:
    """Return a claim of a verdict, without anything that isn't given."""
    empty = {"reason": "", "text": "It is so.", "evidence": [], "contradicting": [], "spans": [], "citations": []}
    return {"verdict": verdict, **empty, **parts}


def span(text: str, evidence: str = "", kind: str = "number") -> dict[str, str]:
    """Return a span of an answer."""
    return {"text": text, "evidence": evidence, "kind": kind}


@pytest.mark.parametrize(
    ("mismatch", "clause"),
    [
        ({"kind": "negation", "claim": "a", "evidence": "b"}, "the source says the opposite"),
        ({"kind": "number", "claim": "12", "evidence": "9"}, "the source says 9, not 12"),
        ({"kind": "number", "claim": "12", "evidence": ""}, "the source does not say 12 of this"),
    ],
)
def test_what_a_mismatch_is(mismatch: dict[str, str], clause: str) -> None:
    """Denials have no words of their own; what is only missing stands alone."""
    assert described(mismatch) == clause


WEAK, STRONG, DENYING = window(4, 0.49, 0.49), window(2, 0.5), window(6, 0.1, 0.5)


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (claim("supported", reason="it is word for word", evidence=[STRONG]), "it is word for word"),
        (claim("supported", evidence=[window(2), window(0), window(0)]), "passage 1 says it"),
        (claim("supported", evidence=[window(2)]), "passage 3 says it"),
        (claim("supported", evidence=[WEAK], contradicting=[WEAK]), "passage 5 says it"),
        (claim("supported"), ""),
        (
            claim("contradicted", spans=[span("12"), span("5", "7")]),
            "the source says “7”, not “5”; not in the sources: “12”",
        ),
        (claim("contradicted"), "the source says otherwise"),
        (claim("contradicted", evidence=[WEAK]), "the source says otherwise"),
        (claim("contradicted", evidence=[DENYING]), "passage 7 says otherwise"),
        (claim("contradicted", evidence=[STRONG], contradicting=[DENYING]), "passage 7 says otherwise"),
        (claim("not_enough_info", evidence=[STRONG]), "no passage says it"),
        (claim("not_enough_info", evidence=[WEAK]), "no evidence in the passages"),
        (claim("not_checkable"), ""),
        (claim("not_checkable", spans=[span("12", kind="relation"), span("5", "7")]), ""),
        (claim("not_checkable", spans=[span("12"), span("a")]), "not in the sources: “12”, “a”"),
        (
            claim(
                "supported",
                evidence=[STRONG],
                citations=[
                    {"number": 3, "exists": True, "supports": True},
                    {"number": 9, "exists": False, "supports": False},
                    {"number": 1, "exists": True, "supports": False},
                ],
            ),
            "passage 3 says it; [3] supports it; [1] does not support it",
        ),
    ],
)
def test_what_is_told_of_a_claim(parts: dict[str, Any], line: str) -> None:
    """Its own reason first, else the passages that say it or deny it; the words that are nowhere; its citations."""
    assert told(parts) == line


LONG = [*"abcdefghij"] * 6


@pytest.mark.parametrize(
    ("text", "held", "line"),
    [
        ("The old tower is red.", "The old tower is blue.", "the source says “blue”, not “red”"),
        ("It is a red, new, fast car.", "It is an old, slow, grey car.", "passage 1 says otherwise"),
        (
            "So it is a red, new, fast car here.",
            "So it is a old, slow, grey car here.",
            "the source says “old, slow, grey”, not “red, new, fast”",
        ),
        ("It is one a b c d here then now.", "It is one e f g h here then now.", "passage 1 says otherwise"),
        ("It is one a b c here then now.", "It is one e f g h here then now.", "passage 1 says otherwise"),
        ("The tower is red.", "The tower is.", "passage 1 says otherwise"),
        ("The tower is red and old.", "The house is red and new.", "passage 1 says otherwise"),
        (" ".join([*LONG[:59], "red."]), " ".join([*LONG[:59], "blue."]), "the source says “blue”, not “red”"),
        (" ".join([*LONG, "red."]), " ".join([*LONG, "blue."]), "passage 1 says otherwise"),
        ("The tower is red.", "It rains. The tower is blue! We left.", "the source says “blue”, not “red”"),
        ("The tower is red.", "", "passage 1 says otherwise"),
    ],
)
def test_what_a_passage_says_in_place_of_a_claim(text: str, held: str, line: str) -> None:
    """The words that differ, if they are no more than three in a row and nearly all else is the same."""
    assert told(claim("contradicted", text=text, contradicting=[window(text=held)])) == line


def test_the_windows_that_say_something() -> None:
    """Those for it first; below one half a window is only the nearest, unless the verdict rests on it."""
    windows = [WEAK, STRONG, DENYING]
    assert relevant(claim("supported", evidence=windows, contradicting=[DENYING])) == windows
    assert relevant(claim("contradicted", evidence=windows)) == [STRONG, DENYING]
    assert relevant(claim("contradicted", evidence=windows, contradicting=[STRONG])) == [DENYING, STRONG]


@pytest.mark.parametrize(
    ("evidence", "claim", "sentence"),
    [
        ("It rains. The tower is old. The tower is red.", "The tower is red.", "The tower is red."),
        ("The tower is old. It rains.", "The tower is red.", "The tower is old. "),
        ("Red. Red.", "red", "Red. "),
        ("A line\nThe tower\n", "the tower", "The tower\n"),
        ("nothing", "else", "nothing"),
        ("", "else", ""),
    ],
)
def test_the_sentence_that_has_most_of_the_words(evidence: str, claim: str, sentence: str) -> None:
    """The first of those with as many."""
    start, end = telling(evidence, claim)
    assert evidence[start:end] == sentence


@pytest.mark.parametrize(
    ("policy", "text", "line"),
    [
        ("drop", "Some.", "drop: sentences that are not supported are left out"),
        ("annotate", "Some.", "annotate: sentences that are not supported are marked"),
        ("abstain", "Some.", "abstain: a message stands in place of the answer"),
        ("own", "Some.", "own: the answer was changed"),
        ("drop", "All of it.", "drop: the answer is as it was"),
        ("drop", "", "drop: the answer is as it was"),
    ],
)
def test_what_the_policy_did(policy: str, text: str, line: str) -> None:
    """Whatever it is for, an answer that is the same was not changed."""
    assert what_was_done({"policy": policy, "text": text, "answer": "All of it."}) == line
