"""Zero-shot classification: its arithmetic against numbers computed by hand, its decisions, its bad input."""

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.classify import Classification, ZeroShotClassifier
from secondpass.classify.hypotheses import checked_wording
from secondpass.config import settings_of
from secondpass.errors import ConfigError, InputError, SecondPassError
from secondpass.testing import FakeReranker

_LABELS = ["billing", "shipping", "complaint"]


def _softmax(*logits: float) -> list[float]:
    grown = [math.exp(logit) for logit in logits]
    return [each / sum(grown) for each in grown]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


class TestOneOfSeveral:
    def test_entailment_logits_share_a_softmax(self, table: Any) -> None:
        """What a model gives to neutral and contradiction plays no part; scores are best first and sum to 1."""
        model = table({"billing": (1.0, 5.0, -3.0), "shipping": (3.0, 0.0, 9.0), "complaint": (2.0, 2.0, 2.0)})
        result = ZeroShotClassifier(model, labels=_LABELS).classify("Where is my parcel?")
        first, second, third = _softmax(3, 2, 1)
        assert list(result.scores) == ["shipping", "complaint", "billing"]
        assert list(result.scores.values()) == pytest.approx([first, second, third], rel=1e-12)
        assert (result.label, result.labels, result.reason) == ("shipping", ("shipping",), "")
        assert result.probability == result.scores["shipping"] == pytest.approx(0.66524096, abs=1e-8)
        assert not result.abstained and result.path == () and result.spread == {} and result.windows == {}

    def test_equal_labels_keep_their_order(self, table: Any) -> None:
        """Among labels that are equally likely the first one is chosen."""
        result = ZeroShotClassifier(table({"": 1.0}), labels=_LABELS).classify("?")
        assert list(result.scores) == _LABELS and result.probability == pytest.approx(1 / 3)

    def test_a_set_of_labels_has_one_order(self, table: Any) -> None:
        """That of their names, in each process, with the classifier or with the text."""
        result = ZeroShotClassifier(table({"": 1.0})).classify("?", labels=set(_LABELS))
        assert list(result.scores) == sorted(_LABELS)
        assert ZeroShotClassifier(table({"": 1.0}), labels=frozenset(_LABELS)).labels == tuple(sorted(_LABELS))  # type: ignore[arg-type]

    def test_impossible_labels_are_no_error(self, table: Any) -> None:
        """Logits that are infinitely low, or low for every label, still give probabilities."""
        model = table({"billing": (-math.inf, 0.0, 0.0), "shipping": 0.0})
        assert ZeroShotClassifier(model, labels=["billing", "shipping"]).classify("?").probability == 1.0
        model = table({"": (-math.inf, 0.0, 0.0)})
        assert ZeroShotClassifier(model, labels=["a", "b"]).classify("?").probability == 0.5


class TestSeveralAtOnce:
    def test_entailment_stands_against_contradiction(self, table: Any) -> None:
        """Each label has its own odds; neutral plays no part; those from 0.5 on are chosen, best first."""
        model = table({"billing": (1.0, 9.0, 0.0), "shipping": (3.0, 0.0, 1.0), "complaint": (-1.0, 0.0, 1.0)})
        result = ZeroShotClassifier(model, labels=_LABELS, multi_label=True).classify("?")
        assert dict(result.scores) == pytest.approx(
            {"shipping": _sigmoid(2), "billing": _sigmoid(1), "complaint": _sigmoid(-2)}, rel=1e-12
        )
        assert result.labels == ("shipping", "billing") and result.label == "shipping"

    def test_without_contradiction_it_stands_against_the_rest(self, table: Any) -> None:
        """A head with two labels gives entailment against not-entailment."""
        model = table({"a": (1.0, 3.0, 0.0)}, has_contradiction=False)
        result = ZeroShotClassifier(model, labels=["a"], multi_label=True).classify("?")
        assert result.scores["a"] == pytest.approx(_sigmoid(-2), rel=1e-12)

    def test_none_is_an_answer(self, table: Any) -> None:
        """Where no label reaches its threshold, none is chosen, and the best one's probability is still told."""
        result = ZeroShotClassifier(table({"": (-1.0, 0.0, 1.0)}), labels=["a", "b"], multi_label=True).classify("?")
        assert result.label is None and result.labels == () and result.abstained
        assert result.reason == "no label reaches its threshold" and result.probability == pytest.approx(_sigmoid(-2))


