"""A product and what a step does with it as one LLVM function: what the product makes stays in the nearest cache.

function(table, n, at, K) as in `lstmbench.model.fused.loop`, and K is how long the product is: made = x (n, K) by
panels. A panel holds what sixteen columns are multiplied by, K rows of it; each sixteen units have `group` of them.
Six rows by four panels at a time are summed in 24 of AVX-512's 32 registers; where that is not to be had, do not.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

from lstmbench.model.fused.lanes import FLOATS, WIDTH, Lanes, constant
from lstmbench.model.fused.loop import (
    LONG,
    Array,
    Body,
    Columns,
    Place,
    begun,
    counting,
    first_columns,
    long,
    moved,
    placed,
    rows_at,
)

ROWS, PANELS = 6, 4
FLOAT, INDEX = ir.FloatType(), ir.IntType(32)


class Made:
    """What the product made for one row and sixteen units: made[k] by panel k of theirs."""

    def __init__(self, builder: ir.IRBuilder, sums: ir.Value, first: ir.Value) -> None:
        self._builder, self._sums, self._first = builder, sums, first

    def __getitem__(self, panel: int) -> Lanes:
        pointer = _vector(self._builder, self._sums, self._builder.add(self._first, long(panel)))
        return Lanes(self._builder, self._builder.load(pointer, typ=FLOATS, align=64))


def over_blocks(name: str, made: str, group: int, arrays: list[Array], body: Body) -> ir.Module:
    """A module with one function, which does `body` to all columns of n rows; the first two arrays are x and panels.

    `body` knows what the product made by the name `made`.
    """
    builder, (table, n, at, K) = begun(ir.Module(name))
    H, (x, panels, *places) = placed(builder, table, arrays)
    sums = builder.alloca(FLOATS, ROWS * PANELS)
    sums.align = 64
    block = _Block(builder, [builder.alloca(FLOATS) for _ in range(ROWS * PANELS)], sums)
    widest = PANELS // group
    with _parts(builder, _vectors(builder, H), widest) as (u_0, U), _parts(builder, n, ROWS) as (r_0, M):
        block.multiply(_from(builder, x, r_0), _from(builder, panels, builder.mul(u_0, long(group))), K, (M, U, group))
        with counting(builder, M) as r, counting(builder, U) as u:
            here = rows_at(builder, places, builder.add(r_0, r), at)
            first = builder.add(builder.mul(r, long(PANELS)), builder.mul(u, long(group)))
            column = builder.mul(builder.add(u_0, u), long(WIDTH))
            rest = builder.sub(H, column)
            whole = builder.icmp_signed(">=", rest, long(WIDTH))
            with builder.if_else(whole) as (inside, across):
                for branch, masked in ((inside, False), (across, True)):
                    with branch:
                        columns = Columns(builder, H, column, first_columns(builder, rest) if masked else None)
                        body({**here.columns(columns), made: Made(builder, sums, first)})
    builder.ret_void()
    return builder.module


class _Block:
    """Sums of up to six rows by four panels: in registers while they grow, in memory, a row of four each, after."""

    def __init__(self, builder: ir.IRBuilder, registers: list[ir.Value], sums: ir.Value) -> None:
        self._builder, self._registers, self._sums = builder, registers, sums

    def multiply(self, x: Place, panels: Place, K: ir.Value, size: tuple[ir.Value, ir.Value, int]) -> None:
        """Write every size that there may be, and choose when it runs."""
        rows, units, group = size
        for m in range(1, ROWS + 1):
            for u in range(1, PANELS // group + 1):
                is_m = self._builder.icmp_signed("==", rows, long(m))
                with self._builder.if_then(self._builder.and_(is_m, self._builder.icmp_signed("==", units, long(u)))):
                    self._one_size(_each(self._builder, x, m), _each(self._builder, panels, u * group), K)

    def _one_size(self, x: list[ir.Value], panels: list[ir.Value], K: ir.Value) -> None:
        builder = self._builder
        used = [self._registers[r * PANELS : r * PANELS + len(panels)] for r in range(len(x))]
        for register in (register for of_row in used for register in of_row):
            builder.store(constant(FLOATS, 0), register)
        with counting(builder, K) as k:
            weights = [Lanes(builder, builder.load(_vector(builder, p, k), typ=FLOATS, align=4)) for p in panels]
            for row, of_row in zip(x, used, strict=True):
                number = _everywhere(builder, builder.gep(row, [k], source_etype=FLOAT))
                for weight, register in zip(weights, of_row, strict=True):
                    total = number * weight + Lanes(builder, builder.load(register, typ=FLOATS))
                    builder.store(total.value, register)
        for r, of_row in enumerate(used):
            for k, register in enumerate(of_row):
                place = _vector(builder, self._sums, long(r * PANELS + k))
                builder.store(builder.load(register, typ=FLOATS), place, align=64)


@contextmanager
def _parts(builder: ir.IRBuilder, total: ir.Value, most: int) -> Iterator[tuple[ir.Value, ir.Value]]:
    """Repeat what is written inside for parts of about one size, at most `most`: the first, and how many."""
    count = builder.sdiv(builder.add(total, long(most - 1)), long(most))
    each, longer = builder.sdiv(total, count), builder.srem(total, count)
    with counting(builder, count) as k:
        is_longer = builder.icmp_signed("<", k, longer)
        before = builder.select(is_longer, k, longer)
        yield builder.add(builder.mul(k, each), before), builder.add(each, builder.zext(is_longer, LONG))


def _vectors(builder: ir.IRBuilder, H: ir.Value) -> ir.Value:
    return builder.sdiv(builder.add(H, long(WIDTH - 1)), long(WIDTH))


def _from(builder: ir.IRBuilder, place: Place, row: ir.Value) -> Place:
    return place._replace(address=builder.add(place.address, builder.mul(place.stride, row)))


def _each(builder: ir.IRBuilder, place: Place, count: int) -> list[ir.Value]:
    return [moved(builder, place.address, place.stride, long(row)) for row in range(count)]


def _vector(builder: ir.IRBuilder, first: ir.Value, k: ir.Value) -> ir.Value:
    return builder.gep(first, [k], source_etype=FLOATS)


def _everywhere(builder: ir.IRBuilder, pointer: ir.Value) -> Lanes:
    """Sixteen times the number that stands there."""
    number, undefined = builder.load(pointer, typ=FLOAT, align=4), ir.Constant(FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(INDEX, 0))
    lanes = ir.Constant(ir.VectorType(INDEX, WIDTH), [0] * WIDTH)
    return Lanes(builder, builder.shuffle_vector(first, undefined, lanes))
