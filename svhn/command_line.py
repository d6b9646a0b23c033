"""Command lines from dataclasses: absl flags, grouped help, one-line errors, an exit status.

Every program of this project describes its flags as a dataclass whose fields are made with
`option`. `run` defines an absl flag for each, parses the command line, builds the dataclass and
hands it to the program's main function. So the flags of a program can be saved, compared and
documented as one object, and a call from Python looks like a call from the shell.
"""

import dataclasses
import math
import os
import pathlib
import sys
import tempfile
import textwrap
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from absl import app, flags, logging

from svhn.errors import UserError

Config = TypeVar("Config")

_REQUIRED = object()


def option(
    help_text: str,
    default: Any = _REQUIRED,
    *,
    group: str,
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    """Returns a dataclass field that is also a command-line flag.

    Args:
        help_text: What the flag does, for `--help`.
        default: Its value when it is not given; without a default the flag must be given.
        group: The heading under which `--help` lists it.
        choices: The values allowed, for strings.
        minimum: The smallest value allowed, for numbers.
        maximum: The largest value allowed, for numbers.
    """
    metadata = {
        "help": help_text,
        "group": group,
        "choices": tuple(choices),
        "minimum": minimum,
        "maximum": maximum,
    }
    if default is _REQUIRED:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: default.copy(), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def start_tensorflow() -> None:
    """Imports TensorFlow and finds its devices without its start-up lines on the screen.

    TensorFlow 2.21 writes some of them before its own log level counts, so standard error is
    held back meanwhile. What was held is shown if the import fails, or if there is an NVIDIA
    device that TensorFlow can't use. What the user has set in the environment stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        screen = os.dup(2)
        os.dup2(held.fileno(), 2)
        show = True
        try:
            import tensorflow

            gpus = tensorflow.config.list_physical_devices("GPU")
            # CUDA complains only once a device is used. Workers on several machines must come
            # together before anything is computed.
            if not os.environ.get("TF_CONFIG"):
                tensorflow.zeros(()).numpy()
            show = not gpus and pathlib.Path("/dev/nvidia0").exists()
        except KeyboardInterrupt:
            show = False
            raise
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            if show:
                held.seek(0)
                sys.stderr.write(held.read().decode(errors="replace"))


def warn(message: str) -> None:
    """Prints a warning that the user can act on, on standard error."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


def run(
    main: Callable[[Config], int],
    config_class: type[Config],
    program: str = "",
    *,
    needs_tensorflow: bool = True,
) -> None:
    """Parses the command line into `config_class`, calls `main` with it and exits.

    Exit statuses: what `main` returns; 1 for a `UserError`; 2 for a wrong command line; 130 for
    Ctrl-C. Other exceptions are defects of the program and keep their traceback.

    Args:
        main: Takes the dataclass and returns the exit status.
        config_class: A dataclass whose fields are made with `option`.
        program: The name shown in help and errors; by default the script's own.
        needs_tensorflow: Whether to start TensorFlow, quietly, before `main`.
    """
    program = program or os.path.basename(sys.argv[0])  # noqa: PTH119 - argv[0] is text
    description = sys.modules["__main__"].__doc__ or ""
    config = parse(config_class, sys.argv, program, description)

    def start_and_call(config: Config) -> int:
        if needs_tensorflow:
            start_tensorflow()
        return main(config)

    app.run(lambda _: _guarded(start_and_call, config, program), argv=sys.argv[:1])


def parse(
    config_class: type[Config], argv: Sequence[str], program: str, description: str = ""
) -> Config:
    """Returns the dataclass that a command line describes; prints help or an error and exits.

    Values that begin with `~` are paths below somebody's home: shells expand `--flag ~/photos`, but
    not `--flag=~/photos`.

    Args:
        config_class: A dataclass whose fields are made with `option`.
        argv: The program's name and its arguments.
        program: The name shown in help and errors.
        description: The text above the flags in the help.

    Raises:
        SystemExit: 0 after `--help`; 2 when the command line is wrong.
    """
    if any(
        argument.lstrip("-") in ("help", "h", "helpshort")
        for argument in argv[1:]
        if argument.startswith("-")
    ):
        try:
            print(help_text(config_class, program, description), flush=True)
        except BrokenPipeError:
            _close_output()
        raise SystemExit(0)
    values = flags.FLAGS
    _define_flags(config_class, values)
    try:
        rest = values(list(argv))
        if len(rest) > 1:
            raise flags.Error(
                f"unexpected argument '{rest[1]}'; every value needs its flag, as in --flag=value"
            )
        fields = dataclasses.fields(config_class)
        for field in fields:
            value = values[field.name].value
            if value is None and _is_required(field):
                raise flags.Error(f"--{field.name} must be given ({field.metadata['help']})")
            if isinstance(value, float) and not math.isfinite(value):
                raise flags.Error(f"--{field.name}={value}: expected a finite number")
        return config_class(**{field.name: _at_home(values[field.name].value) for field in fields})
    except flags.Error as error:
        line = " ".join(str(error).split())
        print(f"{program}: error: {line}. See {program} --help.", file=sys.stderr)
        raise SystemExit(2) from None


def help_text(config_class: type, program: str, description: str = "") -> str:
    """Returns the help: description, then the flags by group, in the order of the dataclass."""
    lines = [description.strip(), "", f"usage: {program} [--flag=value ...]"]
    fields = dataclasses.fields(config_class)
    # A dataclass has fields without a default first, whatever their group.
    groups = list(dict.fromkeys(field.metadata["group"] for field in fields))
    group = None
    for field in sorted(fields, key=lambda field: groups.index(field.metadata["group"])):
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            lines += ["", f"{group}:"]
        lines.append(f"  --{_flag_syntax(field)}")
        details = field.metadata["help"]
        if field.metadata["choices"]:
            details += f" One of: {', '.join(field.metadata['choices'])}."
        if _is_required(field):
            details += " (must be given)"
        elif _default(field) not in (None, "", []):
            details += f" (default: {_shown(_default(field))})"
        lines += textwrap.wrap(
            details,
            92,
            initial_indent=" " * 6,
            subsequent_indent=" " * 6,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _guarded(main: Callable[[Config], int], config: Config, program: str) -> int:
    logging.set_verbosity(logging.WARNING)  # TensorFlow tells of its inner life at INFO
    try:
        return main(config)
    except UserError as error:
        print(f"{program}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _close_output()
        return 1


def _close_output() -> None:
    # The reader of our output (head, less) has gone; Python would complain once more on exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _at_home(value: Any) -> Any:
    if isinstance(value, list):
        return [_at_home(part) for part in value]
    # os.path leaves names as they are whose ~ stands for nobody: ~draft.png is a file's.
    return os.path.expanduser(value) if isinstance(value, str) else value  # noqa: PTH111


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _value_type(field: dataclasses.Field) -> Any:
    """The type of a field's values, without the `| None` of an optional one."""
    arguments = [kind for kind in typing.get_args(field.type) if kind is not type(None)]
    if typing.get_origin(field.type) is list or not arguments:
        return field.type
    return arguments[0]


def _flag_syntax(field: dataclasses.Field) -> str:
    kind = _value_type(field)
    if kind is bool:
        return f"[no]{field.name}"
    name = {int: "N", float: "X"}.get(kind, "TEXT")
    if typing.get_origin(kind) is list:
        name = "A,B,…"
    if field.metadata["choices"]:
        name = "NAME"
    for ending, shown in (("dir", "DIR"), ("out", "DIR"), ("path", "FILE")):
        if kind is str and field.name.endswith(ending):
            name = shown
    return f"{field.name}={name}"


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _define_flags(config_class: type, values: flags.FlagValues) -> None:
    for field in dataclasses.fields(config_class):
        if field.name in values:
            delattr(values, field.name)  # absl or an imported library has a flag of that name
        kind, details = _value_type(field), field.metadata
        common = {
            "name": field.name,
            "default": _default(field),
            "help": details["help"],
            "flag_values": values,
        }
        bounds = {"lower_bound": details["minimum"], "upper_bound": details["maximum"]}
        if kind is bool:
            flags.DEFINE_bool(**common)
        elif kind is int:
            flags.DEFINE_integer(**common, **bounds)
        elif kind is float:
            flags.DEFINE_float(**common, **bounds)
        elif typing.get_origin(kind) is list:
            flags.DEFINE_list(**common)
        elif details["choices"]:
            flags.DEFINE_enum(**common, enum_values=details["choices"])
        elif kind is str:
            flags.DEFINE_string(**common)
        else:
            raise TypeError(f"No flag for the type of {config_class.__name__}.{field.name}: {kind}")
