"""From a checkpoint to a model that runs fast: the fused graph as an ONNX file, in int8 or float32."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

from secondpass.errors import ConfigError, InputError, ModelFormatError
from secondpass.evaluate.statistics import Difference, paired_difference
from secondpass.files import write_whole
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.training.measure import label_accuracy, measure_name, ranking_values
from secondpass.learn.training.settings import TrainTask
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.graph.activation_ranges import activation_ranges, sample_batches
from secondpass.models.graph.encoder import Head, Precision, build_graph
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.nli import entailment_columns
from secondpass.models.pair import relevance_logits
from secondpass.models.sources.config import read_config
from secondpass.models.sources.files import sha256_of
from secondpass.models.tokens import EncoderTokenizer
from secondpass.validation import OneOf

__all__ = ["Export", "export", "quality_of", "write_graph"]

# What is read beside the weights; nothing else of a checkpoint is taken along.
_BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_OF_VECTORS = ("1_Pooling/config.json", "config_sentence_transformers.json", "sentence_*_config.json")
_MODEL = "model.onnx"
_MOST_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Export:
    """A model that was written, and what its precision costs.

    Attributes:
        folder: where it is: what `CrossEncoderReranker`, `NliModel` or `DenseRetriever` take as their model.
        precision: of its weights.
        sha256: of its ONNX file.
        size_mb: of its ONNX file.
        measure: what was measured; empty if there were no examples.
        loss: how far it lies above the checkpoint in float32, on the same examples: below 0 for a loss; None if there
            were no examples.
    """

    folder: Path
    precision: str
    sha256: str
    size_mb: float
    measure: str = ""
    loss: Difference | None = None


def export(
    checkpoint: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    task: TrainTask = "rerank",
    precision: Literal["int8", "float32"] = "int8",
    examples: Sequence[TrainingExample] | Sequence[LabelledPair] = (),
    measure: str = "nDCG@10",
    seed: int = 0,
) -> Export:
    """Write a checkpoint as one ONNX file of the fused graph, and measure what that costs.

    Args:
        checkpoint: the folder of a BERT and its kin, a ModernBERT or a DeBERTa, such as `TrainingRun.checkpoint`.
        folder: where to; it must not be there yet.
        task: what the model is for.
        precision: of weights and, as it runs, activations.
        examples: on which the file is compared with the checkpoint in float32; none for no comparison.
        measure: of rankings; for ``nli`` it is the balanced accuracy.
        seed: of the interval of the comparison.

    Raises:
        ModelFormatError: the fused graph does not have the model's architecture, or the way it makes vectors.
        ModelIntegrityError: its files are damaged.
        InputError: the folder is there already, or can't be written; nothing is left behind.
    """
    OneOf("int8", "float32").checked(precision, "precision")
    source, target = Path(checkpoint), Path(folder)
    if target.exists():
        raise InputError(f"{target} is there already: choose another folder for the exported model")
    config = read_config(source)
    if task == "embed" and config.not_pooled:
        raise ModelFormatError(config.not_pooled)
    head: Head = "classifier" if task != "embed" else config.pooling
    weights = read_weights(source)
    if task != "embed" and not weights.n_labels:
        raise ModelFormatError(f"{source} has no head for labels: export it with task='embed'")
    beside = (*_BESIDE, *(_OF_VECTORS if task == "embed" else ()))
    with _written(weights, source, target.with_name(f".{target.name}.writing"), beside, head, precision) as partial:
        _rename(partial, target)
    digest, size_mb = sha256_of(target / _MODEL), (target / _MODEL).stat().st_size / 1e6
    if not examples:
        return Export(target, precision, digest, size_mb)
    values = [*quality_of(target, task, examples, measure).values()]
    exact = target.with_name(f".{target.name}.float32")  # not in the cache of graphs: nobody asks for it again
    with _written(weights, source, exact, beside, head, "float32") as folder:
        baseline = [*quality_of(folder, task, examples, measure).values()]
    loss = paired_difference(values, baseline, confidence=0.95, n_samples=10_000, seed=seed)
    return Export(target, precision, digest, size_mb, measure_name(task, measure), loss)


@contextmanager
def _written(
    weights: EncoderWeights, source: Path, folder: Path, beside: Sequence[str], head: Head, precision: Precision
) -> Iterator[Path]:
    """Write a model into a folder for the time of a ``with``, which may rename it.

    Raises:
        InputError: it can't be written; nothing is left behind.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        try:
            folder.mkdir(parents=True)
            for name in beside:
                for path in filter(Path.is_file, source.glob(name)):
                    copy = folder / path.relative_to(source)
                    copy.parent.mkdir(exist_ok=True)
                    shutil.copyfile(path, copy)
            write_graph(weights, folder, head=head, precision=precision)
        except OSError as exc:
            raise InputError(f"the model can't be written into {folder.parent}: {exc}") from exc
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError as exc:
        raise InputError(f"{target} can't be made: {exc}") from exc


def write_graph(
    weights: EncoderWeights, folder: Path, *, head: Head = "classifier", precision: Precision = "int8"
) -> str:
    """Write the fused graph of weights into a folder that has their tokenizer; return the SHA-256 of the file.

    Raises:
        ModelFormatError: the weights have no head for labels, or are too large for one file.
        ConfigError: there is no tokenizer.json.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ConfigError(f"{folder} has no tokenizer.json, which an exported model needs")
    tokenizer = EncoderTokenizer(Tokenizer.from_file(str(path)), read_config(folder).max_length or _MOST_TOKENS)
    tokenizer.check_rows(weights.n_words, str(folder))
    ranges = activation_ranges(weights, sample_batches(tokenizer)) if precision == "int8" else None
    write_whole(folder / _MODEL, build_graph(weights, head=head, precision=precision, ranges=ranges))
    return sha256_of(folder / _MODEL)


def quality_of(model: Path, task: TrainTask, examples: Sequence[Any], measure: str, **loading: Any) -> dict[str, float]:
    """Return a measure of a model for each query of examples, or for NLI each pair.

    Args:
        model: the folder.
        task: what it is for.
        examples: queries with judged documents, or labelled pairs.
        measure: of rankings, in the words of ir-measures.
        loading: how it is loaded, see `secondpass.models.LoadSettings`.
    """
    if task == "embed":
        vectors = load_embedding_model(str(model), **loading)

        def cosines(pairs: list[tuple[str, str]]) -> Any:
            queries, texts = (list(dict.fromkeys(pair[at] for pair in pairs)) for at in (0, 1))
            of_queries = dict(zip(queries, vectors.encode_queries(queries), strict=True))
            of_texts = dict(zip(texts, vectors.encode_documents(texts), strict=True))
            return [float(of_queries[query] @ of_texts[text]) for query, text in pairs]

        return dict(ranking_values(cosines, examples, measure))
    pair_model = load_pair_model(str(model), task="nli" if task == "nli" else "rerank", **loading)
    if task == "nli":
        logits = pair_model.logits([(example.first, example.second) for example in examples])
        columns = entailment_columns(pair_model.labels)
        return dict(label_accuracy(logits[:, [columns.index(at) for at in range(3)]], examples))
    return dict(
        ranking_values(lambda pairs: relevance_logits(pair_model.logits(pairs), pair_model.labels), examples, measure)
    )
