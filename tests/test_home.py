"""A tilde in a path is the home folder, wherever a path is taken."""

from collections.abc import Callable
from pathlib import Path

import pytest

import secondpass as sp
from secondpass.cache import SQLiteCache
from secondpass.calibration import PlattCalibrator
from secondpass.evaluate.layout import write_page
from secondpass.monitor import JSONLinesSink
from secondpass.paths import cache_dir
from secondpass.retrieve import BM25Retriever
from secondpass.testing import FakeReranker
from tests.monitor.events import event


def _calibrated() -> None:
    calibrated = sp.CalibratedReranker(
        FakeReranker(scale="logit"), calibrator=PlattCalibrator(slope=1.0, intercept=0.0)
    )
    calibrated.save("~/made")
    assert sp.CalibratedReranker.load("~/made", calibrated.wrapped).calibrator == calibrated.calibrator


def _indexed() -> None:
    BM25Retriever().index(["a file", "bread"]).save("~/made")
    assert BM25Retriever.load("~/made").search("file", k=1)[0].index == 0


def _cached() -> None:
    reranker = sp.CachedReranker(FakeReranker(), cache=SQLiteCache("~/made"))
    reranker.rerank("q", ["a"])
    assert reranker.rerank("q", ["a"]).trace.counts["cache_hits"] == 1


@pytest.mark.parametrize(
    "make",
    [_calibrated, _indexed, _cached, lambda: JSONLinesSink("~/made")(event()), lambda: write_page("<p>", "~/made")],
)
def test_what_is_written_and_read_is_at_home(
    make: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no folder of the name ~ is made where the program runs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    make()
    assert (tmp_path / "home" / "made").exists() and list((tmp_path / "here").iterdir()) == []


def test_so_is_the_cache_folder_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names it with a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", "~/cache")
    assert cache_dir("models") == tmp_path / "cache" / "models"
