"""The ONNX backend on a CPU: fused graphs by default, files as exported where there is no way."""

import dataclasses
import json
import logging
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError, SecondPassWarning
from secondpass.evaluate.stdlib_docs import stdlib_corpus, stdlib_qrels, stdlib_queries
from secondpass.models.backends.load import load_embedding_model, load_pair_model
from secondpass.models.backends.onnx import OnnxPairModel
from secondpass.models.graph import build as building
from secondpass.models.graph import cache as graph_cache
from secondpass.models.graph.encoder import build_graph
from secondpass.models.graph.onnx_proto import make_node, make_tensor, make_value, read_model
from secondpass.models.graph.weights import EncoderWeights, read_weights
from secondpass.models.pair import PairModel
from secondpass.models.sources.config import ModelConfig
from secondpass.models.sources.encoders import HeadConfig
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch
from secondpass.retrieve import BM25Retriever
from tests.models.copying import DOCUMENTS, PAIRS, QUERY
from tests.models.tiny_encoder import save_tiny_encoder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, embedded: ModelFiles) -> Path:
    """Return a folder with safetensors of a tiny random BERT with one label, and the embedded tokenizer."""
    return save_tiny_encoder(tmp_path_factory.mktemp("tiny"), embedded.folder)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of the test's own."""
    monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture(scope="module")
def embedded_model() -> PairModel:
    """Return the embedded cross-encoder, loaded with defaults."""
    return load_pair_model("ms-marco-MiniLM-L12-v2", local_files_only=True)


def exported(
    tiny: Path, folder: Path, *, producer: bytes = b"elsewhere.", head: Literal["classifier", "tokens"] = "classifier"
) -> Path:
    """Return a folder with the tiny model as an ONNX file with a mask, float32, that another program wrote.

    With ``tokens`` it gives the tokens' vectors, and then the first one's as ``sentence_embedding``.
    """
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(build_graph(read_weights(tiny), head=head, precision="float32"))
    model = read_model(path)
    if head == "tokens":
        model.graph.initializer.append(make_tensor("first", np.array(0)))
        model.graph.node.append(
            make_node("Gather", [model.graph.output[0].name, "first"], ["sentence_embedding"], axis=1)
        )
        model.graph.output.append(make_value("sentence_embedding", np.float32, ["batch", 32]))
    model.graph.input.append(make_value("attention_mask", np.int64, ["batch", "sequence"]))
    for node in model.graph.node:
        if node.op_type == "MultiHeadAttention":
            node.input.extend(["", "mask"])
    model.graph.node.insert(0, make_node("Cast", ["attention_mask"], ["mask"], to=6))  # 6: int32
    path.write_bytes(model.SerializeToString().replace(b"secondpass", producer, 1))
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(tiny / name, folder)
    return folder


def scores(model: PairModel, documents: list[str]) -> list[float]:
    """Return the documents' logits."""
    return [float(value) for value in model.logits([(QUERY, document) for document in documents])[:, 0]]


class TestInvariance:
    def test_no_neighbour_changes_a_score(self, embedded_model: PairModel) -> None:
        """Alone, among documents of its own length, and among a thousand others: bit for bit the same."""
        rng = np.random.default_rng(0)
        words = ["file", "copy", "path", "sun", "list", "sorted", "remove", "bridge", "python", "is"]
        others = [" ".join(rng.choice(words, rng.integers(1, 12))) for _ in range(1000)]
        alone = [scores(embedded_model, [document])[0] for document in DOCUMENTS]
        mixed = scores(embedded_model, [*others[:500], *DOCUMENTS, *others[500:]])[500 : 500 + len(DOCUMENTS)]
        assert mixed == alone
        equals = [DOCUMENTS[0].replace("copy", word) for word in ("move", "open", "read")]
        lengths = embedded_model.tokenizer.lengths([DOCUMENTS[0], *equals])
        assert len(set(lengths)) == 1
        assert scores(embedded_model, [*equals, DOCUMENTS[0]])[-1] == alone[0]

    def test_a_batch_holds_pairs_of_one_length(self, tiny: Path) -> None:
        """With a token budget nothing is padded; float32 scores are those of each pair alone, int8 ones near them."""
        seen: list[tuple[int, int]] = []

        class Watched(OnnxPairModel):
            def _forward(self, batch: Batch) -> np.ndarray:
                assert batch.attention_mask.all()
                seen.append(batch.input_ids.shape)
                return super()._forward(batch)

        files = load_pair_model(str(tiny), backend="onnx").files  # type: ignore[attr-defined]
        pairs = PAIRS + [(QUERY, f"{word} copies a file to another place.") for word in ("he", "she", "it", "one")]
        for precision, tolerance in (("float32", 1e-5), ("int8", 0.1)):
            seen.clear()
            budget = Watched(files, batch_tokens=60, precision=precision)  # type: ignore[arg-type]
            together = budget.logits(pairs)
            assert max(rows * length for rows, length in seen) <= 60 and max(rows for rows, _ in seen) > 1
            alone = OnnxPairModel(files, precision=precision).logits(pairs)  # type: ignore[arg-type]
            np.testing.assert_allclose(together, alone, atol=tolerance)

    def test_a_graph_without_a_mask_is_never_given_padding(self, tiny: Path) -> None:
        """Whoever runs a padded batch on it gets an error, not a wrong score."""
        model = load_pair_model(str(tiny), backend="onnx")
        short, long = model.tokenizer.tokenize(["a", "a b c d"])
        with pytest.raises(ModelFormatError, match="no input for a mask"):
            model._forward(model.tokenizer.pair_batch([(short, short), (short, long)]))


