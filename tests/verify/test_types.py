"""What a verification counts, and that it is plain data."""

import json
import pickle

import pytest

from secondpass.errors import SecondPassError, VerificationFailedError
from secondpass.types import Trace
from secondpass.verify.types import CheckedClaim, Citation, Claim, Evidence, Mismatch, Verdict, Verification


def verification(*verdicts: Verdict, probabilities: tuple[float, ...] = ()) -> Verification:
    """Return a verification with these verdicts."""
    claims = tuple(
        CheckedClaim(Claim(f"Claim {at}.", 9 * at, 9 * at + 8, at), verdict, probability)
        for at, (verdict, probability) in enumerate(zip(verdicts, probabilities or (0.5,) * len(verdicts), strict=True))
    )
    return Verification(" ".join(c.text for c in claims), claims, passed=False, text="", trace=Trace("x"))


def test_an_error_counts_as_not_supported_and_a_greeting_not_at_all() -> None:
    """The fraction is over all claims but those that are not checkable."""
    result = verification(Verdict.SUPPORTED, Verdict.ERROR, Verdict.NOT_CHECKABLE, Verdict.NOT_ENOUGH_INFO)
    assert result.supported_fraction == pytest.approx(1 / 3)
    assert result.counts[Verdict.NOT_CHECKABLE] == 1 and not result.contradicted
    assert verification(Verdict.CONTRADICTED).contradicted


def test_the_minimum_is_over_checkable_claims() -> None:
    """A claim without a fact has no probability that counts; without claims everything is 0."""
    result = verification(Verdict.SUPPORTED, Verdict.NOT_CHECKABLE, probabilities=(0.9, 0.0))
    assert result.min_probability == 0.9
    nothing = verification()
    assert (nothing.supported_fraction, nothing.min_probability, len(nothing)) == (0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [((0.8,), 0.8), ((0.8, 0.9), 0.8407), ((0.5,) * 10, 0.7153), ((0.0, 0.9), 0.0), ((1.0, 1.0), 1.0), ((), 0.0)],
)
def test_the_probability_of_the_answer(probabilities: tuple[float, ...], expected: float) -> None:
    """It is that of the weakest claim, more for longer answers, as the lowest of many estimates is low by chance."""
    result = verification(*[Verdict.SUPPORTED] * len(probabilities), probabilities=probabilities)
    assert result.probability == pytest.approx(expected, abs=1e-4)
    assert result.to_dict()["probability"] == result.probability


def test_everything_is_json() -> None:
    """`to_dict` holds all there is, in plain data."""
    evidence = Evidence(1, "doc-7", 3, 8, "proof", 0.9, 0.08, 0.02)
    claim = CheckedClaim(
        Claim("A is 3.", 0, 7, 0),
        Verdict.SUPPORTED,
        0.93,
        (evidence,),
        (evidence,),
        True,
        (Mismatch("number", "3", "4"),),
        (Citation("[2]", 7, 10, 2, 1, True, False, 0.2),),
        (3,),
        True,
        "why",
    )
    plain = Verification("A is 3.[2]", (claim,), True, "flag", "A is 3.[2]", Trace("FactVerifier", 0.5)).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    (only,) = plain["claims"]
    assert only["verdict"] == "supported" and only["evidence"][0]["id"] == "doc-7" and only["suggested"] == [3]
    assert only["citations"][0] == {
        "marker": "[2]",
        "start": 7,
        "end": 10,
        "number": 2,
        "passage": 1,
        "exists": True,
        "supports": False,
        "probability": 0.2,
    }
    assert only["mismatches"] == [{"kind": "number", "claim": "3", "evidence": "4", "start": None, "end": None}]
    assert plain["supported_fraction"] == 1.0 and plain["trace"]["latency_s"] == 0.5


def test_it_is_a_sequence_of_claims_and_pickles() -> None:
    """Iterating gives the claims, and a pickled one is equal."""
    result = verification(Verdict.SUPPORTED, Verdict.ERROR)
    assert [claim.verdict for claim in result] == [Verdict.SUPPORTED, Verdict.ERROR]
    assert pickle.loads(pickle.dumps(result)) == result


def test_the_error_carries_the_verification() -> None:
    """It is one of ours, and keeps the verification through a pickle."""
    error = VerificationFailedError("no", verification(Verdict.ERROR))
    assert isinstance(error, SecondPassError)
    restored = pickle.loads(pickle.dumps(error))
    assert str(restored) == "no" and restored.verification == error.verification
