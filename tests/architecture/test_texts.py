"""Everything that is refused is said in words, and no words lie about unused."""

import re
from itertools import chain

import pytest
import yaml

from kiosk.messages import OUT_OF_ORDER, REFUSALS, telling
from madoguchi.texts import Texts
from madoguchi.wire import RefusalView, ScannerFinding
from server.offices.service_rules import CASES
from tests.architecture.project import own_files, text_of
from tests.architecture.refusals import all_refusals, raised_by, views_of

TEXTS = Texts.load()
EXTRA = "madoguchi/texts_extra.yaml"
KIOSK = "server.reception.kiosk_api"

IN_PLACE = "the page says it in its place"
KIND = "a kind: only what is below it is raised"
FORGED = "no page of ours sends it; the general sentence will do"
DEVICE = "only a kiosk is told, in words of its own"
COMMAND = "only a command is told"

# Codes without a `refusal.<code>` of their own, with the reason.
WITHOUT_TEXT = {
    "ask_staff": DEVICE,
    "assigned_unusable": IN_PLACE,
    "service_not_now": DEVICE,
    "booking_cancelled": DEVICE,
    "code_unknown": DEVICE,
    "conflict": KIND,
    "contract_mismatch": DEVICE,
    "holiday_day": IN_PLACE,
    "holiday_name": IN_PLACE,
    "file_encoding": COMMAND,
    "file_header": COMMAND,
    "file_stands": COMMAND,
    "invalid": KIND,
    "locked": IN_PLACE,
    "mark_in_use": COMMAND,
    "mark_unusable": COMMAND,
    "name_taken": IN_PLACE,
    "name_unusable": COMMAND,
    "no_free_place": IN_PLACE,
    "nobody_at_window": IN_PLACE,
    "nobody_waiting": IN_PLACE,
    "not_allowed": KIND,
    "not_booked": DEVICE,
    "not_now": KIND,
    "not_understood": DEVICE,
    "notice_number": IN_PLACE,
    "numbers_used_up": IN_PLACE,
    "office_closed": DEVICE,
    "office_file": COMMAND,
    "offer_unusable": IN_PLACE,
    "other_code": DEVICE,
    "other_visitor": IN_PLACE,
    "party_too_large": IN_PLACE,
    "period_unusable": IN_PLACE,
    "places_differ": COMMAND,
    "password_too_short": IN_PLACE,
    "rule_unusable": IN_PLACE,
    "rules_changed": IN_PLACE,
    "shown_once": IN_PLACE,
    "report_is_file": COMMAND,
    "sign_in_failed": IN_PLACE,
    "step_state": IN_PLACE,
    "last_stop": IN_PLACE,
    "more_stops": IN_PLACE,
    "no_card": IN_PLACE,
    "wrong_window": IN_PLACE,
    "other_day": IN_PLACE,
    "consent_missing": IN_PLACE,
    "letter_number": IN_PLACE,
    "mailing_state": IN_PLACE,
    "unknown_mailing": IN_PLACE,
    "unknown_state": FORGED,
    "nothing_to_undo": IN_PLACE,
    "changed_since": IN_PLACE,
    "unknown_terminal": FORGED,
    "no_terminal_free": IN_PLACE,
    "unknown_call": FORGED,
    "unknown_choice": FORGED,
    "unknown_entry": IN_PLACE,
    "unknown_holiday": IN_PLACE,
    "unknown_office": FORGED,
    "unknown_outcome": FORGED,
    "unknown_policy": COMMAND,
    "unknown_pool": COMMAND,
    "unknown_rule": FORGED,
    "unknown_service": FORGED,
    "unreadable": DEVICE,
    "walk_ins_closed": DEVICE,
    "window_closed": IN_PLACE,
    "window_occupied": IN_PLACE,
    "wrong_code": DEVICE,
    "wrong_day": DEVICE,
    "wrong_office": DEVICE,
}

# What http_errors answers by itself, where no class of refusal was raised.
OF_HTTP = {"bad_request", "fault", "form_expired", "method_not_allowed", "not_found", "too_large", "too_many_requests"}

PAGES = (
    "server.auth.views",
    "server.booking.pages",
    "server.booking.phone",
    "server.booking.web",
    "server.desk.views",
    "server.mailing.pages",
    "server.offices.opening_pages",
    "server.offices.pages",
    "server.offices.service_pages",
    "server.outlook.pages",
    "server.queueing.board_api",
    "server.reception.pages",
    "server.reports.pages",
)

