"""A model's settings are read once and judged: what is malformed is an error of ours, and soon."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ModelError, ModelFormatError, ModelIntegrityError
from secondpass.models.sources.config import ModelConfig, read_config
from secondpass.models.sources.encoders import EncoderConfig

BERT = {"model_type": "bert", "num_attention_heads": 4}

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_NAMES = ("model_type", "hidden_act", "id2label", "architectures", "num_attention_heads", "layer_norm_eps")
_NAMES += ("pad_token_id", "max_position_embeddings", "position_embedding_type", "is_decoder")


def config_of(folder: Path, settings: object) -> ModelConfig:
    """Read a folder whose config.json holds these settings."""
    (folder / "config.json").write_text(json.dumps(settings))
    return read_config(folder)


def test_a_folder_without_settings_says_nothing(tmp_path: Path) -> None:
    """Everything is unknown, and nothing is an error."""
    assert read_config(tmp_path) == ModelConfig()


def test_the_shape_of_an_encoder(tmp_path: Path) -> None:
    """RoBERTa's positions begin behind the padding token's; what is not named has BERT's defaults."""
    settings = {**BERT, "model_type": "roberta", "pad_token_id": 1, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5}
    expected = EncoderConfig(n_heads=4, activation="gelu_tanh", norm_eps=1e-5, first_position=2)
    assert config_of(tmp_path, settings).encoder == expected
    assert config_of(tmp_path, BERT).encoder == EncoderConfig(n_heads=4)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"model_type": "modernbert"}, "'modernbert' is not that of BERT"),
        ({"num_labels": 1}, "the architecture None is not that of BERT"),
        ({**BERT, "hidden_act": "swish"}, "'swish' activations or a decoder"),
        ({**BERT, "is_decoder": True}, "or a decoder"),
        ({**BERT, "position_embedding_type": "relative_key"}, "its positions are 'relative_key', not absolute"),
        ({**BERT, "num_attention_heads": 0}, "num_attention_heads is 0"),
        ({**BERT, "layer_norm_eps": 0}, "layer_norm_eps 0"),
        ({**BERT, "layer_norm_eps": float("inf")}, "layer_norm_eps inf"),
    ],
)
def test_what_is_not_of_the_shape_of_bert_says_why(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    """It is not an error yet: the model may run as exported, or on PyTorch."""
    config = config_of(tmp_path, settings)
    assert config.encoder is None and reason in config.not_fused
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        config.require_encoder()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id2label": ["relevant"]}, r"id2label must map the numbers of outputs to names, not \['relevant'\]"),
        ({"id2label": None}, "id2label must map the numbers of outputs to names, not None"),
        ({"id2label": {"relevant": 0}}, r"the keys of id2label must be '0', '1', and so on, not \['relevant'\]"),
        ({"id2label": {"0": "no", "2": "yes"}}, "the keys of id2label must be"),
        ({"id2label": {"0": ["no"]}}, "id2label must map"),
        ({"model_type": ["bert"]}, r"model_type must be a text, not \['bert'\]"),
        ({"model_type": 3}, "model_type must be a text, not 3"),
        ({**BERT, "hidden_act": {"name": "gelu"}}, "hidden_act must be a text"),
        ({"architectures": "BertModel"}, "architectures must be a list of texts"),
    ],
)
def test_settings_of_another_type_are_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    """The message names the file, the setting, and what it holds."""
    with pytest.raises(ModelFormatError, match=f"config.json: {message}"):
        config_of(tmp_path, settings)


@pytest.mark.parametrize(
    "content", [b"", b"{,}", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 3_000, b"1" * 5_000]
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "1_Pooling/config.json"])
def test_what_is_not_a_json_object_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """Cut, nested too deep, in another encoding, or another value."""
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelIntegrityError, match=f"{name} (can't be read as JSON|does not hold a JSON object)"):
        read_config(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Settings have kilobytes: gigabytes of them would only fill the memory."""
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(1 << 27)
    with pytest.raises(ModelIntegrityError, match="larger than 64 MiB"):
        read_config(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Opening one would never end, as nobody writes to it."""
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ModelIntegrityError, match=r"config.json is not a regular file"):
        read_config(tmp_path)


@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES))
def test_any_settings_give_a_config_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]
) -> None:
    """Whatever types stand where: no TypeError, no OverflowError."""
    try:
        config = config_of(tmp_path_factory.mktemp("any"), settings)
    except ModelError:
        return
    assert config.max_length is None or config.max_length > 0
    assert (config.encoder is None) == bool(config.not_fused or not settings)


@given(st.binary(max_size=40))
def test_any_bytes_give_a_config_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever is in the file."""
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "config.json").write_bytes(content)
    with contextlib.suppress(ModelError):
        read_config(folder)
