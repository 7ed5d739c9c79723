def load_history(*a, **k):
    pass
