"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from simulate import cli

EXAMPLE = "Example:"


def page() -> str:
    """Return every command in Markdown, in alphabetical order."""
    assert isinstance(cli.main, click.Group)
    return "\n\n".join(section(name, command) for name, command in sorted(cli.main.commands.items()))


def section(name: str, command: click.Command) -> str:
    """Return a command: what it does, how it is written, an example, and its options."""
    context = click.Context(command, info_name=f"simulate {name}")
    usage = " ".join([f"simulate {name}", *command.collect_usage_pieces(context)])
    shown = [usage, *examples(command)]
    parts = [f"## simulate {name}", prose(command), "```console", *(f"$ {line}" for line in shown), "```", ""]
    return "\n".join([*parts, *options(command, context)])


def prose(command: click.Command) -> str:
    """Return the help of a command as paragraphs, its options and names of scopes in code.

    Text of the help has no markup; what would be some is escaped.
    """
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    return code_of_options(escaped(text)) + "\n"


def escaped(text: str) -> str:
    """Return plain text as Markdown."""
    return "".join(f"\\{mark}" if mark in "*_[]|`<$" else mark for mark in text)


def code_of_options(text: str) -> str:
    """Return text with what begins with two dashes as code: typography would join them."""
    return " ".join(as_code(word) for word in text.split(" ")) if "--" in text else text


def as_code(word: str) -> str:
    name, end = (word[:-1], word[-1]) if word[-1:] in ".,;:" else (word, "")
    return f"`{name}`{end}" if name.startswith("--") else word


def examples(command: click.Command) -> list[str]:
    """Return the commands that the help shows as examples."""
    return [line.strip() for line in (command.epilog or "").split(EXAMPLE, 1)[-1].splitlines() if line.strip()]


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the rows of a table of the options."""
    records = [record for option in command.get_params(context) if (record := row(option, context))]
    if records:
        yield from ("| option | what it does |", "| --- | --- |", *records)


def row(option: click.Parameter, context: click.Context) -> str:
    """Return an option as a row of a table; nothing for an argument, which stands in the usage."""
    record = option.get_help_record(context) if isinstance(option, click.Option) else None
    if record is None or "--help" in option.opts:
        return ""
    forms, meaning = (" ".join(part.split()) for part in record)
    return f"| `{forms.replace('|', chr(92) + '|')}` | {code_of_options(escaped(meaning))} |"
