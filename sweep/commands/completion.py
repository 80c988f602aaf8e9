"""`uprobe-sweep completion`: what a shell needs to complete commands, options and values."""

from __future__ import annotations

import os
import re
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

PROGRAM = "uprobe-sweep"
VARIABLE = "_UPROBE_SWEEP_COMPLETE"
"""What a shell sets to ask: click's name for the program."""

BREAKS = re.compile("[=:]+")
"""Where bash breaks words, of the characters that our words have."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete commands, options, flavours, machines, specs and runs.

    Install it by the line for your shell, then open another:

    \b
    echo 'eval "$(uprobe-sweep completion bash)"' >> ~/.bashrc
    echo 'eval "$(uprobe-sweep completion zsh)"' >> ~/.zshrc
    uprobe-sweep completion fish > ~/.config/fish/completions/uprobe-sweep.fish
    """
    add_completion_class(Bash)
    add_completion_class(Fish)
    add_completion_class(Zsh)
    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    print(kind(root, {}, PROGRAM, VARIABLE).source())


class Bash(BashComplete):
    """Bash, which breaks words at = and :, and adds a blank after what it has completed."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value); [[ $value == *[=/] ]] && compopt -o nospace"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words before the one that is typed, and that; each as the command will get it."""
        words = split_arg_string(os.environ["COMP_WORDS"])[: int(os.environ["COMP_CWORD"]) + 1]
        if len(words) <= int(os.environ["COMP_CWORD"]):
            words.append("")
        whole: list[str] = []
        for at, word in enumerate(words):
            joined = at and (BREAKS.fullmatch(word) or BREAKS.fullmatch(words[at - 1]))
            if joined and whole:
                whole[-1] += word
            else:
                whole.append(word)
        return whole[1:-1], whole[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """What may stand for the part that bash takes for the word."""
        found = super().get_completions(args, incomplete)
        breaks = [match.end() for match in BREAKS.finditer(incomplete)]
        # Of --option=value click has the value already.
        start = breaks[-1] if breaks and not incomplete.startswith("-") else 0
        for item in found:
            item.value = item.value[start:]
        return found


class Zsh(ZshComplete):
    """Zsh, which adds a blank too: what ends with = or / is handed over apart, without one."""

    source_template = ZshComplete.source_template.replace(
        "_describe -V unsorted completions_with_descriptions -U",
        "local -a ended=(${completions_with_descriptions:#*[=/]:*})\n"
        "        local -a open=(${(M)completions_with_descriptions:#*[=/]:*})\n"
        "        _describe -V unsorted ended -U -- open -U -S ''",
    ).replace(
        "compadd -U -V unsorted -a completions",
        "compadd -U -V unsorted -- ${completions:#*[=/]}\n"
        "        compadd -U -V unsorted -S '' -- ${(M)completions:#*[=/]}",
    )


class Fish(FishComplete):
    """Fish, whose lists of values and words of help have commas."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )
