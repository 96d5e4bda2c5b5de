"""Put what npm fetched into its places: scripts and fonts of our pages, letters for the paper, licences.

Everything a page needs comes from the program itself: the offices' network reaches nothing else. The places
are git-ignored and written anew as a whole, so that nothing old stays behind.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
SCREEN_FONT = MODULES / "@fontsource" / "biz-udpgothic"
PAPER_FONT = MODULES / "@expo-google-fonts" / "biz-udgothic"
WEIGHTS = (400, 700)
PAGE_FOLDERS = ("server/static/vendor", "display/static/vendor", "kiosk/screen/static/vendor")
PAPER_FOLDERS = {  # the kiosk draws slips, the server lists
    "kiosk/fonts": ("BIZUDGothic-Regular.ttf", "BIZUDGothic-Bold.ttf", "LICENSE"),
    "server/fonts": ("BIZUDGothic-Regular.ttf", "LICENSE"),
}
TELEPHONE_FONTS = ("Noto Sans CJK JP Regular", "NotoSansCJKjp-Regular", "Noto Sans CJK JP", "Noto Sans JP")

FILES = {
    "socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
    "tokens.css": "@digital-go-jp/design-tokens/dist/tokens.css",
}
PAPER_FILES = {
    "BIZUDGothic-Regular.ttf": "400Regular/BIZUDGothic_400Regular.ttf",
    "BIZUDGothic-Bold.ttf": "700Bold/BIZUDGothic_700Bold.ttf",
    "LICENSE": "LICENSE_FONT",
}
# The packages that are in socket.io.esm.min.js, then the others.
LICENSED = (
    "socket.io-client",
    "socket.io-parser",
    "engine.io-client",
    "engine.io-parser",
    "@socket.io/component-emitter",
    "@digital-go-jp/design-tokens",
    "@fontsource/biz-udpgothic",
)


def main() -> None:
    """Fill all places."""
    for folder in PAGE_FOLDERS:
        fill_page_folder(anew(folder))
    fill_letters(ROOT / PAGE_FOLDERS[0] / "fonts")
    for folder, names in PAPER_FOLDERS.items():
        paper = anew(folder)
        for name in names:
            shutil.copyfile(PAPER_FONT / PAPER_FILES[name], paper / name)


def anew(folder: str) -> Path:
    """The folder, empty."""
    path = ROOT / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def fill_page_folder(folder: Path) -> None:
    """Script, design tokens, fonts and licences of one part's pages."""
    for name, source in FILES.items():
        text = (MODULES / source).read_text(encoding="utf-8")
        # The map is not served; a browser with its tools open would ask for it in vain.
        (folder / name).write_text(re.sub(r"\n//# sourceMappingURL=.*", "", text), encoding="utf-8")
    fill_fonts(folder / "fonts")
    (folder / "licences").mkdir()
    for package in LICENSED:
        name = package.removeprefix("@").replace("/", "-")
        shutil.copyfile(MODULES / package / "LICENSE", folder / "licences" / f"{name}.txt")


def fill_fonts(folder: Path) -> None:
    """One style sheet with the weights we use, and the files it names."""
    sheets = [(SCREEN_FONT / f"{weight}.css").read_text(encoding="utf-8") for weight in WEIGHTS]
    # Every browser that runs our scripts reads woff2; the second source would only double the files.
    sheet = re.sub(r", url\([^)]*\.woff\) format\('woff'\)", "", "\n".join(sheets))
    (folder / "files").mkdir(parents=True)
    (folder / "biz-udpgothic.css").write_text(sheet, encoding="utf-8")
    for name in re.findall(r"url\(\./files/([^)]+)\)", sheet):
        shutil.copyfile(SCREEN_FONT / "files" / name, folder / "files" / name)


def fill_letters(folder: Path) -> None:
    """A second style sheet for the server's pages: the same files under a name of our own, regular weight alone.

    A machine that has the name of a font gets what it has; this one is the last that a page asks for. Telephones have
    Japanese letters under no name that a page can ask for by family, hence `local`: they fetch nothing.
    """
    sheet = (folder / "biz-udpgothic.css").read_text(encoding="utf-8")
    regular = [rule for rule in sheet.split("@font-face")[1:] if "font-weight: 400" in rule]
    local = "".join(f"local('{name}'), " for name in TELEPHONE_FONTS)
    rules = (rule.rpartition("}")[0] for rule in regular)
    faces = "".join(f"@font-face{rule}}}\n" for rule in rules)
    named = faces.replace("'BIZ UDPGothic'", "'Madoguchi Letters'").replace("  font-weight: 400;\n", "")
    (folder / "letters.css").write_text(named.replace("src: ", f"src: {local}"), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is not there; fetch it with `npm ci`")
