"""The dialogue at the entrance, as a play: what happens, and what the kiosk does then."""

from itertools import count
from uuid import UUID

import pytest

from kiosk.agent import MESSAGE_S, NUMBER_S, STUCK_S, Agent
from kiosk.devices.ports import READY, SILENT, Cover, Line, Paper, PrinterStatus
from kiosk.dialogue import (
    Action,
    Answered,
    AskCheckIn,
    AskWalkIn,
    CallStaff,
    Event,
    Note,
    Page,
    Print,
    Printed,
    Refused,
    Report,
    Scanned,
    ScannerSeen,
    ScanWasLost,
    ServerAway,
    Show,
    StaffCalled,
    StateSeen,
    StatusSeen,
    StrangerSeen,
    Tick,
    Touched,
    Unreachable,
)
from kiosk.messages import REFUSALS, Say
from kiosk.scans import ScannerSetup
from madoguchi.codes import of_ticket
from madoguchi.wire import CheckInAnswer, KioskState, Outcome, RefusalView, ReprintOrder, Result
from tests.kiosk.fake_office import BOOKED, NOTICE, NOW, granted, state, ticket

SHA = "0" * 64
JOB = UUID(int=7)


class Play:
    """An agent and its clock: `hears` gives what it does."""

    def __init__(self, one_way_printer: bool = False, known: KioskState | None = None) -> None:
        numbers, setup = count(1), ScannerSetup(postcard=frozenset({"digits-23"}))
        self.agent = Agent(lambda: f"id-{next(numbers)}", one_way_printer=one_way_printer, scanner=setup)
        self.now = 0.0
        self.hears(StateSeen(known or state()))

    def hears(self, *events: Event) -> list[Action]:
        done: list[Action] = []
        for event in events:
            done += self.agent.handle(event, self.now)
        return done

    def waits(self, seconds: float) -> list[Action]:
        self.now += seconds
        return self.hears(Tick())

    def scans(self, text: str) -> list[Action]:
        return self.hears(Scanned(bytearray(text.encode())))

    def checks_in(self, answer: CheckInAnswer | None = None) -> list[Action]:
        """A good code is scanned and the server answers."""
        (asked,) = [act for act in self.scans(BOOKED) if isinstance(act, AskCheckIn)]
        return self.hears(Answered(asked.request_id, answer or granted(job=JOB)))

    @property
    def page(self) -> Page:
        return self.agent.page

    @property
    def says(self) -> str:
        return self.page.text.key if self.page.text else ""


def spoken(done: list[Action]) -> list[str]:
    """In which languages is printed and shown."""
    return [act.language for act in done if isinstance(act, Print | Show)]


class TestTheBookingsLanguage:
    def test_ticket_and_screen_go_on_in_it_and_the_next_visitor_finds_the_usual_one(self) -> None:
        play = Play()

        done = play.checks_in(granted(job=JOB, language="en"))

        assert spoken(done) == ["en", "en"]
        assert spoken(play.hears(Printed(JOB, SHA, Outcome.PRINTED))) == ["en"]
        assert spoken(play.waits(NUMBER_S)) == ["ja"]

    def test_who_comes_next_before_the_page_has_gone_is_spoken_to_in_the_usual_one(self) -> None:
        play = Play()
        play.checks_in(granted(job=JOB, language="en"))
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert spoken(play.scans(NOTICE)) == ["ja"]

    def test_what_is_chosen_at_the_kiosk_stands_above_it(self) -> None:
        play = Play()
        play.hears(Touched("language", "en"))

        assert spoken(play.checks_in(granted(job=JOB, language="ja"))) == ["en", "en"]

    @pytest.mark.parametrize("language", [None, "tlh"])
    def test_one_that_the_kiosk_does_not_speak_changes_nothing(self, language: str | None) -> None:
        assert spoken(Play().checks_in(granted(job=JOB, language=language))) == ["ja", "ja"]


def calls(actions: list[Action]) -> list[str]:
    return [action.reason for action in actions if isinstance(action, CallStaff)]


