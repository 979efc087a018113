r"""How well texts are classified without training: accuracy, calibration, time, by kind of data.

    python benchmarks/classify.py [FILE ...] [--models NAME ...] [--json FILE]
    python benchmarks/classify.py [FILE ...] --fit

Measures the models of `ZeroShotClassifier` on the sets in ``classify_sets.json``, which were written for it: intents,
topics, sentiment, emotions, kinds of question, and messages that have several labels or none; those from "energy" on
were written later, before anything was measured on them. Further files have the same form: by name, ``{"labels":
[...], "texts": [[text, [label, ...]], ...]}``, or ``texts`` as a mapping from each label to its texts;
``descriptions`` may say what labels mean. A set in which some text has two labels or none is measured with
``multi_label=True``.

For one label of several: accuracy, the mean probability of the chosen label and its expected calibration error (ECE,
ten bins), milliseconds a text. For several at once: precision and recall over all labels at the default threshold, how
many of the texts without a label got none and of the others at least one, and the ECE over all labels' probabilities.

``--fit`` fits the constants of `secondpass.classify.biencoder`, with one set at a time left out, and prints what they
would be on that set, and those from all sets.

Needs: pip install "secondpass[embedded]" rich
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import secondpass as sp
from secondpass.logistic import FloatArray, maximum_likelihood, sigmoid, softmax

SETS = Path(__file__).with_name("classify_sets.json")
DEFAULT, BEFORE = "bi-encoder:bge-small-en-v1.5", "cross-encoder:ms-marco-MiniLM-L12-v2"
BINS = 10


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts with their true labels: at most one each, or any number if ``multi_label``."""

    name: str
    labels: list[str]
    texts: list[str]
    true: list[list[str]]
    descriptions: dict[str, str] | None = None

    @property
    def multi_label(self) -> bool:
        """Whether some text has not exactly one label."""
        return any(len(each) != 1 for each in self.true)

    @property
    def matrix(self) -> FloatArray:
        """1 where a text has a label, else 0: shape (n_texts, n_labels)."""
        return np.array([[float(label in each) for label in self.labels] for each in self.true])


def read(path: Path) -> list[Labelled]:
    """Return the sets of a file."""
    found = []
    for name, one in json.loads(path.read_text(encoding="utf-8")).items():
        texts = one["texts"]
        pairs = [(text, [label]) for label in texts for text in texts[label]] if isinstance(texts, dict) else texts
        labels = one.get("labels") or list(texts)
        of_text = [list(each) for _, each in pairs]
        found.append(Labelled(name, labels, [text for text, _ in pairs], of_text, one.get("descriptions")))
    return found


