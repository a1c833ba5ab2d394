"""The same runs and transcriptions over many machines: Ray starts Earwitness's own workers on every node."""
