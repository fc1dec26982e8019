"""Grade many notebooks from one process that has imported what they import: each is graded in forks of it.

What is graded so must be known, as the wrong answers are. What students hand in is graded in new processes.
"""

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assignments.grading import ACCIDENTS, PROCESSOR_SECONDS, SECONDS, end, environment, last_line
from assignments.masters import FORMS, ROOT


class WarmGrader:
    """A process that forks a grader, and the grader's kernel, for each notebook.

    It serves several threads at a time. Use it as a context manager: the process ends with the block.

    Parameters
    ----------
    form : str
        "torch" or "numpy": what is imported before.

    Raises
    ------
    ValueError
        If the form is another.
    """

    def __init__(self, form: str) -> None:
        if form not in FORMS:
            raise ValueError(f"form={form!r}: expected one of {', '.join(FORMS)}")
        self._said = Path(tempfile.mkstemp(suffix=".txt")[1])
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-m", "assignments.warm_child", form, str(theirs.fileno())]
        with theirs, self._said.open("w") as said:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control.close()
        self.process.wait()
        self._said.unlink()

    def lives(self) -> bool:
        """Say whether the process still runs."""
        return self.process.poll() is None

    def grade(
        self, notebook: Path, archive: Path, seconds: float, processor_seconds: int
    ) -> dict[str, Any] | str:
        """Grade a notebook as ``grading.run_otter`` does, with the same limits and results."""
        return self._ask(notebook, archive, seconds, processor_seconds)

    def output(self, notebook: Path) -> str:
        """Execute a notebook, at most twice; return what its last cell printed.

        Raises
        ------
        RuntimeError
            If a cell raises or the process dies, both times.
        """
        for _ in range(1 + ACCIDENTS):
            found = self._ask(notebook, None, SECONDS, PROCESSOR_SECONDS)
            if isinstance(found, dict):
                return str(found["output"])
        raise RuntimeError(f"{notebook.name} could not be executed: {found}")

    def _ask(
        self, notebook: Path, archive: Path | None, seconds: float, processor_seconds: int
    ) -> dict[str, Any] | str:
        """Send a request; return the answer, or in words why there is none."""
        with tempfile.NamedTemporaryFile("r") as said:
            request = {
                "notebook": str(notebook),
                "archive": str(archive) if archive else "",
                "processor_seconds": processor_seconds,
                "said": said.name,
            }
            try:
                lines = self._lines(json.dumps(request), seconds)
            except TimeoutError:
                return f"grading did not end within {seconds:g} s"
            except OSError as error:
                lines = [str(error)]
            if len(lines) == 2:
                return json.loads(lines[1])
            return last_line(said.read()) or self._last_words()

    def _lines(self, request: str, seconds: float) -> list[str]:
        """Send a line to a new fork; return what it says: its process number and, if it lives so long, an answer."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._control, [b"\0"], [theirs.fileno()])
            theirs.close()
            ours.settimeout(seconds)
            ours.sendall(request.encode() + b"\n")
            received = b""
            try:
                while part := ours.recv(2**16):
                    received += part
            except TimeoutError:
                if received:
                    end(int(received.split()[0]))
                raise
        return received.decode().splitlines()

    def _last_words(self) -> str:
        """Say that a grader died, with the last line that the process which forks has written."""
        return (
            f"the grader died before it answered: {last_line(self._said.read_text()) or 'it left no message'}"
        )
