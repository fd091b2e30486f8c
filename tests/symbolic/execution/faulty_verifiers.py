"""Tiny verifiers with every fault a tool can have. Workers import them as ``faulty_verifiers:Class``."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Verdict

PASS = Certificate(Verdict.PASS, score=1.0)


class Faulty:
    """Does what the completion says; anything else is a FAIL whose witness holds the completion and the process."""

    version = "1"

    def __init__(self, log: str | None = None) -> None:
        self.log = log

    def verify(self, prompt, completion):
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write(f"{prompt.id} {completion}\n")
        action, _, argument = completion.partition(" ")
        act = getattr(self, f"do_{action}", None)
        if act is not None:
            return act(argument)
        return Certificate(Verdict.FAIL, witness={"completion": completion, "pid": os.getpid()}, tool="faulty")

    def do_pass(self, argument):
        return PASS

    def do_abstain(self, argument):
        return Certificate(Verdict.ABSTAIN, witness={"error": "no opinion"})

    def do_sleep(self, argument):
        time.sleep(float(argument))
        return PASS

    def do_spin(self, argument):
        """Native code that never ends and holds the interpreter lock, so that no Python code can interrupt it."""
        sum(itertools.repeat(0))

    def do_ignore(self, argument):
        """Sleeps past an alarm that it does not hear."""
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        time.sleep(float(argument))

    def do_print(self, argument):
        """Writes where the process's own answers go, and reads where its questions come from."""
        print(argument, flush=True)
        os.system(f"echo {argument}")
        return Certificate(Verdict.FAIL, witness={"read": sys.stdin.read()})

    def do_poison(self, argument):
        """The next completion in this process kills it."""
        self.__class__ = Poisoned
        return PASS

    def do_exit(self, argument):
        os._exit(int(argument))

    def do_segfault(self, argument):
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)

    def do_raise(self, argument):
        raise ValueError(f"cannot do {argument}")

    def do_long(self, argument):
        raise ValueError("\ud800" + "x" * 100_000)

    def do_user_error(self, argument):
        raise UserError("facts: `tests` is missing")

    def do_system_exit(self, argument):
        sys.exit(3)

    def do_memory(self, argument):
        raise MemoryError

    def do_hog(self, argument):
        """Takes more and more memory: so many megabytes at a time."""
        kept = []
        while True:
            kept.append(b"x" * (int(argument) << 20))

    def do_leak(self, argument):
        """Keeps so many megabytes for as long as the process lives."""
        self.kept = [*getattr(self, "kept", []), b"x" * (int(argument.split()[0]) << 20)]
        time.sleep(0.2)
        return PASS

    def do_none(self, argument):
        return None

    def do_lambda(self, argument):
        return Certificate(Verdict.FAIL, witness={"f": lambda: 0})

    def do_modules(self, argument):
        return Certificate(Verdict.FAIL, witness={name: name in sys.modules for name in argument.split()})

    def do_orphan(self, argument):
        """Leaves a process behind and hangs."""
        child = subprocess.Popen(["sleep", "1000"])
        Path(argument).write_text(str(child.pid))
        time.sleep(60)


class Poisoned(Faulty):
    def verify(self, prompt, completion):
        os.kill(os.getpid(), signal.SIGSEGV)


class Configured(Faulty):
    def __init__(self, words, limits):
        self.options = [words, limits]

    def verify(self, prompt, completion):
        return Certificate(Verdict.FAIL, witness={"options": repr(self.options)})


class NoConfiguration(Faulty):
    def __init__(self):
        raise UserError("the option `tests` is missing; write verifier.options.tests=...")


class BrokenConstruction(Faulty):
    def __init__(self):
        raise KeyError("internal")


class DeadConstruction(Faulty):
    def __init__(self):
        os._exit(7)


class SlowSecondStart(Faulty):
    """The first construction works, every later one hangs: a file remembers."""

    def __init__(self, marker: str) -> None:
        super().__init__()
        if Path(marker).exists():
            time.sleep(600)
        Path(marker).touch()
