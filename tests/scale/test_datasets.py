"""What the functions refuse before any worker is started."""

from pathlib import Path
from typing import Any

import pytest

import secondpass as sp
from secondpass.scale import ScaleSettings, build_application, rerank_dataset, serve_application, verify_dataset
from secondpass.serve import ServeSettings
from secondpass.testing import FakeReranker
from tests.scale.rows import pairs, write


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file of pairs."""
    return write(tmp_path / "rows.jsonl", pairs(3))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"worker": 2}, r"rerank_dataset has no setting 'worker' \(did you mean 'workers'\?\)"),
        ({"workers": 0}, "workers must be a whole number of at least 1, not 0"),
        ({"workers": (3, 2)}, "workers must be the fewest and the most, in this order"),
        ({"workers": (1, 2, 3)}, "workers must be a number, or the fewest and the most"),
        ({"cpus_per_worker": 0}, "cpus_per_worker must be a number above 0"),
        ({"shard_rows": 1.5}, "shard_rows must be a whole number of at least 1, or None"),
        ({"batch_tokens": -1}, "batch_tokens must be a whole number of at least 1"),
        ({"record_errors": "yes"}, "record_errors must be True or False"),
        ({"reranker": 3}, "reranker must be a name, a folder or a configuration, not 3"),
        ({"reranker": {"type": "fake", "scale": object()}}, "reranker must be plain data"),
        ({"reranker": ""}, "reranker must be a name, a folder or a configuration"),
        ({"columns": ["query"]}, "columns must be a mapping from our names to those in the files"),
        ({"columns": {"query": 3}}, r"columns\['query'\] must be a str that is not empty, not 3"),
        ({"columns": {"query": "question"}}, "the files have no column 'question', only document, id, query"),
        ({"columns": {"score": "id"}}, "the files have a column 'id' already"),
    ],
)
def test_settings_that_can_not_be_used(settings: dict[str, Any], said: str, source: Path, tmp_path: Path) -> None:
    """Each by its name; nothing is written."""
    with pytest.raises(sp.ConfigError, match=said):
        rerank_dataset(source, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_where_the_output_can_not_be(source: Path, tmp_path: Path) -> None:
    """Neither beside the input, where the next run would read it, nor nowhere."""
    with pytest.raises(sp.ConfigError, match="has the input in it"):
        rerank_dataset(source, tmp_path)
    with pytest.raises(sp.ConfigError, match="output must be the path of a folder"):
        rerank_dataset(source, "")


def test_answers_need_their_columns(source: Path, tmp_path: Path) -> None:
    """Pairs are none."""
    with pytest.raises(sp.ConfigError, match="the files have no column 'answer'"):
        verify_dataset(source, tmp_path / "out")
    with pytest.raises(sp.ConfigError, match="verify_dataset has no setting 'reranker'"):
        verify_dataset(source, tmp_path / "out", reranker="fake")  # type: ignore[call-arg]


def test_what_a_run_takes() -> None:
    """Threads are whole, at least one; Ray is asked for the processors of all workers."""
    settings = ScaleSettings(workers=(2, 5), cpus_per_worker=2.5)
    assert (settings.pool, settings.threads, settings.cpus) == ((2, 5), 2, 12.5)
    assert ScaleSettings(cpus_per_worker=0.5).threads == 1 and ScaleSettings(workers=3).pool == (3, 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"settings": {"rerankers": {}}}, "nothing is served"),
        ({"settings": 3}, "settings must be ServeSettings or a mapping of them, not 3"),
        ({"settings": {"api_keys": "sesame"}}, "set SECONDPASS_API_KEYS on each node"),
        ({"settings": ServeSettings(api_keys="sesame")}, "set SECONDPASS_API_KEYS on each node"),
        ({"replicas": 0}, "replicas must be a whole number of at least 1"),
        ({"cpus_per_replica": 0}, "cpus_per_replica must be a number above 0"),
        ({"replica": 1}, "args are those of serve_application"),
    ],
)
def test_a_deployment_that_can_not_be_made(given: dict[str, Any], said: str) -> None:
    """No key goes through Ray."""
    with pytest.raises(sp.ConfigError, match=said) as caught:
        build_application(given)
    assert "sesame" not in str(caught.value)
    if "replica" not in given:
        with pytest.raises(sp.ConfigError, match=said):
            serve_application(**given)


def test_a_reranker_is_taken_by_its_configuration(source: Path, tmp_path: Path) -> None:
    """What is not data can't be loaded by another process."""
    with pytest.raises(sp.ConfigError, match="which a configuration can't hold"):
        rerank_dataset(source, tmp_path / "out", reranker=sp.RoutedReranker({"a": FakeReranker()}, lambda _: "a"))
