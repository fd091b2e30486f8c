"""200 drawn items with every column that a metric asks for: molecules, texts, documents, certificates, samples."""

import json
import random

from rdkit import Chem

from rlsf_lightning.evaluation.metrics.findings import AnswerAccuracy, CompAcc, LegalMoves, ValidQueries
from rlsf_lightning.records import Certificate, Finding, Span, Verdict

SMILES = (
    "CCO CC(=O)O c1ccccc1 CC(C)Cc1ccc(C(C)C(=O)O)cc1 C1CCCCC1 OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O N#Cc1ccncc1 C "
    "CS(=O)(=O)N C/C=C/C C/C=C\\C [Na+].[Cl-] O=C(O)c1ccccc1O CN1C=NC2=C1C(=O)N(C)C(=O)N2C FC(F)(F)c1ccccc1 CCN(CC)CC "
    "C1CC2CCC1C2 O=[N+]([O-])c1ccccc1 CC(N)C(=O)O BrCCBr.O"
).split()
INVALID = ["C1CC", "c1cccc1", "CC(", "C(C)(C)(C)(C)C", "", "xyz", "C=[H]", "CCO.C1"]
WORDS = (
    "int main() { cin >> a; } cout << \"x, y\" 1,200.5 -3 = the end. if (a[1] != 'b') while &lt;br&gt; 50% it's".split()
)
DOCUMENTS = [
    {"a": 1, "b": ["x", "y"], "c": {"d": None, "e": []}},
    {"a": 1.5, "b": ["x"], "c": {"d": True}},
    {"a": "1", "b": [], "f": {}},
    [1, 2, [3, {"g": "h"}]],
    "only text",
]
SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "array"}}, "required": ["a", "b"]}
KINDS = [
    *sorted(LegalMoves.spoiling | AnswerAccuracy.spoiling | ValidQueries.spoiling | CompAcc.spoiling),
    "wrong_step", "wrong_value", "wrong_arithmetic", "wrong_remainder", "dead_end", "other_molecule", "missing_field", "output",
]  # fmt: skip
STEP_KINDS = ["number_not_available", "division_by_zero", "wrong_arithmetic", "wrong_remainder", "bad_step", "dead_end"]


def drawn(kind: str, count: int = 200, seed: int = 0) -> dict[str, list]:
    """Columns of ``count`` items; ``kind``: what predictions and references are, `molecules`, `texts` or `documents`."""
    rng = random.Random(f"{seed} {kind}")
    rows = [_row(kind, rng) for _ in range(count)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(kind: str, rng: random.Random) -> dict:
    make = {"molecules": _molecules, "texts": _texts, "documents": _documents}[kind]
    reference = make(rng)
    samples = [_near(kind, reference, rng) for _ in range(rng.randint(1, 9))]
    facts = [{"formula": "C2H6O"}] * rng.randint(1, 4)
    certificate = _certificate(rng, len(facts))
    tried = rng.randint(0, 8)
    return {
        "predictions": samples[0],
        "references": None if rng.random() < 0.1 else reference,
        "targets": None if rng.random() < 0.2 else rng.choice([samples[0].upper(), f" {samples[0]}", "ethanol"]),
        "samples": samples,
        "facts": {"facts": facts, **({"schema": SCHEMA} if rng.random() < 0.8 else {})},
        "certificates": certificate,
        "is_finished": rng.random() < 0.85,
        "tried": tried,
        "passed": rng.randint(0, tried),
    }


def _molecules(rng: random.Random) -> str:
    return ".".join(rng.sample(SMILES, rng.choice([1, 1, 1, 2])))


def _texts(rng: random.Random) -> str:
    return rng.choice([" ", "\n"]).join(rng.choices(WORDS, k=rng.randint(1, 30)))


def _documents(rng: random.Random) -> str:
    return json.dumps(rng.choice(DOCUMENTS))


def _near(kind: str, reference: str, rng: random.Random) -> str:
    """The reference in another spelling, something near to it, or something else."""
    way = rng.random()
    if kind == "molecules":
        if way < 0.4:
            parts = [_respelled(part, rng) for part in reference.split(".")]
            return ".".join(rng.sample(parts, len(parts)))
        return rng.choice(INVALID) if way < 0.6 else reference if way < 0.7 else _molecules(rng)
    if kind == "texts":
        return " ".join(word for word in reference.split() if rng.random() < way + 0.3)
    if way < 0.3:
        return rng.choice(["{", "no JSON", '{"a": 1, "a": 2}', "", reference[:-1]])
    return json.dumps(json.loads(reference), indent=2) if way < 0.6 else _documents(rng)


def _respelled(smiles: str, rng: random.Random) -> str:
    molecule = Chem.MolFromSmiles(smiles)
    order = rng.sample(range(molecule.GetNumAtoms()), molecule.GetNumAtoms())
    return Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order), canonical=False)


def _certificate(rng: random.Random, facts: int) -> Certificate:
    steps = [{"span": [10 * i, 10 * i + 8], "holds": rng.random() < 0.7} for i in range(rng.randint(0, 4))]
    witness = {"facts": [{"holds": rng.random() < 0.6} for _ in range(facts)]} if rng.random() < 0.9 else {}
    witness |= {"steps": steps} if rng.random() < 0.8 else {}
    witness |= {"smiles": "CCO"} if rng.random() < 0.6 else {}
    way = rng.random()
    if way < 0.35:
        return Certificate(Verdict.PASS, score=1.0, witness=witness)
    if way < 0.5:
        return Certificate(Verdict.ABSTAIN, witness=witness)
    findings = [Finding(rng.choice(KINDS), "drawn") for _ in range(rng.randint(1, 3))]
    findings += [
        Finding(rng.choice(STEP_KINDS), "drawn", (Span(at := rng.randint(0, 40), at + 1),))
        for _ in range(rng.randint(0, 3))
    ]
    return Certificate(Verdict.FAIL, tuple(findings), score=rng.randrange(9) / 10, witness=witness)
