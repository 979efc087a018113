"""Monitored classifiers: the events of texts, and the same labels."""

import asyncio
from typing import Any

import pytest

from secondpass.classify import MonitoredClassifier, ZeroShotClassifier
from secondpass.errors import ConfigError, InputError
from secondpass.monitor import WindowSink
from secondpass.testing import FakeReranker

_CONFIG = {"type": "zero-shot", "model": {"type": "fake", "scale": "logit"}, "labels": ["billing", "shipping"]}


def test_an_event_says_what_was_chosen() -> None:
    """Labels are candidates, their probabilities scores; to abstain is counted."""
    window = WindowSink()
    wrapped = ZeroShotClassifier(FakeReranker(scale="logit"), labels=["billing", "shipping"], thresholds=0.99)
    classifier = MonitoredClassifier(wrapped, [window])
    assert classifier.classify("nothing of both").scores == wrapped.classify("nothing of both").scores
    asyncio.run(classifier.aclassify("This text is about shipping."))
    first, second = window.events()
    assert (first.kind, first.name, first.candidates) == ("classify", "ZeroShotClassifier", 2)
    assert first.counts["abstained"] == 1 and first.fingerprint == wrapped.fingerprint
    assert first.scores is not None and first.scores.mean == pytest.approx(0.5) and "nothing" not in repr(first)
    assert second.query_hash != first.query_hash


def test_texts_and_failures() -> None:
    """Texts only if asked for; what is refused has an event too."""
    window = WindowSink()
    classifier = MonitoredClassifier(_CONFIG, [window], texts=True)
    best = classifier.classify_many(["a text about shipping"])[0]
    bad: Any = 3
    for texts in ([""], [bad], bad, "text"):
        with pytest.raises(InputError):
            classifier.classify_many(texts)
    event, *refused = window.events()
    assert event.query == "a text about shipping" and event.texts[0].text == next(iter(best.scores))
    assert [each.error for each in refused] == ["InputError", "InputError"] and classifier.failures == {}


def test_it_is_plain_data() -> None:
    """With the classifier in it."""
    classifier = MonitoredClassifier(_CONFIG, ["window"])
    restored = MonitoredClassifier.from_config(classifier.to_config())
    assert restored.fingerprint == classifier.fingerprint and restored.to_config() == classifier.to_config()
    with pytest.raises(ConfigError, match="wrapped must be a classifier"):
        MonitoredClassifier(3)  # type: ignore[arg-type]
