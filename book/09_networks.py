# %% [markdown]
# (eight-networks)=
# # Eight networks: which one should sit inside P?
#
# So far $N_\theta$ was called "a network". It was a U-Net, and nothing said that it must be. The study behind the paper
# names eight candidates {cite}`gualdron2025d2gp`, from three dense layers to a transformer. This chapter compares them
# by experiments that need no training: how far each one looks, what it does when the image moves, and what it does when
# the image gets darker. Then it reads the results of training all eight by one recipe, on simulated measurements.
#
# ```{note}
# **Time:** 18 minutes of reading, about one of computing. **Before this:** [](distilling), for the losses and the pool
# of states; what a convolution is. **After it** you can
#
# 1. say in a sentence what each of the eight assumes about images;
# 2. measure a receptive field by one gradient, and say what the measurement leaves out;
# 3. test a network for translation equivariance, and say what of it a grid of patches leaves;
# 4. make any network homogeneous, and show what biases do when the light changes;
# 5. read a comparison of networks: what was equal, what was not, and which differences exceed the seeds.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import dataclasses
import math
import warnings

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import pad, unfold
from torch.utils.flop_counter import FlopCounterMode

import ddgp_lib
from ddgp_lib import PreconditionedFISTA, answers, figures, widgets
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import compare, load_study
from ddgp_lib.experiments.statistics import t_quantile
from ddgp_lib.networks import (
    NETWORKS,
    PatchCNN,
    build_network,
    iteration_progress,
    with_iteration,
)
from ddgp_lib.operators import gradient, norms, range_projection
from ddgp_lib.tables import Column, table

warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)

# %% [markdown]
# **Key results**, computed from the study that this chapter ends with, three seeds each. (The rows of brain slices were
# trained with a smaller denoiser than the one that ships.)

# %% tags=["hide-input"]
lines = compare("single_pixel")["networks"]
by_row = {line["row"]: line for line in lines}
gain = {line["row"]: line["gain_20"] for line in lines}
ranked = sorted(lines, key=lambda line: -line["gain_20"])
order = [line["row"] for line in ranked]
elsewhere = {name: compare(name)["networks"] for name in ("mri", "super_resolution")}
mri, faces = ({line["row"].split(", ")[1]: line for line in found} for found in elsewhere.values())
slower = mri["vit"]["training_seconds"] / mri["unet"]["training_seconds"]
print(
    f"1. Digits, one recipe, as many weights: {order[0]} gains {gain[order[0]]:.1f} dB in 20 iterations,\n"
    f"   {order[1]} {gain[order[1]]:.1f} dB, {order[-2]} {gain[order[-2]]:.1f} dB, {order[-1]} {gain[order[-1]]:.1f} dB.\n"
    f"2. Brain slices: after 20 iterations unet {mri['unet']['psnr']['20']:.1f} dB, indi "
    f"{mri['indi']['psnr']['20']:.1f} dB;\n   after 100 iterations {mri['unet']['psnr']['100']:.1f} and "
    f"{mri['indi']['psnr']['100']:.1f} dB. The ranking depends on the iteration.\n"
    f"3. The transformer takes {slower:.1f} times as long to train on slices as the U-Net,\n"
    f"   and gains {mri['unet']['gain_20'] - mri['vit']['gain_20']:.1f} dB less."
)

# %% [markdown]
# Here are the eight. Which one would you put inside $P$?
#
# ```{figure} _static/drawings/networks.svg
# :name: fig-nw-eight
# :alt: Eight sketches of networks: mlp, three dense layers; cnn, ten convolutions in a row; cbam, convolutions with attention to channels and places; unet, convolutions on three scales; mdcnn, three branches with three kernels; indi, a U-Net that is told the iteration; vit, attention among all patches; convnext, wide convolutions in each channel, then the channels are mixed.
#
# The eight networks, each as a sketch of what makes it different.
# ```

# %% [markdown]
# ## What they share
#
# The task is the [single-pixel camera](single-pixel), and $P_\theta$ has the null-space form,
#
# $$
# P_\theta(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(v), \qquad v = (\nabla g, z) .
# $$ (eq-nw-form)
#
# So $N_\theta$ gets two channels and returns one. All eight keep three rules. Their last layer starts at zero, so
# $P_\theta$ starts as the identity, and training begins at the plain solver. They have no biases. And they are of one
# size, about half a million weights.
#
# | name | what it is | what it assumes |
# |---|---|---|
# | `mlp` | three dense layers | nothing about neighbours; every pixel has weights of its own |
# | `cnn` | ten 3×3 convolutions {cite}`zhang2017dncnn` | what is near matters, in the same way everywhere |
# | `cbam` | convolutions, reweighted by attention to channels and places {cite}`woo2018cbam` | also: some features matter more in this image |
# | `unet` | convolutions on three scales {cite}`ronneberger2015unet` | coarse structure guides fine structure |
# | `mdcnn` | three branches of different kernels and depths {cite}`yuan2018multiscale` | no single kernel size is right |
# | `indi` | a U-Net told how far the iteration is {cite}`delbracio2023inversion` | early and late steps differ |
# | `vit` | attention among all patches {cite}`dosovitskiy2021image` | any patch may matter to any other; each patch carries its position |
# | `convnext` | 7×7 convolutions channel by channel, then channels mixed {cite}`liu2022convnet` | to look far is cheap if channels are mixed separately |
#
# These are versions for this book, small enough for a laptop, and not the authors' own. All but the MLP first gather
# patches of pixels into channels: 4×4 pixels, and 2×2 for the two U-Nets. Nothing is lost by that, and a
# convolution costs 16 or 4 times less. (A network that returns zero has nothing to measure. So `awake` draws the weights
# that start at zero at random.)


# %%
def awake(name, channels=2, **options):
    torch.manual_seed(0)
    network = build_network(name, channels, 1, **options)
    for weights in network.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.1)
    return network.requires_grad_(False)


def call(network, v, progress=0.5):
    wants = getattr(network, "wants_iteration", False)
    return network(v, torch.tensor([progress])) if wants else network(v)


# %% [markdown]
# The table has the number of weights, and of multiplications for one image of $32 \times 32$ pixels.


# %%
def multiplications(network, side=32):
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        call(network, torch.ones(1, 2, side, side))
    return counter.get_total_flops() / 2


networks = {name: awake(name, img_size=(1, 32, 32)) for name in NETWORKS}
weights = {n: sum(w.numel() for w in N.parameters()) for n, N in networks.items()}
work = {name: multiplications(network) for name, network in networks.items()}

