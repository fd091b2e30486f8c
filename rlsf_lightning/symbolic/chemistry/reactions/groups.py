"""Functional groups as SMARTS, by how they react: the sites of named reactions, and what competes with them.

A site says which atoms of a reactant go to the product (those with a map number) and which leave (those without).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Nucleophilic nitrogen with a hydrogen, bonded to carbon only: no amide, enamine, cyanamide, 2-aminopyridine.
_AMINE = "!$(N*=[#7,#8,#15,#16]);!$(N*#*);!$(NC=C);!$(N[!#6;!#1]);!$(Nc:n);!$(N(c)c)"
AMINE = f"[NX3;H1,H2;{_AMINE}:9]"
PRIMARY_AMINE = f"[NX3;H2;{_AMINE}:9]"
SECONDARY_AMINE = f"[NX3;H1;!$(Nc);{_AMINE}:9]"
ACID = "[CX3;$(C[#6]):1](=[OX1:2])[OX2H1]"
ACID_WITH_OXYGEN = "[CX3;$(C[#6]):1](=[OX1:2])[OX2H1:3]"
ACYL_CHLORIDE = "[CX3;$(C[#6]):1](=[OX1:2])Cl"
SULFONYL_CHLORIDE = "[SX4;$(S[#6]):1](=[OX1:2])(=[OX1:3])Cl"
ALKYL_ESTER = "[CX3;$(C[#6]):1](=[OX1:2])[OX2][$([CH3]),$([CH2][CH3])]"
#: The oxygen of a primary or secondary alcohol.
ALCOHOL = "[OX2H1;$(O[CX4H3]),$(O[CX4H2][#6]),$(O[CX4H1]([#6])[#6]):8]"
PHENOL = "[OX2H1;$(Oc):8]"
PRIMARY_CARBINOL = "[CX4H2;$(C[#6]):1][OX2H1:2]"
PRIMARY_CARBINOL_LOSING_OXYGEN = "[CX4H2;$(C[#6]):1][OX2H1]"
SECONDARY_CARBINOL = "[CX4H1;$(C([#6])([#6])O):1][OX2H1:2]"
THIOL = "[SX2H1;$(S[#6]);!$(SC=[O,S,N]):8]"
#: A primary alkyl halide, which is not hindered.
ALKYL_HALIDE = "[CX4H2;$(C[#6]):7][Br,I]"
ARYL_HALIDE = "[c:1][Br,I]"
BORONIC_ACID = "[c:2][BX3]([OX2H1])[OX2H1]"
TERMINAL_ALKYNE = "[CX2H1:4]#[CX2;$(C(#C)[#6]):5]"
#: No carbonyl carbon that is conjugated with a double or triple bond: addition to the far end would compete.
_ISOLATED = "!$(C[CX3]=[CX3]);!$(C[CX2]#[CX2]);!$(C[CX3]=[OX1]);!$(C[CX3]=[NX2])"
ALDEHYDE = f"[CX3H1;$(C[#6]);{_ISOLATED}:1]=[OX1:2]"
ALDEHYDE_LOSING_OXYGEN = f"[CX3H1;$(C[#6]);{_ISOLATED}:1]=[OX1]"
KETONE = f"[CX3;$(C([#6])([#6])=O);{_ISOLATED}:1]=[OX1:2]"
KETONE_LOSING_OXYGEN = f"[CX3;$(C([#6])([#6])=O);{_ISOLATED}:1]=[OX1]"
CARBONYL_LOSING_OXYGEN = f"[CX3;$([CH1][#6]),$(C([#6])([#6])=O);{_ISOLATED}:1]=[OX1]"
ALKENE = "[CX3;!$(C[!#6;!#1]):1]=[CX3;!$(C[!#6;!#1]):2]"
NITRILE = "[CX2;$(C[#6]):1]#[NX1:2]"
ISOCYANATE = "[NX2;$(N[#6]):1]=[CX2:2]=[OX1:3]"
ISOTHIOCYANATE = "[NX2;$(N[#6]):1]=[CX2:2]=[SX1:3]"
AZIDE = "[NX2;$(N[#6]):1]=[NX2+:2]=[NX1-:3]"
ARYL_FLUORIDE = "[c;$(c1c([NX3+](=O)[O-])cccc1),$(c1ccc([NX3+](=O)[O-])cc1):1]F"
GRIGNARD_HALIDE = "[$([c]),$([CX4H2][CX4]),$([CX4H3]):7]Br"
ACCEPTOR = "[CX3H2:2]=[CX3H1;$(C[CX3](=[OX1])[#6,$([OX2H0])]),$(C[CX2]#N):3]"
TERMINAL_EPOXIDE = "[CX4H2:2]1[OX2:3][CX4H1;$(C[CX4]):4]1"
BOC_AMINE = "[NX3;$(N([#6])C(=O)OC([CH3])([CH3])[CH3]):1]C(=O)OC([CH3])([CH3])[CH3]"
NITROARENE = "[NX3+;$(N-c):1](=[OX1])[OX1-]"
BENZYL_ETHER = "[OX2;!$(OC=[OX1]);!$(O[!#6;!#1]):1][CH2]c1[cH][cH][cH][cH][cH]1"
DIOXOLANE = "[CX4;$(C[#6]):1]1[OX2][CH2][CH2][OX2]1"
PRIMARY_AMIDE = "[CX3;$(C[#6]):1](=[OX1])[NX3H2:2]"
ARYL_METHYL_ETHER = "[c;!$(c:[!#6]):1][OX2:2][CH3]"
SULFIDE = "[SX2;$(S([#6])[#6]);!$(S[CX3]=[OX1,NX2]);!$(SC#N):1]"
ALKYNE = "[CX2;H1,$(C[#6]):1]#[CX2;H1,$(C[#6]):2]"
TERMINAL_ALKENE = "[CX3H2:1]=[CX3;$(C[#6]);!$(C[!#6;!#1]):2]"
ALKYL_ESTER_WITH_OXYGEN = "[CX3;$(C[#6]):1](=[OX1:2])[OX2:3][$([CH3]),$([CH2][CH3])]"
ALKENE_NOT_CONJUGATED = "[CX3;!$(C[!#6;!#1]);!$(CC=[OX1]):1]=[CX3;!$(C[!#6;!#1]);!$(CC=[OX1]):2]"
NITRILE_LOSING_NITROGEN = "[CX2;$(C[#6]):1]#[NX1]"
ACID_LOSING_OXYGEN = "[CX3;$(C[#6]):1](=[OX1])[OX2H1:3]"
ANILINE = "[c:1][NX3H2]"

#: What may compete with a reaction. A match that shares an atom with the site of the reaction is that site itself.
COMPETING: Mapping[str, str] = {
    "acetal": "[CX4]([OX2H0,SX2])[OX2H0,SX2]",
    "acid": "[#6,#15,#16](=[OX1])[OX2H1]",
    "acyl halide": "[CX3](=[OX1])[F,Cl,Br,I]",
    "aldehyde": "[CX3;H1,H2]=[OX1]",
    "alkene": "[CX3]=[CX3]",
    "alkyl halide": "[CX4][Cl,Br,I]",
    "alkyne": "[CX2]#[CX2]",
    "amide": "[CX3](=[OX1])[NX3]",
    "amide NH": "[NX3;H1,H2;$(N*=[#8,#16])]",
    "amine": "[NX3;H1,H2;!$(N*=[#8,#16])]",
    "anhydride": "[#6,#15,#16](=[OX1])[OX2][#6,#15,#16]=[OX1]",
    "aryl fluoride": "cF",
    "aryl halide": "[c,$(C=C)][Cl,Br,I]",
    "azide": "[#7]~[#7+]~[#7-,#7X1]",
    "azo": "[#7X2]=[#7X2]",
    "azole NH": "[nH]",
    "benzyl": "[CX4;$(Cc)][OX2,NX3,SX2,Cl,Br,I]",
    "carbonyl": "[CX3;!$(C[!#6;!#1;!$([OX1])])]=[OX1]",
    "charge": "[+,-;!$([NX3+](=O)[O-]);!$([O-][NX3+]=O);!$([N+]=[N-]);!$([N-]=[N+])]",
    "cumulene": "*=[CX2]=*",
    "diene": "[CX3]=[CX3][CX3]=[CX3]",
    "disulfide": "[SX2][SX2]",
    "epoxide": "[#6]1[#7,#8,#16][#6]1",
    "ester": "[#6,#15](=[OX1])[OX2,SX2][#6]",
    "ether": "[OX2H0]([#6;!$(C=O)])[#6;!$(C=O)]",
    "furan": "[o]",
    "hydroxyl": "[OX2H1;!$(O[#6,#15,#16]=O)]",
    "imine": "[CX3]=[NX2]",
    "labile nitrogen": "[NX3,NX2][NX3,NX2,OX2]",
    "Michael acceptor": "[CX3,CX2]=,#[CX3,CX2][$(C=[OX1]),$(C#N),$(S=O),$([N+](=O)[O-])]",
    "N-halide": "[#7,#8,#15,#16;!$(S(=O)=O)][F,Cl,Br,I]",
    "nitrile": "[CX2]#[NX1]",
    "nitro": "[NX3+](=[OX1])[OX1-]",
    "nitroso": "[NX2]=[OX1]",
    "other element": "[!#1;!#6;!#7;!#8;!#9;!#15;!#16;!#17;!#35;!#53]",
    "peroxide": "[OX2][OX2]",
    "phosphorus(III)": "[#15X3]",
    "pyridine nitrogen": "[nX2]",
    "sulfide": "[SX2H0]",
    "sulfonate ester": "[SX4](=[OX1])(=[OX1])[OX2][#6]",
    "sulfonyl halide": "[SX4](=[OX1])(=[OX1])[F,Cl,Br,I]",
    "sulfoxide": "[SX3](=[OX1])",
    "tert-butyl": "[OX2,NX3]C([CH3])([CH3])[CH3]",
    "tertiary amine": "[NX3;H0;!$(N*=[#7,#8,#16]);!$(N*#*);!$(N[!#6;!#1])]",
    "thiol": "[SX2H1]",
    "thiocarbonyl": "[#6,#15]=[SX1]",
}
#: Groups that make any reaction uncertain.
ALWAYS = (
    *("acyl halide", "anhydride", "azide", "charge", "cumulene", "disulfide", "epoxide", "labile nitrogen"),
    *("N-halide", "nitroso", "other element", "peroxide", "phosphorus(III)", "sulfonyl halide", "thiocarbonyl"),
)
NUCLEOPHILES = ("acid", "amine", "azole NH", "hydroxyl", "thiol")
ALKYLATING = ("alkyl halide", "Michael acceptor", "sulfonate ester")
#: What hydrogen on palladium takes to.
HYDROGENATED = (
    *("alkene", "alkyne", "aldehyde", "aryl halide", "azo", "benzyl", "imine", "nitrile", "nitro", "sulfide", "thiol"),
    *("sulfoxide", "alkyl halide"),
)
#: What lithium aluminium hydride takes to.
REDUCED_BY_HYDRIDE = (
    *(
        "acid",
        "alkyl halide",
        "alkyne",
        "amide",
        "aryl halide",
        "azo",
        "carbonyl",
        "ester",
        "imine",
        "Michael acceptor",
    ),
    *("nitrile", "nitro", "sulfonate ester", "sulfoxide", "aldehyde"),
)
#: What takes up a Grignard reagent or destroys it.
GRIGNARD = (
    *(
        "acid",
        "aldehyde",
        "alkyl halide",
        "alkyne",
        "amide",
        "amide NH",
        "amine",
        "azo",
        "azole NH",
        "carbonyl",
        "ester",
    ),
    *(
        "hydroxyl",
        "imine",
        "Michael acceptor",
        "nitrile",
        "nitro",
        "pyridine nitrogen",
        "sulfonate ester",
        "sulfoxide",
        "thiol",
    ),
)
OXIDISED = ("aldehyde", "amine", "hydroxyl", "sulfide", "sulfoxide", "tertiary amine", "thiol")
