"""The ranges of an encoder's activations, which int8 graphs are built with."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from secondpass.models.engines import import_onnxruntime
from secondpass.models.graph.encoder import build_probe
from secondpass.models.graph.weights import EncoderWeights
from secondpass.models.tokens import Batch, EncoderTokenizer

__all__ = ["activation_ranges", "sample_batches"]

onnxruntime = import_onnxruntime()
_WORDS = "embeddings.word_embeddings.weight"
# Outliers stand at special tokens, whatever the text; so a few texts of different kinds are enough.
_TEXTS = (
    ("how do plants make food", "Plants turn sunlight, water and air into sugar. This happens in their green leaves."),
    ("when was the bridge built", "The stone bridge over the river was finished in 1873, and had cost 42,000 crowns."),
    ("sort a list in python", "sorted(items, key=len) returns a new list; items.sort() changes the list in place."),
    ("may children take it", "No! It must not be given to anyone under 12 years of age (see section 4.3)."),
)


def sample_batches(tokenizer: EncoderTokenizer) -> list[Batch]:
    """Return some short sequences, single and paired, related and not, each in a batch of its own."""
    firsts = tokenizer.tokenize([first for first, _ in _TEXTS])
    seconds = tokenizer.tokenize([second for _, second in _TEXTS])
    batches = [tokenizer.single_batch([text]) for text in (*firsts, *seconds)]
    for at, first in enumerate(firsts):
        batches += [tokenizer.pair_batch([(first, seconds[at])]), tokenizer.pair_batch([(first, seconds[at - 1])])]
    return batches


def activation_ranges(weights: EncoderWeights, batches: Iterable[Batch]) -> dict[str, npt.NDArray[np.float32]]:
    """Run an encoder in float32 and return how large the inputs of its linear layers get.

    Args:
        weights: of the encoder.
        batches: of sequences of one length, as there is no mask.

    Returns:
        By the name of the layer, the largest absolute value of each of its inputs, shape (inputs,).
    """
    batches = list(batches)
    rows = np.unique(np.concatenate([batch.input_ids.ravel() for batch in batches]))
    # Only these rows of the table of words, which may be a gigabyte.
    table = weights.tensors[_WORDS][rows]
    weights = replace(weights, tensors={**weights.tensors, _WORDS: table})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(build_probe(weights), options, providers=["CPUExecutionProvider"])
    inputs = [node.name for node in session.get_inputs()]
    names = [node.name for node in session.get_outputs()][1:]  # the first is the encoder's own
    ranges: dict[str, npt.NDArray[np.float32]] = {}
    for batch in batches:
        batch = replace(batch, input_ids=np.searchsorted(rows, batch.input_ids))
        found = session.run(names, {name: getattr(batch, name) for name in inputs})
        for name, largest in zip(names, found, strict=True):
            ranges[name] = np.maximum(ranges.get(name, largest), largest)
    return ranges
