"""The value of a term in a model, by exact arithmetic: what confirms z3's models and definitions without z3.

Arrays are a default and the exceptions. Where SMT-LIB leaves the value open (division by zero), where there is a quantifier
and where the work runs out, there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

from rlsf_lightning.symbolic.verifiers.smt.language.sorts import Sort
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Symbol, Term

#: Steps of one evaluation, and bits of the largest number.
STEPS = 100_000
MAX_BITS = 20_000


class Unknown(Exception):
    """There is no answer."""


class Evaluator:
    """Values of terms.

    Args:
        values: of constants, by number.
        functions: definitions of functions that are declared only, by number.
    """

    def __init__(self, values: Mapping[str, Any], functions: Mapping[str, Symbol]) -> None:
        self.values, self.functions, self.steps = values, functions, STEPS

    def value(self, term: Term, local: Mapping[str, Any] | None = None) -> Any:
        """The value of a term. Raises Unknown."""
        self.steps -= 1
        if self.steps < 0:
            raise Unknown
        local = local or {}
        if term.name == "literal":
            return term.value
        if term.name == "symbol":
            return self._applied(term, local)
        if term.name in ("forall", "exists"):
            raise Unknown
        if term.name == "let":
            bound = {v.ident: self.value(t, local) for v, t in zip(term.variables, term.arguments[:-1], strict=True)}
            return self.value(term.arguments[-1], {**local, **bound})
        if term.name == "ite":
            chosen = term.arguments[1 if self.value(term.arguments[0], local) else 2]
            return self.value(chosen, local)
        found = [self.value(argument, local) for argument in term.arguments]
        result = _operate(term, found)
        if isinstance(result, int) and result.bit_length() > MAX_BITS:
            raise Unknown
        if (
            isinstance(result, Fraction)
            and max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS
        ):
            raise Unknown
        return result

    def _applied(self, term: Term, local: Mapping[str, Any]) -> Any:
        symbol = term.symbol
        assert symbol is not None
        if symbol.ident in local:
            return local[symbol.ident]
        symbol = self.functions.get(symbol.ident, symbol)
        if symbol.body is None:
            if symbol.parameters or symbol.ident not in self.values:
                raise Unknown
            return self.values[symbol.ident]
        given = [self.value(argument, local) for argument in term.arguments]
        return self.value(symbol.body, {v.ident: x for v, x in zip(symbol.variables, given, strict=True)})


def _operate(term: Term, found: list[Any]) -> Any:
    name, sort = term.name, term.arguments[0].sort if term.arguments else term.sort
    if name in _CORE:
        return _CORE[name](found)
    if name in ("=", "distinct"):
        if isinstance(sort, tuple) and sort[0] == "Array":
            found = [_normal(value, sort) for value in found]
        if name == "=":
            return all(value == found[0] for value in found)
        return all(a != b for i, a in enumerate(found) for b in found[:i])
    if name in _NUMBERS:
        return _NUMBERS[name](found)
    if name in ("div", "mod", "/"):
        return _divided(name, found)
    if name == "const":
        return (found[0], ())
    if name == "store":
        default, items = found[0]
        return (default, (*((k, v) for k, v in items if k != found[1]), (found[1], found[2])))
    if name == "select":
        return dict(found[0][1]).get(found[1], found[0][0])
    if name == "divisible":
        return found[0] % term.indices[0] == 0
    if name in ("int_to_bv", "int2bv", "nat2bv"):
        return found[0] % (1 << term.indices[0])
    return _bits(name, term, found)


def _normal(array: Any, sort: Sort) -> Any:
    """One form for equal arrays, where the index has infinitely many values."""
    if sort[1] not in ("Int", "Real"):
        raise Unknown
    default, items = array
    return (default, frozenset((k, v) for k, v in items if v != default))


def _chain(test: Callable[[Any, Any], bool]) -> Callable[[list[Any]], bool]:
    return lambda found: all(test(a, b) for a, b in pairwise(found))


def _implied(found: list[bool]) -> bool:
    return found[-1] or not all(found[:-1])


_CORE: dict[str, Callable[[list[Any]], Any]] = {
    "not": lambda found: not found[0],
    "and": all,
    "or": any,
    "xor": lambda found: sum(found) % 2 == 1,
    "=>": _implied,
}


def _product(found: list[Any]) -> Any:
    result = found[0]
    for value in found[1:]:
        if value.numerator.bit_length() + result.numerator.bit_length() > MAX_BITS:
            raise Unknown
        result = result * value
    return result


_NUMBERS: dict[str, Callable[[list[Any]], Any]] = {
    "+": sum,
    "-": lambda found: -found[0] if len(found) == 1 else found[0] - sum(found[1:]),
    "*": _product,
    "<": _chain(lambda a, b: a < b),
    "<=": _chain(lambda a, b: a <= b),
    ">": _chain(lambda a, b: a > b),
    ">=": _chain(lambda a, b: a >= b),
    "abs": lambda found: abs(found[0]),
    "to_real": lambda found: Fraction(found[0]),
    "to_int": lambda found: floor(found[0]),
    "is_int": lambda found: found[0] == floor(found[0]),
}


def _divided(name: str, found: list[Any]) -> Any:
    """SMT-LIB's division: the rest is never negative."""
    result = found[0]
    for by in found[1:]:
        if by == 0:
            raise Unknown
        if name == "/":
            result = Fraction(result) / by
        elif name == "mod":
            result = result % abs(by)
        else:
            result = (result // abs(by)) * (1 if by > 0 else -1)
    return result


def _bits(name: str, term: Term, found: list[Any]) -> Any:
    """Bit-vectors, as numbers from 0."""
    width = int(term.arguments[0].sort[1])
    whole = (1 << width) - 1
    a = found[0]
    if name == "concat":
        result = 0
        for argument, value in zip(term.arguments, found, strict=True):
            result = (result << int(argument.sort[1])) | value
        return result
    if len(found) == 1:
        return _of_one(name, term, a, width)
    if name in ("bvand", "bvor", "bvxor", "bvadd", "bvmul"):
        for b in found[1:]:
            a = {"bvand": a & b, "bvor": a | b, "bvxor": a ^ b, "bvadd": a + b, "bvmul": a * b}[name] & whole
        return a
    b = found[1]
    if name in _OVERFLOWS:
        return _overflows(name, a, b, width)
    if name in _UNSIGNED:
        return _UNSIGNED[name](a, b)
    if name in _SIGNED:
        return _SIGNED[name](_signed(a, width), _signed(b, width))
    return _of_two(name, a, b, width) & whole


def _of_one(name: str, term: Term, a: int, width: int) -> int:
    whole = (1 << width) - 1
    if name == "bvnot":
        return a ^ whole
    if name == "bvneg":
        return -a & whole
    if name in ("ubv_to_int", "bv2nat", "bv2int"):
        return a
    if name == "sbv_to_int":
        return _signed(a, width)
    if name == "bvnego":
        return a == 1 << (width - 1)
    if name == "extract":
        high, low = term.indices
        return (a >> low) & ((1 << (high - low + 1)) - 1)
    n = term.indices[0] if term.indices else 0
    if name == "zero_extend":
        return a
    if name == "sign_extend":
        return _signed(a, width) & ((1 << (width + n)) - 1)
    if name == "repeat":
        return sum(a << (i * width) for i in range(n))
    if name in ("rotate_left", "rotate_right"):
        n = n % width if name == "rotate_left" else -n % width
        return ((a << n) | (a >> (width - n))) & whole
    raise Unknown


def _of_two(name: str, a: int, b: int, width: int) -> int:
    whole = (1 << width) - 1
    x, y = _signed(a, width), _signed(b, width)
    if name == "bvudiv":
        return a // b if b else whole
    if name == "bvurem":
        return a % b if b else a
    if name == "bvsdiv":
        if b == 0:
            return 1 if x < 0 else whole
        return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    if name == "bvsrem":
        return (abs(x) % abs(y) * (1 if x >= 0 else -1)) if b else a
    if name == "bvsmod":
        return x % y if b else a
    if name == "bvshl":
        return a << b if b < width else 0
    if name == "bvlshr":
        return a >> b if b < width else 0
    if name == "bvashr":
        return x >> min(b, width)
    operations = {"bvnand": ~(a & b), "bvnor": ~(a | b), "bvsub": a - b, "bvxnor": ~(a ^ b)}
    if name not in operations:
        raise Unknown
    return operations[name]


def _overflows(name: str, a: int, b: int, width: int) -> bool:
    """Whether the result of an operation on unsigned or signed numbers is none of that width."""
    low, high = 0, (1 << width) - 1
    if name.startswith("bvs"):
        a, b, low, high = _signed(a, width), _signed(b, width), -(1 << (width - 1)), (1 << (width - 1)) - 1
    return not low <= _OVERFLOWS[name](a, b) <= high


def _signed(a: int, width: int) -> int:
    return a - (1 << width) if a >> (width - 1) else a


_UNSIGNED: dict[str, Callable[[int, int], Any]] = {
    "bvult": lambda a, b: a < b,
    "bvule": lambda a, b: a <= b,
    "bvugt": lambda a, b: a > b,
    "bvuge": lambda a, b: a >= b,
    "bvcomp": lambda a, b: int(a == b),
}
_OVERFLOWS: dict[str, Callable[[int, int], int]] = {
    "bvuaddo": lambda a, b: a + b,
    "bvsaddo": lambda a, b: a + b,
    "bvusubo": lambda a, b: a - b,
    "bvssubo": lambda a, b: a - b,
    "bvumulo": lambda a, b: a * b,
    "bvsmulo": lambda a, b: a * b,
    "bvsdivo": lambda a, b: -a if b == -1 else 0,  # no other quotient is larger than what is divided
}
_SIGNED: dict[str, Callable[[int, int], Any]] = {
    "bvslt": lambda x, y: x < y,
    "bvsle": lambda x, y: x <= y,
    "bvsgt": lambda x, y: x > y,
    "bvsge": lambda x, y: x >= y,
}
