r"""Completions with the answer marked by « and »; no mark: there is no answer. Each block: settings, then its texts."""

from typing import Any

Block = tuple[dict[str, Any], list[str]]

WHOLE: Block = (
    {},
    ["«»", "«CCO»", "« CCO\n»", "«<think>x</think>CCO»", "«a\r\nb»", "«```\nx\n```»", "«<answer>x</answer>»"],
)

TAG: Block = (
    {"extract": ("tag",)},
    [
        "",
        "CCO",
        "<answer>«CCO»</answer>",
        "<answer>«CCO»",
        "<answer>«»",
        "<answer>«»</answer>",
        "<answer>«» </answer>",
        "<answer> «CCO» </answer>",
        "<answer>\n«CCO»\n</answer>\n",
        "<answer>\r\n«CCO»\r\n</answer>\r\n",
        "So <answer>«CCO»</answer>, I hope.",
        "<answer>«CCO»</answer><answer>CCN</answer>",
        "<answer>«CCO»</answer> no: <answer>CCN</answer>",
        "<answer>«a <answer> b»</answer>",
        "<answer>«CCO»<",
        "<answer>«CCO»</",
        "<answer>«CCO»</ans",
        "<answer>«CCO»</answer",
        "<answer>«CCO» \n</answer",
        "<answer>«CCO</b»",
        "<answer>«a < b»",
        "<answer>«a < b»</answer>",
        "<answer>«a << 2»</answer>",
        "<answer>«a <» <",
        "<answer>«</b>»</answer>",
        "<answer>«</answe>»</answer>",
        "<answer",
        "<answer >CCO</answer>",
        "<Answer>CCO</Answer>",
        "<answers>CCO</answers>",
        "</answer>CCO",
        "</answer><answer>«CCO»</answer>",
        "&lt;answer&gt;CCO&lt;/answer&gt;",
        "<answer>«SELECT 1\nFROM t»</answer>",
        "<answer>«ünï 🧪»</answer>",
        "🧪🧪 <answer>«x»</answer>",
        "<answer>«\\boxed{3}»</answer>",
        "<answer>«```\nCCO\n```»</answer>",
        "<<answer>«CCO»</answer>>",
        "<answer>«x\0y»</answer>",
    ],
)

FENCE: Block = (
    {"extract": ("fence",)},
    [
        "",
        "CCO",
        "```",
        "```sql",
        "``\nCCO\n``",
        "```\n«»",
        "```\n«»```",
        "```\n«CCO»\n```",
        "```smiles\n«CCO»\n```\n",
        "```\n«CCO»\n``` ",
        "```\n«CCO»\n````",
        "````\n«CCO\n```»\n````",
        "~~~\n«CCO»\n~~~",
        "~~~\n«CCO\n```»\n~~~",
        "```\n«CCO\n~~~»",
        "Here:\n```sql\n«SELECT 1;»\n```\nThat is it.",
        "```\nfirst\n```\n```\n«second»\n```",
        "```\nfirst\n```\ntext\n```\n«second»",
        "```a\nfirst\n```\n~~~b\n«second»\n~~~\n",
        "```\n«first»\n```\n```",
        "```\n«first»\n```\n```sql",
        "```\n«a\n\nb»\n```",
        "```\n«\na»\n```",
        "```\n«a\n»\n```",
        "```\n«  indented\n»\n```",
        "  ```\n«CCO»\n  ```",
        "1. so:\n    ```sql\n«    SELECT 1»\n    ```",
        "\t```\n«x»\n\t```",
        "```\n«CCO»\n`",
        "```\n«CCO»\n``",
        "````\n«CCO»\n```",
        "```\n«CCO\n`x`»",
        "```\n«``` x»\n```",
        "text ```\nCCO\n```",
        "```CCO```",
        "``` `x`\nCCO",
        "~~~ `x`\n«CCO»\n~~~",
        "```\r\n«CCO»\r\n```\r\n",
        "```sql\r\n«SELECT 1\r\nFROM t»\r\n```",
        "```\r\n«CCO»\r\n```",
        "```\n«CCO»\n",
        "```\n«CCO\nCCN»\n",
        "```\n«é🧪»\n```",
        "🧪\n```\n«x»\n```",
        "```\n«<answer>x</answer>»\n```",
        "> ```\n> CCO\n> ```",
        "```\n«x\x0b```»\n```",
        "```\n«x\u2028y»\n```",
    ],
)

