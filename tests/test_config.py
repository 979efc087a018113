"""Settings as plain data: to a configuration, from one, and into a fingerprint."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import pytest
import yaml

import secondpass as sp
from secondpass.config import Configured, construct, digest, settings_in, settings_of
from secondpass.errors import ConfigError
from secondpass.secret import Secret
from secondpass.validation import check_names


class Loading(TypedDict, total=False):
    device: str
    max_length: int


class Part(Configured):
    registry_name = "part"

    def __init__(self, size: int = 1) -> None:
        self.size = size


class Whole(Configured):
    registry_name = "whole"
    not_identity = frozenset({"progress"})

    def __init__(
        self,
        part: Part,
        *,
        path: Path | str = "a",
        key: str | None = None,
        clock: Callable[[], float] = time.time,
        progress: bool = False,
        parts: tuple[Part, ...] = (),
        **loading: Unpack[Loading],
    ) -> None:
        check_names(loading, Loading.__annotations__, "Whole")
        self.part, self.path, self.key, self.clock = part, path, Secret(key), clock
        self.progress, self.parts, self.loading = progress, parts, loading

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        return Part.from_config(value) if name == "part" else value


def test_a_configuration_holds_the_settings_and_no_key() -> None:
    """Parts are written with their names; paths are text, and settings that are passed along stand among the others."""
    whole = Whole(Part(3), path=Path("x") / "y", key="sk-1", parts=(Part(),), device="cpu")
    config = whole.to_config()
    assert config == {
        "type": "whole",
        "part": {"type": "part", "size": 3},
        "path": str(Path("x") / "y"),
        "progress": False,
        "parts": [{"type": "part", "size": 1}],
        "device": "cpu",
    }
    assert "sk-1" not in repr(config)
    assert settings_of(whole)["device"] == "cpu" and "loading" not in settings_of(whole)


def test_it_is_built_again_from_its_configuration() -> None:
    """With or without its type, through JSON."""
    written = json.loads(json.dumps(Whole(Part(3), max_length=8).to_config()))
    assert Whole.from_config(written).to_config() == written
    del written["type"]
    assert Whole.from_config(written).part.size == 3


def test_the_fingerprint_is_of_what_can_change_a_result() -> None:
    """Keys, and settings named as no part of the identity, are none of it; parts are, by their own."""
    plain = Whole(Part()).fingerprint
    assert Whole(Part(), key="sk-1", progress=True).fingerprint == plain
    others = (Whole(Part(2)), Whole(Part(), path="b"), Whole(Part(), device="cpu"), Whole(Part(), clock=time.monotonic))
    assert len({plain, *(other.fingerprint for other in others)}) == 5


def test_numbers_of_numpys_are_written_as_pythons() -> None:
    """Wherever they stand among the settings."""
    whole = Whole(Part(np.int64(3)), path="a", max_length=np.float32(0.5))  # type: ignore[arg-type]
    written = json.loads(json.dumps(whole.to_config()))
    assert written["part"]["size"] == 3 and written["max_length"] == 0.5
    assert Part(np.bool_(True)).to_config()["size"] is True  # type: ignore[arg-type]


@dataclass(frozen=True)
class Options:
    depth: int
    since: date | None = None


@pytest.mark.parametrize(
    "values",
    [
        (np.float32(0.1), np.float32(0.2)),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([[1.0], [2.0]]), np.array([1, 2])),
        (np.array(["a", None], dtype=object), np.array(["b", None], dtype=object)),
        (date(2026, 1, 1), date(2026, 1, 2), datetime(2026, 1, 1, tzinfo=UTC)),
        (b"a", b"b"),
        (Decimal("0.1"), Decimal("0.2")),
        (Options(1), Options(2), Options(1, date(2026, 1, 1))),
        ({"weights": np.array([1])}, {"weights": np.array([2])}),
    ],
)
def test_values_that_json_cannot_hold_take_part_in_the_fingerprint(values: tuple[Any, ...]) -> None:
    """Or a cache would give the scores of one setting for another; equal ones have one fingerprint."""
    assert len({Part(value).fingerprint for value in values}) == len(values)
    assert [Part(copy.deepcopy(value)).fingerprint for value in values] == [Part(value).fingerprint for value in values]


def test_a_parameter_that_is_not_kept_is_an_error_of_ours() -> None:
    """It says what a class of one's own has to do."""

    class Forgetful(Configured):
        registry_name = "forgetful"

        def __init__(self, model: str) -> None:
            self._model = model

    for use in (lambda one: one.to_config(), lambda one: one.fingerprint):
        with pytest.raises(ConfigError, match="Forgetful has no attribute 'model': keep each parameter of the const"):
            use(Forgetful("m"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"type": "part"}, "Whole has the type 'whole' in a configuration, not 'part'"),
        (
            {"pars": {}},
            r"Whole has no setting 'pars' \(did you mean 'parts'\?\); its settings are: part, .*, max_length",
        ),
        ({}, "missing a required argument: 'part'"),
        ({1: 2}, "keys of a configuration are names"),
        ([], "a configuration is a mapping, not list"),
        ({"part": 3}, "Part: a configuration is a mapping, not int"),
        ({"part": {}, "divice": "cpu"}, "did you mean 'device'"),
    ],
)
def test_what_is_no_configuration_is_refused(config: Any, message: str) -> None:
    """The error says whose it is, and what there is."""
    with pytest.raises(ConfigError, match=message):
        Whole.from_config(config)


def test_a_misspelt_setting_that_is_passed_along_is_refused_in_a_call_too() -> None:
    """A type checker says so first; see tests/typing."""
    with pytest.raises(ConfigError, match="did you mean 'device'"):
        Whole(Part(), devise="cpu")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="did you mean 'device'"):
        construct(Whole, part=Part(), devise="cpu")


def test_functions_and_objects_cannot_be_written() -> None:
    """Unless they are the default."""
    with pytest.raises(
        ConfigError, match=r"Whole\.clock is of the type builtin_function_or_method, which a configuration can't hold"
    ):
        Whole(Part(), clock=time.monotonic).to_config()


def test_without_a_name_there_is_no_configuration() -> None:
    """The error says what to set."""

    class Nameless(Configured):
        pass

    with pytest.raises(ConfigError, match="Nameless sets no registry_name"):
        Nameless().to_config()


def _nested(levels: int) -> dict[str, Any]:
    config: dict[str, Any] = {"type": "fake"}
    for _ in range(levels):
        config = {"type": "passage", "wrapped": config}
    return config


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_ITSELF = "type: passage\nwrapped: &w {type: passage, wrapped: *w}\n"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (_nested(3000), "nested more than 100 levels deep, or contains itself"),
        (yaml.safe_load(_ITSELF), "nested more than 100 levels deep, or contains itself"),
        ({"type": "fake", **yaml.safe_load(_BOMB)}, "more than 1000000 values"),
    ],
    ids=["deep", "itself", "bomb"],
)
def test_a_configuration_ends(config: dict[str, Any], message: str) -> None:
    """One that is too deep, contains itself, or unfolds into millions of values is an error of ours."""
    for build in (sp.from_config, sp.load, lambda of: settings_in(of, Part)):
        with pytest.raises(ConfigError, match=message):
            build(config)


def test_a_digest_is_of_the_data_alone() -> None:
    """The order of keys does not matter, that of a list does."""
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1}) != digest({"a": 1, "b": [2, 1]})
