# Download Monocypher's two files next to the build; WEDAU_MONOCYPHER becomes their folder. Their version
# and hashes are those of tools/wedau/build/pins.toml; a test compares them.

set(WEDAU_MONOCYPHER ${CMAKE_BINARY_DIR}/monocypher)
set(WEDAU_ADDRESS https://raw.githubusercontent.com/LoupVaillant/Monocypher/4.0.3/src)
file(DOWNLOAD ${WEDAU_ADDRESS}/monocypher.c ${WEDAU_MONOCYPHER}/monocypher.c
    EXPECTED_HASH SHA256=f1f838cdd483bdebe0df0ff5c5ed60535e496f769c6a2f933ac4c0b114207123)
file(DOWNLOAD ${WEDAU_ADDRESS}/monocypher.h ${WEDAU_MONOCYPHER}/monocypher.h
    EXPECTED_HASH SHA256=fcaf6ed771358bb4f40fba016f6518ae86ec02b1b877d2cc35ad92d3a26fd7b3)
