import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Verifier
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.execution import pool as pool_module
from rlsf_lightning.symbolic.execution import worker_processes
from rlsf_lightning.symbolic.execution.pool import VerifierPool

FAULTY = "faulty_verifiers:Faulty"
HERE = str(Path(__file__).parent)
ROOT = str(Path(pool_module.__file__).parents[3])
PROMPT = Prompt("p", "do it")


def ask(pool, *completions, prompt=PROMPT):
    return pool.submit([(prompt, completion) for completion in completions]).result()


def error_of(certificate):
    assert certificate.verdict is Verdict.ABSTAIN and certificate.score == 0.0 and not certificate.findings
    return certificate.witness["error"]


def worker_pid(pool, salt=""):
    """Of one worker of this pool."""
    return ask(pool, f"who {salt}{time.monotonic()}")[0].witness["pid"]


def is_alive(pid):
    """A zombie is dead: on some machines nobody collects what has lost its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_dead(pids, seconds):
    limit = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        assert time.monotonic() < limit, "still alive"
        time.sleep(0.02)


class Always:
    """Issues the same certificate for everything."""

    kinds = frozenset({"kind"})

    def __init__(self, certificate):
        self.certificate = certificate

    def verify(self, prompt, completion):
        return self.certificate


@pytest.fixture(scope="module")
def pool():
    with VerifierPool(FAULTY, {}, workers=2, timeout=0.8) as pool:
        yield pool


@pytest.fixture(scope="module", params=[0, 2])
def either(request):
    """A pool inside this process and one of two workers."""
    with VerifierPool(FAULTY, {}, workers=request.param, timeout=5.0) as pool:
        yield pool


def test_results_come_in_order(either):
    completions = [f"c{n}" for n in range(50)] + ["pass"]
    certificates = ask(either, *completions)
    assert [c.witness["completion"] for c in certificates[:-1]] == completions[:-1]
    assert certificates[-1].verdict is Verdict.PASS
    in_workers = {c.witness["pid"] for c in certificates[:-1]} != {os.getpid()}
    assert in_workers == isinstance(either._backend, worker_processes.WorkerProcesses)
    assert ask(either) == []


def test_verifier_class(either):
    assert either.verifier_class.__name__ == "Faulty" and either.verifier_class.version == "1"


@pytest.mark.parametrize("count", [0, 1])
def test_a_recipes_block_becomes_a_pool_whose_verifier_sees_plain_containers(count):
    options = {"words": ["a", ["b"]], "limits": {"x": [1], "y": None}}
    block = Verifier("faulty_verifiers:Configured", options, workers=count, timeout=5.0)
    with VerifierPool.from_block(OmegaConf.structured(block)) as pool:
        assert ask(pool, "a")[0].witness["options"] == repr(list(options.values()))


def test_two_batches_at_once(either):
    first = either.submit([(PROMPT, "a"), (PROMPT, "b")])
    second = either.submit([(PROMPT, "c")])
    assert [c.witness["completion"] for c in second.result()] == ["c"]
    assert [c.witness["completion"] for c in first.result()] == ["a", "b"]
    assert first.result() is first.result()
    assert first.seconds > 0


@pytest.mark.parametrize("count", [0, 1])
def test_copies_are_verified_once_and_verdicts_are_kept(count, tmp_path):
    log = tmp_path / "log"
    with VerifierPool(FAULTY, {"log": str(log)}, workers=count, timeout=5.0) as pool:
        other = Prompt("q", "do it")
        pending = pool.submit([(PROMPT, "a"), (PROMPT, "b"), (PROMPT, "a"), (other, "a")])
        assert [c.witness["completion"] for c in pending.result()] == ["a", "b", "a", "a"]
        assert pending.hits == 1
        pending = pool.submit([(PROMPT, completion) for completion in "bcac"])
        assert [c.witness["completion"] for c in pending.result()] == ["b", "c", "a", "c"] and pending.hits == 3
        assert sorted(log.read_text().splitlines()) == ["p a", "p b", "p c", "q a"]


def test_a_run_that_goes_on_counts_the_verdicts_of_before(tmp_path):
    log = tmp_path / "log"
    with VerifierPool(FAULTY, {"log": str(log)}, workers=0, timeout=5.0) as before:
        ask(before, "a", "b", "abstain")
        known = before.known()
    with VerifierPool(FAULTY, {"log": str(log)}, workers=0, timeout=5.0) as after:
        after.expect(known)
        assert after.known() == known
        hits = []
        for completions in ("ac", "ab"):
            pending = after.submit([(PROMPT, completion) for completion in completions])
            assert [c.witness["completion"] for c in pending.result()] == list(completions)
            hits.append(pending.hits)
    assert hits == [1, 2]
    assert log.read_text().splitlines() == ["p a", "p b", "p abstain", "p a", "p c", "p b"]


def test_a_certificate_comes_back_from_the_cache_as_it_was():
    finding = Finding("kind", "message", (Span(0, 1), Span(2, 3)), 0.5)
    issued = Certificate(
        Verdict.FAIL, (finding,), 0.25, 2, {"a": [1, None, {"b": "é"}]}, "tool", "1", 0.125, Span(0, 3)
    )

    with VerifierPool.of(Always(issued)) as pool:
        (first,), (again,) = (pool.submit([(PROMPT, "abc")]).result() for _ in range(2))

    assert first == again == issued and again is not issued


def test_a_certificate_that_cannot_be_pickled_is_asked_for_again():
    issued = Certificate(Verdict.PASS, score=1.0, witness={"a": lambda: 0})

    with VerifierPool.of(Always(issued)) as pool:
        pending = [pool.submit([(PROMPT, "abc")]) for _ in range(2)]
        assert [each.result() for each in pending] == [[issued], [issued]]
        assert pool.known() == ""


@pytest.mark.parametrize("count", [0, 1])
def test_abstentions_are_not_kept(count, tmp_path):
    log = tmp_path / "log"
    with VerifierPool(FAULTY, {"log": str(log)}, workers=count, timeout=5.0) as pool:
        for _ in range(2):
            assert [c.verdict for c in ask(pool, "raise x", "abstain", "raise x")] == [Verdict.ABSTAIN] * 3
    assert sorted(log.read_text().splitlines()) == ["p abstain"] * 2 + ["p raise x"] * 2


def test_what_a_verifier_could_tell_apart_is_not_mixed_up(tmp_path):
    log = tmp_path / "log"
    prompts = [
        Prompt("p", "t"),
        Prompt("p", "u"),
        Prompt("p", "t", reference="r"),
        Prompt("p", "t", target="r"),
        Prompt("p", "t", facts={"tests": [1]}),
        Prompt("p", "t", facts={"tests": [2]}),
    ]
    with VerifierPool(FAULTY, {"log": str(log)}, workers=0, timeout=5.0) as pool:
        pending = pool.submit([(prompt, "a") for prompt in prompts])
        pending.result()
        assert pending.hits == 0
        pending = pool.submit([(Prompt("p", "t", facts={"tests": [2]}), "a")])
        pending.result()
        assert pending.hits == 1


def test_the_oldest_verdict_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(pool_module, "CACHE_SIZE", 2)
    with VerifierPool(FAULTY, {}, workers=0, timeout=5.0) as pool:
        for completion, hits in (("a", 0), ("b", 0), ("a", 1), ("c", 0), ("a", 1), ("b", 0)):
            pending = pool.submit([(PROMPT, completion)])
            pending.result()
            assert pending.hits == hits, completion


def test_inside_the_process_work_starts_when_the_result_is_due(tmp_path):
    log = tmp_path / "log"
    with VerifierPool(FAULTY, {"log": str(log)}, workers=0, timeout=5.0) as pool:
        pending = pool.submit([(PROMPT, "a")])
        assert not log.exists()
        pending.result()
        assert log.exists()


@pytest.mark.parametrize(
    ("completion", "words"),
    [
        ("raise that", "ValueError: cannot do that"),
        ("system_exit", "SystemExit: 3"),
        ("memory", "MemoryError"),
        ("none", "NoneType, not a Certificate"),
    ],
)
def test_exceptions_become_abstentions(either, completion, words):
    before, guilty, after = ask(either, "a", completion, "pass")
    assert words in error_of(guilty) and guilty.tool == FAULTY
    assert before.verdict is Verdict.FAIL and after.verdict is Verdict.PASS


def test_a_prompt_that_lacks_something_is_the_users_to_mend(either):
    with pytest.raises(UserError, match=f"prompt {PROMPT.id}: facts"):
        ask(either, "a", "user_error", "pass")
    assert ask(either, "pass")[0].verdict is Verdict.PASS


def test_a_long_and_unprintable_message_is_cut(either):
    text = error_of(ask(either, "long")[0])
    assert text.startswith("ValueError: ") and len(text.encode()) < 600


@pytest.mark.parametrize(
    ("completion", "words"),
    [
        ("exit 3", "exit code 3"),
        ("exit 0", "exit code 0"),
        ("segfault", "signal 11"),
        ("spin 30", "no verdict within 0.8 s"),
        ("sleep 30", "no verdict within 0.8 s"),
        ("ignore 30", "no verdict within 0.8 s"),
        ("lambda", "not picklable"),
    ],
)
def test_a_fault_harms_no_neighbour(pool, completion, words):
    salt = f"{completion} {time.monotonic()}"
    neighbours = [f"n{n} {salt}" for n in range(60)]
    start = time.monotonic()
    certificates = ask(pool, *neighbours[:30], completion, *neighbours[30:])
    # A chunk of 7: waiting for as many timeouts as it has completions would take over 8 s.
    assert time.monotonic() - start < 6.0
    assert words in error_of(certificates.pop(30))
    assert [c.witness["completion"] for c in certificates] == neighbours
    assert ask(pool, "pass")[0].verdict is Verdict.PASS


def test_after_a_prompt_that_lacks_something_answers_go_to_their_own_questions():
    with VerifierPool(FAULTY, {}, workers=1, timeout=5.0) as pool:
        with pytest.raises(UserError):
            ask(pool, "a", "user_error", *(f"b{n}" for n in range(20)))
        assert [c.witness["completion"] for c in ask(pool, *"cdefghijkl")] == list("cdefghijkl")


def test_what_a_completion_left_behind_does_not_fall_on_the_next():
    with VerifierPool(FAULTY, {}, workers=1, timeout=5.0) as pool:
        verdicts = [c.verdict for c in ask(pool, "poison", "a", "poison 2", "b", "segfault", "c", "d", "e")]
        assert verdicts == [Verdict.PASS, Verdict.FAIL] * 2 + [Verdict.ABSTAIN] + [Verdict.FAIL] * 3


def test_a_tool_may_print_and_has_nothing_to_read(pool):
    assert ask(pool, "print noise")[0].witness == {"read": ""}
    assert ask(pool, "print noise", "pass")[1].verdict is Verdict.PASS


def test_large_questions_and_answers_pass_through(pool):
    completions = [f"{n} {'x' * 300_000}" for n in range(8)]
    assert [c.witness["completion"] for c in ask(pool, *completions)] == completions


def test_several_faults_in_one_batch(pool):
    certificates = ask(pool, "exit 4", "spin 31", "pass", "raise x", "exit 5", "a")
    assert [c.verdict is Verdict.ABSTAIN for c in certificates] == [True, True, False, True, True, False]


def test_what_a_killed_tool_left_running_is_ended(pool, tmp_path):
    file = tmp_path / "pid"
    assert "no verdict" in error_of(ask(pool, f"orphan {file}")[0])
    wait_until_dead([int(file.read_text())], 10.0)


def test_what_a_tool_has_running_ends_with_the_pool(tmp_path):
    file = tmp_path / "pid"
    with VerifierPool(FAULTY, {}, workers=1, timeout=30.0) as pool:
        pool.submit([(PROMPT, f"orphan {file}")])
        limit = time.monotonic() + 20.0
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < limit, "the tool has not started"
            time.sleep(0.02)
    wait_until_dead([int(file.read_text())], 10.0)


def test_a_worker_killed_while_idle_is_replaced():
    with VerifierPool(FAULTY, {}, workers=1, timeout=5.0) as pool:
        first = worker_pid(pool)
        os.kill(first, signal.SIGKILL)
        time.sleep(0.4)
        certificate = ask(pool, "later")[0]
        assert certificate.verdict is Verdict.FAIL and certificate.witness["pid"] != first


def test_a_worker_killed_by_others_while_busy_costs_no_verdict():
    with VerifierPool(FAULTY, {}, workers=1, timeout=5.0) as pool:
        first = worker_pid(pool)
        pending = pool.submit([(PROMPT, f"sleep 0.2{n}") for n in range(8)])
        time.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        # It had answered before, so what it was at goes to another.
        assert [c.verdict for c in pending.result()] == [Verdict.PASS] * 8


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_a_worker_that_eats_memory_is_killed_and_nobody_else(monkeypatch):
    monkeypatch.setattr(worker_processes, "MAX_MEMORY", 300 << 20)
    with VerifierPool(FAULTY, {}, workers=2, timeout=20.0) as pool:
        start = time.monotonic()
        certificates = ask(pool, "a", "hog 20", "b", "pass", "exit 1", "c")
        assert time.monotonic() - start < 15.0
        assert "more than 300 MB" in error_of(certificates[1]) and "exit code 1" in error_of(certificates[4])
        others = [certificates[at].verdict for at in (0, 2, 3, 5)]
        assert others == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS, Verdict.FAIL]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_that_others_have_left_behind_costs_no_verdict(monkeypatch):
    monkeypatch.setattr(worker_processes, "MAX_MEMORY", 300 << 20)
    with VerifierPool(FAULTY, {}, workers=1, timeout=20.0) as pool:
        first = worker_pid(pool)
        assert [c.verdict for c in ask(pool, *(f"leak 100 {n}" for n in range(4)))] == [Verdict.PASS] * 4
        assert worker_pid(pool) != first


def test_a_worker_that_never_comes_back_does_not_block_for_ever(tmp_path, monkeypatch):
    options = {"marker": str(tmp_path / "marker")}
    with VerifierPool("faulty_verifiers:SlowSecondStart", options, workers=1, timeout=0.2) as pool:
        monkeypatch.setattr(worker_processes, "START_SECONDS", 0.2)
        monkeypatch.setattr(worker_processes, "START_TRIES", 1)
        assert "exit code 1" in error_of(ask(pool, "exit 1")[0])
        assert "lost" in error_of(ask(pool, "a")[0])


@pytest.mark.parametrize("count", [0, 1])
def test_a_users_mistake_surfaces_at_construction(count):
    with pytest.raises(UserError, match=r"verifier\.options\.tests="):
        VerifierPool("faulty_verifiers:NoConfiguration", {}, workers=count, timeout=5.0)
    with pytest.raises(UserError):
        VerifierPool("faulty_verifiers:NoSuchClass", {}, workers=count, timeout=5.0)


def test_a_verifier_that_dies_at_construction_is_reported():
    with pytest.raises(UserError, match=r"does not start in a worker.*verifier\.workers=0"):
        VerifierPool("faulty_verifiers:DeadConstruction", {}, workers=1, timeout=5.0)


@pytest.mark.parametrize("count", [0, 1])
def test_a_verifier_that_raises_at_construction_is_reported_with_its_line(count):
    with pytest.raises(UserError, match=r"faulty_verifiers:BrokenConstruction: \w+: .* \(.*faulty_verifiers\.py:\d+\)"):
        VerifierPool("faulty_verifiers:BrokenConstruction", {}, workers=count, timeout=5.0)


def test_closing():
    pool = VerifierPool(FAULTY, {}, workers=2, timeout=30.0)
    pid = worker_pid(pool)
    pending = pool.submit([(PROMPT, "spin 30"), (PROMPT, "sleep 30"), (PROMPT, "a")])
    time.sleep(0.2)
    start = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - start < 3.0
    wait_until_dead([pid], 10.0)
    for late in (pending.result, lambda: ask(pool, "b")):
        with pytest.raises(RuntimeError, match="closed"):
            late()


def test_workers_hold_no_torch():
    with VerifierPool(FAULTY, {}, workers=1, timeout=5.0) as pool:
        names = ["torch", "lightning", "transformers", "peft", "faulty_verifiers"]
        loaded = ask(pool, f"modules {' '.join(names)}")[0].witness
        assert [name for name in names if loaded[name]] == ["faulty_verifiers"]


def run(tmp_path, body, *arguments, name="main_script.py", module="heavy"):
    """A process whose ``__main__`` imports something heavy and has no guard around what it does."""
    (tmp_path / "heavy.py").write_text("")
    text = f"""
        import {module}, os, signal, sys, time
        sys.path[:0] = [{HERE!r}, {ROOT!r}]
        from rlsf_lightning.records import Prompt
        from rlsf_lightning.symbolic.execution.pool import VerifierPool

        def ask(pool, *completions):
            return pool.submit([(Prompt("p", "do it"), c) for c in completions]).result()
        """
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(textwrap.dedent(text) + textwrap.dedent(body))
    command = [sys.executable, *(arguments or [str(file)])]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", ["script", "module"])
def test_main_is_not_imported_by_workers(tmp_path, how):
    body = """
        print("main runs", __name__, flush=True)
        with VerifierPool("faulty_verifiers:Faulty", {}, workers=1, timeout=5.0) as pool:
            # The second worker is started by another thread than the first.
            for question in ("modules heavy package.fit", "exit 2", "modules package.fit heavy"):
                print(dict(ask(pool, question)[0].witness), flush=True)
    """
    if how == "script":
        process = run(tmp_path, body)
    else:
        process = run(tmp_path, body, "-m", "package.fit", name="package/fit.py")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "", err
    lines = out.splitlines()
    assert lines[0] == "main runs __main__" and len(lines) == 4  # once
    assert lines[1] == str({"heavy": False, "package.fit": False})
    assert lines[3] == str({"package.fit": False, "heavy": False})


def test_the_interpreter_ends_without_close(tmp_path):
    body = """
        pool = VerifierPool("faulty_verifiers:Faulty", {}, workers=2, timeout=60.0)
        print(ask(pool, "who")[0].witness["pid"], flush=True)
        pending = pool.submit([(Prompt("p", "do it"), c) for c in ("spin 60", "sleep 60", "c")])
        time.sleep(0.2)
    """
    process = run(tmp_path, body)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "", err
    wait_until_dead([int(out)], 10.0)


@pytest.mark.parametrize(
    ("completion", "timeout"),
    [
        ("sleep 60", 60.0),  # one worker is idle, the other waits
        ("spin 60", 1.5),  # in native code that holds the interpreter lock: only its alarm can end it
    ],
)
def test_workers_end_when_the_parent_is_killed(tmp_path, completion, timeout):
    body = f"""
        pool = VerifierPool("faulty_verifiers:Faulty", {{}}, workers=2, timeout={timeout})
        pids = set()
        while len(pids) < 2:
            batch = pool.submit([(Prompt("p", "do it"), f"{{time.monotonic()}} {{n}}") for n in range(24)])
            pids |= {{c.witness["pid"] for c in batch.result()}}
        pool.submit([(Prompt("p", "do it"), {completion!r})])
        print(*pids, flush=True)
        time.sleep(60)
    """
    process = run(tmp_path, body)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2 and all(map(is_alive, pids))
    time.sleep(0.2)
    process.kill()
    process.wait()  # communicate() would wait for the workers, which have inherited the pipes
    process.stdout.close()
    wait_until_dead(pids, 20.0)
