"""Unknown code in a cage: it ends within its limits, and nothing that it does reaches anything.

What is run here has all of Python, so that the guards hold by themselves; that a program has to be
one of a small language as well is tested with that language.
"""

from __future__ import annotations

import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from nco.errors import InputError, UnsupportedError
from nco.sandbox import cage
from nco.sandbox.cage import caged
from nco.sandbox.limits import Limits
from nco.sandbox.seccomp import _MACHINES

LIMITS = Limits(time_s=10.0, cpu_s=3.0, memory_bytes=128 << 20)
SHORT = Limits(time_s=0.5, cpu_s=3.0)
linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")
pytestmark = linux

FORBIDDEN, NO_FILE, SLOW, MEMORY, DEEP, CRASHED, LONG, NONSENSE = (
    "system call that is not allowed",
    "PermissionError",
    "did not end within 0.5 s",
    "ran out of memory",
    "calls itself too deeply",
    "crashed the interpreter",
    "answered more than",
    "cannot be read|none that the task gives",
)
C = "import ctypes; c = ctypes.CDLL(None); "
HOSTILE = {  # FILE and PORT are canaries, PARENT is the process that asks
    "loops": ("while True: pass", SLOW),
    "computes": ("9 ** 9 ** 9", SLOW),
    "says nothing in time": ("__import__('time').sleep(60)", FORBIDDEN),
    "takes memory at once": ("[0] * 10**10", MEMORY),
    "takes memory slowly": ("x = []\nwhile True: x.append(bytes(10**6))", MEMORY),
    "takes memory by a text": ("x = 'x'\nwhile True: x += x", MEMORY),
    "calls itself": ("global f\ndef f(): return f()\nf()", DEEP),
    "calls itself without end": (
        "import sys\nsys.setrecursionlimit(10**9)\n"
        "global f\ndef f(g): return next(map(f, [g]))\nf(f)",
        f"{CRASHED}|{MEMORY}|{DEEP}",
    ),
    "nests brackets": ("eval('(' * 10**6)", f"SyntaxError|{MEMORY}|{CRASHED}"),
    "nests signs": ("eval('-' * 10**6 + '1')", f"Error|{MEMORY}|{CRASHED}|{DEEP}"),
    "writes a huge number": ("eval('1' * 10**6)", "SyntaxError|ValueError"),
    "crashes": (C + "ctypes.string_at(0)", CRASHED),
    "writes out of bounds": (C + "ctypes.memset(8, 1, 8)", CRASHED),
    "writes over its interpreter": (
        C + "ctypes.memset(id(None), 255, 10**6)", f"{CRASHED}|a signal ended it|{FORBIDDEN}"
    ),
    "forks": ("__import__('os').fork()", FORBIDDEN),
    "forks without end": ("import os\nwhile True: os.fork()", FORBIDDEN),
    "starts a thread": ("import _thread\n_thread.start_new_thread(print, ())", FORBIDDEN),
    "starts a program": ("__import__('os').execv('/bin/true', ['true'])", FORBIDDEN),
    "spawns a program": ("__import__('os').posix_spawn('/bin/true', ['true'], {})", FORBIDDEN),
    "reads a file": ("open('FILE').read()", NO_FILE),
    "writes a file": ("open('FILE', 'w').write('escaped')", NO_FILE),
    "writes a file in C": (C + "assert c.creat(b'FILE', 0o666) >= 0", f"{FORBIDDEN}|Assertion"),
    "makes a file": ("open('FILE.new', 'w')", NO_FILE),
    "removes a file": ("__import__('os').unlink('FILE')", FORBIDDEN),
    "renames a file": ("__import__('os').rename('FILE', 'FILE.new')", FORBIDDEN),
    "makes a folder": ("__import__('os').mkdir('FILE.new')", FORBIDDEN),
    "changes rights": ("__import__('os').chmod('FILE', 0)", FORBIDDEN),
    "lists a folder": ("__import__('os').listdir('/')", NO_FILE),
    "shares memory by name": ("open('/dev/shm/nco-escaped', 'w')", NO_FILE),
    "shares memory by descriptor": ("__import__('os').memfd_create('x')", FORBIDDEN),
    "shares memory by key": (C + "c.shmget(0, 4096, 0o1666)", FORBIDDEN),
    "reads its process": ("open('/proc/self/environ').read()", NO_FILE),
    "reads its parent's memory": ("open('/proc/PARENT/mem', 'rb')", NO_FILE),
    "copies its parent's memory": (C + "c.process_vm_readv(PARENT, 0, 0, 0, 0, 0)", FORBIDDEN),
    "traces its parent": (C + "c.ptrace(16, PARENT, 0, 0)", FORBIDDEN),
    "kills its parent": ("__import__('os').kill(PARENT, 9)", FORBIDDEN),
    "kills all": ("__import__('os').kill(-1, 9)", FORBIDDEN),
    "kills its group": ("__import__('os').killpg(0, 9)", FORBIDDEN),
    "is deaf to signals": ("import _signal\n_signal.signal(24, lambda *_: None)", FORBIDDEN),
    "connects": (
        C + "s = c.socket(2, 1, 0)\n"
        "c.connect(s, bytes([2, 0, PORT >> 8, PORT & 255, 127, 0, 0, 1]) + bytes(8), 16)",
        FORBIDDEN,
    ),
    "opens a socket": (C + "c.socket(1, 1, 0)", FORBIDDEN),
    "imports a module": ("__import__('socket')", FORBIDDEN),
    "raises its limits": (C + "c.setrlimit(0, bytes([255] * 16))", FORBIDDEN),
    "becomes root": ("__import__('os').setuid(0)", FORBIDDEN),
    "takes another group": ("__import__('os').setsid()", FORBIDDEN),
    "mounts": (C + "c.mount(b'none', b'/tmp', b'tmpfs', 0, 0)", FORBIDDEN),
    "leaves its namespace": (C + "c.unshare(0x10000000)", FORBIDDEN),
    "loads code into the kernel": (C + "c.syscall(321, 0, 0, 0)", FORBIDDEN),
    "queues work in the kernel": (C + "c.syscall(425, 1, bytes(120))", FORBIDDEN),
    "closes its answer": ("__import__('os').close(1)", FORBIDDEN),
    "answers without end": ("import os\nwhile True: os.write(1, b'x' * 65536)", LONG),
    "answers nonsense": ("import os\nos.write(1, b'\\xff{]'); os._exit(0)", NONSENSE),
    "answers something else": ("import os\nos.write(1, b'[1, 2]'); os._exit(0)", NONSENSE),
    "answers nesting": ("import os\nos.write(1, b'[' * 100000); os._exit(0)", NONSENSE),
    "answers twice": ("import os\nos.write(1, b'{\"answer\": 1}')", NONSENSE),
    "ends without an answer": ("__import__('os')._exit(0)", NONSENSE),
    "ends with an error": ("__import__('os')._exit(7)", "exit code 7"),
    "ends the interpreter": ("raise SystemExit(3)", "SystemExit"),
    "raises what has no words": (
        "class E(Exception):\n    def __str__(self): raise self\nraise E", "exit code"
    ),
    "raises many words": ("raise ValueError('x' * 10**6)", "ValueError: x+ ... x+"),
}  # fmt: skip