class TestPrecision:
    def test_weights_may_be_spread_over_files(self, tiny: Path, tmp_path: Path) -> None:
        """An index names the shards, in a folder as on the hub; one that is missing is named."""
        tensors = load_file(tiny / "model.safetensors")
        shards = {name: f"model-0000{1 + at % 2}-of-00002.safetensors" for at, name in enumerate(sorted(tensors))}
        for file in set(shards.values()):
            save_file({name: tensors[name] for name in tensors if shards[name] == file}, tmp_path / file)
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
        for name in ("config.json", "tokenizer.json"):
            shutil.copy(tiny / name, tmp_path)
        logits = load_pair_model(str(tmp_path), backend="onnx").logits(PAIRS)
        np.testing.assert_array_equal(logits, load_pair_model(str(tiny), backend="onnx").logits(PAIRS))
        (tmp_path / "model-00002-of-00002.safetensors").unlink()
        with pytest.raises(ModelIntegrityError, match=r"model-00002-of-00002.safetensors is missing"):
            load_pair_model(str(tmp_path), backend="onnx")

    def test_a_graph_is_as_precise_as_its_file(self, embedded_model: PairModel, tiny: Path) -> None:
        """An int8 file becomes int8, a float one float32; fingerprints say so, and the way it is run."""
        as_float = load_pair_model(str(tiny), backend="onnx")
        as_int8 = load_pair_model(str(tiny), backend="onnx", precision="int8")
        assert embedded_model.on_cpu.precision == as_int8.on_cpu.precision == "int8"  # type: ignore[attr-defined]
        assert str(as_float.on_cpu) == "fused graph, float32, each sequence alone"  # type: ignore[attr-defined]
        assert "-float32-v" in as_float.fingerprint and "-int8-v" in as_int8.fingerprint
        as_file = load_pair_model("ms-marco-MiniLM-L12-v2", precision="exported", local_files_only=True)
        assert "-exported-" in as_file.fingerprint
        difference = np.abs(as_float.logits(PAIRS) - as_int8.logits(PAIRS))
        assert 0 < difference.max() < 0.1

    @pytest.mark.slow
    def test_int8_is_nearer_to_float32_than_the_exported_file(self, embedded_model: PairModel) -> None:
        """On 200 pairs of real questions and candidates: half the error at most, and an order that agrees more."""
        queries = [stdlib_queries()[query] for query in list(stdlib_qrels())[20:30]]
        corpus = [document for document in stdlib_corpus() if len(document["text"]) < 400]
        found = BM25Retriever().index(corpus).search(queries, 20)
        pairs = [(query, text) for query, each in zip(queries, found, strict=True) for text in each.texts]
        rows = {"default": embedded_model.logits(pairs)[:, 0]}
        for precision in ("float32", "exported"):
            model = load_pair_model("ms-marco-MiniLM-L12-v2", precision=precision, local_files_only=True)  # type: ignore[arg-type]
            rows[precision] = model.logits(pairs)[:, 0]
        ours, theirs = (np.abs(rows[name] - rows["float32"]).mean() for name in ("default", "exported"))
        assert len(pairs) > 150
        assert ours < 0.08 and ours < theirs / 2
        agreement = {name: _agreement(row, rows["float32"], list(map(len, found))) for name, row in rows.items()}
        assert agreement["default"] > 0.98 and agreement["default"] > agreement["exported"]

    def test_vectors_of_the_embedded_bi_encoder(self) -> None:
        """The graph gives the exported file's vectors, or rather what that file rounds, in one batch or another."""
        vectors = {
            precision: load_embedding_model("bge-small-en-v1.5", precision=precision, local_files_only=True)  # type: ignore[arg-type]
            for precision in (None, "float32", "exported")
        }
        rows = {precision: model.encode_documents(DOCUMENTS) for precision, model in vectors.items()}
        np.testing.assert_allclose(np.linalg.norm(rows[None], axis=1), 1, atol=1e-5)
        cosines = {precision: (rows[precision] * rows["float32"]).sum(axis=1) for precision in rows}
        assert cosines[None].min() > 0.99 and cosines["exported"].min() > 0.95
        assert cosines[None].mean() > cosines["exported"].mean()
        alone = np.concatenate([vectors[None].encode_documents([text]) for text in DOCUMENTS])
        np.testing.assert_array_equal(alone, rows[None])

    def test_settings_that_do_not_fit(self, tiny: Path) -> None:
        """An unknown precision, one for PyTorch, and the file as exported where there is none."""
        with pytest.raises(ConfigError, match="precision must be 'int8', 'float32', 'exported' or None"):
            load_pair_model(str(tiny), backend="onnx", precision="int4")  # type: ignore[typeddict-item]
        with pytest.raises(
            ConfigError,
            match="backend='torch' has no setting precision; it has batch_tokens, device, dt",
        ):
            load_pair_model(str(tiny), backend="torch", precision="int8")
        with pytest.raises(ModelFormatError, match="no ONNX file to run as exported"):
            load_pair_model(str(tiny), backend="onnx", precision="exported")
        with pytest.raises(ConfigError, match="precision='int8' is for a CPU"):
            load_pair_model(str(tiny), backend="onnx", precision="int8", device="cuda")
        with pytest.raises(ModelFormatError, match="no ONNX file, which 'cuda' needs"):
            load_pair_model(str(tiny), backend="onnx", device="cuda")


