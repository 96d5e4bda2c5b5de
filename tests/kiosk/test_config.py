"""kiosk.toml: what may stand there, and what an installer reads when something is wrong."""

from pathlib import Path

import pytest

from kiosk.config import ConfigFault, KioskConfig, load_config
from kiosk.run import open_printer
from kiosk.scanner_presets import known_ids, presets

SOUND = """
[server]
url = "http://127.0.0.1:8000"
token = "kiosk-1-token"

[scanner]
kind = "simulated"
socket = "scan.sock"

[printer]
kind = "virtual"
folder = "tickets"
"""
NETWORK = '[printer]\nkind = "network"\nhost = "192.0.2.9"\nprofile = "epson-tm-t20iii"'
USB = '[printer]\nkind = "usb"\ndevice = "04b8:0e03"\nprofile = "epson-tm-t20iii"'
CUPS = '[printer]\nkind = "cups"\nurl = "http://127.0.0.1:631/"\nprofile = "epson-tm-t20iii"'
VIRTUAL = '[printer]\nkind = "virtual"\nfolder = "tickets"'
EVDEV = 'kind = "evdev"\n'
SOCKET = 'kind = "simulated"\nsocket = "scan.sock"'


def loaded(folder: Path, text: str = SOUND) -> KioskConfig:
    path = folder / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_little_needs_to_be_said(tmp_path: Path) -> None:
    config = loaded(tmp_path)

    assert (config.server.url, config.server.timeout_s) == ("http://127.0.0.1:8000", 3.0)
    assert (config.scanner.kind, config.scanner.place) == ("simulated", Path("scan.sock"))
    assert config.printer.profile.name == "virtual-80mm"
    assert (config.screen_host, config.screen_port, config.language) == ("127.0.0.1", 8090, "ja")


def test_a_real_scanner_and_a_network_printer(tmp_path: Path) -> None:
    device = 'kind = "evdev"\ndevice = "/dev/input/by-id/scanner-event-kbd"\nlayout = "jp"'
    text = SOUND.replace(SOCKET, device).replace(VIRTUAL, NETWORK)

    config = loaded(tmp_path, text)

    assert (config.scanner.kind, config.scanner.setup.layout) == ("evdev", "jp")
    assert (config.printer.host, config.printer.port) == ("192.0.2.9", 9100)


@pytest.mark.parametrize(
    ("lines", "place", "ids", "layout", "suffix", "guard"),
    [
        ("", None, known_ids(), "us", "enter", True),
        ('model = "newland"', None, ("1eab:0103",), "us", "enter", True),
        ('model = "generic"\nlayout = "jp"\nsuffix = "none"', None, presets()["generic"].ids, "jp", "none", True),
        (
            'device = "/dev/input/by-id/x"\nothers = "allowed"',
            Path("/dev/input/by-id/x"),
            known_ids(),
            "us",
            "enter",
            False,
        ),
    ],
    ids=["found by its id", "named", "set otherwise", "at a path"],
)
def test_a_scanner_is_named_by_its_family_or_its_path_or_found(
    tmp_path: Path, lines: str, place: Path | None, ids: tuple[str, ...], layout: str, suffix: str, guard: bool
) -> None:
    scanner = loaded(tmp_path, SOUND.replace(SOCKET, EVDEV + lines)).scanner

    assert (scanner.place, scanner.ids, scanner.guard) == (place, ids, guard)
    assert (scanner.setup.layout, scanner.setup.suffix) == (layout, suffix)


def test_what_was_learned_of_the_postcard(tmp_path: Path) -> None:
    config = loaded(tmp_path, SOUND.replace(SOCKET, SOCKET + '\npostcard = ["link-87", "digits-23"]'))

    assert config.scanner.setup.postcard == {"link-87", "digits-23"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kind = "file"\npath = "/dev/lp0"', {"place": Path("/dev/lp0")}),
        ('kind = "usblp"\npath = "/dev/usb/lp0"', {"place": Path("/dev/usb/lp0")}),
        ('kind = "usb"\ndevice = "04b8:0E03"', {"vendor": 0x04B8, "product": 0x0E03, "serial": ""}),
        ('kind = "usb"\ndevice = "04b8:0e03"\nserial = "J5"', {"serial": "J5"}),
        ('kind = "cups"\nurl = "http://[::1]:631/printers/a"', {"url": "http://[::1]:631/printers/a"}),
        ('kind = "serial"\npath = "/dev/ttyUSB0"', {"baud": "38400", "flow": "rtscts"}),
        ('kind = "serial"\npath = "/dev/ttyUSB0"\nbaud = "9600"\nflow = "none"', {"baud": "9600", "flow": "none"}),
    ],
)
def test_every_way_to_a_printer_has_its_settings(tmp_path: Path, lines: str, said: dict[str, object]) -> None:
    printer = loaded(tmp_path, SOUND.replace(VIRTUAL, f'[printer]\n{lines}\nprofile = "epson-tm-t20iii"')).printer

    assert {key: getattr(printer, key) for key in said} == said
    open_printer(printer).close()


