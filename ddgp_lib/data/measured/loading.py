"""Load a measured data set by its name."""

from types import MappingProxyType

from ...arguments import require_choice, require_flag
from .folder import data_folder, fetch, locate
from .readers import named_array, read_file
from .records import Measured
from .registry import MEASURED


def load_measured(name: str, *, download: bool = False) -> Measured:
    """Load measurements that nobody simulated: a scanner's k-space, a single-pixel camera's, a lens-less camera's.

    The files belong to those who published them and are not distributed with this book.  They are read from the
    folder that the variable ``DDGP_DATA`` of the environment names, or else from the cache folder of pooch for
    ``ddgp``, and are checked by their SHA-256.  Nothing is fetched unless that is asked for.

    Parameters
    ----------
    name : str
        One of :data:`~ddgp_lib.data.measured.registry.MEASURED`; ``python -m ddgp_lib data`` lists them.
    download : bool
        Whether files that are missing or have changed are fetched, from where their authors published them.

    Returns
    -------
    Measured
        Its arrays with named axes, with the numbers of the files; facts of the acquisition; its card.

    Raises
    ------
    ImportError
        If pooch is not installed, and ``DDGP_DATA`` is not set or a file is to be fetched.
    FileNotFoundError
        If a file is missing, with what to do.
    OSError
        If a file could not be fetched.
    ValueError
        If an argument is not accepted, or a file is truncated, changed or damaged, with what to do.

    Examples
    --------
    >>> from ddgp_lib.data import load_measured
    >>> head = load_measured("head_7_coils")  # doctest: +SKIP
    >>> head.arrays["image"].axes  # doctest: +SKIP
    ('coil', 'row', 'column')
    >>> head["image"].shape  # doctest: +SKIP
    torch.Size([7, 256, 216])
    """
    require_choice("name", name, tuple(MEASURED))
    require_flag("download", download)
    card = MEASURED[name]
    folder = data_folder()
    if download:
        fetch(card, folder)
    paths = {file.name: locate(file, name, folder) for file in card.files}
    found = {file: read_file(path) for file, path in paths.items()}
    arrays = {key: named_array(paths[spec.file], found[spec.file], spec) for key, spec in card.arrays.items()}
    first = found[card.files[0].name]
    labels = {entry: tuple(first[key].ravel().tolist()) for entry, key in card.labels.items()}
    return Measured(MappingProxyType(arrays), MappingProxyType({**card.meta, **labels}), card)