class TestWords:
    def test_labels_stand_in_the_template(self, table: Any) -> None:
        """The model is asked about the template with each label in it, and the text is the premise."""
        model = table({"": 1.0})
        ZeroShotClassifier(model, labels=["a", "b"], template="It is {}, {}.").classify("The text.")
        assert model.runs == [[("The text.", "It is a, a."), ("The text.", "It is b, b.")]]

    def test_templates_are_averaged(self, table: Any) -> None:
        """A label's logit is the mean over the templates."""
        model = table({"on a": 4.0, "on b": 1.0, "of a": 0.0, "of b": 2.0})
        result = ZeroShotClassifier(model, labels=["a", "b"], template=["on {}", "of {}"]).classify("?")
        assert result.scores["a"] == pytest.approx(_softmax(2, 1.5)[0], rel=1e-12)

    def test_whole_hypotheses_take_the_templates_place(self, table: Any) -> None:
        """One sentence or several for a label; labels without any use the template; labels can be left out."""
        model = table({"invoice": 2.0, "money": 4.0, "shipping": 1.0, "late": 5.0})
        hypotheses = {"billing": ["This is an invoice.", "It is for money."]}
        result = ZeroShotClassifier(model, labels=["billing", "shipping"], hypotheses=hypotheses).classify("?")
        assert result.scores["billing"] == pytest.approx(_softmax(3, 1)[0], rel=1e-12)
        both = ZeroShotClassifier(model, hypotheses={"billing": "This is an invoice.", "delay": "It came late."})
        assert list(both.classify("?").scores) == ["delay", "billing"]

    def test_descriptions_stand_in_place_of_names(self, table: Any) -> None:
        """The model reads the description, the result has the name."""
        model = table({"parcels and delivery": 2.0, "billing": 0.0})
        classifier = ZeroShotClassifier(model, labels=["billing", "SHP"], descriptions={"SHP": "parcels and delivery"})
        assert classifier.classify("?").label == "SHP"

    def test_braces_in_labels_are_only_text(self, table: Any) -> None:
        """A label with braces is no format of its own."""
        model = table({"": 1.0})
        ZeroShotClassifier(model, labels=["{0}", "{x!r}"], template="{} {y}").classify("?")
        assert [hypothesis for _, hypothesis in model.runs[0]] == ["{0} {y}", "{x!r} {y}"]


