"""A fact verifier is safe by default: what can't be verified is never supported, whatever comes in."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError, SecondPassWarning
from secondpass.models.nli import NliOutput
from secondpass.testing import FakeReranker
from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier
from tests.verify.towers import ANSWER, PASSAGES, Make, verdicts

S, N, X, E = Verdict.SUPPORTED, Verdict.NOT_ENOUGH_INFO, Verdict.NOT_CHECKABLE, Verdict.ERROR


@pytest.mark.parametrize("passages", [[], ["", " \n"], [{"text": ""}]])
def test_without_passages_nothing_is_supported(make: Make, passages: list[Any]) -> None:
    """All that is checkable has not enough info, said plainly, and the model is not asked."""
    result = make().verify(ANSWER, passages)
    assert verdicts(result) == [N, N, N, N, X] and not result.passed
    assert all("no passages were given" in claim.reason for claim in result.claims[:4])
    assert make().nli.calls == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", ["", "  \n\t"])
def test_an_empty_answer_does_not_pass(make: Make, answer: str) -> None:
    """There is nothing to verify: no claims, not passed, and a note."""
    result = make().verify(answer, PASSAGES)
    assert (result.claims, result.passed, result.supported_fraction) == ((), False, 0.0)
    assert any("nothing to verify" in note for note in result.trace.notes)
    assert not make(allow_unchecked=True).verify(answer, PASSAGES).passed


def test_an_answer_without_facts_passes_only_where_that_is_allowed(make: Make) -> None:
    """A greeting is not verified; who trusts it says so."""
    assert not make().verify("Hello! How are you?", PASSAGES).passed
    assert make(allow_unchecked=True).verify("Hello! How are you?", PASSAGES).passed


@pytest.mark.parametrize(
    "answer",
    [
        "Москва является столицей России.",
        "東京は日本の首都です。",
        "Der Turm ist nicht hoch und wurde im Jahr 1889 gebaut.",
    ],
)
def test_other_languages_are_not_supported(make: Make, answer: str) -> None:
    """The model reads English: a claim in another language has not enough info, even if a passage repeats it."""
    result = make().verify(answer, [answer])
    assert all(claim.verdict in (N, X) for claim in result.claims) and not result.passed
    assert any("English" in claim.reason for claim in result.claims)
    assert S in verdicts(make(english_only=False).verify(answer, [answer]))


def test_passages_in_other_languages_are_no_evidence(make: Make) -> None:
    """An English claim against foreign passages only has not enough info, and says why."""
    (checked,) = make().verify("The tower is tall.", ["Эта башня очень высокая."]).claims
    assert checked.verdict is N and "passages are in other languages" in checked.reason


def test_one_claim_that_fails_takes_no_other_with_it(make: Make, fake_nli: Any) -> None:
    """A claim that the model fails on is an error with the reason, counted as not supported, and warned of."""
    answer = "The tower was built in 1889. The museum sells coffee. The museum is closed on Sunday."
    with pytest.warns(SecondPassWarning, match="1 of 3 claims could not be checked"):
        result = make(model=fake_nli(fails_on="coffee"), min_supported=0.0).verify(answer, PASSAGES)
    assert verdicts(result) == [S, E, S] and not result.passed
    assert "the accelerator is gone" in result.claims[1].reason and result.claims[1].probability == 0.0
    assert result.supported_fraction == pytest.approx(2 / 3)


def test_a_broken_model_supports_nothing(make: Make, fake_nli: Any) -> None:
    """A model that always fails makes errors of all claims, after three calls; so do numbers that are none."""
    model = fake_nli(fails_on=" ")
    with pytest.warns(SecondPassWarning, match="4 of 5 claims"):
        result = make(model=model).verify(ANSWER, PASSAGES)
    assert verdicts(result) == [E, E, E, E, X] and len(model.calls) == 3

    class NotANumber(fake_nli):
        def run(self, pairs: Any) -> NliOutput:
            output = super().run(pairs)
            return NliOutput(np.full((len(pairs), 3), np.nan), output.n_tokens, output.truncated, output.repeated)

    with pytest.warns(SecondPassWarning):
        assert verdicts(make(model=NotANumber()).verify(ANSWER, PASSAGES)) == [E, E, E, E, X]


def test_a_retriever_that_fails_supports_nothing(make: Make) -> None:
    """A reranker that raises makes errors, too."""

    class Failing(FakeReranker):
        def _score(self, requests: Any) -> Any:
            raise RuntimeError("no connection")

    with pytest.warns(SecondPassWarning):
        result = make(retriever=Failing()).verify(ANSWER, PASSAGES)
    assert verdicts(result) == [E, E, E, E, X] and "no connection" in result.claims[0].reason


@pytest.mark.parametrize(
    "call",
    [
        lambda v: v.verify(None, PASSAGES),
        lambda v: v.verify(b"x", PASSAGES),
        lambda v: v.verify("x", "one text"),
        lambda v: v.verify("x", None),
        lambda v: v.verify("x", [3]),
        lambda v: v.verify("x", [{"id": 3}]),
        lambda v: v.verify("x", PASSAGES, question=3),
        lambda v: v.verify_many(["x"]),
        lambda v: v.verify_many([("x",)]),
    ],
)
def test_bad_input_is_refused(make: Make, call: Callable[[FactVerifier], object]) -> None:
    """What is no text, or no list of passages, is an InputError."""
    with pytest.raises(InputError):
        call(make())


def test_nothing_of_the_callers_is_changed(make: Make) -> None:
    """Passages are as they were."""
    before = json.dumps(PASSAGES)
    make().verify(ANSWER, PASSAGES)
    assert json.dumps(PASSAGES) == before


def test_lone_surrogates_keep_offsets_right(make: Make) -> None:
    """An answer and a passage with lone surrogates are verified, and can be shown."""
    answer = "\ud800 ok. The tower was built in 1889."
    result = make().verify(answer, ["\udfff " + str(PASSAGES[0])])
    claim = result.claims[-1]
    assert claim.verdict is S and answer[claim.claim.start : claim.claim.end] == "The tower was built in 1889."
    json.dumps(result.to_dict()).encode()
    result.to_html().encode()


@given(st.text(max_size=200), st.lists(st.text(max_size=200), max_size=3), st.booleans())
def test_any_text_is_borne(fake_nli: Any, answer: str, passages: list[str], english_only: bool) -> None:
    """Whatever the texts: nothing is raised, offsets are exact, and the result can be shown and written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecondPassWarning)
        result = FactVerifier(fake_nli(), english_only=english_only).verify(answer, passages)  # type: ignore[arg-type]
    for claim in result.claims:
        assert 0 <= claim.claim.start <= claim.claim.end <= len(answer)
        for evidence in (*claim.evidence, *claim.contradicting):
            kept = passages[evidence.passage][evidence.start : evidence.end]
            assert len(kept) == len(evidence.text)
    json.dumps(result.to_dict())
    result.to_html().encode()
    repr(result).encode()
    assert not result.passed or result.supported_fraction == 1.0


@given(st.text(max_size=200), st.text(alphabet="xyz \n.", max_size=200))
def test_noise_supports_nothing(fake_nli: Any, answer: str, noise: str) -> None:
    """Passages without a word of the answer support none of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecondPassWarning)
        answer = "".join(letter for letter in answer if letter not in "xyzXYZ")
        result = FactVerifier(fake_nli()).verify(answer, [noise, ""])  # type: ignore[arg-type]
    assert S not in verdicts(result) and not result.passed
