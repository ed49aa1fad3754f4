// CRC-32 as in zlib, PNG and Ethernet: polynomial 0x04c11db7, reflected.

#ifndef WD_CRC32_H
#define WD_CRC32_H

#include <stddef.h>
#include <stdint.h>

// The checksum of n bytes; Python's zlib.crc32(data).
uint32_t wd_crc32(const uint8_t *data, size_t n);

#endif
