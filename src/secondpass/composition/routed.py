"""Routing: each request goes to the reranker that suits it, by language, by length, or by any function."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.members import member_of
from secondpass.composition.prior import takes_prior
from secondpass.config import unwritable
from secondpass.errors import CompositionError, ConfigError, ScoringError, SecondPassError
from secondpass.language import check_languages, detect_language
from secondpass.loading import RerankerLike, from_config
from secondpass.types import Request, Scale, Scores
from secondpass.validation import must_be

__all__ = ["RoutedReranker"]


class RoutedReranker(Reranker):
    """Scores each request by one of several rerankers; the requests of a route are scored together.

    - ``language``: the names of the routes are ISO 639-1 codes, and the language of the query decides (py3langid, extra
      ``language``). Without a default, only the languages of the routes are considered, which makes short queries much
      more reliable. With a default, all languages are considered, or those in ``languages``, and those without a route
      take the default. A query without a recognisable language (digits) takes the default, or else the first route.
    - ``length``: the name of a route is the most characters that it takes, such as ``{"2000": fast, "inf": long}``,
      counted over the query and the longest document; the smallest sufficient route gets the request.
    - A function that takes the request and returns the name of a route.

    Explanations: ``route``, the same for all documents of a request.

    Args:
        routes: rerankers by name, all of one scale; each as `secondpass.load` takes it.
        route: how to choose.
        default: the route for requests that have none of their own.
        languages: the languages to consider, if other than those of the routes; ``language`` only.

    Raises:
        CompositionError: the rerankers' scales differ; the message names two of them.
        ConfigError: a setting can't be used; when scoring: a request has no route, and there is no default.
        ScoringError: the function that chooses failed.
        MissingExtraError: ``language`` is asked for, and py3langid is not installed.
    """

    registry_name: ClassVar[str] = "routed"

    def __init__(
        self,
        routes: Mapping[str, RerankerLike],
        route: Literal["language", "length"] | Callable[[Request], str],
        *,
        default: str | None = None,
        languages: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(routes, Mapping) or not routes or not all(isinstance(name, str) for name in routes):
            takes = "a mapping of at least one name to its reranker"
            raise ConfigError(must_be("RoutedReranker: routes", takes, routes))
        if "type" in routes:
            raise ConfigError("RoutedReranker: a route can't be named 'type', the key of a reranker's configuration")
        if default is not None and (not isinstance(default, str) or default not in routes):
            raise ConfigError(must_be("RoutedReranker: default", f"one of the routes: {', '.join(routes)}", default))
        if route not in ("language", "length") and not callable(route):
            takes = "'language', 'length' or a function from a request to the name of its route"
            raise ConfigError(must_be("RoutedReranker: route", takes, route))
        if isinstance(languages, Iterable) and not isinstance(languages, str):
            languages = list(languages)
        codes = isinstance(languages, list) and all(isinstance(code, str) for code in languages)
        if languages is not None and (route != "language" or not codes):
            raise ConfigError("RoutedReranker: languages is a list of codes, and goes with route='language' only")
        self.routes = {name: member_of(self, reranker) for name, reranker in routes.items()}
        self.route, self.default = route, default
        self.languages = languages if isinstance(languages, list) else None
        self.scale = self._one_scale()
        # Only the language depends on the query alone; what a function looks at is not known.
        self.pointwise = route == "language" and all(reranker.pointwise for reranker in self.routes.values())
        # Which route a request takes adds no order of its documents.
        self.log_odds = all(map(takes_prior, self.routes.values())) or None
        self._candidates: list[str] | None = None
        self._limits: list[tuple[float, str]] = []
        if route == "language":
            coded = [name for name in self.routes if name != default]
            check_languages(coded or None)
            self._candidates = self.languages or (coded if default is None else None)
            check_languages(self._candidates)
        elif route == "length":
            self._limits = sorted((_limit(name), name) for name in self.routes)

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the routes, if it is the same for all."""
        first, *others = [reranker.calibration for reranker in self.routes.values()]
        return first if all(other == first for other in others) else None

    def to_config(self) -> dict[str, Any]:
        """Return the settings as plain data; refused if a function chooses, even one with a configuration."""
        if callable(self.route):
            raise unwritable(self.route, "RoutedReranker.route")
        return super().to_config()

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return what the constructor takes; each route may be a configuration."""
        if name == "routes" and isinstance(value, Mapping):
            return {route: from_config(of) if isinstance(of, Mapping) else of for route, of in value.items()}
        return super().built_setting(name, value)

    def _one_scale(self) -> Scale:
        first, *others = self.routes.items()
        for name, reranker in others:
            if reranker.scale is not first[1].scale:
                raise CompositionError(
                    f"RoutedReranker needs rerankers of one scale, but {first[1]!r} (route {first[0]!r}) gives "
                    f"{first[1].scale} scores and {reranker!r} (route {name!r}) {reranker.scale} ones; calibrate them"
                )
        return first[1].scale

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        chosen = [self._choose(request) for request in requests]
        of_route: dict[str, list[int]] = {}
        for at, (name, _) in enumerate(chosen):
            of_route.setdefault(name, []).append(at)
        scored: dict[int, Scores] = {}
        for name, positions in of_route.items():
            results = self.routes[name].score_many([requests[at] for at in positions])
            scored.update(zip(positions, results, strict=True))
        return [
            scored[at].rescored(scored[at].values, notes=(note,), route=[name] * len(request))
            for at, (request, (name, note)) in enumerate(zip(requests, chosen, strict=True))
        ]

    def _choose(self, request: Request) -> tuple[str, str]:
        """Return the name of the route, and what to note about it."""
        if self.route == "language":
            wanted = detect_language(request.query, self._candidates)
            if wanted is None:
                name = self.default or next(iter(self.routes))
                return name, f"route {name!r}, as the query shows no language"
        elif self.route == "length":
            length = len(request.query) + max(map(len, request.texts))
            wanted = next((name for limit, name in self._limits if length <= limit), f"{length} characters")
        else:
            assert callable(self.route)  # the constructor saw to it
            try:
                wanted = self.route(request)
            except SecondPassError:
                raise
            except Exception as exc:  # the function may be anyone's, and fail in any way
                raise ScoringError(f"choosing a route failed: {exc!r}") from exc
        if isinstance(wanted, str) and wanted in self.routes:
            return wanted, f"route {wanted!r}"
        if self.default is None:
            raise ConfigError(f"there is no route for {wanted!r}, only: {', '.join(self.routes)}; set a default")
        return self.default, f"route {self.default!r}, the default, as there is none for {wanted!r}"

    def __repr__(self) -> str:
        return f"RoutedReranker({self.routes!r}, {self.route!r})"


def _limit(name: str) -> float:
    try:
        limit = float(name)
    except ValueError:
        limit = math.nan
    if not limit > 0:
        takes = "the most characters that it takes, where route is 'length'"
        raise ConfigError(must_be("RoutedReranker: the name of a route", takes, name))
    return limit
