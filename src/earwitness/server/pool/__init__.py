"""Workers of one model: threads, a queue, and audio decoded apart."""