LANGUAGE: Block = (
    {"extract": ("fence",), "language": ("cpp", "c++")},
    [
        "```\nint x;\n```",
        "```cpp\n«int x;»\n```",
        "```CPP\n«int x;»\n```",
        "``` cpp \n«int x;»\n```",
        "```c++\n«int x;»\n```",
        "```cpp title=a.cpp\n«int x;»\n```",
        "```cpp\n«int x;»\n```\n```sh\ng++ a.cpp\n```",
        "```sh\nls\n```\n```cpp\n«int y;»\n```",
        "```cpp\nint x;\n```\n```cpp\n«int y;»",
        "```cp\nint x;\n```",
        "```cpp-like\nint x;\n```",
        "```sh\n```cpp\nint x;\n```",
        "```cpp\r\n«int x;»\r\n```",
        "~~~cpp\n«int x;»\n~~~",
        "```python\n'''\n```cpp\n'''\n```",
    ],
)

NO_LANGUAGE: Block = (
    {"extract": ("fence",), "language": ("sql", "")},
    [
        "```\n«x»\n```",
        "```sql\n«x»\n```",
        "```py\nx\n```",
        "```sql\n«x»\n```\n```py\ny\n```",
        "```sql\nx\n```\n```\n«y»\n```",
    ],
)

AFTER: Block = (
    {"extract": ("after",)},
    [
        "",
        "42",
        "Answer:",
        "Answer: ",
        "Answer: \n",
        "Answer: «42»",
        "Answer:«42»",
        "Answer:\n«42»\n",
        "Answer:\r\n«42»\r\n",
        "So 6 * 7.\nAnswer: «42»",
        "So 6 * 7.\r\nAnswer: «42»\r\n",
        "Answer: 41\nAnswer: «42»",
        "Answer: Answer: «42»",
        "Answer: 41\nAnswer:",
        "answer: 42",
        "Answer 42",
        "The Answer: «42» ",
        "**Answer:«** 42»",
        "Answer: «42\nor so»",
        "Answer: «\u00e9»",
        "🧪 Answer: «🧪»",
        "Answer:\t«42»\t",
    ],
)

MARKER: Block = (
    {"extract": ("after",), "marker": "####"},
    [
        "#### «18»",
        "6 + 12 = 18\n#### «18»",
        "####«18»\n",
        "### 18",
        "#### 1\n#### «2»",
        "##### «18»",
        "#### ",
        "#### «-1,000.5»",
    ],
)

LAST_LINE: Block = (
    {"extract": ("last_line",)},
    [
        "",
        " \n\t\n",
        "«CCO»",
        " «CCO» ",
        "so\n«CCO»",
        "so\n«CCO»\n",
        "so\n«CCO»\n\n  \n",
        "so\r\n«CCO»\r\n",
        "so\r\n  «CCO»  \r\n\r\n",
        "a\nb\n«c»",
        "\n\n«x y»\n",
        "a\n«ü🧪»\n",
        "«a\x0bb»",
    ],
)

BOXED: Block = (
    {"extract": ("regex",), "pattern": r"\\boxed\{([^{}]*)\}"},
    [
        "",
        "42",
        r"\boxed{«42»}",
        r"so $\boxed{«42»}$.",
        r"\boxed{1} and \boxed{«2»}",
        r"\boxed{«»}",
        r"\boxed{« »}",
        r"\boxed{42",
        r"\boxed{«1»}, \boxed{\frac{1}{2}}",
        "\\boxed{«a\nb»}",
        "\\boxed{«a\r\nb»}",
        r"🧪 \boxed{«🧪»}",
    ],
)

