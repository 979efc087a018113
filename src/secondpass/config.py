"""Objects whose settings are plain data: the one way to write, read and identify a configuration.

A class gets ``to_config``, ``from_config`` and ``fingerprint`` from `Configured` by two conventions: it names itself
in ``registry_name``, and it keeps each parameter of its constructor in an attribute of the same name (as
scikit-learn's estimators do). A configuration is a mapping with that name under ``type``, and with the settings:

```python
class Windows(Configured):
    registry_name = "windows"

    def __init__(self, text: str, *, size: int = 256, **loading: Unpack[LoadSettings]) -> None:
        check_names(loading, LoadSettings.__annotations__, "Windows")
        self.text, self.size, self.loading = text, size, loading

Windows("a", device="cpu").to_config()   # {"type": "windows", "text": "a", "size": 256, "device": "cpu"}
```

Settings that are passed along are taken as ``**loading: Unpack[ATypedDict]``, kept as one mapping in the attribute of
that name, and stand in the configuration one by one; `construct` knows their names and refuses others.

What a class does otherwise: a setting that takes part in no result is named in ``not_identity``; one that is not
passed on as it is read is built in `Configured.built_setting`. Keys and passwords are a `Secret`, which is left out
everywhere, as is a function that is the parameter's default (a clock).
"""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeVar, get_args, is_typeddict

import numpy as np

from secondpass.errors import ConfigError
from secondpass.secret import Secret
from secondpass.validation import nearest, shown

__all__ = [
    "Configured",
    "construct",
    "digest",
    "identity_of",
    "refuse_endless",
    "setting_names",
    "settings_in",
    "settings_of",
    "unwritable",
]

T = TypeVar("T")

# Caches and monitors ask for a fingerprint with every call, and reading a signature is most of its cost.
_signature: Callable[[type], inspect.Signature] = lru_cache(maxsize=512)(inspect.signature)

# A configuration is written by hand or by `to_config`. What is deeper or larger refers to itself, or is an attack.
_MAX_DEPTH = 100
_MAX_VALUES = 1_000_000

# Values that no JSON can hold, and whose repr says all of what they are: of these types, and of types in these modules.
_VALUES = (bytes, bytearray, complex, range, Enum)
_MODULES_OF_VALUES = ("datetime", "decimal", "fractions", "uuid", "zoneinfo", "ipaddress")


class Configured:
    """Keeps each argument of its constructor in an attribute of the same name, and so can be written as data.

    Attributes:
        registry_name: what its configurations have under ``type``, and its registry, if it is in one, calls it.
        not_identity: the names of settings that can change no result, and so take no part in the fingerprint.
    """

    registry_name: ClassVar[str] = ""
    not_identity: ClassVar[frozenset[str]] = frozenset()

    def to_config(self) -> dict[str, Any]:
        """Return the settings as plain data that JSON and YAML can hold; `from_config` builds the object again.

        Keys and passwords are left out.

        Raises:
            ConfigError: a setting is not data (a function, an object that was passed in), or the class has no name.
        """
        if not self.registry_name:
            raise ConfigError(f"{type(self).__name__} sets no registry_name, so no configuration can name it")
        return {"type": self.registry_name} | _converted_settings(self, _data_of)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build the object from its settings: what `to_config` wrote, with or without ``type``.

        Raises:
            ConfigError: it is not a mapping from names, it is another class's, or a setting is unknown, missing or
                out of range.
        """
        settings = settings_in(config, cls)
        named = settings.pop("type", cls.registry_name)
        if named != cls.registry_name:
            raise ConfigError(
                f"{cls.__name__} has the type {cls.registry_name!r} in a configuration, not {shown(named)}"
            )
        return construct(cls, **{name: cls.built_setting(name, value) for name, value in settings.items()})

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return what the constructor takes, from what a configuration holds under a name: by default the same."""
        return value

    @property
    def fingerprint(self) -> str:
        """The identity of everything that can change a result, for cache keys, monitoring and saved calibrations.

        What has a fingerprint itself, among the settings, takes part with that, and so with its weights.
        """
        settings = {name: value for name, value in identity_of(self).items() if name not in self.not_identity}
        return digest([type(self).__name__, *settings.items()])


def settings_of(instance: object) -> dict[str, Any]:
    """Return what an object was built from, by name: each parameter of its constructor, from the attribute of its name.

    The settings of a ``**mapping`` stand among the others.

    Raises:
        ConfigError: there is no such attribute.
    """
    settings: dict[str, Any] = {}
    for name, parameter in _signature(type(instance)).parameters.items():
        value = _kept(instance, name)
        if parameter.kind is parameter.VAR_KEYWORD:
            settings.update(value)
        else:
            settings[name] = value
    return settings


def _kept(instance: object, name: str) -> Any:
    try:
        return getattr(instance, name)
    except AttributeError as exc:
        owner = type(instance).__name__
        raise ConfigError(
            f"{owner} has no attribute {name!r}: keep each parameter of the constructor in an attribute of its name"
        ) from exc


def identity_of(instance: object) -> dict[str, Any]:
    """Return the settings of an object as they stand in a fingerprint.

    Values that JSON can't hold (arrays, dates, data classes) take part with all that is in them, functions and other
    objects by their names.
    """
    return _converted_settings(instance, _identity_data)


