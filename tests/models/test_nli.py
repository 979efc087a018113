"""Models of entailment: labels by name, the smoke test, real ONNX and PyTorch backends on made-up weights."""

import json
import pickle
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from secondpass.errors import ConfigError, InputError, ModelFormatError
from secondpass.models.backends.load import load_pair_model
from secondpass.models.batching import BatchRunner
from secondpass.models.nli import LABELS, NliModel, NliOutput, entailment_columns
from secondpass.models.pair import PairModel
from secondpass.models.sources.files import ModelFiles
from secondpass.models.tokens import Batch, Tokens
from secondpass.rerankers.cross_encoder import CrossEncoderReranker

_PAIRS = [("The cat sleeps.", "A cat is asleep."), ("It rains.", "The sun shines."), ("The cat sleeps.", "It rains.")]


class _Overlap(PairModel):
    """A model that finds a hypothesis entailed by its words in the premise, contradicted by other numbers or a not."""

    fingerprint = "overlap"

    def __init__(self, tokenizer: object, labels: tuple[str, ...], rows: Sequence[int]) -> None:
        super().__init__("overlap", labels, tokenizer, None, BatchRunner(1, lambda exc: False))  # type: ignore[arg-type]
        self._rows = list(rows)

    def _forward(self, batch: Batch) -> np.ndarray:
        raise NotImplementedError

    def _forward_pairs(self, pairs: list[tuple[str, str]], tokens: list[tuple[Tokens, Tokens]]) -> np.ndarray:
        return np.array([self._logits(*pair) for pair in pairs], dtype=np.float32)[:, self._rows]

    def _logits(self, premise: str, hypothesis: str) -> list[float]:
        theirs, ours = set(premise.lower().split()), set(hypothesis.lower().split())
        shared = len(ours & theirs) / len(ours)
        against = any(word in ours - theirs for word in ("1987.", "open", "never", "none"))
        return [6 * shared - 4 * against, 1.0, 4.0 * against]


def _write_onnx(folder: Path, embedded: ModelFiles, id2label: dict[str, str], table: np.ndarray) -> Path:
    """Write a real ONNX file whose logits are the sum of a table's rows over the token ids."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(embedded.folder / name, folder / name)
    (folder / "config.json").write_text(json.dumps({"id2label": id2label, "max_position_embeddings": 512}))
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "length"]),
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", table.shape[1]])
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "axes")]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "axes"], ["logits"], keepdims=0),
    ]
    constants.append(numpy_helper.from_array(np.array([2]), "last"))
    graph = helper.make_graph(nodes, "bag", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """Return a row of three logits for each word piece."""
    return np.random.default_rng(0).normal(0, 0.5, (30522, 3)).astype(np.float32)


@pytest.fixture
def bag(tmp_path: Path, embedded: ModelFiles, table: np.ndarray) -> Path:
    """Return a folder with a bag-of-words model, whose labels are not in our order."""
    return _write_onnx(tmp_path, embedded, {"0": "CONTRADICTION", "1": "entailment", "2": "Neutral"}, table)


def _softmax(logits: np.ndarray) -> np.ndarray:
    grown = np.exp(logits.astype(np.float64))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


class TestLabels:
    @pytest.mark.parametrize(
        ("labels", "columns"),
        [
            (("entailment", "neutral", "contradiction"), (0, 1, 2)),
            (("CONTRADICTION", "Entailment", "neutral"), (2, 0, 1)),
            (("SUPPORTS", "REFUTES", "NOT ENOUGH INFO"), (0, 2, 1)),
            (("REFUTES", "NOT_ENOUGH_INFO", "SUPPORTS"), (2, 1, 0)),
            (("refuted", "not-enough-info", "supported"), (2, 1, 0)),
            (("entailment", "not_entailment"), (0, 1)),
            (("Not Entailment", "Entailment"), (1, 0)),
            (("unsupported", "supported"), (1, 0)),
            (("consistent", "inconsistent"), (0, 1)),
            (("SUPPORTS", "REFUTES"), (0, 2)),
            (("consistent",), (0,)),
        ],
    )
    def test_they_are_found_by_name(self, labels: tuple[str, ...], columns: tuple[int, ...]) -> None:
        """Capitals, underscores and the order of a checkpoint don't matter, only what a label is called."""
        assert entailment_columns(labels) == columns

    @pytest.mark.parametrize(
        "labels",
        [
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            ("0", "1"),
            ("positive", "negative", "neutral"),
            ("neutral", "contradiction"),
            ("entailment", "supports", "neutral"),
            ("entailment", "not_entailment", "neutral"),
            ("entailment", "neutral", "contradiction", "other"),
            (),
        ],
    )
    def test_names_that_say_nothing_are_refused(self, labels: tuple[str, ...]) -> None:
        """Numbers, names of other tasks and two names for one label are errors that say what to write where."""
        with pytest.raises(ModelFormatError, match=r"under id2label in its config\.json, or register a ModelSpec"):
            entailment_columns(labels)

    def test_a_reranker_is_told_apart(self, cross_encoder: CrossEncoderReranker) -> None:
        """A head with one unnamed output is a reranker's, and the error names the class for it."""
        with pytest.raises(ModelFormatError, match="use it with CrossEncoderReranker"):
            NliModel(cross_encoder.pair_model)


