"""Layer 0: compilers and interpreters, one module for each; the rest of the package asks for them by name."""

from pytest_llmbench.toolchains.registry import find, hint, manifests, names, register, support

__all__ = ["find", "hint", "manifests", "names", "register", "support"]
