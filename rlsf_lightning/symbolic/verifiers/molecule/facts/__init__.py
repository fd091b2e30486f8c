"""The facts that a description states of a molecule: a closed vocabulary, and how each is measured.

    {"functional_group": "carboxylic acid", "count": 1}     names: ``groups.FUNCTIONAL_GROUPS``
    {"ring": "benzene", "min": 1, "max": 2}                 names: ``groups.RINGS``
    {"element": "Cl", "count": 2}
    {"smarts": "[CX3]=[OX1]", "max": 3}                     any SMARTS that RDKit reads
    {"formula": "C9H8O4"}                                   with its charge, if it has one: "C2H3O2-", "Mg+2"
    {"property": "charge", "count": 0}                      names: ``fact.PROPERTIES``

``count`` is exact; ``min`` and ``max`` are bounds; without any of them: at least one.
"""
