"""Every metric once more, item by item, by other packages and plain loops: what the fast ones must equal."""

import json
import math

import sacrebleu
from jsonschema import Draft202012Validator
from rapidfuzz.distance import Levenshtein
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import MACCSkeys, rdMolDescriptors

RDLogger.DisableLog("rdApp.*")


def mean(values):
    kept = [float(value) for value in values if value is not None]
    return sum(kept) / len(kept) if kept else math.nan


def _each(of, *names):
    return lambda columns: mean([of(*row) for row in zip(*(columns[name] for name in names), strict=True)])


def _verdict(certificate, finished):
    if not finished:
        return 0
    return {"pass": 1, "fail": 0, "abstain": None}[certificate.verdict.value]


def _free_of(*kinds):
    def value(certificate, finished):
        if certificate.verdict.value == "abstain":
            return None if finished else 0
        return finished and not [f for f in certificate.findings if f.kind in kinds]

    return _each(value, "certificates", "is_finished")


def _share(pairs):
    over, under = 0, 0
    for one, all_of in pairs:
        over, under = over + one, under + all_of
    return over / under if under else math.nan


def molecule(smiles):
    if not smiles or "[H]" in smiles:  # C=[H] is none, though RDKit merges it into methane
        return None
    return Chem.MolFromSmiles(smiles)


def inchis(smiles):
    """The molecules between the dots as sorted InChIs, or None."""
    found = [molecule(part) for part in smiles.split(".")]
    return None if None in found else sorted(Chem.MolToInchi(each) for each in found)


def _largest(smiles):
    parts = [molecule(part) for part in smiles.split(".")]
    if None in parts:
        return None
    most = max(part.GetNumHeavyAtoms() for part in parts)
    return Chem.MolToInchi(max((p for p in parts if p.GetNumHeavyAtoms() == most), key=Chem.MolToSmiles))


def _same(of):
    return _each(lambda p, r: None if r is None else of(p) == of(r), "predictions", "references")


def _top(k):
    def value(samples, reference):
        if reference is None:
            return None
        ranked = []
        for sample in samples:
            found = inchis(sample)
            entry = next((entry for entry in ranked if entry[0] == found), None)
            if entry is None and found is not None:
                ranked.append([found, 1])
            elif entry is not None:
                entry[1] += 1
        ranked.sort(key=lambda entry: -entry[1])  # stable: of equally frequent ones the first
        return inchis(reference) in [found for found, _ in ranked[:k]]

    return _each(value, "samples", "references")


def _distinct(columns):
    pairs = []
    for samples in columns["samples"]:
        valid = [found for found in map(inchis, samples) if found is not None]
        pairs.append((len({tuple(found) for found in valid}), len(valid)))
    return _share(pairs)


def _tanimoto(bits):
    """Of sets of bits, or of counts: the sum of the lesser ones over the sum of the greater ones."""

    def value(prediction, reference):
        one, other = molecule(prediction), None if reference is None else molecule(reference)
        if one is None or other is None:
            return None
        ours, theirs = bits(one), bits(other)
        keys = ours.keys() | theirs.keys()
        if not keys:
            return 1
        return sum(min(ours.get(k, 0), theirs.get(k, 0)) for k in keys) / sum(
            max(ours.get(k, 0), theirs.get(k, 0)) for k in keys
        )

    return _each(value, "predictions", "references")


def _on(vector):
    return dict.fromkeys(DataStructs.cDataStructs.ExplicitBitVect.GetOnBits(vector), 1)


def _bleu(tokenize):
    def value(columns):
        pairs = [(p, r) for p, r in zip(columns["predictions"], columns["references"], strict=True) if r is not None]
        ours = [" ".join(p) if tokenize == "none" else p for p, _ in pairs]
        theirs = [" ".join(r) if tokenize == "none" else r for _, r in pairs]
        return sacrebleu.corpus_bleu(ours, [theirs], tokenize=tokenize, smooth_method="none", force=True).score / 100

    return value


def _steps(columns):
    pairs = []
    for certificate in columns["certificates"]:
        if "steps" not in certificate.witness:
            continue
        wrong, spans = 0, [step["span"] for step in certificate.witness["steps"]]
        bad = "number_not_available division_by_zero wrong_arithmetic wrong_remainder".split()
        starts = [span.start for f in certificate.findings if f.kind in bad for span in f.spans]
        for start, end in spans:
            wrong += any(at in range(start, end) for at in starts)
        unread = len([f for f in certificate.findings if f.kind in ("bad_step", "bad_character")])
        pairs.append((len(spans) - wrong, len(spans) + unread))
    return _share(pairs)


def _document(text):
    def unique(pairs):
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique), True
    except ValueError:
        return None, False


def _schema_valid(prediction, facts):
    if "schema" not in facts:
        return None
    value, is_json = _document(prediction)
    return is_json and Draft202012Validator(facts["schema"]).is_valid(value)


