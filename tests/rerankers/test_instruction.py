"""What a user says counts as relevant, for models that were trained to be told."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.cache.entry import KeyMaker
from secondpass.testing import FakeReranker

_QUERY, _DOCUMENTS = "how do I copy a file", ["shutil.copy copies a file.", "The weather is fine.", "cp"]
_LAW = "Given a question about the law, find the statute that answers it"


class Told(FakeReranker):
    """Takes an instruction, and does as it would without it."""

    takes_instruction = True


class TestThoseThatTakeNone:
    """Nothing that a user says is silently left out."""

    def test_a_request_is_refused(self) -> None:
        """With the reranker's name and a model that takes one; without an instruction nothing changes."""
        with pytest.raises(sp.InputError, match=r"FakeReranker.* takes no instruction, .*Qwen3-Reranker-0\.6B"):
            FakeReranker().rerank(_QUERY, _DOCUMENTS, instruction=_LAW)
        assert len(FakeReranker().rerank(_QUERY, _DOCUMENTS, instruction=None)) == 3

    @pytest.mark.parametrize(
        "wrap", [sp.CachedReranker, sp.PriorReranker, lambda inner: sp.EnsembleReranker([inner, inner])]
    )
    def test_so_is_one_in_a_composition(self, wrap: type) -> None:
        """By the one that does the work."""
        with pytest.raises(sp.InputError, match="takes no instruction"):
            wrap(FakeReranker()).rerank(_QUERY, _DOCUMENTS, instruction=_LAW)

    def test_no_fallback_takes_it_for_a_failure(self) -> None:
        """A chain of which no member takes one refuses it; where one does, that one answers."""
        with pytest.raises(sp.InputError, match=r"^FakeReranker\(\) takes no instruction"):
            sp.FallbackReranker([FakeReranker(), sp.CachedReranker(FakeReranker())]).rerank(
                _QUERY, _DOCUMENTS, instruction=_LAW
            )
        ranking = sp.FallbackReranker([FakeReranker(), Told()]).rerank(_QUERY, _DOCUMENTS, instruction=_LAW)
        assert ranking[0].explanation["answered_by"] == "Told"

    def test_so_is_a_setting(self) -> None:
        """The embedded cross-encoder has no place for it, and says so when it is built."""
        with pytest.raises(
            sp.ConfigError, match="ms-marco-MiniLM-L12-v2 takes no instruction: its prompt has no place"
        ):
            sp.CrossEncoderReranker(instruction=_LAW)
        assert sp.CrossEncoderReranker().takes_instruction is False


@pytest.mark.parametrize("instruction", ["", 3, ["find it"]])
def test_what_is_no_instruction_is_refused(instruction: object) -> None:
    """It is a text, or None."""
    with pytest.raises(sp.InputError, match="instruction must be a str that is not empty"):
        sp.Request(_QUERY, _DOCUMENTS, instruction=instruction)  # type: ignore[arg-type]


def test_it_stays_with_parts_of_a_request_and_in_cache_keys() -> None:
    """Another instruction is another question; no instruction has the keys that it always had."""
    request = sp.Request(_QUERY, ["a", " ", "b"], instruction=_LAW)
    assert request.subset([1]).instruction == request.without_blanks().instruction == _LAW
    maker = KeyMaker("1")
    plain, told, other = (maker.keys("q", ("a",), None, said) for said in (None, "one", "two"))
    assert plain == maker.keys("q", ("a",), None) and len({*plain, *told, *other}) == 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny random one."""
    from tests.models.tiny_qwen import save_tiny_qwen

    return save_tiny_qwen(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="module")
def reranker(folder: Path) -> sp.CrossEncoderReranker:
    """Return a reranker that is told nothing of its own."""
    return sp.CrossEncoderReranker(folder, device="cpu", smoke_test=False)


@pytest.mark.slow
class TestQwen:
    """A model behind a chat template, which shows what the system says."""

    def test_it_is_told_by_its_template(self, folder: Path, reranker: sp.CrossEncoderReranker) -> None:
        """Scores are those of sentence-transformers with the prompt, for each request its own, in one call."""
        from sentence_transformers import CrossEncoder
        from torch.nn import Identity

        model, pairs = CrossEncoder(str(folder), device="cpu"), [(_QUERY, text) for text in _DOCUMENTS]
        requests = [sp.Request(_QUERY, _DOCUMENTS, instruction=said) for said in (_LAW, None, "Find code", _LAW)]
        scored = [scores.values for scores in reranker.score_many(requests)]
        for request, values in zip(requests, scored, strict=True):
            expected = model.predict(pairs, prompt=request.instruction, activation_fn=Identity())
            np.testing.assert_allclose(values, expected, atol=1e-4)
        assert np.abs(scored[0] - scored[1]).max() > 1e-3 < np.abs(scored[0] - scored[2]).max()

    def test_a_setting_is_for_requests_that_have_none(self, folder: Path, reranker: sp.CrossEncoderReranker) -> None:
        """It is in the configuration, the fingerprint and the pickle; the template's own words are the default."""
        from tests.models.tiny_qwen import DEFAULT

        told = sp.CrossEncoderReranker(folder, device="cpu", smoke_test=False, instruction=_LAW)
        expected = reranker.rerank(_QUERY, _DOCUMENTS, instruction=_LAW)
        assert told.rerank(_QUERY, _DOCUMENTS).texts == expected.texts
        scores = told.score(_QUERY, _DOCUMENTS)
        np.testing.assert_allclose(sorted(scores, reverse=True), [each.score for each in expected], atol=1e-4)
        again = sp.from_config(told.to_config())
        assert told.to_config()["instruction"] == _LAW and again.fingerprint == told.fingerprint
        assert told.fingerprint != reranker.fingerprint
        for copy in (again, pickle.loads(pickle.dumps(told))):
            np.testing.assert_allclose(copy.score(_QUERY, _DOCUMENTS), scores, atol=1e-5)
        default = reranker.rerank_many([sp.Request(_QUERY, _DOCUMENTS, instruction=DEFAULT)])[0]
        assert [each.score for each in default] == pytest.approx(
            sorted(reranker.score(_QUERY, _DOCUMENTS), reverse=True), abs=1e-4
        )

    def test_it_takes_room_and_is_kept_in_a_pickle(self, reranker: sp.CrossEncoderReranker) -> None:
        """A longer one leaves less for a pair; one that leaves none is refused."""
        model = reranker.pair_model
        longer = model.instructed(_LAW + " " + _LAW)
        assert longer.tokenizer.max_length < model.instructed(_LAW).tokenizer.max_length
        assert pickle.loads(pickle.dumps(longer)).fingerprint == longer.fingerprint != model.fingerprint
        with pytest.raises(sp.InputError, match="the instruction leaves no room for a pair in the 256 tokens"):
            reranker.rerank(_QUERY, _DOCUMENTS, instruction="find the law " * 100)

    def test_a_template_without_a_place_takes_none(self, tmp_path: Path) -> None:
        """What would not be shown to the model is refused."""
        from tests.models.tiny_qwen import save_tiny_qwen

        folder = save_tiny_qwen(tmp_path, told=False)
        with pytest.raises(sp.ConfigError, match="takes no instruction"):
            sp.CrossEncoderReranker(folder, device="cpu", smoke_test=False, instruction=_LAW)
