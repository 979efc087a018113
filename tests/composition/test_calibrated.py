"""The calibrated reranker: contract, fitting, what it is fitted on, saving."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.calibration import IsotonicCalibrator, PlattCalibrator, score_examples, shift_base_rate
from secondpass.composition.calibrated import CalibratedReranker
from secondpass.errors import CompositionError, ConfigError, InputError, ModelIntegrityError
from secondpass.loading import from_config
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Scale
from tests.composition.tables import Table

_WORDS = ("copy", "file", "open", "socket", "sort", "list", "parse", "json", "start", "thread")
_METHODS = ("platt", "temperature", "beta", "isotonic")


def _examples(n_queries: int = 60) -> list[tuple[str, str, bool]]:
    """Return ten candidates for each query; the more of its words they share, the more often they're relevant."""
    rng = np.random.default_rng(0)
    examples = []
    for number in range(n_queries):
        words = rng.choice(_WORDS, 4, replace=False)
        for candidate in range(10):
            shared = int(rng.integers(0, 5))
            text = " ".join([*words[:shared], f"filler{number}x{candidate}"])
            relevant = bool(rng.random() < (0.02, 0.05, 0.1, 0.3, 0.6)[shared])
            examples.append((f"{' '.join(words)} {number}", text, relevant))
    return examples


def _fitted(scale: str = "logit", **settings: object) -> CalibratedReranker:
    return CalibratedReranker(FakeReranker(scale=scale), **settings).fit(_examples())  # type: ignore[arg-type]


class TestContractPlatt(RerankerContract):
    def make(self) -> CalibratedReranker:
        return _fitted()


class TestContractIsotonicOnProbabilities(RerankerContract):
    def make(self) -> CalibratedReranker:
        return _fitted("probability", method="isotonic", base_rate=0.02)


class TestContractOfANestedOne(RerankerContract):
    def make(self) -> CalibratedReranker:
        return CalibratedReranker(_fitted("logit", method="temperature"), method="beta").fit(_examples())


class TestFit:
    @pytest.mark.parametrize("scale", ["logit", "probability"])
    @pytest.mark.parametrize("method", _METHODS)
    def test_each_method_on_each_scale(self, method: str, scale: str) -> None:
        """Held-out probabilities are better than the model's by likelihood, and the order stays as it was."""
        wrapped = FakeReranker(scale=scale)
        reranker = CalibratedReranker(wrapped, method=method).fit(_examples())  # type: ignore[arg-type]
        report = reranker.report()
        assert report.after.nll < report.before.nll and report.method == method
        assert (report.n_examples, report.n_queries) == (600, 60)
        query, documents = "copy a file now", ["copy a file", "a file", "copy", "rain", "copy a file now", "snow"]
        assert reranker.scale is Scale.PROBABILITY
        before, after = wrapped.rerank(query, documents), reranker.rerank(query, documents)
        assert [d.index for d in after] == [d.index for d in before]

    def test_it_is_the_calibrator_of_all_examples(self) -> None:
        """The folds are for the report only."""
        wrapped = FakeReranker(scale="logit")
        scored = score_examples(wrapped, _examples())
        expected = PlattCalibrator.fit(scored.scores, scored.relevant)
        reranker = CalibratedReranker(wrapped).fit(iter(_examples()))
        assert reranker.calibrator == expected
        query, documents = "copy file", ["copy", "rain"]
        np.testing.assert_array_equal(reranker.score(query, documents), expected.apply(wrapped.score(query, documents)))

    def test_calibration_repairs_overconfidence(self) -> None:
        """Fake logits from -10 to 10 are far too sure; the error after is a fraction of that before."""
        report = _fitted().report(n_bins=5, confidence=0.9, n_bootstrap=200)
        assert report.after.ece < 0.05 < 0.15 < report.before.ece
        assert report.after.ece_interval[1] < report.before.ece_interval[0]
        assert report.confidence == 0.9 and len(report.after.bins) <= 5

    def test_qrels_and_a_run_are_examples(self) -> None:
        """`fit_qrels` fits on the run's candidates with their judgements."""
        queries, documents, run, qrels = {}, {}, {}, {}
        for at, (query, text, relevant) in enumerate(_examples()):
            queries[query], documents[f"d{at}"] = query, text
            run.setdefault(query, []).append(f"d{at}")
            qrels.setdefault(query, {}).update({f"d{at}": 2} if relevant else {})
        by_run = CalibratedReranker(FakeReranker(scale="logit"))
        by_run.fit_qrels(qrels, run, queries=queries, documents=documents, min_grade=2)
        assert by_run.calibrator == _fitted().calibrator
        assert by_run.report() == _fitted().report()

    def test_base_rate_is_corrected_for(self) -> None:
        """The odds are multiplied by the ratio of the two rates' odds."""
        plain, rare = _fitted(), _fitted(base_rate=0.01)
        assert plain.calibrator is not None and plain.calibrator.base_rate is not None
        p = plain.score("copy file", ["copy file", "copy", "rain"])
        expected = shift_base_rate(p, fitted=plain.calibrator.base_rate, actual=0.01)
        np.testing.assert_allclose(rare.score("copy file", ["copy file", "copy", "rain"]), expected, rtol=1e-12)
        assert (expected < p).all()

    def test_what_explains_the_scores_is_kept(self) -> None:
        """The inner score comes back with each document, and the inner trace is a stage."""
        reranker = _fitted()
        ranking = reranker.rerank("copy file", ["copy file", "rain"])
        inner = reranker.wrapped.score("copy file", ["copy file", "rain"])
        assert [d.explanation["uncalibrated"] for d in ranking] == inner.tolist()
        assert [stage.name for stage in ranking.trace.stages] == ["FakeReranker"]
        assert ranking.trace.total("pairs") == 2

    def test_without_folds_there_is_no_report(self) -> None:
        """The calibration is the same; asking for the report says how to get one."""
        reranker = CalibratedReranker(FakeReranker(scale="logit")).fit(_examples(), folds=0)
        assert reranker.calibrator == _fitted().calibrator
        with pytest.raises(ConfigError, match="no held-out report"):
            reranker.report()

    def test_a_failed_fit_changes_nothing(self) -> None:
        """After an error the calibration and its report are those from before."""
        reranker = _fitted()
        before = (reranker.calibrator, reranker.report())
        with pytest.raises(InputError, match="at least two queries"):
            reranker.fit(_examples(1))
        with pytest.raises(ConfigError, match="folds must be"):
            reranker.fit(_examples(), folds=1)
        with pytest.raises(ConfigError, match="seed must be a whole number of at least 0, not -1"):
            reranker.fit(_examples(), seed=-1)
        assert (reranker.calibrator, reranker.report()) == before

    def test_isotonic_with_few_examples_is_refused(self) -> None:
        """The reason is in the message."""
        with pytest.raises(InputError, match="follows the noise of 100 examples"):
            CalibratedReranker(FakeReranker(), method="isotonic").fit(_examples(10))


