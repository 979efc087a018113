"""Labels in a tree: the best path, how the way down ends, several labels at once."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.classify import ZeroShotClassifier
from secondpass.classify.hierarchy import Asked, Node, descend, parsed_tree
from secondpass.errors import ConfigError, InputError

_TREE = {"science": {"physics": None, "biology": {}}, "sport": ["football", "tennis"]}


def _softmax(*logits: float) -> list[float]:
    grown = [math.exp(logit) for logit in logits]
    return [each / sum(grown) for each in grown]


class TestOnePath:
    def test_probabilities_are_those_of_the_path(self, table: Any) -> None:
        """A leaf's probability is its own among its siblings times that of what is above it."""
        model = table({"science": 2.0, "sport": 0.0, "physics": 1.0, "biology": 0.0})
        result = ZeroShotClassifier(model, labels=_TREE, template="{}").classify("?")
        top, below = _softmax(2, 0), _softmax(1, 0)
        assert result.path == ("science", "physics") and result.label == "physics"
        assert result.scores == pytest.approx(
            {"science": top[0], "physics": top[0] * below[0], "biology": top[0] * below[1], "sport": top[1]}
        )
        assert result.probability == pytest.approx(top[0] * below[0]) and "football" not in result.scores

    def test_a_better_path_below_the_second_best_is_found(self, table: Any) -> None:
        """Where the best label above has no clear child, the whole path decides, not the first step."""
        model = table({"science": 0.1, "sport": 0.0, "physics": 0.0, "biology": 0.0, "football": 5.0, "tennis": 0.0})
        result = ZeroShotClassifier(model, labels=_TREE, template="{}").classify("?")
        assert result.path == ("sport", "football")
        assert result.probability == pytest.approx(_softmax(0.1, 0)[1] * _softmax(5, 0)[0])

    def test_thresholds_end_the_way_down(self, table: Any) -> None:
        """A path ends above the first label that does not reach its threshold; at the top there is none."""
        model = table({"science": 2.0, "sport": 0.0, "physics": 0.1, "biology": 0.0})
        stopped = ZeroShotClassifier(model, labels=_TREE, template="{}", thresholds=0.6).classify("?")
        assert stopped.path == ("science",) and stopped.probability == pytest.approx(_softmax(2, 0)[0])
        none = ZeroShotClassifier(model, labels=_TREE, template="{}", thresholds=0.9).classify("?")
        assert none.label is None and none.path == ()
        assert none.reason == "'science' is best with 0.8808, below its threshold of 0.9000"

    def test_ensembles_tell_the_spread_of_paths(self, table: Any) -> None:
        """The mean and the spread are over the members' probabilities of the whole path."""
        first = table({"science": 2.0, "sport": 0.0, "physics": 1.0, "biology": 0.0})
        second = table({"science": 0.0, "sport": 0.0, "physics": 1.0, "biology": 0.0})
        result = ZeroShotClassifier([first, second], labels=_TREE, template="{}").classify("?")
        paths = [_softmax(2, 0)[0] * _softmax(1, 0)[0], 0.5 * _softmax(1, 0)[0]]
        assert result.scores["physics"] == pytest.approx(np.mean(paths))
        assert result.spread["physics"] == pytest.approx(np.std(paths))

    def test_texts_go_down_together(self, written: Any) -> None:
        """Two texts on different paths need two runs, one for each level."""
        words = {"atoms": ("science", "physics"), "goals": ("sport", "football")}
        model = written(lambda premise, hypothesis: (5.0 if hypothesis in words[premise] else 0.0, 0.0, 0.0))
        results = ZeroShotClassifier(model, labels=_TREE, template="{}").classify_many(["atoms", "goals"])
        assert [result.label for result in results] == ["physics", "football"] and len(model.runs) == 2
        assert [result.trace.counts["pairs"] for result in results] == [4, 4]

    def test_other_texts_do_not_change_a_result(self, written: Any) -> None:
        """A long text has the same windows and scores alone and beside one that is asked about longer labels."""
        model = written(lambda premise, hypothesis: (len(premise) % 97 / 10 + len(hypothesis) % 5, 0.0, 0.0))
        tree = {"a": ["b", "c " * 60], "d": ["e", "f"]}
        classifier = ZeroShotClassifier(model, labels=tree, template="{}")
        texts = [" ".join(f"{start} sentence {n}." for n in range(400)) for start in ("One", "Another", "The third")]
        alone = [classifier.classify(text) for text in texts]
        together = classifier.classify_many(texts)
        assert [one.scores for one in together] == [one.scores for one in alone]
        assert [one.windows for one in together] == [one.windows for one in alone] != [{}, {}, {}]


