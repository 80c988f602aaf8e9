"""What docs/service.md says to paste, pasted."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from loopback import ROOT, environment, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]

TINY = "bench: uprobe-nop\nflavour: srcu\ncpus: 1\nwarmup: 20us\nduration: 20us\nsample: 20us\n"


def test_the_quick_start_on_this_machine_works_when_pasted(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "service.md").read_text()
    found = re.search(r"To let the machine before you .*?\n\n((?:    .*\n)+)", text)
    assert found
    port, others = free_port(), [free_port() for _ in range(3)]
    ports = (
        f"--head --num-cpus=2 --dashboard-port={port} --port={others[0]} "
        f"--ray-client-server-port={others[1]} --dashboard-agent-listen-port={others[2]}"
    )
    (tmp_path / "cover-letter.yaml").write_text(TINY)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    pasted = found[1].replace("--head", ports).replace("8265", str(port))
    address = {"RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{port}"}
    done = subprocess.run(
        ["bash", "-c", pasted],
        cwd=tmp_path,
        env=environment(tmp_path) | address,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    assert re.search("^cover-letter-[0-9a-f]{8}: submitted$", done.stdout, re.MULTILINE)
    assert "1 cell done: " in done.stdout
    assert (tmp_path / ".ray" / "auth_token").stat().st_mode & 0o777 == 0o600
