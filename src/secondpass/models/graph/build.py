"""Building the fused graph of a model, and the proof that it is the same model."""

from collections.abc import Sequence

import numpy as np

from secondpass.errors import ModelFormatError, SecondPassError
from secondpass.models.embedding import pool
from secondpass.models.graph.activation_ranges import activation_ranges, sample_batches
from secondpass.models.graph.encoder import Head, Precision, build_graph
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.onnx_session import OnnxSession, read_tokenizer
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch

__all__ = ["build_fused", "read_encoder"]

_MOST_DIFFERENT = 0.25  # int8 moves logits and vectors by less than 0.1 of their length


def build_fused(files: ModelFiles, *, head: Head, precision: Precision = "int8") -> bytes:
    """Build what `secondpass.models.graph.cache` keeps: a serialized ONNX model.

    What int8 needs to know of activations is measured; and what is made of an exported file is compared with it.

    Raises:
        ModelFormatError: the fused graph does not have the model's architecture, or it lacks the head, or computes
            something else than its weights show.
        ModelIntegrityError: its files are damaged.
    """
    try:
        weights = read_encoder(files, head)
        tokenizer = read_tokenizer(files, None)
        tokenizer.check_rows(weights.n_words, files.name)
        batches = sample_batches(tokenizer)
        ranges = activation_ranges(weights, batches) if precision == "int8" else None
        model = build_graph(weights, head=head, precision=precision, ranges=ranges)
        if files.weights.suffix == ".onnx":
            _compare(files, head, model, batches[::3])
    except (SecondPassError, OSError):
        raise
    except Exception as exc:  # exporters write what they like, and the file itself may run
        raise ModelFormatError(f"no fused graph can be built from {files.name}: {exc!r}") from exc
    return model


def read_encoder(files: ModelFiles, head: Head) -> EncoderWeights:
    """Return a model's weights.

    Raises:
        ModelFormatError: no graph with the head can be made of them.
        ModelIntegrityError: its files are damaged.
    """
    weights = read_weights(files.weights if files.weights.suffix == ".onnx" else files.folder, files.config)
    if head == "classifier" and not weights.n_labels:
        raise ModelFormatError(f"{files.name} has no head for labels made of two linear layers")
    return weights


def _compare(files: ModelFiles, head: Head, model: bytes, batches: Sequence[Batch]) -> None:
    """Refuse a graph that gives something else than the file it was made of.

    Activations, pooling and layers without weights don't show in the weights: only the result does.
    """
    pooling = "mean" if head == "mean" else "cls"
    rows = []
    for session in (OnnxSession(files.weights, None, embeds=head != "classifier"), OnnxSession(model, None)):
        outputs = [pool(session.run(batch), batch.attention_mask, pooling) for batch in batches]
        rows.append(np.concatenate(outputs).astype(np.float64))
        if head != "classifier":  # some files give vectors of length 1
            rows[-1] /= np.linalg.norm(rows[-1], axis=1, keepdims=True)
    exported, ours = rows
    if exported.shape != ours.shape:
        raise ModelFormatError(
            f"{files.name} gives {exported.shape[1]} values for a text, but its weights make {ours.shape[1]}"
        )
    difference = np.linalg.norm(ours - exported) / np.linalg.norm(exported)
    if not difference < _MOST_DIFFERENT:
        raise ModelFormatError(
            f"{files.name} does not compute what its weights say: the results of a graph built from them differ by "
            f"{difference:.2f} of their length"
        )
