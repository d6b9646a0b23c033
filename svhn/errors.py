"""The exception that means: the user can put this right."""


class UserError(Exception):
    """A mistake or a state of the machine that the user can put right.

    The message is one line that names the file or flag, the value received, what was expected
    and the next step. The command lines print it without a traceback and exit with status 1.
    """


class PictureError(UserError):
    """A picture that can't be read: missing, empty, broken, too large or not a picture at all.

    Programs that handle many pictures report it, count it and go on with the others.
    """


def first_line(error: BaseException) -> str:
    """Returns the first line of what an exception says; its kind, if that is nothing."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
