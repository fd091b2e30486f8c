"""Loads a recipe's ``policy:`` block as a Policy: weights, quantisation, LoRA adapter, value head.

It never trains or samples, and never runs code that comes with a model (no ``trust_remote_code``).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from peft.utils.other import ModulesToSaveWrapper
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.checkpoint import adapter_folder, is_checkpoint, whole_weights
from rlsf_lightning.policy.heads import ValueHead, lm_head
from rlsf_lightning.policy.policy import CRITIC, Policy
from rlsf_lightning.policy.quantize import keep_trainable, multiplies_bf16, nf4_config, nf4_dtype, quantize_in_place
from rlsf_lightning.policy.sampling.stops import Stops
from rlsf_lightning.policy.tokenizer import load_tokenizer, source_of, user_errors

#: Settings of a generation_config.json that would change the sampled distribution, with their neutral values.
NEUTRAL_SAMPLING: dict[str, Any] = {
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "min_length": 0,
    "min_new_tokens": 0,
    "bad_words_ids": [],
    "suppress_tokens": [],
    "begin_suppress_tokens": [],
    "sequence_bias": {},
}


def load_policy(
    cfg: schema.Policy,
    *,
    with_value: bool = False,
    with_critic: bool = False,
    device: str | torch.device = "cpu",
    seed: int = 0,
    half: torch.dtype = torch.bfloat16,
    is_mixed: bool = False,
    stop: Sequence[str | int] = (),
) -> Policy:
    """Load a policy that ``preflight.check_policy`` has nothing against, ready to sample, score and train.

    The base is NF4, or dense: ``half`` on CUDA, and on a CPU that multiplies bf16 where the run does; else fp32. An adapter
    from ``cfg.adapter`` keeps its own rank, scale and targets; ``cfg.lora`` describes a fresh one, whose random weights
    depend on ``seed`` alone. With ``cfg.lora.r == 0`` all weights are fine-tuned, in fp32 (bf16 weights would round small
    steps away), and a frozen copy of the same size is the reference.

    Args:
        with_value: add a value head.
        with_critic: give the value head a fresh adapter of its own, of the policy adapter's shape.
        half: the 16-bit dtype of the base; fp16 where it computes under fp16 autocast, which takes no bf16 beside it.
        is_mixed: the run computes under autocast to ``half``.
        stop: ``rollout.stop``.

    Raises:
        UserError: files that do not fit each other or the recipe.
    """
    device = torch.device(device)
    wants_nf4 = cfg.quantize == "nf4" or (cfg.quantize == "auto" and device.type == "cuda" and cfg.lora.r > 0)
    if wants_nf4:
        dtype = nf4_dtype(device, half)
    else:
        is_half = device.type == "cuda" or (is_mixed and multiplies_bf16(device) and half is torch.bfloat16)
        dtype = half if is_half and cfg.lora.r > 0 else torch.float32
    tokenizer = load_tokenizer(cfg)
    model = _load_model(cfg, device, dtype, wants_nf4)
    _refuse_recurrent(model, cfg)
    eos_token_ids = _eos_token_ids(model, tokenizer, _generation_config(cfg), cfg)
    pad_token_id = tokenizer.pad_token_id
    if pad_token_id is None or pad_token_id >= model.get_input_embeddings().num_embeddings:
        pad_token_id = eos_token_ids[0]
    if cfg.lora.r > 0:
        backbone = _upcast_modules_to_save(_with_adapter(model, cfg, device, seed))
        if with_critic:
            _add_critic(backbone, device, seed)
    else:
        if cfg.adapter:
            with user_errors(cfg, "the checkpoint"):
                _load_whole(model, whole_weights(Path(cfg.adapter).expanduser()))
        backbone = model.requires_grad_(True)
    policy = Policy(
        backbone,
        tokenizer,
        eos_token_ids=eos_token_ids,
        pad_token_id=pad_token_id,
        value_head=ValueHead(model.config.get_text_config().hidden_size).to(device) if with_value else None,
        frozen_copy=copy.deepcopy(model).requires_grad_(False) if cfg.lora.r == 0 else None,
        gradient_checkpointing=cfg.gradient_checkpointing,
        stops=Stops(tokenizer, stop),
    )
    _refuse_unknown_head(policy, cfg)
    return policy


def check_fits(cfg: schema.Policy, stop: Sequence[str | int] = ()) -> None:
    """Refuse what ``load_policy`` would, as far as the model's configuration tells; no weights are read but a checkpoint's.

    Raises:
        UserError: a name that the hub does not have, modules that the model does not have, a checkpoint that is none.
    """
    Stops(load_tokenizer(cfg), stop)
    if cfg.adapter and is_checkpoint(cfg.adapter):
        path = Path(cfg.adapter).expanduser()
        with adapter_folder(path) if cfg.lora.r > 0 else nullcontext(whole_weights(path)):
            pass
    if cfg.gguf_file:
        return
    with user_errors(cfg, "the model"):
        config = AutoConfig.from_pretrained(source_of(cfg), trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    _refuse_recurrent(model, cfg)
    if cfg.lora.r > 0 and not cfg.adapter:
        _with_adapter(model, cfg, torch.device("cpu"), seed=0)


def load_backbone(
    cfg: schema.Policy, device: str | torch.device = "cpu"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The plain model of ``cfg.name``, dense, fp32, every weight trainable, and its tokenizer: for supervised fine-tuning.

    Raises:
        UserError: as ``load_policy``; and where ``cfg.adapter`` names an adapter, which a plain model does not have.
    """
    if cfg.adapter:
        raise UserError(f"policy.adapter={cfg.adapter} is not read here: all weights learn. Write policy.adapter=null.")
    model = _load_model(cfg, torch.device(device), torch.float32, wants_nf4=False)
    return model.requires_grad_(True), load_tokenizer(cfg)


