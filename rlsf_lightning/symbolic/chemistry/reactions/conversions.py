"""Named reactions of one molecule: oxidations, reductions, hydrolyses, eliminations, exchanges and protecting groups."""

from __future__ import annotations

from rlsf_lightning.symbolic.chemistry.reactions.groups import (
    ACID,
    ACID_LOSING_OXYGEN,
    ALDEHYDE,
    ALKENE,
    ALKENE_NOT_CONJUGATED,
    ALKYL_ESTER,
    ALKYL_ESTER_WITH_OXYGEN,
    ALKYL_HALIDE,
    ALKYLATING,
    ALKYNE,
    ANILINE,
    ARYL_METHYL_ETHER,
    BENZYL_ETHER,
    BOC_AMINE,
    CARBONYL_LOSING_OXYGEN,
    DIOXOLANE,
    HYDROGENATED,
    KETONE,
    NITRILE,
    NITRILE_LOSING_NITROGEN,
    NITROARENE,
    NUCLEOPHILES,
    OXIDISED,
    PRIMARY_AMIDE,
    PRIMARY_CARBINOL,
    PRIMARY_CARBINOL_LOSING_OXYGEN,
    REDUCED_BY_HYDRIDE,
    SECONDARY_CARBINOL,
    SULFIDE,
    TERMINAL_ALKENE,
)
from rlsf_lightning.symbolic.chemistry.reactions.reaction import Reaction

_DMP = "CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc21"
_PCC = "O=[Cr](=O)([O-])Cl.c1cc[nH+]cc1"
_PERACID = "O=C(OO)c1cccc(Cl)c1"
_HYDROGEN, _BORANE = "[H][H].[Pd]", "B.C1CCOC1"
_LITHIUM_HYDRIDE, _SODIUM_HYDRIDE = "[AlH4-].[Li+]", "[BH4-].[Na+]"
_ACID_LABILE = ("acetal", "tert-butyl")
_TO_BORANE = ("acid", "aldehyde", "alkene", "alkyne", "amide", "carbonyl", "imine", "Michael acceptor", "nitrile")

OXIDATIONS = (
    Reaction(
        "oxidation of a primary alcohol to an aldehyde",
        (PRIMARY_CARBINOL,),
        "[C:1]=[O:2]",
        (_DMP, _PCC),
        (*OXIDISED, "imine"),
    ),
    Reaction(
        "oxidation of a secondary alcohol to a ketone",
        (SECONDARY_CARBINOL,),
        "[C:1]=[O:2]",
        (_DMP, _PCC),
        (*OXIDISED, "imine"),
    ),
    Reaction(
        "Jones oxidation of a primary alcohol",
        (PRIMARY_CARBINOL,),
        "[C:1](=O)-[O:2]",
        ("O=S(=O)(O)O.O=[Cr](=O)=O",),
        (*OXIDISED, *_ACID_LABILE, "alkene", "alkyne", "furan", "imine", "nitrile"),
    ),
    Reaction(
        "Pinnick oxidation of an aldehyde",
        (ALDEHYDE,),
        "[C:1](=[O:2])O",
        ("O=Cl[O-].[Na+]",),
        (*OXIDISED, "alkene", "imine"),
    ),
    Reaction(
        "epoxidation of an alkene by a peracid",
        (ALKENE_NOT_CONJUGATED,),
        "[C:1]1-[C:2]O1",
        (_PERACID,),
        (*OXIDISED, "alkene", "alkyne", "carbonyl", "furan", "imine", "pyridine nitrogen"),
    ),
    Reaction(
        "oxidation of a sulfide to a sulfone",
        (SULFIDE,),
        "[S:1](=O)=O",
        ("OO.O=[W](=O)([O-])[O-].[Na+].[Na+]",),
        (*OXIDISED, "alkene", "carbonyl", "imine", "pyridine nitrogen"),
    ),
    Reaction(
        "hydroboration and oxidation of an alkene",
        (TERMINAL_ALKENE,),
        "O[C:1]-[C:2]",
        (f"{_BORANE}.OO.[Na+].[OH-]",),
        (*_TO_BORANE, "ester", "sulfide", "thiol", "alkyl halide"),
    ),
)

REDUCTIONS = (
    Reaction(
        "borohydride reduction of an aldehyde",
        (ALDEHYDE,),
        "[C:1]-[O:2]",
        (_SODIUM_HYDRIDE,),
        ("carbonyl", "imine", "Michael acceptor"),
    ),
    Reaction(
        "borohydride reduction of a ketone",
        (KETONE,),
        "[C:1]-[O:2]",
        (_SODIUM_HYDRIDE,),
        ("carbonyl", "aldehyde", "imine", "Michael acceptor"),
    ),
    Reaction(
        "hydride reduction of an ester",
        (ALKYL_ESTER,),
        "[C:1]-[O:2]",
        (_LITHIUM_HYDRIDE,),
        REDUCED_BY_HYDRIDE,
    ),
    Reaction(
        "hydride reduction of a nitrile",
        (NITRILE,),
        "[C:1]-[N:2]",
        (_LITHIUM_HYDRIDE,),
        REDUCED_BY_HYDRIDE,
    ),
    Reaction(
        "borane reduction of an acid",
        (ACID_LOSING_OXYGEN,),
        "[C:1]-[O:3]",
        (_BORANE,),
        _TO_BORANE,
    ),
    Reaction(
        "reduction of a nitroarene",
        (NITROARENE,),
        "[N+0:1]",
        (_HYDROGEN, "Cl.[Fe]"),
        (*HYDROGENATED, "acetal", "carbonyl"),
    ),
    Reaction("hydrogenation of an alkene", (ALKENE,), "[C:1]-[C:2]", (_HYDROGEN,), (*HYDROGENATED, "Michael acceptor")),
    Reaction(
        "hydrogenation of an alkyne",
        (ALKYNE,),
        "[C:1]-[C:2]",
        (_HYDROGEN,),
        HYDROGENATED,
    ),
    Reaction(
        "hydrogenolysis of a benzyl ether",
        (BENZYL_ETHER,),
        "[O:1]",
        (_HYDROGEN,),
        HYDROGENATED,
    ),
)