def _leaves(value, path=""):
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in _leaves(value[key], f"{path}/{key}")]
    if isinstance(value, list) and value:
        return [leaf for i, item in enumerate(value) for leaf in _leaves(item, f"{path}/#{i}")]
    return [(path, json.dumps(value))]


def _field_f1(columns):
    shared = fields = 0
    for prediction, reference in zip(columns["predictions"], columns["references"], strict=True):
        if reference is None or not _document(reference)[1]:
            continue
        value, is_json = _document(prediction)
        ours, theirs = _leaves(value) if is_json else [], _leaves(json.loads(reference))
        shared, fields = shared + sum(leaf in theirs for leaf in ours), fields + len(ours) + len(theirs)
    return 2 * shared / fields


def pass_at_k(k):
    """1 - the product of (n - c - i) / (n - i): the chance that k drawn one by one all fail."""

    def value(tried, passed):
        if tried < k:
            return None
        fails = 1.0
        for i in range(k):
            fails *= max(0, tried - passed - i) / (tried - i)
        return 1 - fails

    return _each(value, "tried", "passed")


def _held(columns):
    rows = [
        (c, f) for c, f in zip(columns["certificates"], columns["facts"], strict=True) if c.verdict.value != "abstain"
    ]
    return _share((len([row for row in c.witness.get("facts", []) if row["holds"]]), len(f["facts"])) for c, f in rows)


SYNTAX_24 = (
    "empty too_long bad_character missing_operand missing_operator unclosed_bracket extra_bracket bad_step".split()
)
BAD_SQL = (
    "ambiguous_column bad_character empty forbidden invalid_query misuse runtime_error syntax too_complex too_costly "
    "too_large too_long unclosed unexpected_end unknown_column unknown_function unknown_table wrong_arguments"
).split()
BAD_CPP = "call compile empty header link redeclared syntax template too_long type unbalanced undeclared".split()
#: By class name: (what predictions are, the value of drawn columns).
SLOW = {
    "PassRate": ("texts", _each(_verdict, "certificates", "is_finished")),
    "ExactMatch": (
        "texts",
        _each(lambda c, f, r: None if r is None else _verdict(c, f), "certificates", "is_finished", "references"),
    ),
    "MeanScore": ("texts", _each(lambda c: None if c.verdict.value == "abstain" else c.score, "certificates")),
    "AbstainRate": ("texts", _each(lambda c: c.verdict.value == "abstain", "certificates")),
    "FinishedRate": ("texts", _each(bool, "is_finished")),
    "Length": ("texts", _each(len, "predictions")),
    "LegalMoves": ("texts", _free_of(*SYNTAX_24, "number_not_available", "number_unused", "division_by_zero")),
    "AnswerAccuracy": ("texts", _free_of("empty", "too_long", "missing_answer", "wrong_answer")),
    "ValidQueries": ("texts", _free_of(*BAD_SQL)),
    "CompAcc": ("texts", _free_of(*BAD_CPP)),
    "StepsRight": (
        "texts",
        lambda columns: mean(s["holds"] for c in columns["certificates"] for s in c.witness.get("steps", [])),
    ),
    "StepValidity": ("texts", _steps),
    "FactsHeld": ("texts", _held),
    "Readable": (
        "texts",
        _each(lambda c: None if c.verdict.value == "abstain" else "smiles" in c.witness, "certificates"),
    ),
    "NameMatch": (
        "texts",
        _each(lambda p, t: None if t is None else p.strip().lower() == t.strip().lower(), "predictions", "targets"),
    ),
    "Bleu": ("molecules", _bleu("none")),
    "WordBleu": ("texts", _bleu("13a")),
    "Levenshtein": (
        "molecules",
        _each(lambda p, r: None if r is None else Levenshtein.distance(p, r), "predictions", "references"),
    ),
    "Validity": ("molecules", _each(lambda p: molecule(p) is not None, "predictions")),
    "AllValid": ("molecules", _each(lambda p: inchis(p) is not None, "predictions")),
    "SameMolecules": ("molecules", _same(inchis)),
    "MaxFrag": ("molecules", _same(_largest)),
    "TopK": ("molecules", _top(1)),
    "Top3": ("molecules", _top(3)),
    "Top5": ("molecules", _top(5)),
    "Distinct": ("molecules", _distinct),
    "MorganTanimoto": (
        "molecules",
        _tanimoto(lambda m: rdMolDescriptors.GetMorganFingerprint(m, 2).GetNonzeroElements()),
    ),
    "MACCSTanimoto": ("molecules", _tanimoto(lambda m: _on(MACCSkeys.GenMACCSKeys(m)))),
    "RDKTanimoto": ("molecules", _tanimoto(lambda m: _on(Chem.RDKFingerprint(m, maxPath=7, fpSize=2048)))),
    "SchemaValid": ("documents", _each(_schema_valid, "predictions", "facts")),
    "FieldF1": ("documents", _field_f1),
}
