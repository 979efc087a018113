r"""Fits how the verifier combines its signals, on real answers: ``python -m training.combine --out FILE SET...``.

A set is a file of JSON lines with ``claim`` (a sentence or an answer), ``passages`` and ``label`` (1: they support all
of it). Where an unsupported one has ``gold3`` or ``meta`` that says contradicted or refuted, it counts as that; in a
set that says so of none, an unsupported claim counts as contradicted if the model thinks that it is so rather than
open. Of an unsupported answer of several claims only the one that the model likes least is taken: which of them is
wrong is not known.

The figures printed are of answers, whose probability is that of their lowest claim: of the model alone, of the
combination that was in use before, and of one fitted on all the other sets, which tells what to expect on sets that
nobody has seen. The file has the combination that was fitted on all of them.

Needs: pip install "secondpass[train]"
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.calibration.quality import probability_quality
from secondpass.logistic import FloatArray
from secondpass.verify.claims.split import split_claims
from secondpass.verify.combination import CLASSES, OPERATING_POINTS, SignalCombination, nli_probabilities
from secondpass.verify.signals import FEATURES
from secondpass.verify.stages import replying
from secondpass.verify.verifier import FactVerifier

__all__ = [
    "AnswerSet",
    "area_under_curve",
    "balanced_accuracy",
    "classes",
    "fit",
    "main",
    "measured",
    "operating_points",
]

_SUPPORTED, _CONTRADICTED, _OPEN = CLASSES
_PENALTY = 60.0  # between 20 and 100, sets that are left out of the fit hardly feel it
# Summaries have their source's words whether they are right or wrong, and people who ask have others: on sets that
# nothing was fitted on, probabilities are off by less without these, and order as well.
_WITHOUT = ("overlap", "pair_overlap", "name_missing", "facts_found")
_LET_THROUGH, _KEPT_LENIENT = 0.05, 0.9
_KEPT_BALANCED = 0.79  # rules on facts and on recombined words stop some of these
_WEIGHT = 200  # claims that a set counts as


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """The claims of a set's answers with their signals.

    Attributes:
        name: of the set.
        features: shape (n_claims, n_features).
        answers: which answer each claim is of, from 0, shape (n_claims,).
        labels: of `secondpass.verify.combination.CLASSES`, of each answer, shape (n_answers,).
        texts: what belongs to one text, of each answer, shape (n_answers,).
    """

    name: str
    features: FloatArray
    answers: npt.NDArray[np.intp]
    labels: npt.NDArray[np.str_]
    texts: npt.NDArray[np.intp]

    def lowest(self, probabilities: FloatArray) -> FloatArray:
        """Return for each answer the lowest of its claims' probabilities, shape (n_answers,); 0 without claims."""
        found = np.full(len(self.labels), np.inf)
        np.minimum.at(found, self.answers, probabilities)
        return np.where(np.isfinite(found), found, 0.0)

    def telling(self) -> npt.NDArray[np.bool_]:
        """Return which claims have the label of their answer, shape (n_claims,)."""
        alone = nli_probabilities(self.features)[:, 0]
        supported: npt.NDArray[np.bool_] = self.labels[self.answers] == _SUPPORTED
        least: npt.NDArray[np.bool_] = alone == self.lowest(alone)[self.answers]
        return supported | least


def measured(path: Path, verifier: FactVerifier, most: int) -> AnswerSet:
    """Measure the first answers of a set."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line, _ in zip(file, range(most), strict=False)]
    claims = [
        (at, (claim.text, row["passages"], row.get("question")))
        for at, row in enumerate(rows)
        for claim in split_claims(row["claim"])
        if replying(claim, row.get("question") or "").checkable
    ]
    features = verifier.signals([claim for _, claim in claims])
    known = np.isfinite(features).all(axis=1)
    texts = np.unique([str(row["passages"]) for row in rows], return_inverse=True)[1]
    answers = np.array([at for at, _ in claims])
    return AnswerSet(path.stem, features[known], answers[known], np.array([_label(row) for row in rows]), texts)


def _label(row: dict[str, Any]) -> str:
    if row["label"]:
        return _SUPPORTED
    said = str(row.get("gold3") or row.get("meta") or "").lower()
    return _CONTRADICTED if said.startswith(("contradict", "refut")) else _OPEN


def fit(sets: Sequence[AnswerSet], model: str = "", *, penalty: float = _PENALTY) -> SignalCombination:
    """Fit a combination on the claims of sets.

    Claims count as often as is needed for sets to weigh the same, and in each the supported ones as they do in the
    mean set: how many answers of a set are wrong is its maker's choice, and says nothing of other answers.
    """
    features, labels, groups = [], [], []
    share = float(np.mean([(one.labels == _SUPPORTED).mean() for one in sets]))
    for one in sets:
        telling = np.flatnonzero(one.telling())
        of_claims = one.labels[one.answers[telling]]
        right = of_claims == _SUPPORTED
        for side, weight in ((right, share), (~right, 1 - share)):
            chosen = np.resize(telling[side], round(_WEIGHT * weight)) if side.any() else telling[:0]
            features.append(one.features[chosen])
            labels.append(classes(one)[chosen])
            groups += [f"{one.name} {text}" for text in one.texts[one.answers[chosen]]]
    return SignalCombination.fit(
        np.concatenate(features), np.concatenate(labels), groups, l2=penalty, model=model, without=_WITHOUT
    )


def classes(one: AnswerSet) -> npt.NDArray[np.str_]:
    """Return the class that each claim is taken to have, shape (n_claims,)."""
    classes = one.labels[one.answers]
    if _CONTRADICTED in one.labels:
        return classes
    _, contradicted, open_ = nli_probabilities(one.features).T
    return np.where((classes == _OPEN) & (contradicted > open_), _CONTRADICTED, classes)


def balanced_accuracy(supported: npt.NDArray[np.bool_], probabilities: FloatArray, threshold: float = 0.5) -> float:
    """Return the mean of the shares of supported and of other answers that are told right."""
    found = probabilities >= threshold
    return float((found[supported].mean() + (~found[~supported]).mean()) / 2)


def area_under_curve(positive: npt.NDArray[np.bool_], scores: FloatArray) -> float:
    """Return the probability that a positive answer scores higher than a negative one; equal scores count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, scores)) if 0 < positive.sum() < len(positive) else float("nan")


