"""An engine in a process of its own, so that a crash, a hang or a kill is a recorded failure and not the end.

The protocol: one JSON object a line, UTF-8, requests on the child's standard input, replies on its standard output.

    parent: {"op": "load", "engine": "whisper", "model": "whisper:base", "folder": "/weights/base", "device": "cpu",
             "settings": {"beam_size": 1, ...}, "options": {}}
    child:  {"event": "loaded", "load_s": 0.8, "device": "cpu", "in_force": {...}, "packages": {...},
             "python": "3.11.7", "peak_rss_bytes": 200000000, "peak_device_bytes": null}
    parent: {"op": "transcribe", "audio": "/tmp/.../clip.f32", "samples": 160000, "sample_rate_hz": 16000,
             "language": "en"}
    child:  {"event": "transcript", "transcript": {"text": "...", ...}, "wall_s": 0.41, "peak_rss_bytes": 300000000,
             "peak_device_bytes": null}
    parent: {"op": "close"}
    child:  {"event": "closed"}

Instead of any reply the child may send ``{"event": "failed", "type": "ValueError", "message": "...",
"traceback": "..."}`` and go on. Audio is a file of little-endian float32 samples, mono, that the child maps into
memory; ``wall_s`` is the child's own clock from the mapped array to the finished text, its device synchronised. When
standard input ends, the child exits at once, whatever it is doing, and with it what it started. Anything else that it
prints must go to standard error, which the parent keeps the end of.

Called with ``--self-test ENGINE`` the child imports all that the engine needs, answers with one line and exits, with 1
if the engine does not work there:

    child:  {"event": "self-test", "engine": "whisper", "failed": null, "python": "3.11.7", "prefix": "/.../whisper",
             "packages": {"openai-whisper": "20250625"}, "distributions": {...}, "devices": ["cpu"]}

Workers run in this Python when it has the engine's packages, else in the environment that ``earwitness engines
install`` made; ``environments`` says which, and how the child finds Earwitness there.
"""
