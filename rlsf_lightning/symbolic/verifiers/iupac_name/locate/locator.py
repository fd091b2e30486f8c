"""Locates why a name is not one of the reference: the change that mends it, else the tokens with the wrong atoms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.compare import Target, common_atoms, same_but_for_stereo
from rlsf_lightning.symbolic.verifiers.iupac_name.check.name import Checked
from rlsf_lightning.symbolic.verifiers.iupac_name.locate.fragments import Reading, difference, findings_of
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Name, Token, american, tokens_of
from rlsf_lightning.symbolic.verifiers.iupac_name.repair.candidates import Atoms, Change, changes, partners, promising
from rlsf_lightning.symbolic.verifiers.iupac_name.repair.trials import similarities
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer

#: Changes that would set a name right, or nearest to it, that are reported.
_MAX_REPAIRS = 4


class Locator:
    """Finds places by trying changes and by the maximum common substructure.

    Args:
        server: OPSIN.
        tries: changes of a name that are tried.
        mcs_seconds: of computing, that the search for the substructure may take.
    """

    def __init__(self, server: NameServer, tries: int, mcs_seconds: float) -> None:
        self.server, self.tries, self.mcs_seconds = server, tries, mcs_seconds

    def locate(self, name: Name, checked: Checked, target: Target) -> Checked:
        """The findings with narrower places, where there are some, and what confirms them in the witness."""
        if checked.findings[0].kind == "impossible_molecule":
            return self._impossible(name, checked, target)
        if checked.molecule is not None:
            return self._other(name, checked, target)
        return self._unreadable(name, checked, target) if "message" in checked.witness else checked

    def _unreadable(self, name: Name, checked: Checked, target: Target) -> Checked:
        """A bracket without a partner, or a contradiction of which OPSIN names no place."""
        first, text = checked.findings[0], name.text
        if first.kind == "uninterpretable" or (first.kind == "contradiction" and first.spans):
            return checked
        if first.kind == "unmatched_bracket":
            tried = partners(text, first.spans[0].start) if len(checked.findings) == 1 else iter(())
        else:
            tried = changes(text, tokens_of(name.answer.get("tokens", []), text), first.message)
        similar = self._try(text, tried, target)
        best = max(similar.values(), default=0.0)
        if best < 1.0 and (best == 0.0 or first.kind != "contradiction"):
            return checked
        spans, repairs = _nearest(text, similar)
        spans |= {span for finding in checked.findings for span in finding.spans}
        finding = Finding(first.kind, first.message, tuple(sorted(spans)))
        return checked._replace(findings=[finding], witness={**checked.witness, **repairs})

    def _impossible(self, name: Name, checked: Checked, target: Target) -> Checked:
        """A name that OPSIN reads as something with an impossible valence, which the reference has not."""
        tried = changes(name.text, tokens_of(self._parts(name)["tokens"], name.text), "valence")
        spans, repairs = _nearest(name.text, self._try(name.text, tried, target))
        finding = checked.findings[0]
        located = Finding(finding.kind, finding.message, tuple(sorted(spans)))
        return checked._replace(findings=[located], witness={**checked.witness, **repairs})

    def _other(self, name: Name, checked: Checked, target: Target) -> Checked:
        """A readable name of another molecule."""
        smiles, parts = name.answer["smiles"], self._parts(name)
        tokens = tokens_of(parts["tokens"], name.text)
        formulas = CalcMolFormula(checked.molecule), CalcMolFormula(target.molecule)
        is_isomer = formulas[0] == formulas[1]
        is_stereo = is_isomer and same_but_for_stereo(smiles, checked.molecule, target)
        atoms = Atoms.of(smiles, parts["owners"], tokens, formulas)
        is_ambiguous = "APPEARS_AMBIGUOUS" in name.answer["warnings"]
        tried = promising(name.text, tokens, atoms, is_stereo=is_stereo, is_ambiguous=is_ambiguous)
        similar = self._try(name.text, tried, target)
        repairs = [change for change, similarity in similar.items() if similarity == 1.0][:_MAX_REPAIRS]
        if repairs:
            finding = _mended(name.text, repairs, "wrong_stereo" if is_stereo else "wrong_token")
            witness = {**checked.witness, "repairs": [[*change, 1.0] for change in repairs]}
            return checked._replace(findings=[finding], witness=witness)
        if is_stereo:
            return checked._replace(findings=[_wrong_stereo(tokens)])
        mapping = common_atoms(smiles, target, self.mcs_seconds)
        if mapping is None:
            return checked
        reading = Reading(smiles, tokens, parts["owners"])
        found = findings_of(reading, difference(smiles, target.smiles, mapping), name.text, is_isomer)
        return checked._replace(findings=found or checked.findings, witness={**checked.witness, "mapping": mapping})

    def _parts(self, name: Name) -> dict[str, Any]:
        """The tokens of a name, its atoms and the token of each."""
        return self.server.ask("parts", american(name.text)[0])

    def _try(self, text: str, tried: Iterator[Change], target: Target) -> dict[Change, float]:
        return similarities(text, tried, target, self.server, self.tries)


def _nearest(text: str, similar: Mapping[Change, float]) -> tuple[set[Span], dict[str, Any]]:
    """The places of the changes that come nearest to the reference, and these for the witness."""
    best = max(similar.values(), default=0.0)
    if best == 0.0:
        return set(), {}
    good = [change for change, similarity in similar.items() if similarity == best][:_MAX_REPAIRS]
    return {change.span(len(text)) for change in good}, {"repairs": [[*change, round(best, 6)] for change in good]}


def _mended(text: str, repairs: list[Change], kind: str) -> Finding:
    new = [repr(change.new) if change.new else "nothing" for change in repairs]
    spans = tuple(sorted({change.span(len(text)) for change in repairs}))
    return Finding(kind, f"would be right with {' or '.join(new[:3])} here", spans)


def _wrong_stereo(tokens: tuple[Token, ...]) -> Finding:
    spans = tuple(Span(t.start, t.end) for t in tokens if t.tag == "stereoChemistry" and t.end > t.start)
    return Finding("wrong_stereo", "the same bonds, but another stereochemistry", spans)
