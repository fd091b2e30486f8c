"""The verifier of IUPAC names, started once, for its tests; they are skipped where OPSIN or Java is missing."""

import functools

import pytest
from certificates import checked

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.iupac_name.verifier import IupacNameVerifier


@functools.cache
def verifier() -> IupacNameVerifier:
    try:
        return IupacNameVerifier()
    except UserError as error:
        pytest.skip(str(error))


def verify(reference: str, completion: str) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier(), Prompt("id", "name it", reference), completion)
