"""C++ programs: those of SPoC (``spoc/`` in the folder RLSF_DATA), else a few of this file, with numbers changed.

What passes and what is wrong is decided by g++ and by running the tests without a sandbox: the programs are people's,
with one
small change. Limits of time and memory hold for them all the same.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from edits import replaced

from corpora import Case, Injected
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import PLAIN, find_toolchain

OPTIONS: dict[str, Any] = {}
#: Everything costs a compilation, of a tenth of a second, or several.
FEWER = {
    "rechecked": 50,
    "prefixes": 20_000,
    "objects": 60,
    "wrong": 100,
    "fuzzed": 1000,
    "completions": 60,
    "block": 6,
}
_SLOW = "every prefix and every certificate costs a compilation, so the default is smaller;"
WHY = {
    "rechecked": f"Rechecked: {_SLOW} a recheck takes up to three.",
    "prefixes": f"Prefixes: {_SLOW} prefixes= asks for more.",
    "fuzzed": f"Fuzzed: {_SLOW} fuzzed= asks for more.",
    "exhaustive": "`viable` is one-sided and has no small language to be searched exhaustively.",
    "hit": "Where only tests fail, the compiler names no place. A small change that makes all tests pass is looked for; a "
    "statement that is missing is often none that can be guessed, and then the lines that failing tests execute are blamed.",
    "throughput": "Right programs cost no more than the bare tool. Of one that fails tests some hundred changed versions are "
    "compiled and run, and where none passes it runs once more, watched by sanitizers "
    "(verifier.options.explain=false leaves that out).",
    "found": "A change that leaves a program undefined may pass when it is run again.",
}
#: Seconds of a call: compiling may take 10 seconds of computing, and there are several compilations and tests.
LIMIT = 120
MAX_TESTS = 20
_SECONDS = 2

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|'
    r"[A-Za-z_]\w*|[0-9]+(?:\.[0-9]+)?|<<|>>|<=|>=|==|!=|\+\+|--|&&|\|\||\S"
)
_KEYWORDS = frozenset("int for if else while return char bool double float long string void const break continue main cin "
                      "cout endl vector using namespace std include auto true false".split())  # fmt: skip
_OTHERS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "+", "%": "/", "&&": "||",
    "||": "&&", "++": "--",
}  # fmt: skip
_OWN = [
    ("int main() {\n  int n, sum = 0;\n  cin >> n;\n  for (int i = 1; i <= n; i++) {\n    if (i % 3 == 0) sum += i;\n  }\n"
     "  cout << sum << endl;\n  return 0;\n}\n", [("10\n", "18\n"), ("3\n", "3\n"), ("1\n", "0\n"), ("30\n", "165\n")]),
    ("int main() {\n  string s;\n  cin >> s;\n  int count = 0;\n  for (int i = 0; i < s.size(); i++) {\n"
     "    if (s[i] == 'a') {\n      count++;\n    }\n  }\n  if (count > 2) {\n    cout << \"many\" << endl;\n  } else {\n"
     "    cout << count << endl;\n  }\n  return 0;\n}\n",
     [("banana\n", "many\n"), ("abc\n", "1\n"), ("xyz\n", "0\n"), ("aab\n", "2\n")]),
    ("int main() {\n  int n;\n  cin >> n;\n  vector<int> v(n);\n  for (int i = 0; i < n; i++) cin >> v[i];\n"
     "  sort(v.begin(), v.end());\n  int best = v[0];\n  for (int i = 1; i < n; i++) {\n"
     "    best = max(best, v[i] - v[i - 1]);\n  }\n  cout << best << endl;\n"
     "  return 0;\n}\n",
     [("3\n1 5 2\n", "3\n"), ("1\n7\n", "7\n"), ("4\n4 4 4 4\n", "4\n"), ("2\n-3 9\n", "12\n")]),
]  # fmt: skip


def correct(count: int, rng: random.Random) -> list[Case]:
    """Programs that compile and pass; what does not on this compiler is left out."""
    programs = _programs()
    rng.shuffle(programs)
    cases: list[Case] = []
    while len(cases) < count:
        before = len(cases)
        for name, code, tests in programs:
            if len(cases) < count and _passes(code, tests):
                facts = {"tests": [{"input": given, "output": wanted} for given, wanted in tests]}
                cases.append(Case(Prompt(f"{name}", name, facts=facts), code))
        if len(cases) == before:
            raise RuntimeError("no program of the corpus compiles and passes here")
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Other white space, comments, headers, and braces."""
    while True:
        text = case.completion
        if rng.random() < 0.5:
            text = re.sub(r"\n {2,}", lambda match: rng.choice([match.group(), "\n\t", "\n"]), text)
        if rng.random() < 0.4:
            text = text.replace(";\n", rng.choice([";  // so\n", "; /* so */\n", " ;\n\n"]), rng.randint(1, 3))
        if "#include" not in text and rng.random() < 0.4:
            text = f"#include <bits/stdc++.h>\nusing namespace std;\n{text}"
        yield rng.choice(["", "\n", "  "]) + text + rng.choice(["", "\n", "\n// end\n"])


