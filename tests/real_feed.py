"""A made-up feed that looks like those of real towns: everything that readers stumble over."""

import csv
import io
import zipfile
from random import Random


def like_a_real_one(path, plain, seed=0, blocks=False):
    """A feed as agencies publish them, from a tidy one.

    Byte order marks, Windows line ends, columns that nobody knows, names with commas and quotes,
    stations above platforms, a platform for each side of the street, departures some seconds off,
    stops without times, short workings, trips after midnight, days by `calendar_dates.txt` alone,
    and no `agency.txt`, `shapes.txt`, `calendar.txt` or, unless asked for, blocks.
    """
    rng = Random(seed)
    with zipfile.ZipFile(plain) as archive:
        tables = {
            name.removesuffix(".txt"): list(
                csv.DictReader(io.StringIO(archive.read(name).decode()))
            )
            for name in archive.namelist()
        }
    stops = [
        {**row, "stop_name": f'{row["stop_name"]}, "old" side', "zone_id": "", "note": "?"}
        for row in tables["stops"]
    ]
    stations = [{**row, "stop_id": f"S{row['stop_id']}", "location_type": "1"} for row in stops[:5]]
    twins = [
        {**row, "stop_id": f"{row['stop_id']}b", "stop_lat": f"{float(row['stop_lat']) + 2e-4}"}
        for row in stops
    ]
    for row, station in zip(stops, stations, strict=False):
        row["parent_station"] = station["stop_id"]
    trips, times = [], []
    own = {}
    for row in tables["stop_times"]:
        own.setdefault(row["trip_id"], []).append(row)
    for trip in tables["trips"]:
        rows = own[trip["trip_id"]]
        off_s = rng.randrange(-40, 41)
        if len(rows) > 6 and rng.random() < 0.1:
            rows = rows[:-2]  # a short working
        trip = {name: cell for name, cell in trip.items() if blocks or name != "block_id"}
        trips.append({**trip, "wheelchair_accessible": "1", "service_id": "Mo-Fr"})
        for k, row in enumerate(rows):
            side = "b" if trip["direction_id"] == "1" else ""
            row = {**row, "stop_id": row["stop_id"] + side, "pickup_type": "0"}
            timed = k % 3 == 0 or k == len(rows) - 1
            for name in ("arrival_time", "departure_time"):
                row[name] = _shifted(row[name], off_s) if timed else ""
            # Numbers need not follow one another, nor rows one another.
            row["stop_sequence"] = str(10 * int(row["stop_sequence"]))
            times.append(row)
    rng.shuffle(times)
    dates = [
        {"service_id": "Mo-Fr", "date": date, "exception_type": kind}
        for date, kind in (("20260302", "1"), ("20260303", "1"), ("20260304", "2"))
    ]
    routes = [{**row, "route_color": "FF0000"} for row in tables["routes"]]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in (
            *(("stops", stations + stops + twins), ("routes", routes), ("trips", trips)),
            *(("stop_times", times), ("calendar_dates", dates)),
        ):
            text = io.StringIO()
            columns = list(dict.fromkeys(name for row in rows for name in row))
            table = csv.DictWriter(text, columns, lineterminator="\r\n", restval="")
            table.writeheader()
            table.writerows(rows)
            archive.writestr(f"{name}.txt", "\ufeff" + text.getvalue())
    return path


def _shifted(clock, off_s):
    hours, minutes, seconds = map(int, clock.split(":"))
    at_s = max(0, 3600 * hours + 60 * minutes + seconds + off_s)
    return f"{at_s // 3600:02d}:{at_s // 60 % 60:02d}:{at_s % 60:02d}"
