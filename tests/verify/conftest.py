"""A deterministic stand-in for an NLI model, with a real tokenizer."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, processors

from secondpass.config import digest
from secondpass.models.nli import NliOutput
from secondpass.models.tokens import EncoderTokenizer
from secondpass.verify.words import content_words

NEGATIONS = {"not", "never", "no", "cannot"}


def word_tokenizer(max_length: int) -> EncoderTokenizer:
    """Return a tokenizer that makes one token of each word and each punctuation mark."""
    tokenizer = tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return EncoderTokenizer(tokenizer, max_length)


class FakeNli:
    """Entails what has all of its words in the premise, and contradicts that if one of the two is negated.

    It is blind for word order and, like small models, for numbers: these are left to the checks of facts. With
    ``fails_on``, it fails whenever a hypothesis holds that text.
    """

    name = "fake-nli"
    has_contradiction = True

    def __init__(self, max_length: int = 256, fails_on: str = "") -> None:
        self.max_length, self.fails_on = max_length, fails_on
        self.pair_model = SimpleNamespace(name=self.name, tokenizer=word_tokenizer(max_length))
        self.calls: list[list[tuple[str, str]]] = []

    @property
    def fingerprint(self) -> str:
        return digest([self.name, self.max_length])

    def run(self, pairs: Sequence[tuple[str, str]]) -> NliOutput:
        self.calls.append(list(pairs))
        if self.fails_on and any(self.fails_on in hypothesis for _, hypothesis in pairs):
            raise RuntimeError("the accelerator is gone")
        rows = np.array([self._row(premise, hypothesis) for premise, hypothesis in pairs]).reshape(-1, 3)
        lengths = [self.pair_model.tokenizer.lengths(pair) for pair in pairs]
        room = self.pair_model.tokenizer.pair_room
        truncated = [(first + second > room, first + second > room and second > room // 2) for first, second in lengths]
        seen: set[tuple[str, str]] = set()
        repeated = [pair in seen or bool(seen.add(pair)) for pair in pairs]
        n_tokens = np.array([min(sum(pair), room) + 3 for pair in lengths], dtype=np.int64)
        return NliOutput(rows, n_tokens, np.array(truncated, bool).reshape(-1, 2), np.array(repeated, bool))

    @staticmethod
    def _row(premise: str, hypothesis: str) -> tuple[float, float, float]:
        words = {w for w in content_words(hypothesis) if not w.isdigit()} - NEGATIONS
        found = set(content_words(premise))
        share = len(words & found) / len(words) if words else 0.0
        negated = bool(NEGATIONS & set(hypothesis.lower().split())) != bool(NEGATIONS & set(premise.lower().split()))
        if share == 1.0:
            return (0.02, 0.03, 0.95) if negated else (0.96, 0.03, 0.01)
        return 0.02 + 0.1 * share, 0.96 - 0.1 * share, 0.02

    def __getstate__(self) -> dict[str, Any]:
        return {"max_length": self.max_length, "fails_on": self.fails_on}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return "FakeNli()"


@pytest.fixture(scope="session")
def fake_nli() -> type[FakeNli]:
    """Return the class of the stand-in."""
    return FakeNli


@pytest.fixture
def nli() -> FakeNli:
    """Return the stand-in for a model."""
    return FakeNli()


@pytest.fixture
def make(nli: FakeNli) -> Callable[..., Any]:
    """Return a function that builds a verifier on the stand-in."""

    def build(**settings: Any) -> Any:
        from secondpass.verify.verifier import FactVerifier

        return FactVerifier(settings.pop("model", nli), **settings)

    return build
