"""Functions of somebody's own that an experiment names: `package.module:function`."""

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from report.errors import ConfigError


def file_of(name: str, where: str) -> Path:
    """Return the file of the module that a name speaks of, without running it.

    Args:
        name: `package.module:function`; the module is looked for where Python looks, and in the current directory.
        where: the file and key to name in the message.

    Raises:
        ConfigError: when there is no such module.
    """
    module = name.partition(":")[0]
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where the command is one that pip made, and not "python -m"
    try:
        found = importlib.util.find_spec(module)
    except (Exception, SystemExit) as error:  # of the package around it, which is run to look into it
        raise ConfigError(f"{where}: found {name!r}; importing it ended with {told(error)}.") from error
    if found is None or not found.origin or not Path(found.origin).is_file():
        raise ConfigError(f"{where}: found {name!r}; there is no module {module} here, nor installed.")
    return Path(found.origin)


def function(name: str, where: str) -> Callable[..., Any]:
    """Return the function itself.

    Raises:
        ConfigError: when there is none, or its module cannot be imported.
    """
    file_of(name, where)
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except (Exception, SystemExit) as error:  # a script may read the command's arguments, and end it
        raise ConfigError(f"{where}: found {name!r}; importing it ended with {told(error)}.") from error
    if not callable(found):
        raise ConfigError(f"{where}: found {name!r}; there is no function {attribute} in {module}.")
    made: Callable[..., Any] = found
    return made


def call(name: str, where: str, seed: int, *arguments: Any) -> Any:
    """Call the function, with torch's own random numbers seeded; what it raises is told in one line.

    Raises:
        ConfigError: when there is none, or it raises an exception.
    """
    import torch  # here, because a command looks for modules that it does not run

    wanted = function(name, where)
    torch.manual_seed(seed)  # only now: what its module draws, the first time, must not count
    try:
        return wanted(*arguments)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {name} ended with {told(error)}.") from error


def digest(name: str, where: str) -> str:
    """Return the checksum of the file that the function stands in.

    Raises:
        ConfigError: when there is no such module.
    """
    return hashlib.sha256(file_of(name, where).read_bytes()).hexdigest()


def told(error: BaseException) -> str:
    """Return what an exception of somebody's own code says, on one line and without a stop."""
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
