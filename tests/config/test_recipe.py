"""Recipes: bases, overrides, types, and what a user is told about each mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from rlsf_lightning.config.recipe import load_options, load_recipe, parse_overrides
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.search_path import list_recipes
from rlsf_lightning.errors import UserError
from rlsf_lightning.training.hooks import build_callbacks, check_rewards

MINIMAL = "data: {source: iupac}\nverifier: {name: smiles}\n"


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's working directory with an empty ``recipes/`` and one complete recipe, ``plain``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "plain.yaml").write_text(MINIMAL)
    return tmp_path


def write(kitchen: Path, name: str, text: str) -> Path:
    path = kitchen / "recipes" / f"{name}.yaml"
    path.write_text(text)
    return path


def complaint(overrides: Sequence[str] = (), name: str = "plain") -> str:
    with pytest.raises(UserError) as caught:
        load_recipe(name, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", [name for name, _, _ in list_recipes()])
def test_every_shipped_recipe_loads_and_rewards(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.recipe == name
    check_rewards(build_callbacks(recipe.callbacks))


def test_chem_iupac_says_what_it_says() -> None:
    recipe = load_recipe("chem_iupac")
    assert recipe.data.source == "iupac"
    assert recipe.data.template == "{prompt}\nSMILES:"
    assert recipe.verifier.name == "smiles"
    assert dict(recipe.verifier.options) == {"explain": False}
    assert recipe.algorithm.credit == "viable_prefix"
    assert recipe.trainer["log_every_n_steps"] == 1


def test_defaults_come_from_the_schema(kitchen: Path) -> None:
    recipe = load_recipe("plain")
    assert recipe.rollout.temperature == 1.0
    assert recipe.policy.lora.r == 16
    assert recipe.sft.splits == ["warm"]


def test_a_later_layer_wins_and_mappings_merge(kitchen: Path) -> None:
    write(
        kitchen, "first", MINIMAL + "rollout: {batch_size: 2, max_new_tokens: 9}\ncallbacks: {samples: {per_step: 1}}"
    )
    write(kitchen, "second", "base: first\nrollout: {batch_size: 3}\ncallbacks: {kl_control: {target: 0.5}}")
    recipe = load_recipe("second", ["rollout.samples_per_prompt=5", "callbacks.samples.per_step=7"])
    assert (recipe.rollout.batch_size, recipe.rollout.max_new_tokens, recipe.rollout.samples_per_prompt) == (3, 9, 5)
    assert OmegaConf.to_container(recipe.callbacks) == {"samples": {"per_step": 7}, "kl_control": {"target": 0.5}}


def test_a_users_recipe_starts_from_a_shipped_one(kitchen: Path) -> None:
    write(kitchen, "mine", "base: chem_iupac\nalgorithm: {lr: 1e-5}\n")
    recipe = load_recipe("mine", ["callbacks.progress=null"])
    assert recipe.recipe == "mine"
    assert recipe.algorithm.lr == 1e-5
    assert recipe.data.template == "{prompt}\nSMILES:"
    assert recipe.callbacks["progress"] is None


def test_a_resolved_recipe_stands_alone_and_keeps_its_name(kitchen: Path) -> None:
    recipe = load_recipe("chem_iupac", ["seed=5", "algorithm.stop_kl=0.1"])
    (kitchen / "run").mkdir()
    OmegaConf.save(recipe, kitchen / "run" / "recipe.yaml")
    assert load_recipe("run/recipe.yaml") == recipe


def test_a_base_may_be_a_path_beside_the_file_that_names_it(kitchen: Path) -> None:
    (kitchen / "elsewhere").mkdir()
    (kitchen / "elsewhere" / "low.yaml").write_text(MINIMAL + "seed: 3")
    (kitchen / "elsewhere" / "high.yaml").write_text("base: ./low.yaml")
    assert load_recipe("elsewhere/high.yaml").seed == 3


def test_an_empty_section_is_no_mistake_and_null_switches_off(kitchen: Path) -> None:
    write(kitchen, "empty", MINIMAL + "callbacks:\n  # samples: {}\nrollout:\nsft: {splits: }\n")
    assert load_recipe("empty").callbacks == {}
    write(kitchen, "without", "base: empty\ncallbacks: {samples: null}")
    write(kitchen, "with", "base: without\ncallbacks: {samples: {per_step: 2}}")
    assert load_recipe("without").callbacks["samples"] is None
    assert load_recipe("with").callbacks["samples"].per_step == 2


def test_another_verifier_starts_from_no_options(kitchen: Path) -> None:
    write(kitchen, "first", "data: {source: iupac}\nverifier: {name: smiles, options: {explain: false, deep: {a: 1}}}")
    same = load_recipe("first", ["verifier.name=smiles", "verifier.options.deep.b=2"])
    other = load_recipe("first", ["verifier.options.strict=true", "verifier.name=iupac_name"])
    assert OmegaConf.to_container(same.verifier.options) == {"explain": False, "deep": {"a": 1, "b": 2}}
    assert OmegaConf.to_container(other.verifier.options) == {"strict": True}


def test_references_between_keys_are_resolved(kitchen: Path) -> None:
    write(kitchen, "linked", MINIMAL + "rollout: {batch_size: 6}\nevaluation: {batch_size: '${rollout.batch_size}'}")
    assert load_recipe("linked", ["rollout.batch_size=4"]).evaluation.batch_size == 4
    assert "evaluation.batch_size" in complaint(["evaluation.batch_size='${rollout.nothing}'"])


# --- overrides ---------------------------------------------------------------------------------------------------


def test_override_values_are_yaml_but_text_keys_take_text_as_it_stands(kitchen: Path) -> None:
    recipe = load_recipe(
        "plain",
        [
            "algorithm.lr=1e-4",
            "policy.gradient_checkpointing=true",
            "sft.splits=[a, b]",
            "data.template=<{prompt}>",
            "run_dir=007",
            "policy.name=a=b: c",
            "evaluation.split=",
            "policy.lora.targets=[q_proj]",
            "sft.architecture={model_type: llama}",
        ],
    )
    assert recipe.algorithm.lr == 1e-4 and recipe.policy.gradient_checkpointing is True
    assert recipe.sft.splits == ["a", "b"]
    assert recipe.data.template == "<{prompt}>"
    assert recipe.run_dir == "007"
    assert recipe.policy.name == "a=b: c"
    assert recipe.evaluation.split is None
    assert recipe.policy.lora.targets == ["q_proj"]
    assert recipe.sft.architecture == {"model_type": "llama"}


def test_a_quoted_text_is_read_as_yaml(kitchen: Path) -> None:
    assert load_recipe("plain", ['data.template="{prompt}\\nSMILES:"']).data.template == "{prompt}\nSMILES:"


def test_brackets_hold_names_with_dots() -> None:
    parsed = parse_overrides(["logger[a.b.C].save_dir=x", "callbacks[p.m:Q]={}"], Recipe)
    assert parsed == {"logger": {"a.b.C": {"save_dir": "x"}}, "callbacks": {"p.m:Q": {}}}


@given(st.integers(0, 2**32 - 1), st.floats(1e-300, 1e300))
def test_numbers_survive_the_command_line(seed: int, temperature: float) -> None:
    parsed = parse_overrides([f"seed={seed}", f"rollout.temperature={temperature!r}"], Recipe)
    assert parsed == {"seed": seed, "rollout": {"temperature": temperature}}


@given(st.text() | st.from_regex(r"[a-z.]{1,9}=[\[\]{}${:,'\"&*!?|>%@`#-]{1,6}", fullmatch=True))
def test_any_text_is_an_override_or_a_clear_error(text: str) -> None:
    try:
        assert parse_overrides([text], Recipe)
    except UserError as error:
        assert "write key=value" in str(error) or "not valid YAML" in str(error)


# --- mistakes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("polcy.name=x", "no key `polcy.name`; did you mean `policy.name`?"),
        ("rollout.temprature=1", "did you mean `rollout.temperature`?"),
        ("temperature=1", "did you mean `rollout.temperature`?"),
        ("temprature=1", "did you mean `rollout.temperature`"),
        ("lora.r=4", "did you mean `policy.lora.r`?"),
        ("algorithm.temperature=1", "did you mean `rollout.temperature`?"),
        ("policy.name.x=1", "`policy.name` expects text, got {x: 1}"),
        ("rollout.zzz=1", "`rollout` has rollout.batch_size, rollout.samples_per_prompt"),
        ("zzzzzz=1", "no key `zzzzzz`; --help lists every key"),
        ("rollout=3", "`rollout` is a section"),
        ("rollout.batch_size=2.5", "`rollout.batch_size` expects a whole number, got 2.5"),
        ("rollout.batch_size=many", "`rollout.batch_size` expects a whole number, got many"),
        ("rollout.batch_size=null", "`rollout.batch_size` expects a whole number, got null"),
        ("rollout.temperature=[1]", "`rollout.temperature` expects a number, got [1]"),
        ("algorithm.stop_kl=x", "`algorithm.stop_kl` expects a number or null, got x"),
        ("sft.compile=perhaps", "`sft.compile` expects true or false, got perhaps"),
        ("policy.name=null", "`policy.name` expects text, got null"),
        ("sft.splits=warm", "`sft.splits` expects a list, such as sft.splits=[...], got warm"),
        ("trainer=3", "`trainer` expects a mapping, got 3"),
        ("callbacks={1: {}}", "`callbacks` expects names, got 1"),
        ("algorithm.clip=[1,", "not valid YAML"),
        ("a..b=1", "write key=value"),
        ("=1", "write key=value"),
        ("seed", "write key=value"),
        ("base=_base", "`base` belongs in a recipe's file"),
    ],
)
def test_each_mistake_is_told_with_the_way_out(kitchen: Path, override: str, told: str) -> None:
    assert told in complaint([override])


def test_a_mistake_in_a_file_names_the_file(kitchen: Path) -> None:
    path = write(kitchen, "bad", MINIMAL + "rollout: {temprature: 1}")
    write(kitchen, "worse", "base: bad")
    assert complaint(name="worse") == f"{path}: no key `rollout.temprature`; did you mean `rollout.temperature`?"
    path.write_text(MINIMAL + "data: {}")
    assert f"{path}:3" in complaint(name="worse")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 1\nrollout: {temperature: 1\nverifier: x\n", "bad.yaml:3:9: not valid YAML"),
        ("- seed\n", "a recipe is a mapping"),
        ("just text\n", "no key `just text`"),
        ("1: 2\n", "a recipe is a mapping"),
        ("base: [a]\n", "`base` expects the name of a recipe, got [a]"),
        ("base: nowhere\n", "no recipe `nowhere`, which"),
        ("base: nowhere.yaml\n", "no recipe file"),
        ("data: {source: x, template: {prompt}}\n", "`data.template` expects text, got {prompt: null}"),
        ("trainer: {max_steps: 5}\n", "do not set trainer.max_steps"),
        ("seed: \x00\n", "cannot be read"),
    ],
)
def test_a_broken_file_is_told(kitchen: Path, text: str, told: str) -> None:
    write(kitchen, "bad", text)
    assert told in complaint(name="bad")


def test_bytes_that_are_no_text_are_told(kitchen: Path) -> None:
    (kitchen / "recipes" / "bad.yaml").write_bytes(b"seed: \xff\xfe")
    assert "bad.yaml: cannot be read" in complaint(name="bad")


def test_a_circle_of_bases_is_told(kitchen: Path) -> None:
    write(kitchen, "a", "base: b")
    write(kitchen, "b", "base: a")
    told = complaint(name="a")
    assert "circle" in told and told.index("a.yaml") < told.index("b.yaml")


def test_missing_values_are_named_with_their_meaning(kitchen: Path) -> None:
    write(kitchen, "bare", "seed: 1")
    assert complaint(name="bare").startswith("`data.source` has no value: write data.source=...")
    assert complaint(["data.source=iupac"], name="bare").startswith("`verifier.name` has no value")


def test_ones_own_prompts_need_no_source(kitchen: Path) -> None:
    (kitchen / "my.tsv").write_text("prompt\treference\n")
    write(kitchen, "bare", "verifier: {name: smiles}")
    assert load_recipe("bare", ["data.path=my.tsv"]).data.path == "my.tsv"


def test_an_unknown_recipe_is_told_with_the_nearest(kitchen: Path) -> None:
    told = complaint(name="chem_iupca")
    assert "did you mean `chem_iupac`?" in told and "plain" in told


def test_a_commands_options_are_typed() -> None:
    @dataclass
    class Options:
        limit: int = 4
        format: str = "text"

    assert load_options(Options, ["limit=5"]) == Options(5, "text")
    with pytest.raises(UserError, match="`limit` expects a whole number, got x"):
        load_options(Options, ["limit=x"])
    with pytest.raises(UserError, match="did you mean `limit`"):
        load_recipe("chem_iupac", ["limt=5"], Options)
