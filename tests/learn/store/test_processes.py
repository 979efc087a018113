"""Many processes and killed ones: nothing is lost, and no half version is listed."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secondpass.learn import ModelStore, StoreError
from tests.forks import exit_status, exit_status_of_child, needs_fork, start_child

pytestmark = needs_fork

_STEPS = ("fsync", "replace", "rename")  # the calls by which a file or a folder takes its place


def _whole(store: ModelStore) -> list[str]:
    """Return the names of all versions; each was found to be whole, and the alias points to one of them."""
    names = [version.name for version in store.list()]
    for name in names:
        store.path(name)
    assert set(store.aliases.values()) <= set(names)
    return names


def _killed_at(step: int, act: Callable[[], object]) -> bool:
    """Act in a child that kills itself before, or after, a step; returns whether it got that far."""

    def killed() -> None:
        calls = [0]

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def counting(*positional: Any, **named: Any) -> Any:
                for after in (False, True):
                    if calls[0] == step:
                        os.kill(os.getpid(), signal.SIGKILL)
                    calls[0] += 1
                    result = None if after else call(*positional, **named)
                return result

            return counting

        for name in _STEPS:
            setattr(os, name, counted(getattr(os, name)))
        act()

    status = exit_status_of_child(killed)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status != 0


@pytest.mark.parametrize(
    ("act", "outcomes"),
    [
        (lambda store, folder: store.add(folder), ({"v1", "v2"}, {"v1", "v2", "v3"})),
        (lambda store, folder: store.promote("v2"), ({"v1", "v2"},)),
        (lambda store, folder: store.prune(keep=0), ({"v1", "v2"}, {"v1"})),
    ],
    ids=["add", "promote", "prune"],
)
def test_killed_at_any_step_a_store_is_as_before_or_as_it_was_to_be(
    store: ModelStore, light: Path, act: Callable[[ModelStore, Path], object], outcomes: tuple[set[str], ...]
) -> None:
    """Before and after each call that changes a name or waits for the disk: all that is listed is whole."""
    step, seen, reached = 0, set(), True
    while reached:
        fresh = ModelStore(store.folder / f"at-{step}")
        for name in ("v1", "v2"):
            fresh.add(light)
            fresh.promote(name) if name == "v1" else None
        reached = _killed_at(step, lambda store=fresh: act(store, light))
        names = _whole(fresh)
        assert set(names) in outcomes and fresh.aliases["production"] in ("v1", "v2")
        seen.add((tuple(names), fresh.aliases["production"]))
        assert fresh.add(light).name not in names
        fresh.prune()
        folders = {path.name for path in (fresh.folder / "versions").iterdir() if not path.name.startswith(".adding-")}
        assert folders == set(_whole(fresh))
        step += 1
    assert step > 6 and len(seen) == 2


def test_ten_writers_at_once_lose_nothing(store: ModelStore, light: Path) -> None:
    """Each of thirty versions is there once, with the metrics that its writer gave it, and each event."""

    def write(number: int) -> None:
        for at in range(3):
            version = store.add(light, metrics={"writer": number, "at": at}, note=f"by {number}")
            store.promote(version.name, f"writer-{number}")

    processes = [start_child(lambda number=number: write(number)) for number in range(10)]
    assert [exit_status(process) for process in processes] == [0] * 10
    assert sorted(_whole(store), key=lambda name: int(name[1:])) == [f"v{at}" for at in range(1, 31)]
    written = {(version.metrics["writer"], version.metrics["at"]) for version in store.list()}
    assert written == {(number, at) for number in range(10) for at in range(3)}
    assert len(store.events) == 60 and len(store.aliases) == 10
    for number in range(10):
        assert store.version(f"writer-{number}").metrics == {"writer": number, "at": 2}


def test_readers_see_a_whole_registry_while_it_is_written(store: ModelStore, light: Path) -> None:
    """Whoever reads meanwhile sees one state after another, each with whole versions."""
    store.add(light)
    process = start_child(lambda: [store.add(light) for _ in range(15)])
    seen = set()
    while os.waitpid(process, os.WNOHANG)[0] == 0:
        seen.add(len(_whole(store)))
    assert len(_whole(store)) == 16 and seen


def test_killed_at_random_while_others_write(store: ModelStore, light: Path) -> None:
    """Writers that are killed at any moment leave a lock that others get, and a registry that is whole."""
    random.seed(7)

    def write() -> None:
        for at in range(100):
            store.promote(store.add(light).name)
            if at % 5 == 4:
                store.prune(keep=3)

    store.add(light)
    for _ in range(3):
        processes = [start_child(write) for _ in range(4)]
        for process in processes:
            time.sleep(random.uniform(0.02, 0.1))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            store.list()
        assert _whole(store)
    before = set(_whole(store))
    assert store.add(light).name not in before and set(_whole(store)) > before
    json.loads((store.folder / "registry.json").read_text())


def test_a_full_disk_leaves_nothing_behind(store: ModelStore, light: Path) -> None:
    """Where the system lets no file grow any further, the error is ours, and the copy is gone."""
    import resource

    store.add(light)

    def act() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
        with pytest.raises(StoreError, match=r"can't be written: .*File too large"):
            store.add(light)

    assert exit_status_of_child(act) == 0
    assert [path.name for path in (store.folder / "versions").iterdir()] == ["v1"] and _whole(store) == ["v1"]