class TestCalibration:
    def test_the_score_of_nothing_is_taken_off(self, table: Any) -> None:
        """A label that the model likes whatever the text says loses what it has on texts without content."""
        rows, free = {"billing": 3.0, "shipping": 2.0}, {"billing": 4.0, "shipping": 0.5}
        plain = ZeroShotClassifier(table(rows, free), labels=["billing", "shipping"]).classify("?")
        result = ZeroShotClassifier(table(rows, free), labels=["billing", "shipping"], calibrate=True).classify("?")
        assert plain.label == "billing" and result.label == "shipping"
        assert result.probability == pytest.approx(_softmax(1.5, -1.0)[0], rel=1e-12)

    def test_it_is_dividing_probabilities(self, table: Any) -> None:
        """It is the rule of Zhao et al.: probabilities over those of the empty text, made to sum to 1 again."""
        rows, free = {"a": 3.0, "b": 2.0, "c": 0.0}, {"a": 1.0, "b": -1.0, "c": 0.5}
        result = ZeroShotClassifier(table(rows, free), labels=list("abc"), template="{}", calibrate=True).classify("?")
        divided = np.array(_softmax(3, 2, 0)) / np.array(_softmax(1, -1, 0.5))
        expected = dict(zip("abc", divided / divided.sum(), strict=True))
        assert dict(result.scores) == pytest.approx(expected, rel=1e-12)

    def test_several_at_once_lose_their_own_odds(self, table: Any) -> None:
        """With several labels at once it is each label's log odds that are lowered."""
        model = table({"a": (3.0, 0.0, 1.0)}, {"a": (2.0, 0.0, 0.5)})
        result = ZeroShotClassifier(model, labels=["a"], multi_label=True, calibrate=True).classify("?")
        assert result.scores["a"] == pytest.approx(_sigmoid(2 - 1.5), rel=1e-12)

    def test_texts_without_content_are_scored_once(self, table: Any) -> None:
        """The second text costs no more than it does without calibration."""
        model = table({"": 1.0}, {"": 0.0})
        classifier = ZeroShotClassifier(model, labels=["a", "b"], calibrate=True)
        classifier.classify("one")
        classifier.classify("two")
        assert [len(run) for run in model.runs] == [2, 6, 2]


class TestEnsembles:
    def test_probabilities_are_averaged_and_the_spread_told(self, table: Any) -> None:
        """Two models give the mean of their probabilities, and the standard deviation between them."""
        members = [table({"a": 2.0, "b": 0.0}), table({"a": 0.0, "b": 0.0})]
        result = ZeroShotClassifier(members, labels=["a", "b"], template="{}").classify("?")
        first, second = _softmax(2, 0)[0], 0.5
        assert result.scores["a"] == pytest.approx((first + second) / 2, rel=1e-12)
        assert result.spread == pytest.approx({"a": (first - second) / 2, "b": (first - second) / 2}, rel=1e-9)
        assert result.trace.counts["pairs"] == 4


