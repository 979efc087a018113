r"""How well claims are verified, on labelled sets that nobody tuned on.

    python benchmarks/verify.py FOLDER [--most 200] [--models NAME ...] [--json FILE]

FOLDER holds ``*.jsonl`` files, one set each, one claim a line: ``claim`` (a sentence or a whole answer), ``passages``
(a list of texts or documents), ``label`` (1: the passages support all of it; 0: they do not) and, optionally,
``question``.

Side by side: `FactVerifier`; its NLI model alone, which reads every window of every passage and answers with the
highest probability of entailment; and word overlap, the share of the claim's word pairs that the passages contain.
With ``--models``, a verifier around each of those NLI models as well, and the model alone.

For each set: ROC-AUC; at the default threshold balanced accuracy, recall of supported claims, and the rate of false
contradictions (supported claims that are called contradicted); expected calibration error of the probability; claims
a second. A system that has no threshold of its own (a model alone, overlap) has AUC only. Intervals are 95 %, by
bootstrap over the claims; the last rows are means over the sets.

Needs: pip install "secondpass[embedded,cli]"
"""

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

import secondpass as sp
from secondpass.evaluate.claims import LabelledClaim, read_claims
from secondpass.evaluate.classification import Resampling, roc_auc
from secondpass.evaluate.verifiers import answered
from secondpass.evaluate.verifiers import figures as verifier_figures
from secondpass.models.nli import LABELS, NliModel
from secondpass.types import document_text
from secondpass.windows import ApproximateTokenization, cut

WINDOW_TOKENS, OVERLAP_TOKENS, BATCH = 192, 32, 25
RESAMPLING = Resampling(confidence=0.95, n_samples=1000)
_WORD = re.compile(r"\w+")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a system said of n claims; the last two are None where it has no threshold of its own.

    Attributes:
        scores: shape (n,), higher is better supported.
        seconds: the wall-clock time of all of them.
        supported: shape (n,), bool.
        contradicted: shape (n,), bool.
    """

    scores: Array
    seconds: float
    supported: npt.NDArray[np.bool_] | None = None
    contradicted: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one system on one set, each in [0, 1] but for the rate."""

    auc: float
    auc_low: float
    auc_high: float
    balanced_accuracy: float | None
    recall: float | None
    false_contradictions: float | None
    calibration_error: float | None
    claims_per_s: float


System = Callable[[Sequence[LabelledClaim]], Answers]


def rows_of(path: Path, most: int | None) -> list[LabelledClaim]:
    """Read a set, or a sample of it; a line that can't be used ends the program with its number."""
    try:
        rows = read_claims(path)
    except sp.InputError as exc:
        sys.exit(str(exc))
    # A sample and not the first lines, since sets are often sorted by label.
    return rows if most is None or most >= len(rows) else random.Random(0).sample(rows, most)


def verified_by(verifier: sp.FactVerifier) -> System:
    """Return the system that a verifier is: an answer is as probable as its least probable checkable claim."""

    def answers(rows: Sequence[LabelledClaim]) -> Answers:
        found = answered(verifier, rows)
        return Answers(found.probabilities, found.seconds, found.supported, found.contradicted)

    return answers


def model_alone(model: NliModel) -> System:
    """Return the system of a model that reads every window and takes the highest probability of entailment."""

    def answers(rows: Sequence[LabelledClaim]) -> Answers:
        scores = []
        start = time.perf_counter()
        for batch in _batches(rows):
            pairs = [[(window, row.claim) for window in _windows(_texts(row))] for row in batch]
            probabilities = model.run([pair for of_row in pairs for pair in of_row]).probabilities
            entailment = probabilities[:, LABELS.index("entailment")]
            ends = np.cumsum([len(of_row) for of_row in pairs])
            scores += [float(part.max(initial=0.0)) for part in np.split(entailment, ends[:-1])]
        return Answers(np.array(scores), time.perf_counter() - start)

    return answers


def overlap(rows: Sequence[LabelledClaim]) -> Answers:
    """Return the share of each claim's neighbouring word pairs that its passages contain."""
    start = time.perf_counter()
    scores = []
    for row in rows:
        wanted = _word_pairs(row.claim)
        scores.append(len(wanted & _word_pairs(" ".join(_texts(row)))) / len(wanted) if wanted else 0.0)
    return Answers(np.array(scores), time.perf_counter() - start)