class TestProbabilities:
    def test_they_are_the_softmax_in_our_order(self, bag: Path, table: np.ndarray) -> None:
        """Probabilities on ONNX Runtime are those of logits added up by hand, with the columns put in order."""
        model = NliModel(bag, smoke_test=False)
        output = model.run(_PAIRS)
        tokenizer = model.pair_model.tokenizer
        first, second = tokenizer.tokenize(_PAIRS[0])
        ids = tokenizer.pair_batch([(first, second)]).input_ids[0]
        logits = table[ids].sum(axis=0)[[1, 2, 0]]
        assert output.probabilities.shape == (3, 3) and output.probabilities.dtype == np.float64
        np.testing.assert_allclose(output.probabilities[0], _softmax(logits), rtol=1e-5)
        np.testing.assert_allclose(output.logits[0], logits, rtol=1e-4)
        np.testing.assert_allclose(output.probabilities.sum(axis=1), 1.0, rtol=1e-12)
        assert output.n_tokens[0] == len(ids) and model.has_contradiction and LABELS[0] == "entailment"

    def test_two_way_heads_have_no_contradiction(self, tmp_path: Path, embedded: ModelFiles, table: np.ndarray) -> None:
        """What is not entailed stands under neutral, and the third column is 0."""
        folder = _write_onnx(tmp_path, embedded, {"0": "not_entailment", "1": "entailment"}, table[:, :2].copy())
        model = NliModel(folder, smoke_test=False)
        probabilities = model.run(_PAIRS).probabilities
        logits = model.pair_model.logits(_PAIRS)
        np.testing.assert_allclose(probabilities[:, 0], _softmax(logits)[:, 1], rtol=1e-6)
        np.testing.assert_allclose(probabilities[:, 1], 1 - probabilities[:, 0], rtol=1e-12)
        assert not model.has_contradiction and probabilities[:, 2].tolist() == [0.0, 0.0, 0.0]

    def test_one_output_goes_through_the_logistic_function(
        self, tmp_path: Path, embedded: ModelFiles, table: np.ndarray
    ) -> None:
        """A single output that is named consistent is the log odds of entailment."""
        model = NliModel(_write_onnx(tmp_path, embedded, {"0": "consistent"}, table[:, :1].copy()), smoke_test=False)
        logits = model.pair_model.logits(_PAIRS)[:, 0].astype(np.float64)
        np.testing.assert_allclose(model.run(_PAIRS).probabilities[:, 0], 1 / (1 + np.exp(-logits)), rtol=1e-12)
        assert not model.has_contradiction

    def test_identical_pairs_are_scored_once(self, bag: Path) -> None:
        """The second of two equal pairs is marked as repeated and has the same probabilities."""
        output = NliModel(bag, smoke_test=False).run([_PAIRS[0], _PAIRS[1], _PAIRS[0]])
        assert output.repeated.tolist() == [False, False, True]
        assert output.probabilities[0].tolist() == output.probabilities[2].tolist()

    def test_what_does_not_fit_is_marked(self, bag: Path) -> None:
        """A premise of a thousand words is cut, the hypothesis isn't, and both are said."""
        output = NliModel(bag, smoke_test=False, max_length=64).run([("word " * 1000, "A short one.")])
        assert output.truncated.tolist() == [[True, False]] and output.n_tokens.tolist() == [64]

    def test_lone_surrogates_and_empty_texts_are_scored(self, bag: Path) -> None:
        """A lone surrogate is read as U+FFFD, and an empty premise is no error."""
        model = NliModel(bag, smoke_test=False)
        broken, mended = model.run([("a \ud800 b", "c"), ("a \ufffd b", "c")]).probabilities
        assert broken.tolist() == mended.tolist()
        assert model.run([("", "A cat sleeps.")]).probabilities.sum() == pytest.approx(1)

    def test_nothing_gives_nothing(self, bag: Path) -> None:
        """No pairs are an empty output with the right shapes."""
        output = NliModel(bag, smoke_test=False).run([])
        assert output.probabilities.shape == (0, 3) and output.truncated.shape == (0, 2) and len(output) == 0

    @pytest.mark.parametrize("pair", ["ab", ("a",), ("a", "b", "c"), ("a", None), 3])
    def test_what_is_no_pair_is_refused(self, bag: Path, pair: object) -> None:
        """The message says which one, and what a pair is."""
        with pytest.raises(InputError, match=r"pairs\[1\] must be a premise and a hypothesis"):
            NliModel(bag, smoke_test=False).run([("a", "b"), pair])  # type: ignore[list-item]

    def test_logits_may_be_left_out(self) -> None:
        """An output that is made of probabilities alone has their logarithms as logits."""
        none = np.empty(1, np.int64)
        output = NliOutput(np.array([[0.5, 0.5, 0.0]]), none, np.zeros((1, 2), np.bool_), none.astype(np.bool_))
        assert output.logits.tolist() == [[np.log(0.5), np.log(0.5), -np.inf]]


