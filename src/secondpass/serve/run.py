"""The server as a process: signals, a graceful end, other settings on SIGHUP."""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from secondpass.errors import ConfigError
from secondpass.serve.service import Service
from secondpass.serve.settings import ServeSettings

__all__ = ["run"]

_log = logging.getLogger("secondpass.serve")

_KEEP_ALIVE_S = 75  # longer than what proxies and clients keep an idle connection for
_GRACE_S = 5.0  # beyond the limit for a request, for its answer to be sent


def run(app: FastAPI, *, host: str, port: int, read: Callable[[], ServeSettings] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, and answer what was accepted before it ends.

    On SIGTERM, ``/ready`` says at once that requests should go elsewhere, and each response closes its connection.
    After ``drain_s`` no connection is accepted any more; the requests that are under way are answered, and the process
    ends with status 0. A second signal cuts ``drain_s`` short; if it is Ctrl-C, nothing else is waited for either.

    Args:
        app: what `create_app` returned.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        read: returns the settings as they are now, for SIGHUP; None if they can't change.

    Raises:
        ConfigError: the address can't be listened on.
    """
    service: Service = app.state.service
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(service.settings.timeout_s + _GRACE_S),
        lifespan="on",
    )
    _Server(config, service, read).run()


class _Server(uvicorn.Server):
    """Drains before it stops, and reloads."""

    def __init__(self, config: uvicorn.Config, service: Service, read: Callable[[], ServeSettings] | None) -> None:
        super().__init__(config)
        self._service, self._read = service, read
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[bool]] = set()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Listen, and take SIGHUP."""
        self._loop = asyncio.get_running_loop()
        if self._read is not None and hasattr(signal, "SIGHUP"):
            self._loop.add_signal_handler(signal.SIGHUP, self._reload, self._read)
        try:
            await super().startup(sockets)  # type: ignore[arg-type]
        except SystemExit as exc:  # uvicorn ends so if it can't listen
            where = f"{self.config.host}, port {self.config.port}"
            raise ConfigError(f"{where} can't be listened on: {exc.__context__}") from exc

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, and stop at the second."""
        load = self._service.load
        if load.draining or self._loop is None:
            self.should_exit = True
            self.force_exit = self.force_exit or sig == signal.SIGINT
            return
        load.draining = True
        drain_s = self._service.settings.drain_s if sig == signal.SIGTERM else 0.0
        self._loop.call_soon_threadsafe(self._loop.call_later, drain_s, self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    def _reload(self, read: Callable[[], ServeSettings]) -> None:
        task = asyncio.ensure_future(self._service.reload(read))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
