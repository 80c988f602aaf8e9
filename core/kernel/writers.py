"""What registering, unregistering, mapping and forking do to shared lines, stretch by stretch.

Read beside `kernel/events/uprobes.c` and `mm/`. A stretch ends where the kernel's state changes:
with a lock just taken, or given back. All stages do the same; what differs is which of them.
"""

from __future__ import annotations

from core.kernel import hot_path as hp
from core.kernel import steps
from core.kernel.operation import Call, Kind, Line, Operation, Path, work
from core.kernel.primitives import (
    down_write,
    read_lock,
    read_unlock,
    refcount_dec_and_test,
    refcount_inc,
    up_write,
    write_lock,
    write_unlock,
)

WORK_CYCLES = {
    "alloc_uprobe": 600,
    "rb_insert": 150,
    "consumer_list": 60,
    "build_map_info": 500,
    "verify_opcode": 900,
    "uprobe_write_opcode": 7000,
    "mmap_region": 3000,
    "dup_mmap": 120_000,
    "exec": 900_000,
    "exit_mmap": 150_000,
}
"""Core cycles of the stretches of work that only writers do. All are estimates.

`uprobe_write_opcode` copies a page and flushes translations: 2-3 us. Together an attach or detach
of one probe comes to 2-5 us, as published figures have it without the grace period (50,000 probes
by one link take 0.12-0.42 s). `exec` and `dup_mmap` are those of a small process.
"""

LOCK_TREE = Call("write_lock(&uprobes_treelock)", write_lock(Line.TREE))
UNLOCK_TREE = Call("write_unlock(&uprobes_treelock)", write_unlock(Line.TREE))
LINK = Call(
    "rb_link_node",
    (
        *work("rb_insert"),
        Operation(Kind.STORE, Line.UPROBE),
        Operation(Kind.STORE, Line.TREE),
    ),
)
ERASE = Call("rb_erase", LINK.operations)
LOCK_UPROBE = Call(steps.DOWN_WRITE, down_write(Line.UPROBE, Line.UPROBE))
UNLOCK_UPROBE = Call(steps.UP_WRITE, up_write(Line.UPROBE))
LOCK_MM = Call(
    "mmap_write_lock",
    (*down_write(Line.MMAP_COUNT, Line.MMAP_OWNER), Operation(Kind.STORE, Line.MMAP_SEQ)),
)
UNLOCK_MM = Call(
    "mmap_write_unlock", (Operation(Kind.STORE, Line.MMAP_SEQ), *up_write(Line.MMAP_COUNT))
)
ALLOCATE = Call("alloc_uprobe", work("alloc_uprobe"))
MAP_INFO = Call("build_map_info", work("build_map_info"))
VERIFY = Call("verify_opcode", work("verify_opcode"))
WRITE_OPCODE = Call("uprobe_write_opcode", work("uprobe_write_opcode"))
LOCK_TREE_READ = Call("read_lock(&uprobes_treelock) (build_probe_list)", read_lock(Line.TREE))
UNLOCK_TREE_READ = Call("read_unlock(&uprobes_treelock) (build_probe_list)", read_unlock(Line.TREE))

GET = Call("get_uprobe", refcount_inc(Line.UPROBE))

STRETCHES: dict[str, Path] = {
    steps.INSERT_UPROBE: (ALLOCATE, LOCK_TREE, hp.RB_FIND),
    "insert_uprobe: unlock": (LINK, UNLOCK_TREE),
    "insert_uprobe: get_uprobe": (GET, UNLOCK_TREE),
    steps.FIND_UPROBE: (LOCK_TREE_READ, hp.RB_FIND, GET, UNLOCK_TREE_READ),
    steps.DOWN_WRITE: (LOCK_UPROBE,),
    steps.UP_WRITE: (UNLOCK_UPROBE,),
    steps.CONSUMER_ADD: (Call(steps.CONSUMER_ADD, work("consumer_list")),),
    steps.CONSUMER_DEL: (Call(steps.CONSUMER_DEL, work("consumer_list")),),
    "install: lock": (MAP_INFO, LOCK_MM, VERIFY, WRITE_OPCODE),
    "install: again": (MAP_INFO, LOCK_MM, VERIFY),
    "install: unlock": (UNLOCK_MM,),
    "install: children": (MAP_INFO,),
    steps.DELETE_UPROBE: (LOCK_TREE,),
    "delete_uprobe: unlock": (ERASE, UNLOCK_TREE),
    steps.PUT_UPROBE: (Call(steps.PUT_UPROBE, refcount_dec_and_test(Line.UPROBE)),),
    "mmap: lock": (LOCK_MM, Call("mmap_region", work("mmap_region"))),
    steps.BUILD_PROBE_LIST: (LOCK_TREE_READ, hp.RB_FIND, UNLOCK_TREE_READ),
    "mmap: unlock": (UNLOCK_MM,),
    "fork: lock": (LOCK_MM, Call("dup_mmap", work("dup_mmap"))),
    "fork: unlock": (UNLOCK_MM,),
    "handler_chain: lock": (hp.CONSUMERS_LOCK,),
    "unapply_uprobe: unlock": (hp.CONSUMERS_UNLOCK,),
    "exec": (Call("exec", work("exec")),),
    "exit": (Call("exit_mmap", work("exit_mmap")),),
}
"""By name, that of `core.kernel.steps` where the model checker has a step of the same effect.

"install: again" is a breakpoint that is there already, or a further mapping.
"""