NAMED_GROUP: Block = (
    {"extract": ("regex",), "pattern": r"(?m)^(\w+) *= *(?P<answer>-?\d+)\r?$"},
    ["x = «3»", "x=«-3»\n", "x = 3.5", "x = 3\ny = «4»", "x = 3\r\ny = «4»\r\n", "x = «3»\ny = z", "=3"],
)

OPTIONAL_GROUP: Block = (
    {"extract": ("regex",), "pattern": r"answer(?: is (\d+))?"},
    ["answer", "answer is «3»", "answer is «3», answer", "answer is 3, answer is «4»"],
)

LIST: Block = (
    {"extract": ("tag", "fence", "after", "last_line")},
    [
        "",
        "«x»",
        "Answer: «x»",
        "```\n«x»\n```",
        "<answer>«x»</answer>",
        "```\ny\n```\n<answer>«x»</answer>\nAnswer: z",
        "```\n«x»\n```\nAnswer: z",
        "y\nAnswer: «x»\n",
        "y\n«x»",
        "y\n«Answer:»",
        "<answer>«```\nx\n```»</answer>",
    ],
)

FENCE_OR_WHOLE: Block = (
    {"extract": ("fence", "whole"), "language": ("sql",)},
    ["«SELECT 1»", "```sql\n«SELECT 1»\n```", "«```\nSELECT 1\n```»", "«»"],
)

THINKING: Block = (
    {"extract": ("tag",)},
    [
        "<think>so</think><answer>«x»</answer>",
        "<think>\nso\n</think>\n\n<answer>«x»</answer>",
        "\n <think>so</think> <answer>«x»</answer>",
        "<think><answer>y</answer></think><answer>«x»</answer>",
        "<think><answer>y</answer></think>",
        "<think><answer>y</answer>",
        "<think>so",
        "<think>",
        "<thin",
        "<think>a</think><answer>«x»</answer></think><answer>y</answer>",
        "<answer>«<think>a</think>x»</answer>",
        "so <think>a</think> <answer>«x»</answer>",
        "so <think><answer>«y»</answer></think>",
        "<Think><answer>«y»</answer></Think>",
        "<think>\r\nso\r\n</think>\r\n<answer>\r\n«x»\r\n</answer>",
    ],
)

THINKING_LAST_LINE: Block = (
    {"extract": ("last_line",)},
    ["<think>a\nb</think>\n«x»", "<think>a\nb", "<think>a</think>", "<think>a</think>\n", "<", "<th", "«<x»", "«<  x»"],
)

THINKING_WHOLE: Block = (
    {"thinking": "optional"},
    ["«x»", "<think>a</think>«x»", "<think>a</think>« x\n»", "<think>a", "<t", "«<x»", "«»", " <think>a</think>«»"],
)

OPENED: Block = (
    {"extract": ("whole",), "thinking": "opened"},
    ["a", "", "a</think>«x»", "a</think>«x</think>y»", "<think>a</think>«x»", "a</think>«»", "a\r\n</think>«\r\nx»"],
)

OPENED_AFTER: Block = (
    {"extract": ("after",), "thinking": "opened"},
    ["Answer: 1", "Answer: 1</think>", "Answer: 1</think>Answer: «2»", "</think>Answer: «2»"],
)

BLOCKS = [
    *(WHOLE, TAG, FENCE, LANGUAGE, NO_LANGUAGE, AFTER, MARKER, LAST_LINE, BOXED, NAMED_GROUP, OPTIONAL_GROUP, LIST),
    *(FENCE_OR_WHOLE, THINKING, THINKING_LAST_LINE, THINKING_WHOLE, OPENED, OPENED_AFTER),
]
