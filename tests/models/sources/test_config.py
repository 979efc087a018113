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
from secondpass.models.sources.encoders import DebertaConfig, EncoderConfig, HeadConfig, ModernBertConfig

BERT = {"model_type": "bert", "num_attention_heads": 4}
MODERNBERT = {"model_type": "modernbert", "num_attention_heads": 4, "num_hidden_layers": 4}
DEBERTA = {
    "model_type": "deberta-v2",
    "hidden_size": 32,
    "num_attention_heads": 4,
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": "p2c|c2p",
}

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_NAMES = ("model_type", "hidden_act", "id2label", "architectures", "num_attention_heads", "layer_norm_eps")
_NAMES += ("pad_token_id", "max_position_embeddings", "position_embedding_type", "is_decoder")
_OTHERS = ("hidden_activation", "num_hidden_layers", "global_attn_every_n_layers", "rope_parameters", "layer_types")
_OTHERS += ("local_rope_theta", "local_attention", "classifier_pooling", "rope_scaling", "pos_att_type", "hidden_size")
_OTHERS += ("position_buckets", "norm_rel_ebd", "conv_kernel_size", "max_relative_positions", "pooler_hidden_act")


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
        ({"model_type": "deberta"}, "does not have the architecture 'deberta' (it has bert,"),
        ({"num_labels": 1}, "does not have the architecture None"),
        ({**BERT, "hidden_act": "swish"}, "it has 'swish' activations (hidden_act)"),
        ({**BERT, "is_decoder": True}, "it is a decoder"),
        ({**BERT, "position_embedding_type": "relative_key"}, "its positions are 'relative_key', not absolute"),
        ({**BERT, "num_attention_heads": 0}, "num_attention_heads is 0"),
        ({**BERT, "layer_norm_eps": 0}, "layer_norm_eps is 0"),
        ({**BERT, "layer_norm_eps": float("inf")}, "layer_norm_eps is inf"),
        ({**MODERNBERT, "classifier_pooling": "max"}, "classifier_pooling is 'max', not 'cls' or 'mean'"),
        ({**MODERNBERT, "hidden_activation": "silu"}, "it has 'silu' activations (hidden_activation)"),
        ({**MODERNBERT, "rope_scaling": {"type": "yarn"}}, "rope_scaling is {'type': 'yarn'}"),
        ({**MODERNBERT, "rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "its rotary positions are"),
        ({**MODERNBERT, "layer_types": ["linear_attention"]}, "layer_types are ['linear_attention']"),
        ({**MODERNBERT, "num_hidden_layers": None}, "num_hidden_layers is None"),
        ({**DEBERTA, "relative_attention": False}, "relative_attention is False"),
        ({**DEBERTA, "position_biased_input": True}, "position_biased_input is True"),
        ({**DEBERTA, "conv_kernel_size": 3}, "conv_kernel_size is 3"),
        ({**DEBERTA, "embedding_size": 16}, "embedding_size is 16"),
        ({**DEBERTA, "pos_att_type": "c2p|p2p"}, "pos_att_type is 'c2p|p2p'"),
        ({**DEBERTA, "hidden_act": "mish"}, "it has 'mish' activations"),
    ],
)
def test_what_the_fused_graph_does_not_have_says_why(tmp_path: Path, settings: dict[str, Any], reason: str) -> None:
    """It is not an error yet: the model may run as exported, or on PyTorch."""
    config = config_of(tmp_path, settings)
    assert config.encoder is None and reason in config.not_fused
    assert "backend='torch' runs it" in config.not_fused or "does not say what the encoder is like" in config.not_fused
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


