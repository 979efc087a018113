"""Fitting the ready calibration from stored scores."""

import json
from pathlib import Path

import numpy as np
import pytest

from secondpass.calibration import calibrator_from_config
from secondpass.evaluate.dataset import Dataset
from secondpass.testing import FakeReranker
from training.ready import (
    MODEL,
    Candidates,
    area_under_curve,
    calibration_error,
    fit,
    main,
    own_labels,
    read,
    score,
    watched,
)


def _rows(seed: int) -> list[dict[str, object]]:
    """Return six queries with one relevant document among thirty, which mostly has the highest logit."""
    rng, rows = np.random.default_rng(seed), []
    for query in range(6):
        values = rng.normal(-8.0, 2.0, 31)
        values[7] = rng.normal(2.0, 4.0)
        hits = [(f"d{at}", float(31 - at)) for at in range(31)]
        stages = {"BM25": {"with": hits[:30], "without": [hit for hit in hits if hit[0] != "d7"]}}
        logits = {f"d{at}": float(value) for at, value in enumerate(values)}
        rows.append({"query": f"q{query}", "relevant": ["d7"], "stages": stages, "logits": logits})
    return rows


@pytest.fixture
def stored(tmp_path: Path) -> list[Path]:
    """Return the files of three sets."""
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    for seed, path in enumerate(paths):
        path.write_text(json.dumps({"name": path.stem, "rows": _rows(seed)}), encoding="utf-8")
    return paths


def test_read(stored: list[Path]) -> None:
    """Logits stand in the order of the first stage, and no relevant document in the collection without them."""
    (with_it, without), *others = read(stored[0])["BM25"]
    assert len(others) == 5 and len(with_it.logits) == len(without.logits) == 30
    assert with_it.relevant.nonzero()[0].tolist() == [7] and not without.relevant.any()
    assert with_it.best == 31.0 and without.logits[7] == with_it.logits[8]


def test_prior() -> None:
    """It is that of the default, with its weight."""
    scores = Candidates(np.zeros(50), np.zeros(50, dtype=bool), 1.0).scores(True)
    assert scores[[0, 49]].tolist() == pytest.approx([6.0, -2.0], abs=0.3) and abs(scores.mean()) < 1e-12
    few = Candidates(np.zeros(5), np.zeros(5, dtype=bool), 1.0).scores(True)
    assert few.tolist() == scores[:5].tolist()


def test_fit(stored: list[Path]) -> None:
    """Maps rise from what does not fit to what fits; ranges hold what was seen; all of it is plain data."""
    fitted = json.loads(json.dumps(fit({path.stem: read(path) for path in stored})))
    for name in ("documents", "with_prior", "answerable"):
        low, high = calibrator_from_config(fitted[name]).apply([-8.0, 6.0])
        assert low < 0.25 and high > 0.75
    assert fitted["documents"]["base_rate"] == pytest.approx(1 / 30, abs=1e-4)
    assert fitted["answerable"]["base_rate"] == 0.5
    for path in stored:
        for name, value in zip(("spread", "mean"), watched(read(path)), strict=True):
            low, high = fitted["ranges"][name]
            assert low - 0.05 <= value <= high + 0.05


def test_measures() -> None:
    """The error is 0 where each bin has the share that was said, and the area is how often the first is higher."""
    relevant = np.tile([True, False, False, False], 100)
    assert calibration_error(np.full(400, 0.25), relevant) == 0.0
    assert calibration_error(np.full(400, 0.75), relevant) == 0.5
    assert area_under_curve([2.0, 1.0], [0.0, 1.0]) == 0.875
    none = [(np.arange(10.0), np.zeros(10, dtype=bool))] * 8
    assert np.isnan(own_labels(none))


def test_command(stored: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a table for each map, and writes the file that is shipped."""
    out = tmp_path / "ready.json"
    main(["fit", *map(str, stored), "--out", str(out)])
    printed = capsys.readouterr().out
    assert printed.count("50 own") == 2 and "c BM25" in printed
    assert set(json.loads(out.read_text())[MODEL]) == {"sha256", "documents", "with_prior", "answerable", "ranges"}


def test_score() -> None:
    """The candidates of each judged query, and those that there would be without the relevant ones, with logits."""
    documents = tuple({"id": f"d{at}", "text": f"copy file number {at}"} for at in range(12))
    queries = {"q": "copy a file", "unjudged": "copy"}
    collection = Dataset(documents, queries, {"q": {"d3": 1, "d4": 0}, "unjudged": {"d1": 0}})
    reranker = FakeReranker(scale="logit")
    (row,) = score(collection, reranker, stages=["BM25"], n_queries=9, depth=5, min_grade=1)
    lists = row["stages"]["BM25"]
    assert row["query"] == "q" and row["relevant"] == ["d3"]
    assert len(lists["with"]) == len(lists["without"]) == 5 and "d3" not in dict(lists["without"])
    expected = reranker.score("copy a file", ["copy file number 4"])[0]
    assert row["logits"]["d4"] == pytest.approx(expected, abs=1e-4)
