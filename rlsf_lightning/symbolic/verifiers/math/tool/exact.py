"""Exact comparison of two SymPy objects: numbers, expressions, tuples, sets, intervals, inequalities, matrices.

Runs in the child process alone. True and False are certain; None: nothing certain can be said. Numbers are never compared to a
number of decimal places: they differ where enclosures of both are apart, and are equal where that is proved.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy

#: Significant digits to which numbers are told apart.
_DIGITS = (30, 120, 400)
#: Where two expressions are evaluated; no one of them is likely to be special.
_POINTS = ((17, 13), (-29, 11), (101, 37))
_MOST_ITEMS = 60
_RELATIONS = (sympy.core.relational.Relational, sympy.And, sympy.Or)


def same(one: Any, other: Any, is_rounded: bool = False) -> bool | None:
    """Whether both are the same.

    Args:
        is_rounded: both have decimals; irrational numbers are then compared to a billionth of their size.
    """
    one, other = _unwrapped(one, other)
    if isinstance(one, sympy.Expr) != isinstance(other, sympy.Expr):
        one, other = _only(one), _only(other)
    if isinstance(one, sympy.MatrixBase) or isinstance(other, sympy.MatrixBase):
        return _same_matrices(one, other, is_rounded)
    ours, theirs = _items(one, other), _items(other, one)
    if ours is not None and theirs is not None:
        is_ordered = isinstance(one, sympy.Tuple | sympy.Interval) or isinstance(other, sympy.Tuple | sympy.Interval)
        return _same_items(ours, theirs, is_ordered, is_rounded)
    if isinstance(one, _RELATIONS) or isinstance(other, _RELATIONS):
        return _same_relations(one, other, is_rounded)
    if isinstance(one, sympy.Set) or isinstance(other, sympy.Set):
        return _same_sets(one, other, is_rounded)
    if isinstance(one, sympy.Expr) and isinstance(other, sympy.Expr):
        return _same_expressions(_plain(one), _plain(other), is_rounded)
    return None


def _unwrapped(one: Any, other: Any) -> tuple[Any, Any]:
    """`x = 3` is 3 beside a value, and beside another equation of x."""
    names = [_assigned(one), _assigned(other)]
    if names[0] is not None and (names[0] == names[1] or not isinstance(other, _RELATIONS)):
        one = one.rhs
    if names[1] is not None and (names[0] == names[1] or not isinstance(one, _RELATIONS)):
        other = other.rhs
    return _values(one), _values(other)


def _only(value: Any) -> Any:
    """The one element of a set that stands beside a number."""
    return value.args[0] if isinstance(value, sympy.FiniteSet) and len(value.args) == 1 else value


def _assigned(value: Any) -> str | None:
    return value.lhs.name if isinstance(value, sympy.Eq) and isinstance(value.lhs, sympy.Symbol) else None


def _values(value: Any) -> Any:
    """Of `x = 1 or x = 2` the set of both values, of `x < 1 or x > 2` the disjunction."""
    if not isinstance(value, sympy.FiniteSet) or not value.args:
        return value
    names = {_assigned(item) for item in value.args}
    if len(names) == 1 and None not in names:
        return sympy.FiniteSet(*(item.rhs for item in value.args))
    if all(isinstance(item, _RELATIONS) for item in value.args) and None in names:
        return sympy.Or(*value.args)
    return value


def _items(value: Any, beside: Any) -> list[Any] | None:
    """Of a list or a tuple; a pair in round brackets is read as an interval, and is a pair beside a list or tuple."""
    if isinstance(value, sympy.Interval) and value.left_open and value.right_open:
        return list(value.args[:2]) if isinstance(beside, sympy.Tuple | sympy.FiniteSet) and beside.args else None
    if isinstance(value, sympy.Tuple):
        return list(value.args)
    if isinstance(value, sympy.FiniteSet) and value.args:
        return list(getattr(value, "_unsorted_args", value.args))
    return None


def _same_items(ours: list[Any], theirs: list[Any], is_ordered: bool, is_rounded: bool) -> bool | None:
    """Pair by pair, in order or in any."""
    if len(ours) != len(theirs):
        return False
    if len(ours) > _MOST_ITEMS:
        return None
    if is_ordered:
        return _all(same(a, b, is_rounded) for a, b in zip(ours, theirs, strict=True))
    left = list(theirs)
    for item in ours:
        found = [same(item, candidate, is_rounded) for candidate in left]
        if True in found:
            left.pop(found.index(True))
        else:
            return None if None in found else False
    return True


def _all(answers: Any) -> bool | None:
    got = list(answers)
    return False if False in got else None if None in got else True


def _same_matrices(one: Any, other: Any, is_rounded: bool) -> bool | None:
    if not isinstance(one, sympy.MatrixBase) or not isinstance(other, sympy.MatrixBase):
        return None
    if one.shape != other.shape:
        return False
    return _same_items(list(one), list(other), True, is_rounded)


def _same_sets(one: Any, other: Any, is_rounded: bool) -> bool | None:
    """Of intervals and their unions."""
    if not isinstance(one, sympy.Set) or not isinstance(other, sympy.Set):
        return None
    one, other = one.doit(), other.doit()
    if one == other:
        return True
    ours, theirs = _intervals(one), _intervals(other)
    if ours is None or theirs is None:
        return None
    if len(ours) != len(theirs):
        return False if _is_disjoint(ours, theirs) else None
    return _all(
        (a.left_open, a.right_open) == (b.left_open, b.right_open)
        and _all((_same_ends(a.start, b.start, is_rounded), _same_ends(a.end, b.end, is_rounded)))
        for a, b in zip(ours, theirs, strict=True)
    )


def _same_ends(one: Any, other: Any, is_rounded: bool) -> bool | None:
    if one.is_infinite or other.is_infinite:
        return bool(one == other)
    return _same_expressions(_plain(one), _plain(other), is_rounded)


def _intervals(value: Any) -> list[Any] | None:
    """The intervals of a set of numbers, from left to right; points are intervals."""
    if value is sympy.S.EmptySet:
        return []
    found: list[Any] = []
    for part in value.args if isinstance(value, sympy.Union) else (value,):
        if isinstance(part, sympy.Interval):
            found.append(part)
        elif isinstance(part, sympy.FiniteSet):
            found += [sympy.Interval(item, item, evaluate=False) for item in part.args]
        elif part is sympy.S.Reals:
            found.append(sympy.Interval(-sympy.oo, sympy.oo))
        else:
            return None
    if any(end.free_symbols for part in found for end in (_start(part), _end(part))):
        return found if len(found) == 1 else None
    return sorted(found, key=lambda part: (_start(part).evalf(50), _end(part).evalf(50)))


def _start(part: Any) -> Any:
    return part.args[0]


def _end(part: Any) -> Any:
    return part.args[1]


def _is_disjoint(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether each list is of intervals that do not touch, so that another number of them is another set."""
    return all(bool(_end(a) < _start(b)) for parts in (ours, theirs) for a, b in pairwise(parts))


