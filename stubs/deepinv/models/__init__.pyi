from .artifactremoval import ArtifactRemoval as ArtifactRemoval
from .base import Denoiser as Denoiser
from .base import Reconstructor as Reconstructor
from .dncnn import DnCNN as DnCNN
from .drunet import DRUNet as DRUNet
from .ram import RAM as RAM
from .unet import UNet as UNet
