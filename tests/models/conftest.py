"""Models in folders: the embedded one, and a float32 checkpoint made from it."""

import runpy
from pathlib import Path

import pytest

from secondpass.models.resolve import ModelFiles, find_model


@pytest.fixture(scope="session")
def embedded() -> ModelFiles:
    """Return the files of the embedded cross-encoder."""
    return find_model("ms-marco-MiniLM-L12-v2", "rerank", local_files_only=True)


@pytest.fixture(scope="session")
def float_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the embedded weights, dequantized into a BertForSequenceClassification."""
    script = Path(__file__).parents[2] / "benchmarks" / "dequantize.py"
    folder: Path = runpy.run_path(str(script))["write_checkpoint"](tmp_path_factory.mktemp("float"))
    return folder