def _load_model(cfg: schema.Policy, device: torch.device, dtype: torch.dtype, wants_nf4: bool) -> PreTrainedModel:
    kwargs: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}, "trust_remote_code": False}
    if cfg.gguf_file:
        from transformers import GgufConfig

        # Dequantised to dense weights: no gradient passes through GGUF blocks.
        kwargs |= {"gguf_file": cfg.gguf_file, "quantization_config": GgufConfig(dequantize=True)}
    elif wants_nf4:
        kwargs["quantization_config"] = nf4_config(dtype)
    with user_errors(cfg, "the model"):
        loaded: Any = AutoModelForCausalLM.from_pretrained(source_of(cfg), output_loading_info=True, **kwargs)
    model, info = loaded
    odd = sorted(map(str, [*info["missing_keys"], *info["mismatched_keys"]]))
    if odd:
        raise UserError(
            f"policy.name={cfg.name}: the weights do not fit config.json; {len(odd)} tensors are missing or of another "
            f"shape, the first is {odd[0]}. Restore the folder or download it again."
        )
    if cfg.gguf_file:
        # So that nothing takes the dense model for a quantised one.
        model.hf_quantizer, model.is_quantized = None, False
        vars(model.config).pop("quantization_config", None)
        if wants_nf4:
            quantize_in_place(model, dtype)
    keep_trainable(model)
    return model.eval()


