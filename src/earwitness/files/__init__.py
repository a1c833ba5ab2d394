"""Files: written in one step, downloaded with a checksum, packed and unpacked with care."""
