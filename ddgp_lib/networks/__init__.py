"""Networks N_θ for a preconditioner, built by name, and how they are told the iteration."""

from .build import NETWORKS, SIZES, WIDTHS, build_network
from .cbam import AttentionCNN
from .cnn import PatchCNN
from .convnext import ConvNeXt
from .homogeneous import Homogeneous
from .indi import TimedUNet
from .iteration import iteration_features, iteration_progress, with_iteration
from .mdcnn import MultiDepthCNN
from .mlp import MLP
from .unet import PatchUNet
from .vit import ViT

__all__ = [
    "MLP",
    "NETWORKS",
    "SIZES",
    "WIDTHS",
    "AttentionCNN",
    "ConvNeXt",
    "Homogeneous",
    "MultiDepthCNN",
    "PatchCNN",
    "PatchUNet",
    "TimedUNet",
    "ViT",
    "build_network",
    "iteration_features",
    "iteration_progress",
    "with_iteration",
]
