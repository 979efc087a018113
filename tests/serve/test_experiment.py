"""Who asks, told by a header, decides which arm of an experiment answers."""

import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import secondpass as sp
from secondpass.composition.coalescing import CoalescingReranker
from secondpass.serve import create_app

_EXPERIMENT: dict[str, Any] = {
    "type": "ab-test",
    "name": "header",
    "arms": {"control": {"type": "fake"}, "treatment": {"type": "fake"}},
}
_SERVED = {"rerankers": {"default": _EXPERIMENT}}
_BODY = {"query": "copy a file", "documents": ["delete a file", "copy a file", "bread"]}
_UNITS = [f"user-{at}" for at in range(24)] + ["j\u00fcrgen", "\u5c71\u7530"]


def _experiment(app: FastAPI) -> sp.ABTestReranker:
    served = app.state.service.generations.current.rerankers["default"]
    assert isinstance(served, CoalescingReranker) and isinstance(served.wrapped, sp.MonitoredReranker)
    assert isinstance(served.wrapped.wrapped, sp.ABTestReranker)
    return served.wrapped.wrapped


def _arms(caplog: pytest.LogCaptureFixture) -> list[str]:
    logged = [getattr(record, "fields", {}) for record in caplog.records if record.name == "secondpass.serve"]
    return [fields["arm"] for fields in logged if "arm" in fields]


def test_a_unit_has_the_arm_that_it_has_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    """Each time, whatever it asks, with letters of any script; and the log says which, but not who."""
    app = create_app(_SERVED)
    test = _experiment(app)
    with TestClient(app) as client, caplog.at_level(logging.INFO, "secondpass.serve"):
        for unit in _UNITS:
            for query in ("copy a file", "bake bread"):
                headers = {"X-Experiment-Unit": unit.encode("utf-8")}
                assert client.post("/v2/rerank", json=_BODY | {"query": query}, headers=headers).status_code == 200
    expected = [test.arm_of(unit) for unit in _UNITS for _ in range(2)]
    assert _arms(caplog) == expected and set(expected) == {"control", "treatment"}
    assert "user-3" not in caplog.text


def test_units_that_share_a_batch_keep_their_arms() -> None:
    """Requests of many clients at once are scored together, each by the arm of its own unit."""
    app = create_app(_SERVED)
    test = _experiment(app)
    of_warm_up = Counter(_answered(test))

    def ask(unit: str) -> int:
        return client.post("/rerank", json=_BODY, headers={"x-experiment-unit": unit}).status_code

    units = _UNITS[:24] * 3
    with TestClient(app) as client, ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, units)) == {200}
    by_arm = {arm: {unit for unit in units if test.arm_of(unit) == arm} for arm in test.arms}
    assert Counter(_answered(test)) - of_warm_up == Counter({arm: len(of) for arm, of in by_arm.items()})


def _answered(test: sp.ABTestReranker) -> dict[str, int]:
    """Return how many units each arm has answered."""
    key = test._usual.key
    return {arm: len(test.outcomes.values(key, "latency_s", arm)) for arm in test.arms}


def test_without_the_header_each_query_is_a_unit(caplog: pytest.LogCaptureFixture) -> None:
    """As it is without a server; another header may be named, or none."""
    for header, sent in (("X-Experiment-Unit", ""), ("X-Tenant", ""), (None, "user-1")):
        app = create_app(_SERVED | {"experiment_unit_header": header})
        caplog.clear()
        with TestClient(app) as client, caplog.at_level(logging.INFO, "secondpass.serve"):
            client.post("/v2/rerank", json=_BODY, headers={"X-Experiment-Unit": sent})
        assert _arms(caplog) == [_experiment(app).arm_of("copy a file")]
    app = create_app(_SERVED | {"experiment_unit_header": "X-Tenant"})
    other = next(unit for unit in _UNITS if _experiment(app).arm_of(unit) != _experiment(app).arm_of("copy a file"))
    caplog.clear()
    with TestClient(app) as client, caplog.at_level(logging.INFO, "secondpass.serve"):
        client.post("/v2/rerank", json=_BODY, headers={"x-tenant": other})
    assert _arms(caplog) == [_experiment(app).arm_of(other)]


def test_a_unit_that_is_too_long_is_refused(client_of: Callable[..., TestClient]) -> None:
    """A name is short; what is longer is something else."""
    response = client_of().post("/v2/rerank", json=_BODY, headers={"X-Experiment-Unit": "u" * 257})
    assert response.status_code == 400
    assert response.json()["message"] == "X-Experiment-Unit has more than the 256 characters that are taken"
