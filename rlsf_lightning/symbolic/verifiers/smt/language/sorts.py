"""Sorts, and the closed table of the operators that terms may use: Core, Ints, Reals, FixedSizeBitVectors, ArraysEx.

An operator's rule takes the indices and the sorts of the arguments and gives the sort of the result, or raises
:class:`Misfit` with the arguments that are wrong. Where Int and Real meet, as in ``(+ r 1)``, the Int is converted: that is
the one liberty that is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

#: "Bool", "Int", "Real", ("BitVec", n), ("Array", index, element), ("Sort", name).
Sort = str | tuple
#: Bits of the widest bit-vector.
MAX_WIDTH = 512


class Misfit(Exception):
    """Arguments that an operator does not take: ``arguments`` are their numbers, none for a wrong count of them."""

    def __init__(self, kind: str, message: str, arguments: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.kind, self.message, self.arguments = kind, message, tuple(arguments)


class Rule(NamedTuple):
    """How many arguments (``most`` None: any number), how many indices, and the sort of the result."""

    least: int
    most: int | None
    indices: int
    result: Callable[[Sequence[int], list[Sort]], Sort]


def sort_name(sort: Sort, declared: int = 1) -> str:
    """As SMT-LIB writes it; ``declared`` says which part of a declared sort is written, 1 its name or 2 its number.

    >>> sort_name(("Array", "Int", ("BitVec", 8)))
    '(Array Int (_ BitVec 8))'
    """
    if isinstance(sort, str):
        return sort
    if sort[0] == "BitVec":
        return f"(_ BitVec {sort[1]})"
    if sort[0] == "Sort":
        return str(sort[declared])
    return f"(Array {sort_name(sort[1], declared)} {sort_name(sort[2], declared)})"


def _need(sorts: list[Sort], wanted: Sort) -> None:
    wrong = [i for i, sort in enumerate(sorts) if sort != wanted]
    if wrong:
        raise Misfit("wrong_sort", f"{sort_name(wanted)} is needed here, this is {sort_name(sorts[wrong[0]])}", wrong)


def _alike(sorts: list[Sort]) -> Sort:
    """One sort for all, Int and Real together being Real."""
    if "Real" in sorts and all(sort in ("Int", "Real") for sort in sorts):
        return "Real"
    same = ("Int", "Real") if sorts[0] in ("Int", "Real") else (sorts[0],)
    wrong = [i for i, sort in enumerate(sorts) if sort not in same]
    if wrong:
        others = sort_name(sorts[wrong[0]])
        message = f"arguments of one sort are needed, these are {sort_name(sorts[0])} and {others}"
        raise Misfit("wrong_sort", message, range(len(sorts)) if len(sorts) == 2 else wrong)
    return sorts[0]


def _bools(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _need(sorts, "Bool")
    return "Bool"


def _equal(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _alike(sorts)
    return "Bool"


def _ite(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    if sorts[0] != "Bool":
        raise Misfit("wrong_sort", f"a condition is Bool, this is {sort_name(sorts[0])}", (0,))
    try:
        return _alike(sorts[1:])
    except Misfit as misfit:
        raise Misfit(misfit.kind, misfit.message, [number + 1 for number in misfit.arguments]) from None


def _numbers(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    wrong = [i for i, sort in enumerate(sorts) if sort not in ("Int", "Real")]
    if wrong:
        raise Misfit("wrong_sort", f"a number is needed here, this is {sort_name(sorts[wrong[0]])}", wrong)
    return "Real" if "Real" in sorts else "Int"


def _compared(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _numbers(indices, sorts)
    return "Bool"


def _quotient(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _numbers(indices, sorts)
    return "Real"


def _fixed(arguments: Sort, result: Sort) -> Callable[[Sequence[int], list[Sort]], Sort]:
    def rule(indices: Sequence[int], sorts: list[Sort]) -> Sort:
        if arguments == "Real":
            _numbers(indices, sorts)
        else:
            _need(sorts, arguments)
        return result

    return rule


def _vectors(sorts: list[Sort]) -> None:
    wrong = [i for i, sort in enumerate(sorts) if not isinstance(sort, tuple) or sort[0] != "BitVec"]
    if wrong:
        raise Misfit("wrong_sort", f"a bit-vector is needed here, this is {sort_name(sorts[wrong[0]])}", wrong)


def _same_width(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _vectors(sorts)
    return _alike(sorts)


def _vector_test(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _same_width(indices, sorts)
    return "Bool"


def _one_bit(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _same_width(indices, sorts)
    return ("BitVec", 1)


def _widened(width: Callable[[int, list[int]], int]) -> Callable[[Sequence[int], list[Sort]], Sort]:
    def rule(indices: Sequence[int], sorts: list[Sort]) -> Sort:
        _vectors(sorts)
        return _checked_width(width(indices[0] if indices else 0, [sort[1] for sort in sorts]))  # type: ignore[misc]

    return rule


def _checked_width(wide: int) -> Sort:
    if not 0 < wide <= MAX_WIDTH:
        raise Misfit("too_large", f"a bit-vector of {wide} bits; they have from 1 to {MAX_WIDTH}")
    return ("BitVec", wide)


def _extracted(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _vectors(sorts)
    high, low, width = indices[0], indices[1], int(sorts[0][1])
    if not low <= high < width:
        raise Misfit("wrong_sort", f"there are no bits {high} to {low} in {sort_name(sorts[0])}", (0,))
    return ("BitVec", high - low + 1)


def _number_of_bits(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _vectors(sorts)
    return "Int"


def _bits_of_number(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _need(sorts, "Int")
    return _checked_width(indices[0])


def _divisible(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    _need(sorts, "Int")
    if indices[0] < 1:
        raise Misfit("wrong_sort", "a divisor above 0 is needed", (0,))
    return "Bool"


def _selected(indices: Sequence[int], sorts: list[Sort]) -> Sort:
    if not isinstance(sorts[0], tuple) or sorts[0][0] != "Array":
        raise Misfit("wrong_sort", f"an array is needed here, this is {sort_name(sorts[0])}", (0,))
    for i, wanted in enumerate(sorts[0][1:], 1):
        if i < len(sorts) and sorts[i] != wanted:
            raise Misfit("wrong_sort", f"{sort_name(wanted)} is needed here, this is {sort_name(sorts[i])}", (i,))
    result: Sort = sorts[0] if len(sorts) == 3 else sorts[0][2]
    return result


_VECTOR_TESTS = "bvult bvule bvugt bvuge bvslt bvsle bvsgt bvsge".split()
_VECTOR_PAIRS = "bvudiv bvurem bvsdiv bvsrem bvsmod bvshl bvlshr bvashr bvnand bvnor bvsub bvxnor".split()
_OVERFLOWS = "bvuaddo bvsaddo bvusubo bvssubo bvumulo bvsmulo bvsdivo".split()

#: Of SMT-LIB 2.7, with the names that some of them had before. As for z3, a text may give such a name another meaning.
NEWER: dict[str, Rule] = {
    **{name: Rule(1, 1, 0, _number_of_bits) for name in ("ubv_to_int", "sbv_to_int", "bv2nat", "bv2int")},
    **{name: Rule(1, 1, 1, _bits_of_number) for name in ("int_to_bv", "int2bv", "nat2bv")},
    **{name: Rule(2, 2, 0, _vector_test) for name in _OVERFLOWS},
    "bvnego": Rule(1, 1, 0, _vector_test),
    "divisible": Rule(1, 1, 1, _divisible),
}
OPERATORS: dict[str, Rule] = {
    "not": Rule(1, 1, 0, _bools),
    **{name: Rule(2, None, 0, _bools) for name in ("=>", "xor")},
    **{name: Rule(1, None, 0, _bools) for name in ("and", "or")},
    **{name: Rule(2, None, 0, _equal) for name in ("=", "distinct")},
    "ite": Rule(3, 3, 0, _ite),
    **{name: Rule(2, None, 0, _numbers) for name in ("+", "*")},
    "-": Rule(1, None, 0, _numbers),
    **{name: Rule(2, None, 0, _compared) for name in ("<", "<=", ">", ">=")},
    "/": Rule(2, None, 0, _quotient),
    "div": Rule(2, None, 0, _fixed("Int", "Int")),
    "mod": Rule(2, 2, 0, _fixed("Int", "Int")),
    "abs": Rule(1, 1, 0, _fixed("Int", "Int")),
    "to_real": Rule(1, 1, 0, _fixed("Int", "Real")),
    "to_int": Rule(1, 1, 0, _fixed("Real", "Int")),
    "is_int": Rule(1, 1, 0, _fixed("Real", "Bool")),
    **{name: Rule(2, 2, 0, _vector_test) for name in _VECTOR_TESTS},
    **{name: Rule(2, 2, 0, _same_width) for name in _VECTOR_PAIRS},
    **{name: Rule(2, None, 0, _same_width) for name in ("bvand", "bvor", "bvxor", "bvadd", "bvmul")},
    **{name: Rule(1, 1, 0, _same_width) for name in ("bvnot", "bvneg")},
    "bvcomp": Rule(2, 2, 0, _one_bit),
    "concat": Rule(2, None, 0, _widened(lambda n, widths: sum(widths))),
    "extract": Rule(1, 1, 2, _extracted),
    "repeat": Rule(1, 1, 1, _widened(lambda n, widths: n * widths[0])),
    **{name: Rule(1, 1, 1, _widened(lambda n, widths: n + widths[0])) for name in ("zero_extend", "sign_extend")},
    **{name: Rule(1, 1, 1, _same_width) for name in ("rotate_left", "rotate_right")},
    "select": Rule(2, 2, 0, _selected),
    "store": Rule(3, 3, 0, _selected),
    **NEWER,
}
#: Operators whose Int arguments are converted where others are Real (or, for the last ones, always).
_MIXED = frozenset("= distinct + * - < <= > >=".split())
_REAL = frozenset(("/", "to_int", "is_int"))


def wanted_sorts(name: str, sorts: list[Sort]) -> list[Sort]:
    """The sorts that the arguments have to be converted to."""
    if name in _REAL or (name in _MIXED and "Real" in sorts):
        return ["Real"] * len(sorts)
    if name == "ite" and "Real" in sorts[1:]:
        return [sorts[0], "Real", "Real"]
    return sorts


def result_of(name: str, indices: Sequence[int], sorts: list[Sort]) -> Sort:
    """The sort of an operator's result. Raises Misfit."""
    rule = OPERATORS[name]
    if len(sorts) < rule.least or (rule.most is not None and len(sorts) > rule.most):
        some = f"{rule.least}" if rule.most == rule.least else f"{rule.least} or more" if rule.most is None else ""
        raise Misfit(
            "wrong_arity", f"{name} takes {some or f'{rule.least} to {rule.most}'} arguments, not {len(sorts)}"
        )
    return rule.result(indices, sorts)
