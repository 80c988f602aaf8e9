"""One hit under the old locks (stage 0), call by call. Every other design is this list, patched.

Read beside `kernel/events/uprobes.c` and `kernel/trace/trace_uprobe.c` of Linux 6.10: the probed
instruction is a `nop`, emulated without a single-step slot; the probe is a perf event with one BPF
program that counts per CPU.
"""

from __future__ import annotations

from core.kernel.operation import Call, Kind, Line, Operation, Path, work
from core.kernel.primitives import (
    down_read,
    locked_private,
    plain_increment,
    read_lock,
    read_unlock,
    refcount_dec_and_test,
    refcount_inc,
    up_read,
)

BENCHES = ("uprobe-nop", "uretprobe-nop")

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
)
GET_UPROBE = Call("get_uprobe", refcount_inc(Line.UPROBE))
PUT_UPROBE = Call("put_uprobe", refcount_dec_and_test(Line.UPROBE))
CONSUMERS_LOCK = Call("down_read(&uprobe->register_rwsem)", down_read(Line.UPROBE, Line.UPROBE))
CONSUMERS_UNLOCK = Call("up_read(&uprobe->register_rwsem)", up_read(Line.UPROBE))
DISPATCH = Call("uprobe_dispatcher", (*work("consumer_call"), *plain_increment(Line.EVENT)))
RUN_BPF = Call("__uprobe_perf_func", (*work("bpf_prog"), *locked_private()))
EMULATE = Call("arch_uprobe_skip_sstep", work("emulate"))
IRET = Call("iret", work("trap_exit"))
ALLOCATE_RETURN = Call("alloc_return_instance", work("return_instance_alloc"))
FREE_RETURN = Call("free_ret_instance", work("return_instance_free"))
HOLD_FOR_RETURN = Call("get_uprobe (return instance)", refcount_inc(Line.UPROBE))
PUT_AFTER_RETURN = Call("put_uprobe (return instance)", refcount_dec_and_test(Line.UPROBE))


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


def _leave() -> Path:
    return (
        EMULATE,
        PUT_UPROBE,
        IRET,
    )


def _uprobe() -> Path:
    return (*_resolve(), CONSUMERS_LOCK, DISPATCH, RUN_BPF, CONSUMERS_UNLOCK, *_leave())


def _uretprobe() -> Path:
    """As a uprobe, but the handler only arms the return; the program runs when it happens."""
    return (
        *_resolve(),
        CONSUMERS_LOCK,
        DISPATCH,
        ALLOCATE_RETURN,
        Call("prepare_uretprobe", work("prepare_uretprobe")),
        HOLD_FOR_RETURN,
        CONSUMERS_UNLOCK,
        *_leave(),
        Call("sys_uretprobe", work("uretprobe_entry")),
        CONSUMERS_LOCK,
        Call("uretprobe_dispatcher", work("consumer_call")),
        RUN_BPF,
        CONSUMERS_UNLOCK,
        PUT_AFTER_RETURN,
        FREE_RETURN,
        Call("sysret", work("uretprobe_exit")),
    )


def baseline(bench: str) -> Path:
    """The hot path of stage 0 for one of BENCHES. Raises KeyError for another name."""
    return {"uprobe-nop": _uprobe, "uretprobe-nop": _uretprobe}[bench]()
