"""Versions come in whole, are found by name and metric, and move between aliases; what is wrong with one is said."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

import secondpass as sp
from secondpass.errors import ConfigError, InputError, ModelFormatError, ModelIntegrityError, ModelNotFoundError
from secondpass.learn import ModelStore, ModelVersion, StoreError
from secondpass.learn.store import registry as registry_file
from secondpass.learn.store.files import _ABANDONED_S
from secondpass.models import load_embedding_model
from tests.models.tiny_encoder import save_tiny_encoder
from tests.permissions import needs_permissions, open_folder, unprivileged

TINY: Any = {"backend": "onnx", "smoke_test": False}  # random weights, on the fused graph


def _names(versions: tuple[ModelVersion, ...]) -> list[str]:
    return [version.name for version in versions]


class TestAdding:
    def test_a_version_has_all_that_is_known_of_it(self, store: ModelStore, tiny: Path) -> None:
        """Name, base, data, settings, metrics, hashes and size are in the registry, and come back from it."""
        added = store.add(
            tiny,
            base="tiny",
            data_hash="a" * 64,
            settings={"epochs": 2},
            metrics={"nDCG@10": np.float64(0.5)},
            note="x",
        )
        assert (added.name, added.task, added.base, added.settings) == ("v1", "rerank", "tiny", {"epochs": 2})
        assert added.metrics == {"nDCG@10": 0.5} and added.created.endswith("+00:00")
        assert set(added.files) == {"config.json", "model.safetensors", "tokenizer.json"}
        assert added.size_bytes == sum(path.stat().st_size for path in tiny.iterdir())
        assert ModelStore(store.folder).list() == (added,)
        assert repr(store) == f"ModelStore({str(store.folder)!r}, 1 version)" and len(store) == 1

    def test_names_are_numbers_that_never_come_again(self, store: ModelStore, tiny: Path) -> None:
        """After v2 was removed the next one is v3; a name of one's own is kept, and taken once."""
        assert [store.add(tiny).name for _ in range(2)] == ["v1", "v2"]
        store.prune(keep=0)
        assert store.add(tiny).name == "v3"
        assert store.add(tiny, name="summer-2026").name == "summer-2026"
        with pytest.raises(ConfigError, match="has a version or an alias 'summer-2026' already"):
            store.add(tiny, name="summer-2026")

    @pytest.mark.parametrize("name", ["", "../v1", "a/b", ".hidden", "x" * 101, "v 1", "ü"])
    def test_a_name_is_no_path(self, store: ModelStore, tiny: Path, name: str) -> None:
        """Only letters, digits and a few signs are taken."""
        with pytest.raises(ConfigError, match="a version's name is made of letters"):
            store.add(tiny, name=name)
        assert not store.folder.exists()

    def test_what_is_no_model_is_refused(self, store: ModelStore, tiny: Path, tmp_path: Path) -> None:
        """An empty folder, a file, a folder without weights, pickles, another kind of task."""
        folder = tmp_path / "source"
        folder.mkdir()
        with pytest.raises(InputError, match="is empty: there is no model in it"):
            store.add(folder)
        (folder / "config.json").write_text("{}")
        with pytest.raises(ModelNotFoundError):
            store.add(folder)
        (folder / "optimizer.pt").write_bytes(b"")
        with pytest.raises(ModelFormatError, match=r"optimizer\.pt is of a kind that is pickled"):
            store.add(folder)
        with pytest.raises(InputError, match="is not a folder"):
            store.add(tiny / "config.json")
        with pytest.raises(ConfigError, match="task must be 'rerank', 'nli', 'embed' or 'colbert'"):
            store.add(tiny, task="generate")  # type: ignore[arg-type]  # that is what is tested
        assert store.list() == () and not store.folder.exists()

    @pytest.mark.parametrize(
        ("about", "message"),
        [
            ({"settings": {"f": print}}, "settings must be plain data"),
            ({"settings": {"x": float("nan")}}, "settings must be plain data"),
            ({"metrics": {"nDCG@10": float("nan")}}, "metrics: nDCG@10 must be a finite number"),
            ({"metrics": {"nDCG@10": "0.5"}}, "write the number without quotes"),
            ({"base": None}, "base must be a str"),
        ],
    )
    def test_only_plain_data_is_kept(
        self, store: ModelStore, tiny: Path, about: dict[str, object], message: str
    ) -> None:
        """What JSON can't hold is refused before anything is written."""
        with pytest.raises(ConfigError, match=message):
            store.add(tiny, **about)
        assert not store.folder.exists()

    def test_files_are_copied_whatever_their_source(self, store: ModelStore, tiny: Path, tmp_path: Path) -> None:
        """Files are copied, those behind links too."""
        source = tmp_path / "linked"
        source.mkdir()
        for path in tiny.iterdir():
            (source / path.name).symlink_to(path)
        version = store.add(source)
        assert not any(path.is_symlink() for path in store.path(version.name).iterdir())


