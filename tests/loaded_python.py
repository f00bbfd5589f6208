"""A Python process that has imported libraries of others, and runs each command in a copy of itself.

What a command imports besides, the project's own modules above all, the copy reads from PYTHONPATH's folders itself.
Nothing has computed before the copies are made, so no thread of a library is lost in them.
"""

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from importlib import import_module
from types import SimpleNamespace


@contextmanager
def loaded_python(*modules):
    """Yield what replaces `subprocess` where it runs programs in Python; the process ends with the block."""
    command = [sys.executable, __file__, *modules]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as process:

        def run(command, check=False, capture_output=True, text=True, cwd=None):
            assert (check, capture_output, text) == (False, True, True)
            with tempfile.NamedTemporaryFile("r") as output:
                request = {
                    "command": command, "folder": str(cwd or os.getcwd()), "output": output.name,
                    "environment": dict(os.environ),
                }  # fmt: skip
                try:
                    print(json.dumps(request), file=process.stdin, flush=True)
                    code = int(process.stdout.readline())
                except BaseException:  # a late answer would be taken for the next command's
                    end()
                    raise
                return subprocess.CompletedProcess(command, code, stdout=output.read(), stderr="")

        def end():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        try:
            yield SimpleNamespace(run=run)
        finally:
            end()


def become(command, folder, output, environment):
    """Go on as a command in this folder and environment: `python -m` or a script; both streams are written to `output`."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    named = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    written = os.open(output, os.O_WRONLY)
    os.dup2(written, 1)
    os.dup2(written, 2)
    if command[1] == "-m":
        sys.path[:1], sys.argv = [folder, *named], command[2:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[:1], sys.argv = [os.path.dirname(command[0]), *named], command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[1:]:
        import_module(module)
    gc.freeze()  # a copy's collector passes over what is loaded
    for line in sys.stdin:
        if not (copy := os.fork()):
            become(**json.loads(line))
            sys.exit()
        print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), flush=True)
