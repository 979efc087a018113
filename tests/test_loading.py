"""Names, plug-ins and configurations."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

import secondpass as sp
from secondpass import registry
from secondpass.errors import ConfigError, ModelFormatError, ModelNotFoundError, RegistryError, SecondPassWarning
from secondpass.registry import Registry
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import FakeReranker
from tests.forks import exit_status_of_child, needs_fork


def _point(name: str, value: str, owner: str = "someone") -> EntryPoint:
    point = EntryPoint(name, value, "test.group")
    vars(point).update(dist=SimpleNamespace(name=owner))
    return point


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Let the test say which entry points are installed: packages can't be installed and removed within it."""
    points: list[EntryPoint] = []
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **wanted: points if "group" in wanted else [])
    return points


class TestRegistry:
    def test_our_own_names_are_registered(self) -> None:
        """The installed package names its rerankers and models by entry points."""
        assert {"cross-encoder", "fake"} <= set(registry.rerankers.names())

    @needs_fork
    def test_a_forked_child_can_register(self) -> None:
        """Though a thread of the parent was registering at that moment."""
        group = Registry("test.group")

        def act() -> None:
            group.register("mine", int)
            assert group.get("mine") is int

        with group._lock:
            assert exit_status_of_child(act, limit_s=30) == 0

    def test_a_plug_in_is_imported_when_it_is_asked_for(self, plug_ins: list[EntryPoint]) -> None:
        """Listing names imports nothing."""
        sys.modules.pop("colorsys", None)
        plug_ins.append(_point("mine", "colorsys:rgb_to_hls"))
        assert Registry("test.group").names() == ["mine"]
        assert "colorsys" not in sys.modules
        assert Registry("test.group").get("mine").__name__ == "rgb_to_hls"

    def test_an_unknown_name_lists_the_known_ones(self, plug_ins: list[EntryPoint]) -> None:
        """The message shows what there is."""
        plug_ins.append(_point("mine", "colorsys:rgb_to_hls"))
        with pytest.raises(RegistryError, match="no 'other'; there are: mine"):
            Registry("test.group").get("other")

    def test_a_broken_plug_in_is_named_and_left_out(self, plug_ins: list[EntryPoint]) -> None:
        """One that can't be imported neither hides nor breaks the others."""
        plug_ins += [_point("broken", "no_such_module:x"), _point("mine", "colorsys:rgb_to_hls")]
        with pytest.warns(SecondPassWarning, match=r"'broken' \(no_such_module:x\) can't be loaded"):
            assert list(Registry("test.group").load_all()) == ["mine"]
        with pytest.raises(RegistryError, match="can't be loaded: No module named 'no_such_module'"):
            Registry("test.group").get("broken")

    def test_two_packages_with_one_name_collide(self, plug_ins: list[EntryPoint]) -> None:
        """The message names both packages; the same one twice on the path is no collision."""
        plug_ins += [_point("mine", "a:x", "package-a"), _point("mine", "b:x", "package-b")]
        with pytest.raises(RegistryError, match=r"a:x \(package-a\) and b:x \(package-b\)"):
            Registry("test.group").get("mine")
        plug_ins[:] = [_point("mine", "colorsys:rgb_to_hls")] * 2
        assert Registry("test.group").get("mine")

    def test_registering_in_the_process(self, plug_ins: list[EntryPoint]) -> None:
        """A plug-in may be registered by a call; a taken name is refused, the same object again is not."""
        plug_ins.append(_point("mine", "colorsys:rgb_to_hls"))
        group = Registry("test.group")
        group.register("other", FakeReranker)
        group.register("other", FakeReranker)
        assert group.names() == ["mine", "other"] and group.get("other") is FakeReranker
        for name in ("mine", "other"):
            with pytest.raises(RegistryError, match=f"{name!r} is taken"):
                group.register(name, CrossEncoderReranker)


