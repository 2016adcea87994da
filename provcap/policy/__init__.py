"""What is captured, and what is wanted of single objects: the values, and the way to the maps."""
