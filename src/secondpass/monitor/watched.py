"""What holds of whatever is monitored, be it a reranker, a verifier or a classifier."""

from collections.abc import Mapping, Sequence
from typing import Any

from secondpass.monitor.event import Kind
from secondpass.monitor.record import Recorder
from secondpass.monitor.sink import SinkLike
from secondpass.secret import Secret

__all__ = ["Watched"]


class Watched:
    """A base of classes that wrap another object and tell sinks of each call; they set themselves up with `_watch`."""

    wrapped: Any
    _recorder: Recorder

    def _watch(
        self,
        kind: Kind,
        wrapped: Any,
        sinks: Sequence[SinkLike],
        name: str | None,
        texts: bool,
        salt: str | Secret | None,
    ) -> None:
        self.wrapped, self.name, self.texts = wrapped, name, texts
        called = type(wrapped).__name__ if name is None else name
        self._recorder = Recorder(type(self).__name__, kind, called, sinks, texts, salt)
        self.sinks, self.salt = self._recorder.sinks.each, self._recorder.salt

    @property
    def fingerprint(self) -> str:
        """That of the wrapped object: being watched changes no result."""
        return str(self.wrapped.fingerprint)

    @property
    def failures(self) -> Mapping[int, int]:
        """How often each sink failed, by its position; under -1, calls of which no event could be made."""
        return dict(self._recorder.sinks.failures)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.wrapped!r}, sinks={self.sinks!r})"
