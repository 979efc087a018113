"""A fused graph in pieces gives what the whole one gives."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError
from secondpass.models.graph.activation_ranges import sample_batches
from secondpass.models.graph.cache import graph_of
from secondpass.models.graph.cut import count_layers, cut_graph
from secondpass.models.graph.encoder import build_graph
from secondpass.models.graph.onnx_proto import read_model
from secondpass.models.graph.weights import read_weights
from secondpass.models.onnx_session import OnnxSession, PiecewiseSession, read_tokenizer
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch
from tests.models.random_checkpoint import DEBERTA, MODERNBERT, save_random


def weight_names(model: bytes) -> set[str]:
    """Return the names of the matrices in a model."""
    return {each.name for each in read_model(model).graph.initializer if len(each.dims) == 2 and each.dims[0] > 2}


def in_pieces(model: Path | bytes, after: tuple[int, ...]) -> PiecewiseSession:
    """Open the pieces of a graph."""
    return PiecewiseSession([OnnxSession(piece.model, None, state=piece.state) for piece in cut_graph(model, after)])


def test_the_pieces_in_a_row_give_the_whole_to_the_bit_and_share_no_weights(embedded: ModelFiles) -> None:
    """Of the embedded reranker, cut in three; each matrix is in one piece, and none is lost."""
    graph = graph_of(embedded, head="classifier", precision="int8")
    pieces = list(cut_graph(graph, (3, 8)))
    assert count_layers(graph) == 12 and pieces[0].state == "" and pieces[1].state != pieces[2].state
    names = [weight_names(piece.model) for piece in pieces]
    whole_names = {each.name for each in read_model(graph).graph.initializer if len(each.dims) == 2}
    assert sum(map(len, names)) == len(set().union(*names))
    assert {name for name in whole_names if name.endswith(".integers")} <= set().union(*names)
    whole, session = OnnxSession(graph, None), in_pieces(graph, (3, 8))
    assert session.output_shape == whole.output_shape
    for batch in sample_batches(read_tokenizer(embedded, None))[::4]:
        state = session.pieces[0].run(batch)
        assert state.shape == (*batch.input_ids.shape, 384)
        assert session.run(batch).tobytes() == whole.run(batch).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model_type", "settings"),
    [("roberta", {"type_vocab_size": 1, "pad_token_id": 1}), ("modernbert", MODERNBERT), ("deberta-v2", DEBERTA)],
)
def test_every_kind_of_encoder_can_be_cut_between_any_layers(
    tmp_path: Path, model_type: str, settings: dict[str, object]
) -> None:
    """Float32 and int8; what depends on positions alone is in each piece."""
    pytest.importorskip("transformers")
    save_random(tmp_path, model_type, auto="AutoModelForSequenceClassification", **{**settings, "num_hidden_layers": 4})
    ids = np.random.default_rng(1).integers(4, 50, (1, 19))
    batch = Batch(ids, np.ones_like(ids), np.zeros_like(ids))
    for precision in ("float32", "int8"):
        graph = build_graph(read_weights(tmp_path), head="classifier", precision=precision)  # type: ignore[arg-type]
        expected = OnnxSession(graph, None).run(batch)
        for after in ((1,), (2, 3)):
            assert in_pieces(graph, after).run(batch).tobytes() == expected.tobytes()


def test_what_can_not_be_cut_is_refused(embedded: ModelFiles, tmp_path: Path) -> None:
    """Layers that there are not, an order that falls, an exported file, and one that is no model."""
    graph = graph_of(embedded, head="classifier", precision="int8")
    for after in ((), (0,), (12,), (4, 3), (3, 3)):
        with pytest.raises(ConfigError, match="a graph of 12 layers can't be cut behind"):
            list(cut_graph(graph, after))
    with pytest.raises(ModelFormatError, match="only a fused graph"):
        list(cut_graph(embedded.weights, (3,)))
    with pytest.raises(ModelIntegrityError, match="can't be read"):
        list(cut_graph(b"\xff\xff", (3,)))


def test_a_piece_runs_with_default_options(embedded: ModelFiles) -> None:
    """Its only inputs are the tokens, or the state and what is needed beside it."""
    graph = graph_of(embedded, head="classifier", precision="int8")
    first, second = cut_graph(graph, (6,))
    inputs = [
        [node.name for node in onnxruntime.InferenceSession(piece.model).get_inputs()] for piece in (first, second)
    ]
    assert sorted(inputs[0]) == ["input_ids", "token_type_ids"] and inputs[1] == [second.state]
