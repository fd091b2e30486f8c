"""Named reactions against literal examples: two products of each, and what is not certain."""

import pytest
from rdkit import Chem

from rlsf_lightning.symbolic.chemistry.compare import target_of
from rlsf_lightning.symbolic.chemistry.reactions.groups import COMPETING
from rlsf_lightning.symbolic.chemistry.reactions.outcome import (
    MOST_REACTANTS,
    NAMED_REACTIONS,
    Outcome,
    certain_product,
    outcome,
)

BOC2O, AC2O, TBSCL = "CC(C)(C)OC(=O)OC(=O)OC(C)(C)C", "CC(=O)OC(C)=O", "CC(C)(C)[Si](C)(C)Cl"
#: name -> (reactants in the reaction's order, product), written down by hand.
EXAMPLES = {
    "amide coupling": [
        ("OC(=O)c1ccccc1.NCc1ccccc1", "O=C(NCc1ccccc1)c1ccccc1"),
        ("CC(=O)O.C1CCNC1", "CC(=O)N1CCCC1"),
    ],
    "acylation of an amine by an acyl chloride": [
        ("ClC(=O)c1ccccc1.Nc1ccccc1", "O=C(Nc1ccccc1)c1ccccc1"),
        ("CC(=O)Cl.CNC", "CC(=O)N(C)C"),
    ],
    "Fischer esterification": [("CC(=O)O.CCO", "CCOC(C)=O"), ("OC(=O)c1ccccc1.OC(C)C", "CC(C)OC(=O)c1ccccc1")],
    "Steglich esterification": [("CCC(=O)O.OCc1ccccc1", "CCC(=O)OCc1ccccc1"), ("CC(=O)O.CO", "COC(C)=O")],
    "acylation of an alcohol by an acyl chloride": [
        ("ClC(=O)c1ccccc1.CO", "COC(=O)c1ccccc1"),
        ("CCC(=O)Cl.OC1CCCCC1", "CCC(=O)OC1CCCCC1"),
    ],
    "acylation of a phenol by an acyl chloride": [
        ("CC(=O)Cl.Oc1ccccc1", "CC(=O)Oc1ccccc1"),
        ("ClC(=O)c1ccccc1.Cc1ccc(O)cc1", "Cc1ccc(OC(=O)c2ccccc2)cc1"),
    ],
    "sulfonamide formation": [
        ("Cc1ccc(S(=O)(=O)Cl)cc1.NCC", "CCNS(=O)(=O)c1ccc(C)cc1"),
        ("CS(=O)(=O)Cl.Nc1ccccc1", "CS(=O)(=O)Nc1ccccc1"),
    ],
    "urea formation": [
        ("O=C=Nc1ccccc1.NCC", "CCNC(=O)Nc1ccccc1"),
        ("CCN=C=O.C1CCNCC1", "CCNC(=O)N1CCCCC1"),
    ],
    "carbamate formation": [
        ("O=C=Nc1ccccc1.CO", "COC(=O)Nc1ccccc1"),
        ("CCCCN=C=O.OC(C)C", "CCCCNC(=O)OC(C)C"),
    ],
    "thiourea formation": [
        ("S=C=Nc1ccccc1.NCC", "CCNC(=S)Nc1ccccc1"),
        ("CN=C=S.Nc1ccccc1", "CNC(=S)Nc1ccccc1"),
    ],
    "Boc protection": [
        (f"NCc1ccccc1.{BOC2O}", "CC(C)(C)OC(=O)NCc1ccccc1"),
        (f"C1CCNCC1.{BOC2O}", "CC(C)(C)OC(=O)N1CCCCC1"),
    ],
    "acetylation by acetic anhydride": [
        (f"OC(=O)c1ccccc1.{AC2O}", None),  # an acid is no alcohol
        (f"COC(=O)c1ccccc1O.{AC2O}", "COC(=O)c1ccccc1OC(C)=O"),
        (f"OC1CCCC1.{AC2O}", "CC(=O)OC1CCCC1"),
    ],
    "silylation": [
        (f"OCc1ccccc1.{TBSCL}", "CC(C)(C)[Si](C)(C)OCc1ccccc1"),
        (f"CCC(C)O.{TBSCL}", "CCC(C)O[Si](C)(C)C(C)(C)C"),
    ],
    "Williamson ether synthesis": [
        ("Oc1ccccc1.CCBr", "CCOc1ccccc1"),
        ("Oc1ccc(C=O)cc1.BrCc1ccccc1", "O=Cc1ccc(OCc2ccccc2)cc1"),
    ],
    "Mitsunobu reaction": [
        ("Oc1ccccc1.CCO", "CCOc1ccccc1"),
        ("Oc1ccc(F)cc1.OCc1ccccc1", "Fc1ccc(OCc2ccccc2)cc1"),
    ],
    "alkylation of a secondary amine": [
        ("C1COCCN1.BrCc1ccccc1", "c1ccc(CN2CCOCC2)cc1"),
        ("CCNCC.CCCI", "CCCN(CC)CC"),
    ],
    "thioether formation": [("Sc1ccccc1.CCBr", "CCSc1ccccc1"), ("CCCS.BrCc1ccccc1", "CCCSCc1ccccc1")],
    "methylation of an acid by iodomethane": [
        ("OC(=O)c1ccccc1.CI", "COC(=O)c1ccccc1"),
        ("OC(=O)C1CCC1.CI", "COC(=O)C1CCC1"),
    ],
    "aza-Michael addition": [
        ("C1CCNCC1.C=CC(=O)OC", "COC(=O)CCN1CCCCC1"),
        ("CNC.C=CC#N", "CN(C)CCC#N"),
    ],
    "opening of an epoxide by an amine": [
        ("CNC.CCC1CO1", "CCC(O)CN(C)C"),
        ("C1CCNC1.COCC1CO1", "COCC(O)CN1CCCC1"),
    ],
    "nucleophilic aromatic substitution": [
        ("Fc1ccc([N+](=O)[O-])cc1.C1COCCN1", "O=[N+]([O-])c1ccc(N2CCOCC2)cc1"),
        ("Fc1ccccc1[N+](=O)[O-].NCC", "CCNc1ccccc1[N+](=O)[O-]"),
        ("Fc1cccc([N+](=O)[O-])c1.NCC", None),  # meta is not activated
    ],
    "reductive amination of an aldehyde": [
        ("O=Cc1ccccc1.NCC", "CCNCc1ccccc1"),
        ("CCC=O.C1CCNCC1", "CCCN1CCCCC1"),
        ("CC=CC=O.CNC", None),  # conjugated
    ],
    "reductive amination of a ketone": [
        ("O=C1CCCCC1.NCc1ccccc1", "c1ccc(CNC2CCCCC2)cc1"),
        ("CC(C)=O.Nc1ccccc1", "CC(C)Nc1ccccc1"),
    ],
    "Suzuki coupling": [
        ("Brc1ccccc1.OB(O)c1ccc(C)cc1", "Cc1ccc(-c2ccccc2)cc1"),
        ("Ic1ccncc1.OB(O)c1ccsc1", "c1cc(-c2ccsc2)ccn1"),
    ],
    "Sonogashira coupling": [
        ("Ic1ccccc1.C#Cc1ccccc1", "C(#Cc1ccccc1)c1ccccc1"),
        ("Brc1ccc(C=O)cc1.C#CCCCC", "CCCCC#Cc1ccc(C=O)cc1"),
    ],
    "Buchwald-Hartwig amination": [
        ("Brc1ccccc1.C1COCCN1", "c1ccc(N2CCOCC2)cc1"),
        ("Cc1ccc(Br)cc1.Nc1ccccc1", "Cc1ccc(Nc2ccccc2)cc1"),
    ],
    "Grignard addition to an aldehyde": [
        ("Brc1ccccc1.CC=O", "CC(O)c1ccccc1"),
        ("CCCBr.O=Cc1ccccc1", "CCCC(O)c1ccccc1"),
    ],
    "Grignard addition to a ketone": [
        ("CBr.O=C1CCCCC1", "CC1(O)CCCCC1"),
        ("Brc1ccccc1.CC(C)=O", "CC(C)(O)c1ccccc1"),
    ],
    "azide-alkyne cycloaddition": [
        ("[N-]=[N+]=NCc1ccccc1.C#Cc1ccccc1", "c1ccc(Cn2cc(-c3ccccc3)nn2)cc1"),
        ("CCN=[N+]=[N-].C#CCO", "CCn1cc(CO)nn1"),
    ],
    "oxidation of a primary alcohol to an aldehyde": [("OCc1ccccc1", "O=Cc1ccccc1"), ("CCCCO", "CCCC=O")],
    "oxidation of a secondary alcohol to a ketone": [
        ("OC1CCCCC1", "O=C1CCCCC1"),
        ("C[C@H](O)c1ccccc1", "CC(=O)c1ccccc1"),
    ],
    "Jones oxidation of a primary alcohol": [("CCCCO", "CCCC(=O)O"), ("OCCc1ccccc1", "O=C(O)Cc1ccccc1")],
    "Pinnick oxidation of an aldehyde": [("O=Cc1ccccc1", "O=C(O)c1ccccc1"), ("CCCC=O", "CCCC(=O)O")],
    "epoxidation of an alkene by a peracid": [("C1=CCCCC1", "C1CCC2OC2C1"), ("C=CCCC", "CCCC1CO1")],
    "oxidation of a sulfide to a sulfone": [("CSc1ccccc1", "CS(=O)(=O)c1ccccc1"), ("CCSCC", "CCS(=O)(=O)CC")],
    "hydroboration and oxidation of an alkene": [("C=CCCC", "CCCCCO"), ("C=C1CCCCC1", "OCC1CCCCC1")],
    "borohydride reduction of an aldehyde": [("O=Cc1ccccc1", "OCc1ccccc1"), ("CCC=O", "CCCO")],
    "borohydride reduction of a ketone": [("O=C1CCCCC1", "OC1CCCCC1"), ("CC(=O)c1ccccc1", "CC(O)c1ccccc1")],
    "hydride reduction of an ester": [("COC(=O)c1ccccc1", "OCc1ccccc1"), ("CCCC(=O)OCC", "CCCCO")],
    "hydride reduction of a nitrile": [("N#Cc1ccccc1", "NCc1ccccc1"), ("CCCC#N", "CCCCN")],
    "borane reduction of an acid": [("OC(=O)c1ccccc1", "OCc1ccccc1"), ("CCCC(=O)O", "CCCCO")],
    "reduction of a nitroarene": [
        ("O=[N+]([O-])c1ccccc1", "Nc1ccccc1"),
        ("Cc1ccc([N+](=O)[O-])cc1", "Cc1ccc(N)cc1"),
    ],
    "hydrogenation of an alkene": [("C1=CCCCC1", "C1CCCCC1"), ("C=CCCO", "CCCCO")],
    "hydrogenation of an alkyne": [("CC#CCO", "CCCCO"), ("C#Cc1ccccc1", "CCc1ccccc1")],
    "hydrogenolysis of a benzyl ether": [
        ("c1ccc(COc2ccccc2)cc1", "Oc1ccccc1"),
        ("CCCCOCc1ccccc1", "CCCCO"),
        ("CC(=O)OCc1ccccc1", None),  # an ester is no ether
    ],
    "hydrolysis of an ester": [("COC(=O)c1ccccc1", "O=C(O)c1ccccc1"), ("CCCC(=O)OCC", "CCCC(=O)O")],
    "hydrolysis of a nitrile": [("N#Cc1ccccc1", "O=C(O)c1ccccc1"), ("CCCC#N", "CCCC(=O)O")],
    "Boc deprotection": [
        ("CC(C)(C)OC(=O)NCc1ccccc1", "NCc1ccccc1"),
        ("CC(C)(C)OC(=O)N1CCC(O)CC1", "OC1CCNCC1"),
    ],
    "cleavage of an aryl methyl ether": [("COc1ccccc1", "Oc1ccccc1"), ("COc1ccc(Br)cc1", "Oc1ccc(Br)cc1")],
    "chlorination of a primary alcohol": [("OCc1ccccc1", "ClCc1ccccc1"), ("CCCCO", "CCCCCl")],
    "Appel reaction": [("OCc1ccccc1", "BrCc1ccccc1"), ("OCCC1CC1", "BrCCC1CC1")],
    "acid chloride formation": [("OC(=O)c1ccccc1", "O=C(Cl)c1ccccc1"), ("CCCC(=O)O", "CCCC(=O)Cl")],
    "substitution of a halide by azide": [
        ("BrCc1ccccc1", "[N-]=[N+]=NCc1ccccc1"),
        ("CCCCI", "CCCCN=[N+]=[N-]"),
    ],
    "substitution of a halide by cyanide": [("BrCc1ccccc1", "N#CCc1ccccc1"), ("CCCCBr", "CCCCC#N")],
    "dehydration of an amide": [("NC(=O)c1ccccc1", "N#Cc1ccccc1"), ("CCCC(N)=O", "CCCC#N")],
    "Wittig methylenation": [("O=C1CCCCC1", "C=C1CCCCC1"), ("O=Cc1ccccc1", "C=Cc1ccccc1")],
    "acetal formation": [("O=C1CCCCC1.OCCO", "C1CCC2(CC1)OCCO2"), ("O=Cc1ccccc1.OCCO", "c1ccc(C2OCCO2)cc1")],
    "hydrolysis of an acetal": [("C1CCC2(CC1)OCCO2", "O=C1CCCCC1"), ("c1ccc(C2OCCO2)cc1", "O=Cc1ccccc1")],
    "Sandmeyer bromination": [("Nc1ccccc1", "Brc1ccccc1"), ("Cc1ccc(N)cc1", "Cc1ccc(Br)cc1")],
}
CASES = [(name, reactants, product) for name, rows in EXAMPLES.items() for reactants, product in rows]


