"""Computation graphs: local derivatives on the edges, values forward, derivatives backward."""
