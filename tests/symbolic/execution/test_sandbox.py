"""The reach of a script in the sandbox, its limits, and what is left of it afterwards."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.execution import sandbox as sandbox_module
from rlsf_lightning.symbolic.execution.sandbox import Limits, Outcome, Sandbox

MEGA = 1 << 20
LIMITS = Limits(
    wall_seconds=60, cpu_seconds=10, memory=512 * MEGA, address_space=512 * MEGA, file_size=MEGA, disk=4 * MEGA
)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return Sandbox()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def lines(outcome: Outcome) -> list[str]:
    assert outcome.ended_by == ""
    return outcome.output.decode().split("\n")


def running(word: str) -> list[str]:
    """Command lines of this machine's processes that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in text:
            found.append(text)
    return found


def test_files_go_in_and_output_and_exit_code_come_back(sandbox: Sandbox) -> None:
    outcome = sandbox.run("cat a b; exit 3", limits=LIMITS, files={"a": b"one\n", "b": b"\x00\xff"})
    assert (outcome.returncode, outcome.output, outcome.ended_by) == (3, b"one\n\x00\xff", "")


def test_it_runs_as_nobody_in_particular_and_sees_no_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    uid, *environment = lines(sandbox.run("id -u; env", limits=LIMITS))
    assert int(uid) != 0
    assert {line.split("=")[0] for line in environment if line} <= {"PATH", "PWD", "SHLVL", "_", "OLDPWD"}


@pytest.mark.parametrize("path", ["/etc/passwd", "/root", "/home", "/proc/1/environ", "/tmp", "/sys", str(Path.cwd())])
def test_no_file_of_the_host_is_there(sandbox: Sandbox, path: str) -> None:
    assert lines(sandbox.run(f"[ -e {path} ] && echo there || echo absent", limits=LIMITS)) == ["absent", ""]


@pytest.mark.parametrize("path", ["/x", "/usr/x", "/dev/x", "/dev/shm/x", "/bin/x", "/lib/x"])
def test_nothing_can_be_written_outside(sandbox: Sandbox, path: str) -> None:
    script = f"(echo x > {path}) 2>/dev/null && echo written || echo refused; echo x > here && cat here"
    assert lines(sandbox.run(script, limits=LIMITS)) == ["refused", "x", ""]


def test_shared_folders_are_read_only(sandbox: Sandbox, open_folder: Path) -> None:
    (open_folder / "given").write_text("content")
    script = 'cat "$data"/given; (echo x > "$data"/given) 2>/dev/null || echo; (rm -f "$data"/given) 2>/dev/null'
    outcome = sandbox.run(script, limits=LIMITS, shared={"data": open_folder})
    assert outcome.output == b"content\n"
    assert (open_folder / "given").read_text() == "content"


def test_no_connection_reaches_the_host(sandbox: Sandbox) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not there to connect with")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        script = f"bash -c 'echo x > /dev/tcp/127.0.0.1/{server.getsockname()[1]}' 2>/dev/null && echo in || echo out"
        assert lines(sandbox.run(script, limits=LIMITS)) == ["out", ""]
        with pytest.raises(TimeoutError):
            server.accept()


def test_endless_output_is_cut(sandbox: Sandbox) -> None:
    outcome = sandbox.run("yes", limits=LIMITS)
    assert len(outcome.output) == MEGA and outcome.returncode != 0


def test_the_wall_clock_ends_it_with_all_that_it_started(sandbox: Sandbox) -> None:
    start = time.monotonic()
    script = "sleep 98765 & (setsid sleep 98765 &) ; sleep 98765"
    outcome = sandbox.run(script, limits=replace(LIMITS, wall_seconds=0.5))
    assert outcome.ended_by == "time" and time.monotonic() - start < 20
    assert not _still_running("98765")


def test_what_runs_in_the_background_ends_with_the_script(sandbox: Sandbox) -> None:
    start = time.monotonic()
    outcome = sandbox.run("(setsid sleep 87654 &); sleep 87654 & exit 4", limits=LIMITS)
    assert outcome.returncode == 4 and time.monotonic() - start < 20
    assert not _still_running("87654")


def _still_running(word: str) -> list[str]:
    """Ends are not instantaneous: wait up to ten seconds for them."""
    for _ in range(100):
        if not running(word):
            return []
        time.sleep(0.1)
    return running(word)


def test_processor_time_ends_a_loop(sandbox: Sandbox) -> None:
    outcome = sandbox.run("sh -c 'while :; do :; done'", limits=replace(LIMITS, cpu_seconds=1))
    assert outcome.returncode == 128 + 24 and outcome.ended_by == ""


def test_resident_memory_of_all_processes_is_watched(sandbox: Sandbox) -> None:
    script = "head -c 200m /dev/zero | tail >/dev/null & head -c 200m /dev/zero | (tail; sleep 30) >/dev/null; sleep 30"
    outcome = sandbox.run(script, limits=replace(LIMITS, memory=100 * MEGA))
    assert outcome.ended_by == "memory"


def test_address_space_of_a_process_is_limited(sandbox: Sandbox) -> None:
    script = "head -c 300m /dev/zero | tail >/dev/null 2>&1 && echo held || echo refused"
    assert lines(sandbox.run(script, limits=replace(LIMITS, address_space=100 * MEGA))) == ["refused", ""]


