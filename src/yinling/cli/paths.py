from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "yinling"
VAR = ROOT / "var"
VENDOR = VAR / "static_vendor"
TEST_DATABASE = VAR / "testdb"
TEST_REPORT = VAR / "test-report.json"
