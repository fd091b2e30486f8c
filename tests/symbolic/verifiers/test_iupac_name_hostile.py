"""Names on which OPSIN hangs or that mean huge molecules; the Java process is bounded, and never left behind."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from certificates import checked

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.iupac_name.tool import opsin, server
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer
from rlsf_lightning.symbolic.verifiers.iupac_name.verifier import IupacNameVerifier

ETHANOL = Prompt("id", "", "CCO")
_BIG = "nonanonacontanonactanonalian"
_HANGS = "tetrakis(" + "tris(" * 7 + "trimethylsilyl" + ")silyl" * 7 + ")silane"


@functools.cache
def found() -> opsin.Opsin:
    try:
        return opsin.find()
    except UserError as error:
        pytest.skip(str(error))


@functools.cache
def verifier() -> IupacNameVerifier:
    found()
    return IupacNameVerifier(seconds=1.0)


def _alive(pid: int) -> bool:
    """Whether a process runs: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _until_gone(pid: int, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while _alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not _alive(pid)


def test_a_name_without_end_abstains_and_the_next_one_is_read() -> None:
    assert verifier().verify(ETHANOL, "ethanol").verdict is Verdict.PASS
    child = verifier()._server.child.process
    start = time.monotonic()
    certificate = verifier().verify(ETHANOL, _HANGS)
    assert time.monotonic() - start < 10
    assert (
        certificate.verdict is Verdict.ABSTAIN
        and certificate.witness["error"] == "OPSIN: no answer within 1 s of computing"
    )
    assert child is not None and child.poll() == -signal.SIGKILL
    assert verifier().verify(ETHANOL, "ethanol").verdict is Verdict.PASS


def test_a_java_process_that_dies_is_replaced() -> None:
    names = NameServer(found(), 10.0)
    assert names.ask("plain", "methane", "no name") == {"smiles": ["C", ""]}
    assert names.child.process is not None
    os.kill(names.child.process.pid, signal.SIGKILL)
    names.child.process.wait()
    assert names.ask("plain", "ethane") == {"smiles": ["CC"]}
    os.kill(names.child.process.pid, signal.SIGSTOP)
    names.child.seconds = 0.2
    with pytest.raises(ToolFailed, match=r"no answer within 0.2 s of computing"):
        names.ask("plain", "ethane")
    names.seconds = 10.0
    assert names.ask("plain", "ethane") == {"smiles": ["CC"]}


def test_a_java_process_that_is_killed_leaves_no_socket_behind() -> None:
    names = NameServer(found(), 10.0)
    assert names.ask("plain", "methane") == {"smiles": ["C"]}
    process = names.child.process
    assert process is not None
    process.kill()
    process.wait()
    assert not Path(f"/tmp/.java_pid{process.pid}").exists()  # its debuggers' door, wherever TMPDIR points


def test_the_ctrl_c_of_a_terminal_does_not_reach_java() -> None:
    names = NameServer(found(), 10.0)
    assert names.ask("plain", "methane") == {"smiles": ["C"]}
    process = names.child.process
    assert process is not None
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert names.ask("plain", "ethane") == {"smiles": ["CC"]} and names.child.process is process


def test_names_of_too_many_atoms_are_not_tried_to_the_end() -> None:
    names = NameServer(found(), 30.0)
    sizes = [f"1,{n}-bis({_BIG}yl){_BIG}e" for n in range(2, 18)]
    start = time.monotonic()
    assert names.ask("try", _HANGS, "ethane", *sizes) == {"smiles": ["", "CC", *[""] * 16]}
    assert time.monotonic() - start < 20


def test_a_huge_molecule_never_reaches_rdkit() -> None:
    slow = IupacNameVerifier(seconds=30.0)
    name = f"1-({_BIG}yl){_BIG}e"
    certificate = slow.verify(ETHANOL, name)
    assert certificate.verdict is Verdict.FAIL and certificate.findings[0].kind == "too_large"
    assert len(str(certificate.to_dict())) < 3000
    assert slow.recheck(certificate, ETHANOL, name)
    # Of no more atoms than the reference it might be the reference: no opinion.
    long = "1,1,1-trichlorononanonacontanonactane"
    assert slow.verify(Prompt("id", "", "C" * 1000), long).verdict is Verdict.ABSTAIN
    assert slow.verify(ETHANOL, long).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "completion",
    [
        "ethyl " * 3000,
        "(" * 20_000,
        "(" * 300,
        "(" * 145 + "methyl" + ")" * 149,
        "1," * 149 + "2",
        "oxo" * 99,
        "tricyclo[99999999.99999999.99999999.0{1,99999}]decane",
        "${jndi:ldap://127.0.0.1/a}",
        "x was uninterpretable due to the following section of the name: y",
        "x has no tokens unknown to OPSIN but does not conform to its grammar. ",
        'tokenIndex="99999"-ethanol',
        "a" * 300,
        "\x00" * 300,
        "\ud800\udfff",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_hostile_names_fail_in_bounded_time(completion: str) -> None:
    start = time.monotonic()
    assert checked(verifier(), ETHANOL, completion).verdict is Verdict.FAIL
    assert time.monotonic() - start < 30


_PARENT = """
import sys, time
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.opsin import find
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer
names = NameServer(find(), 600.0)
names.ask("plain", "ethane")
print(names.child.process.pid, flush=True)
if sys.argv[1] != "idle":
    names.ask("plain", sys.argv[1])
time.sleep(600)
"""


@pytest.mark.parametrize("busy_with", ["idle", _HANGS], ids=["idle", "busy"])
def test_the_java_process_ends_with_its_caller(busy_with: str) -> None:
    found()
    command = [sys.executable, "-c", _PARENT, busy_with]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        java = int(parent.stdout.readline())
        time.sleep(0.5)
        assert _alive(java)
        parent.kill()
    assert _until_gone(java)


def test_the_java_process_ends_with_its_caller_even_before_it_is_ready() -> None:
    names = NameServer(found(), 10.0)
    done = subprocess.run(names.child.command, input=b"", capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout == b""


def test_the_java_process_ends_with_its_verifier() -> None:
    names = NameServer(found(), 10.0)
    names.ask("plain", "ethane")
    assert names.child.process is not None
    java = names.child.process.pid
    del names
    assert _until_gone(java)


def test_java_that_does_not_start_is_said_to_the_user(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\nexit 3\n")
    java.chmod(0o755)
    broken = NameServer(opsin.Opsin(str(java), tmp_path / "opsin.jar", "2.9.0"), 1.0)
    with pytest.raises(
        UserError, match=r"OPSIN does not start: the process of OPSIN ended \(exit code 3\) \(OPSIN 2.9.0\)"
    ):
        broken.ask("plain", "ethane")


def test_nothing_is_written_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(Path("/tmp").glob("hsperfdata_*/*"))
    names = NameServer(found(), 10.0)
    names.ask("plain", "ethane")
    assert not list(tmp_path.iterdir())
    assert names.child.process is not None
    assert not [
        path for path in set(Path("/tmp").glob("hsperfdata_*/*")) - before if path.name == str(names.child.process.pid)
    ]


@pytest.mark.slow
def test_the_shipped_class_is_the_shipped_source(tmp_path: Path) -> None:
    compiler = shutil.which("javac")
    if compiler is None or " 17." not in subprocess.run([compiler, "-version"], capture_output=True, text=True).stdout:
        pytest.skip("the class was compiled with javac 17, which is not here")
    folder = server._CLASSES / "uk/ac/cam/ch/wwmm/opsin"
    command = [compiler, "--release", "11", "-g:none", "-cp", str(found().jar), "-d", str(tmp_path)]
    subprocess.run([*command, *map(str, sorted(folder.glob("*.java")))], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.rglob("*.class")}
    assert made == {path.name: path.read_bytes() for path in folder.glob("*.class")}
