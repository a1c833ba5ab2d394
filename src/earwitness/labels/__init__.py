"""Labels: what people wrote for clips, beside the data; what to label next; and estimates from few labels."""