class TestLoading:
    def test_a_version_is_a_name_for_every_model(self, store: ModelStore, tiny: Path) -> None:
        """`load`, a reranker, a configuration and YAML take it; without a mark it is production."""
        store.add(tiny)
        store.promote("v1")
        expected = sp.CrossEncoderReranker(tiny, **TINY).score("a file", ["copy a file", "rain"])
        uri = store.uri("v1")
        assert uri == f"store:{store.folder}#v1"
        loaded = store.load(**TINY)
        assert loaded.model == uri
        for reranker in (
            loaded,
            sp.CrossEncoderReranker(store.uri(), **TINY),
            sp.load(f"cross-encoder:store:{store.folder}", **TINY),
            sp.from_config(loaded.to_config()),
        ):
            np.testing.assert_array_equal(reranker.score("a file", ["copy a file", "rain"]), expected)

    def test_an_alias_that_moves_is_another_model(self, store: ModelStore, tiny: Path, tmp_path: Path) -> None:
        """The fingerprint follows the weights, so that no cache mixes up two versions."""
        other = save_tiny_encoder(tmp_path / "other", tiny, width=8)
        for folder in (tiny, other):
            store.add(folder)
        prints = []
        for name in ("v1", "v2"):
            store.promote(name)
            prints.append(sp.CrossEncoderReranker(store.uri(), **TINY).fingerprint)
        assert prints[0] != prints[1]

    def test_every_change_of_a_file_is_noticed(self, store: ModelStore, tiny: Path) -> None:
        """A changed, a missing and an added file: none of these is loaded."""
        store.add(tiny)
        folder = store.path("v1")
        config = (folder / "config.json").read_text()
        (folder / "config.json").write_text(config.replace("64", "32"))
        with pytest.raises(ModelIntegrityError, match=r"v1 in .*: config\.json is not the file that was added"):
            store.load("v1")
        (folder / "config.json").unlink()
        with pytest.raises(ModelIntegrityError, match=r"config\.json is missing"):
            sp.CrossEncoderReranker(store.uri("v1"), **TINY)
        (folder / "config.json").write_text(config)
        (folder / "model.onnx").write_bytes(b"another model, which would be taken first")
        with pytest.raises(ModelIntegrityError, match=r"model\.onnx was put there later"):
            store.path("v1")
        with pytest.raises(ModelIntegrityError):
            store.promote("v1")
        (folder / "model.onnx").unlink()
        (folder / "1_Pooling").symlink_to(tiny)
        with pytest.raises(ModelIntegrityError, match="1_Pooling was put there later"):
            store.path("v1")

    def test_what_is_not_there_is_said(self, store: ModelStore, tiny: Path, tmp_path: Path) -> None:
        """No store, no such version, another task: with what there is."""
        with pytest.raises(ModelNotFoundError, match=r"is not a folder with a registry\.json"):
            sp.CrossEncoderReranker(f"store:{tmp_path}#v1")
        with pytest.raises(ModelNotFoundError, match="nothing is not a folder"):
            sp.CrossEncoderReranker("store:#v1")
        store.add(tiny)
        with pytest.raises(ModelNotFoundError, match="no version or alias 'v2'; versions: v1; aliases: none"):
            store.load("v2")
        with pytest.raises(ModelFormatError, match="is a model for the task 'rerank', not 'embed'"):
            load_embedding_model(store.uri("v1"))

    @pytest.mark.parametrize(
        "damage",
        [
            "",
            "[]",
            '{"format": 2}',
            '{"format": 1}',
            '{"format": 1, "versions": [{"name": "../x"}], "aliases": {}, "next_number": 1, "events": []}',
            '{"format": 1, "versions": [], "aliases": {"production": ["v1"]}, "next_number": 1, "events": []}',
            '{"format": 1, "versions": [], "aliases": {"production": []}, "next_number": 1, "events": []}',
        ],
    )
    def test_a_damaged_registry_is_named_and_not_overwritten(self, store: ModelStore, tiny: Path, damage: str) -> None:
        """Neither reading nor adding goes on with it."""
        store.add(tiny)
        path = store.folder / "registry.json"
        path.write_text(damage)
        for act in (store.list, lambda: store.add(tiny), lambda: sp.CrossEncoderReranker(store.uri("v1"))):
            with pytest.raises(ModelIntegrityError, match=r"registry\.json"):
                act()
        assert path.read_text() == damage

    @pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "", "a\\b"])
    def test_a_registry_can_not_name_files_elsewhere(self, store: ModelStore, tiny: Path, name: str) -> None:
        """Paths lead nowhere but into the version's folder."""
        store.add(tiny)
        path = store.folder / "registry.json"
        data = json.loads(path.read_text())
        data["versions"][0]["files"] = {name: "0" * 64}
        path.write_text(json.dumps(data))
        with pytest.raises(ModelIntegrityError, match="is damaged"):
            store.list()


