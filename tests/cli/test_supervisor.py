import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from yinling.cli.supervisor import Child, Supervisor


def python(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-S", "-c", code])


def wait_for(condition: Callable[[], object], step: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        step()
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def test_a_child_that_ends_is_started_again_and_its_helper_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    helper = "import subprocess,os;p=subprocess.Popen(['sleep','60']);"
    note = f"open({str(pids)!r},'a').write(str(p.pid)+'\\n');print('已来')"
    out = io.StringIO()
    supervisor = Supervisor(out)
    supervisor.start(python("brief", helper + note))
    wait_for(lambda: pids.exists() and len(pids.read_text().splitlines()) == 2, supervisor._tend)
    supervisor.stop()
    first, second = (int(pid) for pid in pids.read_text().split())
    wait_for(lambda: not is_alive(first) and not is_alive(second))
    assert "brief    | 已来\n" in out.getvalue()


def test_children_end_in_reverse_order() -> None:
    out = io.StringIO()
    supervisor = Supervisor(out)
    code = (
        "import signal,sys,time;signal.signal(signal.SIGTERM,lambda *_:(print('bye',flush=True),sys.exit()));"
        "print('ready',flush=True);time.sleep(60)"
    )
    for name in ("first", "second"):
        supervisor.start(python(name, code))
        wait_for(lambda name=name: f"{name:9}| ready" in out.getvalue())
    supervisor.stop()
    wait_for(lambda: out.getvalue().count("bye") == 2)
    assert out.getvalue().index("second   | bye") < out.getvalue().index("first    | bye")


def test_start_waits_until_ready(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    child = python("slow", f"import time;time.sleep(.3);open({str(flag)!r},'w');time.sleep(60)")
    child.is_ready = flag.exists
    supervisor = Supervisor(io.StringIO())
    supervisor.start(child)
    assert flag.exists()
    supervisor.stop()


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "from yinling.cli.supervisor import *\n"
        f"child = Child('c', ['sh', '-c', 'echo $$ > {pid_file}; exec sleep 60'])\n"
        "s = Supervisor(); s.start(child); s.watch()"
    )
    outer = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: pid_file.exists() and pid_file.read_text().strip())
    inner = int(pid_file.read_text())
    assert is_alive(inner)
    os.kill(outer.pid, signal.SIGKILL)
    outer.wait()
    wait_for(lambda: not is_alive(inner))


def test_sigterm_ends_the_watch(tmp_path: Path) -> None:
    code = (
        "import pathlib\nfrom yinling.cli.supervisor import *\n"
        f"s = Supervisor(); s.start(Child('c', ['sh', '-c', 'touch {tmp_path}/up; exec sleep 60']))\n"
        "s.watch(); s.stop(); print('clean')"
    )
    outer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    wait_for((tmp_path / "up").exists)
    wait_for(lambda: catches(outer.pid, signal.SIGTERM))
    outer.terminate()
    printed, _ = outer.communicate(timeout=60)
    assert printed.endswith("clean\n")
    assert outer.returncode == 0
