"""The Ray that a run is on: the one that the caller is connected to, or one on this machine for as long as it takes."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from secondpass.errors import MissingExtraError, ScoringError, SecondPassWarning, first_line, warn

__all__ = ["connected", "require_ray"]

# Ray reads both when it is imported. The second one is named after the systems on which it is the default.
_NO_STATISTICS = ("RAY_USAGE_STATS_ENABLED", "0")
_LOOPBACK_ONLY = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
_OBJECT_STORE_BYTES = 100_000_000  # only names of shards and figures go through it


def require_ray(purpose: str) -> None:
    """Make sure that Ray is installed.

    Args:
        purpose: what needs it, for the error.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("ray") is None:
        raise MissingExtraError.of("ray", purpose)


@contextmanager
def connected(cpus: float) -> Iterator[None]:
    """Let the block run on Ray.

    If the caller has called ``ray.init``, or ``RAY_ADDRESS`` names a cluster, it is that one. Otherwise one is started
    on this machine and ended with the block: on loopback only, without dashboard and usage statistics.

    Args:
        cpus: the processors that a local one may give away.

    Raises:
        ScoringError: Ray can't be started or reached.
    """
    late = "ray" in sys.modules and os.environ.get(_LOOPBACK_ONLY[0]) != _LOOPBACK_ONLY[1]
    cluster = os.environ.get("RAY_ADDRESS")
    os.environ.setdefault(*_NO_STATISTICS)
    if not (cluster or late):
        os.environ.setdefault(*_LOOPBACK_ONLY)
    import ray

    if ray.is_initialized():
        yield
        return
    if late and not cluster:
        warn(
            "Ray was imported before secondpass started it, and so listens on all of this machine's addresses (it asks "
            "for a token): call ray.init() yourself, or set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0",
            SecondPassWarning,
        )
    try:
        if cluster:
            ray.init(address=cluster, logging_level=logging.WARNING)
        else:
            ray.init(
                num_cpus=max(1, round(cpus)),
                object_store_memory=_OBJECT_STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.WARNING,
            )
    except (OSError, RuntimeError, ValueError) as exc:
        advice = "; if the cluster asks for a token, set RAY_AUTH_MODE=token" if cluster else ""
        raise ScoringError(f"Ray can't be started or reached: {first_line(exc)}{advice}") from exc
    try:
        yield
    finally:
        ray.shutdown()
