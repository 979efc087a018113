"""What the catalogue says of the NLI models, and what it keeps from being used wrongly."""

import pytest

from secondpass.errors import ModelFormatError, ModelNotFoundError
from secondpass.models.nli import NliModel, entailment_columns
from secondpass.models.sources import resolve
from secondpass.models.sources.catalog import catalog
from secondpass.models.sources.resolve import find_model
from secondpass.rerankers.cross_encoder import CrossEncoderReranker

_NLI = {spec.name: spec for spec in catalog().values() if spec.task == "nli"}


def test_labels_in_the_catalogue_can_be_understood() -> None:
    """Every list of labels that the catalogue gives an NLI model says which output means entailment."""
    named = {name: entailment_columns(spec.labels) for name, spec in _NLI.items() if spec.labels}
    assert named["secondpass-nli-minilm"] == (0, 1, 2)
    assert named["MiniCheck-DeBERTa-v3-Large"] == (1, 0)
    assert len(named) >= 8


def test_our_own_model_is_asked_of_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with secondpass; were it missing, no repository of somebody else's would be taken for it."""
    assert _NLI["secondpass-nli-minilm"].repo == "" and _NLI["secondpass-nli-minilm"].package == "secondpass"
    monkeypatch.setattr(resolve, "package_folder", lambda spec: None)
    monkeypatch.setattr(resolve, "_snapshots", lambda *arguments: pytest.fail("the hub was asked"))
    with pytest.raises(ModelNotFoundError, match="pip install --force-reinstall secondpass, or pass a folder"):
        find_model("secondpass-nli-minilm", "nli")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("HHEM-2.1-Open", "trust_remote_code"),
        ("vectara/hallucination_evaluation_model", "trust_remote_code"),
        ("MiniCheck-Flan-T5-Large", "it is a T5"),
        ("MiniCheck-RoBERTa-Large", "one separator"),
        ("FactCG-DeBERTa-v3-Large", "an instruction"),
    ],
)
def test_models_that_would_be_run_wrongly_are_refused(name: str, why: str) -> None:
    """What needs code of its own or another input is refused before anything is fetched, with another one named."""
    with pytest.raises(ModelFormatError, match=f"can't be run by secondpass: .*{why}.*; take .*nli-deberta-v3-base"):
        NliModel(name)


def test_models_of_another_task_say_what_they_are_for() -> None:
    """A reranker is no NLI model and the other way round, and the message names the class to use."""
    with pytest.raises(ModelFormatError, match="'rerank', not 'nli'; use it with CrossEncoderReranker"):
        NliModel("ms-marco-MiniLM-L12-v2")
    with pytest.raises(ModelFormatError, match="'nli', not 'rerank'; use it with FactVerifier, ZeroShotClassifier"):
        CrossEncoderReranker("nli-deberta-v3-base")