def kinds(actions: list[Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


class TestCheckingIn:
    def test_a_booked_visitor_scans_gets_a_slip_and_the_outcome_is_reported(self) -> None:
        play, answer = Play(), granted(job=JOB)

        note, asked, checking = play.scans(BOOKED.lower())
        printing = play.hears(Answered("id-1", answer))
        reported = play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert (note, asked) == (Note("code_booking", 10), AskCheckIn("id-1", BOOKED))
        assert isinstance(checking, Show)
        assert printing[0] == Print(answer.ticket, JOB, "ja")
        assert reported[0] == Report(JOB, SHA, Outcome.PRINTED)
        assert (play.says, play.page.number) == ("kiosk.take", 62)

    def test_the_link_of_a_notice_is_read_only_from_our_own_hosts(self) -> None:
        own = Play().scans(f"https://madoguchi.example/b/{NOTICE}")
        foreign = Play().scans(f"https://madoguchi.invalid/b/{NOTICE}")

        assert AskCheckIn("id-1", NOTICE) in own
        assert not any(isinstance(action, AskCheckIn) for action in foreign)

    def test_a_second_scan_while_the_kiosk_is_busy_is_dropped(self) -> None:
        play = Play()

        play.scans(BOOKED)
        while_checking = play.scans(BOOKED)
        play.hears(Answered("id-1", granted(job=JOB)))
        while_printing = play.scans(NOTICE)

        assert while_checking == [Note("while_busy", 10)]
        assert while_printing == [Note("while_busy", 12)]

    def test_after_the_outcome_the_same_code_is_asked_again_for_the_server_knows_what_was_printed(self) -> None:
        play = Play()
        play.checks_in()
        play.hears(Printed(JOB, SHA, Outcome.NOT_PRINTED))

        again = play.scans(BOOKED)

        assert any(isinstance(action, AskCheckIn) for action in again)

    def test_who_is_already_checked_in_sees_the_number_and_gets_no_second_paper(self) -> None:
        play = Play()

        done = play.checks_in(CheckInAnswer(Result.ALREADY, True, False, None, ticket(62)))

        assert kinds(done) == ["Show"]
        assert (play.says, play.page.number) == ("kiosk.already", 62)

    def test_who_comes_back_with_the_ticket_hears_that_the_number_will_be_called(self) -> None:
        play = Play()

        (asked,) = [act for act in play.scans(of_ticket(ticket(62).uid).text) if isinstance(act, AskCheckIn)]
        play.hears(Answered(asked.request_id, CheckInAnswer(Result.ALREADY, False, False, None, ticket(62))))

        assert (play.says, play.page.number) == ("kiosk.back", 62)

    @pytest.mark.parametrize(
        ("early", "late", "notes"),
        [(True, False, ["kiosk.early"]), (False, True, ["kiosk.late"]), (False, False, [])],
    )
    def test_who_comes_early_or_late_is_told_what_that_means(self, early: bool, late: bool, notes: list[str]) -> None:
        play = Play()

        play.checks_in(CheckInAnswer(Result.TICKET, early, late, JOB, ticket()))
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert [note.key for note in play.page.notes] == notes

    def test_an_answer_to_a_question_of_before_is_no_answer(self) -> None:
        play = Play()
        play.scans(BOOKED)

        assert play.hears(Answered("id-0", granted())) == []
        assert play.hears(Refused("id-0", RefusalView("wrong_day", {}))) == []
        assert play.hears(Unreachable("id-0")) == []


class TestPaper:
    def test_when_paper_runs_out_the_number_stands_and_staff_are_told(self) -> None:
        play = Play()
        play.checks_in()

        done = play.hears(Printed(JOB, SHA, Outcome.NOT_PRINTED))

        assert done[0] == Report(JOB, SHA, Outcome.NOT_PRINTED)
        assert calls(done) == ["printer"]
        assert (play.says, play.page.number) == ("kiosk.paperout", 62)

    def test_when_nobody_can_say_whether_it_printed_the_visitor_is_told_so(self) -> None:
        play = Play()
        play.checks_in()

        done = play.hears(Printed(JOB, SHA, Outcome.UNKNOWN))

        assert calls(done) == ["printer"]
        assert play.says == "kiosk.paper.unknown"

    def test_a_printer_that_never_answers_does_not_call_staff_for_each_ticket(self) -> None:
        play = Play(one_way_printer=True)
        play.checks_in()

        assert calls(play.hears(Printed(JOB, SHA, Outcome.UNKNOWN))) == []

    def test_the_visitor_without_paper_sees_when_staff_have_been_reached(self) -> None:
        play = Play()
        play.checks_in()
        done = play.hears(Printed(JOB, SHA, Outcome.NOT_PRINTED))
        (call,) = [action for action in done if isinstance(action, CallStaff)]

        play.hears(StaffCalled(call.request_id, reached=True))

        assert [note.key for note in play.page.notes] == ["kiosk.staffcoming"]
        assert play.page.number == 62

    def test_a_late_outcome_is_reported_even_when_nobody_waits_for_it(self) -> None:
        done = Play().hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert done == [Report(JOB, SHA, Outcome.PRINTED)]

    def test_staff_are_told_once_that_the_paper_is_near_its_end_and_visitors_are_not(self) -> None:
        play, near = Play(), PrinterStatus(Paper.NEAR_END, Cover.CLOSED, Line.ONLINE)

        first, second = play.hears(StatusSeen(near)), play.hears(StatusSeen(near))
        play.hears(StatusSeen(READY))
        again = play.hears(StatusSeen(near))

        assert (calls(first), second, calls(again)) == (["paper_near_end"], [], ["paper_near_end"])
        assert play.page.name == "idle"

    @pytest.mark.parametrize(
        ("status", "alarm"),
        [
            (PrinterStatus(Paper.OUT, Cover.CLOSED, Line.OFFLINE), "paper_out"),
            (PrinterStatus(Paper.OK, Cover.OPEN, Line.OFFLINE), "cover_open"),
            (PrinterStatus(line=Line.OFFLINE), "printer_offline"),
        ],
    )
    def test_staff_are_told_what_is_wrong_with_the_printer(self, status: PrinterStatus, alarm: str) -> None:
        assert calls(Play().hears(StatusSeen(status))) == [alarm]

    def test_a_printer_that_is_silent_once_is_no_alarm_but_three_times_is(self) -> None:
        play = Play()

        told = [calls(play.hears(StatusSeen(SILENT))) for _ in range(4)]

        assert told == [[], [], ["printer_silent"], []]

    def test_an_alarm_that_reached_nobody_is_raised_again(self) -> None:
        play, near = Play(), PrinterStatus(Paper.NEAR_END, Cover.CLOSED, Line.ONLINE)
        play.hears(StatusSeen(near), StaffCalled("id-1", reached=False))

        assert calls(play.hears(StatusSeen(near))) == ["paper_near_end"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("scan", "note", "text"),
        [
            ("https://kojinbango-card.example/", Note("wrong_code", 32), "kiosk.wrongcode"),
            (BOOKED[:-2], Note("unreadable", 8), "kiosk.unreadable"),
            ("B7K3\x07", Note("unreadable", 5), "kiosk.unreadable"),
            ("0123,\x1a\x1a\x1a,1980", Note("wrong_code", 13), "kiosk.wrongcode"),
            ("4901234567894", Note("wrong_code", 13), "kiosk.wrongcode"),
            ("5" * 23, Note("other_code", 23), "kiosk.othercode"),
            ("licence 983205673214 x", Note("my_number", 22), "kiosk.mynumber"),
            ("983205673214", Note("my_number", 12), "kiosk.mynumber"),
            ("９８３２－０５６７－３２１４", Note("my_number", 42), "kiosk.mynumber"),
        ],
    )
    def test_what_is_not_ours_never_leaves_the_kiosk(self, scan: str, note: Note, text: str) -> None:
        play = Play()

        done = play.scans(scan)

        assert (done[0], kinds(done)) == (note, ["Note", "Show"])
        assert play.says == text

    def test_twelve_digits_are_wiped_before_anything_else_sees_them_also_while_busy(self) -> None:
        play, first, second = Play(), bytearray(b"9832 0567 3214"), bytearray(b"983205673214")

        play.hears(Scanned(first))
        play.scans(BOOKED)
        while_busy = play.hears(Scanned(second))

        assert (first, second) == (bytearray(14), bytearray(12))
        assert while_busy == [Note("my_number", 12)]

    def test_every_scan_is_wiped_when_it_has_been_read(self) -> None:
        for payload in (bytearray(BOOKED.encode()), bytearray(b"\xff\xfe\x00"), bytearray(b"hello")):
            Play().hears(Scanned(payload))
            assert not any(payload)

    def test_what_is_no_text_is_none_of_ours(self) -> None:
        play = Play()

        play.hears(Scanned(bytearray(b"\x93\xfa\x96\x7b")))

        assert play.says == "kiosk.wrongcode"

    def test_who_holds_the_postcards_own_code_sees_where_the_label_is(self) -> None:
        play = Play()

        told = [calls(play.scans("5" * 23)) for _ in range(2)]

        assert (play.says, play.page.picture) == ("kiosk.othercode", "label")
        assert told == [[], ["refused_twice"]]

    def test_a_lost_scan_asks_to_scan_again(self) -> None:
        play = Play()

        play.hears(ScanWasLost())

        assert play.says == "kiosk.unreadable"
        play.scans(BOOKED)
        assert play.hears(ScanWasLost()) == []

    def test_the_second_refused_code_in_a_row_brings_staff(self) -> None:
        play = Play()

        told = [calls(play.scans("hello")) for _ in range(3)]

        assert told == [[], ["refused_twice"], []]

    def test_two_refused_codes_of_different_visitors_do_not(self) -> None:
        play = Play()

        first = play.scans("hello")
        play.waits(MESSAGE_S)
        play.waits(60)
        second = play.scans("hello")

        assert calls(first + second) == []

    def test_a_ticket_in_between_begins_a_new_row(self) -> None:
        play = Play()

        play.scans("hello")
        play.checks_in()
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert calls(play.scans("hello")) == []

    @pytest.mark.parametrize("code", sorted(REFUSALS))
    def test_the_office_says_no_and_the_visitor_is_told_why(self, code: str) -> None:
        play = Play()
        play.scans(BOOKED)

        play.hears(Refused("id-1", RefusalView(code, {})))

        assert play.page.name == "message"
        assert play.says.startswith("kiosk.")

    def test_an_unknown_no_sends_the_visitor_to_staff(self) -> None:
        play = Play()
        play.scans(BOOKED)

        play.hears(Refused("id-1", RefusalView("full_moon", {})))

        assert play.says == "kiosk.outoforder"


class TestTheNumberOnTheNotice:
    @pytest.mark.parametrize("scan", ["A1B-000123", "]Q1a1b000123", "Ａ１Ｂ－０００１２３"])
    def test_is_asked_for_only_where_the_office_says_so(self, scan: str) -> None:
        off, on = Play(), Play(known=state(notice_numbers=True))

        assert not any(isinstance(action, AskCheckIn) for action in off.scans(scan))
        assert off.says == "kiosk.wrongcode"
        assert AskCheckIn("id-1", "A1B000123") in on.scans(scan)

    @pytest.mark.parametrize("scan", ["N1B-000123", BOOKED[:9] + "0", "A1B-00012", "A1B-0001234", "4901234567894"])
    def test_is_nothing_else(self, scan: str) -> None:
        asked = [a.text for a in Play(known=state(notice_numbers=True)).scans(scan) if isinstance(a, AskCheckIn)]

        assert asked == (["N1B000123"] if scan == "N1B-000123" else [])

    def test_where_the_server_closed_this_way_the_label_is_shown(self) -> None:
        play = Play(known=state(notice_numbers=True))
        play.scans("A1B-000123")
        play.hears(Refused("id-1", RefusalView("other_code", {})))

        assert (play.says, play.page.picture) == ("kiosk.othercode", "label")


class TestAScannerThatWasSetOtherwise:
    def test_shows_by_our_own_link_under_another_layout_and_staff_are_told_at_once(self) -> None:
        play = Play()

        assert calls(play.scans(f"https'//madoguchi.example/b/{NOTICE}")) == ["scanner_settings"]
        assert play.says == "kiosk.wrongcode"

    def test_shows_by_many_scans_of_which_none_is_ours(self) -> None:
        play = Play()

        told = [calls(play.scans("%04$") if n % 2 else play.hears(ScanWasLost())) for n in range(7)]

        assert [n for n, reasons in enumerate(told, 1) if "scanner_settings" in reasons] == [6]

    def test_a_code_of_ours_in_between_says_that_it_is_well(self) -> None:
        play = Play()
        for _ in range(5):
            play.scans("%04$")
        play.checks_in()
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        assert "scanner_settings" not in calls(play.scans("%04$"))

    def test_and_so_does_an_hour(self) -> None:
        play = Play()
        for _ in range(5):
            play.scans("%04$")
        play.waits(3600)

        assert "scanner_settings" not in calls(play.scans("%04$"))

    def test_a_keyboard_that_somebody_plugs_in_is_told_to_staff_and_to_no_visitor(self) -> None:
        play = Play()

        assert calls(play.hears(StrangerSeen())) == ["input_device"]
        assert play.page.name == "idle"

    def test_what_nobody_heard_is_said_again_when_the_server_is_back(self) -> None:
        play = Play()
        (alarm,) = [a for a in play.scans(f"https'//madoguchi.example/b/{NOTICE}") if isinstance(a, CallStaff)]
        play.hears(StaffCalled(alarm.request_id, reached=False))

        assert calls(play.hears(StateSeen(state()))) == ["scanner_settings"]
        assert calls(play.hears(StateSeen(state()))) == []


class TestWalkIns:
    def test_a_walk_in_chooses_a_service_and_gets_a_ticket(self) -> None:
        play = Play()

        play.hears(Touched("walkin"))
        services = [choice.code for choice in play.page.choices]
        asked = play.hears(Touched("service", "renewal"))
        done = play.hears(Answered("id-1", granted(301, JOB)))

        assert services == ["pickup", "renewal"]
        assert asked[0] == AskWalkIn("id-1", "renewal", 1)
        assert kinds(done) == ["Print", "Show"]

    def test_a_service_touched_twice_is_asked_for_once(self) -> None:
        play = Play()
        play.hears(Touched("walkin"), Touched("service", "renewal"))

        assert play.hears(Touched("service", "renewal")) == []

    def test_when_they_are_received_no_more_the_first_page_says_so_and_has_no_button_for_them(self) -> None:
        page = Play(known=state(walk_ins=False, services=())).page

        assert (page.name, page.walk_in, page.deadline) == ("idle", False, False)
        assert page.notes == (Say("kiosk.onlybooked.book", {"tel": "050-0000-0062"}),)
        assert page.text == Say("kiosk.onlybooked")

    def test_the_first_page_changes_with_the_next_news_of_the_server(self) -> None:
        play = Play()
        assert play.page.walk_in
        play.hears(StateSeen(state(walk_ins=False)))
        assert not play.page.walk_in
        play.hears(StateSeen(state()))
        assert play.page.walk_in

    def test_a_legal_deadline_leads_to_staff_who_are_called_at_once(self) -> None:
        play = Play(known=state(walk_ins=False))
        assert play.page.deadline
        play.hears(Touched("deadline"))
        assert play.hears(Touched("service", "renewal"))[0] == AskWalkIn("id-1", "renewal", 1)
        done = play.hears(Refused("id-1", RefusalView("ask_staff", {})))

        assert (play.says, calls(done)) == ("kiosk.askstaff", ["legal_deadline"])

    def test_who_has_no_booking_is_not_sent_to_a_button_that_is_not_there(self) -> None:
        play = Play(known=state(walk_ins=False))
        play.hears(Scanned(bytearray(NOTICE.encode())), Refused("id-1", RefusalView("not_booked", {})))

        assert not play.page.walk_in

    @pytest.mark.parametrize("service", ["", "licence", "pickup"])
    def test_a_service_that_is_not_on_the_page_is_not_asked_for(self, service: str) -> None:
        assert Play().hears(Touched("service", service)) == []

    @pytest.mark.parametrize(
        ("known", "text"),
        [
            (state(walk_ins=False, services=()), "kiosk.walkin.closed"),
            (state(open=False, walk_ins=False, next_opening=NOW.replace(hour=13)), "kiosk.opens"),
            (state(services=()), "kiosk.walkin.none"),
        ],
    )
    def test_who_cannot_be_received_is_told_so_at_once(self, known: KioskState, text: str) -> None:
        play = Play(known=known)

        done = play.hears(Touched("walkin"))

        assert kinds(done) == ["Show"]
        assert play.says == text

    def test_nobody_is_sent_away_from_a_choice_without_a_warning(self) -> None:
        play = Play()
        play.hears(Touched("walkin"))

        play.waits(45)
        warned = play.says
        play.hears(Touched("continue"))
        back = play.page.name
        play.waits(45)
        play.waits(10)

        assert (warned, back, play.page.name) == ("kiosk.timeout", "services", "idle")

    def test_somebody_with_a_booking_may_scan_from_the_services_page(self) -> None:
        play = Play()
        play.hears(Touched("walkin"))

        assert any(isinstance(action, AskCheckIn) for action in play.scans(BOOKED))


class TestStaff:
    def test_the_button_calls_staff_and_says_so_only_when_they_were_reached(self) -> None:
        play = Play()

        asked = play.hears(Touched("staff"))
        before = play.says
        play.hears(StaffCalled("id-1", reached=True))

        assert calls(asked) == ["button"]
        assert (before, play.says) == ("kiosk.scan.reading", "kiosk.staffcoming")

    def test_when_staff_could_not_be_reached_the_visitor_is_told_to_speak_to_them(self) -> None:
        play = Play()

        play.hears(Touched("staff"), StaffCalled("id-1", reached=False))

        assert play.says == "kiosk.server.away"

    def test_staff_can_be_called_while_a_ticket_is_printing_and_the_ticket_goes_on(self) -> None:
        play = Play()
        play.checks_in()

        asked = play.hears(Touched("staff"), Touched("staff"))
        play.hears(StaffCalled("id-2", reached=True), Printed(JOB, SHA, Outcome.PRINTED))

        assert calls(asked) == ["button"]
        assert play.page.number == 62


class TestServer:
    def test_no_server_is_told_to_the_visitor_and_the_first_page_says_so_until_it_is_back(self) -> None:
        play = Play()

        play.scans(BOOKED)
        play.hears(Unreachable("id-1"), ServerAway())
        told = play.says
        play.waits(MESSAGE_S)
        resting = (play.page.name, play.says)
        play.hears(StateSeen(state()))

        assert (told, resting) == ("kiosk.server.away", ("away", "kiosk.server.away"))
        assert (play.page.name, play.says) == ("idle", "kiosk.welcome.body")

    def test_news_of_the_server_do_not_take_a_visitors_page_away(self) -> None:
        play = Play()
        play.checks_in()

        assert play.hears(ServerAway(), StateSeen(state())) == []

    def test_a_server_of_another_contract_puts_the_kiosk_out_of_order(self) -> None:
        assert Play(known=state(contract=99)).says == "kiosk.outoforder"

    def test_a_kiosk_that_is_not_paired_says_so(self) -> None:
        play = Play()

        play.hears(ServerAway(RefusalView("not_paired", {})))

        assert play.says == "kiosk.notpaired"

    @pytest.mark.parametrize(
        ("opening", "text"),
        [
            (None, "kiosk.closed.nodate"),
            (NOW.replace(hour=13), "kiosk.opens"),
            (NOW.replace(month=12, day=1), "kiosk.closed"),
        ],
    )
    def test_a_closed_office_says_when_it_opens(self, opening: object, text: str) -> None:
        play = Play(known=state(open=False, walk_ins=False, next_opening=opening))

        assert (play.page.name, play.says) == ("closed", text)

    def test_before_the_server_has_spoken_the_kiosk_says_that_it_is_starting(self) -> None:
        agent = Agent(lambda: "id")

        (shown,) = agent.start()

        assert isinstance(shown, Show)
        assert shown.page.name == "starting"

    def test_before_the_hosts_are_known_a_notice_is_not_called_a_wrong_code(self) -> None:
        agent = Agent(lambda: "id")

        done = agent.handle(Scanned(bytearray(f"https://madoguchi.example/b/{NOTICE}".encode())), 0.0)

        assert done[0] == Note("too_soon", 40)
        assert agent.page.text == Say("kiosk.starting")

    def test_an_answer_that_never_comes_does_not_hold_the_next_visitor_up(self) -> None:
        play = Play()
        play.scans(BOOKED)

        play.waits(STUCK_S + 1)

        assert (play.says, play.agent.busy) == ("kiosk.outoforder", False)

    def test_a_lost_scanner_is_told_to_staff_and_shown_and_walk_ins_go_on(self) -> None:
        play = Play()

        done = play.hears(ScannerSeen(False))

        assert calls(done) == ["scanner"]
        assert (play.says, play.page.walk_in) == ("kiosk.scanner.away", True)
        play.hears(ScannerSeen(True))
        assert play.says == "kiosk.welcome.body"


class TestPages:
    def test_the_first_page_comes_back_after_eight_seconds(self) -> None:
        play = Play()
        play.checks_in()
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))

        early = play.waits(NUMBER_S - 0.1)
        then = play.waits(0.1)

        assert early == []
        assert [action.page.name for action in then if isinstance(action, Show)] == ["idle"]

    def test_the_visitors_language_holds_for_page_and_paper_until_the_first_page_is_back(self) -> None:
        play = Play()

        play.hears(Touched("language", "en"))
        printing = play.checks_in()
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))
        shown = play.waits(NUMBER_S)

        assert [action.language for action in printing if isinstance(action, Print | Show)] == ["en", "en"]
        assert [action.language for action in shown if isinstance(action, Show)] == ["ja"]

    def test_a_language_that_is_not_offered_changes_nothing(self) -> None:
        assert Play().hears(Touched("language", "tlh")) == []

    def test_start_over_leads_to_the_first_page_but_not_while_a_ticket_is_made(self) -> None:
        play = Play()
        play.scans("hello")
        play.hears(Touched("restart"))
        first = play.page.name
        play.scans(BOOKED)

        assert play.hears(Touched("restart")) == []
        assert (first, play.page.name) == ("idle", "checking")


