"""``earwitness serve keys`` as functions: keys that may ask a server."""

from earwitness.server.keys import add_key, read_keys, remove_key

__all__ = ["add_key", "read_keys", "remove_key"]
