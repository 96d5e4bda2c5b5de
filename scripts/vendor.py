"""Put what npm fetched into its places: scripts and fonts of our pages, letters for the paper, licences.

Everything a page needs comes from the program itself: the offices' network reaches nothing else. The places
are git-ignored and written anew as a whole, so that nothing old stays behind.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
SCREEN_FONT = MODULES / "@fontsource" / "biz-udpgothic"
PAPER_FONTS = MODULES / "@expo-google-fonts"
WEIGHTS = (400, 700)
PAGE_FOLDERS = ("server/static/vendor", "display/static/vendor", "kiosk/screen/static/vendor")
RESIDENTS_FOLDERS = ("server/static/vendor", "kiosk/screen/static/vendor")
TELEPHONE_FONTS = ("Noto Sans CJK JP Regular", "NotoSansCJKjp-Regular", "Noto Sans CJK JP", "Noto Sans JP")
# Languages that Japanese fonts have no letters for: the package, and the name that a machine may have it under.
FURTHER_FONTS = {
    "zh-Hans": ("noto-sans-sc", ("Noto Sans CJK SC Regular", "NotoSansCJKsc-Regular", "Noto Sans CJK SC")),
    "ko": ("noto-sans-kr", ("Noto Sans CJK KR Regular", "NotoSansCJKkr-Regular", "Noto Sans CJK KR")),
}

FILES = {
    "socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
    "tokens.css": "@digital-go-jp/design-tokens/dist/tokens.css",
}
PAPER_FILES = {
    "BIZUDGothic-Regular.ttf": "biz-udgothic/400Regular/BIZUDGothic_400Regular.ttf",
    "BIZUDGothic-Bold.ttf": "biz-udgothic/700Bold/BIZUDGothic_700Bold.ttf",
    "LICENSE": "biz-udgothic/LICENSE_FONT",
    "NotoSansSC-Medium.ttf": "noto-sans-sc/500Medium/NotoSansSC_500Medium.ttf",
    "NotoSansSC-LICENSE": "noto-sans-sc/LICENSE_FONT",
    "NotoSansKR-Medium.ttf": "noto-sans-kr/500Medium/NotoSansKR_500Medium.ttf",
    "NotoSansKR-LICENSE": "noto-sans-kr/LICENSE_FONT",
}
PAPER_FOLDERS = {  # the kiosk draws slips, the server lists
    "kiosk/fonts": tuple(PAPER_FILES),
    "server/fonts": ("BIZUDGothic-Regular.ttf", "LICENSE"),
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
    "@fontsource/noto-sans-kr",
    "@fontsource/noto-sans-sc",
)


def main() -> None:
    """Fill all places."""
    for folder in PAGE_FOLDERS:
        fill_page_folder(anew(folder))
    fill_letters(ROOT / PAGE_FOLDERS[0] / "fonts")
    for folder in RESIDENTS_FOLDERS:
        for language, (package, local_names) in FURTHER_FONTS.items():
            fill_further_letters(ROOT / folder / "fonts", language, package, local_names)
    for folder, names in PAPER_FOLDERS.items():
        paper = anew(folder)
        for name in names:
            shutil.copyfile(PAPER_FONTS / PAPER_FILES[name], paper / name)


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
    (folder / "files").mkdir(parents=True)
    sheet = "\n".join(put_font(folder, SCREEN_FONT, weight) for weight in WEIGHTS)
    (folder / "biz-udpgothic.css").write_text(sheet, encoding="utf-8")


def put_font(folder: Path, package: Path, weight: int) -> str:
    """The style sheet of one weight, its files put in place."""
    sheet = (package / f"{weight}.css").read_text(encoding="utf-8")
    # Every browser that runs our scripts reads woff2; the second source would only double the files.
    sheet = re.sub(r", url\([^)]*\.woff\) format\('woff'\)", "", sheet)
    for name in re.findall(r"url\(\./files/([^)]+)\)", sheet):
        shutil.copyfile(package / "files" / name, folder / "files" / name)
    return sheet


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


def fill_further_letters(folder: Path, language: str, package: str, local_names: Sequence[str]) -> None:
    """A style sheet for the pages in one language, under a name of our own; a browser fetches the pieces it needs."""
    sheet = put_font(folder, MODULES / "@fontsource" / package, WEIGHTS[0])
    local = "".join(f"local('{name}'), " for name in local_names)
    named = re.sub(r"font-family: '[^']+'", f"font-family: 'Madoguchi Letters {language}'", sheet)
    named = named.replace("  font-weight: 400;\n", "").replace("src: ", f"src: {local}")
    (folder / f"letters-{language}.css").write_text(named, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is not there; fetch it with `npm ci`")
