"""Models in folders: the embedded one, and a float32 checkpoint made from it."""

from pathlib import Path

import pytest

from secondpass.learn.training.start import checkpoint_of
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model


@pytest.fixture(scope="session")
def embedded() -> ModelFiles:
    """Return the files of the embedded cross-encoder."""
    return find_model("ms-marco-MiniLM-L12-v2", "rerank", local_files_only=True)


@pytest.fixture(scope="session")
def float_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the embedded weights, dequantized into a BertForSequenceClassification."""
    return checkpoint_of("ms-marco-MiniLM-L12-v2", tmp_path_factory.mktemp("float"))
