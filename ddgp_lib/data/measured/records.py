"""What is known of a measured data set, and its numbers once they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import torch

from ...arguments import require, require_choice

KINDS = ("complex", "real")
"""What the numbers of an array are."""


@dataclass(frozen=True)
class DataFile:
    """A file as its authors published it, or what was made of one.

    Attributes
    ----------
    name : str
        Its name in the folder of measured data.
    repository, commit, path : str
        Where it was published: ``owner/name`` on GitHub, a commit, and the path there.
    sha256 : str
        Of the file's bytes; of a file that was ``repacked``, that of its arrays, by
        :func:`~ddgp_lib.data.measured.folder.arrays_digest`.
    size : int
        In bytes.
    repacked : str
        How the file is made of what was published, where it is not the same; such a file cannot be fetched.
    """

    name: str
    repository: str
    commit: str
    path: str
    sha256: str
    size: int
    repacked: str = ""

    @property
    def url(self) -> str:
        """Address of what was published."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{quote(self.path)}"


@dataclass(frozen=True)
class ArraySpec:
    """Where an array stands in the files of a set, and what its axes are.

    Attributes
    ----------
    file : str
        Name of the file.
    key : str
        Name of the array in the file; ``""`` where a file holds one alone.
    stored : tuple of str
        Its axes in the file.
    axes : tuple of str
        The same in the order in which they are returned; one that is not stored is added, with length 1.
    kind : str
        ``"complex"`` or ``"real"``.
    meaning : str
        What the numbers are, in words.
    shape : tuple of int
        Lengths of ``axes``, as they are returned.
    kept : tuple of int, optional
        First places along each stored axis that are returned, where the rest was not measured.
    """

    file: str
    key: str
    stored: tuple[str, ...]
    axes: tuple[str, ...]
    kind: str
    meaning: str
    shape: tuple[int, ...]
    kept: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require_choice("kind", self.kind, KINDS)
        require(set(self.stored) <= set(self.axes), "axes", self.axes, f"all of {self.stored}")
        require(len(self.shape) == len(self.axes), "shape", self.shape, f"a length for each of {self.axes}")


@dataclass(frozen=True)
class MeasuredSet:
    """A measured data set: its files, its arrays and its card.

    Attributes
    ----------
    name : str
        By which :func:`~ddgp_lib.data.measured.loading.load_measured` finds it.
    title : str
        What was measured, in a line.
    files : tuple of DataFile
        What is read.
    arrays : mapping of str to ArraySpec
        What they hold.
    licence, credit, privacy : str
        Under which terms, by whom, and whom it shows.
    known, unknown : tuple of str
        Of the acquisition, a sentence each.
    meta : mapping of str to Any
        Facts that programs use, such as the field strength.
    labels : mapping of str to str
        Further entries of ``meta`` that are read from the files: texts, by their key in the first file.
    """

    name: str
    title: str
    files: tuple[DataFile, ...]
    arrays: Mapping[str, ArraySpec]
    licence: str
    credit: str
    privacy: str
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, eq=False)
class NamedArray:
    """A tensor whose axes have names.

    Attributes
    ----------
    values : Tensor
        The numbers.
    axes : tuple of str
        A name for each axis, such as ``("coil", "row", "column")``.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.data.measured import NamedArray
    >>> kspace = NamedArray(torch.zeros(8, 230, 180, dtype=torch.complex64), ("coil", "row", "column"))
    >>> kspace.length("coil"), kspace.axis("row")
    (8, 1)
    """

    values: torch.Tensor
    axes: tuple[str, ...]

    def __post_init__(self) -> None:
        require(isinstance(self.values, torch.Tensor), "values", self.values, "a tensor")
        named = isinstance(self.axes, tuple) and all(isinstance(axis, str) for axis in self.axes)
        fits = named and len(self.axes) == self.values.ndim == len(set(self.axes))
        require(fits, "axes", self.axes, f"{self.values.ndim} different names")

    def axis(self, name: str) -> int:
        """Return the position of an axis."""
        require_choice("name", name, self.axes)
        return self.axes.index(name)

    def length(self, name: str) -> int:
        """Return the length of an axis."""
        return self.values.shape[self.axis(name)]

    def __repr__(self) -> str:
        lengths = ", ".join(f"{axis}={n}" for axis, n in zip(self.axes, self.values.shape, strict=True))
        return f"NamedArray({lengths}, {self.values.dtype})"


@dataclass(frozen=True, eq=False)
class Measured:
    """A measured data set that was read; ``measured["kspace"]`` is the tensor of that name.

    Attributes
    ----------
    arrays : mapping of str to NamedArray
        Numbers as they are in the files: neither scaled nor rounded.
    meta : mapping of str to Any
        Facts of the acquisition, and labels of the places along an axis.
    card : MeasuredSet
        Where the set comes from, under which licence, and what is known and unknown of it.
    """

    arrays: Mapping[str, NamedArray]
    meta: Mapping[str, Any]
    card: MeasuredSet

    @property
    def name(self) -> str:
        """Name of the set."""
        return self.card.name

    def __getitem__(self, name: str) -> torch.Tensor:
        require_choice("name", name, tuple(self.arrays))
        return self.arrays[name].values

    def __repr__(self) -> str:
        return f"Measured({self.name!r}, {', '.join(f'{name}={array!r}' for name, array in self.arrays.items())})"
