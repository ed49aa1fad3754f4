// errno with Linux' numbers, which are MicroPython's own, too.
#ifndef WEDAU_SIM_ERRNO_H
#define WEDAU_SIM_ERRNO_H

extern int errno;

#define EPERM 1
#define ENOENT 2
#define EIO 5
#define EBADF 9
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EEXIST 17
#define ENODEV 19
#define EISDIR 21
#define EINVAL 22
#define EDOM 33
#define ERANGE 34
#define EOPNOTSUPP 95
#define EADDRINUSE 98
#define ECONNABORTED 103
#define ECONNRESET 104
#define ENOBUFS 105
#define ENOTCONN 107
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113
#define EALREADY 114
#define EINPROGRESS 115

#endif // WEDAU_SIM_ERRNO_H