def _with_adapter(model: PreTrainedModel, cfg: schema.Policy, device: torch.device, seed: int) -> nn.Module:
    from peft import LoraConfig, PeftModel, get_peft_model

    if cfg.adapter:
        path = Path(cfg.adapter).expanduser()
        unpacked = adapter_folder(path) if is_checkpoint(cfg.adapter) else nullcontext(path)
        with unpacked as folder, user_errors(cfg, "the adapter"):
            return PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    missing = [m for m in cfg.lora.modules_to_save if not any(n.endswith(m) for n, _ in model.named_modules())]
    if missing:  # peft would pass over them
        norms = [name for name, _ in model.named_modules() if "norm" in name or "ln" in name]
        raise UserError(
            f"policy.lora.modules_to_save={list(cfg.lora.modules_to_save)}: no module's name ends with {missing[0]}. "
            f"Write policy.lora.modules_to_save=[] or such names as {norms[-1] if norms else 'lm_head'}."
        )
    targets = cfg.lora.targets if isinstance(cfg.lora.targets, str) else list(cfg.lora.targets)
    lora = LoraConfig(
        r=cfg.lora.r,
        lora_alpha=cfg.lora.alpha,
        target_modules=targets,
        modules_to_save=list(cfg.lora.modules_to_save) or None,
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            return get_peft_model(model, lora)
        except ValueError as error:
            names = sorted({n.rsplit(".", 1)[-1] for n, m in model.named_modules() if isinstance(m, nn.Linear)})
            raise UserError(
                f"policy.lora.targets={targets} does not fit this model ({error}). "
                f"Write policy.lora.targets=all-linear, or some of: {', '.join(names)}."
            ) from error


def _load_whole(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Load all weights; of tied ones a checkpoint holds one name."""
    own = dict(model.named_parameters(remove_duplicate=False))
    told = {own[name].data_ptr() for name in weights if name in own}
    missing, unknown = model.load_state_dict(weights, strict=False)
    odd = [*(name for name in missing if name not in own or own[name].data_ptr() not in told), *unknown]
    if odd:
        raise ValueError(f"{len(odd)} weights do not fit the model, the first is {odd[0]}")


def _add_critic(backbone: Any, device: torch.device, seed: int) -> None:
    """A second, trainable adapter beside the policy's, which stays the active one."""
    lora = copy.deepcopy(backbone.peft_config["default"])
    lora.modules_to_save = None
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed + 1)
        backbone.add_adapter(CRITIC, lora)
    for name, parameter in backbone.named_parameters():
        if f".{CRITIC}." in name:
            parameter.requires_grad_(True)


def _upcast_modules_to_save(model: nn.Module) -> nn.Module:
    """peft's ``modules_to_save`` in fp32, as adapters are: bf16 would round small steps away. Their output's dtype stays."""
    for wrapper in [m for m in model.modules() if isinstance(m, ModulesToSaveWrapper)]:
        for module in wrapper.modules_to_save.values():
            dtype = next(module.parameters()).dtype
            if dtype in (torch.bfloat16, torch.float16):
                module.float().register_forward_hook(lambda _module, _inputs, output, dtype=dtype: output.to(dtype))
    return model


def _generation_config(cfg: schema.Policy) -> GenerationConfig | None:
    """The generation_config.json that comes with the model; warns about settings of it that are ignored."""
    try:
        generation = GenerationConfig.from_pretrained(source_of(cfg))
    except OSError:
        return None
    seen = {key: getattr(generation, key, None) for key in NEUTRAL_SAMPLING}
    ignored = [f"{key}={v}" for key, v in seen.items() if v is not None and v != NEUTRAL_SAMPLING[key]]
    if ignored:
        warnings.warn(
            f"the generation_config.json of {cfg.name} sets {', '.join(ignored)}: not followed. Completions are "
            "sampled from the very distribution that is scored; its temperature is rollout.temperature.",
            stacklevel=3,
        )
    return generation


def _eos_token_ids(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    generation: GenerationConfig | None,
    cfg: schema.Policy,
) -> list[int]:
    """Every id that ends a completion: the tokenizer's, and those of the generation config (chat models name several).

    The model configuration's id counts only where neither names one: it may be an architecture's default, and thus an
    ordinary token of this tokenizer.
    """
    candidates = [tokenizer.eos_token_id, generation.eos_token_id if generation else None]
    if all(candidate is None for candidate in candidates):
        candidates = [model.config.get_text_config().eos_token_id]
    found: list[int] = []
    for candidate in candidates:
        ids = [] if candidate is None else candidate if isinstance(candidate, list) else [candidate]
        found += [i for i in ids if i not in found]
    if not found:
        raise UserError(
            f"policy.name={cfg.name}: no end-of-sequence token, so no completion could ever end. "
            'Write eos_token into its tokenizer_config.json, such as "eos_token": "</s>".'
        )
    return found


def _refuse_recurrent(model: PreTrainedModel, cfg: schema.Policy) -> None:
    """Sampling copies and evicts rows of a KV cache; a recurrent state has no such rows, and takes padding for input."""
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    if getattr(model, "_is_stateful", False) or any("attention" not in kind or "linear" in kind for kind in kinds):
        raise UserError(
            f"policy.name={cfg.name}: {type(model).__name__} has recurrent layers; only models whose layers all are "
            "attention are supported. Write another policy.name."
        )


@torch.no_grad()
def _refuse_unknown_head(policy: Policy, cfg: schema.Policy) -> None:
    """Refuse a model whose own logits differ, on a few tokens, from those that are sampled and scored here."""
    model = policy.causal_lm
    ids_BS = torch.arange(min(4, policy.vocabulary_size), device=policy.device)[None]
    theirs = model(input_ids=ids_BS, use_cache=False).logits.float()
    ours = lm_head(model)(policy.hidden_states(ids_BS, torch.ones_like(ids_BS, dtype=torch.bool))).float()
    tolerance = (1e-4 if model.dtype == torch.float32 else 3e-2) * float(theirs.abs().max()) + 1e-6
    if theirs.shape != ours.shape or not torch.allclose(theirs, ours, rtol=0.0, atol=tolerance):
        raise UserError(
            f"policy.name={cfg.name}: {type(model).__name__} changes its logits after the head in a way that is not "
            "known here, so they cannot be scored in pieces. Write another policy.name."
        )
