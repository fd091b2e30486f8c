"""Named reactions that join two molecules: amides, esters, ethers, amines, biaryls, and additions to carbonyl groups."""

from __future__ import annotations

from rlsf_lightning.symbolic.chemistry.reactions.groups import (
    ACCEPTOR,
    ACID,
    ACID_WITH_OXYGEN,
    ACYL_CHLORIDE,
    ALCOHOL,
    ALDEHYDE,
    ALDEHYDE_LOSING_OXYGEN,
    ALKYL_HALIDE,
    ALKYLATING,
    AMINE,
    ARYL_FLUORIDE,
    ARYL_HALIDE,
    AZIDE,
    BORONIC_ACID,
    GRIGNARD,
    GRIGNARD_HALIDE,
    ISOCYANATE,
    ISOTHIOCYANATE,
    KETONE,
    KETONE_LOSING_OXYGEN,
    NUCLEOPHILES,
    PHENOL,
    PRIMARY_AMINE,
    PRIMARY_CARBINOL_LOSING_OXYGEN,
    SECONDARY_AMINE,
    SULFONYL_CHLORIDE,
    TERMINAL_ALKYNE,
    TERMINAL_EPOXIDE,
    THIOL,
)
from rlsf_lightning.symbolic.chemistry.reactions.reaction import Reaction

_AMIDE, _ESTER = "[C:1](=[O:2])[N:9]", "[C:1](=[O:2])[O:8]"
_TRIETHYLAMINE, _PYRIDINE, _CARBONATE = "CCN(CC)CC", "c1ccncc1", "O=C([O-])[O-].[K+].[K+]"
_EDC = "CCN=C=NCCCN(C)C.On1nnc2ccccc21"
_HATU = "CCN(C(C)C)C(C)C.CN(C)C(On1nnc2cccnc21)=[N+](C)C.F[P-](F)(F)(F)(F)F"
_PALLADIUM = "[Pd].c1ccc(P(c2ccccc2)c2ccccc2)cc1"
_BORANATES = ("CC(=O)O[BH-](OC(C)=O)OC(C)=O.[Na+]", "[BH3-]C#N.[Na+]")

ACYLATIONS = (
    Reaction(
        "amide coupling",
        (ACID, AMINE),
        _AMIDE,
        (_EDC, _HATU),
        ("acid", "alkyl halide", "amine", "hydroxyl", "Michael acceptor", "thiol"),
    ),
    Reaction(
        "acylation of an amine by an acyl chloride",
        (ACYL_CHLORIDE, AMINE),
        _AMIDE,
        (_TRIETHYLAMINE, "[Na+].[OH-]"),
        NUCLEOPHILES + ALKYLATING,
    ),
    Reaction(
        "Fischer esterification",
        (ACID, ALCOHOL),
        _ESTER,
        ("O=S(=O)(O)O", "Cc1ccc(S(=O)(=O)O)cc1"),
        ("acetal", "acid", "aldehyde", "amine", "ester", "hydroxyl", "nitrile", "tert-butyl", "thiol"),
    ),
    Reaction(
        "Steglich esterification",
        (ACID, ALCOHOL),
        _ESTER,
        ("C(=NC1CCCCC1)=NC1CCCCC1.CN(C)c1ccncc1",),
        ("acid", "amine", "hydroxyl", "thiol"),
    ),
    Reaction(
        "acylation of an alcohol by an acyl chloride",
        (ACYL_CHLORIDE, ALCOHOL),
        _ESTER,
        (_TRIETHYLAMINE, _PYRIDINE),
        NUCLEOPHILES,
    ),
    Reaction(
        "acylation of a phenol by an acyl chloride", (ACYL_CHLORIDE, PHENOL), _ESTER, (_TRIETHYLAMINE,), NUCLEOPHILES
    ),
    Reaction(
        "sulfonamide formation",
        (SULFONYL_CHLORIDE, AMINE),
        "[S:1](=[O:2])(=[O:3])[N:9]",
        (_PYRIDINE, _TRIETHYLAMINE),
        NUCLEOPHILES + ALKYLATING,
    ),
    Reaction("urea formation", (ISOCYANATE, AMINE), "[N:1]-[C:2](=[O:3])[N:9]", ("",), NUCLEOPHILES + ALKYLATING),
    Reaction("carbamate formation", (ISOCYANATE, ALCOHOL), "[N:1]-[C:2](=[O:3])[O:8]", ("",), NUCLEOPHILES),
    Reaction(
        "thiourea formation", (ISOTHIOCYANATE, AMINE), "[N:1]-[C:2](=[S:3])[N:9]", ("",), NUCLEOPHILES + ALKYLATING
    ),
    Reaction(
        "Boc protection",
        (AMINE, "[CH3:1][C:2]([CH3:3])([CH3:4])[O:5][C:6](=[O:7])OC(=O)OC([CH3])([CH3])[CH3]"),
        "[C:1][C:2]([C:3])([C:4])[O:5][C:6](=[O:7])[N:9]",
        (_TRIETHYLAMINE,),
        ("amine", "azole NH", "thiol"),
        partner="CC(C)(C)OC(=O)OC(=O)OC(C)(C)C",
    ),
    Reaction(
        "acetylation by acetic anhydride",
        ("[$([OX2H1;$(O[CX4H2][#6]),$(O[CX4H1]([#6])[#6]),$(Oc)]):8]", "[CH3:1][C:2](=[O:3])OC(=O)[CH3]"),
        "[C:1][C:2](=[O:3])[O:8]",
        (_PYRIDINE,),
        NUCLEOPHILES,
        partner="CC(=O)OC(C)=O",
    ),
    Reaction(
        "silylation",
        (ALCOHOL, "[CH3:1][C:2]([CH3:3])([CH3:4])[Si:5]([CH3:6])([CH3:7])Cl"),
        "[C:1][C:2]([C:3])([C:4])[Si:5]([C:6])([C:7])[O:8]",
        ("c1c[nH]cn1",),
        ("acid", "amine", "hydroxyl", "thiol"),
        partner="CC(C)(C)[Si](C)(C)Cl",
    ),
)

