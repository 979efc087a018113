"""Routing: contract, each way to choose, one batch for each route, what is refused."""

import json
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass import language
from secondpass.base import Reranker
from secondpass.composition.routed import RoutedReranker
from secondpass.errors import CompositionError, ConfigError, InputError, MissingExtraError, ScoringError
from secondpass.testing import FakeReranker, RerankerContract
from secondpass.types import Request, Scale, Scores, Trace


class Recording(Reranker):
    """Gives every document the same score, and keeps what it was asked."""

    registry_name: ClassVar[str] = "recording"

    def __init__(self, value: float = 0.0) -> None:
        self.value = value
        self.calls: list[list[str]] = []

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.calls.append([request.query for request in requests])
        columns = {"passage": [self.value]}
        return [Scores(np.full(len(r), self.value), columns, Trace(counts={"pairs": len(r)})) for r in requests]


def _first_letter(request: Request) -> str:
    return request.query[0]


class TestContractByLanguage(RerankerContract):
    tolerance = 0.0

    def make(self) -> RoutedReranker:
        return RoutedReranker({"en": FakeReranker(), "de": FakeReranker()}, "language")


class TestContractByLength(RerankerContract):
    tolerance = 0.0

    def make(self) -> RoutedReranker:
        routes = {"70": FakeReranker(scale="logit"), "200": FakeReranker(scale="logit", pointwise=False)}
        return RoutedReranker(routes, "length", default="70")


class TestRouting:
    def test_one_batch_for_each_route(self) -> None:
        """Requests of a route go together, each answer comes back in its place, and says which route it took."""
        a, b = Recording(1.0), Recording(2.0)
        routed = RoutedReranker({"a": a, "b": b}, _first_letter)
        rankings = routed.rerank_many([("b1", ["x"]), ("a1", ["x"]), ("a2", []), ("b2", ["x"]), ("a3", ["x"])])
        assert a.calls == [["a1", "a3"]] and b.calls == [["b1", "b2"]]
        assert [[d.score for d in ranking] for ranking in rankings] == [[2.0], [1.0], [], [2.0], [1.0]]
        assert rankings[0][0].explanation == {"passage": 2.0, "route": "b"}
        assert rankings[0].trace.notes == ("route 'b'",) and rankings[0].trace.total("pairs") == 1
        assert [stage.name for stage in rankings[0].trace.stages] == ["Recording"]

    @given(st.lists(st.sampled_from("abc"), max_size=12))
    def test_it_scores_as_the_route_does(self, letters: list[str]) -> None:
        """Whatever the mixture of requests, each has the scores that its own reranker gives."""
        routes = {"a": Recording(1.0), "b": Recording(2.0), "c": Recording(3.0)}
        rankings = RoutedReranker(routes, _first_letter).rerank_many([(letter, ["x"]) for letter in letters])
        assert [ranking[0].score for ranking in rankings] == [routes[letter].value for letter in letters]
        assert all(len(route.calls) <= 1 for route in routes.values())

    def test_what_has_no_route_takes_the_default(self) -> None:
        """And the trace says so; without one it is an error that lists the routes."""
        routes = {"a": Recording(1.0), "b": Recording(2.0)}
        ranking = RoutedReranker(routes, _first_letter, default="b").rerank("query", ["x"])
        assert ranking[0].explanation["route"] == "b"
        assert ranking.trace.notes == ("route 'b', the default, as there is none for 'q'",)
        with pytest.raises(ConfigError, match="no route for 'q', only: a, b; set a default"):
            RoutedReranker(routes, _first_letter).rerank("query", ["x"])
        with pytest.raises(ConfigError, match="no route for None"):
            RoutedReranker(routes, lambda request: None).rerank("query", ["x"])  # type: ignore[arg-type,return-value]

    def test_a_function_that_fails_is_said_to(self) -> None:
        """Its error is the cause; one of ours comes through as it is."""

        def failing(error: Exception) -> Any:
            def route(request: Request) -> str:
                raise error

            return RoutedReranker({"a": Recording()}, route)

        with pytest.raises(ScoringError, match="choosing a route failed: KeyError") as caught:
            failing(KeyError("x")).rerank("q", ["x"])
        assert isinstance(caught.value.__cause__, KeyError)
        with pytest.raises(InputError, match="mine"):
            failing(InputError("mine")).rerank("q", ["x"])

    def test_traits_are_those_of_the_routes(self) -> None:
        """The routes' scale; pointwise only if nothing but the query decides, and if they are."""
        fakes = {"en": FakeReranker(), "de": FakeReranker()}
        assert RoutedReranker(fakes, "language").scale is Scale.PROBABILITY
        assert RoutedReranker(fakes, "language").pointwise
        assert not RoutedReranker({**fakes, "fr": FakeReranker(pointwise=False)}, "language").pointwise
        assert not RoutedReranker(fakes, _first_letter).pointwise


