"""The same probabilities as the zero-shot pipeline of transformers, on tiny random checkpoints."""

from pathlib import Path

import pytest

from secondpass.classify import ZeroShotClassifier
from secondpass.models.nli import NliModel
from secondpass.models.sources.resolve import find_model
from tests.models.tiny_bert import save_tiny_bert

pytestmark = pytest.mark.slow

_TEXTS = ["Where is my parcel?", "The invoice was charged twice, which is a scandal.", "It rains."]
_LABELS = ["billing", "shipping", "complaint", "weather"]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize(
    "labels",
    [
        ["contradiction", "entailment", "neutral"],
        ["contradiction", "neutral", "entailment"],
        ["entailment", "neutral", "contradiction"],
        ["entailment", "not_entailment"],
        ["not_entailment", "entailment"],
    ],
)
def test_it_agrees_with_the_pipeline(tmp_path: Path, labels: list[str], multi_label: bool) -> None:
    """Order and probabilities of all labels are those of the pipeline, wherever the head has its labels."""
    from transformers import pipeline

    vocabulary = find_model("ms-marco-MiniLM-L12-v2", "rerank", local_files_only=True).folder
    folder = save_tiny_bert(tmp_path, labels, vocabulary=vocabulary, seed=len(labels), initializer_range=0.7)
    theirs = pipeline("zero-shot-classification", model=str(folder), device=-1)
    expected = theirs(_TEXTS, _LABELS, multi_label=multi_label, hypothesis_template="This text is about {}.")
    model = NliModel(folder, backend="torch", device="cpu", smoke_test=False)
    results = ZeroShotClassifier(model, labels=_LABELS, multi_label=multi_label).classify_many(_TEXTS)
    for one, result in zip(expected, results, strict=True):
        assert list(result.scores) == one["labels"]
        assert list(result.scores.values()) == pytest.approx(one["scores"], abs=1e-5)