def inject(case: Case, rng: random.Random) -> Injected | None:
    text = case.completion
    tokens = [token for token in _TOKEN.finditer(text) if not token.group().startswith(("//", "#"))]
    edit = rng.choice(["compiler: dropped ;", "compiler: dropped bracket", "compiler: misspelt name",
    "compiler: misspelt keyword",
                       "compiler: foreign character", "compiler: other type", "tests: other operator", "tests: other number",
                       "tests: other name", "tests: dropped statement"])  # fmt: skip
    fits = {
        "dropped ;": lambda t: t == ";", "dropped bracket": lambda t: t in "(){}[]", "misspelt name": _is_name,
        "misspelt keyword": lambda t: t in _KEYWORDS and len(t) > 2, "foreign character": lambda t: True,
        "other type": lambda t: t == "int",
        "other operator": lambda t: t in _OTHERS, "other number": str.isdigit, "other name": _is_name,
    }  # fmt: skip
    kind = edit.split(": ")[1]
    if kind == "dropped statement":
        found = list(re.finditer(r"(?<=[;{}]\n)[ \t]*[^\n{}]*;(?=\n)", text))
        made = replaced(text, rng.choice(found).span(), "", edit) if found else None
    else:
        chosen = [token for token in tokens if fits[kind](token.group())]
        if not chosen:
            return None
        token = rng.choice(chosen)
        old = token.group()
        names = sorted({t.group() for t in tokens if _is_name(t.group())} - {old}) or ["zz"]
        new = {
            "dropped ;": "", "dropped bracket": "", "misspelt name": f"{old}q", "misspelt keyword": old[:1] + old[2:],
            "foreign character": f"{old}{rng.choice('@$`')}", "other type": "string", "other operator": _OTHERS.get(old, old),
            "other number": str(int(old) + rng.choice([1, 2, 7])) if old.isdigit() else old, "other name": rng.choice(names),
        }[kind]  # fmt: skip
        made = replaced(text, token.span(), new, edit)
    if made is None or made.completion == text:
        return None
    tests = tuple((test["input"], test["output"]) for test in case.prompt.facts["tests"])
    compiles = _compiles(made.completion)
    if compiles == edit.startswith("compiler") or (compiles and _passes(made.completion, tests)):
        return None
    return made


def hostile() -> list[Case]:
    prompt = Prompt("hostile", "add", facts={"tests": [{"input": "1 2\n", "output": "3\n"}]})
    texts = {
        "reads a file when compiled": '#include "/etc/passwd"\nint main() {}',
        "puts a file into the binary": 'asm(".incbin \\"/etc/passwd\\""); int main() {}',
        "reads an endless file": '#include "/dev/zero"\nint main() {}',
        "reads standard input": '#include "/dev/stdin"\nint main() {}',
        "includes itself": '#include "program.cpp"\nint main() {}',
        "template bomb": "template<int N, class T> struct X { X<N-1, X<N, T>> a; X<N-1, X<N, int>> b; }; "
        "X<200, int> x; int main() {}",
        "deep parentheses": "int main() { return " + "(" * 9000 + "1" + ")" * 9000 + "; }",
        "endless constant": "constexpr int f() { int i = 0; while (true) i++; return i; } int a[f()]; int main() {}",
        "macro bomb": "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(x))))\nint main() { B(B(int a;)) }",
        "huge array": "char a[4294967296] = {1}; int main() {}",
        "no program": "\x00\ud800\u00e9\u202e`'\"\\",
        "lies about lines": '#line 999999 "/etc/passwd"\nint main() { return zz; }',
        "eats memory": "int main() { for (;;) { char* p = new char[1 << 20]; memset(p, 1, 1 << 20); } }",
        "forks": "#include <unistd.h>\nint main() { for (;;) fork(); }",
        "kills everyone": "#include <signal.h>\nint main() { kill(-1, SIGKILL); }",
        "stays in the background": "#include <unistd.h>\nint main() { daemon(0, 0); sleep(1000); }",
        "writes and reads outside": '#include <stdio.h>\nint main() { fopen("/tmp/rlsf_was_here", "w"); '
        'FILE* f = fopen("/etc/passwd", "r"); if (f) puts("3"); }',
        "loops": "int main() { for (;;); }",
        "sleeps": "#include <unistd.h>\nint main() { sleep(1000); }",
        "endless output": 'int main() { for (;;) puts("3"); }',
        "big file": '#include <stdio.h>\nint main() { FILE* f = fopen("x", "w"); for (;;) fputs("xxxxxxxxxxxxxxxx", f); }',
        "connects": "#include <sys/socket.h>\n#include <arpa/inet.h>\n#include <stdio.h>\n"
        "int main() { sockaddr_in a{AF_INET, htons(22)}; "
        'a.sin_addr.s_addr = inet_addr("127.0.0.1"); '
        'if (!connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr*)&a, sizeof a)) puts("3"); }',
        "empty": "",
        "blank": " \n",
        "recursion": "int f(int n) { return f(n + 1) + 1; }\nint main() { cout << f(1); }",
    }
    return [Case(prompt, text, f"hostile: {name}") for name, text in texts.items()]