@settings(max_examples=40)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.sampled_from(_METHODS), st.floats(0.001, 0.999))
def test_any_texts_keep_their_order(texts: list[str], method: str, base_rate: float) -> None:
    """Whatever the documents: probabilities in [0, 1] that never contradict the model's order."""
    reranker = _CACHE.setdefault(method, _fitted(method=method))
    shifted = CalibratedReranker(reranker.wrapped, calibrator=reranker.calibrator, base_rate=base_rate)
    inner, p = reranker.wrapped.score("copy a file", texts), shifted.score("copy a file", texts)
    assert p.min() >= 0 and p.max() <= 1
    assert (np.diff(p[np.argsort(inner, kind="stable")]) >= -1e-12).all()


_CACHE: dict[str, CalibratedReranker] = {}


@pytest.mark.parametrize("base_rate", [None, 0.01, 0.9])
def test_logits_beyond_certainty_keep_their_order(base_rate: float | None) -> None:
    """Where a sigmoid is exactly 1, documents neither tie nor fall back to the order in which they came."""
    calibrator = PlattCalibrator(slope=2.0, intercept=0.0, base_rate=0.1)
    reranker = CalibratedReranker(Table({"a": 40.0, "b": 42.0, "c": 60.0}), calibrator=calibrator, base_rate=base_rate)
    ranking = reranker.rerank("q", ["a", "b", "c"])
    assert ranking.texts == ["c", "b", "a"]
    assert 1 >= ranking[0].score > ranking[1].score > ranking[2].score > 0.999


class TestComposition:
    def test_ordinal_scores_are_refused(self) -> None:
        """The message names both sides."""
        message = "CalibratedReranker needs logit or probability scores, but FakeReranker gives ordinal ones"
        with pytest.raises(CompositionError, match=message):
            CalibratedReranker(FakeReranker(scale="ordinal"))
        with pytest.raises(CompositionError, match="wraps a Reranker, not a int"):
            CalibratedReranker(3)  # type: ignore[arg-type]
        assert isinstance(CalibratedReranker("fake").wrapped, FakeReranker)

    def test_it_is_pointwise_if_the_wrapped_one_is(self) -> None:
        """A calibration looks at one score at a time."""
        assert CalibratedReranker(FakeReranker()).pointwise
        assert not CalibratedReranker(FakeReranker(pointwise=False)).pointwise

    def test_unfitted_use_is_an_error(self) -> None:
        """Scoring and saving say how to fit; the configuration can be written all the same."""
        reranker = CalibratedReranker(FakeReranker())
        for use in (lambda: reranker.rerank("q", ["a"]), lambda: reranker.save("never-written.json")):
            with pytest.raises(ConfigError, match=r"not fitted: call fit\(examples\)"):
                use()
        assert from_config(reranker.to_config()).to_config()["calibrator"] is None

    @pytest.mark.parametrize(
        ("given_settings", "message"),
        [
            ({"method": "sigmoid"}, "'platt', 'temperature', 'isotonic' or 'beta', not 'sigmoid'"),
            (
                {"method": "beta", "calibrator": PlattCalibrator(slope=1, intercept=0)},
                "method is 'beta', but .* 'platt'",
            ),
            ({"calibrator": 3}, "a mapping with its name under 'type'"),
            ({"base_rate": 1.0}, "base_rate must be a number between 0 and 1"),
            ({"base_rate": 0.1, "calibrator": PlattCalibrator(slope=1, intercept=0)}, "does not know the one"),
        ],
    )
    def test_settings_that_cannot_be(self, given_settings: dict[str, object], message: str) -> None:
        """Each is refused when the reranker is built."""
        with pytest.raises(ConfigError, match=message):
            CalibratedReranker(FakeReranker(), **given_settings)  # type: ignore[arg-type]

    def test_a_calibrator_of_ones_own(self) -> None:
        """It names the method, and a mapping does as well."""
        curve = IsotonicCalibrator(logits=(-1, 1), values=(0, 1))
        reranker = CalibratedReranker(FakeReranker(scale="logit"), calibrator=curve.to_config())
        assert reranker.calibrator == curve and reranker.method == "isotonic"
        assert repr(reranker) == "CalibratedReranker(FakeReranker(), method='isotonic')"


