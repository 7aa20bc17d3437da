"""Ways of vehicles as GPX: stops as waypoints and a route, the way along the streets as a track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nco.arrays import Floats
from nco.data.cities.city import CREDIT
from nco.sheets.sheet import Sheet


def gpx(sheet: Sheet, tracks: Sequence[Floats], title: str) -> str:
    """GPX 1.1 of one vehicle.

    Args:
        sheet: of a vehicle, with coordinates.
        tracks: `[k, 2]` the way of each trip.
        title: of the day.
    """
    return gpx_of_all([(sheet, tracks)], f"{title}: {sheet.name}")


def gpx_of_all(sheets: Iterable[tuple[Sheet, Sequence[Floats]]], title: str) -> str:
    """GPX 1.1 of several vehicles, a route and a track for each.

    Args:
        sheets: with coordinates, and the way `[k, 2]` of each trip.
        title: of the document.
    """
    from gpxpy import gpx as xml

    document = xml.GPX()
    document.name, document.description = title, CREDIT
    document.creator = "nco"
    for sheet, tracks in sheets:
        route = xml.GPXRoute(name=sheet.name)
        for line in sheet.lines:
            if line.lonlat is None:
                continue
            lon, lat = line.lonlat
            name = f"{line.number}. {line.name}" if line.number else line.name
            words = (line.address, line.window, line.phone, line.notes)
            note = "; ".join(word for word in words if word)
            place: dict[str, Any] = {
                "latitude": lat,
                "longitude": lon,
                "name": name,
                "description": note,
            }
            route.points.append(xml.GPXRoutePoint(**place))
            document.waypoints.append(xml.GPXWaypoint(**place))
        document.routes.append(route)
        track = xml.GPXTrack(name=sheet.name)
        for way in tracks:
            points = [xml.GPXTrackPoint(latitude=lat, longitude=lon) for lon, lat in way.tolist()]
            track.segments.append(xml.GPXTrackSegment(points))
        document.tracks.append(track)
    return str(document.to_xml(version="1.1"))
