# Trainer of the network iris_4_5_3_adam: 4 - 5 - 3 (tanh, softmax), cost cross_entropy.
#
# GENERATED FILE, DO NOT EDIT. It was compiled from the derivation of this network: every
# block below carries the equation that it computes, under the labels of the derivation
# that `symbp derive SPEC` typesets.
#
# written by: symbp 0.1.0
# content: sha256 fcd9690b82178c768db3f83c047d9f928ffb85c3d59681117fbc0fb6c7e1d367
# derived with: SymPy 1.14
# options: dtype float64, optimizer adam, beta2 0.99, schedule cosine, clip_norm 5, penalty l2 (l2 0.0001), batch size 16, elementary fast, target x86-64-v3
# regenerate: symbp generate SPEC.toml, where SPEC.toml holds the text of SPEC below
# needs: numpy, numba
# laid out for: x86-64 with AVX2; it runs on every machine
"""Train and evaluate the network iris_4_5_3_adam: 4 - 5 - 3.

All weights live in one flat vector w of N_PARAMS numbers, layer after layer, each layer
row by row; where a layer has a bias, it is the last column. See unpack(w).

    w = init_params(seed)
    w, history = fit(w, X, Y, epochs=20)
    H = predict(w, X)

From the command line: python THIS_FILE.py --help
"""

import math
import operator
import os
import sys
import threading
from functools import partial

import llvmlite.ir as ir
import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

NAME = "iris_4_5_3_adam"
SIZES = (4, 5, 3)  # N_0 inputs, the layers, N_{L+1} outputs
BIASES = (True, True)
N_PARAMS = 43
DTYPE = np.dtype("float64")
BATCH_SIZE = 16
OPTIMIZER = "adam"
LEARNING_RATE = 0.01
CLIP_NORM = 5.0
STATES = {"m": 0.0, "v": 0.0}  # what the optimizer keeps for every weight, and how it starts
EPOCHS = 100
CHUNK = 256  # rows that predict, value_and_gradient and jacobian hold at once
SPEC = """\
[network]
name = "iris_4_5_3_adam"
inputs = 4
cost = "cross_entropy"
layers = [
    { units = 5, activation = "tanh" },
    { units = 3, activation = "softmax" },
]

[train]
batch_size = 16
epochs = 100
dtype = "float64"
seed = 0
shuffle = true
elementary = "fast"
target = "x86-64-v3"
clip_norm = 5.0
l2 = 0.0001

[train.optimizer]
name = "adam"
learning_rate = 0.01
beta2 = 0.99

[train.schedule]
name = "cosine"
"""

F = np.float64  # the type of every number in a kernel


OPTIONS = {
    "fastmath": {"contract"},  # fused multiply-add and nothing else: NaN and infinity stay what they are
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,  # nobody takes the address of a kernel
}


def _kernel(function, **more):
    """Compile at the first call, and cache on disk.

    The module's name becomes part of the cache's file names: Numba stores it in what it
    caches, so each name under which this file is loaded needs entries of its own. A module that
    is not in sys.modules could not read back what it wrote, so it compiles in every process.
    """
    function.__qualname__ = f"{__name__}.{function.__name__}"
    options = OPTIONS | more
    known = getattr(sys.modules.get(__name__), "__dict__", None) is globals()
    try:
        return njit(cache=known, **options)(function)
    except RuntimeError:  # nowhere to write a cache: compile in every process
        return njit(**options)(function)


def _shared(function):
    """Compile as a function that kernels call, and that is a part of what is cached of them."""
    return njit(no_cpython_wrapper=True, **OPTIONS)(function)


def _inlined(function):
    """Compile as a part of each kernel that calls it, and of what is cached of that."""
    return njit(forceinline=True, no_cpython_wrapper=True, **OPTIONS)(function)


# The elementary functions of the kernels, in arithmetic that the compiler turns into vector
# instructions once it stands inside a loop. Errors are in units in the last place (ulp).


@_inlined
def exp(x):
    # exp(x): x = n log 2 + r with |r| <= log(2)/2, exp(x) = 2^n exp(r); 2^n in two factors, so
    # that small results lose bits only once.
    # exp(r) = 1 + r + r^2 P(r), degree 9, relative error 1.1e-17
    # largest error met in 3,035,112 points: 0.9 ulp
    half = math.copysign(512.0, x)
    x = max(min(x, 710.0), -746.0)
    b = number(bits(6755399441056767.0 + half) << 52)
    magic = 6755399441056767.0 - half
    t = x*1.4426950408889634 + magic
    n = t - magic
    h = x - n*0.6931471805598903
    l = n*5.497923018708371e-14
    r = h - l
    p = 2.5000051548830345e-08
    p = p*r + 2.763023359395362e-07
    p = p*r + 2.755758633799834e-06
    p = p*r + 2.4801493137415457e-05
    p = p*r + 0.00019841269506690973
    p = p*r + 0.0013888888943596148
    p = p*r + 0.00833333333349438
    p = p*r + 0.04166666666653027
    p = p*r + 0.16666666666666413
    p = p*r + 0.5000000000000011
    q = h + (r*r*p - l)
    a = number(bits(t) << 52)
    return (q*a + a)*b


@_inlined
def log1p(x):
    # log(x + 1): as log for 1 + x; what the sum lost is added to the logarithm as a share of the
    # sum.
    # log((1 + s)/(1 - s)) = 2 s + s^3 P(s^2), degree 6, relative error 1.4e-18
    # largest error met in 3,035,112 points: 0.79 ulp
    u = 1.0 + x
    k = bits(u)
    n = k - 4604544271217802189 >> 52
    m = number(k - (n << 52))
    e = number(n + 4843621399236968448) - 6755399441055744.0
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))/u
    lost = select(e == 0.0, 0.0, lost)
    f = select(e == 0.0, x, m - 1.0)
    s = f/(f + 2.0)
    z = s*s
    p = 0.14795495111639165
    p = p*z + 0.15314096839630473
    p = p*z + 0.1818356248278791
    p = p*z + 0.22222198609308186
    p = p*z + 0.2857142874202952
    p = p*z + 0.39999999999416314
    p = p*z + 0.6666666666666734
    h = f*f/2.0
    y = e*0.6931471805598903 - (h - (s*(h + z*p) + (e*5.497923018708371e-14 + lost)) - f)
    y = select(x < math.inf, y, x)
    y = select(x > -1.0, y, select(x == -1.0, -math.inf, math.nan))
    return select((x == 0.0) | (x != x), x, y)


@_inlined
def tanh(x):
    # tanh(x): tanh(u) = e/(e + 2) with e = exp(2u) - 1 = 2^n (exp(r) - 1) + (2^n - 1), 2u = n log
    # 2 + r; u is -|x| near 0, where e + 2 is then below 2, and |x| beyond; the sign is put back.
    # exp(r) = 1 + r + r^2 P(r), degree 9, relative error 1.1e-17
    # largest error met in 3,035,112 points: 2.48 ulp
    given = x
    a = min(abs(x), 20.0)
    x = math.copysign(a + a, a - 0.5)
    t = x*1.4426950408889634 + 6755399441056767.0
    n = t - 6755399441056767.0
    r = x - n*0.6931471805598903 - n*5.497923018708371e-14
    p = 2.5000051548830345e-08
    p = p*r + 2.763023359395362e-07
    p = p*r + 2.755758633799834e-06
    p = p*r + 2.4801493137415457e-05
    p = p*r + 0.00019841269506690973
    p = p*r + 0.0013888888943596148
    p = p*r + 0.00833333333349438
    p = p*r + 0.04166666666653027
    p = p*r + 0.16666666666666413
    p = p*r + 0.5000000000000011
    q = r*r*p + r
    a = number(bits(t) << 52)
    e = q*a + (a - 1.0)
    y = e/(e + 2.0)
    return math.copysign(y, given)


@_inlined
def weighted(u, v):
    # weighted(u, v) = u v, 0 where u is 0, also for infinite v
    return select(u == 0.0, u*min(max(v, -1.7976931348623157e+308), 1.7976931348623157e+308), u*v)


# Threads. A team is None where one thread works alone; else it is, for each of its threads,
# (thread, threads, arrived, costs, begun): its number and how many there are, how often they have
# met in all, a place for the cost of each, and how many epochs have begun.
SPINS = 4096  # looks at the others before giving way to other programs
PATIENCE = 2**13  # looks for the next epoch before sleeping: to be woken takes longer
OVER = 2**62  # what `begun` is when there are no more epochs


def _counter(context, builder, array, value):
    struct = context.make_array(array)(context, builder, value)
    return builder.bitcast(struct.data, ir.IntType(64).as_pointer())


@intrinsic
def _arrive(typing, arrived):
    """Add 1 to arrived[0] and return what it was; what was written before is seen by whoever sees this."""
    def emit(context, builder, signature, arguments):
        address = _counter(context, builder, arrived, arguments[0])
        return builder.atomic_rmw("add", address, ir.IntType(64)(1), "acq_rel")

    return types.int64(arrived), emit


@intrinsic
def _seen(typing, arrived):
    """Return arrived[0] as the others have left it."""
    def emit(context, builder, signature, arguments):
        return builder.load_atomic(_counter(context, builder, arrived, arguments[0]), "acquire", 8)

    return types.int64(arrived), emit


@intrinsic
def _give_way(typing):
    """Let another thread of the machine run."""
    def emit(context, builder, signature, arguments):
        name = "SwitchToThread" if os.name == "nt" else "sched_yield"
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.none(), emit


@intrinsic
def at_most(typing, number, most):
    """The smaller one of two whole numbers; min takes Numba much longer to compile."""
    def emit(context, builder, signature, arguments):
        number, most = (context.cast(builder, *pair, types.intp) for pair in zip(arguments, signature.args))
        return builder.select(builder.icmp_signed("<", number, most), number, most)

    return types.intp(number, most), emit


