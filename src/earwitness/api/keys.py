"""``earwitness serve keys`` as functions: API keys of a server."""

from earwitness.server.keys import add_key, read_keys, remove_key

__all__ = ["add_key", "read_keys", "remove_key"]
