"""From a recipe's name to its checked, typed values: find -> load -> `base:` -> key=value -> schema -> checks.

Every mistake of a recipe or of the command line is told here, before torch is imported (which takes seconds).
Nothing is built here, and nothing is read but recipe files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from rlsf_lightning.config.extension_points import KEEP, LOGGER
from rlsf_lightning.config.plugins import Kind, beside
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import Key, as_yaml, keys_of
from rlsf_lightning.config.search_path import find_recipe
from rlsf_lightning.config.validation import check, has_files, trainer_mistake
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean

#: Sections that may be given as one value: `verifier: smiles` means `verifier: {name: smiles}`.
_SHORT = {"verifier": "verifier.name", "algorithm.kl": "algorithm.kl.form", "answer": "answer.extract"}
_SHORT |= {"data.examples": "data.examples.count"}
#: The types of that value, by the type of the key that it is for; else it is text.
_SHORT_VALUES: Mapping[Any, Any] = {int: int, Any: str | list}
# A key of the command line: names joined by dots; brackets hold a name that has dots itself.
_KEY_PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([^\[\]]+)\]")


@dataclass(frozen=True)
class Layer:
    """One source of values: a file, or (without one) the command line."""

    values: dict[str, Any]
    file: Path | None = None

    @property
    def where(self) -> str:
        return f"{self.file}: " if self.file else ""

    @property
    def folder(self) -> Path:
        """Where files are that its values name."""
        return self.file.parent if self.file else Path.cwd()


def load_recipe(
    name: str, overrides: Sequence[str] = (), extra: type | None = None, optional: Collection[str] = ()
) -> Recipe:
    """The recipe ``name`` (or the path of a .yaml file) with ``key=value`` overrides, typed and checked.

    ``extra`` is a command's own options: overrides never set them here, they are only known to "did you mean".
    ``optional`` are required keys that this command can do without.
    The result is an OmegaConf ``DictConfig`` with the fields of ``Recipe``. Raises ``UserError``.
    """
    path = find_recipe(name)
    layers, changes = _layers(path), parse_overrides(overrides, Recipe)
    for key in ("base", "recipe"):
        if key in changes:
            raise UserError(f"`{key}={changes[key]}`: `{key}` belongs in a recipe's file, not among the overrides")
    config = OmegaConf.structured(Recipe)
    for layer in [*layers, Layer(changes)]:
        merge(config, Recipe, layer, extra)
    # The result stands alone: a saved one can be run, and keeps its name.
    config.base, config.recipe = None, layers[-1].values.get("recipe", path.stem)
    _require_values(config, Recipe, optional=[*optional, *(["data.source"] if has_files(config.data) else [])])
    recipe = cast(Recipe, config)
    check(recipe)
    return recipe


def load_options(schema: type, overrides: Sequence[str]) -> Any:
    """An instance of the dataclass ``schema`` from ``key=value`` overrides, typed as a recipe's keys are."""
    config = OmegaConf.structured(schema)
    merge(config, schema, Layer(parse_overrides(overrides, schema)))
    _require_values(config, schema)
    return OmegaConf.to_object(config)


def _layers(path: Path) -> list[Layer]:
    """The recipe's file and all that it stands on, the deepest base first."""
    layers: list[Layer] = []
    named_in: Path | None = None
    while True:
        if path.resolve() in [layer.file.resolve() for layer in layers if layer.file]:
            circle = " -> ".join(str(layer.file) for layer in [*layers, Layer({}, path)])
            raise UserError(f"`base:` goes round in a circle: {circle}")
        values = _read(path)
        layers.append(Layer(values, path))
        base = values.get("base")
        if base is None:
            return layers[::-1]
        if not isinstance(base, str):
            raise UserError(f"{path}: `base` expects the name of a recipe, got {as_yaml(base)}")
        named_in, path = path, find_recipe(base, named_in=path)
        assert named_in is not None


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = OmegaConf.load(path)
        values = OmegaConf.to_container(loaded, resolve=False) if loaded is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise UserError(f"{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UserError(f"{path}: a recipe is a mapping `key: value`, got {_shortened(values)}")
    return cast(dict[str, Any], values)


def parse_overrides(overrides: Sequence[str], schema: type) -> dict[str, Any]:
    """``["a.b=1", "c=[x]"]`` -> ``{"a": {"b": 1}, "c": ["x"]}``.

    Values are YAML, but the value of a text key is taken as it stands unless it is quoted.
    """
    known = keys_of(schema)
    values: dict[str, Any] = {}
    for override in overrides:
        dotted, equals, text = override.partition("=")
        parts = [plain or bracketed for plain, bracketed in _KEY_PART.findall(dotted)]
        if not equals or not parts or _KEY_PART.sub("", dotted):
            raise UserError(f"`{override}`: write key=value (a.b=1; a[x.y].b=1 where a name itself has dots)")
        is_short = dotted in _SHORT and not text.lstrip().startswith("{")  # `kl={form: k3}` is the section itself
        parts = _SHORT[dotted].split(".") if is_short else parts
        section = values
        for part in parts[:-1]:
            if not isinstance(section.get(part), dict):
                section[part] = {}
            section = section[part]
        section[parts[-1]] = _override_value(dotted, text, known.get(_SHORT[dotted] if is_short else dotted))
    return values


def _override_value(dotted: str, text: str, key: Key | None) -> Any:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if key and key.core is str and not quoted:
        # YAML would make a mapping of `{prompt}` and a number of `007`.
        return None if text == "null" or (not text and key.is_optional) else text
    try:
        # OmegaConf's YAML, in which 1e-4 is a number and 2026-01-31 no date.
        parsed = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]), resolve=False)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        reason = getattr(error, "problem", None) or _first_line(error)
        raise UserError(f"`{dotted}={text}`: the value is not valid YAML ({reason}); quote text: '\"...\"'") from None
    assert isinstance(parsed, dict)
    return parsed["value"]