class TestSaved:
    def test_the_configuration_holds_the_fit(self) -> None:
        """Parameters and the fingerprint of what they were fitted on are plain data."""
        reranker = _fitted("logit", base_rate=0.05)
        config = json.loads(json.dumps(reranker.to_config()))
        assert config["fitted_on"] == reranker.wrapped.fingerprint
        assert config["calibrator"]["type"] == config["method"] == "platt"
        assert from_config(config).to_config() == config

    def test_the_fingerprint_follows_the_fit(self) -> None:
        """Fitting, another base rate and another method make another reranker."""
        unfitted = CalibratedReranker(FakeReranker(scale="logit"))
        prints = {r.fingerprint for r in (unfitted, _fitted(), _fitted(base_rate=0.1), _fitted(method="beta"))}
        assert len(prints) == 4 and _fitted().fingerprint in prints

    def test_a_configuration_with_another_model_is_refused(self) -> None:
        """A model that was swapped in the file does not get the old one's calibration."""
        config = _fitted().to_config()
        config["wrapped"]["scale"] = "probability"
        with pytest.raises(CompositionError, match="calibration was fitted for the reranker with fingerprint"):
            from_config(config)

    @pytest.mark.parametrize("method", _METHODS)
    def test_save_and_load(self, method: str, tmp_path: Path) -> None:
        """The same scores come back; the file is JSON that names what it was fitted on; nothing else is left."""
        reranker, path = _fitted(method=method, base_rate=0.1), tmp_path / "calibration.json"
        reranker.save(path)
        reranker.save(path)  # in place of the old one
        assert json.loads(path.read_text())["fitted_on"] == reranker.wrapped.fingerprint
        assert list(tmp_path.iterdir()) == [path]
        loaded = CalibratedReranker.load(path, FakeReranker(scale="logit"))
        assert loaded.to_config() == reranker.to_config() and loaded.fingerprint == reranker.fingerprint
        with pytest.raises(ConfigError, match="no held-out report"):
            loaded.report()

    def test_loading_onto_another_model_is_an_error(self, tmp_path: Path) -> None:
        """It names both fingerprints."""
        path, other = tmp_path / "calibration.json", FakeReranker(scale="probability")
        reranker = _fitted("logit")
        reranker.save(path)
        with pytest.raises(CompositionError, match=f"{reranker.wrapped.fingerprint}.*{other.fingerprint}"):
            CalibratedReranker.load(path, other)

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            "{}",
            '{"format": "something"}',
            '{"format": "secondpass-calibration-1"}',
            '{"format": "secondpass-calibration-1", "calibrator": {"type": "platt"}, "base_rate": 1, "fitted_on": "x"}',
        ],
    )
    def test_a_file_that_holds_something_else(self, content: str, tmp_path: Path) -> None:
        """Damaged files and other files are errors of ours that name the file."""
        path = tmp_path / "calibration.json"
        path.write_text(content)
        with pytest.raises(ModelIntegrityError, match=r"calibration\.json"):
            CalibratedReranker.load(path, FakeReranker())

    def test_a_missing_file(self, tmp_path: Path) -> None:
        """So is one that is not there."""
        with pytest.raises(ModelIntegrityError, match=r"none\.json holds no .* can be read: FileNotFound"):
            CalibratedReranker.load(tmp_path / "none.json", FakeReranker())
        (tmp_path / "deep.json").write_text("[" * 100_000)
        with pytest.raises(ModelIntegrityError, match="holds no calibration that can be read"):
            CalibratedReranker.load(tmp_path / "deep.json", FakeReranker())

    @pytest.mark.parametrize("path", ["", "a\0b", "no/such/folder.json"])
    def test_where_nothing_can_be_written_is_an_error_of_ours(self, path: str) -> None:
        """A name that is none, too."""
        with pytest.raises(InputError, match="can't be written"):
            CalibratedReranker(FakeReranker(scale="logit")).fit(_examples(), folds=0).save(path)

    def test_the_report_survives_pickling(self) -> None:
        """A pickled reranker keeps its report."""
        reranker = _fitted()
        assert pickle.loads(pickle.dumps(reranker)).report() == reranker.report()
