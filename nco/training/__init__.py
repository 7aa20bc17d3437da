"""Training: instances on the device, the Lightning module, the command line, the configs."""
