"""The check-up itself: what it tells of the machine, the models and the pair, and what it refuses."""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.diagnose import Environment, diagnose
from secondpass.diagnose.environment import environment, environment_findings
from secondpass.models.batching import available_cores
from secondpass.models.graph.onnx_proto import make_model, make_node, make_tensor, make_value
from secondpass.models.onnx_session import _PRODUCTS, int8_overflows
from secondpass.monitor import AlertSink, Event, MemoryRule
from secondpass.monitor.memory import memory_limit, memory_used
from secondpass.testing import FakeReranker
from tests.monitor.events import event


def test_it_says_what_holds_here(cross_encoder: sp.CrossEncoderReranker) -> None:
    """Machine, model and pair, as values, as JSON and as a text."""
    found = diagnose(cross_encoder, "copy a file", {"text": "shutil.copy copies a file", "id": 7})
    assert found.environment.python == platform.python_version() and found.environment.cores == available_cores()
    (model,) = found.models
    assert (model.name, model.task, model.labels, model.languages) == (
        *("ms-marco-MiniLM-L12-v2", "rerank"),
        *(("relevance",), ("en",)),
    )
    assert model.max_length == 512 and model.fingerprint == cross_encoder.pair_model.fingerprint
    assert found.pair is not None and found.pair.query_tokens == 3 and found.pair.document_tokens == 7
    assert found.pair.score == cross_encoder.score("copy a file", ["shutil.copy copies a file"])[0]
    swapped = cross_encoder.score("shutil.copy copies a file", ["copy a file"])[0]
    assert found.pair.swapped == swapped and found.pair.counts["pairs"] == 1
    ranking = cross_encoder.rerank("copy a file", ["shutil.copy copies a file"])
    assert found.pair.probability == ranking[0].probability
    data = json.loads(json.dumps(found.to_dict()))
    assert data["healthy"] is True and data["pair"]["scale"] == "logit" and data["models"][0]["workers"] >= 1
    said = repr(found)
    assert "nothing is odd" in said and "tokens: 3 of the query, 7 of the document, room for 509" in said


def test_it_changes_nothing_and_works_without_a_model() -> None:
    """A reranker without a model has no tokens that can be counted; ordinal scores are not compared."""
    found = diagnose(FakeReranker(scale="ordinal"), "copy a file", "copy")
    assert found.models == () and found.pair is not None and found.pair.room is None and found.pair.swapped is None
    assert found.probes is not None and found.probes.order_sensitivity is None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("cross-encoder",), sp.ConfigError, "what is diagnosed must be a Reranker, a FactVerifier or an NliModel"),
        ((FakeReranker(), "a query"), sp.ConfigError, "looks at a query and a document together"),
        ((FakeReranker(), "a query", 3), sp.InputError, "documents\\[0\\] is of type int"),
        ((FakeReranker(), " ", "text"), sp.InputError, "the query is empty"),
    ],
)
def test_what_can_not_be_used_is_refused(arguments: Any, error: type[Exception], said: str) -> None:
    """In a sentence."""
    with pytest.raises(error, match=said):
        diagnose(*arguments)


def test_odd_machines_are_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Overflow, a cache that can't be written, fewer cores than there are, and memory that is nearly full."""
    here = environment()
    odd = {"int8_overflows": True, "cache_folder": "", "cores": 1, "cores_of_machine": 8}
    odd |= {"memory_bytes": 95, "memory_limit_bytes": 100}
    there = Environment(**here.to_dict() | odd)
    names = [finding.name for finding in environment_findings(there)]
    assert names == ["int8-overflow", "no-cache-folder", "fewer-cores", "memory-full"]
    assert "overflow, so they run in a slower mode" in "\n".join(there.lines())
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(blocked))
    assert environment().cache_folder == ""


def test_the_test_of_int8_products_is_what_it_says() -> None:
    """The model in the source is the one that is written here; this processor gives one of two results."""
    model = make_model(
        [make_node("MatMulInteger", ["x", "w"], ["y"])],
        [make_value("x", np.dtype("uint8"), [1, 4])],
        [make_value("y", "int32", [1, 1])],
        [make_tensor("w", np.full((4, 1), 127, np.int8))],
    )
    assert model == _PRODUCTS
    flags = Path("/proc/cpuinfo")
    if flags.exists() and platform.machine() == "x86_64":
        text = flags.read_text(encoding="ascii", errors="replace")
        assert int8_overflows() == ("avx2" in text and "vnni" not in text)


def test_memory_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has some, and less than it may; the rule fires beyond its share, whatever the events are."""
    used, limit = memory_used(), memory_limit()
    assert used is not None and limit is not None and 10_000_000 < used < limit
    fired: list[Any] = []
    sink = AlertSink([MemoryRule(0.9, patience=1)], notify=fired.append, check_every=1)
    events: list[Event] = [event(), event(kind="verify")]
    for each in events:
        sink(each)
    assert fired == []
    monkeypatch.setattr("secondpass.monitor.memory.memory_used", lambda: int(0.95 * limit))
    for each in events:
        sink(each)
    assert [alert.rule for alert in fired] == ["memory"] and fired[0].value == pytest.approx(0.95)
    monkeypatch.setattr("secondpass.monitor.memory.memory_used", lambda: None)
    with pytest.raises(sp.MissingExtraError, match=r"secondpass\[diagnose\]"):
        MemoryRule()
