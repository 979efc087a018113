"""What is made of a stored model: what it is used by, and what ranks with it."""

from collections.abc import Mapping
from typing import Any

from secondpass.errors import ConfigError
from secondpass.models.sources.spec import Task

__all__ = ["opened", "ranker"]


def opened(name: str, task: Task, settings: Mapping[str, Any]) -> Any:
    """Load a model as what its task asks for.

    Args:
        name: as `secondpass.models.find_model` takes it.
        task: what it is for.
        settings: of what is returned.
    """
    if task == "rerank":
        from secondpass.rerankers.cross_encoder import CrossEncoderReranker

        return CrossEncoderReranker(name, **settings)
    if task == "colbert":
        from secondpass.rerankers.colbert import ColbertReranker

        return ColbertReranker(name, **settings)
    if task == "nli":
        from secondpass.models.nli import NliModel

        return NliModel(name, **settings)
    from secondpass.models.backends.load import load_embedding_model

    return load_embedding_model(name, **settings)


def ranker(name: str, task: Task) -> Any:
    """Load a model as something whose rankings can be compared.

    Raises:
        ConfigError: nothing ranks with models for this task.
    """
    if task == "nli":
        raise ConfigError("a Gate measures rankings, and an NLI model makes none: pass what learn.decide says")
    loaded = opened(name, task, {})
    if task != "embed":
        return loaded
    from secondpass.retrieve.dense import DenseRetriever

    return DenseRetriever(loaded)
