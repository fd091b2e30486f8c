r"""How instruct models answer, at length. The answer is marked by « and »; no mark: there is none. See `answer_cases`."""

from answer_cases import Block

JSON_FENCES: Block = (
    {"extract": ("fence", "tag"), "language": ("json", "")},
    [
        'Sure! Here is the extracted record:\n\n```json\n«{"name": "Ada", "age": 36}»\n```\n\nLet me know if you need more.',
        'Here you go:\n```json\n«{\n  "items": [\n    {"sku": "A-1"}\n  ]\n}»\n```',
        "The **JSON** you asked for:\n\n```JSON\n«[]»\n```\n\n- `items` is empty.\n",
        'First the schema:\n```json\n{"type": "object"}\n```\nand then the object:\n```json\n«{"a": 1}»\n```',
        'I read the mail twice.\n\n```text\nFrom: x@example.org\n```\n\nHence\n\n```json\n«{"from": "x@example.org"}»\n```',
        '```json\n«{"code": "```"}»\n```',
        '````json\n«{"code": "```\\nx\\n```"}»\n````\nThe outer fence has four marks.',
        '```json\n«{"a": "b\\n"}»\n```\n```bash\njq . a.json\n```\nRun the second block to see it.',
        "I'm sorry, but I can't find a date in this text.",
        '{"a": 1}',
        '`{"a": 1}`',
        '```json {"a": 1}```',
        '```json\r\n«{"a": 1}»\r\n```\r\n\r\nDone.\r\n',
        'No fence, but tags: <answer>«{"a": 1}»</answer>',
        'Both: <answer>{"a": 1}</answer>\n```json\n«{"a": 2}»\n```',
        '```jsonc\n// a comment\n{"a": 1}\n```',
        '   ```json\n«   {"a": 1}»\n   ```',
        '* The record:\n\n  ```json\n«  {"a": 1}»\n  ```\n* That is all.',
        '### Result\n~~~json\n«{"a": 1}»\n~~~\n### Notes\nNone.',
        '```json\n«{"a": 1,»\n`',
        "Of course. The result is\n```json\n«null»\n```\nas nothing was ordered.",
    ],
)

SQL_FENCES: Block = (
    {"extract": ("fence", "whole"), "language": ("sql", "sqlite", "")},
    [
        "«SELECT name FROM t;»",
        "« SELECT name\nFROM t\n»",
        "We join both tables:\n\n```sql\n«SELECT a.x\nFROM a\nJOIN b ON a.id = b.id;»\n```\n\n**Explanation:** ...",
        "```sqlite\n«SELECT 1»\n```",
        "```SQL\n«SELECT 1;»\n```\n\nOutput:\n\n```text\n1\n```",
        "```sql\nSELECT 1;\n```\nWait, the column is `x`:\n```sql\n«SELECT x FROM t;»\n```",
        "```sql\n«-- all of them\nSELECT *\nFROM t -- ```\nWHERE x > 1»\n```",
        "```python\nimport sqlite3\n```\n\n```sql\n«SELECT 2»\n```",
        "«```mysql\nSELECT 1\n```»",
        "«Use `SELECT 1`.»",
        "```\n«SELECT 1»\n```\n\n| x |\n|---|\n| 1 |",
        "Step 1:\n```sql\nCREATE TEMP TABLE u AS SELECT 1;\n```\nStep 2:\n\n```sql\n«SELECT * FROM u;»\n```\n\nBye! 😊",
        "```sql\n«SELECT '\u00e9', \"\U0001f600\"»\n```",
        "```sql\r\n«SELECT x\r\nFROM t»\r\n```\r\nThat is it.",
        "```sql\n«SELECT x»",
        "```sql\n«SELECT x\nFROM t»\n``",
    ],
)

PROGRAMS: Block = (
    {"extract": ("fence",), "language": ("cpp", "c++", "cc")},
    [
        "A solution in C++:\n\n```cpp\n«#include <iostream>\nint main() {\n  std::cout << 1;\n}»\n```\n\nIt runs in O(1).",
        "```c++\n«int main() {}»\n```\nCompile it with:\n```bash\ng++ -O2 a.cpp && ./a.out\n```\nIt prints\n```\n1\n```",
        "Python first:\n```python\nprint(1)\n```\nNow C++:\n```cpp\n«int main() {}»\n```",
        "```cpp\nint main() { return 1; }\n```\nThe above is wrong. Fixed:\n```cpp\n«int main() { return 0; }»\n```",
        '```cpp\n«int main() {\n  puts("```");\n}»\n```',
        "```cpp\n«int main() {\n\n\n}»\n```",
        '```cpp\n«int main() {\n\tputs(R"(~~~)");\n}\n»\n```\n',
        "```C++ {.numberLines}\n«int main() {}»\n```",
        "```{.cpp}\nint main() {}\n```",
        "```c\nint main() {}\n```",
        "int main() {}",
        "```cpp\n«int main() {\n  // unfinished»",
        "```cpp\n«»\n```\nThe program is empty.",
        "**Code**\n```cpp\n«int a;»\n```\n**Input**\n```\n3\n```\n**Output**\n```\n4\n```",
        "~~~~cpp\n«int a;\n~~~\nint b;»\n~~~~",
        "<think>Use a map.</think>\n```cpp\n«int a;»\n```",
        "<think>\n```cpp\nint draft;\n```\n</think>\n\n```cpp\n«int a;»\n```",
        "<think>\n```cpp\nint draft;\n```\n",
    ],
)