@pytest.fixture
def canaries():
    """A file and a port that anybody may use, and a check that nobody has."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        Path(folder).chmod(0o777)
        file = Path(folder) / "canary"
        file.write_text("untouched")
        file.chmod(0o666)
        before = file.stat()
        listening.setblocking(False)
        yield file, listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()
        after = file.stat()
        assert file.read_text() == "untouched"
        assert (before.st_mtime_ns, before.st_mode) == (after.st_mtime_ns, after.st_mode)
        assert [path.name for path in Path(folder).iterdir()] == ["canary"]
        assert not Path("/dev/shm/nco-escaped").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_ends_and_reaches_nothing(name, canaries):
    """Whatever it does, it is ended in time, the reason is told, and canaries are as they were."""
    code, expected = HOSTILE[name]
    file, port = canaries
    for word, value in (("FILE", file), ("PORT", port), ("PARENT", os.getpid())):
        code = code.replace(word, str(value))
    limits = SHORT if expected == SLOW else LIMITS
    outcome = caged("builtins:exec", code, limits)
    assert outcome.took_s < limits.time_s + 1.0
    assert outcome.answer is None
    assert outcome.why is not None, f"it {name}"
    assert re.search(expected, outcome.why), outcome.why
    assert len(outcome.why) < 300


@pytest.mark.parametrize("escape", ["file", "port"])
def test_canaries_see_an_escape(escape, tmp_path):
    """The same code outside of a cage touches the file and reaches the port."""
    file = tmp_path / "canary"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        name = {"file": "writes a file", "port": "connects"}[escape]
        port = listening.getsockname()[1]
        code = HOSTILE[name][0].replace("FILE", str(file)).replace("PORT", str(port))
        subprocess.run([sys.executable, "-c", code], check=True)
        if escape == "file":
            assert file.read_text() == "escaped"
        else:
            listening.settimeout(5)
            listening.accept()[0].close()


def test_a_task_gets_a_copy_and_answers():
    """Data goes in and out unchanged, infinite numbers too, and all guards are told."""
    data = {"cost": [[0.0, 1.5], [float("inf"), 0.0]], "name": "é\u2028"}
    outcome = caged("builtins:dict", data)
    assert outcome.why is None
    assert outcome.answer == data
    assert outcome.answer is not data
    assert {"limits", "descriptors", "no_new_privs", "user"} <= set(outcome.guards)


def test_a_large_answer_and_much_data_pass():
    """Neither pipe is a bottleneck: both are emptied while they are filled."""
    data = list(range(100_000))
    assert caged("builtins:sorted", data).answer == data


def test_nothing_of_the_parent_is_inherited(monkeypatch):
    """No variable of the environment, no descriptor, no argument but limits."""
    monkeypatch.setenv("NCO_LLM_KEY", "secret")
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        seen = caged("builtins:eval", "str(dict(__import__('os').environ))").answer
        assert "secret" not in seen
        assert (
            f"fd {writing}"
            in caged(
                "builtins:exec",
                f"import os\ntry: os.write({writing}, b'x')\n"
                f"except OSError: raise ValueError('fd {writing}')",
            ).why
        )
    finally:
        os.close(reading)
        os.close(writing)


def test_processor_time_is_limited_too():
    """Who stays within the wall clock may still not use more of the processor than allowed."""
    outcome = caged("builtins:exec", "while True: pass", Limits(time_s=20, cpu_s=1))
    assert "processor time" in outcome.why
    assert outcome.took_s < 10


def test_nothing_unknown_runs_without_limits(monkeypatch, tmp_path):
    """Where a process cannot be limited, the cage refuses before the code is sent."""
    monkeypatch.setattr(cage, "LIMITS", "a guard that no system has")
    with pytest.raises(UnsupportedError, match="limits neither the memory nor the time"):
        caged("builtins:exec", f"open({str(tmp_path / 'x')!r}, 'w')")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false"])
def test_no_interpreter_is_told(executable, monkeypatch):
    """What cannot be started, or is no Python, ends in a typed error."""
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(UnsupportedError):
        caged("math:sqrt", 4.0)


def test_a_task_that_is_not_there_is_told():
    """The message names the task."""
    with pytest.raises(UnsupportedError, match="nowhere:at_all"):
        caged("nowhere:at_all", 1)


def test_limits_and_data_are_checked():
    """No limit is endless, and more data than allowed is refused."""
    for wrong in (0, -1, float("inf"), float("nan"), "5", None, True):
        with pytest.raises(InputError, match="time_s"):
            Limits(time_s=wrong)
    with pytest.raises(InputError, match="give less"):
        caged("builtins:len", "x" * 100, Limits(data_bytes=99))


def alone(code: str) -> str:
    """What a script prints that puts itself under guards one by one."""
    script = "import os, signal, sys, ctypes\nfrom nco.sandbox import guards, landlock, seccomp\n"
    script += textwrap.dedent(code)
    path = str(Path(cage.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
    )
    return done.stdout


def test_each_system_call_but_those_needed_ends_the_process():
    """All numbers are tried, those of another kind of x86 too: only those listed return."""
    returned = alone(
        """
        libc = ctypes.CDLL(None)
        for number in [*range(470), *range(0x40000000, 0x40000000 + 20)]:
            child = os.fork()
            if not child:
                libc.prctl(38, 1, 0, 0, 0)
                assert seccomp.restrict()
                libc.syscall(number, -1, 0, 0, 0, 0, 0)
                os._exit(0)
            status = os.waitpid(child, 0)[1]
            if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS):
                print(number, end=" ")
        """
    )
    probes = {335, 336}  # of x86-64: kernels from 6.11 on pass them by, and do nothing by them
    _, denied, allowed = _MACHINES[platform.machine()]
    needed = {denied, *allowed}
    assert needed <= {*map(int, returned.split())} <= needed | probes


def test_landlock_by_itself_closes_files_and_ports(tmp_path):
    """Without the filter of system calls, nothing can be opened or connected either."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        said = alone(
            f"""
            import socket
            ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
            if not landlock.restrict():
                print("absent")
                sys.exit()
            for what in (
                lambda: open("/etc/hostname"),
                lambda: open({str(tmp_path / "x")!r}, "w"),
                lambda: os.listdir("/"),
                lambda: socket.create_connection(("127.0.0.1", {listening.getsockname()[1]})),
            ):
                try:
                    what()
                    print("open", end=" ")
                except PermissionError:
                    print("closed", end=" ")
            """
        )
    if said.strip() == "absent":
        pytest.skip("this kernel has no Landlock")
    assert said.split()[:3] == ["closed"] * 3
    assert not list(tmp_path.iterdir())


