"""A folder of model versions: added once, never changed, promoted and rolled back by name."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from secondpass.counts import counted
from secondpass.errors import ConfigError, ModelError
from secondpass.learn.store.files import check_source, copied, remove_unlisted
from secondpass.learn.store.gate import Gate, GateDecision
from secondpass.learn.store.loaders import opened, ranker
from secondpass.learn.store.registry import RegistryWriter, StoreError, changing, now, with_event
from secondpass.models.sources.resolve import find_model
from secondpass.models.sources.spec import Task
from secondpass.models.sources.store import (
    DEFAULT_ALIAS,
    NAME,
    PREFIX,
    VERSIONS,
    ModelVersion,
    Registry,
    read_registry,
    verified_folder,
)
from secondpass.validation import Flag, Number, OneOf, Text, Whole, shown

__all__ = ["ModelStore", "Promotion"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of `ModelStore.promote`.

    Attributes:
        promoted: whether the alias now points to the version.
        alias: the alias.
        version: the version that was to be promoted.
        previous: the one that the alias pointed to before; None if it was new.
        decision: the gate's; None if there was no gate.
    """

    promoted: bool
    alias: str
    version: ModelVersion
    previous: ModelVersion | None
    decision: GateDecision | None = None


class ModelStore:
    """A folder of model versions, which any number of processes may use and write to at once.

    A version is added from the folder that a model was saved in; its files are copied, and checked each time that it is
    loaded. Aliases, such as ``production``, point to versions. ``store:FOLDER#NAME`` names a version wherever a model
    is named: in a reranker, an adapter, a configuration.

    A process that is killed leaves the registry as it was before or as it was to be; what it had copied so far is not
    listed, and removed by `prune`.

    Args:
        folder: where it is, or will be once something is added.
        timeout_s: how long to wait for other writers.

    Raises:
        ConfigError: a setting is out of range, or ``folder`` is a file.
    """

    def __init__(self, folder: str | os.PathLike[str], *, timeout_s: float = 60.0) -> None:
        if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
            raise ConfigError(f"a ModelStore is a folder, not {shown(folder)}")
        self.folder = Path(folder).expanduser()
        self.timeout_s = Number(above=0, unit="seconds").checked(timeout_s, "ModelStore: timeout_s")
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"{self.folder} is not a folder, so it can't be a ModelStore")

    def list(self) -> tuple[ModelVersion, ...]:
        """Return all versions, the oldest first.

        Raises:
            ModelIntegrityError: the registry is damaged.
        """
        return tuple(self._registry.versions.values())

    @property
    def aliases(self) -> Mapping[str, str]:
        """The version that each alias points to, by name."""
        return {alias: history[-1] for alias, history in self._registry.aliases.items()}

    @property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """What happened, the latest last: ``at``, ``action`` and what belongs to it; the last thousand."""
        return self._registry.events

    def version(self, name: str = DEFAULT_ALIAS) -> ModelVersion:
        """Return what is known of a version, by its name or an alias.

        Raises:
            ModelNotFoundError: there is none.
        """
        return self._registry.version(Text().checked(name, "the name of a version"), self.folder)

    def path(self, name: str = DEFAULT_ALIAS) -> Path:
        """Return the folder with a version's files, which were checked; they are to be read only.

        Raises:
            ModelNotFoundError: there is no such version.
            ModelIntegrityError: a file is missing, or is not the one that was added.
        """
        return verified_folder(self.version(name), self.folder)

    def uri(self, name: str = DEFAULT_ALIAS) -> str:
        """Return what names a version, or what an alias will point to, wherever a model is named."""
        return f"{PREFIX}{self.folder}#{name}"

    def load(self, name: str = DEFAULT_ALIAS, **settings: Any) -> Any:
        """Load a version, after checking its files.

        Args:
            name: of a version, or an alias.
            settings: of what is returned.

        Returns:
            What its task asks for: a `CrossEncoderReranker`, an `NliModel`, an `EmbeddingModel` or a
            `ColbertReranker`. It is of this version, also when the alias moves on.

        Raises:
            ModelError: there is no such version, or its files were changed, or can't be used.
        """
        version = self.version(name)
        return opened(self.uri(version.name), version.task, settings)

    def best(self, metric: str, *, lowest: bool = False) -> ModelVersion:
        """Return the version with the best value of a metric; the newest, where several have it.

        Args:
            metric: its name in `ModelVersion.metrics`; versions without it are passed over.
            lowest: whether less is better.

        Raises:
            ConfigError: no version has it.
        """
        Flag().checked(lowest, "lowest")
        versions = self.list()
        having = [version for version in versions if metric in version.metrics]
        if not having:
            known = ", ".join(sorted({name for version in versions for name in version.metrics})) or "none"
            raise ConfigError(f"no version in {self.folder} has the metric {metric!r}; there are: {known}")
        sign = -1.0 if lowest else 1.0
        return max(reversed(having), key=lambda version: sign * version.metrics[metric])

    def add(
        self,
        folder: str | os.PathLike[str],
        *,
        task: Task = "rerank",
        name: str | None = None,
        base: str = "",
        data_hash: str = "",
        settings: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        note: str = "",
    ) -> ModelVersion:
        """Add the model in a folder as a new version.

        Args:
            folder: with the model's files and whatever belongs to it (calibration, report); all are copied.
            task: what the model is for.
            name: the version's; by default ``v`` and a number that was never used in this store.
            base: the model that its training started from.
            data_hash: of what it was trained on, see `secondpass.learn.data_hash`.
            settings: of its training, as plain data.
            metrics: figure by name.
            note: a remark for people.

        Raises:
            InputError: there is nothing in the folder, or it can't be read.
            ModelError: there is no model for the task in it, or pickles.
            ConfigError: the name is taken, or something is not plain data.
            StoreError: it can't be written; nothing is left half-written.
        """
        OneOf(*get_args(Task)).checked(task, "task")
        for what, text in (("base", base), ("data_hash", data_hash), ("note", note)):
            Text(empty=True).checked(text, what)
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ConfigError(f"a version's name is made of letters, digits, '.', '_' and '-', not {shown(name)}")
        plain = _plain("settings", settings or {})
        figures = {str(key): Number().checked(value, f"metrics: {key}") for key, value in (metrics or {}).items()}
        source = Path(folder).expanduser()
        names = check_source(source)
        find_model(os.fspath(source), task)  # whether it could be loaded
        versions = self.folder / VERSIONS
        try:
            versions.mkdir(mode=0o755, parents=True, exist_ok=True)
            with copied(source, names, versions) as (copy, files, size), self._changing() as writer:
                number, called = self._free_name(writer.registry, name)
                version = ModelVersion(
                    name=called,
                    task=task,
                    created=now(),
                    base=base,
                    data_hash=data_hash,
                    settings=plain,
                    metrics=figures,
                    files=files,
                    size_bytes=size,
                    note=note,
                )
                known = {**writer.registry.versions, called: version}
                changed = replace(writer.registry, versions=known, next_number=number)
                copy.rename(versions / called)
                try:
                    writer.write(with_event(changed, "add", version=called))
                except BaseException:
                    self._forget(called)
                    raise
        except OSError as exc:
            raise StoreError(f"{self.folder} can't be written: {exc}") from exc
        return version

    def promote(
        self,
        name: str,
        alias: str = DEFAULT_ALIAS,
        *,
        gate: Gate | GateDecision | None = None,
        reason: str = "",
    ) -> Promotion:
        """Point an alias to a version, if the gate lets it pass.

        Args:
            name: of the version.
            alias: what is to point to it.
            gate: a `Gate`, which measures the version against the one that the alias points to (or against the model
                that its training started from, if there is none yet), or a decision that was made before; None to
                promote it without asking.
            reason: a remark for the store's events.

        Raises:
            ModelError: there is no such version, or its files were changed.
            ConfigError: the alias is the name of a version, or the decision is about other versions.
            StoreError: the alias was moved while the gate measured, or the store can't be written.
        """
        if not isinstance(alias, str) or not NAME.fullmatch(alias):
            raise ConfigError(f"an alias is made of letters, digits, '.', '_' and '-', not {shown(alias)}")
        Text(empty=True).checked(reason, "reason")
        version = self.version(name)
        verified_folder(version, self.folder)
        registry = self._registry
        if alias in registry.versions:
            raise ConfigError(f"{alias!r} is the name of a version, so it can't be an alias")
        measured_against = _current(registry, alias)
        decision = self._decision(gate, version, measured_against)
        with self._changing() as writer:
            registry = writer.registry
            registry.version(version.name, self.folder)
            previous = _current(registry, alias)
            if decision is not None and previous != measured_against:
                raise StoreError(f"{alias!r} was moved while the gate measured {version.name}: promote it again")
            about = {
                "alias": alias,
                "version": version.name,
                "previous": previous and previous.name,
                "reason": reason,
                "decision": decision and decision.to_dict(),
            }
            if decision is not None and not decision.passed:
                writer.write(with_event(registry, "refuse", **about))
                return Promotion(False, alias, version, previous, decision)
            history = (*registry.aliases.get(alias, ()), *(() if version == previous else (version.name,)))
            changed = replace(registry, aliases={**registry.aliases, alias: history})
            writer.write(with_event(changed, "promote", **about))
        return Promotion(True, alias, version, previous, decision)

    def rollback(self, alias: str = DEFAULT_ALIAS, *, reason: str = "") -> ModelVersion:
        """Point an alias to the version before; returns that one, whose files were checked.

        Raises:
            ConfigError: there is no such alias, or no version before.
            ModelIntegrityError: the files of the version before were changed; the alias stays where it is.
            StoreError: the store can't be written.
        """
        Text(empty=True).checked(reason, "reason")

        with self._changing() as writer:
            history = writer.registry.aliases.get(alias, ())
            if len(history) < 2:
                why = f"there is no version before {history[0]}" if history else "there is no such alias"
                raise ConfigError(f"{alias!r} in {self.folder} can't be rolled back: {why}")
            version = writer.registry.versions[history[-2]]
            verified_folder(version, self.folder)
            changed = replace(writer.registry, aliases={**writer.registry.aliases, alias: history[:-1]})
            about = {"alias": alias, "version": version.name, "previous": history[-1], "reason": reason}
            writer.write(with_event(changed, "rollback", **about))
        return version

    def prune(self, keep: int = 5) -> tuple[ModelVersion, ...]:
        """Remove old versions, and what killed processes left behind; returns the versions that were removed.

        What an alias points to, and the version that it would be rolled back to, always stay.

        Args:
            keep: how many of the newest versions stay.

        Raises:
            ConfigError: ``keep`` is below 0.
            StoreError: the store can't be written.
        """
        n = Whole(at_least=0).checked(keep, "keep")
        versions = self.folder / VERSIONS
        if not versions.is_dir():
            return ()
        with self._changing() as writer:
            registry = writer.registry
            needed = {name for history in registry.aliases.values() for name in history[-2:]}
            needed.update([*registry.versions][max(0, len(registry.versions) - n) :])
            kept = {name: version for name, version in registry.versions.items() if name in needed}
            removed = tuple(version for name, version in registry.versions.items() if name not in needed)
            aliases = {
                alias: tuple(name for name in history if name in kept) for alias, history in registry.aliases.items()
            }
            changed = replace(registry, versions=kept, aliases=aliases)
            for version in removed:
                changed = with_event(changed, "prune", version=version.name)
            # First the entries: killed in between, folders are left that nothing lists, and no entry without a folder.
            writer.write(changed)
            try:
                remove_unlisted(versions, kept)
            except OSError as exc:
                raise StoreError(f"what is not listed any more can't be removed: {exc}") from exc
        return removed

    @property
    def _registry(self) -> Registry:
        return read_registry(self.folder) or Registry()

    def _changing(self) -> AbstractContextManager[RegistryWriter]:
        if not self.folder.is_dir():
            raise ConfigError(f"there is no ModelStore in {self.folder} yet: add a version first")
        return changing(self.folder, timeout_s=self.timeout_s)

    def _free_name(self, registry: Registry, name: str | None) -> tuple[int, str]:
        """Return the number of the next version, and the name of this one, which no version, alias or folder has."""

        def taken(called: str) -> bool:
            return called in registry.versions or called in registry.aliases or self._folder_of(called).exists()

        if name is not None:
            if taken(name):
                raise ConfigError(
                    f"{self.folder} has a version or an alias {name!r} already, and versions never change"
                )
            return registry.next_number, name
        number = registry.next_number
        while taken(f"v{number}"):
            number += 1
        return number + 1, f"v{number}"

    def _folder_of(self, name: str) -> Path:
        return self.folder / VERSIONS / name

    def _forget(self, name: str) -> None:
        """Remove the folder of a version that could not be listed."""
        with suppress(ModelError):
            if name not in self._registry.versions:  # it is, if all that failed was to make it durable
                shutil.rmtree(self._folder_of(name), ignore_errors=True)

    def _decision(
        self, gate: Gate | GateDecision | None, version: ModelVersion, before: ModelVersion | None
    ) -> GateDecision | None:
        if gate is None:
            return None
        if before == version:
            raise ConfigError(f"{version.name} is promoted already: there is nothing for a gate to decide")
        incumbent = before.name if before else version.base
        if not incumbent:
            raise ConfigError(
                f"nothing is promoted yet, and {version.name} does not say which model it started from, so there is "
                f"nothing to compare it with: promote it without a gate, or add it with base="
            )
        if isinstance(gate, GateDecision):
            if (gate.candidate, gate.incumbent) != (version.name, incumbent):
                raise ConfigError(
                    f"the decision is about {gate.candidate} against {gate.incumbent}, and this is {version.name} "
                    f"against {incumbent}: measure again"
                )
            return gate
        if not isinstance(gate, Gate):
            raise ConfigError(f"gate must be a Gate, a GateDecision or None, not {shown(gate)}")
        names = {version.name: self.uri(version.name), incumbent: self.uri(incumbent) if before else incumbent}
        systems = {name: ranker(place, version.task) for name, place in names.items()}
        return gate.decide(systems, candidate=version.name, incumbent=incumbent)

    def __len__(self) -> int:
        return len(self._registry.versions)

    def __repr__(self) -> str:
        return f"ModelStore({os.fspath(self.folder)!r}, {counted(len(self), 'version')})"


def _current(registry: Registry, alias: str) -> ModelVersion | None:
    history = registry.aliases.get(alias)
    return registry.versions[history[-1]] if history else None


def _plain(what: str, data: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(data), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as exc:
        raise ConfigError(f"{what} must be plain data, which JSON can hold: {exc}") from exc
    return plain
