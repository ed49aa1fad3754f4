freeze("$(PORT_DIR)/modules")
freeze("$(PORT_DIR)/../../modules/frozen")
include("$(MPY_DIR)/extmod/asyncio")