class TestLoad:
    def test_by_name(self) -> None:
        """A name alone takes the defaults; settings go by keyword, the first also after a colon."""
        assert isinstance(sp.load("fake"), FakeReranker)
        assert sp.load("fake", scale="logit").scale is sp.Scale.LOGIT
        loaded = sp.load("cross-encoder:ms-marco-MiniLM-L12-v2")
        assert isinstance(loaded, CrossEncoderReranker) and loaded.model == "ms-marco-MiniLM-L12-v2"

    def test_a_plug_in_that_makes_no_reranker_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By its name and in a configuration; a function that makes one has a name only."""
        plug_ins = {"maker": lambda: FakeReranker(), "object": 3, "list": lambda: [FakeReranker()]}
        monkeypatch.setattr(registry.rerankers, "_registered", plug_ins)
        assert isinstance(sp.load("maker"), FakeReranker)
        for name in ("object", "list"):
            with pytest.raises(RegistryError, match=rf"'{name}' is .*, which makes no Reranker"):
                sp.load(name)
        for name in plug_ins:
            with pytest.raises(RegistryError, match=rf"'{name}' is .*, not a class of rerankers"):
                sp.from_config({"type": name})

    def test_any_other_name_is_a_cross_encoders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of the catalogue, by its former name too, or a folder, as a path or with a tilde."""
        for name in ("ms-marco-MiniLM-L12-v2", "cross-encoder/ms-marco-MiniLM-L-12-v2"):
            loaded = sp.load(name, max_length=64)
            assert isinstance(loaded, CrossEncoderReranker) and loaded.model == name
            assert loaded.pair_model.files.spec.name == "ms-marco-MiniLM-L12-v2"  # type: ignore[attr-defined]
        (tmp_path / "mine").symlink_to(loaded.pair_model.files.folder)  # type: ignore[attr-defined]
        monkeypatch.setenv("HOME", str(tmp_path))
        for folder in ("~/mine", Path("~/mine"), tmp_path / "mine"):
            own = sp.load(folder)
            assert isinstance(own, CrossEncoderReranker) and own.pair_model.files.source == "folder"  # type: ignore[attr-defined]

    def test_a_mapping_or_a_reranker_is_taken_too(self) -> None:
        """What adapters accept as a reranker is what `load` accepts."""
        fake = FakeReranker()
        assert sp.load(fake) is fake
        assert sp.load({"type": "fake"}).to_config() == fake.to_config()

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: sp.load("nope"), RegistryError, "'nope' is neither a reranker nor a cross-encoder; there are"),
            (lambda: sp.load("crossencoder"), RegistryError, "\\(did you mean 'cross-encoder'\\?\\)"),
            (lambda: sp.load("cross_encoder:x"), RegistryError, "no 'cross_encoder' \\(did you mean 'cross-encoder'"),
            (lambda: sp.load("MiniLM-L12-v2"), RegistryError, "\\(did you mean 'ms-marco-MiniLM-L12-v2'\\?\\)"),
            (
                lambda: sp.load("cross-encoder/ms-marco-MiniLM-L12"),
                ModelNotFoundError,
                "mean 'cross-encoder/ms-marco-MiniLM-L12-v2'",
            ),
            (lambda: sp.load("answerai-colbert-small-v1"), ModelFormatError, "use it with ColbertReranker"),
            (lambda: sp.from_config({"type": "CrossEncoder"}), RegistryError, "did you mean 'cross-encoder'"),
            (lambda: sp.load("fake", size=3), ConfigError, "'size'; its settings are: scale, pointwise"),
            (lambda: sp.load(3), ConfigError, "or a Reranker, not int"),  # type: ignore[arg-type]
            (lambda: sp.load(FakeReranker(), scale="logit"), ConfigError, "together with a reranker's name"),
            (lambda: sp.from_config({"scale": "logit"}), ConfigError, "its name under 'type'"),
            (lambda: sp.from_config({"type": "fake", "no": 1}), ConfigError, "its settings are: scale, pointwise"),
            (lambda: sp.from_config([]), ConfigError, "its name under 'type'"),  # type: ignore[arg-type]
            (lambda: sp.from_config({"type": "fake", 1: 2}), ConfigError, "are names"),  # type: ignore[dict-item]
        ],
    )
    def test_errors_say_what_there_is(self, call, error, message) -> None:  # type: ignore[no-untyped-def]
        """A wrong name lists the names, a wrong setting the settings."""
        with pytest.raises(error, match=message):
            call()

    def test_a_folder_is_told_what_it_lacks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It needs no separator in its name to be one; one that is empty is none."""
        (tmp_path / "my-model").mkdir()
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ModelNotFoundError, match=r"folder: my-model has no model\.onnx"):
            sp.load("my-model")
        with pytest.raises(RegistryError, match="'' is neither a reranker nor a cross-encoder; there are"):
            sp.load("")

    @pytest.mark.parametrize("name", ["x" * 5000, "cross-encoder/" + "x" * 5000, "fake:" + "x" * 5000])
    def test_a_name_longer_than_any_path_is_an_error_of_ours(self, name: str) -> None:
        """And the message does not repeat all of it."""
        with pytest.raises((ModelNotFoundError, RegistryError, ConfigError)) as caught:
            sp.load(name)
        assert len(str(caught.value)) < 2000


def test_what_is_no_reranker_is_told_by_what_it_is() -> None:
    """A verifier's configuration, where a reranker's is expected: the error names the group, and the class."""
    said = r"no 'fact', but secondpass\.verifiers has it: secondpass\.verify\.verifier:FactVerifier; there are: ab-test"
    with pytest.raises(RegistryError, match=said):
        sp.from_config({"type": "fact"})