# The estimate asks the rule who is next, and takes "nobody" for an answer; a notice's number is looked up by steps
# whose refusals become "code unknown" and "other code".
CAUGHT = {"locked", "nobody_waiting", "notice_not_found", "notice_number"}

# Keys that the program puts together: the beginning, and what may follow.
COMPUTED: dict[str, set[str]] = {
    "bring.case.": set(CASES) - {"everyone"},
    "refusal.": {kind.code for kind in all_refusals().values()} | OF_HTTP | {"other"},
    "kiosk.selftest.": set(ScannerFinding),
    "status.": {"done", "missed", "parked"},
    "status.wait.": {"range", "within"},
    "ticket.wait.": {"range", "soon", "within"},
    "web.steps.": {"login", "day", "time", "check"},
}


def codes() -> set[str]:
    """The codes of all refusals."""
    return {kind.code for kind in all_refusals().values()}


def quoted() -> set[str]:
    """Everything in the program that stands in quotation marks and could be a key."""
    program = [n for n in own_files() if re.match(r"(server|kiosk|display|madoguchi)/.*\.(py|html|js|ics|svg)$", n)]
    return set(chain.from_iterable(re.findall(r"[\"'`]([a-z0-9_.]+)[\"'`]", text_of(name)) for name in program))


def test_every_refusal_has_a_text_or_a_reason_to_have_none() -> None:
    without = {code for code in codes() if f"refusal.{code}" not in TEXTS.by_key}
    assert without == set(WITHOUT_TEXT)


def test_every_answer_of_the_edge_itself_has_a_text() -> None:
    source = text_of("server/http_errors.py")
    assert {code for code in OF_HTTP if f'"{code}"' not in source} == set()
    assert {code for code in OF_HTTP if f"refusal.{code}" not in TEXTS.by_key} == set()


def test_one_code_stands_for_one_refusal() -> None:
    all_codes = sorted(kind.code for kind in all_refusals().values())
    assert all_codes == sorted(set(all_codes))


def test_what_only_devices_or_commands_are_told_no_page_can_raise() -> None:
    on_pages = set().union(*(raised_by(view) for page in PAGES for view in views_of(page)))
    hidden = {code for code, reason in WITHOUT_TEXT.items() if reason in (DEVICE, COMMAND)}
    assert hidden & on_pages == set()


def test_no_kind_of_refusal_is_raised_itself() -> None:
    raised = set().union(*(raised_by(view) for page in (*PAGES, KIOSK) for view in views_of(page)))
    assert raised & {code for code, reason in WITHOUT_TEXT.items() if reason == KIND} == set()


@pytest.mark.parametrize("view", views_of(KIOSK))
def test_a_kiosk_has_a_row_for_everything_that_it_can_be_refused(view: str) -> None:
    refused = raised_by(view)
    assert refused >= {"not_paired", "contract_mismatch", "busy"}
    assert refused - CAUGHT - set(REFUSALS) == set()


@pytest.mark.parametrize("code", sorted(OF_HTTP))
def test_a_kiosk_says_that_it_is_out_of_order_when_the_edge_refuses(code: str) -> None:
    assert telling(RefusalView(code, {})) is OUT_OF_ORDER


def test_every_row_of_the_kiosk_has_its_text() -> None:
    assert {row.key for row in REFUSALS.values()} - set(TEXTS.by_key) == set()


def test_no_text_of_ours_is_unused() -> None:
    keys = set(yaml.safe_load(text_of(EXTRA)))
    computed = {prefix + rest for prefix, rests in COMPUTED.items() for rest in rests}
    assert keys - quoted() - computed == set()


def test_every_beginning_of_a_computed_key_stands_in_the_program() -> None:
    sources = [
        text_of(f"server/{name}")
        for name in ("http_errors.py", "templates/booking/bring.html", "templates/booking/steps.html")
    ]
    sources += [
        text_of(name)
        for name in ("kiosk/screen/pages.py", "kiosk/self_test.py", "kiosk/slip.py", "server/templates/ticket.html")
    ]
    assert [prefix for prefix in COMPUTED if not any(prefix in source for source in sources)] == []
