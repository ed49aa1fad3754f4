// The host that the simulated board stands on: Linux system calls through qemu-user.
#ifndef WEDAU_SIM_HOST_H
#define WEDAU_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Linux' poll(2).
#define HOST_POLLIN 0x01
#define HOST_POLLOUT 0x04
#define HOST_POLLERR 0x08
#define HOST_POLLHUP 0x10
#define HOST_POLLNVAL 0x20

typedef struct {
    int fd;
    int16_t events;
    int16_t revents;
} host_pollfd_t;

// Linux' system call numbers for Xtensa.
enum {
    HOST_OPEN = 8,
    HOST_CLOSE = 9,
    HOST_READ = 12,
    HOST_WRITE = 13,
    HOST_LSEEK = 15,
    HOST_POLL = 16,
    HOST_MMAP2 = 80,
    HOST_SOCKET = 96,
    HOST_SETSOCKOPT = 97,
    HOST_GETSOCKOPT = 98,
    HOST_BIND = 100,
    HOST_CONNECT = 101,
    HOST_LISTEN = 102,
    HOST_GETSOCKNAME = 104,
    HOST_SENDTO = 110,
    HOST_RECVFROM = 111,
    HOST_EXIT_GROUP = 119,
    HOST_CLOCK_GETTIME = 245,
    HOST_ACCEPT4 = 333,
    HOST_GETRANDOM = 338,
};

// A system call; a result from -4095 to -1 is a negated errno.
long xt_syscall(long number, long a, long b, long c, long d, long e, long f);

void host_exit(int code) __attribute__((noreturn));
int host_poll(host_pollfd_t *fds, size_t n, int timeout_ms);
void host_random(void *buf, size_t len);
uint64_t host_monotonic_us(void);
uint64_t host_unix_time_ns(void);

// Map a file for reading and writing; *len is set to its length. NULL if that cannot be done.
void *host_map_file(const char *path, size_t *len);
// Open a file that is there, to append to it; negative if that cannot be done.
int host_open_log(const char *path);
// Write all of it; false if that cannot be done.
bool host_write(int fd, const void *buf, size_t len);
// Anonymous memory that can be executed, too. NULL if there is none.
void *host_map_memory(uintptr_t address, size_t len);

#endif // WEDAU_SIM_HOST_H
