"""What a reasoning model thought before its answer."""

import pytest

from secondpass.verify.claims.split import ClaimStream, split_claims
from secondpass.verify.claims.thoughts import Thoughts
from secondpass.verify.verifier import FactVerifier
from tests.verify.towers import PASSAGES, Make, verdicts

THOUGHTS = "<think>\nThe tower is purple [2].\n\n```\nNo, it is not.\n</think>"
ANSWER = f"{THOUGHTS}\n\nThe tower was built in 1889 [1]. It is purple."


def streamed(answer: str, size: int) -> tuple[object, ...]:
    """Return the claims of an answer that comes in pieces of some characters."""
    stream = ClaimStream()
    claims = [claim for at in range(0, len(answer), size) for claim in stream.feed(answer[at : at + size])]
    return (*claims, *stream.finish())


@pytest.mark.parametrize("tag", ["think", "thinking", "thought", "reasoning"])
@pytest.mark.parametrize("size", [1, 5, 9999])
def test_thoughts_are_one_part_that_is_not_checked(tag: str, size: int) -> None:
    """Whatever is in them; what follows stands where it did."""
    answer = "\n" + ANSWER.replace("think>", f"{tag}>")
    first, *others = split_claims(answer)
    assert answer[first.start : first.end] == first.text == THOUGHTS.replace("think>", f"{tag}>")
    assert (first.sentence, first.reason) == (0, "it is what the model thought before it answered")
    assert [(claim.sentence, claim.text) for claim in others] == [
        (1, "The tower was built in 1889."),
        (2, "It is purple."),
    ]
    assert answer[others[1].start : others[1].end] == "It is purple."
    assert streamed(answer, size) == (first, *others)


@pytest.mark.parametrize(
    "answer",
    [
        "<think>The tower is purple.",
        "It is so. <think>The tower is purple.</think>",
        "<b>The tower</b> is purple.",
        "<thin ice> is purple.",
        "< think>The tower is purple.</think>",
        "<",
        "<think",
    ],
)
def test_what_is_none_is_checked(answer: str) -> None:
    """Thoughts stand at the beginning, and end."""
    assert any(claim.checkable for claim in split_claims(answer)) is any(map(str.isalpha, answer))
    assert streamed(answer, 1) == split_claims(answer)


def test_nothing_is_held_that_can_be_read() -> None:
    """An answer without thoughts is passed on at once, and thoughts with their last character."""
    thoughts = Thoughts()
    assert [thoughts.feed(piece) for piece in ("\n<", "th", "e>", "x", "")] == ["", "", "\n<the>", "x", ""]
    thoughts = Thoughts()
    assert [thoughts.feed(piece) for piece in ("<think>a</", "think>b", "c")] == ["", "\n" * 16 + "b", "c"]
    assert thoughts.text == "<think>a</think>" and thoughts.finish() == ""


@pytest.mark.parametrize("policy", ["annotate", "cite", "drop"])
def test_policies_leave_them(make: Make, policy: str) -> None:
    """Their citations are none of the claims', and a verdict is given on what follows only."""
    verifier: FactVerifier = make(policy=policy)
    verification = verifier.verify(ANSWER, PASSAGES)
    assert [str(verdict) for verdict in verdicts(verification)] == ["not_checkable", "supported", "not_enough_info"]
    assert verification.text.startswith(f"{THOUGHTS}\n\nThe tower was built in 1889 [1].")
    assert [citation.number for citation in verification.claims[1].citations] == [1]
    assert tuple(verifier.stream(iter(ANSWER), PASSAGES)) == verification.claims
