"""A verifier that is watched: an event for each answer, to as many sinks as you like."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, ClassVar

import numpy as np

from secondpass.base import in_thread
from secondpass.config import Configured
from secondpass.errors import ConfigError, VerificationFailedError
from secondpass.monitor.event import ScoredText, ScoreSummary
from secondpass.monitor.record import of_trace
from secondpass.monitor.sink import SinkLike
from secondpass.monitor.watched import Watched
from secondpass.secret import Secret
from secondpass.types import Document
from secondpass.validation import must_be
from secondpass.verify.types import CheckedClaim, Verification
from secondpass.verify.verifier import FactVerifier, Item, verifiers

__all__ = ["MonitoredVerifier"]


class MonitoredVerifier(Watched, Configured):
    """Tells sinks of each answer that a verifier checks, or fails at: see `secondpass.monitor.Event`.

    Verifications are those of the wrapped verifier. An event has the answer's hash as ``query_hash``, the passages as
    ``candidates``, the probabilities of the checkable claims as ``scores``, and under ``counts`` how many claims have
    each verdict. Answers that are verified together share the runs of the model, so that each of their events counts
    the tokens of all. An answer that does not pass, where the policy is ``raise``, is not an error of the call; of
    several answers together, this can be told of none. A streamed answer has an event once its stream ends, with the
    seconds that were not spent waiting for its chunks, and no ``passed``.

    Args:
        wrapped: the verifier, or its configuration.
        sinks: as for `MonitoredReranker`, as are ``name``, ``texts`` and ``salt``.
        name: what the events call the verifier; by default its class.
        texts: put the answer, the claims and what errors say into the events. They are left out by default.
        salt: keys the hash of the answer; kept out of configurations.

    Raises:
        ConfigError: a sink or a setting can't be used.
        MissingExtraError: a sink needs a package that is not installed.
    """

    registry_name: ClassVar[str] = "monitored"
    wrapped: FactVerifier

    def __init__(
        self,
        wrapped: FactVerifier | Mapping[str, Any],
        sinks: Sequence[SinkLike] = ("logging",),
        *,
        name: str | None = None,
        texts: bool = False,
        salt: str | Secret | None = None,
    ) -> None:
        if isinstance(wrapped, Mapping):
            built = verifiers.get(str(wrapped.get("type", FactVerifier.registry_name))).from_config(wrapped)
        else:
            built = wrapped
        if not callable(getattr(built, "verify_many", None)):
            raise ConfigError(must_be("MonitoredVerifier: wrapped", "a verifier, such as a FactVerifier", wrapped))
        self._watch("verify", built, sinks, name, texts, salt)

    @property
    def policy(self) -> Any:
        """That of the wrapped verifier."""
        return self.wrapped.policy

    @property
    def message(self) -> str:
        """That of the wrapped verifier: what an answer that did not pass may be replaced with."""
        return self.wrapped.message

    def verify(self, answer: str, passages: Sequence[Document], *, question: str | None = None) -> Verification:
        """Verify an answer: see `FactVerifier.verify`."""
        return self.verify_many([(answer, passages, question)])[0]

    def verify_many(self, items: Iterable[Item]) -> list[Verification]:
        """Verify many answers together: see `FactVerifier.verify_many`."""
        if not isinstance(items, Iterable):
            return self.wrapped.verify_many(items)  # which refuses them
        items = list(items)
        not_passed: list[VerificationFailedError] = []

        def work() -> list[Verification]:
            try:
                return self.wrapped.verify_many(items)
            except VerificationFailedError as exc:
                if len(items) > 1 or exc.verification is None:
                    raise
                not_passed.append(exc)
                return [exc.verification]

        def describe(at: int, verification: Verification | None) -> dict[str, Any]:
            return self._fields(_passages(items[at]), verification)

        done = self._recorder.call(work, [_answer(item) for item in items], describe)
        if not_passed:
            raise not_passed[0]
        return done

    async def averify(self, answer: str, passages: Sequence[Document], *, question: str | None = None) -> Verification:
        """Async version of `verify`; it runs in a worker thread."""
        return await in_thread(self.verify, answer, passages, question=question)

    def stream(
        self, chunks: Iterable[str], passages: Sequence[Document], *, question: str | None = None
    ) -> Iterator[CheckedClaim]:
        """Verify an answer while it is generated: see `FactVerifier.stream`."""
        if isinstance(chunks, str | bytes) or not isinstance(chunks, Iterable):
            return self.wrapped.stream(chunks, passages, question=question)  # which refuses them
        waited = _Waited(chunks)
        return self._watched(self.wrapped.stream(waited, passages, question=question), waited, passages)

    def _watched(self, claims: Iterator[CheckedClaim], chunks: "_Waited", passages: object) -> Iterator[CheckedClaim]:
        seen: list[CheckedClaim] = []
        began_s, spent_s, error = time.time(), 0.0, None
        try:
            while True:
                start = time.perf_counter()
                try:
                    claim = next(claims, None)
                finally:
                    spent_s += time.perf_counter() - start
                if claim is None:
                    break
                seen.append(claim)
                yield claim
        except BaseException as exc:
            error = exc
            raise
        finally:
            answer = "".join(chunks.read)
            result = None if error else Verification(answer, tuple(seen), passed=False)
            self._recorder.report(
                [answer],
                [result],
                lambda _, verification: self._fields(passages, verification) | {"passed": None},
                began_s,
                spent_s - chunks.waited_s,
                error,
            )

    def _fields(self, passages: object, verification: Verification | None) -> dict[str, Any]:
        n_passages = len(passages) if isinstance(passages, Sized) else 0
        fields: dict[str, Any] = {"fingerprint": self.fingerprint, "candidates": n_passages}
        if verification is None:
            return fields
        checked = [claim.probability for claim in verification.claims if claim.checked]
        fields |= of_trace(verification.trace) | {"passed": verification.passed}
        fields["scores"] = ScoreSummary.of(np.array(checked, dtype=np.float64))
        fields["counts"] |= {"claims": len(verification.claims)}
        fields["counts"] |= {str(verdict): n for verdict, n in verification.counts.items() if n}
        if self.texts:
            texts = [ScoredText(at, each.text, each.probability) for at, each in enumerate(verification.claims)]
            fields["texts"] = tuple(sorted(texts, key=lambda text: -text.score))
        return fields


class _Waited:
    """Chunks, with the time that was spent waiting for them."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self.chunks, self.read, self.waited_s = chunks, list[str](), 0.0

    def __iter__(self) -> Iterator[str]:
        start = time.perf_counter()
        for chunk in self.chunks:
            self.waited_s += time.perf_counter() - start
            if isinstance(chunk, str):
                self.read.append(chunk)
            yield chunk
            start = time.perf_counter()
        self.waited_s += time.perf_counter() - start


def _answer(item: object) -> str:
    return item[0] if isinstance(item, tuple | list) and item and isinstance(item[0], str) else ""


def _passages(item: object) -> object:
    return item[1] if isinstance(item, tuple | list) and len(item) > 1 else ()
