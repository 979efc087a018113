"""Measures NLI models on labelled pairs: ``python -m training.measure --models A B --dev FILE...``.

Prints, by source, the three-way accuracy, the macro-F1, and the area under the ROC curve of "entailed or not" by the
probability of entailment; beside the models those of their own premises taken away or exchanged, and of word overlap.

Needs: pip install "secondpass[train]"
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from secondpass.models.nli import NliModel
from training.examples import Example, read_pairs, with_shuffled_premises, without_premises
from training.nli import collect
from training.quality import overlap_probabilities, quality

__all__ = ["area_under_curve", "main", "read_climate_fever", "read_dev"]

_LABELS = {"SUPPORTS": "entailment", "REFUTES": "contradiction", "NOT_ENOUGH_INFO": "neutral"}


def read_climate_fever(path: Path) -> list[Example]:
    """Read Climate-FEVER's claims with single sentences of evidence, of which the voters were sure."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for evidence in row["evidences"]:
            votes = [vote for vote in evidence["votes"] if vote]
            if len(votes) >= 2 and len(set(votes)) == 1:
                label = _LABELS[evidence["evidence_label"]]
                found.append(Example(evidence["evidence"], row["claim"], label, "given", "climate_fever", row["claim"]))  # type: ignore[arg-type]
    return found


def read_dev(path: Path) -> list[Example]:
    """Read a file to measure on: Climate-FEVER's if its name ends in .jsonl, else as `read_pairs` does."""
    return read_climate_fever(path) if path.suffix == ".jsonl" else read_pairs(path)


def area_under_curve(positive: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> float:
    """Return the probability that a positive example scores higher than a negative one; equal scores count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, scores)) if 0 < positive.sum() < len(positive) else float("nan")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", required=True, help="folders or names")
    parser.add_argument(
        "--hypothesis-only", nargs="*", default=[], help="of models trained on hypotheses alone, and measured so"
    )
    parser.add_argument(
        "--pairs", type=Path, nargs="*", default=[], help="what was trained on: its held-out part is measured"
    )
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--dev", type=Path, nargs="*", default=[], help="files that are measured as a whole")
    parser.add_argument("--most", type=int, default=1000, help="examples of each source")
    asked = parser.parse_args(arguments)
    rng = random.Random(0)
    train: list[Example] = []
    sets: dict[str, list[Example]] = {}
    for path in asked.dev:
        examples = read_dev(path)
        sets[examples[0].source] = examples
    if asked.pairs:
        data = collect(asked.pairs, asked.wordnet)
        train = data.train
        sets["kinds not trained on"] = data.held_out
        for example in data.dev:
            made = "rules on " if example.kind not in {"given", "rewritten"} else ""
            sets.setdefault(f"{made}{example.source} (held out)", []).append(example)
    sets = {name: rng.sample(examples, min(len(examples), asked.most)) for name, examples in sets.items()}
    print("| system | source | n | accuracy | macro-F1 | AUC |\n| --- | --- | --: | --: | --: | --: |")
    if train:
        for name, examples in sets.items():
            _row("word overlap", name, examples, overlap_probabilities(train, examples))
    for model_name in asked.hypothesis_only:
        model = NliModel(model_name, smoke_test=False)
        for name, examples in sets.items():
            _row(model_name, name, examples, _probabilities(model, without_premises(examples)))
    for model_name in asked.models:
        model = NliModel(model_name, smoke_test=False)  # it is to be measured, whatever comes of it
        for name, examples in sets.items():
            _row(model_name, name, examples, _probabilities(model, examples))
        everything = [example for examples in sets.values() for example in examples]
        _row(f"{model_name}, no premise", "all", everything, _probabilities(model, without_premises(everything)))
        shuffled = with_shuffled_premises(everything, rng)
        _row(f"{model_name}, shuffled premises", "all", everything, _probabilities(model, shuffled))


def _probabilities(model: NliModel, examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    return model.run([(example.premise, example.hypothesis) for example in examples]).probabilities


def _row(system: str, source: str, examples: Sequence[Example], probabilities: npt.NDArray[np.float64]) -> None:
    found = quality(examples, probabilities)
    entailed = np.array([example.label == "entailment" for example in examples])
    area = area_under_curve(entailed, probabilities[:, 0])
    print(f"| {system} | {source} | {found.n} | {found.accuracy:.3f} | {found.macro_f1:.3f} | {area:.3f} |", flush=True)


if __name__ == "__main__":
    main()
