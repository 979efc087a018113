"""Versions of every kind of model are loaded as what they are for, and by the adapters."""

from typing import Any

import numpy as np
import pytest
from langchain_core.documents import Document

import secondpass as sp
from langchain_secondpass import SecondPassReranker
from secondpass.errors import ConfigError
from secondpass.learn import Gate, ModelStore
from secondpass.learn.store.loaders import ranker
from secondpass.models import EmbeddingModel, NliModel, find_model
from tests.evaluate.example import example


def test_an_adapter_takes_what_is_promoted(store: ModelStore) -> None:
    """By its name, as any other reranker's."""
    store.add(find_model("ms-marco-MiniLM-L12-v2", "rerank").folder)
    store.promote("v1")
    adapter = SecondPassReranker(reranker=f"cross-encoder:{store.uri()}", top_n=1)
    documents = [Document("Rain is expected."), Document("shutil.copy copies a file.")]
    assert [each.page_content for each in adapter.compress_documents(documents, "copy a file")] == [
        "shutil.copy copies a file."
    ]
    same = sp.CrossEncoderReranker()
    assert store.load("v1").score("q", ["a", "b"]).tolist() == same.score("q", ["a", "b"]).tolist()


@pytest.mark.parametrize(
    ("task", "name", "kind"),
    [("embed", "bge-small-en-v1.5", EmbeddingModel), ("nli", "secondpass-nli-minilm", NliModel)],
)
def test_other_tasks(store: ModelStore, task: Any, name: str, kind: type) -> None:
    """A bi-encoder and an NLI model; a gate compares bi-encoders by what they find, and has no rule for NLI models."""
    store.add(find_model(name, task).folder, task=task, base=name)
    loaded = store.load("v1")
    assert isinstance(loaded, kind)
    if isinstance(loaded, EmbeddingModel):
        assert loaded.encode_documents(["a text"]).shape == (1, 384)
        decision = store.promote("v1", gate=Gate(dev=example(4, candidates=False), n_samples=100)).decision
        assert decision is not None and not decision.passed and decision.incumbent == name
    else:
        pairs = [("Paris is in France.", "Paris is in France.")]
        np.testing.assert_array_equal(loaded.run(pairs).probabilities, NliModel(name).run(pairs).probabilities)
        with pytest.raises(ConfigError, match="a Gate measures rankings, and an NLI model makes none"):
            ranker(store.uri("v1"), "nli")
