"""Handlers that keep what LlamaIndex's instrumentation reports."""

from typing import Any

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler


class Events(BaseEventHandler):
    """Keeps every event of the dispatcher."""

    events: list[Any] = []

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(event)

    def of(self, *types: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, types)]


class Recorder:
    """Events and spans that reach the root dispatcher."""

    def __init__(self) -> None:
        self.events = Events()
        self.spans = SimpleSpanHandler()

    def names(self, which: str = "completed_spans") -> list[str]:
        """Return the names of the postprocessors' spans: the class and the method."""
        names = [span.id_.partition("-")[0] for span in getattr(self.spans, which)]
        return [name for name in names if "postprocess" in name]
