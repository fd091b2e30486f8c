"""The page: one HTML file whose scripts and style are named by their hashes in a Content-Security-Policy.

What a model wrote comes in by the template's autoescape, or as JSON that the script puts into text nodes. Nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from rlsf_lightning._version import __version__
from rlsf_lightning.report.curves import charts_of, is_shortened
from rlsf_lightning.report.gallery import gallery_of
from rlsf_lightning.report.mistakes import area_chart, kinds_of
from rlsf_lightning.report.read import RunFolder
from rlsf_lightning.report.samples import VERDICTS
from rlsf_lightning.report.summary import rows_of, sentence_of, table_of
from rlsf_lightning.report.text import json_for_html, line

TEMPLATES = Path(__file__).parent / "templates"
#: Styles of parts of the plotting library that are not used here are added unless an element of this id is there.
_STYLE_GUARD = re.compile(r'document\.getElementById\("([0-9a-f]{64})"\)')


def render(run: RunFolder) -> str:
    """The page of a run."""
    gallery = gallery_of(run)
    charts = charts_of(run)
    areas = area_chart(gallery)
    kinds = kinds_of(gallery)
    data = {
        "charts": charts,
        "areas": [areas] if areas else [],
        "samples": [sample.to_page() for sample in gallery.samples],
    }
    values = {
        "run": run,
        "facts": facts_of(run),
        "sentence": sentence_of(run),
        "rows": rows_of(run.summary),
        "charts": charts,
        "is_shortened": is_shortened(run),
        "table": table_of(run.curves),
        "areas": areas,
        "kinds": kinds,
        "gallery": gallery,
        "verdicts": [v for v in (*VERDICTS, "none") if any(s.verdict == v for s in gallery.samples)],
        "sample_kinds": sorted({kind for sample in gallery.samples for kind in sample.kinds}),
        "data": Markup(json_for_html(data)),
    }
    return _filled(values)


def facts_of(run: RunFolder) -> list[tuple[str, str]]:
    """What ran, on what and for how long: names and values, as far as they are known."""
    recipe, machine, summary = run.recipe, run.machine, run.summary
    policy, verifier, algorithm = (_mapping(recipe.get(key)) for key in ("policy", "verifier", "algorithm"))
    versions = _mapping(machine.get("versions"))
    minutes = summary.get("seconds")
    known = {
        "recipe": recipe.get("recipe"),
        "policy": policy.get("name"),
        "verifier": verifier.get("name"),
        "algorithm": f"{algorithm.get('advantage')}, credit {algorithm.get('credit')}",
        "steps": summary.get("steps") or max((len(points) for points in run.curves.values()), default=0),
        "minutes": f"{minutes / 60:.1f}" if isinstance(minutes, (int, float)) else "not ended",
        "machine": machine.get("device"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "folder": run.folder.absolute(),
    }
    return [(name, line(value)) for name, value in known.items() if value not in (None, "")]


def _filled(values: Mapping[str, Any]) -> str:
    script, style = _own("report.js"), _own("report.css")
    library, guards = _library()
    scripts = " ".join(_hash(text) for text in (library, script))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html.jinja").render(
        values,
        policy=policy,
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        library=Markup(library),
        guards=guards,
    )


@lru_cache(maxsize=1)
def _library() -> tuple[str, list[str]]:
    """The plotting library's script, and the ids by which it is kept from adding styles."""
    text = _line_feeds(get_plotlyjs())
    if "</script" in text.lower():
        raise ValueError("the plotting library's script would end its own block")
    return text, sorted(set(_STYLE_GUARD.findall(text)))


def _own(name: str) -> str:
    return _line_feeds((TEMPLATES / name).read_text(encoding="utf-8"))


def _line_feeds(text: str) -> str:
    """As a browser reads it before it hashes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
