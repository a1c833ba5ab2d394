"""Two or more runs side by side: what may be compared, what differs, and the table."""
