"""Stores with tiny models in them."""

from pathlib import Path

import pytest

from secondpass.learn import ModelStore
from secondpass.models.sources.resolve import find_model
from tests.models.tiny_encoder import save_tiny_encoder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a cross-encoder with random weights."""
    vocabulary = find_model("ms-marco-MiniLM-L12-v2", "rerank", local_files_only=True).folder
    return save_tiny_encoder(tmp_path_factory.mktemp("tiny") / "model", vocabulary, width=4)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Return a store that nothing was added to."""
    return ModelStore(tmp_path / "models")


@pytest.fixture
def light(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of small files that counts as a model: what is tested here is what happens to files."""
    monkeypatch.setattr("secondpass.learn.store.store.find_model", lambda *_: None)
    folder = tiny.parent / "light"
    if not folder.is_dir():
        (folder / "1_Pooling").mkdir(parents=True)
        for name in ("config.json", "model.safetensors", "1_Pooling/config.json"):
            (folder / name).write_text(name * 1000)
    return folder
