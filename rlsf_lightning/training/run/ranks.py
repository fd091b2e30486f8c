"""The ranks of one run, started by Lightning itself, by torchrun or by SLURM: rank 0 finds the run, all follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning import Trainer
from lightning.fabric.plugins.environments import LightningEnvironment

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.run.folder import Run, find_run, open_run
from rlsf_lightning.training.run.launch import launch_of

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe


def join_run(trainer: Trainer, recipe: Recipe, prefix: str = "") -> Run:
    """The run of all ranks. Rank 0 finds it; the others take its word, or end with it where it has none.

    Ranks that Lightning started itself have inherited the folder. The others meet here, before any logger or model is made.

    Raises:
        UserError: as ``find_run``, on every rank; a trainer that does not fit the launch.
    """
    launch = launch_of()
    environment = getattr(trainer.strategy, "cluster_environment", None)
    is_own = environment is None or isinstance(environment, LightningEnvironment)
    if is_own and trainer.num_nodes > 1:
        raise UserError(
            f"trainer.num_nodes={trainer.num_nodes}: several hosts need a launcher that starts a process a GPU: torchrun "
            "--nnodes=N --nproc_per_node=D -m rlsf_lightning.fit ..., or srun"
        )
    if trainer.world_size == 1 or is_own:
        return find_run(recipe, prefix, launch)
    assert environment is not None
    try:
        environment.validate_settings(num_devices=trainer.num_devices, num_nodes=trainer.num_nodes)
    except ValueError as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from None
    trainer.strategy.setup_environment()
    word: Run | str | None = None
    if trainer.is_global_zero:
        try:
            word = find_run(recipe, prefix, launch)
        except UserError as error:
            word = str(error)
    word = trainer.strategy.broadcast(word)
    if isinstance(word, Run):
        return word
    if trainer.is_global_zero:
        raise UserError(word)
    raise SystemExit(2)  # rank 0 says why


def start_run(trainer: Trainer, recipe: Recipe, run: Run) -> None:
    """Make the run's folder, on rank 0 alone."""
    if trainer.is_global_zero:
        open_run(recipe, run, launch_of())
