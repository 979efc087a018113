"""The models that are served, loaded, each behind a queue in which requests share batches."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from secondpass.classify.classifier import classifiers
from secondpass.classify.monitored import MonitoredClassifier
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.composition.monitored import MonitoredReranker
from secondpass.config import construct
from secondpass.errors import ConfigError
from secondpass.loading import load
from secondpass.monitor.sink import Sink, SinkLike, as_sink
from secondpass.registry import Registry
from secondpass.serve.classifying import ServedClassifier
from secondpass.serve.errors import RefusedError
from secondpass.serve.settings import ServeSettings
from secondpass.serve.verifying import ServedVerifier
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.verifier import verifiers

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Generations", "Served"]

T = TypeVar("T")


class _Queue(TypedDict):
    max_wait_ms: float
    max_pairs: int
    max_queue: int


class Served:
    """The rerankers, verifiers and classifiers of one configuration.

    Args:
        settings: which they are.
        sinks: where the events of their calls go, beside those of the settings.

    Raises:
        SecondPassError: one of them can't be loaded; the message names it.
    """

    def __init__(self, settings: ServeSettings, sinks: Sequence[SinkLike]) -> None:
        self.settings = settings
        self._own_sinks = [as_sink(sink) for sink in settings.sinks]  # one of each for all models: it may write a file
        sinks = (*sinks, *self._own_sinks)
        queue: _Queue = {
            "max_wait_ms": settings.max_wait_ms,
            "max_pairs": settings.max_pairs,
            "max_queue": settings.max_requests + 1,  # the limit is the server's: its queues never hold anybody back
        }

        def reranker(name: str, given: Any) -> CoalescingReranker:
            watched = MonitoredReranker(load(given), sinks, name=name)
            return CoalescingReranker(watched, **queue)

        def verifier(name: str, given: Any) -> ServedVerifier:
            return ServedVerifier(MonitoredVerifier(_built(verifiers, given), sinks, name=name), **queue)

        def classifier(name: str, given: Any) -> ServedClassifier:
            built = _built(classifiers, given)
            return ServedClassifier(built, lambda each: MonitoredClassifier(each, sinks, name=name), **queue)

        self.rerankers = _each("rerankers", settings.rerankers, reranker)
        self.verifiers = _each("verifiers", settings.verifiers, verifier)
        self.classifiers = _each("classifiers", settings.classifiers, classifier)

    def reranker(self, name: str | None) -> tuple[str, CoalescingReranker]:
        """Return the reranker of a name or alias, and the name that it is served under; the first one for None."""
        return self._found("reranker", self.rerankers, name)

    def verifier(self, name: str | None) -> tuple[str, ServedVerifier]:
        """Return a verifier, likewise."""
        return self._found("verifier", self.verifiers, name)

    def classifier(self, name: str | None) -> tuple[str, ServedClassifier]:
        """Return a classifier, likewise."""
        return self._found("classifier", self.classifiers, name)

    def _found(self, kind: str, served: Mapping[str, T], name: str | None) -> tuple[str, T]:
        if not served:
            raise RefusedError(404, f"no {kind} is served here")
        if name is None:
            return next(iter(served.items()))
        found = served.get(self.settings.aliases.get(name, name))
        if found is None:
            names = [*served, *(alias for alias, stands_for in self.settings.aliases.items() if stands_for in served)]
            raise RefusedError(404, f"no {kind} is called {name[:100]!r} here; there are: {', '.join(names)}")
        return name, found

    def warm_up(self) -> None:
        """Ask each of them once: what can't answer is known before it is needed.

        Raises:
            SecondPassError: one of them fails.
        """
        for reranker in self.rerankers.values():
            reranker.score("Is it ready?", ["It is ready."])
        for verifier in self.verifiers.values():
            verifier.warm_up()
        for classifier in self.classifiers.values():
            classifier.warm_up()

    def close(self) -> None:
        """Answer what waits in the queues, end their threads, and let go of the sinks' files."""
        queues: list[CoalescingReranker | ServedVerifier | ServedClassifier] = [*self.rerankers.values()]
        for each in (*queues, *self.verifiers.values(), *self.classifiers.values()):
            each.close()
        for sink in self._own_sinks:
            if isinstance(sink, Sink):
                sink.close()


class Generations:
    """The models that are served now, and those before them as long as a request still uses them.

    All but the constructor belong to one thread, that of the event loop.
    """

    def __init__(self, first: Served) -> None:
        self.current = first
        self._users: dict[int, int] = {}

    @contextmanager
    def lease(self) -> "Iterator[Served]":
        """Lend the current models; they stay open until they are given back."""
        served = self.current
        self._users[id(served)] = self._users.get(id(served), 0) + 1
        try:
            yield served
        finally:
            self._users[id(served)] -= 1
            self._close_unused(served)

    def replace(self, successor: Served) -> None:
        """Serve other models from now on. Requests that have begun are answered by those they began with."""
        before, self.current = self.current, successor
        self._close_unused(before)

    def _close_unused(self, served: Served) -> None:
        if served is not self.current and not self._users.get(id(served)):
            self._users.pop(id(served), None)
            Thread(target=served.close, name="secondpass-closing", daemon=True).start()  # it joins threads


def _built(registry: Registry, given: str | Mapping[str, Any]) -> Any:
    if isinstance(given, str):
        kind, colon, first = given.partition(":")
        return construct(registry.get(kind), *([first] if colon else []))
    if not isinstance(given.get("type"), str):
        raise ConfigError("a configuration is a mapping with its kind under 'type'")
    return registry.get(given["type"]).from_config(given)


def _each(kind: str, named: Mapping[str, Any], build: Callable[[str, Any], T]) -> dict[str, T]:
    built = {}
    for name, given in named.items():
        try:
            built[name] = build(name, given)
        except Exception as exc:
            exc.add_note(f"while loading {kind}[{name!r}]")
            raise
    return built
