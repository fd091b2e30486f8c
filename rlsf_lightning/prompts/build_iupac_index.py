"""Make ``iupac_index.npz``: which names of the ``chemicals`` package are verified, and the split of each molecule.

A name is verified when OPSIN reads it back as exactly the row's molecule (equal canonical SMILES). This needs Java and
OPSIN (``pip install "rlsf-lightning[naming]"``); the recipes only read the result and need neither.

    python -m rlsf_lightning.prompts.build_iupac_index OUTPUT.npz

Takes about eight minutes on one core. Prints the counts that the model card quotes.
"""

import sys
import zlib
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from rlsf_lightning.prompts.sources.iupac import (
    MAX_SMILES_CHARS,
    name_candidates,
    source_path,
    spellings_of,
)
from rlsf_lightning.prompts.splits import FOUR_WAY, assign_split
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.opsin import read_names

ORGANIC = frozenset("H B C N O F Si P S Cl Se Br I".split())


def organic_smiles(smiles: str) -> str | None:
    """The canonical SMILES if this is a neutral one-fragment organic molecule within the length limit, else None."""
    if "." in smiles or len(smiles) > 3 * MAX_SMILES_CHARS:
        return None
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or Chem.GetFormalCharge(mol) != 0:
        return None
    atoms = list(mol.GetAtoms())
    symbols = {a.GetSymbol() for a in atoms}
    if "C" not in symbols or not symbols <= ORGANIC or any(a.GetIsotope() or a.GetNumRadicalElectrons() for a in atoms):
        return None
    canonical = Chem.MolToSmiles(mol)
    return canonical if len(canonical) <= MAX_SMILES_CHARS else None


def spelling_in_name_order(opsin_smiles: str, canonical: str) -> str | None:
    """The aromatic SMILES in the atom order in which OPSIN writes it, which follows the name; None if not this molecule."""
    if not opsin_smiles or len(opsin_smiles) > 4 * MAX_SMILES_CHARS:
        return None
    mol = Chem.MolFromSmiles(opsin_smiles)
    if mol is None or Chem.MolToSmiles(mol) != canonical:
        return None
    spelled = Chem.MolToSmiles(mol, canonical=False)
    again = Chem.MolFromSmiles(spelled)
    return spelled if again is not None and Chem.MolToSmiles(again) == canonical else canonical


def main(output: str) -> None:
    rdBase.DisableLog("rdApp.*")
    rows: list[tuple[int, int, int, str]] = []  # line number, checksum of the line, CID, canonical SMILES
    asked: list[tuple[int, int, int, str]] = []  # row, column of the name, which of its spellings, the name as asked
    lines = 0
    with open(source_path(), "rb") as file:
        for number, raw in enumerate(file):
            lines += 1
            fields = raw.decode("utf-8").rstrip("\n").split("\t")
            canonical = organic_smiles(fields[4])
            if canonical is None:
                continue
            for column, name in name_candidates(fields):
                for variant, spelling in enumerate(spellings_of(name)):
                    asked.append((len(rows), column, variant, spelling))
            rows.append((number, zlib.crc32(raw), int(fields[0]), canonical))
    print(f"{lines} rows, {len(rows)} neutral one-fragment organic, {len(asked)} names to read", flush=True)

    verified: dict[tuple[int, int], tuple[int, str]] = {}
    for (row, column, variant, _), answer in zip(asked, read_names([a[3] for a in asked]), strict=True):
        if (row, column) in verified:
            continue
        spelled = spelling_in_name_order(answer, rows[row][3])
        if spelled is not None:
            verified[row, column] = (variant, spelled)
    print(
        f"{len(verified)} verified names of {len({r for r, _ in verified})} molecules; "
        f"{sum(c == 7 for _, c in verified)} of them in the IUPAC column",
        flush=True,
    )
    write_index(Path(output), rows, verified)


def write_index(output: Path, rows: list, verified: dict) -> None:
    """Molecules with at least one verified name, one per canonical SMILES (its first row), names in column order."""
    columns: dict[int, list[int]] = {}
    for row, column in sorted(verified):
        columns.setdefault(row, []).append(column)
    seen: set[str] = set()
    kept = []
    for row, (_, _, _, canonical) in enumerate(rows):
        if row in columns and canonical not in seen:
            seen.add(canonical)
            kept.append(row)
    splits = [assign_split(rows[row][3], FOUR_WAY) for row in kept]
    names = [(row, column) for row in kept for column in columns[row]]
    # One spelling a name, and only where a supervised warm start will read it.
    is_warm = {row for row, split in zip(kept, splits, strict=True) if split == "warm"}
    spellings = "\n".join(verified[key][1] if key[0] in is_warm else "" for key in names)
    np.savez_compressed(
        output,
        line=np.array([rows[r][0] for r in kept], dtype=np.uint32),
        checksum=np.array([rows[r][1] for r in kept], dtype=np.uint32),
        split=np.array([list(FOUR_WAY).index(s) for s in splits], dtype=np.uint8),
        name_count=np.array([len(columns[r]) for r in kept], dtype=np.uint16),
        name_column=np.array([c for _, c in names], dtype=np.uint16),
        name_variant=np.array([verified[k][0] for k in names], dtype=np.uint8),
        spellings=np.frombuffer(zlib.compress(spellings.encode(), 9), dtype=np.uint8),
    )
    for split in FOUR_WAY:
        print(f"{split}: {splits.count(split)} molecules")
    print(f"{len(kept)} molecules, {len(names)} names, {output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    main(sys.argv[1])