ANSWER_LINES: Block = (
    {"extract": ("after",), "marker": "Final answer:"},
    [
        "Let me think step by step.\n1. 3 + 4 = 7\n2. 7 * 2 = 14\n\nFinal answer: «14»",
        "Final answer: «14 apples.»\n",
        "Final answer: 13\n\nHold on, I forgot one.\n\nFinal answer: «14»\n",
        "**Final answer:«** 14»",
        "Final answer: «$\\boxed{14}$»",
        "Final answer:\n\n«14»",
        "Final answer:\r\n«14»\r\n",
        "The final answer: 14",
        "I would say 14.",
        "Final answer: «`CCO`»",
        "## Final answer: «(8 - 4) * (10 - 4) = 24»",
        "<think>Final answer: 3</think>Final answer: «14»",
        "<think>Final answer: 3",
        "Final answer: «14\n\nIs there anything else I can help with?»",
        "Final answer:   \n",
        "Final answer: «\u2212 14\u00a0%»",
    ],
)

HASHES: Block = (
    {"extract": ("after", "regex"), "marker": "####", "pattern": r"\\boxed\{([^{}]*)\}"},
    [
        "She sold 48/2 = <<48/2=24>>24 clips in May.\n48 + 24 = <<48+24=72>>72\n#### «72»",
        "So it costs $5.\n\n#### «$5»\n",
        r"We get $x = 3$, hence $\boxed{«3»}$.",
        r"\[ x = \boxed{«\sqrt 2»} \]",
        "\\boxed{1}\n#### «2»",
        "#### Step 1\nAdd.\n#### «Step 2\nMultiply: 12»",
        "The answer is 12.",
        r"$\boxed{12",
    ],
)

TAGS: Block = (
    {"extract": ("tag", "fence", "last_line")},
    [
        "<think>\nThe ring has six atoms.\n</think>\n<answer>«C1CCCCC1»</answer>",
        "<think>\r\nsix\r\n</think>\r\n\r\n<answer>«C1CCCCC1»</answer>\r\n",
        "Reasoning: aromatic, six carbons.\n\n<answer>\n«c1ccccc1»\n</answer>\n\nThis is benzene.",
        "<answer>«SMILES: CCO»</answer>",
        "<answer>«CCO»</answer> or maybe <answer>CCN</answer>?",
        "<answer>«```smiles\nCCO\n```»</answer>",
        "The SMILES is:\n```smiles\n«CCO»\n```",
        "The SMILES is:\n\n«CCO»\n",
        "The SMILES is\n\n    «CCO»\n\n\n",
        "«The SMILES is `CCO`.»",
        "- Name: ethanol\n«- SMILES: CCO»",
        "<Answer>\n«CCO</Answer>»",
        "<answer>«CCO»",
        "<answer>«CCO» </answ",
        "<think>First thought</think><think>second</think><answer>«CCO»</answer>",
        "<think><think>nested</think></think><answer>«CCO»</answer>",
        "<reasoning>x</reasoning>\n<answer>«CCO»</answer>",
        "&lt;answer&gt;\n«CCO»",
        "That is it:\n<answer>«»",
        "<answer>«CC(=O)O[C@@H](C)C(=O)N[C@H]1CCCC1»</answer>\n\nStereochemistry was kept.",
    ],
)

LAST_LINES: Block = (
    {"extract": ("last_line",)},
    [
        "The name follows.\n\n«2-methylpropan-1-ol»",
        "The name follows.\n\n«**2-methylpropan-1-ol**»",
        "«2-methylpropan-1-ol»\n\n",
        "2-methylpropan-1-ol\n\n«Let me know if you need anything else!»",
        "| name |\n|---|\n«| 2-methylpropan-1-ol |»",
        "8 - 4 = 4 (left: 4 4 10)\r\n10 - 4 = 6 (left: 4 6)\r\n«4 * 6 = 24 (left: 24)»\r\n",
        "```\nCCO\n«```»",
        "«\ufeffCCO»",
        "\u3000«CCO»\u3000\n",
        "<think>draft</think>\n\n«CCO»",
    ],
)

INSTRUCT = [JSON_FENCES, SQL_FENCES, PROGRAMS, ANSWER_LINES, HASHES, TAGS, LAST_LINES]