def calibration_error(probabilities: FloatArray, true: FloatArray) -> float:
    """Return the expected calibration error: the mean distance of probability and share, over bins by their size."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    parts = [bins == at for at in range(BINS) if (bins == at).any()]
    return float(sum(abs(probabilities[p].mean() - true[p].mean()) * p.mean() for p in parts))


def measured(model: Any, data: Labelled) -> dict[str, float]:
    """Return the figures of one model on one set."""
    classifier = sp.ZeroShotClassifier(
        model, labels=data.labels, multi_label=data.multi_label, descriptions=data.descriptions
    )
    classifier.classify(data.texts[0])  # the labels' vectors are made
    start = time.perf_counter()
    results = classifier.classify_many(data.texts)
    figures = {"ms": 1000 * (time.perf_counter() - start) / len(data.texts)}
    if not data.multi_label:
        right = np.array([result.label == true[0] for result, true in zip(results, data.true, strict=True)], float)
        sure = np.array([result.probability for result in results])
        return figures | {"accuracy": right.mean(), "sure": sure.mean(), "ece": calibration_error(sure, right)}
    true = data.matrix
    chosen = np.array([[label in result.labels for label in data.labels] for result in results], float)
    values = np.array([[result.scores[label] for label in data.labels] for result in results])
    some, none = true.any(axis=1), ~true.any(axis=1)
    return figures | {
        "precision": (chosen * true).sum() / max(chosen.sum(), 1),
        "recall": (chosen * true).sum() / true.sum(),
        "none": float(1 - chosen[none].any(axis=1).mean()) if none.any() else float("nan"),
        "some": float(chosen[some].any(axis=1).mean()),
        "ece": calibration_error(values.ravel(), true.ravel()),
    }


def fit(sets: Sequence[Labelled], console: Console) -> None:
    """Print the constants of the bi-encoder, fitted on all sets but one, and on all."""
    from secondpass.classify import biencoder

    single, several = {}, {}
    for data in sets:
        classifier = sp.ZeroShotClassifier(DEFAULT, labels=data.labels, descriptions=data.descriptions)
        member = classifier._panel.members[0]
        items = [(text, classifier._wording.of(label)) for text in data.texts for label in data.labels]
        shape, true = (len(data.texts), len(data.labels)), data.matrix
        if not data.multi_label:
            logits = member.score(items, odds=False).logits.reshape(shape) / biencoder._SHARPNESS
            single[data.name] = logits, true.argmax(axis=1)
        if len(data.labels) > 2:  # "positive" and "negative" are nobody's several labels
            logits = member.score(items, odds=True).logits.reshape(shape)
            shares = logits - np.logaddexp(0.0, np.logaddexp.reduce(logits, axis=1))[:, None]
            several[data.name] = shares.ravel(), true.ravel()
    grid = np.arange(0.3, 5.0, 0.05)
    losses = {
        name: np.array([-np.log(softmax(s * logits)[np.arange(len(at)), at]).mean() for s in grid])
        for name, (logits, at) in single.items()
    }
    for out in (*single, None):
        sharpness = grid[np.mean([loss for name, loss in losses.items() if name != out], axis=0).argmin()]
        told = ""
        if out is not None:
            logits, at = single[out]
            p = softmax(sharpness * logits)
            right = (p.argmax(axis=1) == at).astype(float)
            told = f"accuracy {right.mean():.3f}, ECE {calibration_error(p.max(axis=1), right):.3f}"
        console.print(f"one label, without {out}: sharpness {sharpness:.2f}; {told}")
    for out in (*several, None):
        kept = [each for name, each in several.items() if name != out]
        times = [max(1, round(3000 / len(true))) for _, true in kept]  # each set counts about as much
        x = np.concatenate([np.tile(share, n) for (share, _), n in zip(kept, times, strict=True)])
        y = np.concatenate([np.tile(true, n) for (_, true), n in zip(kept, times, strict=True)])
        slope, intercept = maximum_likelihood(np.c_[x, np.ones(len(x))], np.clip(y, 1e-4, 1 - 1e-4))
        told = ""
        if out is not None:
            share, true = several[out]
            p = sigmoid(slope * share + intercept)
            hits = ((p >= 0.5) * true).sum()
            told = f"precision {hits / max((p >= 0.5).sum(), 1):.2f}, recall {hits / true.sum():.2f}, "
            told += f"ECE {calibration_error(p, true):.3f}"
        console.print(f"several, without {out}: slope {slope:.2f}, intercept {intercept:.2f}; {told}")


def main() -> None:
    """Measure, or fit, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--models", nargs="+", default=[DEFAULT, BEFORE])
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments, console = parser.parse_args(), Console(width=140, soft_wrap=True)
    sets = [each for path in (SETS, *arguments.files) for each in read(path)]
    if arguments.fit:
        fit(sets, console)
        return
    models = {name: sp.ZeroShotClassifier(name, labels=["a", "b"]).model for name in arguments.models}
    table, rows = Table("set", "labels", "texts", "model", "figures"), []
    for data in sets:
        for name, model in models.items():
            figures = measured(model, data)
            rows.append({"set": data.name, "model": name, **figures})
            told = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
            table.add_row(data.name, str(len(data.labels)), str(len(data.texts)), name, told)
    console.print(table)
    for name in models:
        of_model = [row for row in rows if row["model"] == name]
        for key in ("accuracy", "precision", "recall", "none", "some", "ece", "ms"):
            values = [row[key] for row in of_model if key in row]
            console.print(f"{name}: mean {key} {np.nanmean(values):.3f} over {len(values)} sets")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