@pytest.mark.parametrize("base", [MODERNBERT, DEBERTA])
@given(st.dictionaries(st.sampled_from(_OTHERS), _VALUES))
def test_any_setting_of_another_encoder_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, base: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Likewise, where the architecture is one that has further settings."""
    config = config_of(tmp_path_factory.mktemp("any"), {**base, **settings})
    assert (config.encoder is None) == bool(config.not_fused)


def test_the_shape_of_a_modernbert(tmp_path: Path) -> None:
    """As transformers 4 wrote it, and as version 5 does; a local theta of null is the global one."""
    old = {"global_attn_every_n_layers": 3, "local_attention": 128, "global_rope_theta": 160000.0}
    rope = {"full_attention": {"rope_theta": 160000.0}, "sliding_attention": {"rope_theta": 10000.0}}
    new = {"layer_types": ["full_attention", *["sliding_attention"] * 2, "full_attention"], "rope_parameters": rope}
    expected = ModernBertConfig(
        n_heads=4,
        norm_eps=1e-5,
        head=HeadConfig(pooling="mean", activation="gelu"),
        local=(False, True, True, False),
        reach=64,
        global_theta=160000.0,
        local_theta=10000.0,
    )
    for settings in (old, new):
        found = config_of(tmp_path, {**MODERNBERT, "classifier_pooling": "mean", **settings}).encoder
        assert found == expected
    found = config_of(tmp_path, {**MODERNBERT, **old, "local_rope_theta": None}).encoder
    assert isinstance(found, ModernBertConfig) and found.local_theta == 160000.0


def test_the_shape_of_a_deberta(tmp_path: Path) -> None:
    """Kinds of attention may stand in one text; what is not named has the defaults of transformers."""
    settings = {**DEBERTA, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "max_relative_positions": -1}
    assert config_of(tmp_path, settings).encoder == DebertaConfig(
        n_heads=4,
        norm_eps=1e-7,
        head=HeadConfig(activation="gelu"),
        buckets=256,
        furthest=512,
        max_length=512,
        to_position=True,
        from_position=True,
        shares_projections=False,
        norms_distances=True,
    )


@given(st.binary(max_size=40))
def test_any_bytes_give_a_config_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever is in the file."""
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "config.json").write_bytes(content)
    with contextlib.suppress(ModelError):
        read_config(folder)


@pytest.mark.parametrize(
    ("pooling", "pooled", "why"),
    [
        ({}, "mean", ""),
        ({"pooling_mode": "cls"}, "cls", ""),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls", ""),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean", ""),
        ({"pooling_mode_max_tokens": True}, "mean", "pooled by max, which backend='torch' alone does"),
        ({"pooling_mode": "lasttoken"}, "mean", "pooled by lasttoken"),
        ({"pooling_mode": ["cls", "mean"]}, "cls", "pooled by cls and mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_weightedmean_tokens": True}, "cls", "by cls and weightedmean"),
        ({"pooling_mode": "mean", "include_prompt": False}, "mean", "pooled without the prompt's tokens"),
    ],
)
def test_which_vector_stands_for_a_text(tmp_path: Path, pooling: dict[str, Any], pooled: str, why: str) -> None:
    """As sentence-transformers wrote it before version 5.4 and since; what is neither of our two vectors says why."""
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (tmp_path / "config_sentence_transformers.json").write_text('{"prompts": {"query": "query: "}}')
    config = config_of(tmp_path, BERT)
    assert config.pooling == pooled
    assert why in config.not_pooled and bool(config.not_pooled) == bool(why)


def test_modules_behind_the_pooling_are_seen(tmp_path: Path) -> None:
    """By their list, as the weights of one may be a pickle that nobody reads; the pooling may be in another folder."""
    kinds = ["Transformer", "Pooling", "Normalize"]
    modules = [
        {"type": f"sentence_transformers.models.{kind}", "path": f"{at}_{kind}"} for at, kind in enumerate(kinds)
    ]
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert (config_of(tmp_path, BERT).pooling, config_of(tmp_path, BERT).not_pooled) == ("cls", "")
    (tmp_path / "1_Pooling").rename(tmp_path / "pool")
    modules[1]["path"] = "pool"
    (tmp_path / "modules.json").write_text(json.dumps([*modules, {"type": "models.Dense", "path": "3_Dense"}]))
    config = config_of(tmp_path, BERT)
    assert config.pooling == "cls" and config.not_pooled.startswith(
        f"{tmp_path}: its vectors go through a module 'Dense'"
    )


def test_a_limit_of_sentence_transformers_counts(tmp_path: Path) -> None:
    """The tokenizer of all-MiniLM-L6-v2 would take 512 tokens, and its model was trained with 256."""
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    assert config_of(tmp_path, BERT).max_length == 512
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": false}')
    assert config_of(tmp_path, BERT).max_length == 256
