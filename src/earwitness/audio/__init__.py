"""Audio: any file to mono float32 at one rate, in memory that does not grow with its length."""

from earwitness.audio.decode import AudioInfo, decode, decode_to, probe

__all__ = ["AudioInfo", "decode", "decode_to", "probe"]
