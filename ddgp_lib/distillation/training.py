"""The training loop of a distillation, which can be interrupted and resumed."""

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ..arguments import require_instance
from ..names import Network
from ..recipes import DistillationFields, DistillationRecipe, first_phase
from ..tasks import Task
from ..training import Processes
from .phase import Distillation, Phase, chosen_device, chosen_recipe
from .run_tuning import tune_further

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def distill(
    task: Task,
    recipe: DistillationRecipe | Network | None = None,
    *,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    device: str | None = None,
    fabric: "Fabric | None" = None,
    progress: bool = True,
    **options: Unpack[DistillationFields],
) -> Distillation:
    r"""Train a preconditioner by gradient matching.

    With the default pairing, both gradients are taken at the same state z of the student, from an on-policy pool:
    ∇g_s(z) from the student's data and ∇g_t(z) from the teacher's.  One preconditioned student step gives x_s, one
    plain teacher step gives x_t, and

    .. math::

        L = \rho_G \bigl(1 - S_c(P(\nabla g_s; z), \nabla g_t)\bigr)^2
            + \rho_I \lVert x_s - x_t \rVert^2 + \rho_S \lVert x_s - x^* \rVert^2
            + \rho_R L_R + \rho_\perp L_\perp + \rho_N L_N .

    With own trajectories, as in the paper, student and teacher each run from their own Aᵀy, and ∇g_t and x_t come
    from the teacher's iterate at the same k.  In either case, losses are averaged over ``unroll`` iterations and
    gradients flow through the student's iterates; what the teacher does is a constant.

    With ``tuned_steps`` a second phase follows, see :mod:`ddgp_lib.distillation.run_tuning`: it makes what a run
    ends with better, not one step.

    Parameters
    ----------
    task : Task
        Operators, training images, denoiser and step sizes.
    recipe : DistillationRecipe or str, optional
        What decides the weights; or the name of the network N_θ, see :func:`~ddgp_lib.networks.build.build_network`,
        in the default recipe; by default that recipe as it is.
    checkpoint : str or Path, optional
        A file to write the whole state of the training to, and to resume from if it exists: to the same bits as
        without the interruption.  It is refused for another task, another recipe or another number of processes.  A
        training that is at its end goes on if only ``steps`` is larger, with the schedule of the new number: its
        rate is high again, and the result is not that of one run.  A second phase has a file of its own beside it,
        ``NAME-tuned.safetensors``.
    checkpoint_every : int
        Steps between writes, 1 or above; the start and the end are written too, and the step in which Ctrl-C or
        SIGTERM arrive, so that an interrupted training can always be resumed from the last write.
    device : str, optional
        ``"cpu"`` (default) or ``"cuda"``: where iterations run.  States are made and kept on the CPU.
    fabric : Fabric, optional
        A launched Lightning Fabric, whose processes train together: each on its own device, with ``batch_size``
        states at a time from its own pool, which its own generator fills (seed plus rank times
        :data:`~ddgp_lib.training.processes.SEED_STRIDE`).  Gradients are averaged, so a step is that of a batch
        as many times as large, at the recipe's learning rate.  The first process writes, and the checkpoint holds the
        states of all; the number of processes must stay the same.
    progress : bool
        Show a progress bar.
    **options
        Fields of :class:`~ddgp_lib.recipes.distillation.DistillationRecipe`, in the place of the recipe's.

    Returns
    -------
    Distillation
        On the CPU, the same in every process; with ``validate_every``, with the weights whose validation was best.

    Raises
    ------
    ValueError
        If an option is outside what is accepted, a checkpoint was written by another recipe, for another task or by
        another number of processes, both ``device`` and ``fabric`` are given, or a loss or its gradient is not
        finite; the checkpoint keeps the last state that was written.

    References
    ----------
    Gualdrón-Hurtado et al., "Deep distillation gradient preconditioning for inverse problems", 2025, for L_G, L_I,
    L_S and the pairing of own trajectories; the pool, the same-iterate pairing, L_R and L_N are this book's.

    Examples
    --------
    >>> import ddgp_lib
    >>> task = ddgp_lib.load_task("single_pixel")
    >>> recipe = ddgp_lib.DistillationRecipe(network="cnn", parameters="small", batch_size=2, pool_size=4)
    >>> distillation = ddgp_lib.distill(task, recipe, steps=3, progress=False)
    >>> len(distillation.history["total"])
    3
    """
    require_instance("task", task, Task, "a Task")
    recipe = chosen_recipe(recipe, options)
    training = Phase(task, first_phase(recipe), chosen_device(device, fabric), Processes(fabric))
    training.run(f"distil {task.name}", checkpoint, checkpoint_every, progress=progress)
    distillation = training.result()
    distillation.preconditioner.made_for = training.made_for()
    if recipe.tuned_steps == 0:
        return distillation
    return tune_further(
        task,
        distillation,
        recipe,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        device=device,
        fabric=fabric,
        progress=progress,
    )