class TestSmokeTest:
    def test_a_model_that_reads_passes(self, cross_encoder: CrossEncoderReranker) -> None:
        """Even one that only compares words tells what is entailed from what is not, in any order of labels."""
        tokenizer = cross_encoder.pair_model.tokenizer
        for labels, rows in ((LABELS, (0, 1, 2)), (("contradiction", "neutral", "entailment"), (2, 1, 0))):
            assert NliModel(_Overlap(tokenizer, labels, rows)).has_contradiction
        assert not NliModel(_Overlap(tokenizer, ("entailment", "not_entailment"), (0, 1))).has_contradiction

    @pytest.mark.parametrize(
        "labels", [("contradiction", "neutral", "entailment"), ("neutral", "entailment", LABELS[2])]
    )
    def test_entailment_under_another_name_is_refused(
        self, cross_encoder: CrossEncoderReranker, labels: tuple[str, ...]
    ) -> None:
        """Where the output called entailment is another one, the error names the labels."""
        with pytest.raises(ModelFormatError, match=rf"its labels \({', '.join(labels)}\) are named wrongly"):
            NliModel(_Overlap(cross_encoder.pair_model.tokenizer, labels, (0, 1, 2)))

    def test_neutral_and_contradiction_swapped_are_refused(self, cross_encoder: CrossEncoderReranker) -> None:
        """A model that calls the unrelated contradicted would accuse every answer that is merely not covered."""
        labels = ("entailment", "contradiction", "neutral")
        with pytest.raises(ModelFormatError, match=r"gives unrelated sentences .* correct id2label"):
            NliModel(_Overlap(cross_encoder.pair_model.tokenizer, labels, (0, 1, 2)))

    def test_random_weights_are_refused(self, bag: Path) -> None:
        """A model that was never trained is found out, and smoke_test=False lets it pass."""
        with pytest.raises(ModelFormatError, match="it is not an NLI model"):
            NliModel(bag)
        assert NliModel(bag, smoke_test=False).name == str(bag)


