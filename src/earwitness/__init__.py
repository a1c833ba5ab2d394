"""Earwitness: a lab that measures speech recognition and says what to put in production."""

__version__ = "0.1.0"
