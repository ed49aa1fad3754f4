# As a stock MicroPython: what the port needs, and nothing of Wedau.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
