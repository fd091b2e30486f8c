"""IUPAC names: verified ones of PubChem compounds (the package ``chemicals``), and mistakes of letters, locants and fragments.

Which edit made a name wrong is decided by OPSIN's own command line and RDKit, not by the verifier.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from edits import replaced
from rdkit import Chem, rdBase

from corpora import Case, Injected
from rlsf_lightning.prompts.sources import iupac
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifier import Verifier
from rlsf_lightning.symbolic.verifiers.iupac_name.tool import opsin

OPTIONS: dict[str, Any] = {}
WHY = {
    "hit": "what is left out of a name may be missed at many places, and of contradictions OPSIN names no place",
    "throughput": "right names take a third more, as the reference is read too; OPSIN refuses or misreads a wrong name in "
    "0.2 ms, in which none of what explains it can be had: how far its grammar goes, up to 60 changed names, the common "
    "substructure (verifier.options.explain=false leaves the last two out)",
}
#: Java compiles what is done often: the bare tool has read every completion by the time that the clock starts.
WARM_UP = 1500
#: Seconds of a call: OPSIN has 3 seconds of computing for a question, which are 15 by the clock of a busy machine, and one
#: call has two questions of this sort at most.
LIMIT = 40

_LETTERS = "abcdefhilmnoprtuxyz"
_EXCHANGES = (
    ("fluoro", "chloro", "bromo", "iodo", "nitro", "amino", "hydroxy", "methoxy", "ethoxy", "cyano"),
    ("methyl", "ethyl", "propyl", "butyl", "phenyl", "benzyl"),
    ("propan", "butan", "pentan", "hexan", "heptan", "octan"),
    ("benzene", "pyridine", "pyrimidine", "cyclohexane", "naphthalene", "quinoline", "indole", "thiophene", "furan"),
    ("benzoic", "acetic", "butanoic", "propanoic"),
    ("benzamide", "acetamide", "propanamide", "butanamide"),
    ("piperidin", "piperazin", "pyrrolidin", "morpholin", "azepan"),
)
_SUFFIXES = (("ol", "amine", "thiol", "one", "al"), ("ene", "ane", "yne"))
_MULTIPLIERS = ("di", "tri", "tetra", "bis", "tris")
_CONFIGURATION = re.compile(r"(?<=[(,\d])[RSEZrsez](?=[,)])|\b(?:cis|trans)\b")
_OTHER = {
    "R": "S",
    "S": "R",
    "E": "Z",
    "Z": "E",
    "r": "s",
    "s": "r",
    "e": "z",
    "z": "e",
    "cis": "trans",
    "trans": "cis",
}

#: A name to (the place of what is changed, what comes there).
Edit = Callable[[str, random.Random], tuple[tuple[int, int], str] | None]


class _CommandLine:
    """OPSIN as its manual has it: names go in by the line, SMILES come out."""

    def __init__(self) -> None:
        found = opsin.find()
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        command = [*found.command(512), "-jar", str(found.jar), "-osmi"]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True, encoding="utf-8")

    def smiles(self, name: str) -> str:
        """Empty for what is no name."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")


@functools.cache
def _command_line() -> _CommandLine:
    return _CommandLine()


@functools.cache
def _canonical(smiles: str) -> str | None:
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if 0 < len(smiles) <= 1000 else None
    return Chem.MolToSmiles(molecule) if molecule is not None else None


def _is_right(case: Case, name: str) -> bool:
    assert case.prompt.reference is not None
    return _canonical(_command_line().smiles(name)) == _canonical(case.prompt.reference)


@functools.cache
def _molecules() -> list[list[Prompt]]:
    """Compounds of the validation and test splits, each with all of its verified names."""
    prompts = itertools.chain(
        iupac.prompts("validation", all_phrasings=True), iupac.prompts("test", all_phrasings=True)
    )
    return [list(group) for _, group in itertools.groupby(prompts, key=lambda prompt: prompt.id.split("#")[0])]


