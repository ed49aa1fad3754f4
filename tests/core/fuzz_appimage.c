// libFuzzer target: any bytes as an application's image in the simulated board's flash. Nothing outside
// the partition is read, and a script that is found lies in it.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto-algorithms/sha256.h"
#include "appimage.h"
#include "flash.h"
#include "simboard.h"

static uint8_t *partition;

const uint8_t *sim_flash_read(uint32_t address, size_t len) {
    (void)len;
    return partition + address;
}

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

static void use(size_t size) {
    size_t len = 0;
    bool is_whole = sim_image_verify(0, size);
    const char *script = sim_image_script(0, size, &len);
    if (script != NULL) {
        size_t at = (size_t)((const uint8_t *)script - partition);
        require(at <= size && len <= size - at);
    }
    require(!is_whole || size >= 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    partition = malloc(size ? size : 1); // of that size, so that ASan sees a step too far
    memcpy(partition, data, size);
    use(size);
    if (size >= 24 + 32) { // with the right start, no more segments than fit, and the right hash
        CRYAL_SHA256_CTX sha;
        partition[0] = 0xe9;
        partition[1] %= 4;
        partition[12] = SIM_IMAGE_CHIP_ID & 255;
        partition[13] = SIM_IMAGE_CHIP_ID >> 8;
        partition[23] = 1;
        sha256_init(&sha);
        sha256_update(&sha, partition, size - 32);
        sha256_final(&sha, partition + size - 32);
        use(size);
    }
    free(partition);
    return 0;
}
