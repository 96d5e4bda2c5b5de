"""The part of an office's file about services: read, loaded, loaded again, and refused by key."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from madoguchi.pictures import PICTURES, pictures_svg
from server.db import read_session, transaction
from server.offices.models import (
    OfficeService,
    Pool,
    PoolKind,
    Service,
    ServiceStep,
    Terminal,
    Window,
)
from server.offices.office_file import OfficeFileUnusable
from server.offices.queries import (
    minutes_of,
    offer_by_code,
    offers_of,
    offers_to_walk_ins,
    pool_values_on,
    services_of_window,
    steps_of,
    uses_of,
    windows_in_pool,
    windows_of,
)
from server.offices.service_plan import ServicePlan, presets
from server.offices.service_rules import CASES, Mode, offered_on, to_bring
from tests.fakes import MONDAY_NINE
from tests.server.city import MONDAY, City

YESTERDAY, TUESDAY = date(2026, 11, 29), date(2026, 12, 1)
NAMES = {"ja": "受取", "en": "Pick-up"}
LANES = [
    {"code": "pickup", "name": NAMES, "first": 1, "last": 300},
    {"code": "desk", "name": {"ja": "更新", "en": "Renewal"}, "first": 301, "last": 600},
]
PLAN: dict[str, Any] = {
    "lanes": LANES,
    "services": [{"preset": "pickup", "lane": "pickup"}, {"preset": "return", "lane": "desk"}],
    "windows": [{"number": 1}, {"number": 2, "services": ["return"]}],
}


def load(city: City, **changes: Any) -> tuple[int, int]:
    """Load the plan of the northern branch with changes."""
    with transaction() as tx:
        return ServicePlan(tx, city.here, {**PLAN, **changes}, "kanri", MONDAY_NINE).apply()


@pytest.fixture
def branch(office: Any) -> City:
    """The northern branch, which has one window and offers the hand-over of cards."""
    return City(office, "kita")


def modes(city: City, code: str) -> set[str]:
    """How people get to a service."""
    return set(offer_by_code(read_session(), city.here, code).modes)


def test_a_preset_brings_name_picture_minutes_documents_and_ways(branch: City) -> None:
    assert load(branch) == (2, 2)
    offer = offer_by_code(read_session(), branch.here, "return")
    service = offer.service

    assert service.names == {"ja": "カードの返納", "en": "Return a card"}
    assert service.short_names == service.names
    assert (service.picture, service.legal_deadline, set(offer.modes)) == ("return", False, {Mode.WALK_IN})
    assert service.tasks == []
    assert minutes_of(read_session(), branch.here, service.id) == 10
    assert to_bring(service.documents, "en")[0] == (
        "everyone",
        ["The My Number Card to be returned", "Identity papers of whoever comes"],
    )


def test_a_file_says_only_what_differs_from_the_preset(branch: City) -> None:
    row = {
        "preset": "lost",
        "code": "express",
        "lane": "desk",
        "short": {"ja": "特急発行", "en": "Express"},
        "minutes": 40,
        "booking": ["phone"],
        "valid_from": "2026-12-01",
        "valid_to": "2027-03-31",
    }
    load(branch, services=[row], windows=[{"number": 1}])
    offer = offer_by_code(read_session(), branch.here, "express")

    assert offer.service.name_en == "Lost card, reissue, express issue"
    assert (offer.service.short_ja, offer.service.legal_deadline) == ("特急発行", True)
    assert (set(offer.modes), offer.valid_from, offer.valid_to) == ({Mode.PHONE}, TUESDAY, date(2027, 3, 31))
    assert minutes_of(read_session(), branch.here, offer.service_id) == 40


def test_a_service_of_several_stops_pools_and_a_terminal(branch: City) -> None:
    load(
        branch,
        pools=[
            {"name": "窓口", "kind": "windows"},
            {"name": "職員", "kind": "staff", "size": 5},
            {"name": "統合端末", "kind": "terminal", "size": 2},
        ],
        terminals=[{"kind": "jlis", "name": "統合端末1"}],
        services=[
            {
                "preset": "pickup",
                "steps": [{"lane": "pickup", "minutes": 5}, {"lane": "desk", "minutes": 10, "terminal": "jlis"}],
                "pools": {"窓口": 1, "統合端末": 2},
            }
        ],
        windows=[{"number": 1}],
    )
    here, pickup = branch.here, offer_by_code(read_session(), branch.here, "pickup").service_id
    pools = {pool.name: pool for pool in read_session().scalars(select(Pool).where(Pool.office_id == here))}

    steps = steps_of(read_session(), here)[pickup]
    assert [(s.lane.code, s.terminal_kind, s.minutes) for s in steps] == [("pickup", None, 5), ("desk", "jlis", 10)]
    assert minutes_of(read_session(), here, pickup) == 15
    assert {pool.name: units for pool, units in uses_of(read_session(), here)[pickup]} == {"窓口": 1, "統合端末": 2}
    assert windows_in_pool(read_session(), pools["窓口"].id, MONDAY) == 1
    assert pool_values_on(read_session(), pools["職員"].id, MONDAY) == {"size": 5}
    assert pool_values_on(read_session(), pools["統合端末"].id, MONDAY) == {"size": 2}


def test_loading_again_changes_what_the_file_says_and_nothing_else(branch: City) -> None:
    load(branch)
    with transaction() as tx:
        offer = offer_by_code(tx.session, branch.here, "return")
        offer.service.documents = {"everyone": [{"ja": "印鑑", "en": "Seal"}]}
        offer.modes = {Mode.PHONE, Mode.WALK_IN}
    ids = {window.number: window.id for window in windows_of(read_session(), branch.here)}
    renamed = [{**LANES[0], "name": {"ja": "交付", "en": "Hand-over"}, "last": 250}, LANES[1]]
    load(branch, lanes=renamed, windows=[{"number": 1, "services": ["pickup"]}, {"number": 2}])

    offer = offer_by_code(read_session(), branch.here, "return")
    assert (set(offer.modes), offer.service.documents["everyone"][0]["ja"]) == ({Mode.PHONE, Mode.WALK_IN}, "印鑑")
    assert {window.number: window.id for window in windows_of(read_session(), branch.here)} == ids
    assert [s.code for s in services_of_window(read_session(), ids[1])] == ["pickup"]
    assert [s.code for s in services_of_window(read_session(), ids[2])] == ["pickup", "return"]
    assert steps_of(read_session(), branch.here)[offer.service_id][0].minutes == 10


def test_what_the_file_no_longer_names_ends_with_yesterday_and_stays_to_be_called(branch: City) -> None:
    load(branch, terminals=[{"kind": "jlis", "name": "統合端末1"}])
    load(branch, services=PLAN["services"][:1], windows=[{"number": 1}])

    offer = offer_by_code(read_session(), branch.here, "return")
    assert (offered_on(offer, YESTERDAY), offered_on(offer, MONDAY)) == (True, False)
    assert [o.service.code for o in offers_to_walk_ins(read_session(), branch.here, MONDAY)] == ["pickup"]
    one, two = windows_of(read_session(), branch.here)
    assert [s.code for s in services_of_window(read_session(), one.id)] == ["pickup", "return"]
    assert services_of_window(read_session(), two.id) == []
    pool = read_session().scalars(select(Pool).where(Pool.office_id == branch.here)).one()
    assert windows_in_pool(read_session(), pool.id, MONDAY) == 1
    assert read_session().scalars(select(Terminal.valid_to)).all() == [YESTERDAY]


def test_a_window_that_is_open_is_not_taken_away(branch: City) -> None:
    load(branch)
    branch.open(2)
    with pytest.raises(OfficeFileUnusable) as refused:
        load(branch, windows=[{"number": 1}])

    assert refused.value.facts["key"] == "windows"
    assert "window 2" in refused.value.facts["fault"]


def test_a_service_is_the_same_at_all_offices_and_each_offers_it_its_own_way(city: City) -> None:
    branch = City(city.office, "kita")
    load(branch, services=[{"preset": "pickup", "lane": "pickup", "booking": ["phone"]}], windows=[{"number": 1}])

    assert (modes(branch, "pickup"), modes(city, "pickup")) == ({"phone"}, {"notice", "phone", "walk_in"})
    assert len(read_session().scalars(select(Service).where(Service.code == "pickup")).all()) == 1


PICKUP = {"preset": "pickup", "lane": "pickup"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"lanes": []}, "lanes"),
        ({"lanes": [{"code": "pickup", "name": NAMES, "first": 5}]}, "lanes[1].last"),
        ({"lanes": [{"code": "pickup", "name": NAMES, "first": 5, "last": 4}]}, "lanes[1].last"),
        ({"lanes": [LANES[0], {**LANES[1], "first": 300}]}, "lanes[2].first"),
        ({"lanes": [LANES[0], LANES[0]]}, "lanes[2].code"),
        ({"lanes": [{**LANES[0], "name": {"ja": "受取"}}]}, "lanes[1].name"),
        ({"services": [{"lane": "pickup"}]}, "services[1].code"),
        ({"services": [{**PICKUP, "preset": "passport"}]}, "services[1].preset"),
        ({"services": [{**PICKUP, "lane": "nowhere"}]}, "services[1].lane"),
        ({"services": [PICKUP, PICKUP]}, "services[2].code"),
        ({"services": [{"code": "tax", "lane": "pickup"}]}, "services[1].name"),
        ({"services": [{**PICKUP, "minuts": 5}]}, "services[1].minuts"),
        ({"services": [{**PICKUP, "minutes": 0}]}, "services[1].minutes"),
        ({"services": [{**PICKUP, "minutes": True}]}, "services[1].minutes"),
        ({"services": [{**PICKUP, "picture": "cat"}]}, "services[1].picture"),
        ({"services": [{**PICKUP, "booking": []}]}, "services[1].booking"),
        ({"services": [{**PICKUP, "booking": ["fax"]}]}, "services[1].booking"),
        ({"services": [{**PICKUP, "legal_deadline": "yes"}]}, "services[1].legal_deadline"),
        ({"services": [{**PICKUP, "tasks": ["dance"]}]}, "services[1].tasks"),
        ({"services": [{**PICKUP, "valid_from": "tomorrow"}]}, "services[1].valid_from"),
        ({"services": [{**PICKUP, "valid_from": "2027-01-02", "valid_to": "2027-01-01"}]}, "services[1].valid_to"),
        ({"services": [{**PICKUP, "pools": {"端末": 1}}]}, "services[1].pools.端末"),
        ({"services": [{**PICKUP, "pools": {"窓口": 1}, "units": 1}]}, "services[1].units"),
        ({"services": [{**PICKUP, "steps": [{"lane": "pickup"}]}]}, "services[1].steps"),
        ({"services": [{"preset": "pickup", "steps": [{"lane": "no"}]}]}, "services[1].steps[1].lane"),
        (
            {"services": [{"preset": "pickup", "steps": [{"lane": "pickup", "terminal": "jlis"}]}]},
            "services[1].steps[1].terminal",
        ),
        ({"services": [{**PICKUP, "documents": {"child": []}}]}, "services[1].documents.child"),
        ({"services": [{**PICKUP, "documents": {"proxy": ["seal"]}}]}, "services[1].documents.proxy[1]"),
        ({"windows": [{"number": 0}]}, "windows[1].number"),
        ({"windows": [{"number": 1, "services": ["pin"]}]}, "windows[1].services"),
        ({"windows": [{"number": 1, "pool": "別館"}]}, "windows[1].pool"),
        ({"pools": [{"name": "端末", "kind": "terminals", "size": 1}]}, "pools[1].kind"),
        ({"pools": [{"name": "端末", "kind": "terminal"}]}, "pools[1].size"),
        ({"pools": [{"name": "窓口", "kind": "staff", "size": 1}]}, "pools[1].kind"),
        ({"pools": [{"name": "窓口", "kind": "windows", "size": 1}]}, "pools[1].size"),
        ({"pools": [{"name": "窓口", "kind": "windows", "rate_per_hour": 0}]}, "pools[1].rate_per_hour"),
        ({"pools": "窓口"}, "pools"),
    ],
)
def test_a_fault_names_its_key_and_changes_nothing(sqlite_office: Any, changes: dict[str, Any], key: str) -> None:
    branch = City(sqlite_office, "kita")
    services = [PICKUP]
    windows = [{"number": 1}]
    with pytest.raises(OfficeFileUnusable) as refused:
        load(branch, **{"services": services, "windows": windows, **changes})

    assert (refused.value.facts["key"], bool(refused.value.facts["fault"])) == (key, True)
    read_session().rollback()
    assert len(offers_of(read_session(), branch.here)) == 1
    assert len(read_session().scalars(select(Window).where(Window.office_id == branch.here)).all()) == 1


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_can_be_loaded_as_it_stands(sqlite_office: Any, name: str) -> None:
    branch = City(sqlite_office, "kita")
    load(branch, services=[{"preset": name, "lane": "pickup"}], windows=[{"number": 1}])
    service = offer_by_code(read_session(), branch.here, name).service

    assert service.picture in PICTURES
    assert len(service.short_ja) <= 14
    assert set(service.documents) <= set(CASES)
    assert "everyone" in service.documents


def test_there_is_a_pictogram_for_every_name_and_a_name_for_every_pictogram() -> None:
    assert [part.split('"')[0] for part in pictures_svg().decode().split('<symbol id="')[1:]] == list(PICTURES)


def test_pools_are_of_windows_unless_the_file_says_otherwise(branch: City) -> None:
    load(branch)
    pools = read_session().scalars(select(Pool).where(Pool.office_id == branch.here)).all()

    assert [(pool.name, pool.kind) for pool in pools] == [("窓口", PoolKind.WINDOWS)]
    assert read_session().scalars(select(OfficeService.position).where(OfficeService.office_id == branch.here)).all()
    assert read_session().scalars(select(ServiceStep.minutes).where(ServiceStep.office_id == branch.here)).all()
