"""Workers of one model: threads, a queue, and decoding in separate processes."""
