"""Preflight checks of a recipe's ``policy:`` block: in seconds, before any weights are read. It loads nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from rlsf_lightning.config import schema
from rlsf_lightning.config.environment import hub_answers
from rlsf_lightning.errors import UserError, offline_hint
from rlsf_lightning.policy.checkpoint import is_checkpoint

#: The policy that ships with the package.
EMBEDDED = Path(__file__).parent / "embedded"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt")


def check_policy(cfg: schema.Policy) -> None:
    """Refuse a ``policy:`` block that cannot be loaded.

    Raises:
        UserError: an unknown folder, a file that is missing or damaged, a package that is not installed,
            settings that exclude each other.
    """
    if cfg.lora.r == 0 and cfg.quantize == "nf4":
        raise UserError(
            "policy.lora.r=0 trains the backbone itself, and 4-bit weights cannot be trained. "
            "Write policy.quantize=none, or policy.lora.r=16 for an adapter."
        )
    if cfg.lora.r == 0 and cfg.adapter and not is_checkpoint(cfg.adapter):
        raise UserError(
            f"policy.lora.r=0 trains no adapter, but policy.adapter={cfg.adapter} names one. "
            "Write policy.adapter=null, or policy.lora.r=16."
        )
    if cfg.quantize == "nf4" and importlib.util.find_spec("bitsandbytes") is None:
        raise UserError("policy.quantize=nf4 needs bitsandbytes: pip install bitsandbytes, or policy.quantize=none.")
    if cfg.gguf_file and importlib.util.find_spec("gguf") is None:
        raise UserError(f"policy.gguf_file={cfg.gguf_file} needs the gguf package: pip install gguf")
    _check_model(cfg)
    if cfg.adapter:
        _check_adapter(Path(cfg.adapter).expanduser())


def policy_folder(name: str) -> Path:
    """The folder that ``policy.name`` means; there is none where it is a name of the Hugging Face hub."""
    return EMBEDDED if name == "embedded" else Path(name).expanduser()


def _check_model(cfg: schema.Policy) -> None:
    folder = policy_folder(cfg.name)
    if folder.is_file():
        gguf = f" policy.gguf_file={folder.name}" if folder.suffix == ".gguf" else ""
        raise UserError(f"policy.name={cfg.name} is a file. Write its folder: policy.name={folder.parent}{gguf}")
    if not folder.is_dir():
        if folder == EMBEDDED or cfg.name.startswith((".", "/", "~")) or cfg.name.count("/") > 1 or "\\" in cfg.name:
            raise UserError(f"policy.name={cfg.name}: there is no folder {folder}. Write a folder with a config.json.")
        if not _is_hub_name(cfg.name):
            raise UserError(
                f"policy.name={cfg.name}: there is no such folder here, and it is no name of the Hugging Face hub either. "
                "Write policy.name=FOLDER, or the model's exact name there, such as policy.name=Qwen/Qwen2.5-0.5B-Instruct."
            )
        if not (hub_answers() or _is_cached(cfg)):
            raise UserError(
                f"policy.name={cfg.name}: there is no such folder here, and the Hugging Face hub cannot be reached; "
                f"{offline_hint(cfg.name, 'policy.name=FOLDER')}"
            )
        return  # a name on the Hugging Face hub
    if cfg.gguf_file:
        _check_gguf(folder, cfg.gguf_file)
        return
    if not (folder / "config.json").is_file():
        held = sorted(path.name for path in folder.glob("*.gguf"))
        hint = f"Write policy.gguf_file={held[0]}." if held else "Write the folder of a saved model."
        raise UserError(f"policy.name={cfg.name}: there is no config.json in {folder}. {hint}")
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise UserError(
            f"policy.name={cfg.name}: there is no tokenizer in {folder} ({', '.join(TOKENIZER_FILES)}). "
            "Save one into that folder: tokenizer.save_pretrained(folder)."
        )
    _check_weights(folder)


def _is_hub_name(name: str) -> bool:
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _is_cached(cfg: schema.Policy) -> bool:
    """Whether an earlier run has downloaded the model."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(cfg.name, cfg.gguf_file or "config.json"), str)


def _check_gguf(folder: Path, name: str) -> None:
    path = folder / name
    if not path.is_file():
        held = ", ".join(sorted(p.name for p in folder.glob("*.gguf"))) or "none"
        raise UserError(f"policy.gguf_file={name}: there is no such file in {folder}. GGUF files there: {held}.")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UserError(f"policy.gguf_file: {path} does not begin like a GGUF file. Restore or download it again.")


def _check_weights(folder: Path) -> None:
    """Every shard that the index names is there, and every safetensors header fits its file's size."""
    index = folder / "model.safetensors.index.json"
    named = set(_read_json(index).get("weight_map", {}).values()) if index.is_file() else set()
    missing = sorted(name for name in named if not (folder / name).is_file())
    if missing:
        raise UserError(f"{folder} lacks {missing[0]}, which {index.name} names. Restore or download it again.")
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("pytorch_model*.bin")):
        raise UserError(f"policy.name: {folder} has no weights (*.safetensors). Write the folder of a saved model.")
    for path in sorted(folder.glob("*.safetensors")):
        _check_safetensors(path)


def _check_safetensors(path: Path) -> None:
    try:
        with safe_open(path, framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"the weights file {path} is damaged or incomplete ({error}). Restore or download it again."
        ) from error


def _check_adapter(folder: Path) -> None:
    if is_checkpoint(str(folder)):
        if not folder.is_file():
            beside = sorted(str(path) for path in folder.parent.glob("*.ckpt"))
            raise UserError(
                f"policy.adapter={folder}: there is no such file; checkpoints there: {', '.join(beside) or 'none'}"
            )
        return
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise UserError(
            f"policy.adapter={folder}: there is no {config.name} in it. "
            "Write the folder that an adapter was saved to, or policy.adapter=null for a fresh one."
        )
    kind = _read_json(config).get("peft_type")
    if kind != "LORA":
        raise UserError(f"policy.adapter={folder} holds an adapter of type {kind}. Write the folder of a LORA adapter.")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise UserError(f"policy.adapter={folder}: there is no {weights.name} in it. Save the adapter again.")
    _check_safetensors(weights)


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}). Restore or download it again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged (no JSON object). Restore or download it again.")
    return content
