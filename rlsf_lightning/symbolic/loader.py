"""From the name in a recipe to a verifier: ``verifier.name``, ``verifier.options`` and ``answer``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from rlsf_lightning.config.extension_points import VERIFIER
from rlsf_lightning.config.plugins import construct, resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.symbolic.answers.answered import Answered
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.repair import Repairing
from rlsf_lightning.symbolic.verifier import Verifier


def load_verifier(
    name: str, options: Mapping[str, Any], answer: AnswerSettings | None = None, *, repair: bool = False
) -> Verifier:
    """The verifier that ``name`` stands for (see ``find_verifier``), with its options; of answers, as ``answer`` says.

    With ``repair`` its certificates of failures say with which edits the completion would pass, where it knows some.

    Raises UserError for an unknown name, or for options that it does not take.
    """
    cls = find_verifier(name)
    accepted = inspect.signature(cls).parameters
    for option in options:
        if option not in accepted:
            hint = did_you_mean(option, accepted)
            raise UserError(
                f"verifier.options.{option}: {name} has no such option{hint} (it has {', '.join(accepted) or 'none'})"
            )
    verifier: Verifier = construct(cls, plain(options), f"verifier.options of {name}")
    if repair and hasattr(verifier, "repairs"):
        verifier = Repairing(verifier)
    return verifier if answer is None or answer.is_whole else Answered(verifier, name, answer)


def plain(value: Any) -> Any:
    """The containers of a recipe as the dictionaries and lists that they stand for."""
    if isinstance(value, Mapping):
        return {key: plain(of) for key, of in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(of) for of in value]
    return value


def find_verifier(name: str) -> type:
    """The class ``VERIFIER`` of ``symbolic/verifiers/NAME/``, of ``package.module`` or of the file ``PATH.py``.

    ``:Class`` after a module or a file names another class than its ``VERIFIER``. UserError: there is none.
    """
    cls: type = resolve(VERIFIER, name)
    return cls