@_inlined
def share(first, last, step, team):
    """Return (first, last) of this thread's part of a loop: whole steps, in the order of the threads."""
    if team is None:
        return first, last
    thread, threads = team[0], team[1]
    steps = (last - first + step - 1)//step
    return first + step*(steps*thread//threads), at_most(first + step*(steps*(thread + 1)//threads), last)


@_inlined
def part(whole, team):
    """Return this thread's part of a range."""
    if team is None:
        return whole
    low, high = share(whole.start, whole.stop, whole.step, team)
    return range(low, high, whole.step)


@_shared
def meet(team):
    """Wait until all threads are here; each then sees what the others have written."""
    if team is not None:
        threads, arrived = team[1], team[2]
        before = _arrive(arrived)
        enough = (before//threads + 1)*threads
        looks = 0
        while _seen(arrived) < enough:
            looks += 1
            if looks > SPINS:
                _give_way()


@_kernel
def soon(begun, number):
    """Return whether as many epochs begin while one looks for a moment."""
    for looks in range(PATIENCE):
        if _seen(begun) >= number:
            return True
        if looks > SPINS:  # the first thread may have to work where this one runs
            _give_way()
    return False


@_inlined
def open_epoch(team):
    """Let the others in, if this is the first thread; return the number of the epoch.

    The first one holds nothing of Python's any more, so that nobody has to wait for it.
    """
    if team is None:
        return 0
    return _arrive(team[4]) + 1 if team[0] == 0 else _seen(team[4])


@_inlined
def close_epoch(epoch, team):
    """Meet once more; all but the first then look for the next epoch, before they go back to Python."""
    meet(team)
    if team is not None:
        if team[0] > 0:
            soon(team[4], epoch + 1)


@_shared
def together(cost, team):
    """Return the sum of what all threads bring, the same for each; they meet again before the next one."""
    if team is None:
        return cost
    thread, threads, costs = team[0], team[1], team[3]
    costs[thread] = cost
    meet(team)
    total = costs[0]
    for other in range(1, threads):
        total += costs[other]
    return total


# Vectors. A Vec is a row of float64 numbers that lie side by side in an array, held in `count`
# registers of LANES numbers each.
LANES = 4
NUMBER, INTEGER = types.float64, types.int64


class Vec(types.Type):
    def __init__(self, dtype, count):
        self.dtype, self.count = dtype, count
        super().__init__(f"Vec({dtype}, {count})")


@register_model(Vec)
class _Registers(models.PrimitiveModel):
    def __init__(self, manager, vec):
        number = ir.IntType(1) if vec.dtype == types.boolean else manager.lookup(vec.dtype).get_value_type()
        super().__init__(manager, vec, ir.ArrayType(ir.VectorType(number, LANES), vec.count))


def _int(number):
    return ir.IntType(32)(number)


def _joined(builder, registers):
    vec = ir.Constant(ir.ArrayType(registers[0].type, len(registers)), ir.Undefined)
    for n, register in enumerate(registers):
        vec = builder.insert_value(vec, register, n)
    return vec


def _register(builder, vec, n):
    """Return register n of a Vec; if it was just joined, what was put there: less code compiles faster."""
    made = vec
    while isinstance(made, ir.instructions.InsertValue):
        if made.indices == [n]:
            return made.operands[1]
        made = made.operands[0]
    return builder.extract_value(vec, n)


def _everywhere(builder, value):
    """Return a register with one number in every place."""
    nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    first = builder.insert_element(nothing, value, _int(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0]*LANES))


def _registers(builder, value, kind, count):
    """Return the registers of a Vec, or its only one as all of them; of a number, registers full of it."""
    if isinstance(kind, Vec):
        return [_register(builder, value, n if kind.count == count else 0) for n in range(count)]
    return [_everywhere(builder, value)]*count


def _call(builder, name, result, arguments, suffix=""):
    """Call a function of LLVM for a register of numbers."""
    kind = ir.FunctionType(result, [a.type for a in arguments])
    name = f"llvm.{name}.v{LANES}f{8*DTYPE.itemsize}{suffix}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _lowered(emit):
    """Return the code of an operation that is carried out register by register."""
    def lower(context, builder, signature, arguments):
        vecs = [kind for kind in signature.args if isinstance(kind, Vec)]
        count = max(kind.count for kind in vecs)
        values = []
        for value, kind in zip(arguments, signature.args):
            if isinstance(kind, types.Integer):  # of the size of the others
                value, kind = context.cast(builder, value, kind, vecs[0].dtype), vecs[0].dtype
            values.append(_registers(builder, value, kind, count))
        return _joined(builder, [emit(builder, *registers) for registers in zip(*values)])

    return lower


def _typed(function, typed):
    """Let Numba ask for the types of a function here, before it tries all that it has of its own."""
    @infer_global(function)
    class _Template(AbstractTemplate):
        metadata = {"target": "cpu"}  # which comes before what is for any target

        def generic(self, arguments, keywords):
            return typed(*arguments)


COUNTED = (operator.add, operator.sub, operator.mul)
PAIRS = ((Vec, Vec), (Vec, types.Float), (types.Float, Vec))
WHOLE = ((Vec, Vec), (Vec, types.Integer))  # the same for integers


def _operator(function, emit, kinds=PAIRS, mask=False, of=types.Float):
    """Let a function of Python take Vecs, and numbers beside them."""
    def typed(*arguments):
        if function in COUNTED and arguments == (types.intp, types.intp):
            return signature(types.intp, *arguments)  # what Numba itself would find
        vec = max((a for a in arguments if isinstance(a, Vec)), key=lambda a: a.count, default=None)
        if vec is not None and isinstance(vec.dtype, of) and all(_fits(a, vec) for a in arguments):
            return signature(Vec(types.boolean, vec.count) if mask else vec, *arguments)

    _typed(function, typed)
    for kind in kinds:
        lower_builtin(function, *kind)(_lowered(emit))


def _fits(kind, vec):
    """Whether something can stand beside a Vec: as many registers or one, or a number."""
    if isinstance(kind, Vec):
        return kind.dtype == vec.dtype and kind.count in (1, vec.count)
    return kind == vec.dtype or isinstance(kind, types.Integer) and isinstance(vec.dtype, types.Integer)


def _either(floating, whole, **more):
    """Return the code of an operation on numbers or integers."""
    def emit(builder, x, y):
        name = floating if isinstance(x.type.element, (ir.FloatType, ir.DoubleType)) else whole
        return getattr(builder, name)(x, y)

    return emit


ANY = (types.Float, types.Integer, types.Boolean)
for _names, *_pair in (
    ("add iadd", "fadd", "add"), ("sub isub", "fsub", "sub"), ("mul imul", "fmul", "mul"), ("truediv itruediv", "fdiv", "")
):
    for _function in _names.split():
        _operator(getattr(operator, _function), _either(*_pair), (*PAIRS, *WHOLE[1:]), of=ANY)
for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")):
    _operator(getattr(operator, _name), lambda builder, x, y, sign=_sign: builder.fcmp_ordered(sign, x, y), mask=True)
_operator(operator.eq, lambda builder, x, y: _equal(builder, x, y), (*PAIRS, *WHOLE[1:]), True, ANY)
_operator(operator.ne, lambda builder, x, y: builder.fcmp_unordered("!=", x, y), mask=True)
for _name, _emitted in (("and_", "and_"), ("or_", "or_"), ("lshift", "shl"), ("rshift", "ashr")):
    _operator(getattr(operator, _name), _either("", _emitted), WHOLE, of=ANY)
_operator(operator.neg, lambda builder, x: builder.fneg(x), ((Vec,),))
for _function, _name in ((abs, "fabs"), (math.sqrt, "sqrt")):
    _operator(_function, lambda builder, x, name=_name: _call(builder, name, x.type, [x]), ((Vec,),))
_operator(math.copysign, lambda builder, x, y: _call(builder, "copysign", x.type, [x, y]))
# As Python's: a NaN that comes first stays.
for _function, _sign in ((min, "<"), (max, ">")):
    _operator(_function, lambda builder, x, y, sign=_sign: builder.select(builder.fcmp_ordered(sign, y, x), y, x))


def _equal(builder, x, y):
    floating = isinstance(x.type.element, (ir.FloatType, ir.DoubleType))
    return builder.fcmp_ordered("==", x, y) if floating else builder.icmp_signed("==", x, y)


def _as(typing, x, result):
    """Let an intrinsic read the bits of numbers, or of a Vec, as those of another type."""
    def one(context, builder, signature, arguments):
        value = context.cast(builder, arguments[0], x, INTEGER) if isinstance(x, types.Integer) else arguments[0]
        return builder.bitcast(value, context.get_value_type(result))

    def each(builder, register):
        kind = ir.FloatType() if result == types.float32 else ir.DoubleType()
        kind = ir.IntType(result.bitwidth) if isinstance(result, types.Integer) else kind
        return builder.bitcast(register, ir.VectorType(kind, LANES))

    return (Vec(result, x.count)(x), _lowered(each)) if isinstance(x, Vec) else (result(x), one)


@intrinsic
def bits(typing, x):
    """The bits of numbers, as integers of the same size."""
    return _as(typing, x, INTEGER)


@intrinsic
def number(typing, k):
    """The numbers whose bits these integers are."""
    return _as(typing, k, NUMBER)


@intrinsic
def select(typing, mask, a, b):
    """a where the mask is set, else b; of numbers or Vecs."""
    if not isinstance(mask, Vec):
        return a(mask, a, b), lambda context, builder, signature, arguments: builder.select(*arguments)
    count = max(x.count for x in (mask, a, b) if isinstance(x, Vec))
    return Vec(NUMBER, count)(mask, a, b), _lowered(lambda builder, m, x, y: builder.select(m, x, y))


@intrinsic
def fma(typing, number, vec, start):
    """number*vec + start"""
    def product(builder, x, y, z):
        return builder.fadd(builder.fmul(x, y, flags=("contract",)), z, flags=("contract",))

    return start(number, vec, start), _lowered(product)


def _needed(size):
    """Return how many registers as many numbers fill; in the place of their number, a Vec tells its own."""
    return size.count if isinstance(size, Vec) else -(-size.literal_value//LANES)


@intrinsic(prefer_literal=True)
def spread(typing, number, size):
    """`size` times the same number."""
    vec = Vec(number, _needed(size))
    return vec(number, size), lambda context, builder, signature, arguments: _joined(
        builder, _registers(builder, arguments[0], number, vec.count)
    )


def _all_lanes(builder, found, join, size=LANES):
    """Return registers with all numbers of those found joined in every lane; in lane 0, with the first of them."""
    distances = [2**n for n in range((min(size, LANES) - 1).bit_length())]
    for distance in reversed(distances):
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [(n + distance) % LANES for n in range(LANES)])
        found = join(builder, found, [builder.shuffle_vector(x, x, places) for x in found])
    return found


def _folded(typing, vecs, size, outside, join):
    """Let an intrinsic join the first numbers of Vecs; what is outside of them counts as `outside`."""
    (vec, *_) = vecs

    def emit(context, builder, signature, arguments):
        number = context.get_value_type(vec.dtype)
        nothing = ir.Constant(ir.VectorType(number, LANES), [ir.Constant(number, outside)]*LANES)
        found = []
        for n in range(vec.count):
            mask = _mask(size.literal_value - n*LANES)
            registers = [_register(builder, argument, n) for argument in arguments[:-1]]
            found.append([x if mask is None else builder.select(mask, x, nothing) for x in registers])
        while len(found) > 1:
            found = [join(builder, *found[:2]), *found[2:]]
        joined = _all_lanes(builder, *found, join, size.literal_value)
        return builder.extract_element(joined[-1], _int(0))

    return vec.dtype(*vecs, size), emit


def _added(builder, x, y):
    return [builder.fadd(x[0], y[0])]


def _largest(builder, x, y):
    return [_larger(builder, x[0], y[0])]


def _rests(builder, x, y):
    """Join two largest numbers and the sums of all but them: the smaller one is added."""
    smaller = builder.select(builder.fcmp_ordered("<", y[0], x[0]), y[0], x[0])
    return [_larger(builder, x[0], y[0]), builder.fadd(builder.fadd(x[1], smaller), y[1])]


def _larger(builder, x, y):
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


@intrinsic(prefer_literal=True)
def row_sum(typing, vec, size):
    """The sum of the first numbers."""
    return _folded(typing, [vec], size, 0.0, _added)


@intrinsic(prefer_literal=True)
def row_max(typing, vec, size):
    """The largest one of the first numbers."""
    return _folded(typing, [vec], size, -math.inf, _largest)


class Matrix(types.Type):
    """Rows of numbers in memory that another array holds: where they begin, and how many a row has.

    An index never counts from the end. To read an array of NumPy's takes six times the code to compile.
    """

    dtype, ndim, layout = NUMBER, 2, "C"

    def __init__(self):
        super().__init__("Matrix")


@register_model(Matrix)
class _Rows(models.StructModel):
    def __init__(self, manager, matrix):
        super().__init__(manager, matrix, [("first", types.CPointer(NUMBER)), ("columns", types.intp)])


def _memory(context, builder, array, value):
    """Return where the numbers of a Matrix, or of an array, begin, and how many a row has."""
    if isinstance(array, Matrix):
        return builder.extract_value(value, 0), builder.extract_value(value, 1)
    data, shape = map(context.data_model_manager[array].get_field_position, ("data", "shape"))
    return builder.extract_value(value, data), builder.extract_value(value, [shape, array.ndim - 1])


def _index(context, builder, value, kind):
    return context.cast(builder, value, kind, types.intp)


def _address(context, builder, array, value, row, column=0):
    """Return the address of array[row, column], or of array[row] where that has one axis."""
    if array.layout != "C":
        raise TypingError(f"expected an array whose rows lie side by side, not {array}")
    first, columns = _memory(context, builder, array, value)
    if array.ndim == 2:
        column = row.type(column) if isinstance(column, int) else column
        row = builder.add(builder.mul(row, columns), column)
    return builder.gep(first, [row])


def _cell(context, builder, signature, arguments):
    """Return the address of matrix[row, column]."""
    indices = [builder.extract_value(arguments[1], n) for n in range(2)]
    indices = [_index(context, builder, *each) for each in zip(indices, signature.args[1])]
    return _address(context, builder, signature.args[0], arguments[0], *indices)


@lower_builtin(operator.getitem, Matrix, types.BaseTuple)
def _read(context, builder, signature, arguments):
    return builder.load(_cell(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Matrix, types.BaseTuple, NUMBER)
def _write(context, builder, signature, arguments):
    builder.store(arguments[2], _cell(context, builder, signature, arguments))
    return context.get_dummy_value()


def _element(array, index, *number):
    """Say what matrix[index] is, read or written: one number, of which nothing is checked."""
    if isinstance(array, Matrix):
        return signature(types.none, array, index, NUMBER) if number else signature(NUMBER, array, index)


_typed(operator.getitem, _element)
_typed(operator.setitem, _element)


def _mask(size):
    """Return the mask of the first numbers of a register; None for all of them."""
    places = [int(n < size) for n in range(LANES)]
    return None if all(places) else ir.Constant(ir.VectorType(ir.IntType(1), LANES), places)


def _load(builder, address, mask):
    """Load a register; what the mask leaves out is 0 and is not touched."""
    register = ir.VectorType(address.type.pointee, LANES)
    place, align = builder.bitcast(address, register.as_pointer()), DTYPE.itemsize
    if mask is None:
        return builder.load(place, align=align)
    return _call(builder, "masked.load", register, [place, _int(align), mask, ir.Constant(register, None)], ".p0")


def _store(builder, register, address, mask):
    place, align = builder.bitcast(address, register.type.as_pointer()), DTYPE.itemsize
    if mask is None:
        return builder.store(register, place, align=align)
    return _call(builder, "masked.store", ir.VoidType(), [register, place, _int(align), mask], ".p0")


def _parts(context, builder, signature, arguments, size):
    """Yield address and mask of each register of a row of an array."""
    array, value = signature.args[0], arguments[0]
    place = [_index(context, builder, *pair) for pair in list(zip(arguments, signature.args))[1:3]]
    address = _address(context, builder, array, value, *place)
    whole = LANES*_needed(size) if isinstance(size, Vec) else size.literal_value
    for first in range(0, whole, LANES):
        yield builder.gep(address, [_int(first)]), _mask(whole - first)


@intrinsic(prefer_literal=True)
def load(typing, array, row, column, size):
    """array[row, column:column + size], and zeros up to a whole register; a Vec as size: its registers, whole."""
    def emit(context, builder, signature, arguments):
        places = _parts(context, builder, signature, arguments, size)
        return _joined(builder, [_load(builder, *place) for place in places])

    return Vec(array.dtype, _needed(size))(array, row, column, size), emit


@intrinsic(prefer_literal=True)
def store(typing, array, row, column, vec, size):
    """array[row, column:column + size] = vec; a Vec as size: its registers, whole."""
    def emit(context, builder, signature, arguments):
        for n, place in enumerate(_parts(context, builder, signature, arguments, size)):
            _store(builder, _register(builder, arguments[3], n), *place)
        return context.get_dummy_value()

    return types.none(array, row, column, vec, size), emit


def _swaps(distance):
    """Return the masks that put lanes of two registers, blocks of `distance` lanes in turn, into two others."""
    low = [n + LANES - distance if n & distance else n for n in range(LANES)]
    high = [n + LANES if n & distance else n + distance for n in range(LANES)]
    return [ir.Constant(ir.VectorType(ir.IntType(32), LANES), places) for places in (low, high)]


def _exchanged(builder, held):
    """Return the transpose of LANES registers."""
    held = list(held)
    for distance in (2**n for n in range(LANES.bit_length() - 1)):  # swap blocks of this size
        masks = _swaps(distance)
        for n in range(LANES):
            if not n & distance:
                pair = held[n], held[n + distance]
                held[n], held[n + distance] = (builder.shuffle_vector(*pair, mask) for mask in masks)
    return held


@intrinsic(prefer_literal=True)
def _turn_block(typing, target, row, column, source, height, width):
    """target[row:row + height, column:column + width] = source[column:column + width, row:row + height].T"""
    def emit(context, builder, signature, arguments):
        pairs = list(zip(arguments, signature.args))
        row, column, high, wide = (_index(context, builder, *pairs[n]) for n in (1, 2, 4, 5))
        places = ir.Constant(ir.VectorType(row.type, LANES), list(range(LANES)))
        # As many as a register has need no masks.
        whole = all(getattr(kind, "literal_value", 0) == LANES for kind in (height, width))

        def masks(rows, size):
            """Return the mask of each of as many rows, none of whose numbers is touched where it is not there."""
            if whole:
                return [None]*LANES
            mask = builder.icmp_signed("<", places, _everywhere(builder, size))
            nothing = ir.Constant(mask.type, None)
            return [builder.select(builder.icmp_signed("<", row.type(n), rows), mask, nothing) for n in range(LANES)]

        def addresses(array, value, first, across):
            """Return where LANES rows begin."""
            address = _address(context, builder, array, value, first, across)
            columns = _memory(context, builder, array, value)[1]
            return [builder.gep(address, [builder.mul(columns, columns.type(n))]) for n in range(LANES)]

        places_read = zip(addresses(source, arguments[3], column, row), masks(wide, high))
        held = _exchanged(builder, [_load(builder, *place) for place in places_read])
        places_written = zip(addresses(target, arguments[0], row, column), masks(high, wide))
        for register, place in zip(held, places_written):
            _store(builder, register, *place)
        return context.get_dummy_value()

    return types.none(target, row, column, source, height, width), emit


@intrinsic
def view(typing, memory, first, rows, columns):
    """memory.reshape(-1)[first:first + rows*columns].reshape(rows, columns), and nothing is checked."""
    if memory.layout == "A" or memory.dtype.name != DTYPE.name:
        raise TypingError(f"expected an array of type {DTYPE.name} whose numbers lie side by side, not {memory}")

    def emit(context, builder, signature, arguments):
        start, _, width = (_index(context, builder, *pair) for pair in list(zip(arguments, signature.args))[1:])
        made = ir.Constant(context.get_value_type(Matrix()), ir.Undefined)
        for n, part in enumerate((builder.gep(_memory(context, builder, memory, arguments[0])[0], [start]), width)):
            made = builder.insert_value(made, part, n)
        return made

    return Matrix()(memory, first, rows, columns), emit


# Samples side by side: a lane for each of LANES samples, a register for each column of an array.


def _picked(builder, registers, places):
    """Return the register of the numbers at these places of several registers in a row."""
    made = registers[0]
    for n, register in enumerate(registers):
        if n == 0 or any(place//LANES == n for place in places):
            mask = [place % LANES + LANES if place//LANES == n else lane for lane, place in enumerate(places)]
            mask = [place % LANES for place in places] if n == 0 else mask
            made = builder.shuffle_vector(made, register, ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask))
    return made


def _rows_of(context, builder, kind, value, numbers, size):
    """Return the columns, one register each, of the rows with these numbers."""
    if kind.ndim == 1:
        register = ir.Constant(ir.VectorType(context.get_value_type(kind.dtype), LANES), ir.Undefined)
        for n, row in enumerate(numbers):
            one = builder.load(_address(context, builder, kind, value, row))
            register = builder.insert_element(register, one, _int(n))
        return [register]
    found = []
    for first in range(0, size, LANES):
        mask = _mask(size - first)
        held = [_load(builder, _address(context, builder, kind, value, row, first), mask) for row in numbers]
        found += _exchanged(builder, held)
    return found[:size]


FEW = 8  # columns up to which registers are picked from rows that lie side by side


@intrinsic(prefer_literal=True)
def columns(typing, array, row, size):
    """All columns of the rows from here on, array[row:row + LANES], a register each."""
    def emit(context, builder, signature, arguments):
        value, row = arguments[0], _index(context, builder, arguments[1], signature.args[1])
        width = size.literal_value
        if width > FEW:
            numbers = [builder.add(row, row.type(n)) for n in range(LANES)]
            return _joined(builder, _rows_of(context, builder, array, value, numbers, width))
        first = _address(context, builder, array, value, row)
        registers = [_load(builder, builder.gep(first, [_int(n*LANES)]), None) for n in range(width)]
        places = [[lane*width + n for lane in range(LANES)] for n in range(width)]
        return _joined(builder, [_picked(builder, registers, each) for each in places])

    return Vec(array.dtype, size.literal_value)(array, row, size), emit


@intrinsic(prefer_literal=True)
def columns_at(typing, array, rows, first, last, size):
    """All columns of array[rows[first:first + LANES]], a register each; from `last` on, some row again."""
    def emit(context, builder, signature, arguments):
        places = [_index(context, builder, arguments[n], signature.args[n]) for n in (2, 3)]
        end = builder.sub(places[1], places[1].type(1))
        numbers = []
        for n in range(LANES):
            place = builder.add(places[0], end.type(n))
            place = builder.select(builder.icmp_signed("<", place, end), place, end)
            numbers.append(builder.load(_address(context, builder, rows, arguments[1], place)))
        return _joined(builder, _rows_of(context, builder, array, arguments[0], numbers, size.literal_value))

    return Vec(array.dtype, size.literal_value)(array, rows, first, last, size), emit


@intrinsic(prefer_literal=True)
def store_columns(typing, array, row, vec, size):
    """array[row:row + LANES] = the registers, a column each."""
    def emit(context, builder, signature, arguments):
        value, row = arguments[0], _index(context, builder, arguments[1], signature.args[1])
        width = size.literal_value
        registers = [_register(builder, arguments[2], n) for n in range(width)]
        if width <= FEW:
            first = _address(context, builder, array, value, row)
            for n in range(width):
                places = [(n*LANES + lane) % width*LANES + (n*LANES + lane)//width for lane in range(LANES)]
                _store(builder, _picked(builder, registers, places), builder.gep(first, [_int(n*LANES)]), None)
            return context.get_dummy_value()
        nothing = ir.Constant(registers[0].type, ir.Undefined)
        for first in range(0, width, LANES):
            block = registers[first:first + LANES]
            block = _exchanged(builder, block + [nothing]*(LANES - len(block)))
            for n in range(LANES):
                address = _address(context, builder, array, value, builder.add(row, row.type(n)), first)
                _store(builder, block[n], address, _mask(width - first))
        return context.get_dummy_value()

    return types.none(array, row, vec, size), emit


@intrinsic
def lanes_below(typing, size):
    """A mask of the first lanes, as many as size."""
    def emit(context, builder, signature, arguments):
        size = _index(context, builder, arguments[0], signature.args[0])
        places = ir.Constant(ir.VectorType(size.type, LANES), list(range(LANES)))
        return _joined(builder, [builder.icmp_signed("<", places, _everywhere(builder, size))])

    return Vec(types.boolean, 1)(size), emit


def _alone(builder, register):
    return [register]


def _between(typing, vec, join, made=_alone):
    """Let an intrinsic join the registers of a Vec."""
    def emit(context, builder, signature, arguments):
        found = [made(builder, _register(builder, arguments[0], n)) for n in range(vec.count)]
        while len(found) > 1:
            found = [*found[2:], join(builder, *found[:2])]
        return _joined(builder, [found[0][-1]])

    return Vec(vec.dtype, 1)(vec), emit


@intrinsic
def register_max(typing, vec):
    """The largest number of every lane."""
    return _between(typing, vec, _largest)


@intrinsic
def register_rest(typing, vec):
    """The sum of the registers without a largest number, lane by lane; none is below 0."""
    return _between(typing, vec, _rests, lambda builder, x: (x, builder.fsub(x, x)))  # 0, or NaN


@intrinsic
def register_sum(typing, vec):
    """The sum of the registers, lane by lane."""
    return _between(typing, vec, _added)


@_inlined
def transpose(target, source, height, width, team=None):
    """target[:height, :width] = source[:width, :height].T, rows of the target divided among a team"""
    low, high = share(0, height, LANES, team)
    for i in range(low, high, LANES):
        tall, first = at_most(height - i, LANES), 0
        if tall == LANES:
            first = width//LANES*LANES
            for j in range(0, first, LANES):
                _turn_block(target, i, j, source, LANES, LANES)
        for j in range(first, width, LANES):
            _turn_block(target, i, j, source, tall, at_most(width - j, LANES))


@_kernel
def _forward(w, X, rows, start, count, work):
    """Compute H for the samples rows[start:start + count]."""
    capacity = (work.size - 144)//29
    W1 = view(w, 0, 5, 5)
    O1 = view(work, 0*capacity, capacity, 5)
    C2 = view(work, 5*capacity, capacity, 3)
    W2 = view(w, 25, 3, 6)
    MU = work[8*capacity:8*capacity + capacity]
    E = view(work, 9*capacity, capacity, 3)
    H = view(work, 12*capacity, capacity, 3)
    XB = view(work, 15*capacity, capacity, 4)
    V1 = view(work, 29*capacity + 0, 5, 8)
    V2 = view(work, 29*capacity + 48, 6, 4)

    # (2.6b, k=1)  XB is the batch's part of X
    for p in range(count):
        row = rows[start + p]
        store(XB, p, 0, load(X, row, 0, 4), 4)

    # (2.6b, k=1)  V1 is the transpose of W1
    transpose(V1, W1, np.int64(5), np.int64(5))

    # (2.6b, k=1)  c_r^1 = sum_{s=1}^4 w_{rs}^1 x_s + w_{r5}^1
    # (1.3, k=1)  o_i^1 = tanh(c_i^1)
    for p in range(0, count, 6):
        c0 = c1 = c2 = c3 = c4 = c5 = load(V1, 4, 0, 8)
        for s in range(4):
            v = load(V1, s, 0, 8)
            c0 = fma(XB[p, s], v, c0)
            c1 = fma(XB[p + 1, s], v, c1)
            c2 = fma(XB[p + 2, s], v, c2)
            c3 = fma(XB[p + 3, s], v, c3)
            c4 = fma(XB[p + 4, s], v, c4)
            c5 = fma(XB[p + 5, s], v, c5)
        store(O1, p, 0, tanh(c0), 5)
        store(O1, p + 1, 0, tanh(c1), 5)
        store(O1, p + 2, 0, tanh(c2), 5)
        store(O1, p + 3, 0, tanh(c3), 5)
        store(O1, p + 4, 0, tanh(c4), 5)
        store(O1, p + 5, 0, tanh(c5), 5)

    # (2.6b, k=2)  V2 is the transpose of W2
    transpose(V2, W2, np.int64(6), np.int64(3))

    # (2.6b, k=2)  c_r^2 = sum_{s=1}^5 w_{rs}^2 o_s^1 + w_{r6}^2
    for p in range(0, count, 8):
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = load(V2, 5, 0, 4)
        for s in range(5):
            v = load(V2, s, 0, 4)
            c0 = fma(O1[p, s], v, c0)
            c1 = fma(O1[p + 1, s], v, c1)
            c2 = fma(O1[p + 2, s], v, c2)
            c3 = fma(O1[p + 3, s], v, c3)
            c4 = fma(O1[p + 4, s], v, c4)
            c5 = fma(O1[p + 5, s], v, c5)
            c6 = fma(O1[p + 6, s], v, c6)
            c7 = fma(O1[p + 7, s], v, c7)
        store(C2, p, 0, c0, 3)
        store(C2, p + 1, 0, c1, 3)
        store(C2, p + 2, 0, c2, 3)
        store(C2, p + 3, 0, c3, 3)
        store(C2, p + 4, 0, c4, 3)
        store(C2, p + 5, 0, c5, 3)
        store(C2, p + 6, 0, c6, 3)
        store(C2, p + 7, 0, c7, 3)

    # (1.8s.1)  mu = max_{s=1}^3 c_s^2
    # (1.8s.2)  e_q = exp(c_q^2 - mu)
    # (1.8s.3)  h_q = e_q/(sum_{s=1}^3 e_s)
    for p in range(0, count, LANES):
        c2 = columns(C2, p, 3)
        mu = register_max(c2)
        store_columns(MU, p, mu, 1)
        e = exp(c2 - mu)
        store_columns(E, p, e, 3)
        h_sum = register_sum(e)
        h = e/h_sum
        store_columns(H, p, h, 3)


@_kernel
def _prepare(w, work):
    """Put the weights where _answer wants them."""
    capacity = 16
    W1 = view(w, 0, 5, 5)
    W2 = view(w, 25, 3, 6)
    V1 = view(work, 29*capacity + 0, 5, 8)
    V2 = view(work, 29*capacity + 48, 6, 4)

    # (2.6b, k=1)  V1 is the transpose of W1
    transpose(V1, W1, np.int64(5), np.int64(5))

    # (2.6b, k=2)  V2 is the transpose of W2
    transpose(V2, W2, np.int64(6), np.int64(3))


@_inlined
def _answer(w, X, work):
    """Compute H for the one row of X."""
    capacity = 16
    O1 = view(work, 0*capacity, 1, 8)
    C2 = view(work, 5*capacity, 1, 4)
    MU = work[8*capacity:8*capacity + capacity]
    E = view(work, 9*capacity, 1, 4)
    H = view(work, 12*capacity, 1, 4)
    H_sum = work[28*capacity:28*capacity + capacity]
    V1 = view(work, 29*capacity + 0, 5, 8)
    V2 = view(work, 29*capacity + 48, 6, 4)

    # (2.6b, k=1)  c_r^1 = sum_{s=1}^4 w_{rs}^1 x_s + w_{r5}^1
    # (1.3, k=1)  o_i^1 = tanh(c_i^1)
    c0 = load(V1, 4, 0, 8)
    c0_1 = spread(0.0, 5)
    for s in range(0, 4, 2):
        v = load(V1, s, 0, 8)
        c0 = fma(X[0, s], v, c0)
        v = load(V1, s + 1, 0, 8)
        c0_1 = fma(X[0, s + 1], v, c0_1)
    c0 = c0 + c0_1
    store(O1, 0, 0, tanh(c0), 8)

    # (2.6b, k=2)  c_r^2 = sum_{s=1}^5 w_{rs}^2 o_s^1 + w_{r6}^2
    c0 = load(V2, 5, 0, 4)
    c0_1 = spread(0.0, 3)
    for s in range(0, 4, 2):
        v = load(V2, s, 0, 4)
        c0 = fma(O1[0, s], v, c0)
        v = load(V2, s + 1, 0, 4)
        c0_1 = fma(O1[0, s + 1], v, c0_1)
    s = np.int64(4)
    v = load(V2, s, 0, 4)
    c0 = fma(O1[0, s], v, c0)
    c0 = c0 + c0_1
    store(C2, 0, 0, c0, 4)

    # (1.8s.1)  mu = max_{s=1}^3 c_s^2
    MU[0] = row_max(load(C2, 0, 0, 4), 3)

    # (1.8s.2)  e_q = exp(c_q^2 - mu)
    store(E, 0, 0, exp(load(C2, 0, 0, 4) - MU[0]), 4)

    # (1.8s.3)  h_q = e_q/(sum_{s=1}^3 e_s)
    H_sum[0] = row_sum(load(E, 0, 0, 4), 3)
    store(H, 0, 0, load(E, 0, 0, 4)/H_sum[0], 4)


@partial(_kernel, forceinline=True, no_cfunc_wrapper=False)
def predict_one(prepared, x, h):
    """h[:] = the outputs for one sample.

    For compiled code of your own: prepared is what prepare(w) returns, for one thread at a time;
    x, shape (4,), and h, shape (3,), are contiguous and of type float64.
    """
    if x.size != 4 or h.size != 3:
        raise ValueError("predict_one: expected x of 4 and h of 3 numbers")
    w, work = prepared
    _answer(w, view(x, 0, 1, 4), work)
    capacity = 16
    H = view(work, 12*capacity, capacity, 3)
    for q in range(3):
        h[q] = H[0, q]


@_kernel
def _sensitivities(w, X, Y, rows, start, count, m, work):
    """Compute delta of every layer, the last first, for samples that _forward has seen."""
    capacity = (work.size - 144)//29
    ZETA = work[19*capacity:19*capacity + capacity]
    E = view(work, 9*capacity, capacity, 3)
    D2 = view(work, 20*capacity, capacity, 3)
    D1 = view(work, 23*capacity, capacity, 5)
    O1 = view(work, 0*capacity, capacity, 5)
    W2 = view(w, 25, 3, 6)

    # (1.8s.4)  zeta = sum_{s=1}^3 e_s - max_{s=1}^3 e_s
    # (D.1fs)  delta_r^2 = ((e_r - y_r) - y_r zeta)/(m sum_{s=1}^3 e_s)
    for p in range(0, count, LANES):
        e = columns(E, p, 3)
        zeta = register_rest(e)
        store_columns(ZETA, p, zeta, 1)
        d2_sum = register_sum(e)
        y = columns_at(Y, rows, start + p, start + count, 3)
        d2 = ((e - y) - zeta*y)/(m*d2_sum)
        store_columns(D2, p, d2, 3)

    # (D.5f, k=1)  delta_s^1 = (1 - (o_s^1)^2) sum_{r=1}^3 w_{rs}^2 delta_r^2
    for p in range(0, count, 6):
        c0 = c1 = c2 = c3 = c4 = c5 = spread(0.0, 5)
        for r in range(3):
            v = load(W2, r, 0, 5)
            c0 = fma(D2[p, r], v, c0)
            c1 = fma(D2[p + 1, r], v, c1)
            c2 = fma(D2[p + 2, r], v, c2)
            c3 = fma(D2[p + 3, r], v, c3)
            c4 = fma(D2[p + 4, r], v, c4)
            c5 = fma(D2[p + 5, r], v, c5)
        c0 = (1.0 - load(O1, p, 0, 5)*load(O1, p, 0, 5))*c0
        store(D1, p, 0, c0, 5)
        c1 = (1.0 - load(O1, p + 1, 0, 5)*load(O1, p + 1, 0, 5))*c1
        store(D1, p + 1, 0, c1, 5)
        c2 = (1.0 - load(O1, p + 2, 0, 5)*load(O1, p + 2, 0, 5))*c2
        store(D1, p + 2, 0, c2, 5)
        c3 = (1.0 - load(O1, p + 3, 0, 5)*load(O1, p + 3, 0, 5))*c3
        store(D1, p + 3, 0, c3, 5)
        c4 = (1.0 - load(O1, p + 4, 0, 5)*load(O1, p + 4, 0, 5))*c4
        store(D1, p + 4, 0, c4, 5)
        c5 = (1.0 - load(O1, p + 5, 0, 5)*load(O1, p + 5, 0, 5))*c5
        store(D1, p + 5, 0, c5, 5)


@_kernel
def _gradient(w, X, Y, rows, start, count, m, gradient, work):
    """Add the samples' share of dJ/dw to gradient and return their share of J; J averages m samples."""
    _forward(w, X, rows, start, count, work)
    _sensitivities(w, X, Y, rows, start, count, m, work)
    capacity = (work.size - 144)//29
    ZETA = work[19*capacity:19*capacity + capacity]
    C2 = view(work, 5*capacity, capacity, 3)
    MU = work[8*capacity:8*capacity + capacity]
    G2 = view(gradient, 25, 3, 6)
    D2 = view(work, 20*capacity, capacity, 3)
    O1 = view(work, 0*capacity, capacity, 5)
    G1 = view(gradient, 0, 5, 5)
    D1 = view(work, 23*capacity, capacity, 5)
    XB = view(work, 15*capacity, capacity, 4)
    cost = 0.0

    # (1.8s.5)  lse = log(1 + zeta)
    # (2.1s)  J = (1/m) sum_{p=1}^m sum_{q=1}^3 y_q^p (lse^p + (mu^p - c_q^{2,p}))
    total0 = spread(0.0, LANES)
    for p in range(0, count, LANES):
        zeta = columns(ZETA, p, 1)
        lse = log1p(zeta)
        c2 = columns(C2, p, 3)
        mu = columns(MU, p, 1)
        y = columns_at(Y, rows, start + p, start + count, 3)
        total0 = total0 + select(lanes_below(count - p), register_sum(weighted(y, (mu - c2) + lse)), 0.0)
    cost += row_sum(total0, 4)

    # (2.1s)  J = (1/m) sum_{p=1}^m sum_{q=1}^3 y_q^p (lse^p + (mu^p - c_q^{2,p}))
    cost = cost/m

    # (D.6a, k=2)  dJ/dw_{ij}^2 = sum_{p=1}^m delta_i^{2,p} o_j^{1,p}
    c0 = c1 = c2 = spread(0.0, 5)
    for p in range(count):
        v = load(O1, p, 0, 5)
        c0 = fma(D2[p, 0], v, c0)
        c1 = fma(D2[p, 1], v, c1)
        c2 = fma(D2[p, 2], v, c2)
    store(G2, 0, 0, load(G2, 0, 0, 5) + c0, 5)
    store(G2, 1, 0, load(G2, 1, 0, 5) + c1, 5)
    store(G2, 2, 0, load(G2, 2, 0, 5) + c2, 5)

    # (D.6b, k=2)  dJ/dw_{i6}^2 = sum_{p=1}^m delta_i^{2,p}
    for i in range(3):
        total = 0.0
        for p in range(count):
            total += D2[p, i]
        G2[i, 5] += total

    # (D.6a, k=1)  dJ/dw_{ij}^1 = sum_{p=1}^m delta_i^{1,p} x_j^p
    c0 = c1 = c2 = c3 = c4 = spread(0.0, 4)
    for p in range(count):
        v = load(XB, p, 0, 4)
        c0 = fma(D1[p, 0], v, c0)
        c1 = fma(D1[p, 1], v, c1)
        c2 = fma(D1[p, 2], v, c2)
        c3 = fma(D1[p, 3], v, c3)
        c4 = fma(D1[p, 4], v, c4)
    store(G1, 0, 0, load(G1, 0, 0, 4) + c0, 4)
    store(G1, 1, 0, load(G1, 1, 0, 4) + c1, 4)
    store(G1, 2, 0, load(G1, 2, 0, 4) + c2, 4)
    store(G1, 3, 0, load(G1, 3, 0, 4) + c3, 4)
    store(G1, 4, 0, load(G1, 4, 0, 4) + c4, 4)

    # (D.6b, k=1)  dJ/dw_{i5}^1 = sum_{p=1}^m delta_i^{1,p}
    for i in range(5):
        total = 0.0
        for p in range(count):
            total += D1[p, i]
        G1[i, 4] += total

    return cost


@_shared
def _jacobian_of_sample(w, X, row, start, p, work, jacobian):
    """Fill jacobian[start + p] with dh/dw at the sample X[row], by the T-product (2.17)."""
    capacity = (work.size - 144)//29
    H = view(work, 12*capacity, capacity, 3)
    O1 = view(work, 0*capacity, capacity, 5)
    S1 = view(work, 29*capacity + 80, 3, 5)
    W2 = view(w, 25, 3, 6)
    B1_sum = work[29*capacity + 96:29*capacity + 96 + 5]

    # (2.17af, k=2)  dh_q/dw_{ij}^2 = o_j^1 (delta_{qi} h_q - h_i h_q)
    for q in range(3):
        for i in range(3):
            for j in range(5):
                jacobian[start + p, q, 25 + 6*i + j] = ((1.0 if i == q else 0.0)*H[p, q] - H[p, i]*H[p, q])*O1[p, j]

    # (2.17bf, k=2)  dh_q/dw_{i6}^2 = delta_{qi} h_q - h_i h_q
    for q in range(3):
        for i in range(3):
            jacobian[start + p, q, 25 + 6*i + 5] = (1.0 if i == q else 0.0)*H[p, q] - H[p, i]*H[p, q]

    # (2.12f, k=1)  [S_1]_{rs} = w_{rs}^2 (1 - (o_s^1)^2)
    for r in range(3):
        for s in range(5):
            S1[r, s] = (1.0 - O1[p, s]*O1[p, s])*W2[r, s]

    # (2.17af, k=1)  dh_q/dw_{ij}^1 = x_j (h_q [S_1]_{qi} - h_q sum_{r=1}^3 h_r [S_1]_{ri})
    for i in range(5):
        B1_sum[i] = 0.0
    for r in range(3):
        h = H[p, r]
        for i in range(5):
            B1_sum[i] += h*S1[r, i]
    for q in range(3):
        for i in range(5):
            for j in range(4):
                jacobian[start + p, q, 5*i + j] = (H[p, q]*S1[q, i] - B1_sum[i]*H[p, q])*X[row, j]

    # (2.17bf, k=1)  dh_q/dw_{i5}^1 = h_q [S_1]_{qi} - h_q sum_{r=1}^3 h_r [S_1]_{ri}
    for q in range(3):
        for i in range(5):
            jacobian[start + p, q, 5*i + 4] = H[p, q]*S1[q, i] - B1_sum[i]*H[p, q]


@_kernel
def _jacobian(w, X, rows, start, count, work, jacobian):
    """Fill jacobian[start:start + count] with dh/dw of the samples rows[start:start + count]."""
    _forward(w, X, rows, start, count, work)
    for p in range(count):
        _jacobian_of_sample(w, X, rows[start + p], start, p, work, jacobian)


@_kernel
def _penalty(w, gradient, cost):
    """Add the derivative of the penalty to gradient; return the cost with the penalty."""
    W1 = view(w, 0, 5, 5)
    G1 = view(gradient, 0, 5, 5)
    W2 = view(w, 25, 3, 6)
    G2 = view(gradient, 25, 3, 6)

    # (2.1p, k=1)  Omega^1 = sum_{r=1}^5 sum_{s=1}^4 lambda_2 (w_{rs}^1)^2/2
    R1 = 0.0
    for r in range(5):
        for s in range(4):
            R1 += 5e-05*W1[r, s]*W1[r, s]

    # (2.1ra, k=1)  dJ~/dw_{ij}^1 = lambda_2 w_{ij}^1 + dJ/dw_{ij}^1
    for i in range(5):
        for j in range(4):
            G1[i, j] = G1[i, j] + 0.0001*W1[i, j]

    # (2.1p, k=2)  Omega^2 = sum_{r=1}^3 sum_{s=1}^5 lambda_2 (w_{rs}^2)^2/2
    R2 = 0.0
    for r in range(3):
        for s in range(5):
            R2 += 5e-05*W2[r, s]*W2[r, s]

    # (2.1ra, k=2)  dJ~/dw_{ij}^2 = lambda_2 w_{ij}^2 + dJ/dw_{ij}^2
    for i in range(3):
        for j in range(5):
            G2[i, j] = G2[i, j] + 0.0001*W2[i, j]

    # (2.1rf)  J~ = J + Omega^1 + Omega^2
    cost = R1 + R2 + cost

    return cost


@_kernel
def _rate(rate, step, steps, epoch, epochs):
    """Return the learning rate of update number step (from 1) of a run."""
    # (2.2s)  eta = eta_0 least + eta_0 (1 - least) (1 + cos(pi (tau - 1)/tau_{end}))/2
    near = True
    near &= abs(3.141592653589793*(step - 1.0)/steps) <= 1647099.0
    if near:
        eta = 0.5*(math.cos(3.141592653589793*(step - 1.0)/steps) + 1.0)*rate
    else:
        eta = 0.5*(math.cos(3.141592653589793*(step - 1.0)/steps) + 1.0)*rate

    return eta


@_kernel
def _input_gradient(w, X, Y, rows, start, count, m, work, input_gradient):
    """Fill input_gradient[start:start + count] with dJ/dx of the samples; J averages m samples."""
    _forward(w, X, rows, start, count, work)
    _sensitivities(w, X, Y, rows, start, count, m, work)
    capacity = (work.size - 144)//29
    D1 = view(work, 23*capacity, capacity, 5)
    W1 = view(w, 0, 5, 5)

    # (X.13, k=1)  dJ/dx_j = sum_{r=1}^5 w_{rj}^1 delta_r^1
    for p in range(count):
        for j in range(4):
            input_gradient[start + p, j] = 0.0
        for r in range(5):
            d1 = D1[p, r]
            for j in range(4):
                input_gradient[start + p, j] += d1*W1[r, j]


@_shared
def _input_jacobian_of_sample(w, X, row, start, p, work, input_jacobian):
    """Fill input_jacobian[start + p] with dh/dx at the sample X[row], by the T-product (X.8)."""
    capacity = (work.size - 144)//29
    S1 = view(work, 29*capacity + 80, 3, 5)
    O1 = view(work, 0*capacity, capacity, 5)
    W2 = view(w, 25, 3, 6)
    R1 = view(work, 29*capacity + 112, 3, 5)
    H = view(work, 12*capacity, capacity, 3)
    R1_sum = work[29*capacity + 128:29*capacity + 128 + 5]
    W1 = view(w, 0, 5, 5)

    # (2.12f, k=1)  [S_1]_{rs} = w_{rs}^2 (1 - (o_s^1)^2)
    for r in range(3):
        for s in range(5):
            S1[r, s] = (1.0 - O1[p, s]*O1[p, s])*W2[r, s]

    # (X.9f, k=1)  dh_q/dc_s^1 = h_q [S_1]_{qs} - h_q sum_{r=1}^3 h_r [S_1]_{rs}
    for s in range(5):
        R1_sum[s] = 0.0
    for r in range(3):
        h = H[p, r]
        for s in range(5):
            R1_sum[s] += h*S1[r, s]
    for q in range(3):
        for s in range(5):
            R1[q, s] = H[p, q]*S1[q, s] - R1_sum[s]*H[p, q]

    # (X.10, k=1)  dh_q/dx_j = sum_{s=1}^5 w_{sj}^1 dh_q/dc_s^1
    for q in range(3):
        for j in range(4):
            input_jacobian[start + p, q, j] = 0.0
        for s in range(5):
            r1 = R1[q, s]
            for j in range(4):
                input_jacobian[start + p, q, j] += r1*W1[s, j]


@_kernel
def _input_jacobian(w, X, rows, start, count, work, input_jacobian):
    """Fill input_jacobian[start:start + count] with dh/dx of the samples rows[start:start + count]."""
    _forward(w, X, rows, start, count, work)
    for p in range(count):
        _input_jacobian_of_sample(w, X, rows[start + p], start, p, work, input_jacobian)


@_kernel
def _update(w, gradient, learning_rate, clip_norm, step, states):
    """One step of adam."""
    m = states[0]
    v = states[1]
    # (2.2c.1)  Gamma = sqrt(sum_{l=1}^{L+1} sum_{r=1}^{N_l} sum_{s=1}^{M_l} (dJ~/dw_{rs}^l)^2)
    squares = 0.0
    for t in range(43):
        squares += gradient[t]*gradient[t]
    gradient_norm = math.sqrt(squares)

    # (2.2c.2)  chi = {kappa/Gamma if kappa < Gamma; 1 otherwise}
    clip_factor = (clip_norm/gradient_norm if clip_norm < gradient_norm else (1.0 if clip_norm >= gradient_norm else clip_norm + gradient_norm))

    # (2.2.3)  the same for every weight
    factor_1 = 1.0/(1.0 - 0.9**step)

    # (2.2.4)  the same for every weight
    factor_2 = 1.0/(1.0 - 0.99**step)

    # (2.2c.3)  g_bar_{ij}^k = chi dJ~/dw_{ij}^k
    # (2.2.1)  m_{ij}^k <- beta_1 m_{ij}^k + (1 - beta_1) g_bar_{ij}^k
    # (2.2.2)  v_{ij}^k <- beta_2 v_{ij}^k + (1 - beta_2) (g_bar_{ij}^k)^2
    # (2.2.3)  m_hat_{ij}^k = m_{ij}^k/(1 - beta_1^{tau})
    # (2.2.4)  v_hat_{ij}^k = v_{ij}^k/(1 - beta_2^{tau})
    # (2.2.5)  w_{ij}^k <- w_{ij}^k - eta m_hat_{ij}^k/(epsilon + sqrt(v_hat_{ij}^k))
    for t in range(43):
        clipped = clip_factor*gradient[t]
        m[t] = 0.1*clipped + 0.9*m[t]
        v[t] = 0.01*clipped*clipped + 0.99*v[t]
        m_hat = factor_1*m[t]
        v_hat = factor_2*v[t]
        w[t] = w[t] - learning_rate*m_hat/(math.sqrt(v_hat) + 1e-08)


@_kernel
def _epoch_in_parts(w, X, Y, rows, batch_size, learning_rate, clip_norm, step, states, steps, epoch, epochs, gradients, work, team=None):
    """Update w once per batch; return the mean cost of a sample and the batch that diverged, or -1.

    The gradient is kept, and added up over parts of CHUNK samples. Every thread of a team runs this: a
    part of the batch each, with a workspace of its own and a row of gradients, which are added in the
    order of the threads. The first one updates w.
    """
    total = 0.0
    n = rows.size
    batches = (n + batch_size - 1)//batch_size
    thread = 0 if team is None else team[0]
    gradient = gradients[thread]
    number = open_epoch(team)
    for batch in range(batches):
        start = batch*batch_size
        count = min(batch_size, n - start)
        gradient[:] = 0
        cost = F(0)
        begin, end = share(0, count, 1, team)
        for part in range(begin, end, CHUNK):
            size = min(CHUNK, end - part)
            cost += _gradient(w, X, Y, rows, start + part, size, F(count), gradient, work)
        cost = together(cost, team)
        low, high = share(0, N_PARAMS, 1, team)
        for other in range(1, len(gradients)):
            for t in range(low, high):
                gradients[0, t] += gradients[other, t]
        meet(team)
        step += 1
        if thread == 0:
            cost = _penalty(w, gradient, cost)
            if math.isfinite(cost):
                _update(w, gradient, F(_rate(learning_rate, step, steps, epoch, epochs)), clip_norm, step, states)
        cost = together(cost if thread == 0 else F(0), team)
        meet(team)
        if not math.isfinite(cost):
            return float(cost), batch
        total += cost*count
    close_epoch(number, team)
    return total/max(n, 1), -1


# How the weights of each layer start: (first, last, rows, columns, columns without bias,
# distribution, standard deviation or limit). Biases start at 0.
INITIAL = (
    # glorot uniform: Glorot and Bengio 2010, eq. 16
    (0, 25, 5, 5, 4, "uniform", 0.816496580927726),
    # glorot uniform: Glorot and Bengio 2010, eq. 16
    (25, 43, 3, 6, 5, "uniform", 0.8660254037844386),
)


def init_params(rng_or_seed=0):
    """Return a flat vector of start weights, shape (N_PARAMS,); biases start at 0.

    Layer 1, 2: glorot, uniform, square of the limit 6/(fan_in + fan_out) (Glorot and Bengio 2010, eq. 16).
    """
    rng = _random(rng_or_seed)
    w = np.zeros(N_PARAMS, DTYPE)
    for first, last, rows, columns, regular, distribution, scale in INITIAL:
        if distribution == "normal":
            start = rng.normal(0.0, scale, (rows, regular))
        else:
            start = rng.uniform(-scale, scale, (rows, regular))
        w[first:last].reshape(rows, columns)[:, :regular] = start
    return w


def unpack(w):
    """Return views [W_1, ..., W_{L+1}] of a flat vector, W_k of shape (N_k, N_{k-1} + bias)."""
    w = np.asarray(w)
    if w.shape != (N_PARAMS,):
        raise ValueError(f"w has shape {w.shape}, expected ({N_PARAMS},)")
    return [w[first:last].reshape(rows, columns) for first, last, rows, columns, *_ in INITIAL]


def predict(w, X):
    """Return H, shape (n, 3), for inputs X of shape (n, 4)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 3), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    capacity = (work.size - 144)//29
    H = work[12*capacity:15*capacity].reshape((capacity, 3))
    for start, count in _chunks(len(X)):
        _forward(w, X, rows, start, count, work)
        result[start:start + count] = H[:count]
    return result


def prepare(w):
    """Return the weights as predict_one wants them; do it again when they have changed."""
    w, work = _weights(w).copy(), _workspace(1)
    _prepare(w, work)
    return w, work


def value_and_gradient(w, X, Y):
    """Return J, averaged over the n samples and with the penalty, and its gradient, shape (N_PARAMS,)."""
    w, X = _weights(w), _inputs(X)
    Y = _targets(Y, len(X))
    gradient, cost = np.zeros(N_PARAMS, DTYPE), 0.0
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        cost += float(_gradient(w, X, Y, rows, start, count, F(len(X)), gradient, work))
    cost = float(_penalty(w, gradient, F(cost)))
    return cost, gradient


def jacobian(w, X):
    """Return dh_q/dw of every sample, shape (n, 3, N_PARAMS), by the T-product (2.17)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 3, N_PARAMS), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _jacobian(w, X, rows, start, count, work, result)
    return result


def input_gradient(w, X, Y):
    """Return dJ/dX, shape (n, 4), of the cost that averages the n samples, by the sensitivities (X.13)."""
    w, X = _weights(w), _inputs(X)
    Y = _targets(Y, len(X))
    result = np.empty((len(X), 4), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _input_gradient(w, X, Y, rows, start, count, F(len(X)), work, result)
    return result


def input_jacobian(w, X):
    """Return dh_q/dx of every sample, shape (n, 3, 4), by the T-product (X.8)."""
    w, X = _weights(w), _inputs(X)
    result = np.empty((len(X), 3, 4), DTYPE)
    rows, work = np.arange(len(X)), _workspace(min(CHUNK, len(X)))
    for start, count in _chunks(len(X)):
        _input_jacobian(w, X, rows, start, count, work, result)
    return result


# Multiply-adds of one sample in a step, and those that each thread must have: below, waiting for
# the others takes longer than the work.
PRODUCTS = 102
WORTHWHILE = 150000


def _worthwhile(threads, count):
    """Return how many threads a batch of `count` samples keeps busy."""
    return max(1, min(threads, PRODUCTS*count//WORTHWHILE, count//1))


class _Team:
    """Threads that share the steps of an epoch; one alone is a plain call.

    Numba's compiled functions hold no lock of Python's, so plain threads run at once. They live until
    the team is left, and look for the next epoch for a moment before they sleep.
    """

    def __init__(self, threads, rows):
        self.threads = threads
        self.called, self.over = 0, False  # epochs that the others know of
        self.awake = threading.Condition()
        self.others = []
        self.given = None
        self.place = self._place()
        self.steps = _epoch_in_parts
        gradients = np.empty((threads, N_PARAMS), DTYPE)
        self.memory = [(gradients, _workspace(min(rows, CHUNK))) for _ in range(threads)]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.over = True
        if self.others:
            self._call(None)
            self.place[2][0] = OVER
        for other in self.others:
            other.join()

    def epoch(self, first, last, *given):
        """Return what the compiled epoch returns; only _epoch keeps the weights elsewhere from the first to the last."""
        if self.threads == 1:
            return self.steps(*given, *self.memory[0])
        if not self.others:
            self._start(given)
        self._call(given)
        return self._share(0)

    def _place(self):
        return np.zeros(1, np.int64), np.zeros(self.threads, DTYPE), np.zeros(1, np.int64)

    def _start(self, given):
        """Compile with no rows, as nobody may wait for one that still compiles, or fails to; start the others."""
        w, X, Y, rows, *more = given
        self.steps(w, X, Y, rows[:0], *more, *self.memory[0], (0, 1, *self._place()))
        soon(self.place[2], 0)
        for thread in range(1, self.threads):
            other = threading.Thread(target=self._follow, args=(thread,), daemon=True)
            other.start()
            self.others.append(other)

    def _call(self, given):
        """Tell the others what comes next; it begins when this thread is in compiled code."""
        with self.awake:
            self.given = given
            self.called += 1
            self.awake.notify_all()

    def _follow(self, thread):
        number = 1
        while True:
            while not soon(self.place[2], number):
                with self.awake:
                    self.awake.wait_for(lambda: self.called >= number)
            if self.over:
                return
            self._share(thread)
            number += 1

    def _share(self, thread):
        return self.steps(*self.given, *self.memory[thread], (thread, self.threads, *self.place))


class History(list):
    """The mean cost of every epoch. ``state`` is what fit(..., state=history.state) continues from."""

    state = None


def fit(
    w,
    X,
    Y,
    *,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    learning_rate=LEARNING_RATE,
    clip_norm=CLIP_NORM,
    shuffle=True,
    seed=0,
    callback=None,
    state=None,
    total_epochs=None,
    threads=1,
):
    """Train from the weights w, which stay as they are.

    Parameters
    ----------
    w : array, shape (N_PARAMS,)
    X : array, shape (n, 4)
    Y : array
        Integer labels (n,) from 0, or rows (n, 3) that each sum to 1.
    epochs, batch_size : int
        The last batch of an epoch may be smaller.
    learning_rate : float
    clip_norm : float
        The largest norm of the gradient; only where the trainer was written with one.
    shuffle : bool
        Whether every epoch takes the samples in a new order; no data are copied for it.
    seed : int or numpy.random.Generator
        The same seed gives bitwise the same weights.
    callback : callable, optional
        Called as callback(epoch, epochs, cost) after every epoch, counted from 1.
    state : dict, optional
        ``history.state`` of an earlier call: the optimizer goes on where that one ended.
    total_epochs : int, optional
        The length of the whole run, for a schedule; by default what was done and `epochs`.
    threads : int
        At most so many threads share each batch, where it is large enough to gain by it. The same number
        gives bitwise the same weights.

    Returns
    -------
    w : array, shape (N_PARAMS,)
    history : History
        A list: the mean cost of every epoch, as met while training, with the penalty.

    Raises
    ------
    FloatingPointError
        If the cost stops being finite.
    ValueError
        If shapes, targets or options do not fit.
    """
    w, X = _weights(w).copy(), _inputs(X)
    Y = _targets(Y, len(X))
    for what, values in (("w", w), ("X", X), ("Y", Y)):
        _finite(what, values)
    epochs, batch_size = _count("epochs", epochs, 0), _count("batch_size", batch_size, 1)
    learning_rate = _positive("learning_rate", learning_rate)
    clip_norm = _positive("clip_norm", clip_norm)
    states, step, done = _state(state)
    threads = _count("threads", threads, 1)
    whole = done + epochs if total_epochs is None else _count("total_epochs", total_epochs, done + epochs)
    batches = (len(X) + batch_size - 1)//batch_size
    rate, steps = learning_rate, step + batches*(whole - done)
    rng = _random(seed)
    rows = np.arange(len(X))
    history = History()
    most = min(batch_size, len(X))  # rows of a batch
    with _Team(_worthwhile(threads, most), most) as team:
        for epoch in range(1, epochs + 1):
            if shuffle:
                rng.shuffle(rows)
            cost, diverged = team.epoch(
                epoch == 1, epoch == epochs, w, X, Y, rows, batch_size, rate, clip_norm, step, states, steps, done + epoch - 1, whole
            )
            step += batches
            if diverged >= 0:
                raise FloatingPointError(
                    f"the cost became {cost} in epoch {epoch}, batch {diverged + 1}, with learning rate "
                    f"{learning_rate}: try a smaller one"
                )
            history.append(float(cost))
            if callback is not None:
                callback(epoch, epochs, float(cost))
    if not np.isfinite(w).all():  # the last step, which no cost has seen
        raise FloatingPointError(
            f"a weight is no longer finite after epoch {epochs}, with learning rate {learning_rate}: try a smaller one"
        )
    kept = dict(zip(STATES, states, strict=True))
    history.state = {"optimizer": OPTIMIZER, "step": step, "epochs": done + epochs, "states": kept}
    return w, history


def _workspace(rows):
    """Return the memory for the layers of `rows` samples: nothing is allocated in a loop.

    Blocks of rows may reach beyond the last sample, so there are some to spare; arrays begin where a
    cache line does.
    """
    capacity = (rows + 11 + 15)//16*16
    size = 29*capacity + 144
    memory = np.zeros(size + 16, DTYPE)
    first = -memory.ctypes.data//DTYPE.itemsize % 16
    return memory[first:first + size]


def _chunks(n):
    """Yield (start, count) of pieces of at most CHUNK samples."""
    for start in range(0, n, CHUNK):
        yield start, min(CHUNK, n - start)


def _numbers(what, values, kind=DTYPE):
    """Return the values in memory as the kernels want it, by default in the trainer's type."""
    try:
        if np.iscomplexobj(values):
            raise TypeError("a complex number")
        return np.asarray(values, kind, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: expected an array of real numbers ({error})") from None


def _weights(w):
    w = _numbers("w", w)
    if w.shape != (N_PARAMS,):
        raise ValueError(f"w has shape {w.shape}, expected ({N_PARAMS},)")
    return w


def _inputs(X):
    X = _numbers("X", X)
    if X.ndim != 2 or X.shape[1] != SIZES[0]:
        raise ValueError(f"X has shape {X.shape}, expected (n, {SIZES[0]})")
    return X


def _targets(Y, n):
    """Return the targets as rows, shape (n, 3)."""
    Y = np.asarray(Y)
    outputs = SIZES[-1]
    if n == 0:
        raise ValueError("X has no rows: there is nothing to average over")
    if Y.ndim == 1:
        if not np.issubdtype(Y.dtype, np.integer):
            raise ValueError(f"labels of type {Y.dtype}: expected whole numbers from 0 to {outputs - 1}")
        if Y.shape != (n,):
            raise ValueError(f"Y has shape {Y.shape}, expected ({n},) or ({n}, {outputs})")
        outside = np.flatnonzero((Y < 0) | (Y >= outputs))
        if outside.size:
            row = outside[0]
            raise ValueError(f"Y[{row}] = {Y[row]}: expected a label from 0 to {outputs - 1}")
        rows = np.zeros((n, outputs), DTYPE)
        rows[np.arange(n), Y] = 1
        return rows
    rows = _numbers("Y", Y)
    if rows.shape != (n, outputs):
        raise ValueError(f"Y has shape {Y.shape}, expected ({n},) or ({n}, {outputs})")
    # The gradient uses that the targets of a sample sum to one (D.1f). A product with ones sums short
    # rows ten times as fast as sum does.
    off = np.abs(rows @ np.ones(outputs, DTYPE) - 1) > 1e-5
    if off.any() or rows.min() < 0:
        (row, *_) = np.flatnonzero(off | (rows < 0).any(axis=1))
        raise ValueError(f"Y[{row}] sums to {rows[row].sum()}: expected numbers >= 0 that sum to 1")
    return rows


def _finite(what, values):
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ValueError(f"{what}{place} is {values[tuple(place)]}: expected finite numbers")


def _count(name, value, least):
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} = {value!r}: expected a whole number of at least {least}")
    return int(value)


def _positive(name, value):
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not (real and math.isfinite(value) and value > 0):
        raise ValueError(f"{name} = {value!r}: expected a positive number")
    return float(value)


def _random(seed):
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ValueError(
            f"seed = {seed!r}: expected a whole number of at least 0, or a numpy.random.Generator"
        ) from None


def _state(state):
    """Return the states of the optimizer, shape (len(STATES), N_PARAMS), updates and epochs done."""
    states = np.empty((len(STATES), N_PARAMS), DTYPE)
    if state is None:
        for number, initial in enumerate(STATES.values()):
            states[number] = initial
        return states, 0, 0
    if not isinstance(state, dict) or set(state) != {"optimizer", "step", "epochs", "states"}:
        raise ValueError("state: expected history.state of an earlier fit")
    if state["optimizer"] != OPTIMIZER or set(STATES) != set(state["states"]):
        raise ValueError(f"state: it is of the optimizer {state['optimizer']}, this trainer's is {OPTIMIZER}")
    for number, name in enumerate(STATES):
        given = _numbers(f"state: {name}", state["states"][name])
        if given.shape != (N_PARAMS,):
            raise ValueError(f"state: {name} has shape {given.shape}, expected ({N_PARAMS},)")
        states[number] = given
    return states, _count("state: step", state["step"], 0), _count("state: epochs", state["epochs"], 0)


# The test vector: weights and data that _pattern makes, and what the derivation's own
# functions give there, computed with 100 digits and central differences.
TEST_COST = 1.0983506150246067
TEST_OUTPUTS = (
    (0.34687550302653014, 0.35964713327130154, 0.2934773637021683, ),
    (0.3689770748222357, 0.3530888313320241, 0.2779340938457402, ),
)
TEST_SLOPES = (0.04057274943000969, 0.04017080437089466, )
TEST_OUTPUT_SLOPES = (
    (0.053537334891758714, 0.19586353951831714, -0.24940087441007586, ),
    (0.43653635047628997, 0.004992668147666354, -0.4415290186239563, ),
)
TEST_INPUT_SLOPE = -0.018947081033689552
TEST_OUTPUT_INPUT_SLOPES = (
    (-0.04616752443153885, 0.029281692771382716, 0.016885831660156135, ),
    (-0.027331678226818576, 0.015274787828377014, 0.01205689039844156, ),
)
TOLERANCE = 2.0**14*float(np.finfo(DTYPE).eps)

# Position in w, the new weight and the new states after update number 3 of the patterns.
TEST_UPDATE = (
    (0, -0.6941941968858799, 0.20452154165049902, 0.6166006919448255, ),
    (1, -0.8668246752672787, 0.5008125136478141, 0.15699786040648814, ),
    (2, -0.9085447435826647, 0.5986820644231595, 0.9305936637306882, ),
    (3, -0.9684147247388751, 0.10797953967210039, 0.27585495755189343, ),
    (42, -0.6713886027483144, 0.5411443563059425, 0.1936660888224373, ),
)


def _pattern(first, size, factor, shift, modulus):
    """Numbers between -1 and 1, none of them 0."""
    t = np.arange(first, first + size, dtype=np.int64)
    return (2*((factor*t + shift) % modulus) - modulus)/modulus


def _test_point():
    """Return weights w, inputs X and targets Y of the test vector."""
    n, outputs = len(TEST_OUTPUTS), SIZES[-1]
    w = _pattern(0, N_PARAMS, 7919, 12345, 2003)
    w[0:25] /= 3
    w[25:43] /= 3
    X = _pattern(0, n*SIZES[0], 104729, 777, 1999).reshape(n, SIZES[0])
    Y = (1 + (np.arange(n)[:, None] + np.arange(outputs)) % outputs)/(outputs*(outputs + 1)//2)
    return w, X, Y


def _direction(first, shape):
    """Return a direction of change, float64."""
    return _pattern(first, int(np.prod(shape)), 3571, 5, 1013).reshape(shape)


def _test_predict(w, X, *targets):
    for found, expected in zip(predict(w, X).ravel(), np.ravel(TEST_OUTPUTS)):
        _compare("output (1.8)", found, expected, max(1.0, abs(expected)))


def _test_predict_one(w, X, *targets):
    prepared, h = prepare(w), np.empty(SIZES[-1], DTYPE)
    for x, row in zip(X.astype(DTYPE), TEST_OUTPUTS):
        predict_one(prepared, x, h)
        for found, expected in zip(h, row):
            _compare("output (1.8)", found, expected, max(1.0, abs(expected)))


def _test_value_and_gradient(w, X, *targets):
    cost, gradient = value_and_gradient(w, X, *targets)
    _compare("cost (2.1)", cost, TEST_COST, max(1.0, abs(TEST_COST)))
    for number, slope in enumerate(TEST_SLOPES):
        _compare_slope("gradient (D.6)", gradient, _direction(211*number, w.shape), slope)

    w = _pattern(0, N_PARAMS, 7919, 12345, 2003).astype(DTYPE)
    gradient = _pattern(211, N_PARAMS, 3571, 5, 1013).astype(DTYPE)
    states = np.abs(_pattern(0, len(STATES)*N_PARAMS, 104729, 777, 1999))
    states = states.reshape(len(STATES), N_PARAMS).astype(DTYPE)
    _update(w, gradient, F(0.125), 0.25, 3, states)
    for t, *expected in TEST_UPDATE:
        found = [w[t], *states[:, t]]
        for value, right in zip(found, expected, strict=True):
            # A few operations on numbers of size 1: no sums behind them.
            _compare("update (2.2)", value, right, max(1.0, abs(right)), TOLERANCE/64)
    rate = _rate(0.125, 3, 10, 1, 5)
    _compare("learning rate (2.2s)", rate, 0.11306356214843422, 1.0, 2.0**14*float(np.finfo(np.float64).eps))


def _test_jacobian(w, X, *targets):
    for sample, slopes in zip(jacobian(w, X), TEST_OUTPUT_SLOPES):
        for row, slope in zip(sample, slopes):
            _compare_slope("Jacobian (2.17)", row, _direction(0, w.shape), slope)


def _test_input_gradient(w, X, *targets):
    _compare_slope("input gradient (X.13)", input_gradient(w, X, *targets), _direction(0, X.shape), TEST_INPUT_SLOPE)


def _test_input_jacobian(w, X, *targets):
    for sample, slopes, direction in zip(input_jacobian(w, X), TEST_OUTPUT_INPUT_SLOPES, _direction(0, X.shape)):
        for row, slope in zip(sample, slopes):
            _compare_slope("input Jacobian (X.10)", row, direction, slope)


TESTS = {
    "predict": _test_predict,
    "predict_one": _test_predict_one,
    "value_and_gradient": _test_value_and_gradient,
    "jacobian": _test_jacobian,
    "input_gradient": _test_input_gradient,
    "input_jacobian": _test_input_jacobian,
}


def self_test(*functions):
    """Compare what these functions (names; by default all of TESTS) return with the test vector.

    Raises
    ------
    AssertionError
        Names what differs. A result may be off by 2^14 roundings of its own size: single
        terms of the sums behind it are larger than the sums.
    """
    point = _test_point()
    for name in functions or TESTS:
        TESTS[name](*point)


def _compare_slope(what, gradient, direction, expected):
    terms = gradient.astype(np.float64)*direction
    _compare(what, terms.sum(), expected, np.abs(terms).sum())


def _compare(what, found, expected, size, tolerance=TOLERANCE):
    # Written so that NaN fails.
    if not abs(found - expected) <= tolerance*size:
        raise AssertionError(f"{what}: {found} instead of {expected}")


def main():
    """The command line of this file."""
    # Standard library only, and only when this file is run as a program.
    import argparse
    import contextlib
    import os
    import sys

    parser = argparse.ArgumentParser(
        description="Network iris_4_5_3_adam: 4 - 5 - 3 (tanh, softmax), cost cross_entropy, float64.",
        epilog="Data are .npz files with an array X, and Y for fit. Written by symbp 0.1.0.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("fit", help="train and write the weights")
    train.add_argument("data", help=".npz file with X and Y")
    train.add_argument("weights", help=".npz file to write; its array is w")
    train.add_argument("--epochs", type=int, default=EPOCHS)
    train.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    train.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=int, default=1)
    use = commands.add_parser("predict", help="write the outputs for X")
    use.add_argument("weights", help=".npz file that fit has written")
    use.add_argument("data", help=".npz file with X")
    use.add_argument("output", help=".npz file to write; its array is H")
    commands.add_parser("self-test", help="compare the kernels with the embedded test vector")
    arguments = parser.parse_args()

    def read(path, *names):
        with np.load(path) as arrays:
            missing = [name for name in names if name not in arrays]
            if missing:
                raise ValueError(f"{path}: no array {missing[0]}; found {', '.join(arrays) or 'none'}")
            return [arrays[name] for name in names]

    @contextlib.contextmanager
    def written(path, *sources):
        """Open a file that takes its name when it is complete; what cannot be written is known at once."""
        path = path if path.endswith(".npz") else path + ".npz"
        if any(os.path.realpath(path) == os.path.realpath(source) for source in sources):
            raise ValueError(f"{path}: is read from, too; name another file to write")
        part = f"{path}.{os.getpid()}.part"
        try:
            with open(part, "wb") as file:
                yield file
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.remove(part)

    def report(epoch, epochs, cost):
        print(f"epoch {epoch}/{epochs}  cost {cost:.6g}")

    try:
        if arguments.command == "fit":
            X, Y = read(arguments.data, "X", "Y")
            with written(arguments.weights, arguments.data) as file:
                w, _ = fit(
                    init_params(arguments.seed),
                    X,
                    Y,
                    epochs=arguments.epochs,
                    batch_size=arguments.batch_size,
                    learning_rate=arguments.learning_rate,
                    seed=arguments.seed,
                    threads=arguments.threads,
                    callback=report,
                )
                np.savez(file, w=w)
        elif arguments.command == "predict":
            (w,), (X,) = read(arguments.weights, "w"), read(arguments.data, "X")
            with written(arguments.output, arguments.weights, arguments.data) as file:
                np.savez(file, H=predict(w, X))
        else:
            self_test()
            print("self-test passed")
    except Exception as error:  # whatever a broken file makes NumPy raise: one line
        print(f"{NAME}: error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
