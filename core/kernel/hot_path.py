"""One hit on Linux 6.4 to 6.9, call by call. Every other design is this list, patched.

Read beside `kernel/events/uprobes.c`, `kernel/trace/trace_uprobe.c` (a perf event) and
`kernel/trace/bpf_trace.c` (a uprobe_multi link). A `nop` or `push` is emulated, a `ret` and a
5-byte nop are single-stepped in a slot of the process' xol area. One BPF program counts per CPU.
"""

from __future__ import annotations

from core.kernel.bench import NAMED, Bench
from core.kernel.operation import Call, Kind, Line, Operation, Path, Role, work
from core.kernel.primitives import (
    atomic_dec,
    atomic_inc,
    clear_bit,
    down_read,
    locked_private,
    plain_increment,
    rcu_read_lock_trace,
    rcu_read_unlock_trace,
    read_lock,
    read_unlock,
    refcount_dec_and_test,
    refcount_inc,
    spin_lock,
    spin_unlock,
    take_zero_bit,
    up_read,
)

BENCHES = tuple(NAMED)
"""Names of the benches: what a hit can be a hit of."""

TRAP = Call("exc_int3", work("trap_entry"))
MMAP_READ_LOCK = Call("mmap_read_lock", down_read(Line.MMAP_COUNT, Line.MMAP_OWNER))
MMAP_READ_UNLOCK = Call("mmap_read_unlock", up_read(Line.MMAP_COUNT))
TREE_READ_LOCK = Call("read_lock(&uprobes_treelock)", read_lock(Line.TREE))
TREE_READ_UNLOCK = Call("read_unlock(&uprobes_treelock)", read_unlock(Line.TREE))
RB_FIND = Call(
    "rb_find",
    (
        Operation(Kind.LOAD, Line.TREE),
        Operation(Kind.LOAD, Line.UPROBE, ancestors=True),
        *work("rb_find"),
    ),
    Role.LOOKUP,
)
GET_UPROBE = Call("get_uprobe", refcount_inc(Line.UPROBE), Role.GET)
PUT_UPROBE = Call("put_uprobe", refcount_dec_and_test(Line.UPROBE), Role.PUT)
CONSUMERS_LOCK = Call(
    "down_read(&uprobe->register_rwsem)", down_read(Line.UPROBE, Line.UPROBE), Role.CHAIN_LOCK
)
CONSUMERS_UNLOCK = Call("up_read(&uprobe->register_rwsem)", up_read(Line.UPROBE), Role.CHAIN_UNLOCK)
DISPATCH = Call(
    "uprobe_dispatcher", (*work("consumer_call"), *plain_increment(Line.EVENT)), Role.DISPATCH
)
FILL_BUFFER = Call(
    "prepare_uprobe_buffer",
    (*locked_private("lock cmpxchg"), *work("uprobe_buffer"), *locked_private("lock cmpxchg")),
    Role.DISPATCH,
)
FILTER = Call(
    "uprobe_perf_filter", (*read_lock(Line.FILTER), *read_unlock(Line.FILTER)), Role.DISPATCH
)
RETURN_DISPATCH = Call("uretprobe_dispatcher", work("consumer_call"), Role.DISPATCH)
PROGRAM = (*work("bpf_prog"), *locked_private("lock add"))
RUN_BPF = Call(
    "__uprobe_perf_func", (*rcu_read_lock_trace(), *PROGRAM, *rcu_read_unlock_trace()), Role.PROGRAM
)
"""`bpf_prog_run_array_uprobe` walks an array of programs in a section of its own; a link has one
program and no array (v6.11, read). What the walk itself costs is in `bpf_prog`."""
MULTI_DISPATCH = Call("uprobe_multi_link_handler", work("uprobe_multi_call"), Role.DISPATCH)
MULTI_RETURN_DISPATCH = Call(
    "uprobe_multi_link_ret_handler", work("uprobe_multi_call"), Role.DISPATCH
)
MULTI_RUN_BPF = Call(
    "uprobe_prog_run", (*work("uprobe_multi_prog"), *locked_private("lock add")), Role.PROGRAM
)
EMULATE = Call("arch_uprobe_skip_sstep", work("emulate"))
EMULATE_NOP5 = Call("arch_uprobe_skip_sstep (5-byte nop)", work("emulate"))
EMULATE_PUSH = Call("arch_uprobe_skip_sstep (push_emulate_op)", work("emulate_push"))
IRET = Call("iret", work("trap_exit"))
TAKE_SLOT = Call(
    "xol_get_insn_slot",
    (
        Operation(Kind.LOAD, Line.XOL_AREA),
        *take_zero_bit(Line.XOL_BITMAP),
        *atomic_inc(Line.XOL_AREA),
        *work("xol_copy"),
    ),
)
IRET_TO_SLOT = Call("iret (to the slot)", work("trap_exit"))
DEBUG_TRAP = Call("exc_debug", work("debug_trap_entry"))
DEBUG_TRAP_NOP5 = Call("exc_debug (5-byte nop)", work("debug_trap_entry"))
STEPPED = {"ret": DEBUG_TRAP, "nop5": DEBUG_TRAP_NOP5}
"""Instructions that are single-stepped, and the trap after the step."""
PUT_AFTER_STEP = Call("put_uprobe (single step)", refcount_dec_and_test(Line.UPROBE), Role.PUT)
FREE_SLOT = Call(
    "xol_free_insn_slot",
    (
        Operation(Kind.LOAD, Line.XOL_AREA),
        *clear_bit(Line.XOL_BITMAP),
        *atomic_dec(Line.XOL_AREA),
        Operation(Kind.LOAD, Line.XOL_AREA),
    ),
)
RECALC_SIGPENDING = Call(
    "recalc_sigpending", (*spin_lock(Line.SIGLOCK), *spin_unlock(Line.SIGLOCK))
)
ALLOCATE_RETURN = Call("alloc_return_instance", work("return_instance_alloc"), Role.ALLOCATE_RETURN)
FREE_RETURN = Call("free_ret_instance", work("return_instance_free"))
HOLD_FOR_RETURN = Call("get_uprobe (return instance)", refcount_inc(Line.UPROBE), Role.HOLD_RETURN)
PUT_AFTER_RETURN = Call(
    "put_uprobe (return instance)", refcount_dec_and_test(Line.UPROBE), Role.PUT_RETURN
)

