"""Runs of Snakemake, told to their reader; on a SLURM cluster too."""