class TestChoosing:
    def test_the_best_of_a_metric(self, store: ModelStore, light: Path) -> None:
        """The highest, or the lowest; of equal ones the newest; what lacks the metric is passed over."""
        for metrics in ({"nDCG@10": 0.5, "ECE": 0.02}, {"nDCG@10": 0.7, "ECE": 0.09}, {"nDCG@10": 0.7}, {}):
            store.add(light, metrics=metrics)
        assert store.best("nDCG@10").name == "v3" and store.best("ECE", lowest=True).name == "v1"
        with pytest.raises(ConfigError, match=r"has the metric 'MRR'; there are: ECE, nDCG@10"):
            store.best("MRR")

    def test_promoted_and_rolled_back(self, store: ModelStore, light: Path) -> None:
        """Rolling back goes as far as there is a version before; each step is an event with its reason."""
        for _ in range(3):
            store.add(light)
        for name in ("v1", "v2", "v3"):
            previous = store.promote(name, reason=f"try {name}").previous
        assert previous is not None and previous.name == "v2" and store.aliases == {"production": "v3"}
        assert store.promote("v3").promoted and store.rollback(reason="slow").name == "v2"
        assert store.rollback().name == "v1" == store.version().name
        with pytest.raises(ConfigError, match=r"can't be rolled back: there is no version before v1"):
            store.rollback()
        with pytest.raises(ConfigError, match="there is no such alias"):
            store.rollback("staging")
        assert [event["action"] for event in store.events] == ["add"] * 3 + ["promote"] * 4 + ["rollback"] * 2
        assert (store.events[-2]["version"], store.events[-2]["previous"], store.events[-2]["reason"]) == (
            ("v2", "v3", "slow")
        )

    def test_a_damaged_version_is_no_way_back(self, store: ModelStore, light: Path) -> None:
        """The alias stays where it is."""
        for name in ("v1", "v2"):
            store.add(light)
            store.promote(name)
        (store.folder / "versions" / "v1" / "config.json").unlink()
        with pytest.raises(ModelIntegrityError, match=r"config\.json is missing"):
            store.rollback()
        assert store.aliases == {"production": "v2"}

    def test_an_alias_is_no_version_and_no_path(self, store: ModelStore, light: Path) -> None:
        """Names can't be mistaken for each other."""
        store.add(light)
        with pytest.raises(ConfigError, match="'v1' is the name of a version"):
            store.promote("v1", "v1")
        with pytest.raises(ConfigError, match="an alias is made of letters"):
            store.promote("v1", "a/b")
        store.promote("v1", "staging")
        with pytest.raises(ConfigError, match="has a version or an alias 'staging' already"):
            store.add(light, name="staging")

    def test_pruning_keeps_what_is_needed(self, store: ModelStore, light: Path) -> None:
        """The newest, what aliases point to, and the way back; all else goes, and its folder."""
        for _ in range(7):
            store.add(light)
        for name in ("v1", "v2", "v3"):
            store.promote(name)
        assert _names(store.prune(keep=2)) == ["v1", "v4", "v5"]
        assert _names(store.list()) == ["v2", "v3", "v6", "v7"]
        assert sorted(path.name for path in (store.folder / "versions").iterdir()) == ["v2", "v3", "v6", "v7"]
        assert store.rollback().name == "v2"
        with pytest.raises(ConfigError, match="no version before v2"):
            store.rollback()
        assert ModelStore(store.folder / "nowhere").prune() == ()

    def test_pruning_removes_what_killed_processes_left(self, store: ModelStore, light: Path) -> None:
        """Folders that nothing lists go at once, a copy once nobody has written to it for a day."""
        store.add(light)
        versions = store.folder / "versions"
        for name in ("v9", ".adding-old", ".adding-new"):
            (versions / name).mkdir()
            (versions / name / "model.safetensors").write_bytes(b"half")
        long_ago = time.time() - _ABANDONED_S - 60
        for path in (versions / ".adding-old" / "model.safetensors", versions / ".adding-old"):
            os.utime(path, (long_ago, long_ago))
        assert store.add(light).name == "v2"
        store.prune()
        assert sorted(path.name for path in versions.iterdir()) == [".adding-new", "v1", "v2"]


