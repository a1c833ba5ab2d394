"""An engine in a process of its own, so that a crash, a hang or a kill is a recorded failure and not the end.

The protocol: one JSON object a line, UTF-8, requests on the child's standard input, replies on its standard output.

    parent: {"op": "load", "engine": "whisper", "model": "whisper:base", "folder": "/weights/base", "device": "cpu",
             "settings": {"beam_size": 1, ...}, "options": {}}
    child:  {"event": "loaded", "load_s": 0.8, "device": "cpu", "in_force": {...}, "packages": {...},
             "python": "3.11.7", "streams": true, "peak_rss_bytes": 200000000, "peak_device_bytes": null}
    parent: {"op": "transcribe", "id": 1, "audio": "/tmp/.../clip.f32", "samples": 160000, "sample_rate_hz": 16000,
             "language": "en", "stream": false}
    child:  {"event": "transcript", "transcript": {"text": "...", ...}, "wall_s": 0.41, "peak_rss_bytes": 300000000,
             "peak_device_bytes": null}
    parent: {"op": "ping"}
    child:  {"event": "pong"}
    parent: {"op": "close"}
    child:  {"event": "closed"}

With ``"stream": true``, a child that says that it ``streams`` sends every segment as it is decoded, with the seconds
since it began, and the transcript after the last. Between two segments it looks whether the parent has sent
``{"op": "cancel", "id": 1}`` meanwhile, and then ends with ``{"event": "cancelled"}`` in place of a transcript. A
cancel that comes too late means nothing. A child that does not stream answers with the transcript, whatever was asked.

    child:  {"event": "segment", "segment": {"start_s": 0.0, "end_s": 2.5, "text": " Hello."}, "at_s": 0.2}

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
