"""The T5 rerankers on a tiny checkpoint with random weights: shape and protocol, not quality."""

import json
import pickle
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

from secondpass.composition.passage import PassageReranker
from secondpass.errors import ConfigError, ModelFormatError, ModelIntegrityError, TruncationWarning
from secondpass.rerankers.t5 import DuoT5Reranker, MonoT5Reranker, RankT5Reranker
from secondpass.testing import RerankerContract
from secondpass.types import Request, Scale

QUERY = "copy a file"
DOCUMENTS = ["a file is open", "copy it", "the weather"]
SPECIAL = ["<pad>", "</s>", "<unk>", "<extra_id_10>"]
WORDS = ["Query", "Document", "Document0", "Document1", "Relevant", ":", "true", "false"]
WORDS += ["a", "copy", "file", "is", "it", "open", "the", "weather"]


def write_tokenizer(folder: Path, words: list[str]) -> None:
    """Write a tokenizer that knows these words and the special tokens."""
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(SPECIAL + words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a T5 of a few thousand random weights that knows a few words."""
    folder = tmp_path_factory.mktemp("t5")
    torch.manual_seed(9)
    config = T5Config(
        vocab_size=len(SPECIAL + WORDS),
        d_model=16,
        d_kv=4,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        initializer_factor=1.0,
        decoder_start_token_id=0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder, safe_serialization=True)
    write_tokenizer(folder, WORDS)
    return folder


class _Contract(RerankerContract):
    __test__ = False
    kind: Any = MonoT5Reranker

    @pytest.fixture(autouse=True)
    def _folder(self, folder: Path) -> None:
        self.path = folder

    def make(self) -> Any:
        return self.kind(self.path)


class TestMonoContract(_Contract):
    __test__ = True

    def make(self) -> Any:
        return MonoT5Reranker(self.path)

    documents = ("a copy", "the weather is open", "file file", "true", "it is a file")


class TestRankContract(_Contract):
    __test__ = True
    kind = RankT5Reranker
    documents = TestMonoContract.documents
    tolerance = 1e-3


class TestDuoContract(_Contract):
    __test__ = True
    kind = DuoT5Reranker
    documents = TestMonoContract.documents


def reference(folder: Path, text: str) -> np.ndarray:
    """Return the logits of the first step, from the words of a prompt, by transformers alone."""
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    ids = [(SPECIAL + WORDS).index(word) for word in text.replace(":", " :").split()]
    with torch.inference_mode():
        output = model(input_ids=torch.tensor([[*ids, 1]]), decoder_input_ids=torch.tensor([[0]]))
    return np.asarray(output.logits[0, 0].double().numpy())


def share_of_true(logits: np.ndarray) -> float:
    """Return the probability of one of two tokens."""
    true, false = (logits[(SPECIAL + WORDS).index(word)] for word in ("true", "false"))
    return float(1 / (1 + np.exp(false - true)))


class TestProtocol:
    def test_mono_reads_its_prompt(self, folder: Path) -> None:
        """The probability of "true" against "false" after the prompt of the paper."""
        reranker = MonoT5Reranker(folder)
        prompts = [f"Query: {QUERY} Document: {document} Relevant:" for document in DOCUMENTS]
        expected = [share_of_true(reference(folder, prompt)) for prompt in prompts]
        np.testing.assert_allclose(reranker.score(QUERY, DOCUMENTS), expected, atol=1e-5)
        assert reranker.scale is Scale.PROBABILITY and len({round(value, 4) for value in expected}) == 3

    def test_rank_reads_its_prompt(self, folder: Path) -> None:
        """The logit of one extra token, and no word at the end."""
        reranker = RankT5Reranker(folder)
        expected = [reference(folder, f"Query: {QUERY} Document: {document}")[3] for document in DOCUMENTS]
        np.testing.assert_allclose(reranker.score(QUERY, DOCUMENTS), expected, rtol=1e-4, atol=1e-4)
        assert reranker.scale is Scale.LOGIT

    def test_duo_sums_both_orders(self, folder: Path) -> None:
        """The mean probability of being preferred, over the others and both orders."""

        def preferred(one: str, other: str) -> float:
            prompt = f"Query: {QUERY} Document0: {one} Document1: {other} Relevant:"
            return share_of_true(reference(folder, prompt))

        expected = [
            np.mean([(preferred(one, other) + 1 - preferred(other, one)) / 2 for other in DOCUMENTS if other != one])
            for one in DOCUMENTS
        ]
        reranker = DuoT5Reranker(folder)
        np.testing.assert_allclose(reranker.score(QUERY, DOCUMENTS), expected, atol=1e-5)
        assert reranker.scale is Scale.ORDINAL and not reranker.pointwise
        assert sum(expected) == pytest.approx(1.5)

    def test_padding_does_not_change_a_score(self, folder: Path) -> None:
        """Long and short documents share a batch, or have one each."""
        documents = ["copy", "a file " * 50, "it is open"]
        shared, alone = MonoT5Reranker(folder), MonoT5Reranker(folder, batch_tokens=1)
        np.testing.assert_allclose(shared.score(QUERY, documents), alone.score(QUERY, documents), atol=1e-5)

    def test_counts(self, folder: Path) -> None:
        """Pairs asked for, those that reached the model, and the tokens of the whole prompt."""
        first, second = MonoT5Reranker(folder).score_many([Request(QUERY, ["copy", "copy"]), Request(QUERY, ["copy"])])
        # Three words of the query, one of the document, three of the prompt with a colon each, the end.
        assert first.trace.counts == {"pairs": 2, "pairs_scored": 1, "tokens": 2 * 11, "truncated": 0}
        assert second.trace.counts == {"pairs": 1, "pairs_scored": 0, "tokens": 11, "truncated": 0}


class TestDuo:
    def test_only_some_are_compared(self, folder: Path) -> None:
        """The others follow in their order, below 0, and say so."""
        (scores,) = DuoT5Reranker(folder, max_documents=2).score_many([Request(QUERY, [*DOCUMENTS, "open"])])
        assert scores.explanations["compared"] == [True, True, False, False]
        assert scores.values[2:].tolist() == [-1.0, -2.0] and scores.values[:2].min() >= 0
        assert scores.trace.counts["pairs"] == 2

    def test_initial_scores_choose(self, folder: Path) -> None:
        """With scores of the first stage its best are compared, and its order holds for the others."""
        request = Request(QUERY, [*DOCUMENTS, "open"], initial_scores=[0.1, 0.9, 0.2, 0.8])
        (scores,) = DuoT5Reranker(folder, max_documents=2).score_many([request])
        assert scores.explanations["compared"] == [False, True, False, True]
        assert scores.values[[2, 0]].tolist() == [-1.0, -2.0]

    def test_one_document_has_nothing_to_be_compared_with(self, folder: Path) -> None:
        """It comes back with 0, and no model runs."""
        (scores,) = DuoT5Reranker(folder).score_many([Request(QUERY, ["copy"])])
        assert scores.values.tolist() == [0.0] and scores.trace.counts["pairs"] == 0

    @pytest.mark.parametrize("max_documents", [0, 1.5, True])
    def test_bad_limits(self, folder: Path, max_documents: Any) -> None:
        """The limit is a whole number from 1."""
        with pytest.raises(ConfigError, match="max_documents must be a whole number"):
            DuoT5Reranker(folder, max_documents=max_documents)


class TestLongDocuments:
    def test_the_document_is_cut_and_the_prompt_is_not(self, folder: Path) -> None:
        """It is as if the document ended there, if so asked for; it is counted, and warned about once."""
        reranker = MonoT5Reranker(folder, max_length=20, long_documents="truncate")
        room = 20 - 1 - 6 - 3
        with pytest.warns(TruncationWarning, match="1 of 2 inputs were cut to fit into 20 tokens") as caught:
            (scores,) = reranker.score_many([Request(QUERY, ["copy " * 30, "copy"])])
        assert caught[0].filename == __file__
        assert scores.explanations["truncated"] == [True, False] and scores.trace.counts["tokens"] == 20 + 11
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expected = reranker.score(QUERY, ["copy " * room])[0]
            assert reranker.score(QUERY, ["copy " * 30])[0] == expected == pytest.approx(scores.values[0], abs=1e-6)

    def test_by_default_nothing_is_cut(self, folder: Path) -> None:
        """A long document is read in windows."""
        (scores,) = MonoT5Reranker(folder, max_length=20).score_many([Request(QUERY, ["copy " * 30, "copy"])])
        assert scores.trace.counts["documents_split"] == 1 and scores.trace.counts["truncated"] == 0
        assert scores.explanations["passage"][1] is None
        with pytest.raises(ConfigError, match="long_documents must be"):
            MonoT5Reranker(folder, long_documents="cut")  # type: ignore[arg-type]

    def test_passages_fit(self, folder: Path) -> None:
        """Windows leave room for the prompt and the query."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ranking = PassageReranker(MonoT5Reranker(folder, max_length=20), overlap=0).rerank(QUERY, ["copy " * 25])
        assert ranking.trace.counts == {"passages": 3, "documents_split": 1}

    def test_a_long_query_leaves_room_for_the_document(self, folder: Path) -> None:
        """It is cut to three quarters, and two documents share what is left."""
        with pytest.warns(TruncationWarning):
            (scores,) = DuoT5Reranker(folder, max_length=32).score_many([Request("a " * 90, ["copy " * 9, "file"])])
        assert scores.trace.counts["truncated"] == 2


class TestLoading:
    def test_pickling_and_fingerprints(self, folder: Path) -> None:
        """A restored one scores the same; the kind, the length and the limit are part of its identity."""
        mono = MonoT5Reranker(folder)
        restored = pickle.loads(pickle.dumps(mono))
        np.testing.assert_array_equal(restored.score(QUERY, DOCUMENTS), mono.score(QUERY, DOCUMENTS))
        others = [RankT5Reranker(folder), MonoT5Reranker(folder, max_length=64), DuoT5Reranker(folder)]
        others.append(DuoT5Reranker(folder, max_documents=3))
        assert len({mono.fingerprint, *(other.fingerprint for other in others)}) == 5
        assert repr(mono) == f"MonoT5Reranker({str(folder)!r})"

    def test_half_precision(self, folder: Path) -> None:
        """Weights in bfloat16 give nearly the same."""
        half, full = MonoT5Reranker(folder, dtype="bfloat16"), MonoT5Reranker(folder)
        np.testing.assert_allclose(half.score(QUERY, DOCUMENTS), full.score(QUERY, DOCUMENTS), atol=0.2)
        assert half.fingerprint != full.fingerprint

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"dtype": "int8"}, "dtype must be 'float32', 'float16' or 'bfloat16', or None"),
            ({"device": "cuda:99"}, "PyTorch finds no device 'cuda:99'"),
            ({"device": "toaster"}, "PyTorch finds no device 'toaster'"),
            ({"device": 0}, "device must be a name"),
            ({"model": None}, "a model is a folder"),
            ({"max_length": 4}, "max_length must be a whole number of at least 16"),
            ({"batch_tokens": 0}, "batch_tokens must be a whole number of at least 1"),
        ],
    )
    def test_settings_out_of_range_are_refused(self, folder: Path, settings: dict[str, Any], message: str) -> None:
        """Each gets an error that names it."""
        with pytest.raises(ConfigError, match=message):
            MonoT5Reranker(**{"model": folder, **settings})

    def test_wrong_checkpoints_are_refused(self, folder: Path, tmp_path: Path) -> None:
        """No tokenizer, words that are not in it, another architecture, damaged weights: each says so."""
        weights = (folder / "model.safetensors").read_bytes()
        config = json.loads((folder / "config.json").read_text())
        (tmp_path / "model.safetensors").write_bytes(weights)
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(ModelFormatError, match=r"has no tokenizer.json .*copy that of the T5"):
            MonoT5Reranker(tmp_path)
        write_tokenizer(tmp_path, [word for word in WORDS if word != "false"])
        with pytest.raises(ModelFormatError, match="'false' is not a single token"):
            MonoT5Reranker(tmp_path)
        (tmp_path / "tokenizer.json").write_text("{")
        with pytest.raises(ModelIntegrityError, match=r"tokenizer.json can't be read"):
            MonoT5Reranker(tmp_path)
        write_tokenizer(tmp_path, [*WORDS, "another"])
        with pytest.raises(ModelFormatError, match="has 20 word vectors for the 21 tokens of its tokenizer"):
            MonoT5Reranker(tmp_path)
        write_tokenizer(tmp_path, WORDS)
        (tmp_path / "model.safetensors").write_bytes(weights[:1_000])
        with pytest.raises(ModelIntegrityError, match="can't be loaded"):
            MonoT5Reranker(tmp_path)
        (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
        with pytest.raises(ModelFormatError, match="is not a T5: its model_type is 'bert'"):
            MonoT5Reranker(tmp_path)

    def test_what_ends_an_input_may_stand_there_in_several_ways(self, folder: Path, tmp_path: Path) -> None:
        """As a list, and without the decoder's first token, which is then the padding's; but it has to stand there."""
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        config = json.loads((folder / "config.json").read_text())
        expected = MonoT5Reranker(folder).score(QUERY, DOCUMENTS)
        (tmp_path / "config.json").write_text(
            json.dumps({**config, "eos_token_id": [1], "decoder_start_token_id": None})
        )
        np.testing.assert_array_equal(MonoT5Reranker(tmp_path).score(QUERY, DOCUMENTS), expected)
        for name in ("pad_token_id", "eos_token_id"):
            (tmp_path / "config.json").write_text(json.dumps({**config, name: None}))
            with pytest.raises(ModelFormatError, match=r"numbers for pad_token_id, .*, not .*None"):
                MonoT5Reranker(tmp_path)

    def test_weights_that_are_missing_are_not_made_up(self, folder: Path, tmp_path: Path) -> None:
        """Those of an encoder alone: transformers would give the decoder random ones."""
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        T5EncoderModel.from_pretrained(folder).save_pretrained(tmp_path)
        with pytest.raises(ModelIntegrityError, match=r"lacks weights of a T5: decoder\.block\.0"):
            MonoT5Reranker(tmp_path)
