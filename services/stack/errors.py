"""What can go wrong with the local stack; the message is for the person at the terminal."""


class StackError(Exception):
    """The local stack could not do what was asked."""


class DownloadFailed(StackError):
    """A jar could not be fetched."""


class WrongDigest(StackError):
    """A jar is not the one the lock names."""


class BootFailed(StackError):
    """An engine did not start."""


class PortTaken(BootFailed):
    """An engine did not start because somebody else listens on its port."""


class Unreachable(StackError):
    """A server named by the environment does not answer."""