EXCHANGES = (
    Reaction(
        "hydrolysis of an ester",
        (ALKYL_ESTER_WITH_OXYGEN,),
        "[C:1](=[O:2])[O:3]",
        ("O.[Li+].[OH-]", "O.[Na+].[OH-]"),
        (*ALKYLATING, "aldehyde", "ester"),
    ),
    Reaction(
        "hydrolysis of a nitrile",
        (NITRILE_LOSING_NITROGEN,),
        "[C:1](=O)O",
        ("O.O=S(=O)(O)O", "Cl.O"),
        (*_ACID_LABILE, "alkene", "alkyne", "amide", "ester", "hydroxyl", "imine", "nitrile"),
    ),
    Reaction("Boc deprotection", (BOC_AMINE,), "[N:1]", ("O=C(O)C(F)(F)F", "Cl"), _ACID_LABILE),
    Reaction(
        "cleavage of an aryl methyl ether",
        (ARYL_METHYL_ETHER,),
        "[c:1][O:2]",
        ("BrB(Br)Br",),
        (
            *_ACID_LABILE,
            "aldehyde",
            "alkene",
            "alkyne",
            "amine",
            "ester",
            "ether",
            "hydroxyl",
            "sulfide",
            "tertiary amine",
            "thiol",
        ),
    ),
    Reaction(
        "chlorination of a primary alcohol",
        (PRIMARY_CARBINOL_LOSING_OXYGEN,),
        "[C:1]Cl",
        ("O=S(Cl)Cl",),
        (*NUCLEOPHILES, *_ACID_LABILE, "amide NH", "sulfoxide", "tertiary amine"),
    ),
    Reaction(
        "Appel reaction",
        (PRIMARY_CARBINOL_LOSING_OXYGEN,),
        "[C:1]Br",
        ("BrC(Br)(Br)Br.c1ccc(P(c2ccccc2)c2ccccc2)cc1",),
        (*NUCLEOPHILES, "aldehyde", "tertiary amine"),
    ),
    Reaction(
        "acid chloride formation",
        (ACID,),
        "[C:1](=[O:2])Cl",
        ("O=S(Cl)Cl", "O=C(Cl)C(=O)Cl"),
        (*NUCLEOPHILES, *_ACID_LABILE, "aldehyde", "amide NH", "sulfoxide", "tertiary amine"),
    ),
    Reaction(
        "substitution of a halide by azide",
        (ALKYL_HALIDE,),
        "[C:7]N=[N+]=[N-]",
        ("[N-]=[N+]=[N-].[Na+]",),
        (*NUCLEOPHILES, *ALKYLATING, "alkyne", "aryl fluoride", "nitrile", "tertiary amine"),
    ),
    Reaction(
        "substitution of a halide by cyanide",
        (ALKYL_HALIDE,),
        "[C:7]C#N",
        ("[C-]#N.[K+]",),
        (*NUCLEOPHILES, *ALKYLATING, "aldehyde", "carbonyl", "nitro", "tertiary amine"),
    ),
    Reaction(
        "dehydration of an amide",
        (PRIMARY_AMIDE,),
        "[C:1]#[N:2]",
        ("O=P(Cl)(Cl)Cl",),
        (*NUCLEOPHILES, "amide NH", "tertiary amine"),
    ),
    Reaction(
        "Wittig methylenation",
        (CARBONYL_LOSING_OXYGEN,),
        "[C:1]=C",
        ("C=P(c1ccccc1)(c1ccccc1)c1ccccc1",),
        (*NUCLEOPHILES, "alkyl halide", "carbonyl", "Michael acceptor"),
    ),
    Reaction(
        "acetal formation",
        (CARBONYL_LOSING_OXYGEN, "[OX2H1:4][CH2:5][CH2:6][OX2H1:7]"),
        "[C:1]1[O:4][C:5][C:6][O:7]1",
        ("Cc1ccc(S(=O)(=O)O)cc1",),
        (*NUCLEOPHILES, *_ACID_LABILE, "carbonyl"),
        partner="OCCO",
    ),
    Reaction(
        "hydrolysis of an acetal",
        (DIOXOLANE,),
        "[C:1]=O",
        ("Cl.O",),
        (*_ACID_LABILE, "amine", "ester"),
    ),
    Reaction(
        "Sandmeyer bromination",
        (ANILINE,),
        "[c:1]Br",
        ("Br.Br[Cu].O=N[O-].[Na+]",),
        (*NUCLEOPHILES, "alkene", "amide NH", "tertiary amine"),
    ),
)