class TestUse:
    def test_a_pickled_model_gives_the_same(self, bag: Path) -> None:
        """Weights are loaded again, settings stay, and so does the fingerprint."""
        model = NliModel(bag, smoke_test=False, max_length=128)
        restored = pickle.loads(pickle.dumps(model))
        assert restored.fingerprint == model.fingerprint and restored.pair_model.tokenizer.max_length == 128
        assert restored.run(_PAIRS).probabilities.tolist() == model.run(_PAIRS).probabilities.tolist()

    def test_eight_threads_get_the_same(self, bag: Path) -> None:
        """Threads that share a model each get what they get alone."""
        model = NliModel(bag, smoke_test=False)
        batches = [[(f"{premise} {number}", hypothesis) for premise, hypothesis in _PAIRS] for number in range(24)]
        expected = [model.run(batch).probabilities for batch in batches]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda batch: model.run(batch).probabilities, batches))
        np.testing.assert_array_equal(results, expected)

    def test_it_is_data(self, bag: Path) -> None:
        """to_config and back is the same model; what was passed in loaded can't be written down."""
        model = NliModel(bag, smoke_test=False, max_length=128)
        config = json.loads(json.dumps(model.to_config()))
        assert config == {"type": "nli", "model": str(bag), "smoke_test": False, "max_length": 128}
        assert NliModel.from_config(config).fingerprint == model.fingerprint
        with pytest.raises(ConfigError, match="no setting 'length'"):
            NliModel.from_config({"model": str(bag), "length": 3})
        with pytest.raises(ConfigError, match="a model is a folder, owner/name or a known name, not NoneType"):
            NliModel(None)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="model is of the type OnnxPairModel, which a configuration can't hold"):
            NliModel(model.pair_model, smoke_test=False).to_config()

    def test_a_loaded_model_takes_no_settings(self, bag: Path) -> None:
        """They would be ignored, so they are refused."""
        with pytest.raises(ConfigError, match="max_length can't be set any more"):
            NliModel(load_pair_model(str(bag), task="nli"), max_length=64)

    def test_the_fingerprint_knows_the_labels(self, bag: Path) -> None:
        """The same weights with other names are another model."""
        before = NliModel(bag, smoke_test=False).fingerprint
        config = json.loads((bag / "config.json").read_text())
        config["id2label"] = {"0": "entailment", "1": "contradiction", "2": "neutral"}
        (bag / "config.json").write_text(json.dumps(config))
        assert NliModel(bag, smoke_test=False).fingerprint != before


@pytest.mark.slow
def test_torch_and_its_own_softmax_agree(tmp_path: Path, embedded: ModelFiles) -> None:
    """A tiny random BERT gives the probabilities that transformers computes for it."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    names = ["contradiction", "entailment", "neutral"]
    settings = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=30522, initializer_range=0.5, id2label=dict(enumerate(names)), num_labels=3, **settings
    )
    reference = BertForSequenceClassification(config).eval()
    reference.save_pretrained(tmp_path)
    BertTokenizerFast.from_pretrained(embedded.folder).save_pretrained(tmp_path)
    inputs = AutoTokenizer.from_pretrained(tmp_path)(
        *map(list, zip(*_PAIRS, strict=True)), padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = reference(**inputs).logits.double().softmax(dim=-1).numpy()[:, [1, 2, 0]]
    model = NliModel(tmp_path, smoke_test=False, backend="torch", device="cpu")
    np.testing.assert_allclose(model.run(_PAIRS).probabilities, expected, atol=1e-5)
