"""The pipeline of Rawi: one stage, one file. ``rag.engine`` reads aloud how a question travels."""