class TestLanguage:
    def test_queries_go_to_their_language(self) -> None:
        """Real sentences, real detection; k and order are untouched."""
        english, german, french = Recording(1.0), Recording(2.0), Recording(3.0)
        routed = RoutedReranker({"en": english, "de": german, "fr": french}, "language")
        queries = ["how do I copy a file", "wie kopiere ich eine Datei", "comment copier un fichier"]
        assert [r[0].score for r in routed.rerank_many([(query, ["x"]) for query in queries])] == [1.0, 2.0, 3.0]

    def test_without_a_default_only_the_routes_languages_count(self) -> None:
        """French among English and German goes to one of them."""
        routed = RoutedReranker({"en": Recording(), "de": Recording()}, "language")
        assert routed.rerank("comment copier un fichier", ["x"])[0].explanation["route"] in ("en", "de")

    def test_with_a_default_others_take_it(self) -> None:
        """English to the English model, and all else to the multilingual one, whose name is free."""
        routed = RoutedReranker({"en": Recording(), "multilingual": Recording()}, "language", default="multilingual")
        queries = ["how do I copy a file from one folder to another", "comment copier un fichier dans un autre dossier"]
        routes = [r[0].explanation["route"] for r in routed.rerank_many([(query, ["x"]) for query in queries])]
        assert routes == ["en", "multilingual"]

    def test_languages_narrow_the_choice(self) -> None:
        """Only those that are named are told apart; one without a route takes the default."""
        routes = {"en": Recording(), "other": Recording()}
        routed = RoutedReranker(routes, "language", default="other", languages=["en", "fr"])
        assert routed.rerank("comment copier", ["x"]).trace.notes == (
            "route 'other', the default, as there is none for 'fr'",
        )
        assert routed.rerank("copy a file", ["x"])[0].explanation["route"] == "en"

    def test_a_query_without_letters(self) -> None:
        """Digits have no language: the default, or else the first route, and the trace says why."""
        routes = {"en": Recording(), "de": Recording()}
        assert RoutedReranker(routes, "language").rerank("12345 ??", ["x"]).trace.notes == (
            "route 'en', as the query shows no language",
        )
        assert RoutedReranker(routes, "language", default="de").rerank("1", ["x"])[0].explanation["route"] == "de"

    def test_two_routers_do_not_restrict_each_other(self) -> None:
        """Each has its own languages, though the detector is loaded once for each set."""
        one = RoutedReranker({"en": Recording(), "de": Recording()}, "language")
        RoutedReranker({"fr": Recording(), "es": Recording()}, "language").rerank("bonjour tout le monde", ["x"])
        assert one.rerank("wie kopiere ich eine Datei", ["x"])[0].explanation["route"] == "de"

    def test_unknown_codes_are_refused(self) -> None:
        """When it is built; the message lists the known ones, and a default's name is free."""
        with pytest.raises(ConfigError, match=r"english.*can be told apart are: .*en, .*fr"):
            RoutedReranker({"english": Recording(), "de": Recording()}, "language")
        with pytest.raises(ConfigError, match="xx"):
            RoutedReranker({"en": Recording(), "de": Recording()}, "language", default="en", languages=["en", "xx"])
        for languages in ("en", [["en"]], [1], 5):
            with pytest.raises(ConfigError, match="languages is a list of codes"):
                RoutedReranker({"en": Recording(), "de": Recording()}, "language", languages=languages)  # type: ignore[arg-type]

    def test_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without py3langid the constructor says what to install."""
        monkeypatch.setitem(sys.modules, "py3langid.langid", None)
        language._identifier.cache_clear()
        with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[language\]"'):
            RoutedReranker({"en": Recording()}, "language")


class TestLength:
    def test_the_smallest_that_is_enough(self) -> None:
        """Characters of the query and the longest document; borders included; numbers, not texts, are ordered."""
        routes = {"inf": Recording(), "90": Recording(), "200": Recording()}
        routed = RoutedReranker(routes, "length")
        lengths = [(1, "90"), (89, "90"), (90, "200"), (199, "200"), (200, "inf")]
        for length, route in lengths:
            assert routed.rerank("q", ["x" * length])[0].explanation["route"] == route

    def test_the_longest_document_counts(self) -> None:
        """One long one among short ones sends the request to the long route."""
        scored = RoutedReranker({"10": FakeReranker(), "99": FakeReranker()}, "length").rerank(
            "q", ["x", "x" * 50, "x"]
        )
        assert {d.explanation["route"] for d in scored} == {"99"}

    def test_too_long_for_all(self) -> None:
        """The default, or an error."""
        routes = {"10": Recording(), "20": Recording()}
        assert RoutedReranker(routes, "length", default="20").rerank("q", ["x" * 99])[0].explanation["route"] == "20"
        with pytest.raises(ConfigError, match="no route for '100 characters'"):
            RoutedReranker(routes, "length").rerank("q", ["x" * 99])

    @pytest.mark.parametrize("name", ["short", "0", "-1", "nan", ""])
    def test_names_must_be_lengths(self, name: str) -> None:
        """Anything else is refused when it is built."""
        with pytest.raises(ConfigError, match="the most characters"):
            RoutedReranker({name: Recording()}, "length")


class TestSettings:
    def test_scales_must_be_equal(self) -> None:
        """The message names both sides, with their routes."""
        with pytest.raises(CompositionError, match=r"route 'a'.* gives probability .*route 'b'.* logit"):
            RoutedReranker({"a": FakeReranker(), "b": FakeReranker(scale="logit")}, _first_letter)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"routes": {}}, "at least one"),
            ({"routes": [FakeReranker()]}, "at least one"),
            ({"routes": {1: FakeReranker()}}, "at least one"),
            ({"routes": {"type": FakeReranker()}}, "'type'"),
            ({"routes": {"en": 3}}, "wraps a Reranker, not a int"),
            ({"route": "color"}, "not 'color'"),
            ({"default": "fr"}, "default must be one of the routes: en, not 'fr'"),
            ({"languages": ["en"], "route": _first_letter}, "route='language' only"),
            ({"languages": "en"}, "a list of codes"),
            ({"languages": 3}, "a list of codes"),
            ({"default": ["en"]}, r"default must be one of the routes: en, not \['en'\]"),
        ],
    )
    def test_settings_that_cannot_be_are_refused(self, settings: dict[str, Any], message: str) -> None:
        """When it is built, not when it is used."""
        with pytest.raises(ConfigError, match=message):
            RoutedReranker(**{"routes": {"en": FakeReranker()}, "route": "language", **settings})

    def test_nested_routes_are_data(self) -> None:
        """Routers within routers go through JSON; a function does not."""
        inner = RoutedReranker({"100": FakeReranker(), "inf": FakeReranker()}, "length")
        routed = RoutedReranker({"en": inner, "de": FakeReranker()}, "language", default="de", languages=["en", "de"])
        restored = sp.from_config(json.loads(json.dumps(routed.to_config())))
        assert restored.to_config() == routed.to_config() and restored.fingerprint == routed.fingerprint
        with pytest.raises(ConfigError, match=r"RoutedReranker.route is of the type function"):
            RoutedReranker({"a": FakeReranker()}, _first_letter).to_config()

    def test_an_object_that_chooses_is_no_data_either(self) -> None:
        """Whatever it writes down, the configuration could not be built again."""

        class Chooser:
            def __call__(self, request: Request) -> str:
                return "a"

            def to_config(self) -> dict[str, str]:
                return {"kind": "chooser"}

        with pytest.raises(ConfigError, match=r"RoutedReranker.route is of the type Chooser"):
            RoutedReranker({"a": FakeReranker()}, Chooser()).to_config()