def construct(cls: type[T], /, *positional: Any, **settings: Any) -> T:
    """Call a constructor; if the settings don't fit, the error says which ones it has.

    Raises:
        ConfigError: a setting is unknown or missing.
    """
    signature, known = _signature(cls), setting_names(cls)
    for name in settings:
        if name not in known and not _takes_any(signature):
            raise ConfigError(f"{cls.__name__} has no setting {name!r}{nearest(name, known)}")
    try:
        signature.bind(*positional, **settings)
    except TypeError as exc:
        raise ConfigError(f"{cls.__name__}: {exc}; its settings are: {', '.join(known)}") from exc
    return cls(*positional, **settings)


def settings_in(config: object, cls: type) -> dict[str, Any]:
    """Return the settings of a configuration, by name, as `construct` takes them.

    Raises:
        ConfigError: it is not a mapping, one of its keys is not a name, or it is too deep or too large to be one (as
            one that contains itself is).
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"{cls.__name__}: a configuration is a mapping, not {type(config).__name__}")
    if not all(isinstance(name, str) for name in config):
        raise ConfigError(f"{cls.__name__}: the keys of a configuration are names of settings, each a str")
    refuse_endless(config, f"{cls.__name__}: the configuration")
    return dict(config)


def refuse_endless(data: object, what: str) -> None:
    """Check that data ends, soon: YAML can write down a value that contains itself, or millions in few bytes.

    Raises:
        ConfigError: it is deeper than 100 levels, or has more than a million values.
    """
    stack: list[Iterator[Any]] = [iter([data])]
    n_values = 0
    while stack:
        value = next(stack[-1], stack)
        if value is stack:  # this level has no more
            stack.pop()
            continue
        n_values += 1
        if isinstance(value, Mapping):
            stack.append(iter(value.values()))
        elif isinstance(value, list | tuple):
            stack.append(iter(value))
        if len(stack) > _MAX_DEPTH:
            raise ConfigError(f"{what} is nested more than {_MAX_DEPTH} levels deep, or contains itself")
        if n_values > _MAX_VALUES:
            raise ConfigError(f"{what} has more than {_MAX_VALUES} values")


def digest(data: object) -> str:
    """Return 16 hexadecimal digits that name plain data, whatever the order of its keys."""
    import hashlib  # not with the module: this and json are a tenth of what importing secondpass takes
    import json

    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def unwritable(value: object, name: str) -> ConfigError:
    """Return the error for a setting that no configuration can hold."""
    return ConfigError(f"{name} is of the type {type(value).__name__}, which a configuration can't hold")


def setting_names(cls: type) -> list[str]:
    """Return the names of a constructor's parameters, with those of a TypedDict that it takes as ``**settings``."""
    names: list[str] = []
    for name, parameter in _signature(cls).parameters.items():
        names += _unpacked_names(parameter) if parameter.kind is parameter.VAR_KEYWORD else [name]
    return names


def _unpacked_names(parameter: inspect.Parameter) -> list[str]:
    """Return the names in the TypedDict of ``**settings: Unpack[TypedDict]``, or none."""
    (declared,) = get_args(parameter.annotation) or (None,)
    return list(declared.__annotations__) if is_typeddict(declared) else []


def _takes_any(signature: inspect.Signature) -> bool:
    return any(p.kind is p.VAR_KEYWORD and not _unpacked_names(p) for p in signature.parameters.values())


def _converted_settings(instance: object, convert: Callable[[object, str], Any]) -> dict[str, Any]:
    owner = type(instance)
    defaults = {name: parameter.default for name, parameter in _signature(owner).parameters.items()}
    return {
        name: _converted(value, f"{owner.__name__}.{name}", convert)
        for name, value in settings_of(instance).items()
        if not isinstance(value, Secret) and not (callable(value) and value is defaults.get(name))
    }


def _converted(value: object, name: str, convert: Callable[[object, str], Any]) -> Any:
    """Turn a setting into plain data; ``convert`` decides about what is not."""
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):  # a number of numpy's
        return _converted(value.item(), name, convert)
    if value is None or isinstance(value, bool):
        return value
    for plain in (int, float, str):
        if isinstance(value, plain):  # an enum of such values is written as what it is
            return plain(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple):
        return [_converted(item, name, convert) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_converted(item, name, convert) for item in value), key=str)
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if not isinstance(item, Secret)}
        return {key: _converted(item, name, convert) for key, item in kept.items()}
    return convert(value, name)


def _data_of(value: object, name: str) -> Any:
    if hasattr(value, "to_config"):
        return value.to_config()
    raise unwritable(value, name)


def _identity_data(value: object, name: str) -> Any:
    if hasattr(value, "fingerprint") and not isinstance(value, type):
        return value.fingerprint
    if hasattr(value, "to_config"):
        return value.to_config()
    if isinstance(value, np.ndarray):
        whole = value.tolist() if value.dtype.hasobject else _hashed(value)
        return [str(value.dtype), list(value.shape), _converted(whole, name, _identity_data)]
    if isinstance(value, _VALUES) or type(value).__module__ in _MODULES_OF_VALUES:
        return [type(value).__qualname__, repr(value)]
    if is_dataclass(value) and not isinstance(value, type):
        kept = {field.name: _converted(getattr(value, field.name), name, _identity_data) for field in fields(value)}
        return [type(value).__qualname__, kept]
    # A function or an object is named by where it is defined; what it does is not looked into.
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _hashed(array: "np.ndarray[Any, Any]") -> str:
    import hashlib  # as above

    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
