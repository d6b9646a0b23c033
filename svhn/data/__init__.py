"""Photos and labels: the MATLAB files, the synthetic set, the records and the pipeline."""
