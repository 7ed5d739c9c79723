"""Who may have what at whose cost."""
