"""A decision model as rerankers and judges ask it: behind a server, a framework's own, or a function."""

from typing import Any

from secondpass.counts import counted
from secondpass.decisions.settings import DecisionSettings, completed
from secondpass.decisions.shapes import SHAPES
from secondpass.decisions.types import Question, Reply, distribution
from secondpass.errors import ConfigError, MissingExtraError
from secondpass.llm.asked import AskedModel, called
from secondpass.llm.types import CompletionError
from secondpass.network import Stop
from secondpass.validation import Text

__all__ = ["DecisionModel"]

_MAX_BYTES = 2**20  # only a broken or hostile server's answer is longer
_HINTS = {
    400: "the server does not understand the request: check model, shape and extra_body",
    404: "there is no such endpoint or model: check url, shape and model",
    413: "the request is too large: lower max_document_chars, or max_window_chars",
    422: "the server can't process the request: check model, shape and extra_body",
}


class DecisionModel(AskedModel[Question, Reply]):
    """A decision model with the settings by which it is asked.

    Args:
        model: its name at the server; None for that of ``decision_model``.
        settings: those that are not to have their defaults.
        owner: whose they are, for errors.

    Raises:
        ConfigError: a setting is unknown or out of range.
        MissingExtraError: there is a ``url``, and httpx isn't installed.
    """

    def __init__(self, model: str | None, settings: DecisionSettings, *, owner: str) -> None:
        every = completed(settings, owner)
        if model is None and every["url"] is not None:
            raise ConfigError(f"{owner} needs model, the model's name at its server")
        foreign = every["decision_model"]
        usual = foreign.name if foreign is not None else getattr(every["decide"], "__name__", "function")
        super().__init__(Text().checked(usual if model is None else model, f"{owner}: model"), every)

    def _open(self) -> None:
        settings = self.settings
        self._function = settings["decide"] or settings["decision_model"]
        if settings["url"] is not None:
            try:
                from secondpass.network.endpoint import Endpoint  # that httpx is missing should be known now
            except ImportError as exc:
                raise MissingExtraError.of("remote", "A decision model's url") from exc
            self._endpoint = Endpoint(settings["url"], settings["api_key"], hints=_HINTS, error=CompletionError)
        super()._open()

    def ask(self, question: Question, timeout_s: float, stop: Stop) -> Reply:
        """Ask once, without retries; see `AskedModel.ask`."""
        if self._function is None:
            shape = SHAPES[self.settings["shape"]]
            body = shape.request(question, self.model) | dict(self.settings["extra_body"] or {})
            return shape.reply(
                self._endpoint.post(body, timeout_s=timeout_s, stop=stop, max_bytes=_MAX_BYTES), question
            )
        replied: Any = called(self._function, question, timeout_s, stop, name="decision model")
        reply = replied if isinstance(replied, Reply) else Reply(_probabilities(replied))
        if len(reply.probabilities) not in (0, len(question.options)):
            n_given, n_options = len(reply.probabilities), len(question.options)
            raise CompletionError(
                f"the decision model gave {counted(n_given, 'probability')} for {counted(n_options, 'option')}"
            )
        return reply


def _probabilities(replied: object) -> tuple[float, ...]:
    try:
        return distribution([*replied])  # type: ignore[misc]  # if it is not, that is told
    except TypeError:
        kind = type(replied).__name__
        raise CompletionError(f"the decision function returned a {kind}, not a Reply or its probabilities") from None
