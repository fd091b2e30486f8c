"""Merge a trained adapter into its base: a Hugging Face folder that AutoModelForCausalLM loads without this package.

python -m rlsf_lightning.export recipe=chem_iupac policy.adapter=runs/chem_iupac/TIME/adapter to=exported
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING

from rlsf_lightning.config import cli
from rlsf_lightning.errors import UserError

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe


@dataclass
class Options:
    #: The folder to write; it must not exist yet.
    to: str = MISSING
    #: Precision of the written weights: fp32, bf16 or fp16.
    dtype: str = "fp32"


def run(recipe: Recipe, options: Options) -> None:
    to, dtypes = Path(options.to), {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
    if options.dtype not in dtypes:
        raise UserError(f"dtype={options.dtype}: expects one of {', '.join(dtypes)}")
    if to.exists():
        raise UserError(f"to={to} already exists; name a new folder")
    if recipe.policy.adapter is None:
        raise UserError("nothing to merge: set policy.adapter=RUN_DIR/adapter")

    from rlsf_lightning.policy.load import check_fits, load_policy
    from rlsf_lightning.policy.preflight import check_policy

    # A merged 4-bit weight would be rounded twice: the adapter goes onto the base in full precision.
    recipe.policy.quantize = "none"
    check_policy(recipe.policy)
    check_fits(recipe.policy)

    import torch
    from peft import PeftModel

    policy = load_policy(recipe.policy, with_value=False)
    backbone: Any = policy.backbone
    merged = backbone.merge_and_unload() if isinstance(backbone, PeftModel) else backbone
    partial = to.with_name(f".{to.name}.partial")
    merged.to(getattr(torch, dtypes[options.dtype])).save_pretrained(partial)
    policy.tokenizer.save_pretrained(partial)
    partial.rename(to)
    print(f"written to {to}: AutoModelForCausalLM.from_pretrained({str(to)!r})")


def main(argv: Sequence[str] | None = None) -> None:
    """The command; ``argv`` defaults to the process's arguments."""
    cli.main(__doc__, run, Options, argv)


if __name__ == "__main__":
    main()
