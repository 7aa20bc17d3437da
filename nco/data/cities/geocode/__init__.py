"""Places of addresses: what an extract says of them, or a Nominatim or Photon server."""
