"""temporary"""
import importlib
from collections.abc import Mapping
from typing import Any, Protocol
from rlsf_lightning.records import Certificate, Prompt
class Verifier(Protocol):
    def verify(self, prompt: Prompt, completion: str) -> Certificate: ...
def load_verifier(name: str, options: Mapping[str, Any]) -> Verifier:
    import sys; sys.path.insert(0,'/work/tmp/tv')
    return getattr(importlib.import_module('tempv'),'Temp')(**options)
