"""The archive: one model over many recordings, into texts and subtitles beside them."""
