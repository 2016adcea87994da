"""From the rings of the kernel to decoded records: reader, decoder, stages, pipeline."""
