"""The policy inside a checkpoint of a run: any of them serves as ``policy.adapter``, with the adapter's own shape."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from rlsf_lightning.errors import UserError

#: The key of a checkpoint under which its adapter's peft configuration is, as JSON; null: all weights were trained.
ADAPTER_CONFIG = "adapter_config"
_BACKBONE = "policy.backbone."


def is_checkpoint(adapter: str | None) -> bool:
    """Whether ``policy.adapter`` names a checkpoint, and not a folder."""
    return adapter is not None and Path(adapter).expanduser().suffix == ".ckpt"


def adapter_config(backbone: Any) -> str | None:
    """What is stored of a policy's backbone under ``ADAPTER_CONFIG``."""
    configs = getattr(backbone, "peft_config", None)
    if configs is None:
        return None
    plain = configs["default"].to_dict()
    return json.dumps({key: sorted(value) if isinstance(value, set) else value for key, value in plain.items()})


@contextmanager
def adapter_folder(path: Path) -> Iterator[Path]:
    """A folder as peft's ``save_pretrained`` writes it, of the policy's adapter in a checkpoint; gone afterwards.

    Raises:
        UserError: the file is no checkpoint of a run, or is one of a run that trained all weights.
    """
    config, weights = _read(path)
    if config is None:
        raise UserError(f"policy.adapter={path}: all weights were trained in that run: write policy.lora.r=0 too")
    adapter = {
        name.replace(".modules_to_save.default.", ".").replace(".default.", "."): tensor.contiguous()
        for name, tensor in weights.items()
        if ".default." in name  # and not of the critic's adapter
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "adapter_config.json").write_text(config, encoding="utf-8")
        save_file(adapter, str(folder / "adapter_model.safetensors"))
        yield folder


def whole_weights(path: Path) -> dict[str, torch.Tensor]:
    """The model's weights in a checkpoint of a run that trained all of them.

    Raises:
        UserError: as ``adapter_folder``, the other way round.
    """
    config, weights = _read(path)
    if config is not None:
        raise UserError(f"policy.adapter={path} holds an adapter: policy.lora.r=0 has none. Write policy.lora.r=16.")
    return weights


def _read(path: Path) -> tuple[str | None, dict[str, torch.Tensor]]:
    """The peft configuration, and the trained weights by their names in the backbone."""
    checkpoint = load_checkpoint(
        path,
        (ADAPTER_CONFIG, "state_dict"),
        told=f"policy.adapter={path}",
        advice=f"take another one of {path.parent}, or the run's adapter folder",
        mmap=True,
    )
    state = checkpoint["state_dict"]
    weights = {k.removeprefix(_BACKBONE): tensor for k, tensor in state.items() if k.startswith(_BACKBONE)}
    return checkpoint[ADAPTER_CONFIG], weights


def load_checkpoint(path: Path, keys: Sequence[str], *, told: str, advice: str, mmap: bool = False) -> dict[str, Any]:
    """A checkpoint's content, with nothing but tensors and plain values allowed in it.

    Args:
        keys: it must have.
        told: what the user wrote to name it.
        advice: what else to write.
        mmap: read a tensor when it is used.

    Raises:
        UserError: it cannot be read, or lacks one of the keys.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
        for key in keys:
            checkpoint[key]
    except Exception as error:  # what a damaged file raises is not documented
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise UserError(f"{told} is not a readable checkpoint of a run ({reason}); {advice}") from None
    return checkpoint
