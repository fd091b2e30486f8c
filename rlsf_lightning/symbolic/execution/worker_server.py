"""A worker's side of ``worker_processes``: it reads pairs, verifies them and writes certificates, as pickles in lines of text.

Verification itself never raises for a tool's faults; in the calling process it is done by the same function.
"""

from __future__ import annotations

import binascii
import os
import pickle
import select
import signal
import sys
import threading
import time
from typing import IO, Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.verifier import Verifier

Pair = tuple[Prompt, str]
#: Characters of an error that are kept.
MAX_REASON = 500


def encode(value: Any) -> bytes:
    """One line. Pickled, since only processes of this package read it."""
    return binascii.b2a_base64(pickle.dumps(value))


def decode(line: bytes) -> Any:
    return pickle.loads(binascii.a2b_base64(line))


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Build the verifier that the first line names; then each line is a list of pairs, and each pair is answered by a line."""

    def say(line: bytes) -> None:
        answers.write(line)
        answers.flush()

    name, options, timeout, answer, repair = decode(questions.readline())
    try:
        verifier = load_verifier(name, options, answer, repair=repair)
    except UserError as error:
        return say(encode(UserError(str(error))))
    except Exception as error:  # as text: it must be picklable
        return say(encode(reason_of(error)))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    say(encode(None))
    for line in questions:
        for pair in decode(line):
            say(_answer(verifier, name, pair, timeout))


def _answer(verifier: Verifier, name: str, pair: Pair, timeout: float) -> bytes:
    """The certificate, or the UserError that the prompt is to blame for, as a line."""
    # The alarm's default action kills the process at once, native code or not: Python could not interrupt that.
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        found: Certificate | UserError = verify(verifier, name, pair)
    except UserError as error:
        found = UserError(str(error))
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        return encode(found)
    except Exception as error:
        return encode(abstain(name, f"the certificate is not picklable: {reason_of(error)}"))


def verify(verifier: Verifier, name: str, pair: Pair) -> Certificate:
    """The verifier's certificate, or an abstention if it raises or returns something else.

    UserError: the prompt lacks what the verifier needs, which is no fault of the completion or the tool.
    """
    start = time.perf_counter()
    try:
        certificate: object = verifier.verify(*pair)
        if isinstance(certificate, Certificate):
            return certificate
        reason = f"verify returned {type(certificate).__name__}, not a Certificate"
    except UserError as error:
        place = f"prompt {pair[0].id}: "
        raise UserError(place + str(error).removeprefix(place)) from None
    except (Exception, SystemExit) as error:
        reason = reason_of(error)
    return abstain(name, reason, time.perf_counter() - start)


def abstain(name: str, reason: str, seconds: float = 0.0) -> Certificate:
    return Certificate(Verdict.ABSTAIN, witness={"error": reason}, tool=name, seconds=seconds)


def reason_of(error: BaseException) -> str:
    """Type and message, cut, and without the lone surrogates that a hostile completion may have put there."""
    text = f"{type(error).__name__}: {error}"[:MAX_REASON]
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _main() -> None:
    """Verifiers and the programs that they start read nothing, and print to standard error."""
    questions, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(questions,), daemon=True).start()
    # Neither is closed before the process ends: its end is seen by that, and its exit code must be its own.
    serve(open(questions, "rb", closefd=False), open(answers, "wb", closefd=False))
    sys.stdout.flush()


def _end_with_parent(questions: int) -> None:
    """A worker that computes would not notice that the process it works for is gone, which closes the pipe."""
    poll = select.poll()
    poll.register(questions, 0)
    poll.poll()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _main()
