"""The tokenizer and the context of a recipe's ``policy:`` block, without its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError, offline_hint
from rlsf_lightning.policy.preflight import TOKENIZER_FILES, policy_folder


def source_of(cfg: schema.Policy) -> str:
    """The folder to load from, or a name on the hub."""
    folder = policy_folder(cfg.name)
    return str(folder) if folder.is_dir() else cfg.name


def load_tokenizer(cfg: schema.Policy) -> PreTrainedTokenizerBase:
    """The policy's tokenizer. Raises UserError: it cannot be loaded."""
    source = source_of(cfg)
    has_files = any((Path(source) / name).is_file() for name in TOKENIZER_FILES)
    from_gguf = {"gguf_file": cfg.gguf_file} if cfg.gguf_file and not has_files else {}
    with user_errors(cfg, "the tokenizer"):
        return AutoTokenizer.from_pretrained(source, trust_remote_code=False, **from_gguf)


def context_length(cfg: schema.Policy) -> int | None:
    """The context window in tokens, if the model's configuration gives one. Raises UserError: there is none to read."""
    from_gguf: dict[str, Any] = {"gguf_file": cfg.gguf_file} if cfg.gguf_file else {}
    with user_errors(cfg, "the model's configuration"):
        config = AutoConfig.from_pretrained(source_of(cfg), trust_remote_code=False, **from_gguf)
    return getattr(config.get_text_config(), "max_position_embeddings", None)


@contextmanager
def user_errors(cfg: schema.Policy, what: str) -> Iterator[None]:
    """Turns errors of transformers and peft into a UserError that names the recipe's keys."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise UserError(
            f"{what} could not be loaded ({type(error).__name__}: {' '.join(str(error).split())[:600]}). "
            f"Seen: policy.name={cfg.name} policy.gguf_file={cfg.gguf_file} policy.adapter={cfg.adapter}. "
            "Write policy.name=FOLDER with a saved model, the exact name of a model on the Hugging Face hub "
            f"(which needs a connection), or policy.name=embedded{_offline(cfg)}."
        ) from error


def _offline(cfg: schema.Policy) -> str:
    is_hub_name = not policy_folder(cfg.name).is_dir()
    return f"; {offline_hint(cfg.name, 'policy.name=FOLDER')}" if is_hub_name else ""
