"""How well a claim is told from its twin: the source's words with one thing exchanged.

    python benchmarks/twins.py [--nli NAME]

``twins.jsonl`` has 120 passages as a retriever finds them, each with claims that follow from it (``true``), claims that
do not, most of them a true one's twin with a sibling, a condition, a reason or a small word exchanged (``wrong``), and
claims that it leaves open (``open``). A language model wrote them for this, on six fields in turn. No model was trained
on them, though the one that comes with the package was trained on others, written under the same instructions.

Printed are the area under the ROC curve of the true claims' probabilities against the wrong ones', over all and within
a passage, with an interval of 95 % by bootstrap over the passages; and, at each operating point, how many of the true,
the wrong and the open claims come out supported.

Needs: pip install secondpass scikit-learn
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

import secondpass as sp
from secondpass.verify.combination import OPERATING_POINTS
from secondpass.verify.types import Verdict

N_RESAMPLES = 1000
KINDS = ("true", "wrong", "open")
_TEXTS = Path(__file__).with_suffix(".jsonl")
_Array = npt.NDArray[Any]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nli", default="secondpass-nli-minilm", help="the name or the folder of an NLI model")
    nli = parser.parse_args().nli
    texts = [json.loads(line) for line in _TEXTS.read_text(encoding="utf-8").splitlines()]
    claims = [(at, kind, claim) for at, text in enumerate(texts) for kind in KINDS for claim in text[kind]]
    passage, kinds = np.array([at for at, _, _ in claims]), np.array([kind for _, kind, _ in claims])
    for point in OPERATING_POINTS:
        verifier = sp.FactVerifier(nli, threshold=point)
        results = verifier.verify_many([(claim, [texts[at]["scene"]]) for at, _, claim in claims])
        checked = [[each for each in result.claims if each.verdict is not Verdict.NOT_CHECKABLE] for result in results]
        if point == OPERATING_POINTS[0]:
            probabilities = np.array([min((each.probability for each in those), default=1.0) for those in checked])
            print_areas(passage, kinds, probabilities)
        supported = np.array([all(each.verdict is Verdict.SUPPORTED for each in those) for those in checked])
        shares = ", ".join(f"{supported[kinds == kind].mean():.2f} of the {kind} claims" for kind in KINDS)
        print(f"{point:8} from {verifier.support_threshold:.2f}: supported {shares}")


def print_areas(passage: _Array, kinds: _Array, probabilities: _Array) -> None:
    """Print how well probabilities tell true claims from wrong ones."""

    def over_all(places: list[_Array]) -> float:
        at = np.concatenate(places)
        return float(roc_auc_score(kinds[at] == "true", probabilities[at]))

    def within(places: list[_Array]) -> float:
        return float(np.mean([roc_auc_score(kinds[at] == "true", probabilities[at]) for at in places]))

    ours = [np.flatnonzero((passage == at) & (kinds != "open")) for at in range(passage.max() + 1)]
    print(", ".join(f"{(kinds == kind).sum()} {kind}" for kind in KINDS), f"claims, of {len(ours)} passages")
    areas: dict[str, Callable[[list[_Array]], float]] = {"over all": over_all, "within a passage": within}
    for name, area in areas.items():
        rng = np.random.default_rng(0)
        drawn = [area([ours[at] for at in rng.integers(len(ours), size=len(ours))]) for _ in range(N_RESAMPLES)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        print(f"AUC {name} {area(ours):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
