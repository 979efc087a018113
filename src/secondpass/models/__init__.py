"""Models: where they come from, how texts become tokens, and the backends that run them."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.models.backends.base import Backend
    from secondpass.models.backends.load import LoadSettings, RunSettings, load_embedding_model, load_pair_model
    from secondpass.models.batching import BatchRunner
    from secondpass.models.embedding import EmbeddingModel
    from secondpass.models.exits import Exits
    from secondpass.models.nli import LABELS, NliModel, NliOutput
    from secondpass.models.pair import PairModel, PairOutput
    from secondpass.models.sources.files import ModelFiles
    from secondpass.models.sources.formats import FileFormat
    from secondpass.models.sources.resolve import find_model
    from secondpass.models.sources.spec import ModelSpec
    from secondpass.models.tokens import Batch, EncoderTokenizer

# Imported when they are first asked for, as they bring ONNX Runtime and the like.
_LAZY = {
    "Backend": "secondpass.models.backends.base",
    "Batch": "secondpass.models.tokens",
    "BatchRunner": "secondpass.models.batching",
    "EmbeddingModel": "secondpass.models.embedding",
    "EncoderTokenizer": "secondpass.models.tokens",
    "Exits": "secondpass.models.exits",
    "FileFormat": "secondpass.models.sources.formats",
    "LABELS": "secondpass.models.nli",
    "LoadSettings": "secondpass.models.backends.load",
    "ModelFiles": "secondpass.models.sources.files",
    "ModelSpec": "secondpass.models.sources.spec",
    "NliModel": "secondpass.models.nli",
    "NliOutput": "secondpass.models.nli",
    "PairModel": "secondpass.models.pair",
    "PairOutput": "secondpass.models.pair",
    "RunSettings": "secondpass.models.backends.load",
    "find_model": "secondpass.models.sources.resolve",
    "load_embedding_model": "secondpass.models.backends.load",
    "load_pair_model": "secondpass.models.backends.load",
}

__all__ = [
    "LABELS",
    "Backend",
    "Batch",
    "BatchRunner",
    "EmbeddingModel",
    "EncoderTokenizer",
    "Exits",
    "FileFormat",
    "LoadSettings",
    "ModelFiles",
    "ModelSpec",
    "NliModel",
    "NliOutput",
    "PairModel",
    "PairOutput",
    "RunSettings",
    "find_model",
    "load_embedding_model",
    "load_pair_model",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
