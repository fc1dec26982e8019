"""Fork a notebook's kernel from a process that has imported what notebooks import, and do not start it anew.

What a kernel imports takes most of a short notebook's time. ``fork_kernel`` makes one that waits; the notebook
that is executed next in this process gets it, through Jupyter's own kernel manager.
"""

import json
import os
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from subprocess import Popen
from typing import Any, ClassVar, NoReturn, cast

from ipykernel.kernelapp import IPKernelApp
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

NAME = "forked"
LAUNCHER = "ipykernel_launcher"


class ForkedProcess:
    """A fork that becomes a kernel once it is told how; it has what Jupyter needs of ``subprocess.Popen``.

    Parameters
    ----------
    private : tuple of int
        File descriptors that the fork closes, for it must not hold them open.
    """

    stdin = stdout = stderr = None

    def __init__(self, private: tuple[int, ...] = ()) -> None:
        ours, theirs = os.pipe()[::-1]
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            for handle in (ours, *private):
                os.close(handle)
            become_kernel(theirs)
        os.close(theirs)
        self._orders = ours

    def launch(self, arguments: list[str], env: dict[str, str], cwd: str) -> None:
        """Let the fork become a kernel with these arguments and environment, in this folder."""
        with os.fdopen(self._orders, "w") as stream:
            json.dump({"arguments": arguments, "env": env, "cwd": cwd}, stream)

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        """Wait for the end; return the exit status."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkProvisioner(LocalProvisioner):
    """Jupyter's provisioner of local kernels, with the fork that waits in the place of a new process."""

    waiting: ClassVar[ForkedProcess | None] = None

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Launch the kernel that waits; there is one, so a second launch raises a ``RuntimeError``."""
        process, ForkProvisioner.waiting = self.waiting, None
        if process is None:
            raise RuntimeError("no forked kernel waits: call fork_kernel before each notebook")
        self.cwd = options.get("cwd") or str(Path.cwd())
        process.launch(cmd[cmd.index(LAUNCHER) + 1 :], options["env"], self.cwd)
        self.process = cast("Popen[bytes]", process)
        self.pid = self.pgid = process.pid
        return self.connection_info


def become_kernel(orders: int) -> NoReturn:
    """Wait for orders, be an IPython kernel to its end, and leave the process; an empty order ends it at once."""
    status = 1
    try:
        os.setsid()
        with os.fdopen(orders) as stream:
            text = stream.read()
        if text:
            order = json.loads(text)
            os.environ.clear()
            os.environ.update(order["env"])
            os.chdir(order["cwd"])
            IPKernelApp.launch_instance(order["arguments"])
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def fork_kernel(private: tuple[int, ...] = ()) -> None:
    """Fork a kernel for the notebook that is executed next in this process.

    Call it before any thread is started, for a fork has the thread alone that made it.

    Parameters
    ----------
    private : tuple of int
        File descriptors that the kernel must not hold open.
    """
    ForkProvisioner.waiting = ForkedProcess(private)
    KernelProvisionerFactory.provisioners[NAME] = EntryPoint(
        NAME, f"{__name__}:{ForkProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME
    )
    os.environ[KernelProvisionerFactory.default_provisioner_name_env] = NAME
