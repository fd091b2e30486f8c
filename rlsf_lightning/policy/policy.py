"""The policy: one backbone that is actor and reference policy at once, its tokenizer and, if wanted, a value head.

It never samples (generate.py), scores (logprob.py) or loads (load.py); it is the model that these three share.

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
from rlsf_lightning.policy.prompt_ids import encode_text
from rlsf_lightning.policy.sampling.stops import Stops

#: The adapter that the value head reads, where it has one of its own; the policy's is peft's "default".
CRITIC = "critic"


class Policy(nn.Module):
    """A causal language model under training.

    ``backbone`` is a peft model, of which only adapters (and ``modules_to_save``) are trained and whose base is the
    reference; or a plain model under full fine-tuning, with ``frozen_copy`` as the reference. ``adapter_parameters`` returns
    what has ``requires_grad`` in the backbone when it is passed in.
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
        stops: Stops | None = None,
    ) -> None:
        super().__init__()
        self._in_reference = self._is_merged = False
        self.backbone = backbone
        self.frozen_copy = frozen_copy
        self.value_head = value_head
        self.tokenizer = tokenizer
        self.eos_token_ids = eos_token_ids
        self.pad_token_id = pad_token_id
        self.stops = Stops(tokenizer) if stops is None else stops
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
        _remove_dropout(self)
        if gradient_checkpointing:
            # Not reentrant: the embeddings, the first layer's input, need no gradient.
            backbone.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
        self.train(self.training)

    @property
    def causal_lm(self) -> PreTrainedModel:
        """The language model without peft's wrapper; inside ``reference()`` the reference."""
        if self._in_reference and self.frozen_copy is not None:
            return self.frozen_copy
        backbone: Any = self.backbone
        return backbone.get_base_model() if hasattr(backbone, "get_base_model") else backbone

    @property
    def device(self) -> torch.device:
        return self.causal_lm.device

    @property
    def end_token_ids(self) -> list[int]:
        """Every token that ends a completion by itself."""
        return [*self.eos_token_ids, *self.stops.ids]

    @property
    def vocabulary_size(self) -> int:
        """Rows of the embedding: every token id is below it."""
        embedding: Any = self.causal_lm.get_input_embeddings()
        return embedding.weight.shape[0]

    @property
    def context_length(self) -> int | None:
        """The context window in tokens, if the model's configuration gives one."""
        return getattr(self.causal_lm.config.get_text_config(), "max_position_embeddings", None)

    def train(self, mode: bool = True) -> Policy:
        """As of ``nn.Module``, but the backbone always stays in ``eval()``: no dropout, no noise."""
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

        Args:
            is_real_BS: attention mask, bool, False at padding; with a ``cache`` it covers the cached columns too. None: no
                padding among the columns that causal attention attends to.
            position_ids_BS: None: the real tokens are counted from 0, so that left padding shifts no position.
            cache: KV cache to read and to append to; turns gradient checkpointing off.
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
        """Inside, the policy is its own reference policy: adapters disabled (or the frozen copy). Restored on any exit."""
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
        """Inside, the critic's adapter is active in place of the policy's; a no-op without one."""
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
        """Inside, LoRA adapters are merged into the base weights and still get gradients: the same numbers up to fp32
        rounding, in fewer operations. Adapters must not change inside. On exit the base gets its own tensors back.

        Quantised and sub-fp32 layers (autocast included) are not merged: rounding would absorb small updates. With
        ``learning``, no layer is merged where a critic's adapter alternates with the policy's.
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
        """Whether some layers use sliding-window (or otherwise local) attention."""
        config = self.causal_lm.config.get_text_config()
        kinds = getattr(config, "layer_types", None) or []
        return getattr(config, "sliding_window", None) is not None or any(kind != "full_attention" for kind in kinds)

    @property
    def weights_are_effective(self) -> bool:
        """Whether the base's weights are the effective ones now: no adapters, disabled or merged ones."""
        return self._in_reference or self._is_merged or not self._adapter_layers

    @property
    def samples_as_it_scores(self) -> bool:
        """Whether sampling, token by token, gives the log-probabilities and values of scoring, up to fp32 rounding.

        Not below fp32, where the two round differently; not in fp64, which callers use to exclude rounding; and not with a
        critic's adapter, which sampling does not run.
        """
        dtypes = {p.dtype for p in self.backbone.parameters() if p.is_floating_point()}
        is_plain = dtypes == {torch.float32} and all(map(self._can_merge, self._adapter_layers))
        return is_plain and not torch.is_autocast_enabled(self.device.type) and not self.has_critic

    @property
    def adapts_bf16_on_cpu(self) -> bool:
        """Whether fp32 adapters, and nothing else that learns, stand beside a bf16 base on a CPU."""
        base = {p.dtype for p in self.backbone.parameters() if not p.requires_grad and p.is_floating_point()}
        return (
            self.device.type == "cpu"
            and bool(self._adapter_layers)
            and not (self._in_reference or self._modules_to_save or self.has_critic)
            and base == {torch.bfloat16}
            and all(
                type(layer.get_base_layer()) is nn.Linear and _is_plain_lora(layer) for layer in self._adapter_layers
            )
        )

    def encode_prompt(self, text: str) -> list[int]:
        """Token ids of a prompt: with a BOS if the tokenizer adds one by itself, never with an EOS.

        Raises:
            UserError: the prompt has no tokens, or an id without an embedding.
        """
        ids = encode_text(self.tokenizer, text)
        if max(ids) >= self.vocabulary_size:
            raise UserError(
                f"the tokenizer gives id {max(ids)} for the prompt {text[:80]!r}, but the model has "
                f"{self.vocabulary_size} embeddings: tokenizer and weights do not belong together. "
                "Write a policy.name whose files are of one model."
            )
        return ids

    def adapter_parameters(self) -> list[nn.Parameter]:
        """The trainable parameters of the backbone: the adapter's, or all of them in full fine-tuning."""
        return [p for name, p in self.backbone.named_parameters() if name in self._adapter_names]

    def modules_to_save_parameters(self) -> list[nn.Parameter]:
        """Those of them in peft's ``modules_to_save``, which are trained as a whole beside the adapter."""
        return [p for module in self._modules_to_save for p in module.parameters() if p.requires_grad]

    @property
    def has_critic(self) -> bool:
        """Whether the value head has a backbone adapter of its own."""
        return bool(self._critic_names)

    def value_parameters(self) -> list[nn.Parameter]:
        """The parameters of the value head, and of its own adapter if it has one; empty without a value head."""
        return [] if self.value_head is None else [*self.value_head.parameters(), *self._critic_parameters()]

    def parameter_groups(self) -> list[tuple[str, list[nn.Parameter]]]:
        """All trainable parameters, each once, with the name of the setting that gives their learning rate."""
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
        """Write the adapter as peft does (``policy.adapter=folder`` loads it); in full fine-tuning, model and tokenizer.

        The value head is not saved: it belongs to a training run and its checkpoint.
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
            # Not where the weight is tied to the embedding, which has no adapter, nor for variants such as DoRA.
            and base.weight is not self.causal_lm.get_input_embeddings().weight
            and _is_plain_lora(layer)
        )

    @contextmanager
    def _checkpointing(self, cache: Cache | None) -> Iterator[None]:
        # transformers checkpoints layers whose own ``training`` flag is set; their children stay in eval().
        is_on = self.gradient_checkpointing and cache is None and torch.is_grad_enabled()
        try:
            for layer in self._checkpointed:
                layer.training = is_on
            yield
        finally:
            for layer in self._checkpointed:
                layer.training = False


def _is_plain_lora(layer: Any) -> bool:
    return len(layer.active_adapters) == 1 and not layer.lora_variant and not any(layer.lora_bias.values())


def _autocast_without_cache(device_type: str) -> AbstractContextManager[None]:
    """The current autocast, without its weight cache.

    A whole training step runs in one autocast context. With the cache, a weight that was first cast under ``no_grad``
    (sampling, old log-probabilities) gets no gradient in the update, and after an optimiser step its old value is used.
    """
    if not torch.is_autocast_enabled(device_type):
        return nullcontext()
    return torch.autocast(device_type, dtype=torch.get_autocast_dtype(device_type), cache_enabled=False)


def _remove_dropout(model: nn.Module) -> None:
    """Set every dropout probability to 0: in modules, and in the attributes of attention layers and configurations.

    ``eval()`` would suffice, but for the layers whose ``training`` flag is set for gradient checkpointing.
    """
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        for holder in (module, getattr(module, "config", None)):
            numbers = {} if holder is None else {k: v for k, v in vars(holder).items() if isinstance(v, float)}
            for name in numbers:
                if "drop" in name:
                    setattr(holder, name, 0.0)
