"""A second count of what a certificate about a molecule says, on a graph that is read from the text without RDKit.

Formula, elements, charge, weight, rings, fragments and every group and ring of the tables are counted again: atoms and bonds
by the own reader, hydrogens by plain valence rules, groups by another matcher. RDKit is asked for aromaticity alone. What
only RDKit can say (valences, a SMARTS of the user beyond the matcher) has to come out the same in a second run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.molecule import pattern
from rlsf_lightning.symbolic.verifiers.molecule.facts import Fact
from rlsf_lightning.symbolic.verifiers.molecule.graph import AROMATIC, Graph, graph_of, part_count, weight_symbols
from rlsf_lightning.symbolic.verifiers.molecule.weights import WEIGHTS
from rlsf_lightning.symbolic.verifiers.smiles.recheck import dies, overfull, repeats, shows, without_departure

if TYPE_CHECKING:
    from rlsf_lightning.symbolic.verifiers.molecule.verifier import MoleculeVerifier

_ORDER_OF = {1.0: 1, 2.0: 2, 3.0: 3, 4.0: 4, 1.5: AROMATIC}


def stands(
    certificate: Certificate, facts: Sequence[Fact], prompt: Prompt, completion: str, verifier: MoleculeVerifier
) -> bool:
    """Whether a second run says the same and a second count does not refute it."""
    if certificate.verdict is Verdict.ABSTAIN or not repeats(certificate, verifier.verify(prompt, completion)):
        return certificate.verdict is Verdict.ABSTAIN
    text, offset = stripped(completion)
    if len(text) > verifier.max_chars:
        return [finding.kind for finding in certificate.findings] == ["too_long"]
    read = read_smiles(text)
    bare = _without_mended(certificate, prompt, completion, verifier)
    findings = None if bare is None else without_departure(bare, offset + len(text))
    if findings is None or not all(_is_there(finding, text, read, offset) for finding in findings):
        return False
    dead = certificate.dead_from
    if dead is not None and not dies(dead, completion, partial(verifier.viable, prompt)):
        return False
    rows = certificate.witness.get("facts")
    if rows is None:
        return certificate.verdict is Verdict.FAIL and certificate.score == 0
    if read.problems or overfull(read) or len(rows) != len(facts):
        return False
    graph = read_graph(text, read)
    agree = graph is None or all(counts_the_same(fact, row, graph, read) for fact, row in zip(facts, rows, strict=True))
    right = all(row["holds"] for row in rows)
    return agree and (right or certificate.verdict is Verdict.FAIL)


def _without_mended(
    certificate: Certificate, prompt: Prompt, completion: str, verifier: MoleculeVerifier
) -> Certificate | None:
    """The certificate without the places of single changes; None where one of these does not make all facts true."""
    changes = certificate.witness.get("mended", ())
    if not changes:
        return certificate
    places = tuple(dict.fromkeys(Span(start, end) for start, end, _ in changes))
    at = next((i for i, finding in enumerate(certificate.findings) if finding.spans == places), None)
    if at is None:
        return None
    for start, end, new in changes:
        changed = completion[:start] + new + completion[end:]
        right = verifier.verify(prompt, changed)
        if right.verdict is not Verdict.PASS or not verifier.recheck(right, prompt, changed):
            return None
    rest = (replace(finding, spans=()) if i == at else finding for i, finding in enumerate(certificate.findings))
    return replace(certificate, findings=tuple(rest))


def _is_there(finding: Finding, text: str, read: SmilesMap, offset: int) -> bool:
    """As for a SMILES; where bonds are named beside atoms, an atom with too many bonds must be among them."""
    if finding.kind not in ("valence", "kekulisation"):
        return shows(finding, text, read, offset)
    inside = {i for i, a in enumerate(read.atoms) if any(s.start <= a.start + offset < s.end for s in finding.spans)}
    plain = all(atom.symbol == "C" and not atom.bracket and not atom.aromatic for atom in read.atoms)
    return bool(inside) and (finding.kind != "valence" or not plain or bool(inside & overfull(read)))


def read_graph(text: str, read: SmilesMap) -> Graph | None:
    """The second reading; None where it does not apply: metals and other elements for which there are no plain rules."""
    molecule = rdkit_io.parse_all_atoms(text)
    if molecule is None or any(bond.symbol in ("~", "->", "<-") for bond in read.bonds):
        return None
    aromatic = {atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetIsAromatic()}
    orders = {
        frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())): _ORDER_OF.get(bond.GetBondTypeAsDouble(), 1)
        for bond in molecule.GetBonds()
    }
    lower = {i for i, atom in enumerate(read.atoms) if atom.aromatic}
    perceived = {ends: order for ends, order in orders.items() if order == AROMATIC or ends <= lower}
    return graph_of(read, aromatic, perceived)


def counts_the_same(fact: Fact, row: Mapping[str, Any], graph: Graph, read: SmilesMap) -> bool:
    """Whether the row of the witness is what the graph says, as far as that can be said."""
    found, atoms = row["found"], [tuple(match) for match in row["atoms"]]
    charge = sum(site.charge for site in graph.values())
    if fact.formula is not None:
        counts = Counter(weight_symbols(graph))
        expected = counts == dict(fact.formula.counts) and charge == fact.formula.charge
        return dict(counts) == found and row["holds"] == expected
    if row["holds"] != (fact.low <= found <= fact.high):
        return False
    if fact.smarts:
        matches = pattern.find(fact.smarts, graph)
        return matches is None or (found == len(matches) and atoms == matches[: len(atoms)])
    if fact.subject == "element":
        sites = [site.number for site in graph.values() if site.symbol == fact.name]
        count = weight_symbols(graph).count(fact.name)
        return found == count and (fact.name == "H" or atoms == [(site,) for site in sites][: len(atoms)])
    return _property_is(fact.name, found, atoms, graph, charge)


def _property_is(name: str, found: float, atoms: list[tuple[int, ...]], graph: Graph, charge: int) -> bool:
    if name == "charge":
        return found == charge
    if name == "fragments":
        return found == part_count(graph)
    if name == "rings":
        bonds = sum(len(site.bonds) for site in graph.values()) // 2
        return found == bonds - len(graph) + part_count(graph)
    if name == "heavy_atoms":
        return found == sum(site.symbol not in ("H", "*") for site in graph.values())
    if name == "molecular_weight":
        if any(site.isotope for site in graph.values()):
            return True
        return abs(found - sum(WEIGHTS.get(symbol, 0.0) for symbol in weight_symbols(graph))) < 0.02 + found * 1e-5
    marked = {site.number for site in graph.values() if site.marked}
    return found == len(atoms) and {atom for (atom,) in atoms} <= marked
