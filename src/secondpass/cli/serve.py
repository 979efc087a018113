"""``secondpass serve``: reranking, verification and classification over HTTP."""

import logging
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from secondpass.cli.reading import read_settings
from secondpass.errors import ConfigError, MissingExtraError
from secondpass.serve.settings import API_KEYS, ServeSettings

__all__ = ["serve"]

_log = logging.getLogger("secondpass.serve")


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


def serve(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="What is served, as YAML; read again on SIGHUP.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="The one reranker that is served: a name, a folder, or owner/name."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8000,
    log_level: Annotated[Level, typer.Option(help="How much is logged, as lines of JSON.")] = Level.INFO,
) -> None:
    """Serve rerankers, verifiers and classifiers over HTTP, in the dialects of Cohere, Jina, vLLM, TEI and Voyage."""
    if config is not None and model is not None:
        raise ConfigError("pass --model or --config, not both: a configuration names its models")

    def read() -> ServeSettings:
        if model is not None:
            return ServeSettings(rerankers={"default": model})
        return ServeSettings.from_config(read_settings(config, ServeSettings))

    try:
        from secondpass.serve.app import create_app
        from secondpass.serve.logs import log_as_json
        from secondpass.serve.run import run
    except ModuleNotFoundError as exc:
        if exc.name not in {"fastapi", "uvicorn", "prometheus_client"}:
            raise
        raise MissingExtraError.of("serve", "secondpass serve") from exc
    settings = read()
    log_as_json(log_level)
    if not settings.keys() and not _is_loopback(host):
        _log.warning("whoever reaches %s may use this server: set %s to the keys that are accepted", host, API_KEYS)
    run(create_app(settings), host=host, port=port, read=read)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