def correct(count: int, rng: random.Random) -> list[Case]:
    """Any verified name of each compound."""
    molecules = _molecules()
    drawn = rng.sample(molecules, count) if count <= len(molecules) else rng.choices(molecules, k=count)
    cases = []
    for names in drawn:
        prompt = rng.choice(names)
        facts = {"names": [other.text for other in names]}
        task = Prompt(prompt.id, "Name this molecule: " + str(prompt.reference), prompt.reference, facts=facts)
        cases.append(Case(task, prompt.text))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """The other verified names of the compound, inverted names among them, and ways to write them."""
    ways: list[Callable[[str], str]] = [
        lambda name: f" {name}\n",
        lambda name: name[:1].upper() + name[1:],
        lambda name: name.replace("sulf", "sulph"),
        lambda name: name.translate(str.maketrans("()", "[]")),
        lambda name: name.replace("-", "\N{EN DASH}"),
        lambda name: name.replace("alpha", "\N{GREEK SMALL LETTER ALPHA}").replace(
            "beta", "\N{GREEK SMALL LETTER BETA}"
        ),
    ]
    names = [str(name) for name in case.prompt.facts["names"]]
    yield from names
    for name in names:
        for way in rng.sample(ways, len(ways)):
            written = way(name)
            if written != name and _is_right(case, written.strip()):
                yield written


def inject(case: Case, rng: random.Random) -> Injected | None:
    """A slip of a letter, or another locant, fragment, multiplier, suffix, bracket or configuration."""
    edit, change = rng.choice(list(_EDITS.items()))
    changed = change(case.completion, rng)
    if changed is None:
        return None
    injected = replaced(case.completion, *changed, edit)
    same = injected.completion == case.completion or _is_right(case, injected.completion)
    return None if same else injected


def _letter(name: str, rng: random.Random) -> int | None:
    places = [at for at, character in enumerate(name) if character.isalpha()]
    return rng.choice(places) if places else None


def _letter_dropped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    at = _letter(name, rng)
    return None if at is None else ((at, at + 1), "")