def _same_relations(one: Any, other: Any, is_rounded: bool) -> bool | None:
    """Inequalities of one unknown as sets; others where one is a multiple of the other."""
    pair = [_solved(value) for value in (one, other)]
    if pair[0] is not None and pair[1] is not None and isinstance(one, _RELATIONS) != isinstance(other, _RELATIONS):
        return _same_sets(pair[0], pair[1], is_rounded)
    if pair[0] is not None and pair[1] is not None:
        return _same_sets(pair[0], pair[1], is_rounded) if one.free_symbols == other.free_symbols else False
    if type(one) is not type(other) or not isinstance(one, sympy.core.relational.Relational):
        return None
    ratio = sympy.simplify((_plain(one.lhs) - _plain(one.rhs)) / (_plain(other.lhs) - _plain(other.rhs)))
    if ratio.free_symbols or not ratio.is_number or ratio.is_zero is not False:
        return None
    return True if isinstance(one, sympy.Eq | sympy.Ne) or ratio.is_positive else None


def _solved(value: Any) -> Any:
    """The set of numbers; None: it is none, or an equation (which is no set beside a value)."""
    if isinstance(value, sympy.Set):
        return value
    if not isinstance(value, _RELATIONS) or isinstance(value, sympy.Eq) or len(value.free_symbols) != 1:
        return None
    (name,) = value.free_symbols
    real = sympy.Symbol("t", real=True)
    try:
        return value.subs(name, real).doit().as_set()
    except (NotImplementedError, AttributeError, TypeError, ValueError):
        return None


def _plain(value: Any) -> Any:
    """Evaluated, with a per-cent sign as a hundredth, and i as the imaginary unit."""
    value = value.replace(lambda part: isinstance(part, sympy.UnevaluatedExpr), lambda part: part.args[0]).doit()
    return value.subs({name: sympy.I for name in value.free_symbols if name.name == "i"})


def _same_expressions(one: Any, other: Any, is_rounded: bool) -> bool | None:
    if one == other:
        return one not in (sympy.nan, sympy.zoo) or None
    if any(value.has(sympy.nan, sympy.zoo) for value in (one, other)):
        return None
    if not one.free_symbols and not other.free_symbols:
        return _same_numbers(one, other, is_rounded)
    difference = one - other
    if sympy.expand(difference) == 0:
        return True
    if one.free_symbols != other.free_symbols and difference.is_polynomial():
        return False
    if difference.is_rational_function():
        return bool(sympy.expand(sympy.fraction(sympy.together(difference))[0]) == 0)
    for over, under in _POINTS:
        point = {
            name: sympy.Rational(over + 7 * i, under) for i, name in enumerate(sorted(difference.free_symbols, key=str))
        }
        values = one.subs(point), other.subs(point)
        if not any(value.has(sympy.nan, sympy.zoo) for value in values) and _same_numbers(*values, False) is False:
            return False
    return True if sympy.simplify(difference) == 0 else None


def _same_numbers(one: Any, other: Any, is_rounded: bool) -> bool | None:
    if one.is_Rational and other.is_Rational:
        return bool(one == other)
    if one.is_infinite or other.is_infinite:
        return bool(one == other)
    difference = sympy.expand(one - other)
    if difference.is_Rational:
        return bool(difference == 0)
    for digits in _DIGITS:
        values = [sympy.N(value, digits + 10) for value in (one, other)]
        if not all((value.is_number and value.is_comparable) or value.has(sympy.I) for value in values):
            return None
        size, apart = max(abs(value) for value in values), abs(values[0] - values[1])
        if apart > size / sympy.Integer(10) ** digits:
            return bool(is_rounded and apart < size / 10**9)
    if difference.is_zero or sympy.simplify(difference) == 0:
        return True
    return True if difference.equals(0) else None
