"""Checks an answer for a reaction: each component, the components together, and the ledger of both sides."""

from __future__ import annotations

from typing import Any, NamedTuple

from rdkit import DataStructs

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.validity import INVALID_KINDS as INVALID_COMPONENT
from rlsf_lightning.symbolic.verifiers.reaction.check.balance import Ledgers, imbalance
from rlsf_lightning.symbolic.verifiers.reaction.check.components import Matched, explain, match
from rlsf_lightning.symbolic.verifiers.reaction.parse import (
    Component,
    Parsed,
    Sides,
    bonded_stretches,
    known,
    ledger_of,
    parse,
    total,
)

#: The kinds that mean "no molecules at all, or not only".
INVALID_KINDS = INVALID_COMPONENT | {"empty_component"}
KINDS = INVALID_KINDS | frozenset(
    "wrong_atoms wrong_bonds wrong_charge wrong_hydrogens wrong_stereo missing_atoms missing_bonds other_molecule "
    "dead_end superfluous extra_component missing_component unsupplied_atoms element_imbalance charge_imbalance "
    "no_reaction".split()
)


class Checked(NamedTuple):
    """``findings``: none where it is right; ``score``: of what is wrong; ``matched``: none where nothing was read."""

    findings: list[Finding]
    score: float
    witness: dict[str, Any]
    matched: list[Matched]


def check(parsed: Parsed, sides: Sides, mcs_seconds: float) -> Checked:
    """The findings of an answer, spans of its text; ``mcs_seconds`` bound all comparisons together, 0: none.

    The score is the Tanimoto similarity of Morgan counts (radius 2) of both sides, 0 where a component is no molecule.
    Raises ToolFailed where components cannot be told apart.
    """
    if parsed.findings:
        return Checked(parsed.findings, 0.0, {}, [])
    matched = match(parsed.components, sides)
    if not all(one.equal for one in matched) and _is_right_but_tangled(parsed, sides):
        raise ToolFailed(
            "RDKit reads the right components, but one stands within another: they are judged one after the other"
        )
    explained = explain(matched, sides, mcs_seconds)
    findings = explained.findings
    witness: dict[str, Any] = {"components": explained.witness}
    molecules = [one.known for one in matched if one.known is not None]
    if len(molecules) < len(matched):
        return Checked(findings, 0.0, witness, matched)
    answer = total(ledger_of(each.molecule) for each in molecules)
    ledgers = Ledgers(sides.given, sides.wanted_ledger, answer)
    witness["ledger"] = ledgers.as_json()
    findings += imbalance(sides, ledgers, explained.free)
    return Checked(findings, _similarity(matched, sides), witness, matched)


def passes(text: str, sides: Sides, max_chars: int) -> bool:
    """Whether ``check`` finds nothing."""
    components = parse(text, max_chars).components
    return len(components) == len(sides.wanted) and all(one.equal for one in match(components, sides))


def _is_right_but_tangled(parsed: Parsed, sides: Sides) -> bool:
    """Whether components that stand within each other, as in ``C1.O.C1``, are those of the reference."""
    read = read_smiles(parsed.text)
    texts = bonded_stretches(parsed.text) if read.spans_dots and not read.problems else []
    if len(texts) != len(sides.wanted) or len(texts) == len(parsed.components):
        return False
    return all(one.equal for one in match([(Component(0, text), known(text)) for text in texts], sides))


def _similarity(matched: list[Matched], sides: Sides) -> float:
    """The Tanimoto similarity of both sides as mixtures: the counts of a mixture are the sums of those of its parts."""
    ours, *more = [one.known.fingerprint for one in matched if one.known is not None]
    theirs, *others = [target.fingerprint for target in sides.wanted]
    for fingerprint in more:
        ours = ours + fingerprint
    for fingerprint in others:
        theirs = theirs + fingerprint
    return min(MOST_WITHOUT_PASS, DataStructs.TanimotoSimilarity(ours, theirs))