def test_the_token_may_lie_in_a_file_of_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token = tmp_path / "token"
    token.write_text("kiosk-1-token\n")
    token.chmod(0o644)

    config = loaded(tmp_path, SOUND.replace('token = "kiosk-1-token"', f'token_file = "{token}"'))

    assert config.server.token == token.read_text().strip()
    assert "can be read by others" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('url = "http://127.0.0.1:8000"', "", r"\[server\] url: is missing"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", r"\[server\] url: must be like"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/desk", "without a path"),
        ("http://127.0.0.1:8000", "ftp://127.0.0.1", "must be like"),
        ('token = "kiosk-1-token"', "", "give either token or token_file"),
        ('"kiosk-1-token"', '"kiosk 1"', "is no device token"),
        ('"kiosk-1-token"', '""', "is empty"),
        ('token = "kiosk-1-token"', 'token_file = "/nowhere"', "cannot be read"),
        ("[scanner]", "timeout_s = 100\n[scanner]", r"timeout_s: must be a number from 0.5 to 30"),
        ("[scanner]", "timeout_s = true\n[scanner]", "timeout_s"),
        ("[scanner]", "colour = 1\n[scanner]", r"\[server\] colour: unknown"),
        ('kind = "simulated"', 'kind = "camera"', "must be one of simulated, evdev"),
        ('socket = "scan.sock"', "", r"\[scanner\] socket: is missing"),
        (SOCKET, EVDEV + 'model = "acme"', "must be one of zebra, honeywell"),
        (SOCKET, EVDEV + 'suffix = "space"', "must be one of enter, tab, none"),
        (SOCKET, EVDEV + 'others = "eaten"', "must be one of ignored, allowed"),
        ('socket = "scan.sock"', 'socket = "scan.sock"\nlayout = "de"', "must be one of us, jp"),
        ('socket = "scan.sock"', 'socket = "scan.sock"\npostcard = "digits-23"', "postcard: must be a list"),
        ('socket = "scan.sock"', 'socket = "scan.sock"\npostcard = ["A1B-000123"]', "no class and length"),
        (VIRTUAL, NETWORK.replace("epson-tm-t20iii", "epson"), "there is no printer profile 'epson'"),
        (VIRTUAL, NETWORK.replace('profile = "epson-tm-t20iii"', ""), r"profile: is missing"),
        (VIRTUAL, USB.replace("04b8:0e03", "TM-T20"), "vendor and product as lsusb shows them"),
        (VIRTUAL, CUPS, "must be like http://127.0.0.1:631/printers"),
        (VIRTUAL, USB + '\npath = "/dev/usb/lp0"', r"\[printer\] path: unknown"),
        (VIRTUAL, USB.replace("usb", "lpt"), "must be one of virtual, network, usblp, usb, serial"),
        (VIRTUAL, NETWORK + "\nport = 70000", "port: must be a port number"),
        ("[printer]", '[screen]\nhost = "0.0.0.0"\n[printer]', "for this machine only"),
        ("[printer]", '[screen]\nhost = "panel"\n[printer]', "for this machine only"),
        ("[printer]", '[kiosk]\nlanguage = "tlh"\n[printer]', "must be one of ja, ja-easy, en"),
        ("[printer]", "[colours]\n[printer]", "nobody knows colours"),
        ("[printer]", "[printer", "is no TOML file"),
    ],
)
def test_a_fault_says_where_it_is_and_what_to_do(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigFault, match=told) as fault:
        loaded(tmp_path, SOUND.replace(old, new))

    assert "kiosk.toml" in str(fault.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match="cannot be read"):
        load_config(tmp_path / "kiosk.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_panels_page_stays_on_this_machine(tmp_path: Path, host: str) -> None:
    config = loaded(tmp_path, SOUND + f'\n[screen]\nhost = "{host}"\nport = 0')

    assert (config.screen_host, config.screen_port) == (host, 0)
