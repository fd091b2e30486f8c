"""A hub that cannot be reached: told once, at once, with what to do; and a hub that answers, whatever it says."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from rlsf_lightning.config.environment import hub_answers

ROOT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    hub_answers.cache_clear()
    yield
    hub_answers.cache_clear()


def test_a_hub_that_is_not_there_is_left_alone_from_then_on(monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    assert not hub_answers()
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["HF_DATASETS_OFFLINE"] == "1"
    assert huggingface_hub.constants.HF_HUB_OFFLINE is True


def test_nobody_is_asked_offline(monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked"))
    assert not hub_answers()


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_hub_that_answers_is_there(monkeypatch, status: int) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        assert hub_answers() and os.environ["HF_HUB_OFFLINE"] == ""
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("offline", [{}, {"HF_HUB_OFFLINE": "1"}], ids=["unset", "set"])
@pytest.mark.parametrize("command", ["fit", "evaluate", "sft", "validate"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["policy.name=org/model", "sft.architecture=null"], "policy.name=org/model: there is no such folder here"),
        (["data.path=hf://owner/name"], "data.path=hf://owner/name: cannot be read"),
    ],
    ids=["policy", "data"],
)
def test_a_command_ends_with_one_message(tmp_path, command, arguments, told, offline) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    environment |= {"PYTHONPATH": str(ROOT), "HF_ENDPOINT": NOBODY, **offline}
    words = [sys.executable, "-m", f"rlsf_lightning.{command}", "recipe=game24", *arguments]
    words += ["limit=2"] if command in ("validate", "evaluate") else []
    begin = time.monotonic()
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == (1 if command == "validate" and "policy" in told else 2), said
    assert said.count(told) == 1 and "hf download" in said and "Traceback" not in said and "Retrying" not in said
    assert time.monotonic() - begin < 60
    assert list(tmp_path.iterdir()) == []
