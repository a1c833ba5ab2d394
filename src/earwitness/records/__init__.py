"""Run records: their schema, how they are stored, selected, queried, exchanged and scored again."""
