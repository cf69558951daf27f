"""The filter of system calls as container runtimes read it: the same denials as ``sandbox/kernel/seccomp.py``, by name.

It takes the place of the runtime's own profile, which lets programs trace each other and make any kind of socket.
Format: https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp, as JSON.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Collection
from functools import cache
from typing import Any

from pytest_llmbench.sandbox.kernel.syscalls import NEW_NAMESPACES, TERMINAL_INPUT, denied_names

_RARE = (
    "create_module",
    "get_kernel_syms",
    "nfsservctl",
    "query_module",
    "sysfs",
    "uselib",
    "ustat",
    "vm86",
    "vm86old",
)
"""Left over from old kernels and processors; runtimes' own profiles deny them as well."""
_LOWER_HALF = 0xFFFFFFFF
"""What the kernel takes of an ioctl's request."""


@cache
def profile(families: frozenset[int]) -> str:
    """The filter as JSON text. ``families``: address families that sockets may be made of, at least one.

    clone3 is reported as unknown, since its flags cannot be seen, and callers fall back to clone.
    """
    rules = [_rule([*denied_names(), *_RARE]), _rule(["clone3"], error=errno.ENOSYS)]
    rules += [_rule(["clone"], _condition(0, "SCMP_CMP_MASKED_EQ", flag, flag)) for flag in NEW_NAMESPACES]
    rules += [_rule(["ioctl"], _condition(1, "SCMP_CMP_MASKED_EQ", _LOWER_HALF, request)) for request in TERMINAL_INPUT]
    rules += [_rule(["socket", "socketpair"], condition) for condition in _other_than(families)]
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules})


def _other_than(values: Collection[int]) -> list[dict[str, Any]]:
    """Conditions of which one holds exactly when the first argument is none of ``values``."""
    highest = max(values)
    others = [_condition(0, "SCMP_CMP_EQ", value) for value in range(highest) if value not in values]
    return [*others, _condition(0, "SCMP_CMP_GT", highest)]


def _rule(names: list[str], *conditions: dict[str, Any], error: int = errno.EPERM) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": list(conditions)}


def _condition(index: int, operation: str, value: int, value_two: int = 0) -> dict[str, Any]:
    return {"index": index, "op": operation, "value": value, "valueTwo": value_two}