class TestDecisions:
    def test_below_its_threshold_there_is_no_label(self, table: Any) -> None:
        """The reason names the best label, what it has and what it needs; at the threshold it is chosen."""
        model = table({"a": 1.0, "b": 0.0})
        result = ZeroShotClassifier(model, labels=["a", "b"], template="{}", thresholds=0.8).classify("?")
        assert result.abstained and result.probability == pytest.approx(0.7310585786)
        assert result.reason == "'a' is best with 0.7311, below its threshold of 0.8000"
        exact = ZeroShotClassifier(model, labels=["a", "b"], template="{}", thresholds={"a": result.probability})
        assert exact.classify("?").label == "a"

    def test_within_the_margin_there_is_no_label(self, table: Any) -> None:
        """Two labels that are about as likely are named, and none is chosen."""
        model = table({"a": 0.2, "b": 0.0, "c": -9.0})
        classifier = ZeroShotClassifier(model, labels=list("abc"), template="{}", margin=0.1)
        result = classifier.classify("?")
        assert result.label is None and result.reason == "'a' (0.5498) and 'b' (0.4501) are within 0.1 of each other"
        clear = ZeroShotClassifier(model, labels=list("abc"), template="{}", margin=0.05).classify("?")
        assert clear.label == "a"

    def test_a_tournament_decides_near_ties(self, table: Any) -> None:
        """Labels within the margin are compared pair by pair, and the winner gets the highest probability."""
        rows = {"a rather than b": 0.0, "b rather than a": 3.0, "a": 0.2, "b": 0.0, "c": -9.0}
        model = table(rows)
        settings = {"labels": list("abc"), "template": "{}", "margin": 0.1}
        before = ZeroShotClassifier(model, **settings).classify("?")
        result = ZeroShotClassifier(model, **settings, ties="tournament").classify("?")
        assert result.label == "b" and list(result.scores) == ["b", "a", "c"]
        assert list(result.scores.values()) == list(before.scores.values())
        assert result.trace.notes == ("near ties decided pair by pair: b, a",)
        assert result.trace.counts["pairs"] == 3 + 2
        assert model.runs[-1] == [("?", "a rather than b"), ("?", "b rather than a")]

    def test_a_tournament_of_three_counts_all_victories(self, table: Any) -> None:
        """Three labels are three pairs; who wins both is first, who loses both last."""
        beats = {("b", "a"), ("b", "c"), ("c", "a")}
        rows = {f"{x} rather than {y}": float((x, y) in beats) for x in "abc" for y in "abc" if x != y}
        model = table(rows | {"": 0.0})
        settings = {"labels": list("abc"), "template": "{}", "margin": 0.0, "ties": "tournament"}
        assert list(ZeroShotClassifier(model, **settings).classify("?").scores) == ["b", "c", "a"]

    def test_only_near_ties_are_played(self, table: Any) -> None:
        """A clear winner costs no pair, and of two texts only the one that is close is asked about again."""
        model = table({"a": 9.0, "b": 0.0})
        settings = {"labels": ["a", "b"], "template": "{}", "margin": 0.1, "ties": "tournament"}
        result = ZeroShotClassifier(model, **settings).classify("?")
        assert len(model.runs) == 1 and result.trace.notes == ()

    def test_thresholds_are_fitted_by_f_beta(self, written: Any) -> None:
        """Each label's threshold is the one that separates its examples, and its precision and recall are kept."""
        amounts = {"one": 0.1, "two": 0.4, "three": 1.2, "four": 2.0}
        model = written(lambda premise, hypothesis: (amounts[premise] * (1 if "a" in hypothesis else -1), 0.0, 0.0))
        classifier = ZeroShotClassifier(model, labels=["a", "b"], multi_label=True, template="{}")
        assert classifier.fit_thresholds(list(amounts), ["b", ["a"], ["a", "b"], "a"]) is classifier
        assert classifier.thresholds["a"] == pytest.approx(_sigmoid(0.4)) and classifier.fits_["a"].precision == 1.0
        # b: scores fall from one to four; true for the first and the third: 3 kept, 2 of them right, F1 = 0.8
        assert classifier.thresholds["b"] == pytest.approx(_sigmoid(-1.2)) and classifier.fits_["b"].recall == 1.0
        assert classifier.classify("two").labels == ("a", "b") and classifier.classify("four").labels == ("a",)
        assert settings_of(classifier)["thresholds"] == classifier.thresholds

    def test_beta_weighs_recall(self, written: Any) -> None:
        """With a small beta precision counts, and the threshold is higher than with a large one."""
        premises = [str(at) for at in range(10)]
        model = written(lambda premise, hypothesis: (float(premise), 0.0, 0.0))
        true: list[str | None] = [None, None, "a", None, "a", None, "a", None, "a", "a"]

        def fitted(beta: float) -> float:
            classifier = ZeroShotClassifier(model, labels=["a"], multi_label=True)
            return classifier.fit_thresholds(premises, true, beta=beta).thresholds["a"]

        assert fitted(0.2) == pytest.approx(_sigmoid(8)) and fitted(5.0) == pytest.approx(_sigmoid(2))