def _texts(row: LabelledClaim) -> list[str]:
    return [document_text(passage, at) for at, passage in enumerate(row.passages)]


def _word_pairs(text: str) -> set[tuple[str, ...]]:
    words = [word.lower() for word in _WORD.findall(text)]
    return set(pairwise(words)) or {(word,) for word in words}


def _windows(texts: Sequence[str]) -> list[str]:
    tokens = ApproximateTokenization()
    spans = [(text, cut(text, WINDOW_TOKENS, OVERLAP_TOKENS, "sentence", tokens)) for text in texts if text.strip()]
    return [text[begin:end] for text, windows in spans for begin, end in windows if text[begin:end].strip()]


def _batches(rows: Sequence[LabelledClaim]) -> Iterator[Sequence[LabelledClaim]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def figures(labels: npt.NDArray[np.bool_], answers: Answers) -> Figures:
    """Return the figures of a system's answers; labels and answers have shape (n,)."""
    auc = roc_auc(labels, answers.scores, RESAMPLING)
    balanced = recall = false = error = None
    if answers.supported is not None and answers.contradicted is not None:
        of = verifier_figures(labels, answers.scores, answers.supported, answers.contradicted, RESAMPLING)
        balanced, recall, false, error = (each.value if each else None for each in of.estimates[1:5])
    rate = len(labels) / answers.seconds
    return Figures(auc.value, auc.low, auc.high, balanced, recall, false, error, rate)


def main() -> None:
    """Measure every system on every set, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, help="claims of each set, a random sample")
    parser.add_argument("--models", nargs="*", default=[], help="further NLI models, by name or folder")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    sets = {path.stem: rows_of(path, arguments.most) for path in sorted(arguments.folder.glob("*.jsonl"))}
    if not sets:
        sys.exit(f"{arguments.folder} has no *.jsonl files")
    systems: dict[str, System] = {"word overlap": overlap}
    for name in (None, *arguments.models):
        verifier = sp.FactVerifier() if name is None else sp.FactVerifier(name)
        label = "secondpass" if name is None else name
        systems |= {f"{label}: verifier": verified_by(verifier), f"{label}: model alone": model_alone(verifier.nli)}
    results: dict[str, dict[str, Figures]] = {}
    for title, rows in sets.items():
        labels = np.array([row.label for row in rows])
        if labels.all() or not labels.any():
            sys.exit(f"{title}: all labels are the same, so nothing can be told apart")
        results[title] = {name: figures(labels, system(rows)) for name, system in systems.items()}
        show(f"{title} ({len(rows)} claims, {labels.mean():.0%} supported)", results[title])
    show(f"mean of {len(sets)} sets", {name: mean([of[name] for of in results.values()]) for name in systems})
    for name in systems:
        worst = min(results, key=lambda title: results[title][name].auc)
        print(f"{name}: lowest AUC {results[worst][name].auc:.3f} on {worst}")
    if arguments.json:
        data = {title: {name: asdict(one) for name, one in of.items()} for title, of in results.items()}
        arguments.json.write_text(json.dumps(data, indent=1), encoding="utf-8")


def mean(of_sets: Sequence[Figures]) -> Figures:
    """Return the mean of each figure over sets, where there is one."""
    columns = [[asdict(one)[name] for one in of_sets] for name in asdict(of_sets[0])]
    return Figures(*(None if None in column else float(np.mean(column)) for column in columns))  # type: ignore[arg-type]


def show(title: str, of_systems: dict[str, Figures]) -> None:
    """Print the figures of all systems on a set."""
    table = Table(title=title, title_justify="left")
    table.add_column("system")
    for heading in ("AUC", "95 %", "balanced", "recall", "false contr.", "ECE", "claims/s"):
        table.add_column(heading, justify="right")
    for name, f in of_systems.items():
        rest = (f.balanced_accuracy, f.recall, f.false_contradictions, f.calibration_error)
        cells = ["" if value is None else f"{value:.3f}" for value in rest]
        table.add_row(name, f"{f.auc:.3f}", f"{f.auc_low:.2f} to {f.auc_high:.2f}", *cells, f"{f.claims_per_s:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
