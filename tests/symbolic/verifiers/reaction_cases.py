"""Prompts of the reaction verifier for its tests, and other ways to write an answer."""

import random

from smiles_cases import real_smiles, spelling

from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.reaction.verifier import ReactionVerifier

VERIFIER = ReactionVerifier()
#: Acetic acid and methylamine give N-methylacetamide.
ACID, AMINE, AMIDE = "CC(=O)O", "CN", "CNC(C)=O"


def forward(product: str | None = AMIDE, reactants: object = f"{ACID}.{AMINE}") -> Prompt:
    return Prompt("p", "what do they give?", product, facts={"direction": "forward", "reactants": reactants})


def retro(reactants: str | None = f"{ACID}.{AMINE}", product: object = AMIDE) -> Prompt:
    return Prompt("p", "what is it made of?", reactants, facts={"direction": "retro", "product": product})


def kinds(certificate: Certificate) -> list[str]:
    return [finding.kind for finding in certificate.findings]


def real_answers(count: int, seed: int) -> list[str]:
    """Two to four real molecules as one answer; now and then one of them twice."""
    rng = random.Random(seed)
    molecules = real_smiles(3 * count, seed, longest=30)
    answers = []
    for _ in range(count):
        chosen = rng.sample(molecules, rng.choice([2, 2, 3]))
        answers.append(".".join([*chosen, *rng.sample(chosen, rng.choice([0, 0, 1]))]))
    return answers


def respelled(answer: str, rng: random.Random) -> str:
    """The components in another order, each from another atom."""
    components = answer.split(".")
    rng.shuffle(components)
    return ".".join(spelling(component, rng) for component in components)
