"""Monitored verifiers: the events of answers, whole and streamed, and the same verdicts."""

import asyncio
from typing import Any

import pytest

from secondpass.errors import ConfigError, InputError, VerificationFailedError
from secondpass.monitor import WindowSink
from secondpass.verify import MonitoredVerifier, Verdict
from secondpass.verify.verifier import verifiers
from tests.verify.towers import PASSAGES, Make

_ANSWER = "The tower was built in 1889 [1]. The tower is purple and made of cheese. Shall I go on?"


def watched(make: Make, **settings: Any) -> tuple[MonitoredVerifier, WindowSink]:
    """Return a monitored verifier, and where its events go."""
    window, texts = WindowSink(), settings.pop("texts", False)
    return MonitoredVerifier(make(**settings), [window], texts=texts), window


def test_an_event_says_what_was_found(make: Make) -> None:
    """How many claims have each verdict, the probabilities, and no text."""
    verifier, window = watched(make)
    verification = verifier.verify(_ANSWER, PASSAGES)
    assert verification.claims == verifier.wrapped.verify(_ANSWER, PASSAGES).claims
    (event,) = window.events()
    assert (event.kind, event.name, event.fingerprint) == ("verify", "FactVerifier", verifier.wrapped.fingerprint)
    assert (event.candidates, event.passed, event.batch) == (len(PASSAGES), False, 1)
    verdicts = {str(verdict): n for verdict, n in verification.counts.items() if n}
    assert verdicts["supported"] == 1 and verdicts["not_checkable"] == 1
    assert event.counts.items() >= verdicts.items() and event.counts["claims"] == 3 and event.tokens > 0
    assert event.scores is not None and event.scores.n == 2
    assert event.scores.lowest == pytest.approx(verification.min_probability)
    assert "cheese" not in repr(event) and any(path.endswith("/nli") for path in event.stages)


def test_answers_that_are_verified_together_have_an_event_each(make: Make) -> None:
    """Async as well; texts if they were asked for."""
    verifier, window = watched(make, texts=True)
    verifier.verify_many([(_ANSWER, PASSAGES), ("", [])])
    asyncio.run(verifier.averify(_ANSWER, PASSAGES, question="How old is it?"))
    first, second, third = window.events()
    assert [event.batch for event in (first, second, third)] == [2, 2, 1]
    assert first.query == _ANSWER and first.texts[0].text.startswith("The tower was built") and second.scores is None


def test_an_answer_that_does_not_pass_is_no_error_of_the_call(make: Make) -> None:
    """Where the policy is to raise; of several, the event has the error's name."""
    verifier, window = watched(make, policy="raise")
    with pytest.raises(VerificationFailedError):
        verifier.verify(_ANSWER, PASSAGES)
    with pytest.raises(VerificationFailedError):
        verifier.verify_many([(_ANSWER, PASSAGES)] * 2)
    first, second, _ = window.events()
    assert (first.passed, first.error, first.counts["supported"]) == (False, "", 1)
    assert (second.passed, second.error) == (None, "VerificationFailedError")


def test_a_stream_has_an_event_when_it_ends(make: Make) -> None:
    """Also if nobody reads it to its end; the answer's hash is that of the whole."""
    verifier, window = watched(make)
    verifier.verify(_ANSWER, PASSAGES)
    claims = list(verifier.stream((character for character in _ANSWER), PASSAGES))
    assert [claim.verdict for claim in claims][:1] == [Verdict.SUPPORTED]
    left = verifier.stream(iter([_ANSWER]), PASSAGES)
    next(left)
    left.close()  # type: ignore[attr-defined]
    whole, streamed, unread = window.events()
    assert streamed.query_hash == whole.query_hash and streamed.passed is None and streamed.error == ""
    assert streamed.counts["supported"] == 1 and streamed.counts["claims"] == 3 and streamed.latency_s > 0
    assert unread.error == "GeneratorExit"


def test_bad_input_is_refused_as_ever(make: Make) -> None:
    """By the wrapped verifier."""
    verifier, _ = watched(make)
    for call in (
        lambda: verifier.verify_many(3),  # type: ignore[arg-type]
        lambda: verifier.verify_many([3]),  # type: ignore[list-item]
        lambda: verifier.verify(3, PASSAGES),  # type: ignore[arg-type]
        lambda: verifier.stream("text", PASSAGES),
    ):
        with pytest.raises(InputError):
            call()


@pytest.mark.parametrize("item", [3, (), ("The tower is tall.",)])
def test_an_item_that_is_refused_has_an_event(make: Make, item: Any) -> None:
    """Whatever it is made of."""
    verifier, window = watched(make)
    with pytest.raises(InputError):
        verifier.verify_many([item])
    (event,) = window.events()
    assert (event.error, event.candidates) == ("InputError", 0)


def test_a_wrapped_configuration_needs_no_type() -> None:
    """As elsewhere, a mapping of settings is a fact verifier's."""
    assert MonitoredVerifier({"policy": "drop"}).policy == "drop"


def test_settings_are_checked(make: Make) -> None:
    """It is found by its name, and wraps verifiers only."""
    assert verifiers.get("monitored") is MonitoredVerifier
    with pytest.raises(ConfigError, match="wrapped must be a verifier, such as a FactVerifier"):
        MonitoredVerifier(3)  # type: ignore[arg-type]
    assert watched(make)[0].failures == {}
