"""The command line. Heavy libraries are imported where they are used: --help must be quick."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click
from click.shell_completion import add_completion_class

from sweep import __version__
from sweep.commands.accuracy import accuracy
from sweep.commands.calibrate import calibrate
from sweep.commands.cancel import cancel
from sweep.commands.compact import compact
from sweep.commands.compare import compare
from sweep.commands.completion import VARIABLE, Bash, completion
from sweep.commands.diff import diff
from sweep.commands.explain import explain
from sweep.commands.explain_id import explain_id
from sweep.commands.explore import explore
from sweep.commands.export import export
from sweep.commands.failures import failures
from sweep.commands.grace import grace
from sweep.commands.list import list_
from sweep.commands.live import live
from sweep.commands.logs import logs
from sweep.commands.machine import machine
from sweep.commands.mutants import mutants
from sweep.commands.plan import plan
from sweep.commands.plot import plot
from sweep.commands.predict import predict
from sweep.commands.query import query
from sweep.commands.read_log import read_log
from sweep.commands.replay import replay
from sweep.commands.report import report
from sweep.commands.rerun import rerun
from sweep.commands.rm import rm
from sweep.commands.run import run
from sweep.commands.runs import runs
from sweep.commands.shared import INTERRUPTED, note
from sweep.commands.show import show
from sweep.commands.status import status
from sweep.commands.stress import stress
from sweep.commands.submit import submit
from sweep.commands.tables import tables
from sweep.commands.upgrade import upgrade
from sweep.commands.whatif import whatif
from sweep.errors import InfrastructureError, SweepError, UsageError, quoted
from sweep.terminal.next_command import with_next
from sweep.terminal.streams import make_patient

TERMINATED = 128 + signal.SIGTERM

A_NAME_S_FAULT = (
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.EACCES, errno.EPERM, errno.EROFS),
)
"""Errors of the system that another path would not have given."""

COMMANDS = (
    *(run, tables, compare, diff, explain, plot, report, query, export, accuracy),
    *(plan, failures, rerun, explain_id, compact, rm),
    *(list_, show, whatif, predict, upgrade, explore, machine, calibrate),
    *(mutants, replay, grace, stress),
    *(live, read_log),
    *(submit, status, logs, cancel, runs),
    completion,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Predict how uprobes scale: any kernel design, machine and number of CPUs.

    \b
    uprobe-sweep run cover-letter       simulate what the letter measured
    uprobe-sweep tables cover-letter    its tables
    uprobe-sweep compare cover-letter   beside the published figures
    uprobe-sweep explain cover-letter   where the CPUs' time goes

    SPEC is the name of a shipped spec or a .yaml or .py file; RUN is the name of a run under
    results/runs, a run's folder, or its s3:// or gs:// URI.

    Exit codes: 0 done, 1 some cells failed or changed beyond a threshold, 2 usage, 3 done but less
    precise than asked, 4 infrastructure, 130 interrupted, 143 terminated.
    """


for command in COMMANDS:
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    make_patient()
    if VARIABLE in os.environ:
        add_completion_class(Bash)
    interrupt = INTERRUPTED

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal interrupt
        interrupt = TERMINATED
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    code = code_of(args)
    if code in (INTERRUPTED, InfrastructureError.exit_code):
        # A normal exit would wait for cells in flight that nobody wants, or a Ray that has died.
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(interrupt if code == INTERRUPTED else code)
    sys.exit(code)


def code_of(args: Sequence[str] | None) -> int:
    """The exit code of the command line `args`; what went wrong is said on stderr."""
    asked = sys.argv[1:] if args is None else args
    try:
        code = int(cli.main(args, prog_name="uprobe-sweep", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        note(f"error: {with_next(' '.join(error.format_message().split()), asked)}")
        return UsageError.exit_code
    except SweepError as error:
        usage = error.exit_code == UsageError.exit_code
        note(f"error: {with_next(str(error), asked) if usage else error}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OSError as error:
        if error.errno in A_NAME_S_FAULT and error.filename is not None:
            note(f"error: {quoted(str(error.filename))}: {error.strerror}")
            return UsageError.exit_code
        # A full disk, a lost network: the same command may do elsewhere.
        note(f"error: {type(error).__name__}: {error}")
    except MemoryError:
        note("error: out of memory")
    except Exception:
        traceback.print_exc()
        note("error: this is a fault of uprobe-sweep itself")
    return InfrastructureError.exit_code
