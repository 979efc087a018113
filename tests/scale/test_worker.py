"""What a worker does with shards, here in this process."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import secondpass as sp
from secondpass.models.batching import THREADS, available_cores
from secondpass.scale.formats import Shard, format_of
from secondpass.scale.output import OutputFolder
from secondpass.scale.tasks import Pairs
from secondpass.scale.worker import ShardWorker, raise_reported
from secondpass.testing import FakeReranker
from tests.scale.rows import pairs, read, write


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "7")  # which a worker sets, and which is taken back behind it


def _report(tmp_path: Path, rows: list[dict[str, Any]], model: Any) -> dict[str, Any]:
    path = write(tmp_path / "rows.parquet", rows)
    (tmp_path / "out").mkdir(exist_ok=True)
    job = {"task": Pairs(model, {}, 100, False).to_dict(), "folder": str(tmp_path / "out"), "threads": 1}
    shard = Shard(0, str(path), 0, len(rows))
    found: dict[str, Any] = json.loads(ShardWorker(json.dumps(job))({"shard": json.dumps(shard.to_dict())})["report"])
    return found


def test_a_shard_is_read_scored_and_written(tmp_path: Path) -> None:
    """With the scores of calls, and a report of how it went."""
    report = _report(tmp_path, pairs(5), "fake")
    part = OutputFolder(tmp_path / "out", format_of(Path("rows.parquet"))).part(Shard(0, "", 0, 5))
    scores = [FakeReranker().score(row["query"], [row["document"]])[0] for row in pairs(5)]
    expected = zip(pairs(5), scores, strict=True)
    assert read([part]) == [row | {"score": score, "probability": None, "unread": False} for row, score in expected]
    assert (report["rows"], report["pairs"], report["errors"], report["shard"]) == (5, 5, 0, 0)
    assert report["fingerprint"] == FakeReranker().fingerprint and report["worker"].endswith(f":{os.getpid()}")
    assert available_cores() == 1


def test_an_error_comes_back_as_what_it_was(tmp_path: Path) -> None:
    """Also one of a class that only the worker has: as the nearest of ours."""
    with pytest.raises(sp.InputError, match=r"rows\.parquet, row 2: the query is empty"):
        raise_reported(_report(tmp_path, [*pairs(1), {"id": 1, "query": " ", "document": "a"}], "fake"))
    with pytest.raises(sp.RegistryError, match="neither a reranker nor a cross-encoder"):
        raise_reported(_report(tmp_path, pairs(1), "no-such-model"))
    assert not list((tmp_path / "out").glob("part-*"))


@pytest.mark.parametrize("threads", ["0", "many", "-1", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than taken for all cores."""
    monkeypatch.setenv(THREADS, threads)
    with pytest.raises(sp.ConfigError, match="SECONDPASS_THREADS must be a whole number of at least 1"):
        available_cores()
