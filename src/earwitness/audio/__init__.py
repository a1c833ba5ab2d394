"""Audio: any file to mono float32 at one rate, in memory that does not grow with its length.

What is exported decodes in a process of its own (``fence``), which does the work of ``decode``.
"""

from earwitness.audio.decode import AudioInfo
from earwitness.audio.fence import Decoded, decode, decode_to, decoded, inspect, probe

__all__ = ["AudioInfo", "Decoded", "decode", "decode_to", "decoded", "inspect", "probe"]
