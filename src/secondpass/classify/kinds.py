"""The kinds of member: from what a user names or passes to what scores."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from secondpass.base import Reranker
from secondpass.classify.biencoder import BiEncoder, BiEncoderMember
from secondpass.classify.hypotheses import Wording
from secondpass.classify.member import Member, NliMember, RerankerMember
from secondpass.errors import ConfigError
from secondpass.loading import from_config, load
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.nli import NliModel
from secondpass.registry import rerankers

__all__ = ["Model", "are_bi_encoders", "loaded_model", "member_of"]

Model = str | NliModel | BiEncoder | EmbeddingModel | Reranker | Mapping[str, Any]
"""A bi-encoder, NLI model or reranker: loaded, by its name, or as the plain data that its ``to_config`` wrote."""


def loaded_model(model: Any) -> Any:
    """Return a model that was named or written down; anything else is returned unchanged."""
    if isinstance(model, Mapping):
        kind = model.get("type", NliModel.registry_name)
        ours: dict[str, type[NliModel | BiEncoder]] = {
            NliModel.registry_name: NliModel,
            BiEncoder.registry_name: BiEncoder,
        }
        return ours[kind].from_config(model) if isinstance(kind, str) and kind in ours else from_config(model)
    if isinstance(model, EmbeddingModel):
        return BiEncoder(model)
    if isinstance(model, str) and ":" in model:
        kind, _, name = model.partition(":")
        if kind == BiEncoder.registry_name:
            return BiEncoder(name)
        if kind in rerankers.names():
            return load(model)
    return NliModel(model) if isinstance(model, str | os.PathLike) else model


def are_bi_encoders(models: Sequence[object]) -> bool:
    """Return whether all of the models are bi-encoders."""
    return all(isinstance(model, BiEncoder) for model in models)


def member_of(model: object, wording: Wording) -> Member:
    """Return a model as a member of a classifier.

    Raises:
        CompositionError: it is a reranker whose scores can't be compared between labels.
        ConfigError: it is not a model.
    """
    if isinstance(model, BiEncoder):
        return BiEncoderMember(model, wording)
    if isinstance(model, Reranker):
        return RerankerMember(model)
    if hasattr(model, "run") and hasattr(model, "has_contradiction"):  # an NliModel, or an object with its interface
        return NliMember(model)  # type: ignore[arg-type]
    raise ConfigError(
        f"a classifier's model must be a name, a BiEncoder, an NliModel or a Reranker, not {type(model).__name__}"
    )
