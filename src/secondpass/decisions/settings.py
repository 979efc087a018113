"""The settings of everything that asks a decision model."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from secondpass.decisions.foreign import foreign_decision_model
from secondpass.decisions.shapes import SHAPES
from secondpass.decisions.types import DecisionFunction
from secondpass.errors import ConfigError
from secondpass.llm.settings import CallSettings, checked_calls
from secondpass.secret import split_url
from secondpass.validation import Constraint, Function, OneOf, check_names

__all__ = ["DecisionSettings", "completed"]


class DecisionSettings(CallSettings, total=False):
    """How a decision model is asked; the settings of `secondpass.llm.CallSettings` are further ones.

    One of ``url``, ``decision_model`` and ``decide`` is needed.

    Attributes:
        url: the endpoint, such as ``https://api.typesafe.ai/v1/systemone`` or ``http://localhost:8080/v1/decisions``.
        shape: what the server speaks, ``openai`` or ``systemone``; by default what the end of the path says. The key's
            variable is ``OPENAI_API_KEY`` or ``TYPESAFE_API_KEY`` by default if the URL is that provider's, so that no
            other server gets its key.
        decision_model: a framework's own decision model, as it is: a LangChain ``BaseDecisionModel``.
        decide: a function that is asked, see `DecisionFunction`.
    """

    url: str | None
    shape: Literal["openai", "systemone"] | None
    decision_model: Any
    decide: DecisionFunction | None


_DEFAULTS: DecisionSettings = {"url": None, "shape": None, "decision_model": None, "decide": None}
_CONSTRAINTS: dict[str, Constraint[Any]] = {
    "shape": OneOf(*SHAPES) | None,
    "decide": Function("from a Question and seconds to a Reply") | None,
}
_PLACES = ("url", "decision_model", "decide")


def completed(given: DecisionSettings, owner: str) -> dict[str, Any]:
    """Return all settings, checked: those that were given, with the defaults of the others.

    Args:
        given: what a constructor took as ``**settings``.
        owner: whose constructor that is, for errors.

    Raises:
        ConfigError: there is no setting of a name, it is out of range, or nobody or more than one is to be asked.
    """
    check_names(given, DecisionSettings.__annotations__, owner)
    settings: dict[str, Any] = {**_DEFAULTS, **given}
    asked = [name for name in _PLACES if settings[name] is not None]
    if len(asked) != 1:
        found = f"not {' and '.join(asked)} at once" if asked else "and there is none of them"
        raise ConfigError(f"{owner} asks one: url, an endpoint; decision_model, a framework's; or decide; {found}")
    for name, constraint in _CONSTRAINTS.items():
        settings[name] = constraint.checked(settings[name], f"{owner}: {name}")
    if settings["decision_model"] is not None:
        settings["decision_model"] = foreign_decision_model(settings["decision_model"], owner)
    if settings["url"] is not None:
        settings |= _server(settings, owner)
    return checked_calls(settings, owner)


def _server(settings: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return the shape of a server, and the variable of its key."""
    path = split_url(settings["url"], f"{owner}: url").path.rstrip("/").rpartition("/")[2]
    named = settings["shape"] or next((name for name, shape in SHAPES.items() if shape.path == path), None)
    if named is None:
        ends = " or ".join(f"/{shape.path}" for shape in SHAPES.values())
        raise ConfigError(f"{owner}: url must end in {ends}, or shape must say which of them the server speaks")
    shape = SHAPES[named]
    variable = shape.variable if urlsplit(settings["url"]).hostname == shape.host else ""
    return {"shape": named, "api_key_variable": settings.get("api_key_variable") or variable}
