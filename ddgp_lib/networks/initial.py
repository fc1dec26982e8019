"""Initial weights: a network that starts at zero, and layers through which a signal keeps its size."""

from torch import nn


def start_at_zero(layer: nn.Conv2d | nn.Linear) -> None:
    """Set a network's last layer to zero, so that g + N(g) starts as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def for_relu(network: nn.Module) -> None:
    """Draw the weights of all convolutions and linear layers so that the mean square is kept through ReLUs.

    References
    ----------
    He et al., "Delving deep into rectifiers", 2015.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def drop_biases(network: nn.Module) -> None:
    """Take away the biases of all convolutions, linear layers and normalisations, for blocks that insist on them."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.LayerNorm):
            layer.register_parameter("bias", None)
