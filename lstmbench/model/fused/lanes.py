"""Arithmetic on sixteen float32 numbers at once, as LLVM instructions: what is written here is compiled, not run.

Sixteen fill a register of AVX-512; LLVM splits them where registers are shorter. A product and a sum may be contracted
to one instruction; nothing else is reordered, so NaN and infinity go through as IEEE 754 has it. sigmoid and tanh are
within 2.5 units in the last place, down to the normal range: sigmoid x is flat from x = -88 on, at 6e-39.
"""

import math
from typing import TypeAlias

import numpy as np
from llvmlite import ir

WIDTH = 16
FLOATS, INTS = ir.VectorType(ir.FloatType(), WIDTH), ir.VectorType(ir.IntType(32), WIDTH)
CONTRACT = ("contract",)
LN_2 = 355 / 512, float(np.float32(math.log(2) - 355 / 512))  # so short that its product with a small integer is exact
ROUND = 1.5 * 2**23  # x + ROUND - ROUND is x to the nearest integer, which the low bits of x + ROUND hold
DEGREE = 7  # of the polynomial of e^r: with |r| < ln 2 / 2, what is left out is under 6e-9


def constant(vector: ir.VectorType, value: float) -> ir.Constant:
    """Sixteen times the same number."""
    exact = float(np.float32(value)) if vector == FLOATS else value
    return ir.Constant(vector, [exact] * WIDTH)


class Lanes:
    """Sixteen numbers of a loop that is being written."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: "Operand") -> "Lanes":
        return self._made(self.builder.fadd(self.value, _value(other), flags=CONTRACT))

    def __sub__(self, other: "Operand") -> "Lanes":
        return self._made(self.builder.fsub(self.value, _value(other), flags=CONTRACT))

    def __mul__(self, other: "Operand") -> "Lanes":
        return self._made(self.builder.fmul(self.value, _value(other), flags=CONTRACT))

    def __truediv__(self, other: "Operand") -> "Lanes":
        return self._made(self.builder.fdiv(self.value, _value(other)))

    def __rsub__(self, other: float) -> "Lanes":
        return self._made(self.builder.fsub(_value(other), self.value, flags=CONTRACT))

    def __rtruediv__(self, other: float) -> "Lanes":
        return self._made(self.builder.fdiv(_value(other), self.value))

    def __neg__(self) -> "Lanes":
        return self._made(self.builder.fneg(self.value))

    def __abs__(self) -> "Lanes":
        return self._made(call(self.builder, "llvm.fabs.v16f32", FLOATS, [self.value]))

    def with_sign_of(self, other: "Lanes") -> "Lanes":
        """Its own magnitude, and the sign of the other, of zeros too."""
        return self._made(call(self.builder, "llvm.copysign.v16f32", FLOATS, [self.value, other.value]))

    def within(self, low: float, high: float) -> "Lanes":
        """What is smaller as `low`, what is larger as `high`, NaN as NaN."""
        below = self.builder.fcmp_ordered("<", self.value, constant(FLOATS, low))
        raised = self.builder.select(below, constant(FLOATS, low), self.value)
        above = self.builder.fcmp_ordered(">", raised, constant(FLOATS, high))
        return self._made(self.builder.select(above, constant(FLOATS, high), raised))

    def _made(self, value: ir.Value) -> "Lanes":
        return Lanes(self.builder, value)


Operand: TypeAlias = Lanes | float


def _value(operand: Operand) -> ir.Value:
    return operand.value if isinstance(operand, Lanes) else constant(FLOATS, operand)


def call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Value]) -> ir.Value:
    """Call an intrinsic function of LLVM by its full name."""
    known = builder.module.globals.get(name)
    made = known or ir.Function(builder.module, ir.FunctionType(result, [value.type for value in arguments]), name)
    return builder.call(made, arguments)


def sigmoid(x: Lanes) -> Lanes:
    """1 / (1 + e^-x)."""
    scale, p = _exponential(-x)
    return 1.0 / (scale * p + scale + 1.0)


def tanh(x: Lanes) -> Lanes:
    """-m / (m + 2) with m = e^(-2|x|) - 1, which is exact near zero, and the sign of x."""
    scale, p = _exponential(abs(x) * -2.0)
    m = scale * p + (scale - 1.0)
    return (-m / (m + 2.0)).with_sign_of(x)


def _exponential(x: Lanes) -> tuple[Lanes, Lanes]:
    """2^n and p with e^x = 2^n (1 + p): n is x / ln 2 to the nearest integer, p = e^r - 1 of what is left."""
    x = x.within(-87.0, 88.0)  # where 2^n is a normal number
    shifted = x * (1 / math.log(2)) + ROUND
    n = shifted - ROUND
    r = x - n * LN_2[0] - n * LN_2[1]
    p = r * (1 / math.factorial(DEGREE)) + 1 / math.factorial(DEGREE - 1)
    for k in range(DEGREE - 2, 1, -1):
        p = p * r + 1 / math.factorial(k)
    integers = x.builder.bitcast(shifted.value, INTS)
    exponent = x.builder.add(x.builder.shl(integers, constant(INTS, 23)), constant(INTS, 127 << 23))
    return Lanes(x.builder, x.builder.bitcast(exponent, FLOATS)), p * r * r + r
