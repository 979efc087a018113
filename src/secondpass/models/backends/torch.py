"""The PyTorch backend: any checkpoint in safetensors, on a GPU too, through sentence-transformers."""

from typing import TYPE_CHECKING, Any

from secondpass.models.backends.base import Backend
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import SAFETENSORS

if TYPE_CHECKING:
    from secondpass.models.backends.torch_models import TorchEmbeddingModel, TorchPairModel

__all__ = ["TorchBackend"]


class TorchBackend(Backend):
    """Opens checkpoints with sentence-transformers; PyTorch is imported with the first one."""

    name = "torch"
    format = SAFETENSORS
    auto = 2
    settings = Backend.settings | {"dtype"}
    module = "sentence_transformers"
    extra = "torch"

    def open_pair_model(self, files: ModelFiles, **settings: Any) -> "TorchPairModel":
        """Open a cross-encoder; see `TorchPairModel`."""
        from secondpass.models.backends.torch_models import TorchPairModel

        return TorchPairModel(files, **settings)

    def open_embedding_model(self, files: ModelFiles, **settings: Any) -> "TorchEmbeddingModel":
        """Open a bi-encoder; see `TorchEmbeddingModel`."""
        from secondpass.models.backends.torch_models import TorchEmbeddingModel

        return TorchEmbeddingModel(files, **settings)
