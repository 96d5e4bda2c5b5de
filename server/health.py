"""/healthz says that the process lives, /readyz that database and schema are right."""

from datetime import datetime

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.auth.guards import public
from server.db import read_session
from server.edge import now, parts
from server.emergency.queries import offices_without

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Database reachable and at the newest migration, with warnings; 503 with the reason otherwise."""
    try:
        found, expected = schema_revisions()
    except SQLAlchemyError:
        return jsonify(status="database_away"), 503
    if found != expected:
        return jsonify(status="schema", found=found, expected=expected), 503
    return jsonify(status="ok", warnings=warnings(read_session(), now()))


def warnings(session: Session, moment: datetime) -> list[str]:
    """What staff must see to while everything still works: `emergency_list:<office>`, no list to go on with."""
    if not parts().settings.emergency_folder:
        return []
    return [f"emergency_list:{office.code}" for office in offices_without(session, moment)]


def schema_revisions() -> tuple[str | None, str | None]:
    """The migration at which the database is (None: none yet), and the newest there is."""
    found = MigrationContext.configure(read_session().connection()).get_current_revision()
    config = Config()
    config.set_main_option("script_location", str(current_app.extensions["migrate"].directory))
    return found, ScriptDirectory.from_config(config).get_current_head()
