"""An option for every axis of the registry: to choose rows of a run by, or to make cells of."""

from __future__ import annotations

from typing import Any

import click

from sweep.commands import completing

AXES_HELP = ("--AXIS V,V", "Any axis of `list axes`: --bench B --flavour F,F --cpus 1-8,16 ...")

_HELP = __name__


class AxesCommand(click.Command):
    """A command with an option for every axis, `--probes 1,64` or `--cpus 1-8`.

    Those that are given come as one parameter `axes`: their text by axis. An option of the
    command's own by an axis' name stands in place of that. The registry is read when the command is
    called, neither when it is defined nor for its help.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the axes unless help is asked for."""
        ctx.meta[_HELP] = bool({*ctx.help_option_names} & {*args})
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, and then the axes."""
        own = super().get_params(ctx)
        if ctx.meta.get(_HELP):
            return own
        taken = {name for param in own for name in param.opts}
        return [*own, *(option for option in _options() if not taken.intersection(option.opts))]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, the axes as one line."""
        own = [param for param in super().get_params(ctx) if isinstance(param, click.Option)]
        records = [option.get_help_record(ctx) for option in own]
        with formatter.section("Options"):
            formatter.write_dl([AXES_HELP, *filter(None, records)])

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command with the axes that are given as one parameter."""
        given = {
            option.name: ",".join(ctx.params.pop(option.name))
            for option in self.get_params(ctx)
            if isinstance(option, _AxisOption)
        }
        ctx.params["axes"] = {name: text for name, text in given.items() if text}
        return super().invoke(ctx)


class _AxisOption(click.Option):
    name: str


def _options() -> list[_AxisOption]:
    from sweep.spec.axes import AXES
    from sweep.spec.spec import ALIASES

    words = {axis: [word for word in ALIASES if ALIASES[word] == axis] for axis in AXES}
    return [
        _AxisOption(
            [f"--{spelt}" for word in (name, *words[name]) for spelt in _spelt(word)] + [name],
            multiple=True,
            shell_complete=completing.axis(name),
        )
        for name in AXES
    ]


def _spelt(word: str) -> list[str]:
    return [word.replace("_", "-"), *([word] if "_" in word else [])]