def _figures(one: AnswerSet, probabilities_of: Callable[[FloatArray], FloatArray]) -> list[float]:
    supported = one.labels == _SUPPORTED
    probabilities = one.lowest(probabilities_of(one.features)[:, 0])
    error = probability_quality(probabilities, supported, one.texts).ece
    return [area_under_curve(supported, probabilities), balanced_accuracy(supported, probabilities), error]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--model", default="secondpass-nli-minilm")
    parser.add_argument("--most", type=int, default=300, help="answers of each set")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    verifier = FactVerifier(asked.model)
    report([measured(path, verifier, asked.most) for path in asked.sets], verifier, asked.out)


def report(sets: Sequence[AnswerSet], verifier: FactVerifier, out: Path) -> None:
    """Print figures of sets and write the combination that is fitted on all of them, with its thresholds."""
    before = SignalCombination.load()
    overlap = FEATURES.index("overlap")
    print("| set | n | overlap | model alone (AUC, balanced accuracy, ECE) | before | fitted on the others |")
    print("| --- | --: | --: | --- | --- | --- |")
    rows, unseen = [], []
    for one in sets:
        others = fit([other for other in sets if other is not one])
        supported = one.labels == _SUPPORTED
        unseen.append((supported, one.lowest(others.probabilities(one.features)[:, 0])))
        rows.append(
            [
                area_under_curve(supported, one.lowest(one.features[:, overlap])),
                *_figures(one, nli_probabilities),
                *_figures(one, before.probabilities),
                *_figures(one, others.probabilities),
            ]
        )
        _row(one.name, len(supported), rows[-1])
    _row("mean", sum(len(one.labels) for one in sets), list(np.mean(rows, axis=0)))
    thresholds = operating_points(unseen)
    for name, threshold in zip(OPERATING_POINTS, thresholds, strict=True):
        passing = [[float((p[side] >= threshold).mean()) for side in (is_right, ~is_right)] for is_right, p in unseen]
        right, wrong = np.mean(passing, axis=0)
        print(f"{name}: from {threshold:.3f} on; {right:.3f} of the right answers, {wrong:.3f} of the wrong ones")
    replace(fit(sets, verifier.nli.fingerprint), thresholds=thresholds).save(out)


def operating_points(answers: Sequence[tuple[npt.NDArray[np.bool_], FloatArray]]) -> tuple[float, ...]:
    """Return the thresholds of `OPERATING_POINTS`, for the means over sets of answers that nothing was fitted on.

    ``strict`` lets one in twenty of the wrong answers through, ``lenient`` nine in ten of the right ones, and
    ``balanced`` so many that three in four of them are left when the rules have stopped theirs.

    Args:
        answers: of each set, whether each answer is supported and its probability, both of shape (n_answers,).
    """
    candidates = np.arange(1, 100) / 100
    right = np.mean([[(p[is_right] >= t).mean() for t in candidates] for is_right, p in answers], axis=0)
    wrong = np.mean([[(p[~is_right] >= t).mean() for t in candidates] for is_right, p in answers], axis=0)
    strict = candidates[np.argmax(wrong <= _LET_THROUGH)]
    balanced, lenient = (candidates[np.flatnonzero(right >= kept)[-1]] for kept in (_KEPT_BALANCED, _KEPT_LENIENT))
    return float(max(strict, balanced)), float(balanced), float(min(lenient, balanced))


def _row(name: str, n: int, figures: Sequence[float]) -> None:
    told = [f"{figure:.3f}" for figure in figures]
    cells = [told[0], " / ".join(told[1:4]), " / ".join(told[4:7]), " / ".join(told[7:])]
    print(f"| {name} | {n} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
