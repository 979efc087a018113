"""What a running server consists of, and how it takes up other settings without losing a request."""

import logging
from asyncio import Lock, to_thread
from collections.abc import Callable

from secondpass.errors import SecondPassError
from secondpass.monitor.prometheus import PrometheusSink
from secondpass.serve.load import Load
from secondpass.serve.metrics import ServerMetrics
from secondpass.serve.served import Generations, Served
from secondpass.serve.settings import ServeSettings

__all__ = ["Service"]

_log = logging.getLogger("secondpass.serve")


class Service:
    """The models, the load and the metrics of a server.

    Args:
        settings: what is served.

    Raises:
        SecondPassError: a model can't be loaded or does not answer; a note names it.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self.metrics, self.load = ServerMetrics(), Load()
        self._sink = PrometheusSink(registry=self.metrics.registry)
        self.generations = Generations(self._loaded(settings))
        self._reloading: Lock | None = None

    @property
    def settings(self) -> ServeSettings:
        """The settings that hold now."""
        return self.generations.current.settings

    async def reload(self, read: Callable[[], ServeSettings]) -> bool:
        """Load what the settings say now, and serve that from then on; tell whether it worked.

        Requests that have begun are answered by the models that they began with, so for a while there are both. If
        the settings can't be used, or a model can't, everything stays as it is, and the log says why.

        Args:
            read: returns the settings; called in a thread.
        """
        self._reloading = self._reloading or Lock()
        async with self._reloading:
            try:
                successor = await to_thread(lambda: self._loaded(read()))
            except SecondPassError as exc:
                said = "; ".join([f"{type(exc).__name__}: {exc}", *getattr(exc, "__notes__", ())])
                _log.error("the settings stay as they were: %s", said)
                return False
            self.generations.replace(successor)
            _log.info("other settings hold now")
            return True

    def _loaded(self, settings: ServeSettings) -> Served:
        served = Served(settings, [self._sink])
        served.warm_up()
        return served
