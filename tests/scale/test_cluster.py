"""Which Ray a run is on, and what is said where there is none."""

import os
import sys
from types import ModuleType
from typing import Any

import pytest

import secondpass as sp
from secondpass.scale import cluster
from secondpass.scale.cluster import connected, require_ray

_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


class _Ray(ModuleType):
    """Takes the place of Ray, whose threads must not come into this process, and notes how it is started."""

    def __init__(self, *, running: bool = False, fails: bool = False) -> None:
        super().__init__("ray")
        self.running, self.fails, self.calls = running, fails, list[tuple[str, dict[str, Any]]]()

    def is_initialized(self) -> bool:
        """Return whether the caller has called ``ray.init``."""
        return self.running

    def init(self, **settings: Any) -> None:
        """Note it."""
        self.calls.append(("init", settings))
        if self.fails:
            raise ConnectionError("no node answers\nlong ago")

    def shutdown(self) -> None:
        """Note it."""
        self.calls.append(("shutdown", {}))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED"):
        os.environ.pop(name, None)
    os.environ[_LOOPBACK] = "0"  # as if it had been set before Ray was imported


def _put(monkeypatch: pytest.MonkeyPatch, ray: _Ray) -> _Ray:
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


def test_a_local_one_is_started_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dashboard and statistics, with as many processors as the workers have, and ended by an error as well."""
    ray = _put(monkeypatch, _Ray())
    with pytest.raises(KeyError), connected(3.0):
        raise KeyError
    assert [name for name, _ in ray.calls] == ["init", "shutdown"]
    assert ray.calls[0][1]["include_dashboard"] is False and ray.calls[0][1]["num_cpus"] == 3
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_callers_own_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither started again nor ended."""
    ray = _put(monkeypatch, _Ray(running=True))
    with connected(3):
        pass
    assert ray.calls == []


def test_a_cluster_is_joined_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a job, with what it has."""
    ray = _put(monkeypatch, _Ray())
    os.environ["RAY_ADDRESS"] = "10.0.0.1:6379"
    with connected(3):
        pass
    settings = ray.calls[0][1]
    assert settings["address"] == "10.0.0.1:6379" and "num_cpus" not in settings and len(ray.calls) == 2


def test_one_that_can_not_be_started_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line says why."""
    _put(monkeypatch, _Ray(fails=True))
    with pytest.raises(sp.ScoringError, match=r"Ray can't be started or reached: no node answers$"), connected(1):
        pass
    os.environ["RAY_ADDRESS"] = "10.0.0.1:6379"
    with (
        pytest.raises(sp.ScoringError, match=r"if the cluster asks for a token, set RAY_AUTH_MODE=token"),
        connected(1),
    ):
        pass


def test_one_that_was_imported_before_listens_everywhere_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it listens on is decided when it is imported."""
    _put(monkeypatch, _Ray())
    del os.environ[_LOOPBACK]
    with pytest.warns(sp.SecondPassWarning, match="listens on all of this machine's addresses"), connected(1):
        pass


def test_without_ray_the_error_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a file is looked at."""
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(sp.MissingExtraError, match=r'rerank_dataset needs .* pip install "secondpass\[ray\]"'):
        require_ray("rerank_dataset")
