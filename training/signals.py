r"""Measures claims of JSONL sets once, and fits the combination of signals on them, leaving out one set at a time.

    python -m training.signals dump --model MODEL --out signals.npz wice.jsonl expertqa.jsonl ...
    python -m training.signals fit signals.npz --out combination.json

A line of a set has ``claim`` (an answer, of one claim or several), ``passages`` and ``label``: 1 if all of it is
supported, 0 if some of it is not. ``dump`` runs the pipeline up to its signals, which takes the time. ``fit`` takes
seconds: it prints for each set what a combination that never saw it makes of it, beside the shipped one, and writes
the combination that was fitted on all.

Of an answer with label 0 only the claim that looks least supported is taken, as the others may be true. Such sets don't
tell what is contradicted from what is not found: that is taken from the NLI model, by the sign of its log-odds.

Needs: pip install "secondpass[train]"
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.calibration.quality import probability_quality
from secondpass.logistic import FloatArray
from secondpass.verify.claims.split import split_claims
from secondpass.verify.combination import SignalCombination
from secondpass.verify.signals import FEATURES
from secondpass.verify.verifier import FactVerifier
from training.measure import area_under_curve

__all__ = ["AnswerSignals", "dump", "fit", "main", "weakest"]

_PENALTY = 10.0
_CONTRADICTION = FEATURES.index("max_contradiction")


@dataclass(frozen=True, slots=True)
class AnswerSignals:
    """The signals of all claims of the answers of several sets.

    Attributes:
        features: shape (n_claims, n_features).
        answers: the number of each claim's answer, over all sets, shape (n_claims,).
        labels: whether the claim's answer is supported as a whole, shape (n_claims,).
        sets: the name of the claim's set, shape (n_claims,).
        model: the fingerprint of the NLI model.
    """

    features: FloatArray
    answers: npt.NDArray[np.intp]
    labels: npt.NDArray[np.bool_]
    sets: npt.NDArray[np.str_]
    model: str

    def where(self, chosen: npt.NDArray[np.bool_]) -> "AnswerSignals":
        """Return the chosen claims."""
        return AnswerSignals(
            self.features[chosen], self.answers[chosen], self.labels[chosen], self.sets[chosen], self.model
        )


def dump(verifier: FactVerifier, paths: Sequence[Path], most: int | None = None) -> AnswerSignals:
    """Measure the checkable claims of all answers of some sets; those that can't be measured are left out."""
    claims: list[tuple[str, list[Any]]] = []
    answers: list[int] = []
    labels: list[bool] = []
    sets: list[str] = []
    for path in paths:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][:most]
        for number, line in enumerate(lines, start=max(answers, default=-1) + 1):
            for claim in split_claims(line["claim"]):
                if claim.checkable:
                    claims.append((claim.text, line["passages"]))
                    answers.append(number)
                    labels.append(bool(line["label"]))
                    sets.append(path.stem)
    features = verifier.signals(claims)
    measured = np.asarray(np.isfinite(features).all(axis=1))
    everything = AnswerSignals(features, np.array(answers), np.array(labels), np.array(sets), verifier.nli.fingerprint)
    return everything.where(measured)


def weakest(signals: AnswerSignals, combination: SignalCombination) -> AnswerSignals:
    """Return of each answer the claim that looks least supported."""
    probabilities = combination.probabilities(signals.features)[:, 0]
    order = np.lexsort((probabilities, signals.answers))
    first = np.unique(signals.answers[order], return_index=True)[1]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[first]] = True
    return signals.where(chosen)


def fit(signals: AnswerSignals, start: SignalCombination, rounds: int = 2) -> SignalCombination:
    """Fit a combination: on all claims of supported answers, and on the weakest one of each other answer.

    Args:
        signals: of `dump`.
        start: says at first which claim is the weakest; then what was fitted does.
        rounds: how often it is fitted.
    """
    combination = start
    for _ in range(rounds):
        false = weakest(signals.where(~signals.labels), combination)
        true = signals.where(signals.labels)
        features = np.concatenate([true.features, false.features])
        denied = np.where(false.features[:, _CONTRADICTION] > 0, "contradicted", "not_enough_info")
        labels = np.concatenate([np.full(len(true.labels), "supported"), denied])
        groups = np.concatenate([true.answers, false.answers])
        combination = SignalCombination.fit(features, labels, groups, l2=_PENALTY, model=signals.model)
    return combination


def _row(name: str, signals: AnswerSignals, combinations: Sequence[SignalCombination]) -> list[float]:
    figures: list[float] = []
    for combination in combinations:
        answers = weakest(signals, combination)
        probabilities = combination.probabilities(answers.features)[:, 0]
        supported, true = probabilities >= 0.5, answers.labels
        balanced = ((supported & true).sum() / true.sum() + (~supported & ~true).sum() / (~true).sum()) / 2
        ece = probability_quality(probabilities, true, answers.answers).ece
        figures += [area_under_curve(true, probabilities), float(balanced), ece]
    print(f"| {name} | {len(np.unique(signals.answers))} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    dumping = commands.add_parser("dump")
    dumping.add_argument("sets", type=Path, nargs="+")
    dumping.add_argument("--model", default="secondpass-nli-minilm")
    dumping.add_argument("--most", type=int, help="answers of each set")
    fitting = commands.add_parser("fit")
    fitting.add_argument("signals", type=Path)
    for command in (dumping, fitting):
        command.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    if asked.command == "dump":
        found = dump(FactVerifier(asked.model), asked.sets, asked.most)
        np.savez(
            asked.out,
            features=found.features,
            answers=found.answers,
            labels=found.labels,
            sets=found.sets,
            model=np.array(found.model),
        )
        return
    with np.load(asked.signals) as kept:
        signals = AnswerSignals(**{name: kept[name] for name in kept} | {"model": str(kept["model"])})
    shipped = SignalCombination.load()
    print("| left out | answers | AUC shipped | balanced | ECE | AUC refitted | balanced | ECE |")
    print(f"| --- |{' --: |' * 7}")
    rows = []
    for name in sorted(set(signals.sets.tolist())):
        own = signals.sets == name
        rows.append(_row(name, signals.where(own), (shipped, fit(signals.where(~own), shipped))))
    print("| mean | | " + " | ".join(f"{figure:.3f}" for figure in np.mean(rows, axis=0)) + " |")
    fit(signals, shipped).save(asked.out)


if __name__ == "__main__":
    main()
