"""Progress: step, reward, share of valid and of right samples, and the KL to the reference.

With ``rollout.keep=mixed`` also the share of prompts that are learnt from. A bar on a terminal; in a log a line every ten
seconds. ``callbacks.progress=null`` switches both off.
"""

from rlsf_lightning.training.module import ON_BAR
from rlsf_lightning.training.progress_bar import BarOrLines


class Progress(BarOrLines):
    """Lightning's bar without the logger's version number, in a stable order of metrics."""

    def get_metrics(self, trainer, module) -> dict:
        metrics = super().get_metrics(trainer, module)
        return {name: metrics[name] for name in ON_BAR if name in metrics}
