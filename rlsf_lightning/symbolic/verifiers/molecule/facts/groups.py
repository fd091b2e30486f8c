"""The functional groups and rings that a fact may name: for each name its SMARTS, and an example that has exactly one.

The names are those of textbooks. Where a group is a part of a larger one it is not counted there: an ester is no ether,
the nitrogen of an amide no amine, an acid no alcohol. Written in the part of SMARTS that ``recheck.smarts`` reads, too.
Bonds of sulfur and phosphorus to oxygen may be written with charges (``C[S+]([O-])C``), as may an azide (``C[N-][N+]#N``).
Rings are counted wherever they lie, those of fused systems included: indole has one benzene and one pyrrole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Group(NamedTuple):
    """``smarts`` defines it; ``example`` is a SMILES in which it occurs once and whose first atom another can be bonded to."""

    smarts: str
    example: str


#: The oxygen of a sulfoxide or phosphate: a double bond, or a single one between charges. RDKit rewrites neither as the other.
_OXO_OF_S = "~[OX1;$(O=S),$([O-][S+,S+2])]"
_OXO_OF_P = "~[OX1;$(O=P),$([O-][P+])]"

#: ``{"functional_group": NAME}``
FUNCTIONAL_GROUPS: Mapping[str, Group] = {
    "acyl chloride": Group("[CX3](=[OX1])Cl", "CC(=O)Cl"),
    "alcohol": Group("[CX4][OX2H1]", "CO"),
    "aldehyde": Group("[CX3H1](=[OX1])[#6]", "CC=O"),
    "alkene": Group("[CX3]=[CX3]", "C=C"),
    "alkyne": Group("[CX2]#[CX2]", "CC#C"),
    "amide": Group("[CX3;H1,$(C[#6])](=[OX1])[NX3]", "CC(=O)N"),
    "ammonium": Group("[NX4+]", "C[NH3+]"),
    "anhydride": Group("[CX3](=[OX1])[OX2][CX3]=[OX1]", "CC(=O)OC(=O)C"),
    "azide": Group("[#6][NX2]~[NX2+]~[NX1]", "CN=[N+]=[N-]"),
    "azo": Group("[#6][NX2]=[NX2][#6]", "CN=NC"),
    "boronic acid": Group("[#6][BX3]([OX2H1])[OX2H1]", "CB(O)O"),
    "bromide": Group("[#6]Br", "CBr"),
    "carbamate": Group("[NX3][CX3](=[OX1])[OX2H0]", "CNC(=O)OC"),
    "carbonate": Group("[#6][OX2][CX3](=[OX1])[OX2][#6]", "COC(=O)OC"),
    "carboxylate": Group("[CX3](=[OX1])[OX1-]", "CC(=O)[O-]"),
    "carboxylic acid": Group("[CX3](=[OX1])[OX2H1]", "CC(=O)O"),
    "chloride": Group("[#6]Cl", "CCl"),
    "disulfide": Group("[SX2][SX2]", "CSSC"),
    "ester": Group("[CX3;H1,$(C[#6])](=[OX1])[OX2H0][#6;!$(C=O)]", "CC(=O)OC"),
    "ether": Group("[OX2H0]([#6;!$(C=O)])[#6;!$(C=O)]", "COC"),
    "fluoride": Group("[#6]F", "CF"),
    "halide": Group("[#6][F,Cl,Br,I]", "CCl"),
    "hydrazine": Group("[NX3][NX3]", "CNN"),
    "hydrazone": Group("[CX3]=[NX2][NX3]", "CC=NN"),
    "imine": Group("[CX3;!$(C[#7,#8,#16])]=[NX2;!$(N[#7,#8])]", "CC=NC"),
    "iodide": Group("[#6]I", "CI"),
    "isocyanate": Group("[NX2]=[CX2]=[OX1]", "CN=C=O"),
    "isothiocyanate": Group("[NX2]=[CX2]=[SX1]", "CN=C=S"),
    "ketone": Group("[#6][CX3](=[OX1])[#6]", "CC(=O)C"),
    "methoxy": Group("[OX2]([#6])[CX4H3]", "CCOC"),
    "methyl": Group("[CX4H3]", "OC"),
    "nitrile": Group("[CX2]#[NX1]", "CC#N"),
    "nitro": Group("[NX3+;!$(N[OX2])](=[OX1])[OX1-]", "C[N+](=O)[O-]"),
    "oxime": Group("[CX3]=[NX2][OX2]", "CC=NO"),
    "peroxide": Group("[OX2][OX2]", "COOC"),
    "phenol": Group("c[OX2H1]", "c1ccccc1O"),
    "phosphate": Group(f"[PX4]({_OXO_OF_P})([OX2,OX1-])([OX2,OX1-])[OX2,OX1-]", "COP(=O)(O)O"),
    "primary amine": Group("[NX3;H2;!$(N*=[#7,#8,#16])][#6]", "CN"),
    "secondary amine": Group("[NX3;H1;!$(N*=[#7,#8,#16])]([#6])[#6]", "CNC"),
    "sulfonamide": Group(f"[SX4]({_OXO_OF_S})({_OXO_OF_S})[NX3]", "CS(=O)(=O)N"),
    "sulfone": Group(f"[#6][SX4]({_OXO_OF_S})({_OXO_OF_S})[#6]", "CS(=O)(=O)C"),
    "sulfonic acid": Group(f"[#6][SX4]({_OXO_OF_S})({_OXO_OF_S})[OX2H1]", "CS(=O)(=O)O"),
    "sulfoxide": Group(f"[#6][SX3]({_OXO_OF_S})[#6]", "CS(=O)C"),
    "tertiary amine": Group("[NX3;H0;!$(N*=[#7,#8,#16])]([#6])([#6])[#6]", "CN(C)C"),
    "thioether": Group("[#6][SX2][#6]", "CSC"),
    "thiol": Group("[#6][SX2H1]", "CS"),
    "trifluoromethyl": Group("[CX4](F)(F)F", "CC(F)(F)F"),
    "urea": Group("[NX3][CX3](=[OX1])[NX3]", "CNC(=O)NC"),
}

#: ``{"ring": NAME}``. Saturated ones are counted by their atoms and single bonds, whatever is attached to them.
RINGS: Mapping[str, Group] = {
    "aziridine": Group("N1CC1", "C1CN1"),
    "benzene": Group("c1ccccc1", "c1ccccc1"),
    "cyclobutane": Group("C1CCC1", "C1CCC1"),
    "cyclohexane": Group("C1CCCCC1", "C1CCCCC1"),
    "cyclohexene": Group("C1CCC=CC1", "C1CCC=CC1"),
    "cyclopentane": Group("C1CCCC1", "C1CCCC1"),
    "cyclopropane": Group("C1CC1", "C1CC1"),
    "furan": Group("o1cccc1", "c1ccco1"),
    "imidazole": Group("n1cncc1", "c1cnc[nH]1"),
    "indole": Group("[nX3]1ccc2ccccc12", "c1cc2ccccc2[nH]1"),
    "isoxazole": Group("o1nccc1", "c1ccno1"),
    "lactam": Group("[CX3;R](=[OX1])[NX3;R]", "C1CC(=O)NC1"),
    "lactone": Group("[CX3;R](=[OX1])[OX2;R]", "C1CC(=O)OC1"),
    "morpholine": Group("O1CCNCC1", "C1CNCCO1"),
    "naphthalene": Group("c1ccc2ccccc2c1", "c1ccc2ccccc2c1"),
    "oxazole": Group("o1cncc1", "c1cnco1"),
    "oxirane": Group("O1CC1", "C1CO1"),
    "piperazine": Group("N1CCNCC1", "C1CNCCN1"),
    "piperidine": Group("N1CCCCC1", "C1CCNCC1"),
    "pyrazine": Group("n1ccncc1", "c1cnccn1"),
    "pyrazole": Group("n1nccc1", "c1ccn[nH]1"),
    "pyridazine": Group("n1ncccc1", "c1cccnn1"),
    "pyridine": Group("n1ccccc1", "c1ccncc1"),
    "pyrimidine": Group("n1cnccc1", "c1ccncn1"),
    "pyrrole": Group("[nX3]1cccc1", "c1ccc[nH]1"),
    "pyrrolidine": Group("N1CCCC1", "C1CCNC1"),
    "quinoline": Group("n1cccc2ccccc12", "c1ccc2ncccc2c1"),
    "tetrahydrofuran": Group("O1CCCC1", "C1CCOC1"),
    "tetrahydropyran": Group("O1CCCCC1", "C1CCOCC1"),
    "tetrazole": Group("n1nnnc1", "c1nnn[nH]1"),
    "thiazole": Group("s1cncc1", "c1cncs1"),
    "thiophene": Group("s1cccc1", "c1cccs1"),
}
