"""`ray start` that listens on loopback only: python ray_on_loopback.py --head|--address=A OPTIONS

With --block, which is added, the Ray processes end with this one, and they are in its group.
"""

from __future__ import annotations

import os
import sys

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Start a Ray node in this process."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Without it Ray and all that it starts replace 127.0.0.1 by the address of an interface.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from ray._common import utils
    from ray._private import ray_constants, services
    from ray.scripts.scripts import main as ray

    services.resolve_ip_for_localhost = lambda host: LOOPBACK if host == "localhost" else host
    services.get_node_ip_address = lambda address=None: LOOPBACK
    # Ray would open the folders of its session to everybody.
    utils.try_make_directory_shared = lambda folder: os.chmod(folder, 0o700)
    # With it `ray start` refuses to join a head.
    ray_constants.ENABLE_RAY_CLUSTER = True
    sys.argv = ["ray", "start", "--block", f"--node-ip-address={LOOPBACK}", *sys.argv[1:]]
    ray()


if __name__ == "__main__":
    main()
