"""The exceptions of AutoRig, one class for each kind of error.

All of them carry ``code`` (stable, for programs), ``message`` (what happened) and ``remedy`` (what to do).
"""


class AutoRigError(Exception):
    """Base of every error of the rigging engine."""

    code: str
    """Stable machine-readable code, such as ``truncated_file``."""
    message: str
    """What happened, to which thing."""
    remedy: str
    """What to do about it."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy} [{self.code}]"


class InputError(AutoRigError):
    """The model cannot be rigged; trying again gives the same."""


class UsageError(AutoRigError, ValueError):
    """An argument is not acceptable."""


class LimitError(AutoRigError):
    """The model passes a limit."""


class CancelledError(AutoRigError):
    """The work was stopped."""


class InternalError(AutoRigError):
    """A defect of AutoRig, or of the machine."""
