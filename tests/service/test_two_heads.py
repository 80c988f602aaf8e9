"""Two heads on one machine: the second finds the port taken at which it would take jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback import free_port, loopback_cluster

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]

TINY = "bench: uprobe-nop\nflavour: srcu\ncpus: 1\nwarmup: 20us\nduration: 20us\nsample: 20us\n"


def test_submit_names_the_port_that_two_heads_share(tmp_path: Path) -> None:
    port = free_port()
    with (
        loopback_cluster(tmp_path / "first", port, CPU=1),
        loopback_cluster(tmp_path / "second", port, CPU=1) as second,
    ):
        (second.home / "tiny.yaml").write_text(TINY)
        done = second.cli("submit", "tiny.yaml")
        assert (done.returncode, done.stdout) == (4, "")
        assert "another head on that machine has the port" in done.stderr
        assert len(done.stderr.splitlines()) == 1