class TestAsExported:
    def test_a_file_of_another_shape_runs_as_it_is(
        self, tiny: Path, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Why is kept and logged, and found out once; a graph that was asked for is an error."""
        folder = str(exported(tiny, tmp_path / "other"))
        with caplog.at_level(logging.DEBUG, "secondpass.models"):
            model = load_pair_model(folder)
        reason = model.on_cpu.reason  # type: ignore[attr-defined]
        assert "a product has no bias" in reason or "architecture of BERT" in reason
        assert reason in caplog.text
        expected = load_pair_model(str(tiny), backend="onnx")
        np.testing.assert_allclose(model.logits(PAIRS), expected.logits(PAIRS), atol=1e-5)
        with pytest.raises(ModelFormatError, match=r"architecture of BERT|no bias"):
            load_pair_model(folder, precision="int8")
        monkeypatch.setattr(building, "build_fused", lambda *_, **__: pytest.fail("it was tried again"))
        assert load_pair_model(folder).on_cpu.reason == reason  # type: ignore[attr-defined]

    def test_another_architecture_shows_in_its_settings(self, tiny: Path, tmp_path: Path, cache: Path) -> None:
        """Then its weights are not read to find out."""
        folder = exported(tiny, tmp_path / "modern")
        (folder / "config.json").write_text('{"model_type": "mpnet", "max_position_embeddings": 66}')
        model = load_pair_model(str(folder))
        assert "does not have the architecture 'mpnet'" in str(model.on_cpu)  # type: ignore[attr-defined]
        assert not cache.exists()

    def test_what_is_not_understood_does_not_stop_the_file(
        self, tiny: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An error of any kind in the making is a reason to run the file, and is not held against it for ever."""

        def fail(path: Path, config: ModelConfig) -> EncoderWeights:
            raise KeyError("scale")

        folder = str(exported(tiny, tmp_path / "odd"))
        monkeypatch.setattr(building, "read_weights", fail)
        model = load_pair_model(folder)
        assert "no fused graph can be built from" in model.on_cpu.reason  # type: ignore[attr-defined]
        assert np.isfinite(model.logits(PAIRS)).all() and not list(cache.glob("*.txt"))

    @pytest.mark.parametrize("heads", ["", ', "num_attention_heads": "many"'])
    def test_settings_that_say_too_little(self, tiny: Path, tmp_path: Path, cache: Path, heads: str) -> None:
        """A file with half a config.json beside it runs as before."""
        folder = exported(tiny, tmp_path / "half")
        (folder / "config.json").write_text(f'{{"model_type": "bert", "max_position_embeddings": 64{heads}}}')
        model = load_pair_model(str(folder))
        assert "does not say what the encoder is like" in model.on_cpu.reason  # type: ignore[attr-defined]
        assert np.isfinite(model.logits(PAIRS)).all()

    def test_a_graph_of_our_own_runs_as_it_is(self, tiny: Path, tmp_path: Path, cache: Path) -> None:
        """It has no mask, so its batches are of one length; another precision of it is not to be had."""
        folder = exported(tiny, tmp_path / "ours")
        (folder / "model.onnx").write_bytes(build_graph(read_weights(tiny), head="classifier", precision="float32"))
        model = load_pair_model(str(folder), batch_tokens=200)
        assert "is a fused graph already" in model.on_cpu.reason  # type: ignore[attr-defined]
        expected = load_pair_model(str(tiny), backend="onnx")
        np.testing.assert_allclose(model.logits(PAIRS), expected.logits(PAIRS), atol=1e-5)
        with pytest.raises(ModelFormatError, match="is a fused graph already"):
            load_pair_model(str(folder), precision="int8")

    def test_a_graph_that_gives_something_else_is_not_used(
        self, embedded: ModelFiles, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the weights don't show, as another activation in the head, is found by comparing the results."""

        def misread(path: Path, settings: ModelConfig) -> EncoderWeights:
            weights = read_weights(path, settings)
            config = dataclasses.replace(weights.config, head=HeadConfig(activation="relu"))
            return dataclasses.replace(weights, config=config)

        monkeypatch.setattr(building, "read_weights", misread)
        model = OnnxPairModel(embedded)
        assert model.on_cpu is not None
        assert "does not compute what its weights say" in model.on_cpu.reason
        assert model.logits(PAIRS)[:, 0].argmax() == 0

    def test_a_text_s_vector_is_the_one_that_the_file_gives(
        self, tiny: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Beside those of the tokens: they are not pooled in another way, nor by a graph of our own."""
        folder = exported(tiny, tmp_path / "vectors", head="tokens")
        monkeypatch.setattr(building, "read_weights", lambda path, config: read_weights(tiny, config))
        model = load_embedding_model(str(folder))
        assert "does not compute what its weights say" in model.on_cpu.reason  # type: ignore[attr-defined]
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
        first = load_embedding_model(str(folder))
        assert first.on_cpu.precision == "float32"  # type: ignore[attr-defined]
        np.testing.assert_allclose(model.encode_documents(DOCUMENTS), first.encode_documents(DOCUMENTS), atol=1e-5)

    @pytest.mark.parametrize("backend", ["onnx", "openvino"])
    def test_a_vocabulary_that_is_another_model_s(self, tiny: Path, tmp_path: Path, cache: Path, backend: str) -> None:
        """It is refused when it is loaded, not at the first text with a word that has no vector."""
        folder = save_tiny_encoder(tmp_path / "swapped", tiny, words=5000)
        with pytest.raises(ModelFormatError, match="has 5,000 word vectors for the 30,522 tokens of its tokenizer"):
            load_pair_model(str(folder), backend=backend)

    def test_a_vocabulary_that_an_exported_file_does_not_take(self, tiny: Path, tmp_path: Path, cache: Path) -> None:
        """Its word vectors can't be counted, so it is given the last token."""
        folder = exported(save_tiny_encoder(tmp_path / "short", tiny, words=5000), tmp_path / "file")
        with pytest.raises(ModelFormatError, match=r"it can't take the last token of its tokenizer: .*weights are not"):
            load_pair_model(str(folder))


class TestCache:
    def test_what_is_in_the_cache_needs_no_builder(self, tiny: Path, cache: Path) -> None:
        """A process that finds its graph imports neither the builder nor protobuf."""
        load_pair_model(str(tiny), backend="onnx")
        code = (
            "import sys; from secondpass.models.backends.load import load_pair_model; "
            f"load_pair_model({str(tiny)!r}, backend='onnx').logits([('a', 'b')]); "
            "print([name for name in ('google.protobuf', 'secondpass.models.graph.encoder', 'torch') "
            "if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.stdout.strip(), done.stderr) == ("[]", "")

    def test_pickling_finds_or_builds_the_graph_again(
        self, tiny: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is pickled is where the model is and how it is run, not a path in a cache that may be gone."""
        model = load_pair_model(str(tiny), backend="onnx", precision="int8", max_length=32, batch_tokens=64)
        data = pickle.dumps(model)
        assert len(data) < 3_000
        monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "elsewhere"))
        restored = pickle.loads(data)
        assert (restored.tokenizer.max_length, restored.batch_tokens) == (32, 64)
        assert restored.fingerprint == model.fingerprint
        np.testing.assert_array_equal(restored.logits(PAIRS), model.logits(PAIRS))
        embedder = load_embedding_model("bge-small-en-v1.5", precision="exported", max_length=40, local_files_only=True)
        again = pickle.loads(pickle.dumps(embedder))
        assert again.fingerprint == embedder.fingerprint and again.max_length == 40

    def test_threads_that_load_at_once(self, tiny: Path, cache: Path) -> None:
        """Each gets a model that gives the same, and one graph is left."""
        with ThreadPoolExecutor(4) as pool:
            models = list(pool.map(lambda _: load_pair_model(str(tiny), backend="onnx", precision="int8"), range(4)))
            rows = list(pool.map(lambda model: model.logits(PAIRS), models))
        for row in rows[1:]:
            np.testing.assert_array_equal(row, rows[0])
        assert len(list(cache.glob("*.onnx"))) == 1
        assert not list(cache.glob(".writing-*"))

    @pytest.fixture
    def unwritable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the cache folder one that can't be created (a mode would not stop root)."""
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path / "file" / "cache"))

    def test_without_a_cache_folder_the_graph_is_built_in_memory(self, tiny: Path, unwritable: None) -> None:
        """One warning says how to mend it; the model works, and is pickled as any other."""
        with pytest.warns(SecondPassWarning, match="set SECONDPASS_CACHE_DIR") as caught:
            model = load_pair_model(str(tiny), backend="onnx", precision="int8")
        assert len(caught) == 1 and caught[0].filename == __file__
        with pytest.warns(SecondPassWarning, match="built again at each start"):
            restored = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(restored.logits(PAIRS), model.logits(PAIRS))
        assert np.ptp(model.logits(PAIRS)) > 0.1

    def test_a_filled_cache_that_can_only_be_read_will_do(
        self, tiny: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As in a container's image: no warning, nothing built."""
        load_pair_model(str(tiny), backend="onnx")

        def refuse(path: Path, contents: bytes) -> None:
            raise PermissionError(path)

        monkeypatch.setattr(graph_cache, "write_whole", refuse)
        monkeypatch.setattr(building, "build_fused", lambda *_, **__: pytest.fail("it was built again"))
        assert load_pair_model(str(tiny), backend="onnx").on_cpu.precision == "float32"  # type: ignore[attr-defined]

    def test_a_damaged_graph_is_made_again(self, tiny: Path, cache: Path) -> None:
        """One byte of a weight, which ONNX Runtime would not see."""
        expected = load_pair_model(str(tiny), backend="onnx").logits(PAIRS)
        (path,) = cache.glob("*.onnx")
        data = bytearray(path.read_bytes())
        data[-1000] ^= 255
        path.write_bytes(data)
        np.testing.assert_array_equal(load_pair_model(str(tiny), backend="onnx").logits(PAIRS), expected)
        assert path.read_bytes() != bytes(data)


def _agreement(row: np.ndarray, exact: np.ndarray, counts: list[int]) -> float:
    """Return the share of pairs of a query's candidates that are in the same order."""
    same: list[bool] = []
    for ours, theirs in zip(*(np.split(values, np.cumsum(counts)[:-1]) for values in (row, exact)), strict=True):
        upper = np.triu_indices(len(ours), 1)
        orders = [np.sign(values[:, None] - values)[upper] for values in (ours, theirs)]
        same += (orders[0] == orders[1]).tolist()
    return float(np.mean(same))