ALKYLATIONS = (
    Reaction(
        "Williamson ether synthesis",
        (PHENOL, ALKYL_HALIDE),
        "[O:8][C:7]",
        (_CARBONATE,),
        (*NUCLEOPHILES, *ALKYLATING, "tertiary amine"),
    ),
    Reaction(
        "Mitsunobu reaction",
        (PHENOL, PRIMARY_CARBINOL_LOSING_OXYGEN),
        "[O:8][C:1]",
        ("CCOC(=O)N=NC(=O)OCC.c1ccc(P(c2ccccc2)c2ccccc2)cc1",),
        (*NUCLEOPHILES, "amide NH"),
    ),
    Reaction(
        "alkylation of a secondary amine",
        (SECONDARY_AMINE, ALKYL_HALIDE),
        "[N:9][C:7]",
        (_CARBONATE,),
        (*NUCLEOPHILES, *ALKYLATING, "pyridine nitrogen", "tertiary amine"),
    ),
    Reaction(
        "thioether formation",
        (THIOL, ALKYL_HALIDE),
        "[S:8][C:7]",
        (_CARBONATE,),
        (*NUCLEOPHILES, *ALKYLATING, "pyridine nitrogen", "tertiary amine"),
    ),
    Reaction(
        "methylation of an acid by iodomethane",
        (ACID_WITH_OXYGEN, "[CH3:7]I"),
        "[C:1](=[O:2])[O:3][C:7]",
        (_CARBONATE,),
        (*NUCLEOPHILES, *ALKYLATING, "pyridine nitrogen", "tertiary amine"),
        partner="CI",
    ),
    Reaction(
        "aza-Michael addition",
        (SECONDARY_AMINE, ACCEPTOR),
        "[N:9][C:2]-[C:3]",
        ("",),
        (*ALKYLATING, "aldehyde", "amine", "thiol"),
    ),
    Reaction(
        "opening of an epoxide by an amine",
        (SECONDARY_AMINE, TERMINAL_EPOXIDE),
        "[N:9][C:2][C:4][O:3]",
        ("",),
        (*ALKYLATING, "acid", "aldehyde", "amine", "thiol"),
    ),
    Reaction(
        "nucleophilic aromatic substitution",
        (ARYL_FLUORIDE, AMINE),
        "[c:1][N:9]",
        (_CARBONATE, "CCN(C(C)C)C(C)C"),
        (*NUCLEOPHILES, *ALKYLATING, "aldehyde", "aryl fluoride", "aryl halide"),
    ),
    Reaction(
        "reductive amination of an aldehyde",
        (ALDEHYDE_LOSING_OXYGEN, AMINE),
        "[C:1][N:9]",
        _BORANATES,
        ("amine", "carbonyl", "alkyl halide", "imine", "Michael acceptor", "thiol"),
    ),
    Reaction(
        "reductive amination of a ketone",
        (KETONE_LOSING_OXYGEN, PRIMARY_AMINE),
        "[C:1][N:9]",
        _BORANATES,
        ("amine", "carbonyl", "alkyl halide", "imine", "Michael acceptor", "thiol"),
    ),
)

CARBON_BONDS = (
    Reaction(
        "Suzuki coupling",
        (ARYL_HALIDE, BORONIC_ACID),
        "[c:1]-[c:2]",
        (f"{_CARBONATE}.{_PALLADIUM}",),
        ("alkyl halide", "alkyne", "amine", "aryl halide", "thiol"),
    ),
    Reaction(
        "Sonogashira coupling",
        (ARYL_HALIDE, TERMINAL_ALKYNE),
        "[c:1][C:4]#[C:5]",
        (f"{_TRIETHYLAMINE}.[Cu]I.{_PALLADIUM}",),
        ("alkyl halide", "alkyne", "amine", "aryl halide", "thiol"),
    ),
    Reaction(
        "Buchwald-Hartwig amination",
        (ARYL_HALIDE, AMINE),
        "[c:1][N:9]",
        ("CC(C)(C)[O-].[Na+].[Pd].c1ccc(P(c2ccccc2)c2ccc3ccccc3c2-c2c(P(c3ccccc3)c3ccccc3)ccc3ccccc23)cc1",),
        (*NUCLEOPHILES, *ALKYLATING, "alkyne", "amide NH", "aryl halide", "carbonyl", "ester", "nitrile"),
    ),
    Reaction(
        "Grignard addition to an aldehyde",
        (GRIGNARD_HALIDE, ALDEHYDE),
        "[*:7][C:1]-[O:2]",
        ("[Mg]",),
        (*GRIGNARD, "aryl halide"),
    ),
    Reaction(
        "Grignard addition to a ketone",
        (GRIGNARD_HALIDE, KETONE),
        "[*:7][C:1]-[O:2]",
        ("[Mg]",),
        (*GRIGNARD, "aryl halide"),
    ),
    Reaction(
        "azide-alkyne cycloaddition",
        (AZIDE, TERMINAL_ALKYNE),
        "[N+0:1]1-[N+0:2]=[N+0:3]-[C:5]=[C:4]-1",
        ("[Cu]I",),
        ("alkyne", "thiol"),
    ),
)
