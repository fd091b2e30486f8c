"""Texts with data in them and a JSON Schema: mails, forms, tables and prose, made of templates; the answer is one object."""

from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.prompts.sources.json_extract.document import make


def prompts(split: str) -> Generated:
    """Endless for training; see ``Generated``. The fact ``schema`` is the prompt's schema, the reference its object."""
    return Generated("json_extract", make, split)
