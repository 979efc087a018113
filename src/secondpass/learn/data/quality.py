"""Check training data: what is wrong with it, by name, and what to do."""

from collections.abc import Iterable, Mapping
from typing import Any

from secondpass.base import Reranker
from secondpass.errors import ConfigError
from secondpass.learn.data.checks import CHECKS
from secondpass.learn.data.disagreement import mislabelled_documents, mislabelled_texts, wrong_pairs
from secondpass.learn.data.example import E, Example, LabelledPair, LabelledText, TrainingExample, checked_examples
from secondpass.learn.data.findings import DataReport, Finding
from secondpass.learn.data.leakage import find_leaks
from secondpass.learn.data.scoring import as_reranker
from secondpass.models.embedding import EmbeddingModel
from secondpass.models.nli import NliModel
from secondpass.validation import shown

__all__ = ["check_data"]


def check_data(
    examples: Iterable[E],
    *,
    test: Iterable[E] | None = None,
    reranker: str | Mapping[str, Any] | Reranker | None = None,
    embedding_model: str | EmbeddingModel | None = None,
    nli_model: str | NliModel | None = None,
) -> DataReport:
    """Look for what stands in the way of learning from examples.

    Found, under these names, are texts that say nothing (``empty``), ``duplicate`` examples, a ``contradiction`` (two
    labels for one text), a single label (``one_class``) or no relevant document (``no_positive``) or other document
    (``no_negatives``), ``imbalance`` of labels, too ``few`` examples, texts of a ``length`` that models cut, lengths
    that give the label away (``length_shortcut``), ``swapped_columns``, and with what is passed beside them:

    Args:
        examples: of one kind.
        test: what will be measured on; then a ``leak`` is found.
        reranker: a strong one, or its name; then, among `TrainingExample`s, what looks ``mislabelled``: a document far
            better than those that are labelled as relevant. It costs about ten pairs for each example.
        embedding_model: a bi-encoder, or its name; then the same among `LabelledText`s, by confident learning.
        nli_model: an NLI model, or its name; then the same among `LabelledPair`s with the labels ``entailment``,
            ``neutral`` and ``contradiction``, and whether premises stand behind hypotheses (``swapped_columns``).

    Raises:
        InputError: there are no examples, or they are of several kinds.
        ConfigError: a model is for another kind of examples.
        MissingExtraError: what a check needs is not installed.
    """
    found = checked_examples(examples)
    looked: list[Example] = list(found)
    findings = [finding for each in CHECKS for finding in each(looked)]
    if reranker is not None:
        ranking: list[TrainingExample] = [each for each in looked if isinstance(each, TrainingExample)]
        _need(ranking, found, "reranker", "TrainingExample")
        findings += mislabelled_documents(ranking, as_reranker(reranker, "finding mislabelled documents"))
    if embedding_model is not None:
        texts: list[LabelledText] = [each for each in looked if isinstance(each, LabelledText)]
        _need(texts, found, "embedding_model", "LabelledText")
        findings += mislabelled_texts(texts, _embedding_model(embedding_model))
    if nli_model is not None:
        pairs: list[LabelledPair] = [each for each in looked if isinstance(each, LabelledPair)]
        _need(pairs, found, "nli_model", "LabelledPair")
        findings += wrong_pairs(pairs, nli_model if isinstance(nli_model, NliModel) else NliModel(nli_model))
    leak: Finding | None = None if test is None else find_leaks(found, test).finding
    return DataReport.of(findings + ([leak] if leak else []), len(found))


def _need(usable: list[Any], examples: list[Any], what: str, kind: str) -> None:
    if len(usable) != len(examples):
        raise ConfigError(f"{what} is for examples of the kind {kind}, not for a {type(examples[0]).__name__}")


def _embedding_model(model: object) -> EmbeddingModel:
    if isinstance(model, EmbeddingModel):
        return model
    if not isinstance(model, str):
        raise ConfigError(f"embedding_model must be an EmbeddingModel or a name, not {shown(model)}")
    from secondpass.models.backends.load import load_embedding_model

    return load_embedding_model(model)
