"""How well whole RAG answers are verified, sentence by sentence: what an answer of a language model looks like.

    python benchmarks/rag_answers.py [--nli NAME]

``rag_answers.txt`` has 43 answers in Markdown against five or six passages each, written for this by a language model,
and a twin of each in which one sentence is wrong, as language models get things wrong: siblings mixed up, a condition
turned round, a reason invented. Headings and friendly words were mended with them in view, so that the figures of
whole answers flatter; what decides over single sentences was not.

Printed are the area under the ROC curve of the right sentences' probabilities against the wrong ones', with an interval
of 95 % by bootstrap over the texts; and, at each operating point, how many of the right and the wrong sentences come
out supported, and how many whole answers pass.

Needs: pip install secondpass scikit-learn
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import secondpass as sp
from secondpass.verify.combination import OPERATING_POINTS
from secondpass.verify.types import Verdict, Verification

N_RESAMPLES = 1000
_TEXTS = Path(__file__).with_suffix(".txt")
_BLOCK = re.compile(r"^(?=### [\w-]+ \| )", re.MULTILINE)
_SENTENCE = re.compile(r"\{\{(.*?)\}\}(?!\})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        sentences: where its statements stand.
        wrong: which of them is wrong, from 0; -1 for none.
    """

    name: str
    question: str
    passages: list[str]
    text: str
    sentences: list[tuple[int, int]]
    wrong: int = -1


def answers(path: Path = _TEXTS) -> Iterator[Answer]:
    """Yield each answer, and then its twin."""
    for block in filter(str.strip, _BLOCK.split(path.read_text(encoding="utf-8"))):
        head, marked, twin = re.split(r"^---\n", block, flags=re.MULTILINE)
        title, *passages = head.strip().splitlines()
        name, _, question = title.removeprefix("### ").partition(" | ")
        number, _, instead = twin.strip().partition(" :: ")
        for wrong in (-1, int(number) - 1):
            text, sentences = _unmarked(marked.strip(), wrong, instead)
            yield Answer(name, question, [passage.removeprefix("> ") for passage in passages], text, sentences, wrong)


def _unmarked(marked: str, wrong: int, instead: str) -> tuple[str, list[tuple[int, int]]]:
    text, done, places = "", 0, []
    for at, match in enumerate(_SENTENCE.finditer(marked)):
        text += marked[done : match.start()]
        sentence = instead if at == wrong else match[1]
        places.append((len(text), len(text) + len(sentence)))
        text, done = text + sentence, match.end()
    return text + marked[done:], places


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a sentence: the lowest probability of its claims, and whether all of them are supported."""

    name: str
    is_wrong: bool
    probability: float
    supported: bool


def told(answer: Answer, result: Verification) -> Iterator[Told]:
    """Yield what was said of each sentence of an answer; of a twin, only of the wrong one."""
    for at, (start, end) in enumerate(answer.sentences):
        if answer.wrong not in (-1, at):
            continue
        own = [each for each in result.claims if each.claim.start < end and each.claim.end > start]
        checked = [each for each in own if each.verdict is not Verdict.NOT_CHECKABLE]
        lowest = min((each.probability for each in checked), default=1.0)
        supported = all(each.verdict is Verdict.SUPPORTED for each in checked)
        yield Told(answer.name, at == answer.wrong, lowest, supported)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nli", default="secondpass-nli-minilm", help="the name or the folder of an NLI model")
    nli = parser.parse_args().nli
    tested = list(answers())
    for point in OPERATING_POINTS:
        verifier = sp.FactVerifier(nli, threshold=point)
        results = verifier.verify_many([(each.text, each.passages, each.question) for each in tested])
        said = [each for answer, result in zip(tested, results, strict=True) for each in told(answer, result)]
        if point == OPERATING_POINTS[0]:
            print_area(said)
        of_right, of_wrong = (
            np.mean([each.supported for each in said if each.is_wrong is is_wrong]) for is_wrong in (False, True)
        )
        passed = [(answer.wrong < 0, result.passed) for answer, result in zip(tested, results, strict=True)]
        print(
            f"{point:8} from {verifier.support_threshold:.2f}: supported {of_right:.2f} of the right sentences, "
            f"{of_wrong:.2f} of the wrong ones; {passed.count((True, True))} right answers and "
            f"{passed.count((False, True))} wrong ones pass, of {len(tested) // 2}"
        )


def print_area(said: Sequence[Told]) -> None:
    """Print how well probabilities tell right sentences from wrong ones."""
    right = np.array([not each.is_wrong for each in said])
    probabilities = np.array([each.probability for each in said])
    texts = sorted({each.name for each in said})
    places = [[at for at, each in enumerate(said) if each.name == name] for name in texts]
    rng, areas = np.random.default_rng(0), []
    for _ in range(N_RESAMPLES):
        drawn = np.concatenate([places[text] for text in rng.integers(len(texts), size=len(texts))])
        areas.append(roc_auc_score(right[drawn], probabilities[drawn]))
    low, high = np.quantile(areas, [0.025, 0.975])
    print(f"{right.sum()} right sentences and {(~right).sum()} wrong ones, of {len(texts)} texts")
    print(f"AUC {roc_auc_score(right, probabilities):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