class TestReprintsByStaff:
    """再発行: staff have asked the server, the kiosk prints when nobody stands before it."""

    ORDER = ReprintOrder(UUID(int=70), ticket(23, reprint_of=NOW))

    def asked(self, play: Play) -> list[Action]:
        return play.hears(StateSeen(state(reprints=(self.ORDER,))))

    def test_it_is_printed_reported_and_the_first_page_comes_back(self) -> None:
        play = Play()

        printing = self.asked(play)
        assert [act for act in printing if isinstance(act, Print)] == [
            Print(self.ORDER.ticket, self.ORDER.job, "ja"),
        ]
        assert (play.agent.printing, play.page.number) == (self.ORDER.job, None)

        done = play.hears(Printed(self.ORDER.job, SHA, Outcome.PRINTED))
        assert done[0] == Report(self.ORDER.job, SHA, Outcome.PRINTED)
        assert (play.page.name, play.agent.busy) == ("idle", False)

    def test_it_is_printed_once_however_often_it_is_told(self) -> None:
        play = Play()
        self.asked(play)
        play.hears(Printed(self.ORDER.job, SHA, Outcome.UNKNOWN))

        assert not any(isinstance(act, Print) for act in self.asked(play))

    def test_a_visitor_is_served_first(self) -> None:
        play = Play()
        play.checks_in()
        assert not any(isinstance(act, Print) for act in self.asked(play))
        play.hears(Printed(JOB, SHA, Outcome.PRINTED))
        assert not any(isinstance(act, Print) for act in self.asked(play))  # the number is still being read
        play.waits(NUMBER_S)

        assert any(isinstance(act, Print) for act in self.asked(play))

    def test_staff_are_told_when_it_did_not_come_out(self) -> None:
        play = Play()
        self.asked(play)

        done = play.hears(Printed(self.ORDER.job, SHA, Outcome.NOT_PRINTED))

        assert [act.reason for act in done if isinstance(act, CallStaff)] == ["printer"]
        assert play.page.name == "idle"
