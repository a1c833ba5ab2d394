"""The labelling page: it plays a clip, takes what was said, and appends it to the overlay at once."""
