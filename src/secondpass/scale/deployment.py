"""The server as a deployment of Ray Serve: the same application, in as many replicas as the load needs."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from secondpass.errors import ConfigError, MissingExtraError
from secondpass.models.batching import THREADS
from secondpass.scale.cluster import require_ray
from secondpass.scale.settings import fewest_and_most, threads_of
from secondpass.serve.settings import API_KEYS, ServeSettings
from secondpass.validation import NOT_NEGATIVE, POSITIVE, must_be

if TYPE_CHECKING:
    from fastapi import FastAPI
    from ray.serve import Application

__all__ = ["build_application", "serve_application"]


def serve_application(
    settings: ServeSettings | Mapping[str, Any] | None = None,
    *,
    replicas: int | tuple[int, int] = 1,
    cpus_per_replica: float = 1,
    gpus_per_replica: float = 0,
    target_requests: float = 8,
) -> "Application":
    """Return the application of `secondpass.serve.create_app` for ``ray.serve.run``.

    Each replica loads the models, and gathers the requests that come to it at the same time into batches, in every
    dialect, as the plain server does. At the limit of ``max_requests`` for each replica, Ray Serve queues as many
    again, and refuses further ones with 503. To serve other settings, deploy again.

    Args:
        settings: what is served, or the mapping of a YAML file; by default the embedded models. Keys of clients are not
            taken from here, as Ray would keep them, but from ``SECONDPASS_API_KEYS`` on each node.
        replicas: how many there are; or the fewest and the most, between which Ray Serve chooses by the load.
        cpus_per_replica: processors that Ray gives to each, and threads that its models have.
        gpus_per_replica: GPUs likewise.
        target_requests: under way in each replica, on average, that Ray Serve aims at: a higher one makes larger
            batches, and each request slower.

    Raises:
        MissingExtraError: Ray Serve is not installed.
        ConfigError: a setting can't be used.
    """
    fewest, most = fewest_and_most("replicas", replicas)
    POSITIVE.checked(cpus_per_replica, "cpus_per_replica")
    NOT_NEGATIVE.checked(gpus_per_replica, "gpus_per_replica")
    POSITIVE.checked(target_requests, "target_requests")
    checked, written = _written(settings)
    serve = _serve()
    keys, threads = bool(checked.keys()), threads_of(cpus_per_replica)

    def app() -> "FastAPI":  # called in each replica
        return _built(written, keys, threads)

    scaling = {"min_replicas": fewest, "max_replicas": most, "target_ongoing_requests": target_requests}
    configured = serve.deployment(
        name="secondpass",
        autoscaling_config=scaling,
        ray_actor_options={"num_cpus": cpus_per_replica, "num_gpus": gpus_per_replica},
        max_ongoing_requests=checked.max_requests,
        max_queued_requests=checked.max_requests,
        graceful_shutdown_timeout_s=checked.timeout_s,
    )
    bound: Application = configured(serve.ingress(app)()).bind()
    return bound


def _serve() -> Any:
    require_ray("serve_application")
    try:
        from ray import serve
    except ModuleNotFoundError as exc:  # Ray without what Ray Serve needs
        raise MissingExtraError.of("ray", "serve_application") from exc
    return serve


def build_application(args: Mapping[str, Any]) -> "Application":
    """Return the application for the ``import_path`` of a configuration of Ray Serve.

    Args:
        args: those of `serve_application`, by name.

    Raises:
        ConfigError: one is unknown or can't be used.
    """
    try:
        return serve_application(**args)
    except TypeError as exc:
        raise ConfigError(f"args are those of serve_application: {exc}") from exc


def _written(settings: ServeSettings | Mapping[str, Any] | None) -> tuple[ServeSettings, str]:
    if isinstance(settings, Mapping):
        if "api_keys" in settings:
            raise ConfigError(f"api_keys can't be passed through Ray: set {API_KEYS} on each node")
        checked = ServeSettings.from_config(settings)
    elif isinstance(settings, ServeSettings | None):
        checked = settings or ServeSettings()
    else:
        raise ConfigError(must_be("settings", "ServeSettings or a mapping of them", settings))
    if checked.api_keys.reveal() != ServeSettings().api_keys.reveal():
        raise ConfigError(f"api_keys can't be passed through Ray: set {API_KEYS} on each node")
    return checked, json.dumps(checked.to_config())


def _built(written: str, keys: bool, threads: int) -> "FastAPI":
    from secondpass.serve.app import create_app

    os.environ[THREADS] = str(threads)
    settings = ServeSettings.from_config(json.loads(written))
    if keys and not settings.keys():
        raise ConfigError(f"keys of clients are asked for, and this node has none: set {API_KEYS} here as well")
    return create_app(settings)
