"""Weights are read from safetensors and out of ONNX files, under the same names and with the same values."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from secondpass.errors import ModelFormatError, ModelIntegrityError
from secondpass.models.graph.names import canonical_name
from secondpass.models.graph.onnx_proto import array_of, make_model, make_node, make_tensor, make_value, read_model
from secondpass.models.graph.quantize import channel_divisors, outlier_neurons, quantize_columns
from secondpass.models.graph.weights import read_safetensors, read_weights
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.resolve import find_model

FLOATS = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e4, 1e4, width=32))


def write_safetensors(path: Path, **arrays: tuple[str, np.ndarray]) -> None:
    """Write a safetensors file from dtype names and arrays."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (dtype, array) in arrays.items():
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_safetensors_of_each_float_type_become_float32(tmp_path: Path) -> None:
    """Bfloat16 is the upper half of float32; integers are no weights."""
    values = np.array([[1.0, -2.5], [0.15625, 3e4]], np.float32)
    write_safetensors(
        tmp_path / "model.safetensors",
        a=("F32", values),
        b=("F16", values.astype(np.float16)),
        c=("BF16", (values.view(np.uint32) >> 16).astype(np.uint16)),
        d=("F64", values.astype(np.float64)),
        e=("I64", np.arange(4)),
    )
    found = read_safetensors(tmp_path / "model.safetensors")
    assert sorted(found) == ["a", "b", "c", "d"]
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    for name, array in found.items():
        np.testing.assert_allclose(array, values, rtol=0.004 if name == "c" else 1e-3 if name == "b" else 0)


@pytest.mark.parametrize(
    "content", [b"", b"12345678", (2**40).to_bytes(8, "little") + b"{}", b"\x03" + bytes(7) + b"[1]"]
)
def test_damaged_safetensors_are_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing, no header, one longer than the file, and one that is no object."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelIntegrityError, match="can't be read as safetensors"):
        read_safetensors(path)


def test_an_int8_onnx_file_and_its_float_checkpoint_hold_the_same(embedded: ModelFiles, float_checkpoint: Path) -> None:
    """The embedded file without a config.json: heads and activation come from its graph."""
    quantized, plain = read_weights(embedded.weights), read_weights(float_checkpoint)
    assert quantized.config == plain.config
    assert (quantized.n_layers, quantized.hidden_size, quantized.n_labels) == (12, 384, 1)
    assert set(quantized.tensors) == set(plain.tensors)
    for name, array in plain.tensors.items():
        np.testing.assert_array_equal(quantized.tensors[name], array, err_msg=name)
    assert len(quantized.grids) == 12 * 6 + 2 + 3
    assert not plain.grids


def test_steps_of_each_output_are_read(embedded: ModelFiles) -> None:
    """The embedded bi-encoder was quantized by channel, and has no head."""
    files = find_model("bge-small-en-v1.5", "embed", backend="onnx", local_files_only=True)
    weights = read_weights(files.weights)
    name = "encoder.layer.0.intermediate.dense.weight"
    assert weights.tensors[name].shape == (1536, 384)
    assert weights.grids[name].shape == (1536,)
    whole = weights.tensors[name] / weights.grids[name][:, None]
    np.testing.assert_allclose(whole, np.rint(whole), atol=1e-3)
    assert weights.n_labels == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": "deberta"}, "does not have the architecture 'deberta'"),
        ({"model_type": "modernbert"}, r"does not have the architecture of ModernBERT: it lacks encoder\.LayerNorm"),
        ({"position_embedding_type": "relative_key"}, "'relative_key', not absolute"),
        ({"hidden_act": "silu"}, "'silu' activations"),
        ({"num_attention_heads": 7}, "7 heads do not divide 384"),
    ],
)
def test_other_shapes_are_refused(float_checkpoint: Path, tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    """The message says what stands in the way."""
    (tmp_path / "model.safetensors").symlink_to(float_checkpoint / "model.safetensors")
    config = json.loads((float_checkpoint / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **settings}))
    with pytest.raises(ModelFormatError, match=said):
        read_weights(tmp_path)


