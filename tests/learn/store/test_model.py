"""Whatever is done to a store, in whatever order, it is what a few lines of Python say it is."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpass.errors import ConfigError, ModelNotFoundError
from secondpass.learn import ModelStore

_ALIASES = ("production", "staging")
_STEPS = st.one_of(
    st.just(("add",)),
    st.tuples(st.just("promote"), st.integers(1, 6), st.sampled_from(_ALIASES)),
    st.tuples(st.just("rollback"), st.sampled_from(_ALIASES)),
    st.tuples(st.just("prune"), st.integers(0, 3)),
)


class _Expected:
    """The names of the versions, and what each alias pointed to."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.pointed: dict[str, list[str]] = {}
        self.added = 0

    def add(self) -> None:
        self.added += 1
        self.versions.append(f"v{self.added}")

    def promote(self, number: int, alias: str) -> bool:
        name = f"v{number}"
        if name not in self.versions:
            return False
        history = self.pointed.setdefault(alias, [])
        if history[-1:] != [name]:
            history.append(name)
        return True

    def rollback(self, alias: str) -> bool:
        if len(self.pointed.get(alias, [])) < 2:
            return False
        self.pointed[alias].pop()
        return True

    def prune(self, keep: int) -> None:
        kept = set(self.versions[max(0, len(self.versions) - keep) :])
        kept.update(name for history in self.pointed.values() for name in history[-2:])
        self.versions = [name for name in self.versions if name in kept]
        self.pointed = {alias: [name for name in history if name in kept] for alias, history in self.pointed.items()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEPS, max_size=12))
def test_any_steps_give_what_is_expected(steps: list[tuple[object, ...]], light: Path, tmp_path: Path) -> None:
    """Versions, aliases and files, after each step, as another process would read them."""
    folder, expected = tmp_path / uuid4().hex, _Expected()
    ModelStore(folder).add(light)
    expected.add()
    for action, *arguments in steps:
        store = ModelStore(folder)
        done = getattr(expected, str(action))(*arguments)
        if action == "add":
            assert store.add(light).name == expected.versions[-1]
        elif action == "promote" and not done:
            with pytest.raises(ModelNotFoundError):
                store.promote(f"v{arguments[0]}", str(arguments[1]))
        elif action == "promote":
            store.promote(f"v{arguments[0]}", str(arguments[1]))
        elif action == "rollback" and not done:
            with pytest.raises(ConfigError, match="can't be rolled back"):
                store.rollback(str(arguments[0]))
        elif action == "rollback":
            assert store.rollback(str(arguments[0])).name == expected.pointed[str(arguments[0])][-1]
        else:
            store.prune(int(str(arguments[0])))
        read = ModelStore(folder)
        assert [version.name for version in read.list()] == expected.versions
        assert read.aliases == {alias: history[-1] for alias, history in expected.pointed.items()}
        assert sorted(path.name for path in (folder / "versions").iterdir()) == sorted(expected.versions)
        for version in read.list():
            read.path(version.name)
