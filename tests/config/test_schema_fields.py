"""The keys of a schema: their types, descriptions and near misses."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import describe_keys, field_docs, keys_of
from rlsf_lightning.suggest import nearest


@dataclass
class Inner:
    depth: int = 1


@dataclass
class Sample:
    #: First line
    #: and second.
    first: int = 0
    # No description.
    plain: str | None = None

    #: A section.
    inner: Inner = None  # type: ignore[assignment]


def test_descriptions_are_the_comments_above() -> None:
    assert field_docs(Sample) == {"first": "First line and second.", "plain": "", "inner": "A section."}


def test_dotted_keys_and_their_types() -> None:
    assert [(key.name, key.type_words) for key in keys_of(Sample).values()] == [
        ("first", "whole number"),
        ("plain", "text or null"),
        ("inner", "section"),
        ("inner.depth", "whole number"),
    ]


def test_every_key_of_a_recipe_is_described_once() -> None:
    text = describe_keys(Recipe)
    leaves = [key for key in keys_of(Recipe).values() if not key.is_section]
    assert len(leaves) > 50
    for key in leaves:
        assert key.doc, f"{key.name} has no `#:` comment"
        assert text.count(f"\n  {key.name}=") + text.startswith(f"  {key.name}=") == 1


def test_descriptions_show_the_values_of_a_recipe() -> None:
    text = describe_keys(Recipe, load_recipe("chem_iupac", ["seed=12"]))  # type: ignore[arg-type]
    assert "  seed=12  (whole number)" in text
    assert "  verifier.options={explain: false}  (mapping)" in text
    assert "  data.source=<required>" in describe_keys(Recipe)


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=6))
def test_the_nearest_are_known_and_few(wrong: str, known: list[str]) -> None:
    near = nearest(wrong, known)
    assert len(near) <= 3 and set(near) <= set(known)