def test_a_whole_file_is_read_before_an_index(float_checkpoint: Path, tmp_path: Path) -> None:
    """As transformers and our own PyTorch backend do: the index may be left of weights that were there before."""
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(float_checkpoint / name)
    index = {"weight_map": {"classifier.weight": "model-00001-of-00001.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert read_weights(tmp_path).n_layers == 12


def test_missing_and_unknown_weights_are_refused(float_checkpoint: Path, tmp_path: Path) -> None:
    """A part that is not there, and one that the graph would leave out."""
    shutil.copy(float_checkpoint / "config.json", tmp_path)
    write_safetensors(tmp_path / "model.safetensors", x=("F32", np.ones(2, np.float32)))
    with pytest.raises(ModelFormatError, match=r"it lacks embeddings\.LayerNorm\.bias"):
        read_weights(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelFormatError, match=r"has no config\.json"):
        read_weights(tmp_path)


def test_a_file_that_is_no_onnx_model_is_refused(tmp_path: Path) -> None:
    """Random bytes, and an empty file, which is a valid message without contents."""
    for content in (b"\xff\xff\xff not a model", b""):
        (tmp_path / "model.onnx").write_bytes(content)
        with pytest.raises(ModelIntegrityError, match="can't be read as an ONNX model"):
            read_weights(tmp_path / "model.onnx")


def test_an_onnx_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """Without a config.json the graph has to show that it is an encoder."""
    value = make_value("x", np.float32, [2])
    model = make_model([make_node("Abs", ["x"], ["y"])], [value], [make_value("y", np.float32, [2])], [])
    (tmp_path / "model.onnx").write_bytes(model)
    with pytest.raises(ModelFormatError, match=r"no attention\.self\.query"):
        read_weights(tmp_path / "model.onnx")


def test_models_are_those_of_the_onnx_package(tmp_path: Path) -> None:
    """Its checker accepts what is written, and its tensors, with raw and with typed numbers, are read."""
    onnx = pytest.importorskip("onnx")
    array = np.arange(6, dtype=np.int8).reshape(2, 3)
    values = [make_value(name, np.int8, ["rows", 3]) for name in ("x", "y")]
    nodes = [make_node("Add", ["x", "w"], ["t"]), make_node("Squeeze", ["t", "axes"], ["y"])]
    tensors = [make_tensor("w", array), make_tensor("axes", np.array([0], np.int64))]
    data = make_model(nodes, values[:1], values[1:], tensors)
    onnx.checker.check_model(onnx.load_from_string(data))
    for kind, numbers in (("FLOAT", [1.5, -2.0]), ("INT8", [1, -2]), ("INT64", [2**40, -1]), ("FLOAT16", [0.5, -1.0])):
        graph = onnx.load_from_string(data).graph
        for raw in (False, True):
            tensor = onnx.helper.make_tensor("v", getattr(onnx.TensorProto, kind), [2], numbers)
            if raw:
                tensor = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), "v")
            graph.initializer.append(tensor)
        (tmp_path / "model.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
        for found in read_model(tmp_path / "model.onnx").graph.initializer[2:]:
            assert array_of(found, tmp_path).tolist() == numbers


def test_numbers_beside_a_model_are_read_from_its_folder_only(tmp_path: Path) -> None:
    """A file of numbers may not stand outside of the model's folder."""
    (tmp_path / "numbers").write_bytes(bytes(8) + np.array([3, 4], "<f4").tobytes())
    tensor = make_tensor("w", np.empty(0, np.float32))
    del tensor.dims[:]
    tensor.dims.append(2)
    tensor.data_location = 1
    for key, value in (("location", "numbers"), ("offset", "8")):
        tensor.external_data.add(key=key, value=value)
    assert array_of(tensor, tmp_path).tolist() == [3, 4]
    tensor.external_data[0].value = "../numbers"
    with pytest.raises(ModelIntegrityError, match="outside of its folder"):
        array_of(tensor, tmp_path)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("bert.encoder.layer.3.output.dense.bias", "encoder.layer.3.output.dense.bias"),
        ("roberta.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
        ("electra.embeddings_project.weight", "embeddings_project.weight"),
        ("bert.pooler.dense.weight", "head.dense.weight"),
        ("classifier.weight", "head.out.weight"),
        ("classifier.dense.bias", "head.dense.bias"),
        ("classifier.out_proj.bias", "head.out.bias"),
        ("model.embeddings.tok_embeddings.weight", "embeddings.word_embeddings.weight"),
        ("model.layers.3.mlp_norm.weight", "encoder.layer.3.intermediate.LayerNorm.weight"),
        ("layers.3.attn.Wo.weight", "encoder.layer.3.attention.output.dense.weight"),
        ("deberta.encoder.layer.0.attention.self.query_proj.bias", "encoder.layer.0.attention.self.query.bias"),
    ],
)
def test_names_of_the_kin_of_bert_become_one(name: str, canonical: str) -> None:
    """Prefixes go, TensorFlow's names of gains and biases too, and heads have one name."""
    assert canonical_name(name) == canonical


@given(FLOATS)
def test_rounding_is_off_by_half_a_step_at_most(matrix: np.ndarray) -> None:
    """For every column, whatever its size; integers stay within 127."""
    integers, steps = quantize_columns(matrix)
    assert integers.min(initial=0) >= -127
    assert np.all(np.abs(integers * steps - matrix) <= steps * 0.5001)


@given(hnp.arrays(np.int8, (5, 4), elements=st.integers(-127, 127)), st.floats(0.0009765625, 8, width=32))
def test_integers_on_a_grid_stay_what_they_were(whole: np.ndarray, step: float) -> None:
    """What was quantized once is not rounded a second time."""
    integers, steps = quantize_columns(whole * np.float32(step), np.array(step, np.float32))
    np.testing.assert_array_equal(integers, whole)
    np.testing.assert_array_equal(steps, np.float32(step))


def test_outliers_are_found_and_divided() -> None:
    """As few neurons as matter; none among equals; whole divisors that bring channels down to the limit."""
    largest = np.ones(100, np.float32)
    assert outlier_neurons(largest).tolist() == []
    largest[[7, 70]] = 12, 26
    assert outlier_neurons(largest).tolist() == [7, 70]
    divisors = channel_divisors(largest, factor=3)
    assert divisors[[7, 70]].tolist() == [4, 9]
    assert divisors.sum() == 98 + 13
