"""What requests hold, for the edge alone: checked as they come in, and described in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from nco.solver import MAX_SEED

Lon = Annotated[FiniteFloat, Field(ge=-180, le=180)]
Lat = Annotated[FiniteFloat, Field(ge=-90, le=90)]
LonLat = tuple[Lon, Lat]
Text = Annotated[str, Field(max_length=1000)]
Seconds = Annotated[FiniteFloat, Field(gt=0)]
Ring = Annotated[list[LonLat], Field(min_length=3, max_length=500)]
Number = Annotated[int, Field(ge=0)]
Json = dict[str, Any]
Amount = FiniteFloat | list[FiniteFloat]
Window = tuple[FiniteFloat, FiniteFloat | None]


class Strict(BaseModel):
    """No other fields than these."""

    model_config = ConfigDict(extra="forbid")


class RouteOf(Strict):
    """What one vehicle drives, by numbers of nodes."""

    vehicle: Number
    stops: list[Number]
    reload_at: Number | None = Field(None, description="depot at which it loads for its next trip")


class FixedPart(Strict):
    """Stops that follow one another, in this order; with `vehicle`, on one of its trips."""

    stops: Annotated[list[Number], Field(min_length=1)]
    vehicle: Number | None = None


class SolveRequest(Strict):
    """A problem, and how to solve it."""

    problem: Json | None = Field(
        None,
        description="ours ('format': 'nco-problem'), VROOM's ('jobs', 'vehicles'), or tables "
        "('stops': {'header', 'rows'}, 'fleet' likewise, 'options': {'city', 'depot', "
        "'vehicles', 'capacity', 'allow_unassigned', 'accept_doubtful'})",
    )
    problem_id: Text | None = Field(None, description="of a problem that was posted before")
    method: Text = "auto"
    time_limit_s: Seconds = 2.0
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    initial: list[RouteOf] | None = Field(None, description="routes to go on from")
    locked: list[Number] | None = Field(
        None, description="vehicles whose routes in `initial` stay as they are"
    )
    fixed: list[FixedPart] | None = Field(None, description="stops that stay in a row")


class JudgeRequest(Strict):
    """Routes that a person made."""

    routes: list[RouteOf]
    explain: bool = Field(True, description="say why stops are left out, which may take longer")


class ExportRequest(Strict):
    """A plan that is wanted as a file."""

    routes: list[RouteOf]
    format: Text = "json"
    city: Text | None = None


class ExportDayRequest(Strict):
    """What is left of a day, wanted as a file."""

    format: Text = "json"
    city: Text | None = None


class MatrixRequest(Strict):
    """Places between which distances are wanted."""

    points: Annotated[list[LonLat], Field(min_length=1)]
    targets: list[LonLat] | None = None
    city: Text | None = None
    profile: Text | None = None


class RouteRequest(Strict):
    """Places to be driven through."""

    points: Annotated[list[LonLat], Field(min_length=2)]
    avoid: Annotated[list[Ring], Field(max_length=50)] | None = Field(
        None, description="areas that are not entered, corners of each"
    )
    city: Text | None = None
    profile: Text | None = None


class Asked(Strict):
    """An address."""

    text: Text
    postcode: Text = ""
    city: Text = ""


class GeocodeRequest(Strict):
    """Addresses to be found."""

    addresses: list[Text | Asked]
    postcode: Text = Field("", description="of addresses that have none of their own")
    town: Text = Field("", description="likewise")
    most: Annotated[int, Field(ge=0, le=20)] = 5
    city: Text | None = Field(None, description="that is served")


class ScenarioRequest(Strict):
    """Whatever a page wants to find again."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    content: Any
    version: int | None = Field(None, description="that was read; another's change is not lost")


class PlanRequest(Strict):
    """A day to be planned again and again."""

    problem: Json | None = None
    problem_id: Text | None = None
    city: Text | None = None
    profile: Text | None = None
    method: Text = "auto"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0


class Change(Strict):
    """What happens on a day; what an operation needs depends on it, see `nco.Planner`."""

    op: Literal[
        "replan", "advance", "served", "add", "add_shipment", "add_vehicle", "move", "change",
        "cancel", "drop_vehicle", "adopt",
    ]  # fmt: skip
    name: Text | None = None
    lonlat: LonLat | None = None
    demand: Amount | None = None
    window_s: Window | None = None
    more_windows_s: list[Window] | None = None
    soft_window_s: Window | None = None
    early_per_s: FiniteFloat | None = None
    late_per_s: FiniteFloat | None = None
    service_s: FiniteFloat | None = None
    setup_s: FiniteFloat | None = None
    release_s: FiniteFloat | None = None
    prize: FiniteFloat | None = Field(None, description="null makes the stop required")
    priority: FiniteFloat | None = None
    skills: list[Text] | None = None
    vehicles: list[int] | None = None
    pickup: Amount | Text | None = Field(
        None, description="what a stop gives away; of a shipment, the stop where it is taken up"
    )
    delivery: Text | None = None
    amount: Amount | None = None
    vehicle: int | Json | None = Field(
        None, description="a number; of add_vehicle, a vehicle as in our JSON"
    )
    stops: list[Text] | None = None
    ready_s: FiniteFloat | None = None
    now_s: FiniteFloat | None = None
    time_limit_s: Seconds | None = None
    routes: list[RouteOf] | None = None


class VroomRequest(BaseModel):
    """VROOM's input, with the options of vroom-express."""

    model_config = ConfigDict(extra="allow")
    vehicles: list[Json]
    jobs: list[Json] | None = None
    shipments: list[Json] | None = None
    options: Any = None


class ErrorBody(BaseModel):
    """What went wrong."""

    kind: str
    message: str


class ErrorAnswer(BaseModel):
    """The one shape of errors, except for those of vroom-express and of OSRM."""

    error: ErrorBody
