"""What is served, and within which limits: the contents of the server's YAML file."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.secret import Secret
from secondpass.validation import NOT_NEGATIVE, SECONDS, Text, Whole, check, must_be

__all__ = ["API_KEYS", "ServeSettings"]

API_KEYS = "SECONDPASS_API_KEYS"
"""The environment variable with the keys that clients may use, separated by commas or white space."""

Named = Mapping[str, str | Mapping[str, Any]]

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")

_RERANKERS: Named = {"default": "cross-encoder"}
_VERIFIERS: Named = {"default": {"type": "fact", "policy": "flag"}}
_CLASSIFIERS: Named = {"default": {"type": "zero-shot"}, "decisions": "zero-shot:secondpass-nli-minilm"}


class ServeSettings(Configured):
    """What a server serves: rerankers, verifiers and classifiers by name, and its limits.

    A model is a name (``"cross-encoder:ms-marco-MiniLM-L12-v2"``, ``"fact"``) or a configuration, as `secondpass.load`
    takes it. A request that names none gets the first of its kind. Without any model, the embedded ones are served.

    Args:
        rerankers: for the ``/rerank`` endpoints.
        verifiers: for ``/verify``.
        classifiers: for ``/classify`` and ``/v1/decisions``; the latter asks the one named ``decisions``, if there is
            one.
        aliases: further names, each with the name that it stands for: what clients that know only their provider's
            models ask for, such as ``{rerank-v3.5: default}``.
        api_keys: the bearer tokens that are accepted, separated by commas or white space; by default those of the
            environment variable ``SECONDPASS_API_KEYS``. Without any, no token is asked for.
        max_documents: in a request; likewise its passages, texts and questions.
        max_bytes: in the body of a request.
        max_tokens: in a request, counted roughly; the query counts for each document, an answer for each passage, what
            decisions are about for each statement, and a text for each label, unless a bi-encoder classifies it.
        max_requests: that are answered or wait at the same time; a further one is refused with 503.
        timeout_s: for a request, from its first byte to its answer; after that it is refused with 503.
        drain_s: how long the server goes on after SIGTERM, says that it is not ready, and closes each connection
            behind its answer, before it takes no further ones.
        max_wait_ms: how long a request waits for others to share a batch with, while there are some.
        max_pairs: the most documents, claims' passages or texts in a batch.
        experiment_unit_header: the header of requests that says who asks (a user, a session, a tenant), by which an
            `secondpass.ABTestReranker` chooses; None for none. It is neither logged nor stored but as a hash.
        sinks: where events of models go, beside the metrics: see `secondpass.MonitoredReranker`.

    Raises:
        ConfigError: a setting can't be used, or no model is served.
    """

    registry_name: ClassVar[str] = "serve"

    def __init__(
        self,
        *,
        rerankers: Named | None = None,
        verifiers: Named | None = None,
        classifiers: Named | None = None,
        aliases: Mapping[str, str] | None = None,
        api_keys: str | Secret | None = None,
        max_documents: int = 1000,
        max_bytes: int = 8_000_000,
        max_tokens: int = 500_000,
        max_requests: int = 256,
        timeout_s: float = 30.0,
        drain_s: float = 0.0,
        max_wait_ms: float = 2.0,
        max_pairs: int = 256,
        experiment_unit_header: str | None = "X-Experiment-Unit",
        sinks: Sequence[str | Mapping[str, Any]] = (),
    ) -> None:
        if rerankers is verifiers is classifiers is None:
            rerankers, verifiers, classifiers = _RERANKERS, _VERIFIERS, _CLASSIFIERS
        self.rerankers = _named(rerankers, "rerankers")
        self.verifiers = _named(verifiers, "verifiers")
        self.classifiers = _named(classifiers, "classifiers")
        self.aliases = _named(aliases, "aliases")
        if not (self.rerankers or self.verifiers or self.classifiers):
            raise ConfigError("ServeSettings: nothing is served: name a model under rerankers, verifiers, classifiers")
        self._check_aliases()
        self.api_keys = Secret(api_keys, variable=API_KEYS)
        if self.api_keys.reveal() is not None and not self.keys():
            # Who sets them, perhaps from a variable that is empty, does not mean a server for everybody.
            raise ConfigError(f"ServeSettings: there is no key in api_keys or {API_KEYS}: leave them out to need none")
        self.max_documents, self.max_bytes, self.max_tokens = max_documents, max_bytes, max_tokens
        self.max_requests, self.timeout_s, self.drain_s = max_requests, timeout_s, drain_s
        self.max_wait_ms, self.max_pairs, self.sinks = max_wait_ms, max_pairs, sinks
        self.experiment_unit_header = experiment_unit_header
        self._check_header()
        at_least_one = Whole(at_least=1)
        check(self, max_documents=at_least_one, max_bytes=at_least_one, max_tokens=at_least_one, max_pairs=at_least_one)
        check(self, max_requests=at_least_one, timeout_s=SECONDS, drain_s=NOT_NEGATIVE, max_wait_ms=NOT_NEGATIVE)
        if isinstance(sinks, str | Mapping) or not isinstance(sinks, Sequence):
            raise ConfigError(must_be("ServeSettings: sinks", 'a list of sinks, such as ["logging"]', sinks))

    def _check_aliases(self) -> None:
        names = {*self.rerankers, *self.verifiers, *self.classifiers}
        for alias, name in self.aliases.items():
            if name not in names:
                known = ", ".join(sorted(names))
                raise ConfigError(f"ServeSettings: aliases: {alias!r} stands for {name!r}, which is none of {known}")
            if alias in names:
                raise ConfigError(f"ServeSettings: aliases: {alias!r} is the name of a model already")

    def _check_header(self) -> None:
        given = self.experiment_unit_header
        if given is not None and (not isinstance(given, str) or not _HEADER.fullmatch(given)):
            takes = "the name of a header, such as 'X-Experiment-Unit', or None"
            raise ConfigError(must_be("ServeSettings: experiment_unit_header", takes, given))

    def keys(self) -> tuple[str, ...]:
        """Return the keys that are accepted, as they are now; none if no key is needed."""
        return tuple((self.api_keys.reveal() or "").replace(",", " ").split())


def _named(given: Any, name: str) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(must_be(f"ServeSettings: {name}", "a mapping from names", given))
    for key, value in given.items():
        Text().checked(key, f"ServeSettings: a name in {name}")
        if not isinstance(value, str | Mapping) or not value:
            raise ConfigError(must_be(f"ServeSettings: {name}[{key!r}]", "a name or a configuration", value))
    return dict(given)
