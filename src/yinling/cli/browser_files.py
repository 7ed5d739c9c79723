"""Fetches the few files of others that browsers need; none of them is committed."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from yinling.cli.paths import ROOT, VENDOR

SECONDS = 120
# Path below node_modules -> SHA-256. A page asks for /static/vendor/<package>/<name>.
FILES = {
    "debug/LICENSE": "3a61c6c96caf5c1d9b623fb9b04c822b783dfcb78aa7e49c76a3f643e6ed7f95",
    "echarts/dist/echarts.min.js": "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0",
    "echarts/LICENSE": "634293835b43a6dd2094fa39182a3d9a6b9ca43b7fdb9ac354e8037af2a3093a",
    "events/LICENSE": "631987b7616a325a5b97566c232418481ddf7dbb5ecadefb991e791876cc2599",
    "idiomorph/dist/idiomorph-ext.min.js": "5811b9a7eda14878b7dab4378bf60432e1bb6f11fcfb970cc26540642650181e",
    "idiomorph/LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "jssip/dist/jssip.min.js": "38008af40965396308c82652ac3c03fd54ae12fdb191089f135ebb2f53e5b2be",
    "jssip/LICENSE": "2541fbb7ab0f3b83e6405084d9428cf04dc560165ddd6ff4ea6628abb2e53ca4",
    "leaflet/dist/leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet/dist/leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
    "leaflet/dist/images/layers-2x.png": "066daca850d8ffbef007af00b06eac0015728dee279c51f3cb6c716df7c42edf",
    "leaflet/dist/images/layers.png": "1dbbe9d028e292f36fcba8f8b3a28d5e8932754fc2215b9ac69e4cdecf5107c6",
    "leaflet/dist/images/marker-icon-2x.png": "00179c4c1ee830d3a108412ae0d294f55776cfeb085c60129a39aa6fc4ae2528",
    "leaflet/dist/images/marker-icon.png": "574c3a5cca85f4114085b6841596d62f00d7c892c7b03f28cbfa301deb1dc437",
    "leaflet/dist/images/marker-shadow.png": "264f5c640339f042dd729062cfc04c17f8ea0f29882b538e3848ed8f10edb4da",
    "leaflet/LICENSE": "53e8dc25862014e4324741ca18fbe3611e11d42ef69f59f86ea8c5389647d4cb",
    "ms/license.md": "1662fae9b5314d11cf51284e2dcd1f006a354f7343f08712a730fcff9a359801",
    "sdp-transform/LICENSE": "653b7af11548d1bf4a73d0d9dcca68d709d2b78633088b75332c02d739559afa",
    "zrender/LICENSE": "a681e9d183c72b4af4856935893805eb48c08f0f5a3f260203db7444c20fb98a",
}


def ensure_browser_files(folder: Path = VENDOR) -> bool:
    """Return whether all files are there. Without them charts and maps fall back to tables and lists."""
    if not wrong_files(folder):
        return True
    print("正在获取图表、地图与软电话文件… Fetching the files of charts, maps and the soft-phone …", flush=True)
    trouble = _fetch(folder)
    if trouble:
        print(
            f"没有图表、地图与软电话，改用表格和列表。 No charts, maps and soft-phone, but tables and lists: {trouble}"
        )
    return not trouble


def wrong_files(folder: Path) -> list[str]:
    return [path for path, digest in FILES.items() if _digest(target(folder, path)) != digest]


def target(folder: Path, path: str) -> Path:
    """`dist` is how packages are built, of no interest in an address."""
    return folder / "vendor" / path.replace("/dist/", "/")


def _fetch(folder: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / name, temporary)
        try:
            subprocess.run([npm, "ci"], cwd=temporary, check=True, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.CalledProcessError as error:
            return str(error.stderr).strip().splitlines()[-1] if error.stderr else "npm ci failed"
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return _copy(Path(temporary) / "node_modules", folder)


def _copy(source: Path, folder: Path) -> str:
    for path, digest in FILES.items():
        found = _digest(source / path)
        if found != digest:
            return f"{path} has SHA-256 {found}"
        place = target(folder, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, place)
    return ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