def test_the_place_to_write_is_limited(sandbox: Sandbox) -> None:
    script = (
        "i=0; while [ $i -lt 8 ]; do head -c 1000000 /dev/zero > f$i 2>/dev/null || break; i=$((i+1)); done; echo $i"
    )
    assert lines(sandbox.run(script, limits=LIMITS)) == ["4", ""]


def test_a_fork_bomb_is_refused_and_leaves_nothing(sandbox: Sandbox) -> None:
    script = "i=0; while [ $i -lt 500 ]; do sleep 76543 & i=$((i+1)); done 2>/dev/null; echo all"
    outcome = sandbox.run(script, limits=LIMITS)
    assert b"all" not in outcome.output  # the shell gives up when it may not fork
    assert not _still_running("76543")


def test_sandboxes_side_by_side_do_not_disturb_each_other(sandbox: Sandbox) -> None:
    outcomes: dict[int, Outcome] = {}

    def run(number: int) -> None:
        outcomes[number] = sandbox.run(f"echo {number} > f; sleep 0.2; cat f", limits=LIMITS)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: outcome.output for number, outcome in outcomes.items()} == {n: b"%d\n" % n for n in range(6)}


def test_no_open_file_is_left_in_the_caller(sandbox: Sandbox) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        sandbox.run("exit 0", limits=LIMITS)
    assert len(os.listdir("/proc/self/fd")) == before


def test_none_is_spelled_out_and_warns(open_folder: Path) -> None:
    with pytest.warns(UserWarning, match="can read, write and delete files"):
        sandbox = Sandbox("none")
    (open_folder / "b").write_text("2")
    outcome = sandbox.run('cat a; cat "$data"/b', limits=LIMITS, files={"a": b"1"}, shared={"data": open_folder})
    assert outcome.output == b"12"
    assert sandbox.run("yes", limits=LIMITS).output == b"y\n" * (MEGA // 2)
    assert sandbox.run("sleep 30", limits=replace(LIMITS, wall_seconds=0.3)).ended_by == "time"
    many = "i=0; while [ $i -lt 100 ]; do sleep 65432 & i=$((i+1)); done 2>/dev/null; echo all"
    assert b"all" not in sandbox.run(many, limits=LIMITS).output
    assert not _still_running("65432")


def test_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sandbox=docker: must be one of bubblewrap, none"):
        Sandbox("docker")


@pytest.mark.parametrize(
    ("missing", "install"), [("bwrap", "apt-get install bubblewrap"), ("prlimit", "apt-get install util-linux")]
)
def test_a_missing_program_is_named_with_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, install: str
) -> None:
    for program in {"bwrap", "prlimit", "tar"} - {missing}:
        (tmp_path / program).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as error:
        Sandbox()
    assert f"`{missing}`" in str(error.value) and install in str(error.value)


def test_a_bubblewrap_that_does_not_work_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsf_lightning.symbolic.execution.sandbox.require", lambda program: program)
    monkeypatch.setattr(Sandbox, "_command", lambda *_: ["sh", "-c", "echo no namespaces >&2; exit 1"])
    with pytest.raises(UserError, match=r"no namespaces[\s\S]*sandbox=none"):
        Sandbox()


def test_where_no_new_proc_may_be_mounted_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that masks a part of its own."""
    usual = sandbox_module._bubblewrap
    monkeypatch.setattr(
        sandbox_module, "_bubblewrap", lambda disk, shared, own: [*usual(disk, shared, own), *["--no-such-word"] * own]
    )
    outcome = Sandbox().run("ls /proc/1 2>/dev/null; exit 3", limits=LIMITS, see_own_processes=True)
    assert (outcome.returncode, outcome.output) == (3, b"")


def test_the_shell_is_out_of_reach_of_what_it_runs(sandbox: Sandbox) -> None:
    outcome = sandbox.run("sh -c 'kill -9 -1; kill -9 $PPID; kill -9 $$'; echo still here", limits=LIMITS)
    assert (outcome.returncode, outcome.output) == (0, b"still here\n")


ADOPTS = """
    import ctypes, os
    from dataclasses import replace
    from pathlib import Path
    from rlsf_lightning.symbolic.execution.sandbox import Limits, Sandbox
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
    sandbox, limits = Sandbox(), {limits!r}
    children = Path(f"/proc/{{os.getpid()}}/task/{{os.getpid()}}/children")
"""


REMAINS = """
    print([sandbox.run("sleep 9 & exit 3", limits=limits).returncode for _ in range(3)], children.read_text())
"""
ENDED = """
    brief = replace(limits, wall_seconds=0.1)
    print({sandbox.run("sleep 9", limits=brief).ended_by for _ in range(12)})
    print(sandbox.run("echo $(echo right)", limits=limits).output)
"""


@pytest.mark.parametrize(
    ("code", "printed"),
    [(REMAINS, "[3, 3, 3] \n"), (ENDED, "{'time'}\nb'right\\n'\n")],
    ids=["nothing remains", "ended"],
)
def test_where_orphans_are_given_to_a_process_that_does_not_wait_for_them(
    sandbox: Sandbox, code: str, printed: str
) -> None:
    """The first process of many containers is such a one."""
    program = textwrap.dedent(ADOPTS.format(limits=replace(LIMITS, processes=8)) + code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, printed), done.stderr