class TestSeveralPaths:
    def test_every_path_that_reaches_its_thresholds_is_chosen(self, table: Any) -> None:
        """Of each path the lowest label is chosen; below a label that was not reached nothing is asked."""
        model = table({"science": 3.0, "sport": 2.0, "physics": 4.0, "biology": 3.0, "football": -3.0, "tennis": -3.0})
        result = ZeroShotClassifier(model, labels=_TREE, template="{}", multi_label=True).classify("?")
        assert result.labels == ("physics", "biology", "sport") and result.path == ("science", "physics")
        odds = {logit: 1 / (1 + math.exp(-logit)) for logit in (3.0, 2.0, 4.0, -3.0)}
        assert result.scores["physics"] == pytest.approx(odds[3.0] * odds[4.0])
        assert result.scores["football"] == pytest.approx(odds[2.0] * odds[-3.0])
        low = table({"science": -1.0, "sport": -1.0})
        assert ZeroShotClassifier(low, labels=_TREE, template="{}", multi_label=True).classify("?").labels == ()
        assert len(low.runs) == 1

    def test_thresholds_are_fitted_for_every_label_of_the_tree(self, written: Any) -> None:
        """A leaf that is true makes what is above it true, and every node gets a threshold."""
        truth = {"atoms": "physics", "cells": "biology", "goals": "football", "nets": "tennis"}
        paths = {"physics": "science", "biology": "science", "football": "sport", "tennis": "sport"}

        def logits(premise: str, hypothesis: str) -> tuple[float, float, float]:
            leaf = truth[premise]
            return (1.0 if hypothesis in (leaf, paths[leaf]) else -2.0, 0.0, 0.0)

        classifier = ZeroShotClassifier(written(logits), labels=_TREE, template="{}")
        classifier.fit_thresholds(list(truth), list(truth.values()))
        sure = _softmax(1, -2)[0]
        assert classifier.thresholds == pytest.approx(
            {"science": sure, "physics": sure**2, "biology": sure**2, "sport": sure, "football": sure**2}
            | {"tennis": sure**2}
        )
        assert all(fit.precision == fit.recall == 1.0 for fit in classifier.fits_.values())


class TestSearch:
    @given(seed=st.integers(0, 10_000), shape=st.lists(st.integers(0, 4), min_size=2, max_size=5))
    def test_it_finds_what_trying_all_paths_finds(self, seed: int, shape: list[int]) -> None:
        """On random trees the best leaf that was opened is the best of all, and the sums are right."""
        random = np.random.default_rng(seed)
        tree = {f"n{at}": {f"n{at}.{child}": None for child in range(n)} for at, n in enumerate(shape)}
        root = parsed_tree(tree, 1, ConfigError)
        given_above = {
            node: random.dirichlet(np.full(len(node.children), 0.7)) for node in [root, *root.walk()] if node.children
        }

        def score(asked: Sequence[Asked]) -> list[np.ndarray]:
            return [given_above[node][np.newaxis] for _, node in asked]

        (found,) = descend(root, 1, score)
        (everything,) = descend(root, 1, score, lambda node, probability: True)
        leaves = {node: float(path[0]) for node, path in everything.items() if not node.children}
        reached = {node: float(path[0]) for node, path in found.items() if not node.children}
        assert max(reached.values()) == max(leaves.values()) and sum(leaves.values()) == pytest.approx(1)
        assert set(everything) == set(root.walk()) and set(found) <= set(everything)


class TestBadTrees:
    @pytest.mark.parametrize(
        ("tree", "message"),
        [
            ({"a": {"b": None}, "c": None}, "below a: 1 of at least 2 labels"),
            ({"a": {"c": None, "d": None}, "c": None}, "the label 'c' is in the tree twice"),
            ({"a": "bc", "d": None}, "below a: labels must be a list of labels, not str"),
            ({"a": ["b", "b"], "c": []}, "below a: the label 'b' occurs twice"),
            ({"a": {"b": {"": 1}, "x": None}, "c": None}, r"below a > b: labels\[0\] must be a str"),
            ({}, "below the top: 0 of at least 2 labels"),
        ],
    )
    def test_the_place_is_told(self, table: Any, tree: dict[str, Any], message: str) -> None:
        """Whether it comes with the classifier or with a text, the error says where in the tree it is wrong."""
        with pytest.raises(ConfigError, match=message):
            ZeroShotClassifier(table({"": 1.0}), labels=tree)
        with pytest.raises(InputError, match=message):
            ZeroShotClassifier(table({"": 1.0})).classify("?", tree)

    def test_a_tree_within_itself_is_refused(self, table: Any) -> None:
        """It has no end, which is said and not run into."""
        tree: dict[str, Any] = {"b": None}
        tree["a"] = tree
        with pytest.raises(ConfigError, match="deeper than 50 levels, or contains itself"):
            ZeroShotClassifier(table({"": 1.0}), labels=tree)

    def test_a_margin_is_for_flat_labels(self, table: Any) -> None:
        """In a tree it would not say between what."""
        with pytest.raises(ConfigError, match="in a tree of labels, use thresholds"):
            ZeroShotClassifier(table({"": 1.0}), labels=_TREE, margin=0.1)

    def test_one_level_is_no_tree(self, table: Any) -> None:
        """A mapping without anything below is the same as a list, and has no paths."""
        model = table({"a": 1.0, "b": 0.0})
        result = ZeroShotClassifier(model, labels={"a": None, "b": {}}, template="{}", margin=0.1).classify("?")
        assert result.label == "a" and result.path == () and isinstance(Node("a"), Node)
