"""The progress bar: step, reward, share of valid and of right samples, and the KL to the reference.

With ``rollout.keep=mixed`` also the share of prompts that are learnt from.
"""

from lightning.pytorch.callbacks import TQDMProgressBar

from rlsf_lightning.training.module import ON_BAR


class Progress(TQDMProgressBar):
    """Lightning's bar without the logger's version number, in a stable order of metrics."""

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ()

    def get_metrics(self, trainer, module) -> dict:
        metrics = super().get_metrics(trainer, module)
        return {name: metrics[name] for name in ON_BAR if name in metrics}
