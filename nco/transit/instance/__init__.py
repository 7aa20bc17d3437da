"""What is to be designed: instances, their lines, and how both are made from cities."""

from nco.transit.instance.transit_instance import TransitInstance as TransitInstance

__all__ = ["TransitInstance"]
