"""The Django side of the kernel: columns, scope, operations, files. Knows no domain word."""
