"""A classifier that is watched: an event for each text, to as many sinks as you like."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from secondpass.base import in_thread
from secondpass.classify.classifier import Labels, ZeroShotClassifier, classifiers
from secondpass.classify.types import Classification
from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.monitor.event import ScoredText, ScoreSummary
from secondpass.monitor.record import of_trace
from secondpass.monitor.sink import SinkLike
from secondpass.monitor.watched import Watched
from secondpass.secret import Secret
from secondpass.validation import must_be

__all__ = ["MonitoredClassifier"]


class MonitoredClassifier(Watched, Configured):
    """Tells sinks of each text that a classifier labels, or fails at: see `secondpass.monitor.Event`.

    Classifications are those of the wrapped classifier. An event has the text's hash as ``query_hash``, the labels as
    ``candidates``, their probabilities as ``scores``, and counts ``abstained``.

    Args:
        wrapped: the classifier, or its configuration.
        sinks: as for `MonitoredReranker`, as are ``name``, ``texts`` and ``salt``.
        name: what the events call the classifier; by default its class.
        texts: put the text, the labels and what errors say into the events. They are left out by default.
        salt: keys the hash of the text; kept out of configurations.

    Raises:
        ConfigError: a sink or a setting can't be used.
        MissingExtraError: a sink needs a package that is not installed.
    """

    registry_name: ClassVar[str] = "monitored"
    wrapped: ZeroShotClassifier

    def __init__(
        self,
        wrapped: ZeroShotClassifier | Mapping[str, Any],
        sinks: Sequence[SinkLike] = ("logging",),
        *,
        name: str | None = None,
        texts: bool = False,
        salt: str | Secret | None = None,
    ) -> None:
        if isinstance(wrapped, Mapping):
            built = classifiers.get(str(wrapped.get("type"))).from_config(wrapped)
        else:
            built = wrapped
        if not callable(getattr(built, "classify_many", None)):
            takes = "a classifier, such as a ZeroShotClassifier"
            raise ConfigError(must_be("MonitoredClassifier: wrapped", takes, wrapped))
        self._watch("classify", built, sinks, name, texts, salt)

    def classify(self, text: str, labels: Labels | None = None) -> Classification:
        """Choose the labels of a text: see `ZeroShotClassifier.classify`."""
        return self.classify_many([text], labels)[0]

    def classify_many(self, texts: Iterable[str], labels: Labels | None = None) -> list[Classification]:
        """Find the labels of many texts in one run of the model: see `ZeroShotClassifier.classify_many`."""
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            return self.wrapped.classify_many(texts, labels)  # which refuses them
        texts = list(texts)
        asked = [text if isinstance(text, str) else "" for text in texts]
        return self._recorder.call(lambda: self.wrapped.classify_many(texts, labels), asked, self._fields)

    async def aclassify(self, text: str, labels: Labels | None = None) -> Classification:
        """Async version of `classify`, which runs in a worker thread."""
        return (await self.aclassify_many([text], labels))[0]

    async def aclassify_many(self, texts: Iterable[str], labels: Labels | None = None) -> list[Classification]:
        """Async version of `classify_many`, which runs in a worker thread."""
        return await in_thread(self.classify_many, texts, labels)

    def _fields(self, _at: int, done: Classification | None) -> dict[str, Any]:
        fields: dict[str, Any] = {"fingerprint": self.fingerprint, "candidates": 0}
        if done is None:
            return fields
        fields |= of_trace(done.trace) | {"candidates": len(done.scores)}
        fields["scores"] = ScoreSummary.of(np.array(list(done.scores.values()), dtype=np.float64))
        fields["counts"] |= {"abstained": int(done.abstained)}
        if self.texts:
            fields["texts"] = tuple(ScoredText(at, *scored) for at, scored in enumerate(done.scores.items()))
        return fields