def molecules(smiles: str) -> list:
    return [target_of(part).molecule for part in smiles.split(".")]


def test_every_reaction_has_two_examples():
    assert EXAMPLES.keys() == NAMED_REACTIONS.keys() and len(EXAMPLES) >= 25
    assert all(sum(product is not None for _, product in rows) >= 2 for rows in EXAMPLES.values())
    assert MOST_REACTANTS == 2


@pytest.mark.parametrize(("name", "reactants", "product"), CASES)
def test_a_reaction_gives_its_product(name, reactants, product):
    made = certain_product(NAMED_REACTIONS[name], molecules(reactants))
    assert made == (None if product is None else Chem.CanonSmiles(product))


@pytest.mark.parametrize(("name", "reactants", "product"), [case for case in CASES if case[2] is not None])
def test_it_is_found_again_whatever_the_order_and_spelling(name, reactants, product):
    parts = [Chem.MolToSmiles(each, canonical=False, allHsExplicit=True) for each in molecules(reactants)]
    found = outcome([target_of(part) for part in parts[::-1]], target_of(product), [name])
    assert found == Outcome(name)


@pytest.mark.parametrize(
    ("name", "reactants"),
    [
        ("amide coupling", "CC(=O)O.NCCN"),  # two amines
        ("amide coupling", "OC(=O)CC(=O)O.CN"),  # two acids
        ("amide coupling", "CC(=O)O.NCCC(=O)O"),  # both in one molecule
        ("amide coupling", "CC(=O)O.CC(N)=O"),  # no amine
        ("Williamson ether synthesis", "Oc1ccc(O)cc1.CCBr"),
        ("Williamson ether synthesis", "Oc1ccc(N)cc1.CCBr"),
        ("alkylation of a secondary amine", "CNC.BrCCBr"),
        ("borohydride reduction of a ketone", "CC(=O)CCC=O"),
        ("hydrogenation of an alkene", "C=CCC#C"),
        ("oxidation of a primary alcohol to an aldehyde", "OCC(O)C"),
        ("Suzuki coupling", "Brc1ccc(I)cc1.OB(O)c1ccccc1"),
        ("Grignard addition to a ketone", "OCCCBr.CC(C)=O"),
        ("hydrolysis of an ester", "COC(=O)CCC(=O)OCC"),
    ],
)
def test_a_second_site_or_a_rival_makes_it_uncertain(name, reactants):
    assert certain_product(NAMED_REACTIONS[name], molecules(reactants)) is None