def merge(config: DictConfig, schema: type, layer: Layer, extra: type | None = None) -> None:
    """Write a layer's values over ``config``; ``UserError`` for a key or a type that ``schema`` does not have."""
    known = keys_of(schema)
    leaves = dict(_leaves(layer, known, list(keys_of(extra)) if extra else []))
    leaves = {name: _located(known[name], value, layer.folder) for name, value in leaves.items()}
    if schema is Recipe and leaves.get("verifier.name") not in (None, _verifier_name(config)):
        # Another verifier does not take the options of the one before it.
        config.verifier.options = {}
    for name, value in leaves.items():
        key = known[name]
        if value is None and not key.is_optional and key.core in (dict, list):
            continue  # `callbacks:` with nothing under it
        if key.core is dict and isinstance(value, dict):
            _refuse_odd_names(layer, name, value)
        if key.choices and isinstance(value, bool):
            value = str(value).lower()  # `chat: true`
        if key.choices and isinstance(value, str) and value not in key.choices:
            hint = did_you_mean(value, key.choices)
            raise UserError(f"{layer.where}{name}={value}: expects one of {', '.join(key.choices)}{hint}")
        try:
            OmegaConf.update(config, name, value, merge=key.core is dict)
        except OmegaConfBaseException:
            raise UserError(f"{layer.where}`{name}` expects {_expected(key)}, got {_shortened(value)}") from None


def _located(key: Key, value: Any, folder: Path) -> Any:
    """The value, in which a name that means a Python file beside the recipe is its path."""
    kind = KEEP if key.name == "data.keep" and ":" in str(value) and " " not in str(value) else key.metadata.get("kind")
    if kind is None:
        return value
    if isinstance(value, dict):
        return {_reference(kind, name, folder): below for name, below in value.items()}
    if isinstance(value, list):
        return [_reference(kind, name, folder) for name in value]
    return _reference(kind, value, folder)


def _reference(kind: Kind, name: Any, folder: Path) -> Any:
    if not isinstance(name, str):
        return name
    if kind is LOGGER and "." in name and ":" not in name and not name.endswith(".py"):
        name = ":".join(name.rsplit(".", 1))  # package.Class, as loggers were once written
    return beside(kind, name, folder)


def _leaves(layer: Layer, known: Mapping[str, Key], further: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of each value in the layer; below a free mapping nothing is taken apart."""
    waiting: list[tuple[str, Any]] = list(layer.values.items())
    while waiting:
        name, value = waiting.pop(0)
        key = known.get(name)
        if key is None:
            while isinstance(value, dict) and value:
                leaf, value = next(iter(value.items()))
                name = f"{name}.{leaf}"
            raise UserError(f"{layer.where}{_unknown(name, known, further)}")
        if not key.is_section:
            yield name, value
        elif name in _SHORT and isinstance(value, _SHORT_VALUES.get(known[_SHORT[name]].core, str)):
            yield _SHORT[name], value
        elif isinstance(value, dict):
            waiting = [(f"{name}.{leaf}", below) for leaf, below in value.items()] + waiting
        elif value is not None:
            raise UserError(f"{layer.where}`{name}` is a section ({_keys_in(name, known)}), got {_shortened(value)}")


def _refuse_odd_names(layer: Layer, name: str, value: dict[Any, Any]) -> None:
    odd = [entry for entry in value if not isinstance(entry, str)]
    if odd:
        raise UserError(f"{layer.where}`{name}` expects names, got {as_yaml(odd[0])}; quote it if it is one")
    if name == "trainer":
        for argument, setting in value.items():
            if mistake := trainer_mistake(argument, setting):
                raise UserError(f"{layer.where}{mistake}")


def _unknown(name: str, known: Mapping[str, Key], further: Sequence[str]) -> str:
    hint = did_you_mean(name, [*known, *further])
    section = name.rpartition(".")[0]
    if not hint and section in known and known[section].is_section:
        hint = f"; `{section}` has {_keys_in(section, known)}"
    return f"no key `{name}`{hint or '; --help lists every key'}"


def _keys_in(section: str, known: Mapping[str, Key]) -> str:
    return ", ".join(name for name in known if name.rpartition(".")[0] == section)


def _verifier_name(config: DictConfig) -> str | None:
    return None if OmegaConf.is_missing(config.verifier, "name") else config.verifier.name


def _expected(key: Key) -> str:
    examples = {list: f"a list, such as {key.name}=[...]", dict: "a mapping", int: "a whole number", float: "a number"}
    words = examples.get(key.core, key.type_words)
    return f"{words} or null" if key.is_optional and key.core in examples else words


def _shortened(value: Any, most: int = 80) -> str:
    """A value as YAML would spell it; a text that looks like something else is quoted, so that its type shows."""
    text = as_yaml(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _require_values(config: DictConfig, schema: type, optional: Collection[str] = ()) -> None:
    """Every key has a value, and every ``${reference}`` resolves."""
    for name, key in keys_of(schema).items():
        section, _, leaf = name.rpartition(".")
        parent = OmegaConf.select(config, section) if section else config
        if not key.is_section and OmegaConf.is_missing(parent, leaf) and name not in optional:
            raise UserError(f"`{name}` has no value: write {name}=... or set it in the recipe. {key.doc}")
    try:
        OmegaConf.resolve(config)
    except OmegaConfBaseException as error:
        raise UserError(f"`{error.full_key}`: {_first_line(error)}") from None
