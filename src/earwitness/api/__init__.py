"""The commands as functions of plain values: ``import earwitness`` takes its names from here.

A function is called as its command, and its arguments as the command's options. It prints nothing: who wants to know
how far it is passes a ``report``. The command line calls these functions and shows what they return.
"""