def test_limits_by_themselves_hold():
    """Without either, memory, files, processes and descriptors end where they should."""
    said = alone(
        """
        landlock.restrict = seccomp.restrict = lambda: False
        print(*guards.activate(5, 200 << 20))
        for what in (
            lambda: bytes(300 << 20),
            lambda: os.fork(),
            lambda: os.pipe(),
            lambda: os.open("/etc/hostname", os.O_RDONLY),
        ):
            try:
                what()
                print("allowed")
            except (MemoryError, OSError) as error:
                print("refused")
        """
    ).splitlines()
    assert said[0] == "limits descriptors user no_new_privs"
    assert said[1:] == ["refused"] * 4


def test_rights_by_themselves_are_given_up():
    """Without either, it is nobody, gets no new privileges, and nobody may look into it."""
    said = alone(
        """
        landlock.restrict = seccomp.restrict = lambda: False
        guards.activate(5, 200 << 20)
        prctl = ctypes.CDLL(None).prctl
        print(prctl(39, 0, 0, 0, 0), prctl(3, 0, 0, 0, 0), 0 in os.getresuid(), 0 in os.getgroups())
        for what in (lambda: os.setuid(0), lambda: os.kill(os.getppid(), 0)):
            try:
                what()
                print("allowed")
            except PermissionError:
                print("refused")
        """
    ).splitlines()
    assert said[0] == "1 0 False False"
    assert said[1] == "refused"
    if os.geteuid() == 0:  # else it is of the same user as its parent
        assert said[2] == "refused"
