"""OPSIN in one long-lived Java process (``java/``), which notices even amid a name that its input was closed.

The program is shipped compiled, for Java 11 and later, since a Java without compiler is enough to run OPSIN.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import ToolFailed, UserError, install_hint
from rlsf_lightning.symbolic.execution.tool_process import NotStarted, ToolProcess
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.opsin import Opsin

_CLASSES = Path(__file__).with_name("java")
_MAIN = "uk.ac.cam.ch.wwmm.opsin.NameServer"
#: Megabytes of its heap.
HEAP = 512


class NameServer:
    """Asks OPSIN, one question after the other.

    Args:
        opsin: what to run.
        seconds: of computing, for one answer.
    """

    def __init__(self, opsin: Opsin, seconds: float) -> None:
        self.opsin = opsin
        classes = os.pathsep.join((str(opsin.jar), str(_CLASSES)))
        self.child = ToolProcess("OPSIN", [*opsin.command(HEAP), "-cp", classes, _MAIN], seconds)

    def ask(self, *fields: str) -> dict[str, Any]:
        """The answer to a question; see ``NameServer.java``. The fields must be free of tabs and ends of lines.

        Raises ToolFailed on a crash, a hang, or an error within OPSIN.
        """
        try:
            found: dict[str, Any] = json.loads(self.child.ask("\t".join(fields)))
        except NotStarted as error:
            raise UserError(
                f"{error} (OPSIN {self.opsin.version}); Java 11 or later is needed (see `{self.opsin.java} -version`), and "
                f"OPSIN 2.9: {install_hint('naming')}"
            ) from None
        if "error" in found:
            raise ToolFailed(f"OPSIN failed: {found['error'][:200]}")
        return found