# %%
heads = ["weights", Column("multiplications", "millions", digits=1)]
heads += [Column("uses of a weight", digits=1)]
rows = {n: [f"{weights[n]:,}", work[n] / 1e6, work[n] / weights[n]] for n in NETWORKS}
table("The eight networks, for one image of 32 × 32 pixels.", heads, rows)

# %% tags=["hide-input"]
assert all(abs(count / 500_000 - 1) < 0.12 for count in weights.values())
assert work["cnn"] == 64 * weights["cnn"]
assert work["mlp"] == weights["mlp"]
others = [value for name, value in work.items() if name != "mlp"]
assert max(others) < 1.2 * min(others)

# %% [markdown]
# The CNN uses each weight 64 times, once for each patch; the MLP uses each once. All but the MLP do nearly equal
# work. So where their speed differs, it is because a processor does one kind of work faster than another. The first
# rule, that an untrained $P_\theta$ is the identity, holds exactly. We check it at the plain solver's third iterate:

# %%
task = ddgp_lib.load_task("single_pixel")
A, images = task.student, task.test_images[:32]
y = task.measure(images)
setting = {"stepsize": task.stepsize, "sigma": task.sigma, "momentum": "none"}
plain = PreconditionedFISTA(task.denoiser, **setting)
z = list(plain.iterates(y, A, 3))[-1][1]
g = gradient(A, z, A.A_adjoint(y))
state = ddgp_lib.State(z, 3, A, y)
for name in NETWORKS:
    network = build_network(name, 2, 1, img_size=(1, 32, 32))
    P = ddgp_lib.LearnedPreconditioner(network)
    assert torch.equal(P(g, state), g)

# %% [markdown]
# ## What decides about one pixel?
#
# Which inputs does a network use for one output pixel? Take the derivative of that output by every input,
#
# $$
# F_i = \Bigl| \frac{\partial N_\theta(v)_o}{\partial v_i} \Bigr|, \qquad o = \text{the central pixel,}
# $$ (eq-nw-field)
#
# summed over the two channels and averaged over four random inputs. One backward pass gives the whole map. Where
# it is zero, the input has no influence. Here are all eight, untrained, on an image of 160×160 pixels.


