"""The planner: pure, plain values in, plans out. ``problem`` says what goes in and out."""