class TestManyTexts:
    def test_all_texts_and_labels_are_one_run(self, table: Any) -> None:
        """Texts times labels reach the model at once; a text that is there twice is scored once."""
        model = table({"": 1.0})
        results = ZeroShotClassifier(model, labels=["a", "b"]).classify_many(["one", "two", "one"])
        assert len(model.runs) == 1 and len(model.runs[0]) == 4
        assert [result.text for result in results] == ["one", "two", "one"]
        assert [result.trace.counts["pairs"] for result in results] == [2, 2, 2]
        assert [result.trace.counts["pairs_scored"] for result in results] == [2, 2, 0]
        assert results[0].trace.counts["tokens"] == 2 * (1 + 5)

    def test_no_texts_are_no_results(self, table: Any) -> None:
        """An empty list comes back empty, and the model is not asked."""
        model = table({})
        settings: list[dict[str, Any]] = [{}, {"multi_label": True}, {"margin": 0.5, "ties": "tournament"}]
        for each in settings:
            assert ZeroShotClassifier(model, labels=["a", "b"], **each).classify_many([]) == []
        assert model.runs == []

    def test_labels_may_come_with_the_text(self, table: Any) -> None:
        """They take the place of the classifier's own."""
        classifier = ZeroShotClassifier(table({"": 1.0}), labels=["a", "b"])
        assert list(classifier.classify("?", ["x", "y", "z"]).scores) == ["x", "y", "z"]
        assert list(ZeroShotClassifier(table({"": 1.0})).classify("?", ("x", "y")).scores) == ["x", "y"]

    @pytest.mark.asyncio
    async def test_async_gives_the_same(self, table: Any) -> None:
        """Aclassify and aclassify_many are classify and classify_many in a thread."""
        classifier = ZeroShotClassifier(table({"a": 1.0, "b": 2.0}), labels=["a", "b"], template="{}")
        one, many = await classifier.aclassify("?"), await classifier.aclassify_many(["?", "!"])
        assert one.scores == many[0].scores == classifier.classify("?").scores and len(many) == 2

    def test_long_texts_are_cut_into_windows_of_which_the_best_counts(self, written: Any) -> None:
        """A word at the end of 3,000 is found, the window that has it is told, and the model never sees the whole."""

        def logits(premise: str, hypothesis: str) -> tuple[float, float, float]:
            return (5.0 if hypothesis.rstrip(".").split()[-1] in premise else -1.0, 0.0, 0.0)

        model = written(logits)
        text = " ".join(f"Day {n} was fine." if n != 950 else "Then the parcel came." for n in range(1_000))
        result = ZeroShotClassifier(model, labels=["parcel", "invoice"]).classify(text)
        start, end = result.windows["parcel"]
        assert result.label == "parcel" and result.scores["parcel"] == pytest.approx(_softmax(5, -1)[0])
        assert "Then the parcel came." in text[start:end] and end - start < 2_500
        assert max(len(premise) for premise, _ in model.runs[0]) < 2_500
        assert result.trace.counts["pairs"] == len(model.runs[0]) > 16
        assert text[start:end] in {premise for premise, _ in model.runs[0]}


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"labels": []}, "0 of at least 2 labels: there is nothing to choose"),
            ({"labels": ["a"]}, "1 of at least 2 labels: with one label it would always be 1"),
            ({"labels": ["a", "b", "a"]}, "the label 'a' occurs twice"),
            ({"labels": "ab"}, "labels must be a list of labels, not str"),
            ({"labels": 3}, "labels must be a list of labels, not int"),
            ({"labels": ["a", " "]}, r"labels\[1\] must be a str that is not empty"),
            ({"labels": ["a", None]}, r"labels\[1\] must be a str that is not empty, not None"),
            ({"template": "This is about it."}, "a template needs {} where the label stands"),
            ({"template": []}, "template must be at least one sentence with {}"),
            ({"template": 3}, "a template needs {} where the label stands"),
            ({"hypotheses": ["a"]}, "hypotheses must be a mapping from labels to texts, not list"),
            ({"hypotheses": {"a": []}}, r"hypotheses\['a'\] must be a sentence, or several"),
            ({"hypotheses": {"x": "It is x."}}, "hypotheses has 'x', which is not one of the labels: a, b"),
            ({"descriptions": {"x": "it"}}, "descriptions has 'x', which is not one of the labels"),
            ({"descriptions": {"a": ""}}, r"descriptions\['a'\] must be a str that is not empty"),
            ({"descriptions": {"a": "it"}, "hypotheses": {"a": "It is a."}}, "its description would not be used"),
            ({"thresholds": 1.5}, "thresholds must be a number between 0 and 1, not 1.5"),
            ({"thresholds": {"a": "0.5"}}, r"thresholds\['a'\] must be a number between 0 and 1"),
            ({"thresholds": {"x": 0.5}}, "thresholds has 'x', which is not one of the labels"),
            ({"margin": math.nan}, "margin must be a number between 0 and 1"),
            ({"margin": 0.1, "multi_label": True}, "can't be used with multi_label"),
            ({"ties": "coin"}, "ties must be 'abstain' or 'tournament', not 'coin'"),
            ({"ties": "tournament"}, "ties='tournament' needs margin"),
            ({"model": []}, "needs at least one model"),
            ({"model": {"type": ["nli"]}}, "a reranker's configuration is a mapping with its name under 'type'"),
            ({"model": 3}, "a classifier's model must be a name, a BiEncoder, an NliModel or a Reranker, not int"),
        ],
    )
    def test_settings_that_can_not_be_used(self, table: Any, settings: dict[str, Any], message: str) -> None:
        """The constructor says which one and what to pass instead."""
        with pytest.raises(ConfigError, match=message):
            ZeroShotClassifier(**{"model": table({"": 1.0}), "labels": ["a", "b"], **settings})

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            ("one", "texts must be a list of texts, not str; for one text use classify"),
            (None, "texts must be a list of texts, not NoneType"),
            (["a", "  "], r"texts\[1\] is empty"),
            (["a", b"b"], r"texts\[1\] must be a str, not bytes"),
        ],
    )
    def test_texts_that_can_not_be_used(self, table: Any, texts: Any, message: str) -> None:
        """The message says which one."""
        with pytest.raises(InputError, match=message):
            ZeroShotClassifier(table({"": 1.0}), labels=["a", "b"]).classify_many(texts)

    def test_labels_with_the_text_are_looked_at_too(self, table: Any) -> None:
        """None at all, one, and one twice are errors of the input."""
        classifier = ZeroShotClassifier(table({"": 1.0}))
        for labels, message in ((None, "there are no labels"), (["a"], "1 of at least 2"), (["a", "a"], "twice")):
            with pytest.raises(InputError, match=message):
                classifier.classify("?", labels)

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (["a"], "as many labels, or lists of labels, as texts: 2"),
            ("ab", "as many labels, or lists of labels, as texts: 2"),
            (["a", "x"], r"labels\[1\] is 'x', which is not one of the classifier's: a, b"),
            (["a", 3], r"labels\[1\] is 3, which is not one of"),
            (["a", "a"], "'a' is true of every example"),
            (["a", None], "'b' is true of no example"),
        ],
    )
    def test_examples_that_can_not_be_used(self, table: Any, labels: Any, message: str) -> None:
        """The message says which example, or which label lacks examples."""
        with pytest.raises(InputError, match=message):
            ZeroShotClassifier(table({"": 1.0}), labels=["a", "b"]).fit_thresholds(["one", "two"], labels)

    def test_nothing_of_the_callers_is_changed(self, table: Any) -> None:
        """Labels, hypotheses and thresholds come out as they went in, and what happens to them later is not seen."""
        labels, thresholds = ["a", "b"], {"a": 0.9}
        classifier = ZeroShotClassifier(table({"": 1.0}), labels=labels, thresholds=thresholds)
        labels.append("c")
        thresholds["a"] = 0.0
        assert classifier.classify("?").label is None and list(classifier.classify("?").scores) == ["a", "b"]

    @given(
        text=st.text(st.characters(exclude_categories=()), min_size=1, max_size=50).filter(str.strip),
        labels=st.lists(
            st.text(st.characters(exclude_categories=()), min_size=1, max_size=9).filter(str.strip),
            min_size=2,
            max_size=5,
            unique=True,
        ),
    )
    def test_any_text_and_any_labels_give_probabilities(self, written: Any, text: str, labels: list[str]) -> None:
        """Whatever the characters, lone surrogates among them, all labels come back and sum to 1."""
        model = written(lambda premise, hypothesis: (len(hypothesis) % 7, 0.0, len(premise) % 5))
        result = ZeroShotClassifier(model, labels=labels).classify(text)
        assert set(result.scores) == set(labels) and sum(result.scores.values()) == pytest.approx(1)
        assert list(result.scores.values()) == sorted(result.scores.values(), reverse=True)
        assert all(not "\ud800" <= character <= "\udfff" for pair in model.runs[0] for character in "".join(pair))