class TestTrouble:
    def test_a_store_is_a_folder(self, tmp_path: Path, tiny: Path) -> None:
        """A file is none, nor is nothing; there is nothing to promote before something was added."""
        (tmp_path / "file").write_text("")
        for folder in (tmp_path / "file", "", None):
            with pytest.raises(ConfigError, match="ModelStore"):
                ModelStore(folder)  # type: ignore[arg-type]  # that is what is tested
        with pytest.raises(ConfigError, match="timeout_s must be a number of seconds"):
            ModelStore(tmp_path, timeout_s=0)
        with pytest.raises(ConfigError, match="there is no ModelStore in"):
            ModelStore(tmp_path / "none").rollback()

    @needs_permissions
    def test_without_permission_nothing_is_written(self, tiny: Path) -> None:
        """The error is ours; reading still works."""
        with open_folder() as folder:
            source = folder / "source"
            source.mkdir()
            for path in tiny.iterdir():
                (source / path.name).write_bytes(path.read_bytes())
            store = ModelStore(folder / "models")
            store.add(source)
            for path in (store.folder / "versions", store.folder):
                path.chmod(0o555)
            with unprivileged():
                with pytest.raises(StoreError, match=r"can't be written: .*Permission denied"):
                    store.add(source)
                with pytest.raises(StoreError, match=r"can't be written: .*Permission denied"):
                    store.promote("v1")
                assert _names(store.list()) == ["v1"] and store.path("v1").is_dir()
            assert [path.name for path in (store.folder / "versions").iterdir()] == ["v1"]

    @needs_permissions
    def test_what_may_not_be_read_is_said(self, tiny: Path) -> None:
        """Of a store, and of a model that is to be added; nothing is left of it."""
        with open_folder() as folder:
            (folder / "model").mkdir()
            for path in tiny.iterdir():
                (folder / "model" / path.name).write_bytes(path.read_bytes())
            (folder / "model" / "notes.txt").write_text("")
            (folder / "model" / "notes.txt").chmod(0)
            with unprivileged():
                store = ModelStore(folder / "models")
                with pytest.raises(InputError, match=r"notes\.txt can't be read: .*Permission denied"):
                    store.add(folder / "model")
                assert not list((store.folder / "versions").iterdir())
            store.folder.chmod(0)
            with unprivileged(), pytest.raises(ModelIntegrityError, match=r"registry\.json can't be read"):
                store.list()

    def test_a_disk_that_is_full_for_the_registry(
        self, store: ModelStore, light: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The version's folder goes again, and the registry is what it was."""
        store.add(light)
        before = (store.folder / "registry.json").read_bytes()

        def full(path: Path, contents: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(registry_file, "write_whole", full)
        for act in (lambda: store.add(light), lambda: store.promote("v1"), lambda: store.prune(0)):
            with pytest.raises(StoreError, match=r"registry\.json can't be written: .*No space left"):
                act()
        assert (store.folder / "registry.json").read_bytes() == before
        assert [path.name for path in (store.folder / "versions").iterdir()] == ["v1"]

    def test_a_writer_that_does_not_end_is_waited_for_that_long(self, store: ModelStore, light: Path) -> None:
        """The error says how long that was."""
        store.add(light)
        with (
            FileLock(store.folder / ".lock"),
            pytest.raises(StoreError, match=r"locked by another .* 0\.05 s"),
        ):
            ModelStore(store.folder, timeout_s=0.05).promote("v1")
