r"""Fits how the verifier combines its signals: ``python -m training.verifier --pairs FILE... --out FILE``.

    python -m training.verifier --model trained_onnx --pairs conjnli_adversarial_train.tsv ... \
        --wordnet /usr/share/wordnet --halves conjnli_dev.tsv begin_dev_wow.tsv --dev climate_fever.jsonl --out FILE

The claims are those pairs that `training.nli` did not train on, and those of the ``--halves`` files, each to be
verified against ten passages: its own premise and nine others, half of them about similar things. The fit is on one
half of the texts of each; the figures printed are of the other halves, and of the ``--dev`` files. The last two columns
are those of a combination that was fitted without the row's own source: what to expect on other text.

Needs: pip install "secondpass[train]"
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from secondpass.calibration.quality import probability_quality
from secondpass.logistic import FloatArray
from secondpass.verify.combination import CLASSES, SignalCombination, nli_probabilities
from secondpass.verify.signals import FEATURES
from secondpass.verify.verifier import FactVerifier
from training.augment import neighbours
from training.examples import Example
from training.measure import area_under_curve, read_dev
from training.nli import collect

__all__ = ["ClaimSet", "claims_of", "fit_combination", "halves", "main"]

_CLASS_OF = {"entailment": "supported", "contradiction": "contradicted", "neutral": "not_enough_info"}
_N_PASSAGES = 10
_PENALTY = 10.0  # a larger one helps sources that are left out of the fit little more, and makes all less sure


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """Claims with their signals.

    Attributes:
        name: of the source.
        features: shape (n, n_features).
        labels: of `secondpass.verify.combination.CLASSES`, shape (n,).
        groups: what belongs to one text, shape (n,).
    """

    name: str
    features: FloatArray
    labels: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]

    def where(self, chosen: npt.NDArray[np.bool_]) -> "ClaimSet":
        """Return the chosen claims."""
        return ClaimSet(self.name, self.features[chosen], self.labels[chosen], self.groups[chosen])


def claims_of(name: str, examples: Sequence[Example], verifier: FactVerifier, rng: random.Random) -> ClaimSet:
    """Measure each example's hypothesis against its premise among nine other passages.

    Args:
        name: of the set.
        examples: what to measure; the other passages are premises of theirs, of other groups.
        verifier: its signals are taken.
        rng: chooses the other passages.
    """
    near = neighbours([example.premise for example in examples], rng, most=_N_PASSAGES)
    group_of = {example.premise: example.group for example in examples}
    claims = []
    for example, others in zip(examples, near, strict=True):
        passages = [other for other in others if group_of[other] != example.group][: _N_PASSAGES // 2]
        while len(passages) < min(_N_PASSAGES, len(group_of)) - 1:
            passages.append(rng.choice(examples).premise)
        passages = [passage for passage in passages if group_of[passage] != example.group]
        passages.insert(rng.randint(0, len(passages)), example.premise)
        claims.append((example.hypothesis, passages))
    features = verifier.signals(claims)
    measured = np.isfinite(features).all(axis=1)
    labels = np.array([_CLASS_OF[example.label] for example in examples])
    groups = np.array([example.group for example in examples])
    return ClaimSet(name, features[measured], labels[measured], groups[measured])


def fit_combination(sets: Sequence[ClaimSet], model: str) -> SignalCombination:
    """Fit the combination of signals for a model with a fingerprint."""
    claims = _joined("all", sets)
    return SignalCombination.fit(claims.features, claims.labels, claims.groups, l2=_PENALTY, model=model)


def _joined(name: str, sets: Sequence[ClaimSet]) -> ClaimSet:
    features, labels, groups = (
        np.concatenate([getattr(claims, part) for claims in sets]) for part in ("features", "labels", "groups")
    )
    return ClaimSet(name, features, labels, groups)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="secondpass-nli-minilm")
    parser.add_argument("--pairs", type=Path, nargs="+", required=True)
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--halves", type=Path, nargs="*", default=[], help="fitted on one half, measured on the other")
    parser.add_argument("--dev", type=Path, nargs="*", default=[], help="only measured")
    parser.add_argument("--most", type=int, default=3000, help="claims of each set")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    rng = random.Random(0)  # nothing secret
    verifier = FactVerifier(asked.model)
    data = collect(asked.pairs, asked.wordnet)
    own = data.dev + data.held_out
    sources = {
        "not trained on": [example for example in own if example.source != "written"],
        "written": [example for example in own if example.source == "written"],
    }
    sources |= {path.stem: read_dev(path) for path in asked.halves}
    sources |= {path.stem: read_dev(path) for path in asked.dev}
    sets = [
        claims_of(name, rng.sample(examples, min(asked.most, len(examples))), verifier, rng)
        for name, examples in sources.items()
    ]
    fitted_on, measured_on = halves(sets[: 2 + len(asked.halves)])
    fitted_on.append(fitted_on[1])  # twice: claims in natural words are few, and the most like what is asked
    model = verifier.nli.fingerprint
    fitted = fit_combination(fitted_on, model)
    fitted.save(asked.out)
    columns = "claims|n|AUC NLI|AUC overlap|AUC verifier|ECE NLI|ECE verifier|accuracy|AUC elsewhere|ECE elsewhere"
    print(f"| {columns.replace('|', ' | ')} |\n| --- |{' --: |' * columns.count('|')}")
    measured_on += sets[2 + len(asked.halves) :]
    for claims in measured_on:
        others = [part for part in fitted_on if part.name != claims.name]
        _row(claims, fitted, fit_combination(others, model))
    _row(_joined("all of these", measured_on), fitted)


def halves(sets: Sequence[ClaimSet]) -> tuple[list[ClaimSet], list[ClaimSet]]:
    """Return two halves of each set, no text being in both, always the same ones."""
    chosen = [np.array([random.Random(f"half {group}").random() < 0.5 for group in claims.groups]) for claims in sets]
    first = [claims.where(half) for claims, half in zip(sets, chosen, strict=True)]
    return first, [claims.where(~half) for claims, half in zip(sets, chosen, strict=True)]


def _row(claims: ClaimSet, combination: SignalCombination, elsewhere: SignalCombination | None = None) -> None:
    supported, texts = claims.labels == CLASSES[0], np.unique(claims.groups, return_inverse=True)[1]
    alone, overlap = nli_probabilities(claims.features), claims.features[:, FEATURES.index("overlap")]
    combined = combination.probabilities(claims.features)
    areas = [area_under_curve(supported, scores) for scores in (alone[:, 0], overlap, combined[:, 0])]
    errors = [probability_quality(scores[:, 0], supported, texts).ece for scores in (alone, combined)]
    figures = [*areas, *errors, float(np.mean(np.array(CLASSES)[combined.argmax(axis=1)] == claims.labels))]
    if elsewhere:
        foreign = elsewhere.probabilities(claims.features)[:, 0]
        figures += [area_under_curve(supported, foreign), probability_quality(foreign, supported, texts).ece]
    row = " | ".join(f"{figure:.3f}" for figure in figures)
    print(f"| {claims.name} | {len(supported)} | {row} |", flush=True)


if __name__ == "__main__":
    main()
