"""Facts for descriptions that come without any: what a text names, as far as the reference molecule has it.

    python -m rlsf_lightning.prompts.chemistry.described INPUT.tsv OUTPUT.jsonl [text=description] [smiles=SMILES]

reads a table of descriptions and molecules (ChEBI-20 has the columns CID, SMILES and description, and writes a backslash
twice) and writes JSON lines with ``description``, ``SMILES`` and ``facts``, as the verifier ``molecule`` takes them. Left out
and counted are rows without a known fact, and with a molecule that the verifier does not read. A text may name other
molecules ("it derives from ..."), so what the reference has not got is no fact.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.validity import Limits, valid_molecule, wildcards_and_radicals
from rlsf_lightning.symbolic.verifiers.molecule.check import holds
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import fact_of
from rlsf_lightning.symbolic.verifiers.molecule.facts.measure import measure
from rlsf_lightning.symbolic.verifiers.molecule.task import MAX_FACTS

Fact = Mapping[str, Any]

_TIMES = {
    "": 1,
    "mono": 1,
    "di": 2,
    "bis": 2,
    "tri": 3,
    "tris": 3,
    "tetra": 4,
    "penta": 5,
    "hexa": 6,
    "hepta": 7,
    "octa": 8,
}
_PREFIX = r"(?P<times>mono|di|bis|tri|tris|tetra|penta|hexa|hepta|octa)?"
#: Words of a text, behind a multiplying prefix, and the group, ring or element that they name.
_GROUPS = (
    (r"carboxylic acids?|carboxy groups?", "functional_group", "carboxylic acid"),
    (r"carboxylates?|carboxylic acid (?:mono|di)?anions?", "functional_group", "carboxylate"),
    (r"(?:methyl |ethyl |carboxylic |acetate |enoate )?esters?|benzoates?|acetates?", "functional_group", "ester"),
    (r"(?:aromatic )?ethers?|methoxy\w*|ethoxy\w*", "functional_group", "ether"),
    (r"methoxy\w*|methyl ethers?", "functional_group", "methoxy"),
    (r"alcohols?|ols?\b|hydroxy(?!l)", "functional_group", "alcohol"),
    (r"phenols?|phenolic|hydroxyflav\w+", "functional_group", "phenol"),
    (r"(?:aromatic |cyclic )?ketones?|ones?\b|acetophenones?|oxo", "functional_group", "ketone"),
    (r"aldehydes?|\w*aldehyde", "functional_group", "aldehyde"),
    (r"(?:carbox|benz|acet)?amides?|amido", "functional_group", "amide"),
    (r"primary amino compounds?|primary amines?|amino", "functional_group", "primary amine"),
    (r"secondary amino compounds?|secondary amines?", "functional_group", "secondary amine"),
    (r"tertiary amino compounds?|tertiary amines?|dimethylamino", "functional_group", "tertiary amine"),
    (r"quaternary ammonium \w+|ammonium", "functional_group", "ammonium"),
    (r"sulfonamides?|sulfamide", "functional_group", "sulfonamide"),
    (r"sulfones?|sulfonyl", "functional_group", "sulfone"),
    (r"sulfoxides?|sulfinyl", "functional_group", "sulfoxide"),
    (r"sulfonic acids?|sulfo", "functional_group", "sulfonic acid"),
    (r"(?:organic |methyl )?sulfides?|thioethers?|sulfanyl", "functional_group", "thioether"),
    (r"thiols?|mercapto", "functional_group", "thiol"),
    (r"disulfides?", "functional_group", "disulfide"),
    (r"C-nitro compounds?|nitro\w*", "functional_group", "nitro"),
    (r"nitriles?|cyano\w*", "functional_group", "nitrile"),
    (r"azides?|azido", "functional_group", "azide"),
    (r"azo", "functional_group", "azo"),
    (r"carbamates?|carbamate esters?", "functional_group", "carbamate"),
    (r"ureas?|\w*ureido", "functional_group", "urea"),
    (r"oximes?", "functional_group", "oxime"),
    (r"hydrazones?", "functional_group", "hydrazone"),
    (r"imines?|imino", "functional_group", "imine"),
    (r"phosphates?|phosphoric\w*", "functional_group", "phosphate"),
    (r"boronic acids?", "functional_group", "boronic acid"),
    (r"peroxides?|hydroperoxy", "functional_group", "peroxide"),
    (r"acyl chlorides?", "functional_group", "acyl chloride"),
    (r"isocyanates?", "functional_group", "isocyanate"),
    (r"isothiocyanates?", "functional_group", "isothiocyanate"),
    (r"olefins?|alkenes?|en(?:e|oic|oate|oyl)\b|unsaturated fatty acids?", "functional_group", "alkene"),
    (r"alkynes?|acetylenic|ynes?\b", "functional_group", "alkyne"),
    (r"trifluoromethyl", "functional_group", "trifluoromethyl"),
    (r"methyl", "functional_group", "methyl"),
    (r"(?:organo)?chlor(?:o|ine)\w*|chlorides?", "element", "Cl"),
    (r"(?:organo)?brom(?:o|ine)\w*|bromides?", "element", "Br"),
    (r"(?:organo)?fluor(?:o|ine)\w*|fluorides?", "element", "F"),
    (r"(?:organo)?iod(?:o|ine)\w*|iodides?", "element", "I"),
    (r"sodium", "element", "Na"),
    (r"potassium", "element", "K"),
    (r"calcium", "element", "Ca"),
    (r"magnesium", "element", "Mg"),
    (r"lithium", "element", "Li"),
    (r"iron", "element", "Fe"),
    (r"zinc", "element", "Zn"),
    (r"copper", "element", "Cu"),
    (r"mercury", "element", "Hg"),
    (r"arsen\w+", "element", "As"),
    (r"selen\w+", "element", "Se"),
    (r"\w*phosph\w+", "element", "P"),
    (r"\w*sulf\w+|thio\w+", "element", "S"),
    (r"amin\w+|\w*amides?|nitrogen\w*|alkaloids?|peptides?", "element", "N"),
    (r"phenyl\w*|benz\w+|phenols?|aromatic \w+|anilines?", "ring", "benzene"),
    (r"naphth\w+", "ring", "naphthalene"),
    (r"indol\w+|tryptophan\w*", "ring", "indole"),
    (r"quinolin\w+", "ring", "quinoline"),
    (r"pyrid(?:in|yl)\w*", "ring", "pyridine"),
    (r"pyrimid\w+", "ring", "pyrimidine"),
    (r"pyrazin\w+", "ring", "pyrazine"),
    (r"pyridazin\w+", "ring", "pyridazine"),
    (r"imidazol\w+|purin\w+|histidin\w*", "ring", "imidazole"),
    (r"pyrazol\w+", "ring", "pyrazole"),
    (r"pyrrolidin\w+|prolin\w*", "ring", "pyrrolidine"),
    (r"pyrrol(?!id)\w+", "ring", "pyrrole"),
    (r"piperidin\w+", "ring", "piperidine"),
    (r"piperazin\w+", "ring", "piperazine"),
    (r"morpholin\w+", "ring", "morpholine"),
    (r"(?:iso)?thiazol\w+", "ring", "thiazole"),
    (r"isoxazol\w+", "ring", "isoxazole"),
    (r"oxazol\w+", "ring", "oxazole"),
    (r"tetrazol\w+", "ring", "tetrazole"),
    (r"thiophen\w*|thienyl", "ring", "thiophene"),
    (r"furan(?!o)\w*|furyl", "ring", "furan"),
    (r"lactams?|\w*lactam", "ring", "lactam"),
    (r"lactones?|macrolides?|coumarins?", "ring", "lactone"),
    (r"epoxides?|epoxy", "ring", "oxirane"),
    (r"cyclohexan\w*|cyclohexyl", "ring", "cyclohexane"),
    (r"cyclopentan\w*|cyclopentyl", "ring", "cyclopentane"),
    (r"cyclopropan\w*|cyclopropyl", "ring", "cyclopropane"),
    (r"pyranos\w+|glucosides?|galactosides?|monosaccharides?", "ring", "tetrahydropyran"),
    (r"furanos\w+|nucleosides?|ribo\w+", "ring", "tetrahydrofuran"),
)
#: Words, and the fact that they state.
_PROPERTIES: tuple[tuple[str, Fact], ...] = (
    (r"anion|conjugate base", {"property": "charge", "max": -1}),
    (r"cation|conjugate acid", {"property": "charge", "min": 1}),
    (r"zwitterion", {"property": "charge", "count": 0}),
    (r"hydrochloride|hydrobromide|hydrate|salt", {"property": "fragments", "min": 2}),
    (r"bicyclic|bicyclo", {"property": "rings", "min": 2}),
    (r"tricyclic|tricyclo", {"property": "rings", "min": 3}),
    (r"tetracyclic|steroid|sterol", {"property": "rings", "min": 4}),
    (r"pentacyclic", {"property": "rings", "min": 5}),
    (r"acyclic|straight-chain", {"property": "rings", "count": 0}),
    (r"enantiomer|configuration|\b\d*[RS]\)|\([RS]\)|\b[LD]-", {"property": "stereocentres", "min": 1}),
    (r"aromatic|arene|flavon|phenyl|phenol|benz|pyridin|indol", {"smarts": "a"}),
)
#: Those of the verifier, unless its options say otherwise.
_LIMITS = Limits(500, Elements(None, ()))
_CHARGE = re.compile(r"\((\d+)([+-])\)")
_COMPILED = [
    (re.compile(rf"(?<![A-Za-z]){_PREFIX}(?:{words})", re.IGNORECASE), kind, name) for words, kind, name in _GROUPS
]
_STATED = [(re.compile(words), fact) for words, fact in _PROPERTIES]


def facts_named(text: str, smiles: str) -> list[Fact]:
    """The facts that ``text`` names and the molecule has; empty where there are none, or the verifier would not read it."""
    molecule = _read(smiles)
    return [] if molecule is None else _true_facts(text, molecule)


def _read(smiles: str) -> Any:
    """The molecule; None: it is invalid or too large, or has wildcards or radicals."""
    molecule = valid_molecule(smiles, _LIMITS)
    return None if molecule is None or wildcards_and_radicals(smiles, molecule) else molecule


def _true_facts(text: str, molecule: Any) -> list[Fact]:
    charge = sum(atom.GetFormalCharge() for atom in rdkit_io.atoms_of(molecule))
    found = {json.dumps(fact): fact for fact in _named(text)}
    true = [fact for fact in found.values() if _is_true(fact, molecule, charge)]
    return true[:MAX_FACTS]


def _is_true(fact: Fact, molecule: Any, charge: int) -> bool:
    read = fact_of(dict(fact))
    return holds(read, measure(read, molecule).found, charge)


def _named(text: str) -> Iterator[Fact]:
    """Whatever the words may mean, the larger number of one thing first."""
    for pattern, kind, name in _COMPILED:
        times = {_TIMES[(match["times"] or "").lower()] for match in pattern.finditer(text)}
        for count in sorted(times, reverse=True):
            yield {kind: name} if count == 1 else {kind: name, "min": count}
    for pattern, fact in _STATED:
        if pattern.search(text):
            yield fact
    for number, sign in _CHARGE.findall(text):
        yield {"property": "charge", "count": int(sign + number)}


@dataclass
class Converted:
    """Rows that were written, and those that were left out."""

    written: int = 0
    without_a_fact: int = 0
    unreadable: int = 0


def convert(source: str, target: str, text: str, smiles: str) -> Converted:
    """Write the rows with facts, and count them all. Raises UserError for a wrong file."""
    counts = Converted()
    try:
        with open(source, encoding="utf-8", newline="") as table, open(target, "w", encoding="utf-8") as output:
            rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = {text, smiles} - set(rows.fieldnames or ())
            if missing:
                columns = ", ".join(rows.fieldnames or ())
                raise UserError(
                    f"{source}: no column `{min(missing)}`; it has {columns}\nwrite text=COLUMN smiles=COLUMN"
                )
            for row in rows:
                line = _line(row[text] or "", (row[smiles] or "").replace("\\\\", "\\"), counts)
                if line is not None:
                    output.write(json.dumps(line) + "\n")
    except OSError as error:
        raise UserError(
            f"{error.filename}: {error.strerror}; write an existing tsv file and where the result goes"
        ) from None
    return counts


def _line(text: str, smiles: str, counts: Converted) -> dict[str, Any] | None:
    """The line of a row, which is counted; None: it is left out."""
    molecule = _read(smiles)
    if molecule is None:
        counts.unreadable += 1
        return None
    facts = _true_facts(text, molecule)
    if not facts:
        counts.without_a_fact += 1
        return None
    counts.written += 1
    return {"description": text, "SMILES": smiles, "facts": facts}


def main(arguments: list[str]) -> None:
    """The command. Raises UserError for wrong arguments."""
    options = dict(each.split("=", 1) for each in arguments if "=" in each)
    files = [each for each in arguments if "=" not in each]
    if len(files) != 2 or not options.keys() <= {"text", "smiles"}:
        raise UserError("write INPUT.tsv OUTPUT.jsonl, and perhaps text=COLUMN smiles=COLUMN")
    counts = convert(files[0], files[1], options.get("text", "description"), options.get("smiles", "SMILES"))
    print(
        f"{counts.written} rows written to {Path(files[1])}; left out: {counts.without_a_fact} without a known fact, "
        f"{counts.unreadable} with a molecule that is not read (radicals, wildcards, above {_LIMITS.max_chars} characters)"
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