def bare(case: Case) -> None:
    """g++ with a warm precompiled header, and every test once."""
    list(_results(case.completion, tuple((test["input"], test["output"]) for test in case.prompt.facts["tests"])))


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """There is nothing to compare with."""
    return 0, 0


def _programs() -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """(problem, program, tests)."""
    data = os.environ.get("RLSF_DATA")
    folder = Path(data, "spoc") if data else None
    if folder is None or not folder.exists():
        return [(f"own {number}", code, tuple(tests)) for number, (code, tests) in enumerate(_OWN)]
    tests = {}
    with gzip.open(folder / "tests.jsonl.gz", "rt") as file:
        for line in file:
            row = json.loads(line)
            short = [test for test in row["tests"] if len(test["input"]) + len(test["output"]) < 5000]
            tests[row["probid"]] = tuple((test["input"], test["output"]) for test in short[:MAX_TESTS])
    programs = []
    for name in ("programs_train_eval.jsonl", "programs_train_test.jsonl"):
        for line in (folder / name).read_text().splitlines():
            row = json.loads(line)
            if tests.get(row["probid"]):
                programs.append((f"{row['probid']} {row['subid']}", row["code"], tests[row["probid"]]))
    return programs


@cache
def _compiles(code: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return _compile(code, folder, "-fsyntax-only")


@cache
def _passes(code: str, tests: tuple[tuple[str, str], ...]) -> bool:
    """The first test that fails is the last that is run: programs without an end take seconds each time."""
    return all(_results(code, tests))


def _results(code: str, tests: tuple[tuple[str, str], ...]) -> Iterator[bool]:
    """Of every test, whether the program passes it; of one that does not compile, that it does not."""
    with tempfile.TemporaryDirectory() as folder:
        if not _compile(code, folder, "-o", "program"):
            yield False
            return
        for given, wanted in tests:
            yield _runs(folder, given, wanted)


def _compile(code: str, folder: str, *more: str) -> bool:
    tools = find_toolchain("gnu++17")
    Path(folder, "program.cpp").write_bytes(code.encode("utf-8", "surrogatepass"))
    headers = ["-I", str(tools.folder / "slim")]
    if "#include" not in code:
        headers += ["-include", "bits/stdc++.h", "-include", "using.h"]
    command = [
        "g++",
        "-std=gnu++17",
        *PLAIN.split(),
        *headers,
        *more,
        "program.cpp",
        *([tools.link] if "-o" in more and tools.link else []),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=60).returncode == 0


def _runs(folder: str, given: str, wanted: str) -> bool:
    limits = [
        "timeout",
        str(5 * _SECONDS),
        "prlimit",
        f"--cpu={_SECONDS}",
        f"--as={512 << 20}",
        f"--fsize={1 << 20}",
        f"--stack={64 << 20}",
    ]
    with tempfile.TemporaryFile() as file:
        done = subprocess.run(
            [*limits, "./program"], cwd=folder, input=given.encode(), stdout=file, stderr=subprocess.DEVNULL
        )
        file.seek(0)
        return done.returncode == 0 and file.read().decode("utf-8", "replace").split() == wanted.split()


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[a-z_]\w*", text) is not None and text not in _KEYWORDS
