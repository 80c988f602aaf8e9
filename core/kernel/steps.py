"""Names of what writers do, step by step, as `kernel/events/uprobes.c` calls it.

One vocabulary: a step of the model checker and a stretch of a cell with writers that end in the
same change of the kernel's state have the same name.
"""

from __future__ import annotations

INSERT_UPROBE = "insert_uprobe"
FIND_UPROBE = "find_uprobe"
DELETE_UPROBE = "delete_uprobe"
PUT_UPROBE = "put_uprobe"
DOWN_WRITE = "down_write(&uprobe->register_rwsem)"
UP_WRITE = "up_write(&uprobe->register_rwsem)"
CONSUMER_ADD = "consumer_add"
CONSUMER_DEL = "consumer_del"
BUILD_PROBE_LIST = "build_probe_list"
"""Of a mapping that appears: the uprobes of its inode, with a reference each."""

WRITE_SEQCOUNT_END = "write_seqcount_end"
FREE = "put_uprobe: free"
"""What follows the last put, where that erases first: kfree() or the first callback."""