@pytest.mark.parametrize(
    ("components", "product", "found"),
    [
        ("CC(=O)O.NCCN", "CC(=O)NCCN", "doubt"),  # a second amine
        ("CC(=O)c1ccccc1", "C[C@H](O)c1ccccc1", "doubt"),  # which hand is not said
        ("CC(=O)O.CN.O", "CNC(C)=O", "none"),  # nothing takes up the water
        ("CNC(C)=O", "CNC(C)=O", "none"),
        ("[CH3:1]C(=O)O.CN", "CNC(C)=O", "none"),
        ("C[C]=O.CN", "CNC(C)=O", "none"),
        ("C[C@H](N)c1ccccc1.CC(=O)O", "CC(=O)N[C@@H](C)c1ccccc1", "amide coupling"),
        ("C[C@H](N)c1ccccc1.CC(=O)O", "CC(=O)N[C@H](C)c1ccccc1", "doubt"),
    ],
)
def test_what_leads_to_a_product(components, product, found):
    result = outcome([target_of(part) for part in components.split(".")], target_of(product), list(NAMED_REACTIONS))
    assert ("doubt" if result.doubt else result.reaction or "none") == found


def test_the_groups_that_compete_have_names():
    assert all(COMPETING.keys() >= set(each.competing) for each in NAMED_REACTIONS.values())
    assert all(Chem.MolFromSmarts(smarts) is not None for smarts in COMPETING.values())