# %% mystnb={"figure": {"name": "fig-nw-fields", "caption": "Sensitivity of the central output pixel to every input pixel, before training. The grey scale is logarithmic and spans six orders of magnitude: white is the largest sensitivity, black is less than a millionth of it."}, "image": {"alt": "Eight maps. MLP: even light grey. CNN: a soft bright square in the middle, about half as wide as the image, on black. CBAM: a bright square on grey that fills the image. U-Net: a small bright square with a halo that fades. MDCNN: a bright square with a sharp edge. InDI: a bright square, larger than that of the CNN. ViT: even grey with a bright central patch. ConvNeXt: a bright point inside nested squares, on dark grey."}} tags=["hide-input"]
def sensitivity(network, v):
    v = v.clone().requires_grad_()
    row, column = (side // 2 for side in v.shape[-2:])
    out = call(network, v)[:, 0, row, column].sum()
    return torch.autograd.grad(out, v)[0].abs().sum(dim=1).mean(dim=0)


def share_beyond(field, reach):
    away = (torch.arange(len(field)) - len(field) // 2).abs()
    outside = torch.maximum(away[:, None], away) > reach
    return float(field[outside].sum() / field.sum())


def for_size(name, side, **options):
    width = {"width": 16} if name == "mlp" else {}
    return awake(name, img_size=(1, side, side), **width, **options)


noise = torch.randn(4, 2, 160, 160, generator=torch.Generator().manual_seed(0))
wide = {name: for_size(name, 160) for name in NETWORKS}
fields = {name: sensitivity(network, noise) for name, network in wide.items()}
relative = {name: (field / field.max()).clamp_min(1e-6) for name, field in fields.items()}
figures.images({name: 1 + part.log10() / 6 for name, part in relative.items()}, columns=4)

# %% [markdown]
# For a stack of convolutions with kernels of side $b_l$ on patches of side $p$, the side of the square that an output
# sees, its *extent*, is a formula:
#
# $$
# p\, \Bigl(1 + \sum_l (b_l - 1)\Bigr) .
# $$ (eq-nw-extent)
#
# Do the maps agree with it? And how much of the sensitivity is far from the centre?


# %%
def extent(field):
    seen = field.nonzero()
    return int((seen.amax(dim=0) - seen.amin(dim=0)).max()) + 1


def reach_of(*kernels, patch=4):
    return patch * (1 + sum(kernel - 1 for kernel in kernels))


far = {name: share_beyond(field, 16) for name, field in fields.items()}
rows = {n: [extent(field), f"{far[n]:.1%}"] for n, field in fields.items()}
heads = ["extent (pixels)", "sensitivity beyond 16 pixels"]
table("What influences the central pixel, of 160 × 160, before training.", heads, rows)

# %% tags=["hide-input"]
assert extent(fields["cnn"]) == reach_of(*[3] * 10) == 84
branches = (3, *[3] * 6, 3), (3, *[5] * 3, 3), (3, *[7] * 2, 3)
assert {reach_of(*branch) for branch in branches} == {extent(fields["mdcnn"])} == {68}
assert extent(fields["unet"]) == extent(fields["indi"]) == 104
assert all(extent(fields[name]) == 160 for name in ("mlp", "cbam", "vit", "convnext"))
inner = extent(sensitivity(wide["convnext"].network, noise[:1]))
assert inner == reach_of(*[7] * 6) == 148
assert far["indi"] > 10 * far["unet"]

# %% [markdown]
# The formula gives 84 pixels for the CNN, and 68 for each branch of the MDCNN: the branches differ in kernels and depth,
# and not in extent. MLP and ViT see everything by construction. CBAM and ConvNeXt see everything too, for a reason
# that is not in {eq}`eq-nw-extent`: CBAM pools over the whole image, and both are divided by the size of
# their input, of which below. Without that, ConvNeXt sees 148 pixels.
#
# Extent is not use. `unet` and `indi` have the same scales, kernels and extent, but the share of sensitivity
# beyond 16 pixels differs by far, since they are initialised differently. It is known that the
# effective field of a deep CNN at its start is much smaller than its extent {cite}`luo2016understanding`. What
# remains after training? For the shipped U-Net, on states of real digits of 32×32 pixels:

# %%
v = torch.cat([g, z], dim=1)
shipped = ddgp_lib.load_preconditioner("single_pixel").network
trained_far = share_beyond(sensitivity(shipped, v), 6)
fresh_far = share_beyond(sensitivity(networks["unet"], v), 6)
print(f"beyond 6 pixels: {fresh_far:.0%} before training, {trained_far:.0%} after")

# %%
assert trained_far > fresh_far + 0.1

# %% [markdown]
# An untrained map tells where a network *can* look, not where it will. (This is one network, trained once.) On digits of
# 32×32 pixels every output of each of the eight can depend on the whole image: 68 pixels reach 32 beyond the central
# patch, to each side. So the extent cannot decide between them here. What would happen if it were small?
#
# ## How far must one look?
#
# The question can be asked without a network. The [closed form](closed-form) predicts the hidden part
# $(I - A^+A)(x - \bar x)$ from the visible part $A^+A(x - \bar x)$ by a ridge regression. We give the
# regression a window: for each patch of 4×4 hidden pixels it sees $w \times w$ visible pixels around it. And we do
# it twice. Once the weights are *shared* by all 64 patches, as in a convolution. Once each patch has *its own*, as
# in the MLP. The ridge is one for all, a hundredth of the mean square of a window's entries. How does each error fall
# as the window grows?


# %%
def parts(x):
    seen = range_projection(A, x - task.train_images[:600].mean(dim=0))
    return seen, x - task.train_images[:600].mean(dim=0) - seen


def windows(v, side):
    return unfold(v, side, padding=(side - 4) // 2, stride=4).permute(2, 0, 1)


# %%
def left_over(side, shared):
    seen, hidden, new, wanted = (
        windows(part, size)
        for x in (task.train_images[:600], task.test_images[:200])
        for part, size in zip(parts(x), (side, 4), strict=True)
    )
    if shared:
        every = (seen, hidden, new, wanted)
        seen, hidden, new, wanted = (rows.flatten(0, 1)[None] for rows in every)
    gram = seen.mT @ seen
    scale = 0.01 * gram.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-6
    damped = gram + scale[:, None, None] * torch.eye(side**2)
    weights = torch.linalg.solve(damped, seen.mT @ hidden)
    return float((new @ weights - wanted).square().sum() / wanted.square().sum())


# %%
sides = (4, 8, 12, 16, 20)
left = {
    "shared by all patches": [left_over(side, True) for side in sides],
    "own for each patch": [left_over(side, False) for side in sides],
}
shared, own = left.values()
for side, one, other in ((4, shared[0], own[0]), (20, shared[-1], own[-1])):
    print(f"{side} pixels: {one:.2f} left with shared, {other:.2f} with own weights")

# %%
assert own[0] < shared[-1] - 0.05
assert shared[-1] < shared[0] - 0.1
assert own[1] - own[-1] < 0.08

# %% mystnb={"figure": {"name": "fig-nw-window", "caption": "Share of the hidden energy that a linear guess leaves on 200 held-out digits after 600 training digits, against the side of the window that it sees, with weights shared by all patches or with weights for each patch."}, "image": {"alt": "Two falling curves against the side of the window from 4 to 20 pixels. Shared weights: from 0.98 to 0.81. Own weights for each patch: from 0.71 to 0.53, nearly level from 8 pixels on."}} tags=["hide-input"]
figures.curves(
    sides,
    left,
    xlabel="side of the window (pixels)",
    ylabel="hidden energy left",
    ylim=(0, 1),
    legend="above",
)

# %% [markdown]
# **A field that is too small costs much.** A shared regression with 4 pixels sees hardly more than one block of the coarse
# image, and learns next to nothing. Its error is still falling at 20 pixels. **Here position helps more than a wide
# window.** Own weights with 4 pixels leave less than shared weights with 20. The digits are centred, and so the place of
# a patch says much about what is in it. This holds for these images, and not for all: with digits at random places, own
# weights would have no advantage.
#
# Linear maps cannot do what a network does with a window. But the same two properties distinguish the eight: how far
# they look, and whether they use the position.
#
# ## If the image moves
#
# Let $\mathsf{S}_j$ move an image by $j$ pixels to the right. A network is translation equivariant if
# $N(\mathsf{S}_j v) = \mathsf{S}_j N(v)$. We measure the relative difference,
#
# $$
# \Delta_j = \frac{\lVert \mathsf{S}_{-j} N(\mathsf{S}_j v) - N(v) \rVert}{\lVert N(v) \rVert} ,
# $$ (eq-nw-equivariance)
#
# with a digit's state in the middle of 208×208 zeros, so that no border is seen. (The networks are of the small size,
# which has the same depths and kernels.) Which shifts pass unnoticed?

# %%
margin = (208 - 32) // 2
lone = pad(v[:1], (margin,) * 4)
small = {name: for_size(name, 208, parameters="small") for name in NETWORKS}
moved, E = {}, {}
for name, N in small.items():
    moved[name] = [call(N, lone.roll(j, -1)).roll(-j, -1) for j in range(9)]
    still = moved[name][0]
    E[name] = [float((out - still).norm() / still.norm()) for out in moved[name]]

# %%
shifts = (1, 2, 3, 4, 8)
heads = [Column(f"by {j}", digits=3) for j in shifts]
rows = {name: [errors[j] for j in shifts] for name, errors in E.items()}
table("Relative change of the output under a shift by j pixels.", heads, rows)

# %%
for name in ("cnn", "cbam", "mdcnn", "convnext"):
    assert max(E[name][4], E[name][8]) < 1e-4 < 0.5 < min(E[name][1:4])
for name in ("unet", "indi"):
    assert E[name][8] < 1e-4 < E[name][4] < E[name][1]
assert min(E["mlp"][1:]) > 0.5
assert min(E["vit"][1:]) > 0.1

# %% [markdown]
# Convolutions on patches are equivariant to shifts by whole patches, 4 pixels, and to no others. The U-Nets begin
# with patches of 2 pixels and halve the grid twice: they need 8. Between, their errors are of all sizes,
# since only the coarse scales change. The ViT carries the position of each patch, and changes with every shift, though
# less if whole patches move. The MLP changes completely. Move the image: which maps stay white?


# %% tags=["hide-input"]
def draw_shift(j):
    middle = slice(margin - 16, margin + 48)
    panels = {}
    for name, found in moved.items():
        change = (found[j] - found[0])[0, 0, middle, middle]
        change = change / found[0][..., middle, middle].std()
        panels[f"{name}: {E[name][j]:.2f}"] = change
    return figures.images(panels, columns=4, vmax=3, signed=True)


def describe_shift(j):
    unmoved = [name for name, errors in E.items() if errors[j] < 1e-4]
    return (
        f"Shift by {j} pixels. Equivariant: {', '.join(unmoved) or 'none'}. "
        "All others show a pattern of errors."
    )


control = {"draw": draw_shift, "values": list(range(9)), "label": "Shift in pixels"}
control["start"] = 1
widgets.frames(
    **control,
    alt=describe_shift,
    caption="The output for the moved image, moved back, minus the output for the image: "
    "white is equivariance. Above each map, the relative error.",
)

# %% [markdown]
# In a live kernel, the next cell draws the same picture anew.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**control)

# %% [markdown]
# On real images borders are near, and a convolution that pads with zeros can tell a place by its border. So the table is
# the best case. What do we want? Hadamard blocks lie on a grid, and digits are centred: exact equivariance would be
# a disadvantage here. For faces at any place, and a blur that is the same everywhere, it would be an advantage.
#
# ## If the image gets darker
#
# Halve the light: $x^*$, $y$, $z$ and $\nabla g$ are halved, and so should be the direction. This is positive
# homogeneity,
#
# $$
# P_\theta(\xi \nabla g; \xi z) = \xi\, P_\theta(\nabla g; z) \qquad (\xi > 0) .
# $$ (eq-nw-homogeneous)
#
# Convolutions, dense layers, ReLU and maximum are homogeneous as long as nothing is added: no biases
# {cite}`mohan2020robust`. Sigmoid, softmax, GELU and layer normalisation are not, so CBAM, ViT and ConvNeXt need
# help. The library gives it from outside: with $\operatorname{rms}(v)$ the root mean square of one image's input,
#
# $$
# N(v) = \operatorname{rms}(v)\; \tilde N\bigl(v / \operatorname{rms}(v)\bigr) .
# $$ (eq-nw-rms)
#
# This is homogeneous whatever $\tilde N$ is. It also explains the faint sensitivity to all pixels: every pixel enters the
# scale. The next table has $\lVert N(\xi v)/\xi - N(v) \rVert / \lVert N(v) \rVert$ for $\xi = 1/10$: as
# the library builds it, without the help of {eq}`eq-nw-rms`, and with biases.

# %%
found = {}
for name, network in networks.items():
    versions = (
        network,
        getattr(network, "network", network),
        awake(name, img_size=(1, 32, 32), bias=True),
    )
    outs = [(call(version, v), 10 * call(version, v / 10)) for version in versions]
    found[name] = [float((dim - out).norm() / out.norm()) for out, dim in outs]
heads = ["as it is built", "without the help", "with biases"]
table("Relative change of the output in a tenth of the light.", heads, found)

# %%
for name, (built, raw, biased) in found.items():
    assert built < 1e-4 < 0.1 < biased
    assert (raw > 0.01) == (name in ("cbam", "vit", "convnext"))

# %% [markdown]
# The light does not change during a reconstruction, but the gradient does. It gets shorter as
# the data are fitted, and the gradient is the only input of a gradient-only $P_\theta(\nabla g)$. How much shorter is it,
# for the tuned baselines of the three tasks?

# %%
lengths = {}
for camera in ("single_pixel", "mri", "super_resolution"):
    other = ddgp_lib.load_task(camera)
    data = other.measure(other.test_images[:2])
    back = other.student.A_adjoint(data)
    runs = ddgp_lib.load_solver(camera, "none").iterates(data, other.student, 50)
    grads = [gradient(other.student, point, back) for _, point in runs]
    lengths[camera] = [float((norms(part) / norms(back)).mean()) for part in grads]
ks = (1, 5, 20, 50)
rows = {camera: [f"{values[k]:.0e}" for k in ks] for camera, values in lengths.items()}
heads = [f"k = {k}" for k in ks]
table("Length of the gradient, relative to that of the data.", heads, rows)

# %%
assert max(lengths["single_pixel"][0], lengths["mri"][0]) < 1e-5
assert lengths["super_resolution"][1] > 30 * lengths["super_resolution"][50]

# %% [markdown]
# In super-resolution it falls by a large factor after the first iteration. For the other two
# $\nabla g = 0$ at the start, but for rounding: with $A A^\top = I$ the start $A^\top y$ fits the data. A homogeneous
# gradient-only $P_\theta$ suits both: it treats short and long gradients alike, and $P_\theta(0) = 0$. With the
# state-aware input {eq}`eq-nw-form` homogeneity says less: a small $\nabla g$ beside a large $z$ is small *relative* to
# it, and how the network treats it is left to the training.
#
# **A failure, shown.** Two small CNNs, gradient-only as in the paper, are trained for 150 steps, one of them with
# biases.

# %%
short = {"steps": 150, "batch_size": 16, "pool_size": 128, "learning_rate": 3e-3}
short |= {"momentum": "none", "parameters": "small", "progress": False}
short["inputs"], pair = "gradient_only", {}
for label, bias in (("without biases", False), ("with biases", True)):
    trained = ddgp_lib.distill(task, "cnn", bias=bias, **short).preconditioner
    pair[label] = trained.requires_grad_(False)

# %% [markdown]
# Then the light is turned down, at the same states: the gradient is multiplied by the brightness $\xi$, and so is the
# teacher's, noise-free gradient, which leaves the cosine between the two to be measured.

# %%
g_t = task.teacher.A_adjoint(task.teacher.A(z - images))
light = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
similar = {}
for label, P in pair.items():
    said = [P(xi * g, state).flatten(1) for xi in light]
    cosines = [torch.cosine_similarity(part, g_t.flatten(1)) for part in said]
    similar[label] = [cosine.mean() for cosine in cosines]
invented = {label: float(norms(P(0 * g, state)).mean()) for label, P in pair.items()}

# %% tags=["nbval-ignore-output"]
without, with_biases = similar.values()
for place, xi in ((4, 1), (0, 0.01)):
    print(f"brightness {xi}: cosine {without[place]:.2f} without biases, ", end="")
    print(f"{with_biases[place]:.2f} with biases")
ends = [f"{norm:.2f} {label}" for label, norm in invented.items()]
print("length of P(0):", ", ".join(ends))

# %% tags=["nbval-ignore-output"]
assert max(without) - min(without) < 1e-3
assert abs(without[4] - with_biases[4]) < 0.12
assert with_biases[0] < 0.6 * with_biases[4]
assert invented["without biases"] == 0 < 0.05 < invented["with biases"]

# %% mystnb={"figure": {"name": "fig-nw-light", "caption": "Cosine similarity between the preconditioned gradient and the teacher's, mean over 32 held-out digits at the plain solver's third iterate, against the brightness of the scene. Both networks were trained at brightness 1."}, "image": {"alt": "Two curves against brightness from 0.01 to 3. Without biases: level at about 0.5. With biases: as high at brightness 1 and above, falling to below 0.2 in the dark."}} tags=["hide-input", "nbval-ignore-output"]
figures.curves(
    light,
    similar,
    xlabel="brightness $\\xi$",
    ylabel="cosine with $\\nabla g_t$",
    xscale="log",
    ylim=(0, 1),
    legend="above",
)

# %% [markdown]
# At the brightness of the training the two cannot be told apart. A hundred times darker, the network with biases has
# lost more than two fifths of its cosine, since what the biases add does not get darker. The last line printed is the
# extreme: for a gradient that is zero it still returns a direction, the same for every scene. (One seed and a brief
# training: how much is lost depends on both.)
#
# ## Telling the network how far it is
#
# A homogeneous network cannot *add* anything that depends on the iteration $k$. It can multiply. Let
# $\chi_k = \min\bigl(1, \log(1 + k) / \log(1 + K)\bigr)$ be the progress, with the horizon $K$ of the training. There
# are two ways to tell it:
#
# $$
# \begin{aligned}
# \text{any network:} \quad & W_0 v + \sum_j \varphi_j(k)\, W_j v, \quad \varphi_j(k) = \cos(\pi j \chi_k), \\
# \text{InDI:} \quad & f \mapsto \bigl(1 + \psi(\chi_k)\bigr)\, f .
# \end{aligned}
# $$ (eq-nw-told)
#
# The first makes the first layer a function of $k$, by appending copies of the input multiplied by $\varphi_j$
# (`with_iteration`, the field `embedding` of a recipe, off by default). The second lets a small network $\psi$
# scale every channel $f$ in every block {cite}`perez2018film`; InDI is told the time of each of its steps
# {cite}`delbracio2023inversion`, here it is $\chi_k$. Both keep {eq}`eq-nw-homogeneous`, and past the horizon nothing
# changes any more.

# %%
embedded = awake("unet", channels=2 * (1 + 3))
told = {
    "embedding": lambda v, k: embedded(with_iteration(v, k, 3, 50)),
    "indi": lambda v, k: networks["indi"](v, iteration_progress(k, 50)),
}
ks, rows = (1, 5, 20, 50, 500), {}
for label, network in told.items():
    start = network(v, 0)
    rows[label] = [float((network(v, k) - start).norm() / start.norm()) for k in ks]
heads = [f"k = {k}" for k in ks]
table("Change of an untrained network's output, told k instead of 0.", heads, rows)

# %% tags=["hide-input"]
for label, network in told.items():
    assert rows[label][-1] == rows[label][-2] > 0.1
    darker = network(v / 10, 7)
    torch.testing.assert_close(darker, network(v, 7) / 10, rtol=1e-3, atol=1e-5)

# %% [markdown]
# **A failure, and its cause.** To be told the time can do harm. We train a small InDI on brain slices of $48 \times 48$
# pixels, with a horizon of $K = 30$, and let it run for 100 iterations. In training, states end at random ages, so that
# old ones are rare. The end of a state is drawn log-uniformly from 1 to $K$. How often is InDI told a late time?

# %%
horizon = 30
ends = torch.arange(1, horizon + 1)
alive = 1 - ends.log() / math.log(horizon + 0.99)  # share of states that reach this age
aged = alive / alive.sum()  # ages 0, 1, …, 29
for age in (15, 25):
    print(f"share of training states of age {age} or more: {aged[age:].sum():.1%}")

# %%
slices = ddgp_lib.load_task("mri", size=48)
brief = {"steps": 600, "batch_size": 4, "pool_size": 128, "horizon": horizon}
brief |= {"parameters": "small", "sigma": 0.02, "momentum": "none", "progress": False}
timed = ddgp_lib.distill(slices, "indi", **brief).preconditioner.requires_grad_(False)

# %% [markdown]
# The same weights are run with three clocks. The first tells InDI the iteration, which past the horizon means $\chi = 1$
# for ever. The others stop the told time at a half and at a quarter of the horizon, while the run goes on.


# %%
class StoppedClock(ddgp_lib.Preconditioner):
    def __init__(self, P, latest):
        super().__init__()
        self.P, self.latest = P, latest

    def forward(self, grad, state):
        early = dataclasses.replace(state, k=min(state.k, self.latest))
        return self.P(grad, early)


clocks = {"told the iteration": timed}
for latest in (horizon // 2, horizon // 4):
    clocks[f"told at most {latest}"] = StoppedClock(timed, latest)

# %% tags=["nbval-ignore-output"]
setting = {"stepsize": slices.stepsize, "sigma": 0.02, "momentum": "none"}
late_images, runs, rows = slices.test_images[:6], {}, {}
for label, P in clocks.items():
    solver = PreconditionedFISTA(slices.denoiser, P, **setting)
    with torch.no_grad():
        path = psnr_curves(slices, solver, late_images, slices.student, 100)
    runs[label] = path.mean(dim=1)
    rows[label] = [float(runs[label][k - 1]) for k in (10, 20, 50, 100)]
heads = [Column(f"k = {k}", "dB", best="high") for k in (10, 20, 50, 100)]
table("One InDI with three clocks, mean PSNR over six slices.", heads, rows)

# %% tags=["hide-input", "nbval-ignore-output"]
held, half, _ = runs.values()
assert abs(held[9] - half[9]) < 1e-3
assert half[99] > held[99] + 0.5

# %% [markdown]
# Up to half the horizon the three are nearly alike. Later the first loses far more. It is held at a time at which it was
# hardly trained: $\chi = 1$ never occurs in training, and late ages are rare, as the shares say. Told a time at which
# there were many states, the same weights lose less. (They still lose, so the told time is not the only cause. The
# [next chapter](when-it-breaks) is about the others.) So stop the told time at half the horizon or before, or draw the
# ages evenly in training. The second was not tried here.
#
# ## If the image has another size
#
# A preconditioner trained on 32×32 pixels may be applied to 64×64. Six of the eight need no change. The MLP has
# weights for 1,024 pixels and refuses. ViT accepts, at a cost: each patch attends to all, so four
# times as many patches cost more than four times as much.

# %%
try:
    networks["mlp"](torch.zeros(1, 2, 64, 64))
except ValueError as error:
    print(error)

# %%
grows = {}
for name in ("cnn", "unet", "vit"):
    sizes = [multiplications(networks[name], side) for side in (64, 128)]
    grows[name] = [size / work[name] for size in sizes]
heads = [Column(head, digits=1) for head in ("64 × 64", "128 × 128")]
table("Multiplications, relative to those for 32 × 32 pixels.", heads, grows)

# %%
assert grows["cnn"] == [4, 16]
assert grows["vit"][0] > 5
assert grows["vit"][1] > 30

# %% [markdown]
# ## All eight, trained
#
# Now the study. `python -m ddgp_lib study networks` trains all eight on the single-pixel task for 1,500 steps each,
# by one recipe: null-space form, state-aware, the losses $L_G + L_I$, one learning rate, three seeds. Then $\sigma$
# is chosen for each on validation images, and 100 test digits are reconstructed. The gain is the PSNR after 20
# iterations minus that of the tuned solver without $P$, image by image. The runs ship with the library. First: were
# they equal but for the network?

# %%
trained = load_study("networks")["runs"]
runs = [run for run in trained if run["configuration"]["task"] == "single_pixel"]
recipes = [run["configuration"]["recipe"] | {"network": "", "seed": 0} for run in runs]
print(f"{len(runs)} trainings; equal but for network and seed:", end=" ")
print(all(recipe == recipes[0] for recipe in recipes))

# %%
assert [(line["row"], line["seeds"]) for line in lines] == [(name, 3) for name in NETWORKS]
assert all(recipe == recipes[0] for recipe in recipes)
assert recipes[0]["steps"] == 1500
assert all(line["parameters"] == weights[line["row"]] for line in lines)

# %% [markdown]
# They were. The figure has the gains. Below it are seconds of one thread for the training, PSNR after 5 and 100
# iterations, and the gain again with its standard error over the seeds.

# %% mystnb={"figure": {"name": "fig-nw-study", "caption": "Gain in PSNR after 20 iterations over the tuned solver without P, on 100 digits: means over three seeds, with bars of two standard errors to each side."}, "image": {"alt": "A dot with an error bar for each of eight networks. The U-Net is farthest to the right, at about 3 dB, then InDI and ViT at about 2.5 dB, ConvNeXt and CBAM near 1.5 dB; CNN and MDCNN gain about 1 dB, the MLP less than half. The bars are shorter than most of the distances."}} tags=["hide-input"]
values = {line["row"]: {"gain": (line["gain_20"], 2 * line["gain_20_error"])} for line in ranked}
look = {"roles": {"gain": "distilled"}, "reference": 0.0}
figures.dots(values, xlabel="gain at k = 20 (dB), ± two standard errors", **look)

# %%
heads = [Column("training", "s", digits=0)]
heads += [Column("k = 5", "dB"), Column("k = 100", "dB")]
heads += [Column("gain at 20", "dB", best="high", signed=True)]
rows = {}
for line in ranked:
    early, late = line["psnr"]["5"], line["psnr"]["100"]
    error = line["gain_20"], line["gain_20_error"]
    rows[line["row"]] = [line["training_seconds"], early, late, error]
table("Eight networks, one recipe, digits; means over three seeds.", heads, rows)

# %% [markdown]
# How far can these numbers be trusted? The row `unet` of this study and the first row of the study `forms` are the same
# recipe with the same seeds, trained at another time and perhaps on another processor. By how much do the gains differ?

# %%
others = load_study("forms")["runs"]
again = [run for run in others if run["row"] == "null_space, state_aware"]
once = {run["seed"]: run["gain_20"][0] for run in runs if run["row"] == "unet"}
twice = {run["seed"]: run["gain_20"][0] for run in again}
rows = {str(seed): [once[seed], twice[seed], twice[seed] - once[seed]] for seed in once}
heads = [Column("networks", "dB"), Column("forms", "dB")]
heads += [Column("difference", "dB", signed=True)]
table("One recipe, trained twice: gain of the U-Net at 20.", heads, rows, corner="seed")

# %% tags=["hide-input"]
scatter = max(abs(twice[seed] - once[seed]) for seed in once)
assert by_row["unet"]["gain_20_error"] < scatter < 0.3

# %% [markdown]
# The same seed need not give the same gain. A likely reason is that another processor, or another number of threads,
# rounds differently, and that a training amplifies such differences. The largest of these differences is larger than the
# standard error of the U-Net in the table above. So that error understates what a repetition changes, and a difference
# of a tenth of a decibel says nothing.
#
# How much of a difference is the network's, and how much the seed's? We subtract gains seed by seed. As in the chapters
# before, two networks are told apart if the 95% interval of the mean difference leaves out zero. With three seeds that
# interval is 4.3 standard errors long on either side.


# %%
by_seed = {(run["row"], run["seed"]): run["gain_20"][0] for run in trained}


def verdict(best, other):
    gaps = torch.tensor([by_seed[best, s] - by_seed[other, s] for s in range(3)])
    gap, half = float(gaps.mean()), t_quantile(3) * float(gaps.std()) / 3**0.5
    return (gap, half), "behind" if gap > half else "not told apart"


rows = {name: verdict(order[0], name) for name in order[1:]}
heads = [Column("below the best", "dB"), "verdict"]
table(f"Distance from {order[0]}; after ±, half the 95% interval.", heads, rows)

# %%
assert order[:2] == ["unet", "indi"]
assert set(order[5:]) == {"cnn", "mdcnn", "mlp"}
assert order[-1] == "mlp"
assert gain["unet"] > gain[order[2]] + 0.3
assert all(verdict(order[0], name)[1] == "behind" for name in order[1:])
assert networks["mlp"].layers[3].out_features == 154

# %% [markdown]
# The study gives an order of gains, and reasons to be careful with it.
#
# **Skips and scales.** The three that gain least, MLP, MDCNN and CNN, are the three without a skip connection: all
# information must pass through every layer. The U-Net has the highest gain and InDI the next, and the U-Net is told
# apart from each of the others. These two have skips and several scales; they also use patches of 2 pixels instead of 4.
# The study cannot separate these causes. A CNN on patches of 2 pixels, which would separate the last from the others,
# was not trained. Other causes are less likely. The number of weights is nearly the same in all, the multiplications are
# in all but the MLP, and every extent suffices. The two U-Nets are initialised in different ways, so their lead over the
# rest is not that of one initialisation.
#
# **To use the position was not enough.** The MLP has weights for every place, and gains least. In the linear guess own
# weights for each patch left less; but there they were computed in closed form, and not searched for in 1,500 steps. The
# MLP has two hidden layers of 154 entries, through which everything must pass, and must learn a stroke anew for each
# place.
#
# **To be told the iteration is no clear gain.** InDI is behind the U-Net, which is told nothing. A state-aware network
# has $z$ as an input, and an iterate shows how far the run has come. (The two differ in more than that: in their
# blocks, and in how they are initialised.)
#
# What the study does not show: the learning rate and the number of steps are the same for all, and they were those of
# the U-Net before the study began. A network that needs another rate, or more steps, is at a disadvantage. Digits are
# small, centred and alike. And three seeds are few.
#
# ### The first three, for other cameras
#
# Does the order hold elsewhere? The study trains the first three for brain slices and for faces too, each by its task's
# short recipe, of 800 and 1,000 steps. (In [super-resolution](super-resolution) Newton's step is part of $P$ and brings
# most of the gain.)
#
# **These rows are older than the rest of the book.** The denoisers of slices and faces have since been replaced by larger
# ones. The rows were not trained again, which would take more than an hour. So compare the three networks with each other, and none of
# these decibels with those of another chapter. The table has the gain at 20 iterations, and the PSNR then and much later.

# %%
rows = {}
for camera, found in {"slices": mri, "faces": faces}.items():
    for name, line in found.items():
        error = line["gain_20"], line["gain_20_error"]
        psnr = [line["psnr"][k] for k in ("20", "100")]
        rows[f"{camera}: {name}"] = [error, *psnr, line["training_seconds"]]
heads = [Column("gain at 20", "dB", signed=True)]
heads += [Column("k = 20", "dB"), Column("k = 100", "dB")]
heads += [Column("training", "s", digits=0)]
table("Three networks for two other cameras, means over three seeds.", heads, rows)

# %% tags=["hide-input"]
fall = {"mri, unet": [], "mri, indi": []}
for run in trained:
    if run["row"] in fall:
        assert run["configuration"]["recipe"]["horizon"] == 30
        fall[run["row"]].append(run["psnr"]["20"][0] - run["psnr"]["100"][0])
print("lost from iteration 20 to 100, seed by seed:")
for row, values in fall.items():
    print(f"{row}: " + ", ".join(f"{value:.1f}" for value in values), "dB")

# %%
assert list(mri) == list(faces) == order[:3]
for camera in ("mri", "super_resolution"):
    assert verdict(f"{camera}, unet", f"{camera}, vit")[1] == "behind"
assert faces["unet"]["gain_20"] > faces["indi"]["gain_20"] > faces["vit"]["gain_20"]
assert verdict("mri, indi", "mri, unet")[1] == "not told apart"
(gap, half), _ = verdict("super_resolution, unet", "super_resolution, indi")
assert half < gap < scatter + 0.05
assert sum(run["training_seconds"] for run in trained if "," in run["row"]) > 3600
assert max(fall["mri, unet"]) < min(fall["mri, indi"]) - 3
assert mri["unet"]["psnr"]["100"] > max(mri[name]["psnr"]["100"] for name in ("indi", "vit"))
assert slower > 4

# %% [markdown]
# Faces repeat the order of the digits. The two U-Nets are a tenth of a decibel apart there. They are told apart, but a
# mere repetition moved a gain by about as much, as we saw. Brain slices do not repeat the order: after 20 iterations
# InDI is level with the U-Net. The difference between these two comes later, and with each seed. The short trainings
# drew their states from 30 iterations. At $k = 100$ the U-Net has lost one to two decibels, and InDI much more. A cause
# was shown above on a smaller case: past its horizon InDI is told a time at which it was hardly trained. **The ranking
# depends on the iteration.** How a run is kept past the horizon is the subject of the [next chapter](when-it-breaks).
#
# The ViT is third with both, and told apart from the U-Net. It compares all patches with all others, and for slices of
# $128 \times 128$ pixels its training takes more than four times as long as the U-Net's.
#
# What would the shipped denoisers change? For the U-Net alone this is known. The study in the chapter on
# [teachers](teachers) has trained it by the same recipe, with the same seeds and the shipped denoisers:

# %% tags=["hide-input"]
same = {"mri": "mri, acceleration 2", "super_resolution": "super_resolution, factor 2, blur 1.0"}
rows, alike = {}, []
for camera, row in same.items():
    now = {line["row"]: line for line in compare(camera)["teachers"]}[row]
    before = {line["row"]: line for line in elsewhere[camera]}[f"{camera}, unet"]
    name = {"mri": "slices"}.get(camera, "faces")
    for when, line in {"earlier": before, "shipped": now}.items():
        early, late = line["psnr"]["20"], line["psnr"]["100"]
        rows[f"{name}: {when}"] = [early - line["gain_20"], early, late]
    for source, wanted in (("networks", f"{camera}, unet"), ("teachers", row)):
        found = load_study(source)["runs"]
        alike.append([r["configuration"]["recipe"] for r in found if r["row"] == wanted])
assert alike[0] == alike[1]
assert alike[2] == alike[3]
heads = [Column(head, "dB") for head in ("no P, k = 20", "U-Net, k = 20", "k = 100")]
table("The U-Net with two denoisers, means over three seeds.", heads, rows)

# %% tags=["hide-input"]
old, new, *others = rows.values()
assert new[0] - old[0] > 2.5 > 0.6 > new[1] - old[1] > 0
assert new[1] - new[2] > 2 * (old[1] - old[2])
assert max(abs(a - b) for a, b in zip(*others, strict=True)) < 0.2

# %% [markdown]
# For slices the larger denoiser helps the solver without $P$, which was tuned anew with it, far more than the U-Net. Most
# of the gain is gone. And the U-Net loses more than twice as much from iteration 20 to 100. What InDI and the ViT would
# do with it has not been measured. For faces hardly anything changes.
#
# The book keeps the U-Net: it is ahead for digits, not behind for faces and slices, loses least of the three for slices
# past the horizon, accepts images of any even size, and is homogeneous without help.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 09_networks
# ```
#
# ## Exercises
#
# ```{exercise} How deep for 84 pixels?
# :label: ex-nw-deep
#
# (a) Derive {eq}`eq-nw-extent`. (b) How many 3×3 convolutions does a CNN on *pixels*, $p = 1$, need to see at least
# the 84 pixels of our CNN? (c) With ten convolutions and 80 channels between them, how do the multiplications per
# image change when the same weights, but for the first and last layer, work on pixels? (d) `PatchCNN(2, 1, depth=2)`
# sees how many pixels? Predict it, then measure.
# ```

# %%
layers = None  # (b): put the number of convolutions here
answers.check("ex-nw-deep", layers)

# %% tags=["hide-cell"]
torch.manual_seed(0)
shallow = PatchCNN(2, 1, depth=2)
torch.nn.init.normal_(shallow.layers[-1].weight)
assert extent(sensitivity(shallow, noise)) == reach_of(3, 3) == 20

# %% [markdown]
# ```{solution} ex-nw-deep
# :class: dropdown
#
# (a) An output of the last layer sees $b_l$ places of the layer before; each further layer of side $b_l$ adds
# $(b_l - 1)/2$ places on each side. A place is a patch, $p$ pixels wide. (b) $1 + 2d \ge 84$ gives $d = 42$. (c)
# There are 16 times as many places, so 16 times as many multiplications. (d) $4 \cdot 5 = 20$ pixels: the window at
# the right end of {numref}`fig-nw-window`, where a shared linear guess still improves.
# ```
#
# ```{exercise} Euler's identity
# :label: ex-nw-euler
#
# (a) Show that a network of convolutions, ReLUs, maxima and skip connections without biases obeys
# {eq}`eq-nw-homogeneous`, and that {eq}`eq-nw-rms` does for every $\tilde N$. (b) Differentiate $N(\xi v) = \xi N(v)$
# by $\xi$ at $\xi = 1$: which relation between $N$ and its Jacobian $J_N(v)$ follows? (c) Check it for all eight by
# one Jacobian-vector product each.
# ```

# %% tags=["hide-cell"]
for name, network in networks.items():
    if name != "indi":
        value, pushed = torch.func.jvp(network, (v[:4],), (v[:4],))
        nearly = {"rtol": 1e-3, "atol": 1e-4 * float(value.abs().max())}
        torch.testing.assert_close(pushed, value, **nearly)
value, pushed = torch.func.jvp(lambda u: call(networks["indi"], u), (v[:4],), (v[:4],))
nearly["atol"] = 1e-4 * float(value.abs().max())
torch.testing.assert_close(pushed, value, **nearly)

# %% [markdown]
# ```{solution} ex-nw-euler
# :class: dropdown
#
# (a) Each layer $l$ has $l(\xi f) = \xi\, l(f)$ for $\xi > 0$: linear maps for all $\xi$, ReLU and maximum for
# positive ones; sums and compositions keep it. In {eq}`eq-nw-rms` the argument of $\tilde N$ does not change with
# $\xi$, and the factor is multiplied by it. (b) $J_N(v)\, v = N(v)$, Euler's identity: along its own input the
# network is linear. (c) The cell above. For ReLU networks more is true. $N$ is linear in a neighbourhood of almost
# every $v$, so the rows of $J_N(v)$ are filters that depend on the image {cite}`mohan2020robust`. With
# {eq}`eq-nw-rms` only the identity remains.
# ```
#
# ```{exercise} How old are the states?
# :label: ex-nw-ages
#
# A pool draws the end of each state log-uniformly from 1 to $K$, as in this chapter: a state reaches the age $j$ with
# the probability $1 - \log j / \log (K + 0.99)$, $j \ge 1$. (a) Which share of the states that a long training sees has
# at least half the horizon, $K = 50$, age 25 or more? (b) What would it be if all ages from 0 to 49 were equally
# frequent? Which price would you pay for that early in the run?
# ```

# %%
answer = None  # (a): put the share here
answers.check("ex-nw-ages", answer)

# %% tags=["hide-cell"]
reached = 1 - torch.arange(1, 51).log() / math.log(50.99)
print(f"{reached[25:].sum() / reached.sum():.3f} against 0.5")

# %% [markdown]
# ```{solution} ex-nw-ages
# :class: dropdown
#
# (a) A state has the ages $0, \dots, \text{end} - 1$, so the age $k$ is as frequent as an end above $k$, which has the
# probability given for $j = k + 1$. Add up from 25 on and divide by the sum over all ages: the folded cell does it. (b)
# Half. But then few states are young, where most of a run's gain is made, and each step of the training would spend most
# of its batch on images that hardly change any more.
# ```
#
# ```{exercise} Buying equivariance
# :label: ex-nw-average
#
# Let $\bar N(v)$ be the mean of $\mathsf{S}_{-j} N(\mathsf{S}_j v)$ over $j = 0, \dots, 3$, for shifts to the right.
# (a) Show that for the CNN $\bar N$ is equivariant to every such shift if no border is seen. (b) Check it. (c) What
# does it cost in both directions, and why might it be a bad bargain for a camera with Hadamard blocks?
# ```


# %% tags=["hide-cell"]
def averaged(v):
    return sum(call(small["cnn"], v.roll(j, -1)).roll(-j, -1) for j in range(4)) / 4


for j in (1, 2, 3):
    torch.testing.assert_close(averaged(lone.roll(j, -1)).roll(-j, -1), averaged(lone), rtol=1e-4, atol=1e-4)

# %% [markdown]
# ```{solution} ex-nw-average
# :class: dropdown
#
# (a) $\mathsf{S}_{-i} \bar N(\mathsf{S}_i v)$ is the mean over $j$ of $\mathsf{S}_{-(i+j)} N(\mathsf{S}_{i+j} v)$. A
# term depends on $i + j$ only modulo 4, because $N$ is equivariant to shifts by 4; so the sum has the same terms in
# another order. (b) The cell above. (c) Sixteen calls instead of one. And the average does not depend on the place
# within a patch. The blocks of the Hadamard patterns are aligned with the patches, so this place says which part of a
# block is meant: the network would lose information that it can use.
# ```
#
# ## Recap
#
# You can now
#
# - say what the study shows: by one recipe and with as many weights, the two U-Nets gain most on the single-pixel task,
#   the networks without skips least. On brain slices, with the earlier denoiser, the two are level after 20
#   iterations, and far apart after 100. A study of networks is a study of networks *and* a recipe *and* a denoiser, at
#   one iteration;
# - compute the extent of a receptive field from kernels, depth and patches; how much of it is used depends on the
#   training;
# - test for equivariance: on patches, convolutions are equivariant to whole patches only. On centred digits, position
#   helps more than a wide window; elsewhere it may not help at all;
# - make a network treat dim and bright scenes alike: without biases, or with an input divided by its size. With biases
#   it fails in the dark, and returns a direction where the gradient is zero;
# - tell a network the iteration by multiplication, which keeps homogeneity, and stop the told time where the training
#   had few states.
#
# ## Further reading
#
# The sources of the eight are in the table at the beginning; the U-Net as a reconstructor is in {cite}`jin2017deep`.
# On the effective receptive field read {cite}`luo2016understanding`, on networks without biases
# {cite}`mohan2020robust`, on telling a network a number {cite}`perez2018film`. The journal extension of the paper is
# {cite}`dipa2026`.
