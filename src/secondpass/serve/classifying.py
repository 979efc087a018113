"""A classifier behind a queue: texts of concurrent requests share the runs of its model."""

import json
from asyncio import wrap_future
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from secondpass.base import in_thread
from secondpass.classify.background import ANCHORS
from secondpass.classify.classifier import Labels
from secondpass.classify.kinds import are_bi_encoders
from secondpass.classify.types import Classification
from secondpass.composition.batcher import Batcher
from secondpass.config import construct, settings_of
from secondpass.errors import ConfigError, InputError

__all__ = ["ServedClassifier", "TextToClassify"]

_KEPT_VARIANTS = 64  # of a few objects each: they share the models


class TextToClassify(NamedTuple):
    """A text with the labels to choose from, and the settings that a request may change, as JSON."""

    text: str
    labels: Labels | None
    settings: str


class ServedClassifier:
    """Classifies texts; those of requests that come at the same time and ask for the same labels together.

    Args:
        classifier: a `ZeroShotClassifier`.
        watch: puts another one, with the same models and other settings, under watch.
        max_wait_ms: how long a request waits for others, while there are some.
        max_pairs: texts in a batch.
        max_queue: requests that may wait.
    """

    def __init__(
        self,
        classifier: Any,
        watch: Callable[[Any], Any],
        *,
        max_wait_ms: float,
        max_pairs: int,
        max_queue: int,
    ) -> None:
        self.classifier, self._watch = classifier, watch
        self._variants: OrderedDict[str, Any] = OrderedDict({"{}": watch(classifier)})
        self._lock = Lock()
        self._batcher: Batcher[TextToClassify, Classification] = Batcher(
            self._classify_many,
            size=lambda _: 1,
            max_wait_s=max_wait_ms / 1000,
            max_size=max_pairs,
            max_queue=max_queue,
            owner="ServedClassifier",
        )

    def read(self, texts: Sequence[str], labels: Labels | None, settings: Mapping[str, Any]) -> list[tuple[str, int]]:
        """Return what a request has of texts, each with how often a model reads it.

        NLI models and rerankers read each text with each label, and bi-encoders read both once; a template is read
        with each label, and by bi-encoders with each anchor.
        """
        own = getattr(self.classifier, "wrapped", self.classifier)  # it may be anyone's, or under watch already
        n_labels = _number_of(getattr(own, "labels", None) if labels is None else labels)
        templates = _listed(settings.get("template", getattr(own, "template", None)))
        apart = are_bi_encoders(_listed(getattr(own, "model", None)))
        times = 1 if apart else len(texts)  # a hypothesis
        words = [*(labels or ()), *settings.get("descriptions", {}).values()]
        found = [(text, 1 if apart else max(1, n_labels * len(templates))) for text in texts]
        found += [(word, times * len(templates)) for word in words]
        if "template" in settings:
            found += [(template, times * n_labels + (len(ANCHORS) if apart else 0)) for template in templates]
        return found

    async def classify(
        self, texts: Sequence[str], labels: Labels | None, settings: Mapping[str, Any]
    ) -> list[Classification]:
        """Classify texts, with settings in place of the classifier's own.

        Raises:
            InputError: a text, a label or a setting can't be used.
        """
        written = json.dumps(dict(settings), sort_keys=True)
        if written not in self._variants:
            # A setting that can't be used is this request's own error. A new template is read with a bi-encoder's
            # anchors first, which takes a while, and the event loop goes on.
            await in_thread(self._variant, written)
        items = [TextToClassify(text, labels, written) for text in texts]
        return (await wrap_future(await self._batcher.asubmit(items))).results

    def _classify_many(self, items: Sequence[TextToClassify]) -> list[Classification]:
        alike: dict[str, list[int]] = {}
        for at, item in enumerate(items):
            alike.setdefault(json.dumps([item.labels, item.settings]), []).append(at)
        done: dict[int, Classification] = {}
        for places in alike.values():
            first = items[places[0]]
            texts = [items[at].text for at in places]
            done |= zip(places, self._variant(first.settings).classify_many(texts, first.labels), strict=True)
        return [done[at] for at in range(len(items))]

    def _variant(self, written: str) -> Any:
        with self._lock:
            if written in self._variants:
                self._variants.move_to_end(written)
                return self._variants[written]
        settings = settings_of(self.classifier) | json.loads(written)
        try:
            variant = self._watch(construct(type(self.classifier), **settings))
        except ConfigError as exc:
            raise InputError(str(exc)) from exc
        with self._lock:
            self._variants[written] = variant
            while len(self._variants) > _KEPT_VARIANTS:
                self._variants.popitem(last=False)
        return variant

    def warm_up(self) -> None:
        """Classify a text."""
        self.classifier.classify("It is ready.", ["ready", "not ready"])

    def close(self) -> None:
        """Answer what waits, and end the thread."""
        self._batcher.close()


def _listed(model: Any) -> list[Any]:
    return list(model) if isinstance(model, list | tuple) else [model]


def _number_of(labels: Any) -> int:
    """Return how many labels there are, in a tree on all levels."""
    if isinstance(labels, Mapping):
        return sum(1 + _number_of(below) for below in labels.values())
    return len(labels or ())
