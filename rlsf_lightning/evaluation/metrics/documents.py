"""Metrics on JSON documents: whether they satisfy the prompt's schema, and which fields they share with the reference.

The package ``jsonschema`` is needed for the first of them, when it is updated.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.schema import schema_of
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import canonical
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import Node, parse_document
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

MAX_DEPTH = 64
#: Work on one document, as the verifier limits it.
STEPS = 5_000_000


def read(text: str) -> Node | None:
    """The document; None for what is no JSON, has a key twice, or is nested deeper than ``MAX_DEPTH``."""
    try:
        reading = parse_document(text, MAX_DEPTH)
    except ToolFailed:
        return None
    return None if reading.problems else reading.root


def fields(value: Any) -> Counter[str]:
    """The leaves of a JSON value, each as its path and value in one text; an empty list or object is a leaf."""
    found: Counter[str] = Counter()
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        below = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        children = [((*path, key), child) for key, child in below]
        waiting += children
        if not children:
            found[f"{json.dumps(path)} {canonical(item)}"] += 1
    return found


class SchemaValid(ItemMetric):
    """Share of the predictions that are JSON and satisfy the schema of their prompt, whatever values they have.

    Items without a fact ``schema``, and those that cost more than ``STEPS`` to check, are left out.
    """

    higher_is_better = True

    def update(self, predictions: Sequence[str], facts: Sequence[Mapping[str, Any]]) -> None:
        """One text and the facts of its prompt per item. Raises UserError for a fact that is no schema."""
        same_length(predictions=predictions, facts=facts)
        self.add([_valid(p, f.get("schema")) for p, f in zip(predictions, facts, strict=True)])


class FieldF1(ItemMetric):
    """F1 in [0, 1] over fields, micro-averaged: 2 m / (p + r) with p and r the fields of all predictions and references and m
    those that both have, at the same path with the same value.

    A field is a leaf of the document, elements of a list by their position. What is no JSON has no fields.
    """

    higher_is_better = True
    width = 2  # 2 m, p + r

    def update(self, predictions: Sequence[str], references: Sequence[str | None]) -> None:
        """One text each per item; items whose reference is no JSON are left out."""
        same_length(predictions=predictions, references=references)
        self.add([_shared(p, r) for p, r in zip(predictions, references, strict=True)])


def _valid(prediction: str, schema: Any) -> tuple[float, float]:
    if schema is None:
        return LEFT_OUT
    written = schema if isinstance(schema, str) else json.dumps(schema)
    root = read(prediction)
    if root is None:
        return 0.0, 1.0
    try:
        return float(next(schema_of(written).violations(root.value, Fuel(STEPS)), None) is None), 1.0
    except ToolFailed:
        return LEFT_OUT


def _shared(prediction: str, reference: str | None) -> tuple[float, float]:
    wanted = None if reference is None else read(reference)
    if wanted is None:
        return LEFT_OUT
    root = read(prediction)
    theirs, ours = fields(wanted.value), fields(root.value) if root is not None else Counter[str]()
    return 2.0 * (theirs & ours).total(), float(theirs.total() + ours.total())
