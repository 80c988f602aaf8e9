"""What is sent to a cluster: a spec and its machines as data, in a folder of their own."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core import MODEL_VERSION
from core.machine.machine import machine_names
from sweep.errors import UsageError
from sweep.machines.located_yaml import yaml_text
from sweep.machines.named import named_machine
from sweep.spec.axes import AXES
from sweep.spec.designs import carried, named_flavour
from sweep.spec.spec import Spec
from sweep.store.place import located

CLUSTER_RUNS = "$HOME/uprobe-sweep/results/runs"
"""Where runs land on a cluster: in the folder of the project, on the node of the head."""

_URI = re.compile("[a-z][a-z0-9]*://.+")


@dataclass(frozen=True)
class Parcel:
    """A spec ready to be sent: the `run` that it makes, its `files` by name, its `machines`."""

    run: str
    spec: str
    out: str
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write the files into `folder`."""
        for name, text in self.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")

    def command(self, *options: str) -> str:
        """The shell command that runs it in the folder of its files, with options of `run`."""
        where = f'"{CLUSTER_RUNS}/{self.spec}"' if not self.out else shlex.quote(self.out)
        more = shlex.join(options)
        return (
            f"python -m sweep run spec.yaml --ray --address auto --progress json --out {where} "
            f"{more}".rstrip()
        )


def pack(spec: Spec, out: str = "") -> Parcel:
    """The parcel of `spec`, to land in `out` on the cluster, by default in CLUSTER_RUNS.

    Its run is named by the spec's name and a hash of what it asks for, machines and designs by
    their values.
    Machines that do not ship with the project go along, as files; also `host`, which is this one;
    and the files of designs, which are run there too.
    Raises UsageError for an `out` that depends on a working directory or leads upwards.
    """
    if _URI.fullmatch(out):
        located(out)
    path = PurePosixPath(out)
    if out and not _URI.fullmatch(out) and (not path.is_absolute() or ".." in path.parts):
        raise UsageError(f"--out {out}: on a cluster it has to be an absolute path or a URI")
    asked: dict[str, Any] = spec.model_dump(mode="json")
    machines = [named_machine(name) for name in spec.machine]
    files: dict[str, str] = {}
    sent = []
    for name, machine in zip(spec.machine, machines, strict=True):
        if name in machine_names():
            sent.append(name)
            continue
        file = f"machine-{len(files)}.yaml"
        files[file] = yaml_text(machine.model_dump(mode="json"))
        sent.append(file)
    flavours = []
    for name in spec.flavour:
        flavour, designs = carried(name)
        flavours.append(flavour)
        files.update(designs)
    files["spec.yaml"] = yaml_text({**asked, "machine": sent, "flavour": flavours})
    identity = {
        **asked,
        "machine": [machine.digest for machine in machines],
        "flavour": [str(named_flavour(name)) for name in spec.flavour],
    }
    identity.update({axis: sorted(identity[axis]) for axis in AXES})
    text = json.dumps([MODEL_VERSION, identity, out], sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return Parcel(f"{spec.name}-{digest}", spec.name, out, files)