def _letter_added(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    at = _letter(name, rng)
    return None if at is None else ((at, at), rng.choice(_LETTERS))


def _letter_changed(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    at = _letter(name, rng)
    return None if at is None else ((at, at + 1), rng.choice(_LETTERS))


def _letters_swapped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    places = [at for at in range(len(name) - 1) if name[at : at + 2].isalpha() and name[at] != name[at + 1]]
    if not places:
        return None
    at = rng.choice(places)
    return ((at, at + 2), name[at + 1] + name[at])


def _match(pattern: str, name: str, rng: random.Random) -> re.Match[str] | None:
    found = list(re.finditer(pattern, name))
    return rng.choice(found) if found else None


def _locant_changed(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    match = _match(r"\d+", name, rng)
    return match and (match.span(), str(rng.randint(1, 9)))


def _locants_dropped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    match = _match(r"(?<![\w.])\d+(?:,\d+)*-", name, rng)
    return match and (match.span(), "")


def _exchanged(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    pattern = "|".join(part for kind in _EXCHANGES for part in kind)
    match = _match(pattern, name, rng)
    if match is None:
        return None
    kind = next(kind for kind in _EXCHANGES if match[0] in kind)
    return (match.span(), rng.choice(kind))


def _suffix_exchanged(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    kind = rng.choice(_SUFFIXES)
    match = _match(rf"(?<=[a-z\d-])(?:{'|'.join(kind)})(?![a-z])", name, rng)
    return match and (match.span(), rng.choice(kind))


def _multiplier_exchanged(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    match = _match(rf"(?<=-)(?:{'|'.join(_MULTIPLIERS)})(?=[a-z(\[])", name, rng)
    return match and (match.span(), rng.choice(_MULTIPLIERS))


def _substituent_dropped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    match = _match(rf"(?:\d-)?(?:{'|'.join(_EXCHANGES[0] + _EXCHANGES[1])})-?(?=[a-z\d(\[])", name, rng)
    return match and (match.span(), "")


def _bracket_dropped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    match = _match(r"[()\[\]]", name, rng)
    return match and (match.span(), "")


def _configuration_flipped(name: str, rng: random.Random) -> tuple[tuple[int, int], str] | None:
    found = list(_CONFIGURATION.finditer(name))
    match = rng.choice(found) if found else None
    return match and (match.span(), _OTHER[match[0]])


_EDITS: dict[str, Edit] = {
    "letter dropped": _letter_dropped,
    "letter added": _letter_added,
    "letter changed": _letter_changed,
    "letters swapped": _letters_swapped,
    "locant changed": _locant_changed,
    "locants dropped": _locants_dropped,
    "fragment exchanged": _exchanged,
    "suffix exchanged": _suffix_exchanged,
    "multiplier exchanged": _multiplier_exchanged,
    "substituent dropped": _substituent_dropped,
    "bracket dropped": _bracket_dropped,
    "configuration flipped": _configuration_flipped,
}


def hostile() -> list[Case]:
    """Names on which OPSIN hangs or that mean huge molecules, and what its line protocol or its tolerance lets through."""
    tris = "tetrakis(" + "tris(" * 7 + "trimethylsilyl" + ")silyl" * 7 + ")silane"
    big = "nonanonacontanonactanonaliane"
    texts = {
        "hangs": tris,
        "smiles of 43,829 characters": tris.replace("tris(", "", 2).replace(")silyl", "", 2),
        "smiles of 110,009 characters": f"1,2,3,4,5,6,7,8,9,10-decakis({big[:-1]}yl){big}",
        "3,000 words": "ethyl " * 3000,
        "300 characters of words": "ethyl " * 50,
        "20,000 brackets": "(" * 20000,
        "300 brackets": "(" * 300,
        "300 nested brackets": "(" * 145 + "methyl" + ")" * 149,
        "60 residues": "glycyl" * 49 + "glycin",
        "text after a tab": "ethanol\tfoo",
        "null character": "meth\0ane",
        "carriage return": "ethanol\rmethane",
        "two lines": "ethanol\nmethane",
        "escape": "\x1b[2Jethanol",
        "accent": "\N{LATIN SMALL LETTER E WITH ACUTE}thanol",
        "entity": "&alpha;-D-glucose",
        "lone surrogate": "ethan\ud800ol",
        "right-to-left": "\u202eethanol",
        "only blanks": " \n\t ",
        "lookup": "${jndi:ldap://127.0.0.1/a}",
        "ambiguous grammar": "oxo" * 99,
        "locants": "1," * 149 + "2",
        "von Baeyer": "tricyclo[99999999.99999999.99999999.0{1,99999}]decane",
        "huge multiplier": "1-nonanonacontanonactanonaliakis(methyl)benzene",
        "message of its own": "x was uninterpretable due to the following section of the name: y",
    }
    return [Case(Prompt(name, "Name this molecule: CCO", "CCO"), text, name) for name, text in texts.items()]


def bare(case: Case) -> None:
    """One name for OPSIN's command line, and RDKit's comparison of the result."""
    _canonical.__wrapped__(_command_line().smiles(case.completion.strip()))


def exhaustive(verifier: Verifier, rng: random.Random) -> tuple[int, int]:
    """All names of up to four parts: a beginning of one that OPSIN reads must not be called dead."""
    parts = [*"2- chloro meth eth prop an en e yl ol amine benz ( ) -".split(), "ic acid", " "]
    prompt, beginnings = Prompt("exhaustive", "any name", "CCO"), set[str]()
    for length in range(1, 5):
        for chosen in itertools.product(parts, repeat=length):
            name = "".join(chosen).strip()
            if _command_line().smiles(name):
                beginnings |= {name[:end] for end in range(len(name) + 1)}
    viable = verifier.viable  # type: ignore[attr-defined]
    return len(beginnings), sum(viable(prompt, beginning) is False for beginning in beginnings)
