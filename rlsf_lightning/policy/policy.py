"""The policy: one backbone that is actor and reference at once, its tokenizer and, where wanted, a value head.

It never samples (generate.py), scores (logprob.py) or loads (load.py); it is what these three share.

Shape suffixes: B = sequences, S = whole sequence, D = width.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import ModulesToSaveWrapper
from torch import Tensor, nn
from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_layers import GradientCheckpointingLayer

from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.heads import ValueHead
from rlsf_lightning.policy.merged_lora import merged_forward, merged_weight

#: The adapter that the value head reads, where it has one of its own; the policy's is peft's "default".
CRITIC = "critic"


class Policy(nn.Module):
    """A causal language model under training.

    ``backbone`` is a peft model, whose adapters are the only thing that learns and whose base is the reference; or a
    plain model that learns as a whole, with ``frozen_copy`` as the reference. Whatever has ``requires_grad`` in the
    backbone when it is handed over is what ``adapter_parameters`` returns.
    """

    def __init__(
        self,
        backbone: nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        *,
        eos_token_ids: list[int],
        pad_token_id: int,
        value_head: ValueHead | None = None,
        frozen_copy: PreTrainedModel | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self._in_reference = self._is_merged = False
        self.backbone = backbone
        self.frozen_copy = frozen_copy
        self.value_head = value_head
        self.tokenizer = tokenizer
        self.eos_token_ids = eos_token_ids
        self.pad_token_id = pad_token_id
        self.gradient_checkpointing = gradient_checkpointing
        self._adapter_layers: list[Any] = [
            module for module in backbone.modules() if isinstance(module, BaseTunerLayer)
        ]
        self._modules_to_save: list[Any] = [m for m in backbone.modules() if isinstance(m, ModulesToSaveWrapper)]
        self._switchable = [*self._adapter_layers, *self._modules_to_save]
        learning = [name for name, p in backbone.named_parameters() if p.requires_grad]
        self._critic_names = frozenset(name for name in learning if f".{CRITIC}." in name)
        self._adapter_names = frozenset(learning) - self._critic_names
        self._checkpointed = [m for m in backbone.modules() if isinstance(m, GradientCheckpointingLayer)]
        taken = inspect.signature(self.causal_lm.base_model.forward).parameters
        self.takes_positions = "position_ids" in taken
        self._cache_argument = "cache" if "cache" in taken else "past_key_values"  # its name since transformers 5.24
        self._adds_bos = _adds_bos(tokenizer)
        _remove_dropout(self)
        if gradient_checkpointing:
            # Not reentrant: the embeddings, the first layer's input, need no gradient.
            backbone.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
        self.train(self.training)

    @property
    def causal_lm(self) -> PreTrainedModel:
        """The language model without peft's wrapping; inside ``reference()`` the reference."""
        if self._in_reference and self.frozen_copy is not None:
            return self.frozen_copy
        backbone: Any = self.backbone
        return backbone.get_base_model() if hasattr(backbone, "get_base_model") else backbone

    @property
    def device(self) -> torch.device:
        return self.causal_lm.device

    @property
    def vocabulary_size(self) -> int:
        """Rows of the embedding: every id that may stand in a prompt is below it."""
        embedding: Any = self.causal_lm.get_input_embeddings()
        return embedding.weight.shape[0]

    @property
    def context_length(self) -> int | None:
        """The most positions that the architecture was made for, if its configuration says so."""
        return getattr(self.causal_lm.config.get_text_config(), "max_position_embeddings", None)

    def train(self, mode: bool = True) -> Policy:
        """Modes as usual, but the backbone always computes as in ``eval()``: no dropout, no noise."""
        super().train(mode)
        self.backbone.eval()
        if self.frozen_copy is not None:
            self.frozen_copy.eval()
        return self

    def hidden_states(
        self,
        ids_BS: Tensor,
        is_real_BS: Tensor | None,
        *,
        position_ids_BS: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """The backbone's last hidden state, (B, S, D), after the final norm and before the head.

        ``is_real_BS`` is False at padding (None: no padding); with a ``cache`` it covers the cached columns too.
        Without ``position_ids_BS`` positions count the real tokens from 0, so that left padding shifts nothing.
        """
        if position_ids_BS is None and is_real_BS is not None:
            position_ids_BS = (is_real_BS.long().cumsum(-1) - 1).clamp(min=0)
        kwargs: dict[str, Any] = {self._cache_argument: cache}
        if self.takes_positions:
            kwargs["position_ids"] = position_ids_BS
        with self._checkpointing(cache), _autocast_without_cache(ids_BS.device.type):
            return self.causal_lm.base_model(
                input_ids=ids_BS,
                attention_mask=None if is_real_BS is None else is_real_BS.long(),
                use_cache=cache is not None,
                **kwargs,
            ).last_hidden_state

    @contextmanager
    def reference(self) -> Iterator[None]:
        """Inside, the policy is its own reference: adapters off (or the frozen copy); restored however it ends."""
        assert not self._is_merged, "the adapters are in the weights"
        if self._in_reference:
            yield
            return
        parameters = [*self.adapter_parameters(), *self._critic_parameters()]
        wants_gradient = [p.requires_grad for p in parameters]
        self._in_reference = True
        try:
            for layer in self._switchable:
                layer.enable_adapters(False)
            yield
        finally:
            self._in_reference = False
            for layer in self._switchable:
                layer.enable_adapters(True)
            for parameter, flag in zip(parameters, wants_gradient, strict=True):
                parameter.requires_grad_(flag)  # peft also sets this flag, for every adapter

    @contextmanager
    def critic(self) -> Iterator[None]:
        """Inside, the backbone carries the critic's adapter in place of the policy's; nothing changes without one."""
        if not self._critic_names:
            yield
            return
        learning = [*self.adapter_parameters(), *self._critic_parameters()]
        wants_gradient = [p.requires_grad for p in learning]
        try:
            for layer in self._adapter_layers:
                layer.set_adapter(CRITIC)
            for module in self._modules_to_save:
                module.enable_adapters(False)
            for parameter in learning:
                parameter.requires_grad_(True)  # peft freezes what is not active
            yield
        finally:
            for layer in self._adapter_layers:
                layer.set_adapter("default")
            for module in self._modules_to_save:
                module.enable_adapters(True)
            for parameter, flag in zip(learning, wants_gradient, strict=True):
                parameter.requires_grad_(flag)

    @contextmanager
    def merged(self, *, learning: bool = False) -> Iterator[None]:
        """Inside, adapters are added into the weights that they sit on, and get their gradients all the same: the same
        numbers up to fp32 rounding, in fewer operations. They must not change inside. The base comes back as the very
        tensors that it was. Layers whose weights are quantised or rounder than fp32 (autocast counts) keep their
        adapters: a sum would swallow small updates. So do all layers, with ``learning``, where a critic's adapter takes
        its turns with the policy's.
        """
        stays = self._in_reference or (learning and self.has_critic)
        layers: list[Any] = [] if stays else [m for m in self._adapter_layers if self._can_merge(m)]
        bases = [layer.get_base_layer().weight for layer in layers]
        originals = [weight.data for weight in bases]
        self._is_merged = bool(layers)
        try:
            for layer, weight in zip(layers, bases, strict=True):
                weight.data = merged_weight(layer)
                layer.forward = partial(merged_forward, layer)
            yield
        finally:
            self._is_merged = False
            for layer, weight, original in zip(layers, bases, originals, strict=True):
                weight.data = original
                vars(layer).pop("forward", None)

    @property
    def has_sliding_windows(self) -> bool:
        """Whether some layers look back a limited way only."""
        config = self.causal_lm.config.get_text_config()
        kinds = getattr(config, "layer_types", None) or []
        return getattr(config, "sliding_window", None) is not None or any(kind != "full_attention" for kind in kinds)

    @property
    def weights_are_effective(self) -> bool:
        """Whether what the base's weights say now is all that there is: without adapters, or with merged ones."""
        return self._in_reference or self._is_merged or not self._adapter_layers

    @property
    def samples_as_it_scores(self) -> bool:
        """Whether what sampling computes, one token after the other, is what scoring computes, up to fp32 rounding.

        Not where numbers are rounder than fp32, as they are rounded differently there, not in fp64, which is for who
        wants to see no rounding, and not for a critic of its own.
        """
        dtypes = {p.dtype for p in self.backbone.parameters() if p.is_floating_point()}
        is_plain = dtypes == {torch.float32} and all(map(self._can_merge, self._adapter_layers))
        return is_plain and not torch.is_autocast_enabled(self.device.type) and not self.has_critic

    def encode_prompt(self, text: str) -> list[int]:
        """Token ids of a prompt: a BOS in front if the tokenizer puts one there by itself, never an EOS behind."""
        ids = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        if self._adds_bos:
            ids = [self.tokenizer.bos_token_id, *ids]
        if not ids:
            raise UserError(
                f"the prompt {text!r} has no tokens, and the tokenizer puts no BOS in front: nothing to continue. "
                'Write a data.template that adds some text, such as data.template="{prompt}\\n".'
            )
        if max(ids) >= self.vocabulary_size:
            raise UserError(
                f"the tokenizer gives id {max(ids)} for the prompt {text[:80]!r}, but the model has "
                f"{self.vocabulary_size} embeddings: tokenizer and weights do not belong together. "
                "Write a policy.name whose files are of one model."
            )
        return ids

    def adapter_parameters(self) -> list[nn.Parameter]:
        """What learns in the backbone: the adapter's weights, or all of it in full fine-tuning."""
        return [p for name, p in self.backbone.named_parameters() if name in self._adapter_names]

    def modules_to_save_parameters(self) -> list[nn.Parameter]:
        """Those of them that belong to modules which learn as a whole beside the adapter."""
        return [p for module in self._modules_to_save for p in module.parameters() if p.requires_grad]

    @property
    def has_critic(self) -> bool:
        """The value head reads a backbone with an adapter of its own."""
        return bool(self._critic_names)

    def value_parameters(self) -> list[nn.Parameter]:
        """The weights of the value head, and of its own adapter if it has one; empty without a value head."""
        return [] if self.value_head is None else [*self.value_head.parameters(), *self._critic_parameters()]

    def parameter_groups(self) -> list[tuple[str, list[nn.Parameter]]]:
        """All that learns, each parameter once, beside the name of the setting that gives its learning rate."""
        whole = self.modules_to_save_parameters()
        known = {id(parameter) for parameter in whole}
        head = [] if self.value_head is None else list(self.value_head.parameters())
        return [
            ("lr", [parameter for parameter in self.adapter_parameters() if id(parameter) not in known]),
            ("modules_to_save_lr", whole),
            ("value_lr", head),
            ("lr", self._critic_parameters()),
        ]

    def _critic_parameters(self) -> list[nn.Parameter]:
        return [p for name, p in self.backbone.named_parameters() if name in self._critic_names]

    def save_adapter(self, folder: str | Path) -> None:
        """Write the adapter as peft does (``policy.adapter=folder`` loads it); or model and tokenizer if all learns.

        The value head is no part of it: it belongs to a training run and its checkpoint.
        """
        if self._adapter_layers:
            # False: otherwise peft may ask the hub whether the vocabulary was resized.
            self.backbone.save_pretrained(str(folder), save_embedding_layers=False, selected_adapters=["default"])  # type: ignore[operator]
        else:
            self.backbone.save_pretrained(str(folder))  # type: ignore[operator]
            self.tokenizer.save_pretrained(str(folder))

    def _can_merge(self, layer: Any) -> bool:
        base = layer.get_base_layer()
        return (
            type(base) is nn.Linear
            and base.weight.dtype in (torch.float32, torch.float64)
            and not torch.is_autocast_enabled(base.weight.device.type)
            # Tied to the embedding, which has no adapter; or an adapter that is more than a sum, such as DoRA.
            and base.weight is not self.causal_lm.get_input_embeddings().weight
            and len(layer.active_adapters) == 1
            and not layer.lora_variant
            and not any(layer.lora_bias.values())
        )

    @contextmanager
    def _checkpointing(self, cache: Cache | None) -> Iterator[None]:
        # transformers recomputes in layers whose own ``training`` flag is set; their children stay in eval().
        is_on = self.gradient_checkpointing and cache is None and torch.is_grad_enabled()
        try:
            for layer in self._checkpointed:
                layer.training = is_on
            yield
        finally:
            for layer in self._checkpointed:
                layer.training = False


def _autocast_without_cache(device_type: str) -> AbstractContextManager[None]:
    """Autocast as it is, without its cache of cast weights.

    A whole training step lies in one autocast context. With the cache, a weight that was first cast under ``no_grad``
    (sampling, old log-probabilities) gets no gradient in the update, and after an optimiser step its old value is used.
    """
    if not torch.is_autocast_enabled(device_type):
        return nullcontext()
    return torch.autocast(device_type, dtype=torch.get_autocast_dtype(device_type), cache_enabled=False)


def _remove_dropout(model: nn.Module) -> None:
    """Set every dropout probability to 0: modules, and the numbers that attention layers and configurations keep.

    ``eval()`` alone would do, but for the layers whose ``training`` flag is raised for gradient checkpointing.
    """
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        for holder in (module, getattr(module, "config", None)):
            numbers = {} if holder is None else {k: v for k, v in vars(holder).items() if isinstance(v, float)}
            for name in numbers:
                if "drop" in name:
                    setattr(holder, name, 0.0)


def _adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer by itself puts a BOS in front of a text."""
    bos = tokenizer.bos_token_id
    return bos is not None and list(tokenizer("a")["input_ids"])[:1] == [bos]
