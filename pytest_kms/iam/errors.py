"""What can be wrong with a policy: AWS refuses it, or we do not know what AWS would say."""

from __future__ import annotations


class Malformed(Exception):
    """AWS refuses the document.

    `message` is AWS's sentence, which is empty where a text is no policy document at all.
    `why` is ours, for the report of a failing test.
    """

    def __init__(self, message: str = "", *, why: str) -> None:
        super().__init__(f"{message} {why}".lstrip())
        self.message = message
        self.why = why

    def at(self, place: str) -> Malformed:
        """Return the same with the place where it was found."""
        return Malformed(self.message, why=f"{place}: {self.why}")


class NotUnderstood(Exception):
    """To go on would be to guess. Who evaluates the policy must refuse loudly, never pass over it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def at(self, place: str) -> NotUnderstood:
        """Return the same with the place where it was found."""
        return type(self)(f"{place}: {self.what}")


class UnknownOperator(NotUnderstood):
    """A condition operator that IAM does not have."""


class BadOperand(NotUnderstood):
    """A value in a policy that its condition operator cannot read."""


class UnknownConditionKey(NotUnderstood):
    """A condition key of which the context does not know whether a request has it."""
