"""Assembly of a trainer's kernels for any machine that LLVM knows, and its innermost loops.

The functions are compiled by Numba here, and written as the instructions of the machine that they
are laid out for: nothing is run, and nothing depends on a clock.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from dataclasses import dataclass

import llvmlite.binding as llvm
from numba import types as kinds

# Triple and processor of LLVM; what a product of whole registers looks like, and one of single numbers.
MACHINES = {
    "x86-64-v4": ("x86_64-unknown-linux-gnu", "x86-64-v4", r"vfn?m(?:add|sub)\d+ps\b.*%zmm"),
    "x86-64-v3": ("x86_64-unknown-linux-gnu", "x86-64-v3", r"vfn?m(?:add|sub)\d+ps\b.*%ymm"),
    "aarch64": ("aarch64-unknown-linux-gnu", "generic", r"fml[as]\s+v\d+\.4s"),
}
_SINGLE = re.compile(r"^\s+(?:vfn?m(?:add|sub)\d+ss|fn?m(?:add|sub)\s+s\d)")
_LABEL = re.compile(r"^(\.?\w+):")
_JUMP = re.compile(r"^\s+(?:j\w+|b(?:\.\w+)?|cbn?z|tbn?z)\s+(?:\w+, )?(?:#\d+, )?(\.?\w+)\s*$")
_CALL = re.compile(r"^\s+(?:call|bl\s|blr\s)")
_VECTOR = re.compile(r"%[xyz]mm\d|\b[qvs]\d+\b")
_MEMORY = re.compile(r"\(%|\[(?:x\d|sp)")
_STACK = re.compile(r"\(%rsp[,)]|\[sp\b")
# A store has its place last on x86, and a name of its own on Arm.
_STORE = re.compile(r"\(%[^)]*\)\s*$|^\s+st")
_FUNCTION = re.compile(r'^define [^\n]*?@("[^"]+"|[\w.$]+)\(.*?^}\n', re.DOTALL | re.MULTILINE)
_NAME = re.compile(r'@("[^"]+"|[\w.$]+)')


@dataclass(frozen=True)
class Loop:
    """What an innermost loop does in one round.

    Attributes
    ----------
    products : int
        Multiply-adds of whole registers.
    reads : int
        Vector instructions that read memory.
    single, calls : int
        Multiply-adds of single numbers; calls.
    spilled, stored : int
        Vectors that come from or go to the stack; those that go there.
    written : int
        Vectors that go to memory anywhere.
    text : str
    """

    products: int
    reads: int
    single: int
    calls: int
    spilled: int
    stored: int
    written: int
    text: str


def loops(assembly: str, product: str) -> list[Loop]:
    """Return the innermost loops: from a label to the jump back to it, with no other loop inside."""
    lines = assembly.splitlines()
    places = {found[1]: n for n, line in enumerate(lines) if (found := _LABEL.match(line))}
    ends = [(places[j[1]], n) for n, line in enumerate(lines) if (j := _JUMP.match(line)) and j[1] in places]
    backward = [(start, end) for start, end in ends if start < end]
    inner = [a for a in backward if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in backward)]
    return [_loop(lines[start : end + 1], re.compile(product)) for start, end in inner]


def _loop(lines: list[str], product: re.Pattern[str]) -> Loop:
    # Of two registers that Arm reads at once each counts as one: no more are there than reads.
    memory = [line for line in lines if _VECTOR.search(line) and _MEMORY.search(line)]
    stack = [line for line in memory if _STACK.search(line)]
    return Loop(
        sum(bool(product.search(line)) for line in lines),
        sum(not _STORE.search(line) for line in memory),
        sum(bool(_SINGLE.match(line)) for line in lines),
        sum(bool(_CALL.match(line)) for line in lines),
        len(stack),
        sum(bool(_STORE.search(line)) for line in stack),
        sum(bool(_STORE.search(line)) for line in memory),
        "\n".join(lines),
    )


def module_of(source: str, name: str) -> types.ModuleType:
    """Return a trainer as a module whose kernels are not compiled yet, and never cached."""
    module = types.ModuleType(f"assembly_{name}".replace("-", "_"))
    sys.modules[module.__name__] = module
    exec(compile(source.replace("cache=known, ", ""), module.__name__, "exec"), module.__dict__)
    return module


_DATA = kinds.Array(kinds.float32, 2, "C")
_WORK = kinds.Array(kinds.float32, 1, "C")
_ROWS = kinds.Array(kinds.int64, 1, "C")
_COUNT, _NUMBER, _ALONE = kinds.int64, kinds.float32, kinds.none
ARGUMENTS = {
    "_measure": (_DATA, _DATA, _ROWS, _COUNT, _COUNT, _NUMBER, _COUNT, _WORK),
    "_back": (_DATA, _ROWS, _COUNT, _COUNT, _NUMBER, _COUNT, _WORK),
    "_descend": (_COUNT, _NUMBER, _WORK, _ALONE),
    "_descend of X": (_DATA, _ROWS, _COUNT, _COUNT, _NUMBER, _WORK, _ALONE),
    "_epoch_in_registers": (_WORK, _DATA, _DATA, _ROWS, _COUNT, _NUMBER, _WORK, _ALONE),
}


def loops_of(module: types.ModuleType, kernel: str, target: str) -> list[Loop]:
    """Return the innermost loops of a kernel in float32, in the instructions of a machine."""
    function = getattr(module, kernel)
    arguments = ARGUMENTS[kernel]
    if len(inspect.signature(function.py_func).parameters) != len(arguments):
        arguments = ARGUMENTS[f"{kernel} of X"]
    function.compile(arguments)
    compiled = function.overloads[arguments]
    text = _alone(compiled.library.get_llvm_str(), compiled.fndesc.mangled_name)
    return loops(assembly(text, target), MACHINES[target][2])


def assembly(text: str, target: str) -> str:
    """Return LLVM's text of functions as instructions of a machine."""
    triple, processor, _ = MACHINES[target]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=processor, opt=3)
    module = llvm.parse_assembly(re.sub(r"target (?:triple|datalayout) = .*\n", "", text))
    module.triple, module.data_layout = triple, str(machine.target_data)
    return str(machine.emit_assembly(module))


def _alone(text: str, name: str) -> str:
    """Return a function and those that it calls; Numba's own counting of references is left out."""
    bodies = {found[1].strip('"'): found[0] for found in _FUNCTION.finditer(text)}
    kept, waiting = set[str](), [name]
    while waiting:
        kept.add(here := waiting.pop())
        called = {found.strip('"') for found in _NAME.findall(bodies[here])} & set(bodies)
        waiting += sorted(other for other in called - kept if not other.startswith("NRT_"))
    own = "".join(bodies[each] for each in sorted(kept))
    counting = sorted(n for n in bodies if n.startswith("NRT_") and f"@{n}(" in own)
    return _FUNCTION.sub("", text) + "".join(f"declare void @{n}(ptr)\n" for n in counting) + own