class TestData:
    def test_to_config_and_back(self) -> None:
        """Every setting survives JSON; a reranker in it is built by its own configuration."""
        settings: dict[str, Any] = {
            "labels": {"a": ["b", "c"], "d": None},
            "template": ["on {}", "of {}"],
            "hypotheses": {"b": ["It is b."]},
            "descriptions": {"d": "the letter d"},
            "calibrate": True,
            "thresholds": {"a": 0.25},
        }
        classifier = ZeroShotClassifier([FakeReranker(scale="logit"), FakeReranker()], **settings)
        config = json.loads(json.dumps(classifier.to_config()))
        restored = ZeroShotClassifier.from_config(config)
        assert restored.to_config() == config and config["type"] == "zero-shot"
        assert restored.fingerprint == classifier.fingerprint != ZeroShotClassifier(FakeReranker()).fingerprint
        assert restored.classify("b or d").scores == classifier.classify("b or d").scores
        with pytest.raises(
            ConfigError, match=r"no setting 'label' \(did you mean 'labels'\?\); its settings are: model, labels"
        ):
            ZeroShotClassifier.from_config({"label": ["a"]})

    def test_a_model_that_is_no_data_can_not_be_written(self, table: Any) -> None:
        """The message names it."""
        with pytest.raises(ConfigError, match="model is of the type WrittenNli, which a configuration can't hold"):
            ZeroShotClassifier(table({}), labels=["a", "b"]).to_config()

    def test_it_can_be_pickled(self) -> None:
        """A classifier comes back with its settings and gives the same."""
        classifier = ZeroShotClassifier(FakeReranker(), labels=["one", "two"], calibrate=True)
        restored = pickle.loads(pickle.dumps(classifier))
        assert restored.classify("one").scores == classifier.classify("one").scores

    def test_results_print_and_are_data(self, table: Any) -> None:
        """The text form marks what was chosen, the HTML form escapes what it shows, and the data is JSON."""
        model = table({"<b>": 2.0, "y": 0.0})
        result = ZeroShotClassifier(model, labels=["<b>", "y"], template="{}").classify("a <script>\x1b[31m")
        assert repr(result).splitlines()[1] == "  * 0.8808  <b>" and "\x1b" not in repr(result)
        shown = result._repr_html_()
        assert "<script>" not in shown and "&lt;b&gt;" in shown and "0.8808" in shown
        data = json.loads(json.dumps(result.to_dict()))
        assert data["label"] == "<b>" and data["labels"] == ["<b>"] and data["scores"]["y"] == result.scores["y"]
        assert isinstance(result, Classification) and type(result.probability) is float

    def test_a_bare_template(self) -> None:
        """A bare pair of braces is a template: the label itself is the hypothesis."""
        assert checked_wording("{}", None, None).of("a") == ("a",)


def test_errors_are_ours(table: Any) -> None:
    """Everything that a classifier refuses is a SecondPassError."""
    for broken in ({"labels": ["a"]}, {"labels": {"a": {"b": None}, "c": None}}, {"labels": {"a": "bc", "d": None}}):
        with pytest.raises(SecondPassError):
            ZeroShotClassifier(table({}), **broken)
