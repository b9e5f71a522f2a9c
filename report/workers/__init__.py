"""Where work is done side by side: in processes of this machine, or on the workers of a Dask cluster."""
