"""Other lines that know the same tickets."""
