"""Cities and their routing engines, instance samplers, file formats."""
