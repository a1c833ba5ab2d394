"""Audio: any file to mono float32 at one rate, in memory that does not grow with its length.

What is exported decodes in a process of its own (``fence``), which does the work of ``decode``.
"""

from earwitness.audio.fence import SampleFile, decode, decode_file, decode_to, inspect, probe
from earwitness.audio.in_process import AudioInfo

__all__ = ["AudioInfo", "SampleFile", "decode", "decode_file", "decode_to", "inspect", "probe"]