RETURN_TRAP = Call("exc_int3 (uretprobe trampoline)", work("trap_entry"), Role.ENTER_RETURN)
RETURN_IRET = Call("iret (uretprobe trampoline)", work("trap_exit"))


def _resolve() -> Path:
    """From the trap to the uprobe: address to VMA, VMA to inode and offset, tree lookup."""
    return (
        TRAP,
        MMAP_READ_LOCK,
        Call("vma_lookup", work("vma_lookup")),
        TREE_READ_LOCK,
        RB_FIND,
        GET_UPROBE,
        TREE_READ_UNLOCK,
        MMAP_READ_UNLOCK,
    )


def _handle(bench: Bench) -> Path:
    """What a uprobe's consumer does; a uprobe_multi link has no handler where none is wanted."""
    if bench.multi:
        return () if bench.at_return else (MULTI_DISPATCH, MULTI_RUN_BPF)
    dispatch = (DISPATCH, FILL_BUFFER, FILTER)
    return dispatch if bench.at_return else (*dispatch, RUN_BPF)


def _arm_return() -> Path:
    return (
        ALLOCATE_RETURN,
        Call("prepare_uretprobe", work("prepare_uretprobe"), Role.PREPARE_RETURN),
        HOLD_FOR_RETURN,
    )


def _leave(instruction: str) -> Path:
    """The probed instruction, and back to user space. A step keeps the lookup's reference."""
    if instruction in STEPPED:
        after = (PUT_AFTER_STEP, FREE_SLOT, RECALC_SIGPENDING, IRET)
        return (TAKE_SLOT, IRET_TO_SLOT, STEPPED[instruction], *after)
    return (EMULATE_PUSH if instruction == "push" else EMULATE, PUT_UPROBE, IRET)


def _return(bench: Bench) -> Path:
    """The function returns: no tree and no mmap_lock, the return instance knows the uprobe."""
    handle: Path = (RETURN_DISPATCH, FILL_BUFFER, RUN_BPF)
    if bench.multi:
        handle = (MULTI_RETURN_DISPATCH, MULTI_RUN_BPF)
    return (
        RETURN_TRAP,
        CONSUMERS_LOCK,
        *handle,
        CONSUMERS_UNLOCK,
        PUT_AFTER_RETURN,
        FREE_RETURN,
        RETURN_IRET,
    )


def unpatched(name: str) -> Path:
    """The hot path without any patch for one of BENCHES. Raises KeyError for another name."""
    bench = NAMED[name]
    return (
        *_resolve(),
        CONSUMERS_LOCK,
        *_handle(bench),
        *(_arm_return() if bench.at_return else ()),
        CONSUMERS_UNLOCK,
        *_leave(bench.instruction),
        *(_return(bench) if bench.at_return else ()),
    )
