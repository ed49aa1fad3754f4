// Module socket: TCP and UDP over IPv4, through the host's sockets.
//
// Every socket is non-blocking towards the host. What blocks Python waits in sim_wait(), where
// Ctrl-C and scheduled callbacks are seen, too.

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/netutils/netutils.h"
#include "host.h"
#include "sim.h"

// Linux' numbers, but for what Python sees as constants of the module: those are Linux', too.
#define AF_INET 2
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_NONBLOCK 04000
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_ERROR 4
#define SO_BROADCAST 6
#define SO_KEEPALIVE 9
#define IPPROTO_IP 0
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define TCP_NODELAY 1
#define MSG_NOSIGNAL 0x4000
#define MSG_DONTWAIT 0x40
#define EAI_NONAME (-2)

#define BLOCK_FOR_EVER (-1)
#define BACKLOG_DEFAULT 2

typedef struct {
    mp_obj_base_t base;
    int fd; // -1 once closed
    int timeout_ms; // BLOCK_FOR_EVER, 0: do not block
    int type;
} socket_obj_t;

// struct sockaddr_in
typedef struct {
    uint16_t family;
    uint8_t port[2]; // big endian
    uint8_t ip[4];
    uint8_t zero[8];
} address_t;

static const mp_obj_type_t socket_type;

static __attribute__((noreturn)) void raise_errno(long result) {
    mp_raise_OSError((int)-result);
}

static socket_obj_t *socket_new(long fd, int type) {
    if (fd < 0) {
        raise_errno(fd);
    }
    socket_obj_t *self = mp_obj_malloc_with_finaliser(socket_obj_t, &socket_type);
    self->fd = (int)fd;
    self->timeout_ms = BLOCK_FOR_EVER;
    self->type = type;
    return self;
}

// Addresses: (host, port), the host being four numbers, "localhost" or empty.

static bool parse_ip(const char *host, uint8_t *ip) {
    if (strcmp(host, "localhost") == 0) {
        host = "127.0.0.1";
    } else if (*host == '\0') {
        host = "0.0.0.0";
    }
    for (int i = 0; i < 4; ++i) {
        int n = 0, digits = 0;
        for (; *host >= '0' && *host <= '9' && digits < 3; ++digits) {
            n = n * 10 + *host++ - '0';
        }
        if (digits == 0 || n > 255 || *host != (i < 3 ? '.' : '\0')) {
            return false;
        }
        ++host;
        ip[i] = (uint8_t)n;
    }
    return true;
}

static address_t make_address(mp_obj_t host, mp_obj_t port_in) {
    address_t address = { .family = AF_INET };
    mp_int_t port = mp_obj_get_int(port_in);
    if (!parse_ip(mp_obj_str_get_str(host), address.ip)) {
        mp_raise_OSError(EAI_NONAME);
    }
    if (port < 0 || port > 65535) {
        mp_raise_ValueError(MP_ERROR_TEXT("port must be 0 to 65535"));
    }
    address.port[0] = (uint8_t)(port >> 8);
    address.port[1] = (uint8_t)port;
    return address;
}

static address_t address_from_tuple(mp_obj_t tuple) {
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(tuple, 2, &items);
    return make_address(items[0], items[1]);
}

static mp_obj_t address_to_tuple(address_t *address) {
    mp_uint_t port = (mp_uint_t)address->port[0] << 8 | address->port[1];
    return netutils_format_inet_addr(address->ip, port, NETUTILS_BIG);
}

// Waiting.

// Sleep until the socket may be ready for the events, or its time is up: then return false.
static bool socket_wait(socket_obj_t *self, int events, mp_uint_t start_ms) {
    if (self->timeout_ms == BLOCK_FOR_EVER) {
        sim_watch(self->fd, (int16_t)events);
        mp_event_wait_indefinite();
        return true;
    }
    mp_uint_t gone = mp_hal_ticks_ms() - start_ms;
    if (gone >= (mp_uint_t)self->timeout_ms) {
        return false;
    }
    sim_watch(self->fd, (int16_t)events);
    mp_event_wait_ms((mp_uint_t)self->timeout_ms - gone);
    return true;
}

// A system call with the socket as its first argument, repeated until it can be done.
static long socket_call(socket_obj_t *self, int events, long number, const long args[5]) {
    mp_uint_t start_ms = mp_hal_ticks_ms();
    if (self->fd < 0) {
        return -MP_EBADF;
    }
    for (;;) {
        long r = xt_syscall(number, self->fd, args[0], args[1], args[2], args[3], args[4]);
        if (r != -MP_EAGAIN || self->timeout_ms == 0) {
            return r;
        }
        if (!socket_wait(self, events, start_ms)) {
            return -MP_ETIMEDOUT;
        }
    }
}

static long socket_send_to(socket_obj_t *self, const void *buf, size_t len, address_t *to) {
    const long args[] = { (long)buf, (long)len, MSG_NOSIGNAL, (long)to, to ? sizeof(*to) : 0 };
    return socket_call(self, HOST_POLLOUT, HOST_SENDTO, args);
}

static long socket_recv_from(socket_obj_t *self, void *buf, size_t len, address_t *from) {
    int from_len = sizeof(*from);
    const long args[] = { (long)buf, (long)len, 0, (long)from, from ? (long)&from_len : 0 };
    return socket_call(self, HOST_POLLIN, HOST_RECVFROM, args);
}

// Methods.

// socket(af=AF_INET, type=SOCK_STREAM, proto=0)
static mp_obj_t socket_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 3, false);
    mp_int_t family = n_args > 0 ? mp_obj_get_int(args[0]) : AF_INET;
    mp_int_t kind = n_args > 1 ? mp_obj_get_int(args[1]) : SOCK_STREAM;
    mp_int_t protocol = n_args > 2 ? mp_obj_get_int(args[2]) : 0;
    if (family != AF_INET || kind < SOCK_STREAM || kind > SOCK_RAW) {
        mp_raise_OSError(MP_EAFNOSUPPORT);
    }
    long fd = xt_syscall(HOST_SOCKET, family, kind | SOCK_NONBLOCK, protocol, 0, 0, 0);
    return MP_OBJ_FROM_PTR(socket_new(fd, (int)kind));
}

static mp_obj_t socket_bind(mp_obj_t self_in, mp_obj_t address_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    address_t address = address_from_tuple(address_in);
    long r = xt_syscall(HOST_BIND, self->fd, (long)&address, sizeof(address), 0, 0, 0);
    if (r < 0) {
        raise_errno(r);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_bind_obj, socket_bind);

static mp_obj_t socket_listen(size_t n_args, const mp_obj_t *args) {
    socket_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_int_t backlog = n_args > 1 ? mp_obj_get_int(args[1]) : BACKLOG_DEFAULT;
    long r = xt_syscall(HOST_LISTEN, self->fd, backlog < 0 ? 0 : backlog, 0, 0, 0, 0);
    if (r < 0) {
        raise_errno(r);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_listen_obj, 1, 2, socket_listen);

static mp_obj_t socket_accept(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    address_t peer = { 0 };
    int peer_len = sizeof(peer);
    const long args[5] = { (long)&peer, (long)&peer_len, SOCK_NONBLOCK };
    long fd = socket_call(self, HOST_POLLIN, HOST_ACCEPT4, args);
    mp_obj_t pair[] = { MP_OBJ_FROM_PTR(socket_new(fd, SOCK_STREAM)), address_to_tuple(&peer) };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_accept_obj, socket_accept);

static long connection_result(socket_obj_t *self) {
    int error = 0, len = sizeof(error);
    xt_syscall(HOST_GETSOCKOPT, self->fd, SOL_SOCKET, SO_ERROR, (long)&error, (long)&len, 0);
    return -error;
}

static mp_obj_t socket_connect(mp_obj_t self_in, mp_obj_t address_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    address_t address = address_from_tuple(address_in);
    mp_uint_t start_ms = mp_hal_ticks_ms();
    long r = xt_syscall(HOST_CONNECT, self->fd, (long)&address, sizeof(address), 0, 0, 0);
    while (r == -MP_EINPROGRESS && self->timeout_ms != 0) {
        host_pollfd_t p = { self->fd, HOST_POLLOUT, 0 };
        if (host_poll(&p, 1, 0) > 0) {
            r = connection_result(self);
        } else if (!socket_wait(self, HOST_POLLOUT, start_ms)) {
            r = -MP_ETIMEDOUT;
        }
    }
    if (r < 0) {
        raise_errno(r);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_connect_obj, socket_connect);

static mp_obj_t socket_send(mp_obj_t self_in, mp_obj_t data_in) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(data_in, &data, MP_BUFFER_READ);
    long n = socket_send_to(MP_OBJ_TO_PTR(self_in), data.buf, data.len, NULL);
    if (n < 0) {
        raise_errno(n);
    }
    return mp_obj_new_int(n);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_send_obj, socket_send);

static mp_obj_t socket_sendall(mp_obj_t self_in, mp_obj_t data_in) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(data_in, &data, MP_BUFFER_READ);
    for (size_t done = 0; done < data.len;) {
        long n = socket_send_to(MP_OBJ_TO_PTR(self_in), (char *)data.buf + done, data.len - done, NULL);
        if (n < 0) {
            raise_errno(n);
        }
        done += (size_t)n;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_sendall_obj, socket_sendall);

static mp_obj_t socket_sendto(mp_obj_t self_in, mp_obj_t data_in, mp_obj_t address_in) {
    mp_buffer_info_t data;
    mp_get_buffer_raise(data_in, &data, MP_BUFFER_READ);
    address_t to = address_from_tuple(address_in);
    long n = socket_send_to(MP_OBJ_TO_PTR(self_in), data.buf, data.len, &to);
    if (n < 0) {
        raise_errno(n);
    }
    return mp_obj_new_int(n);
}
static MP_DEFINE_CONST_FUN_OBJ_3(socket_sendto_obj, socket_sendto);

static mp_obj_t recv_bytes(mp_obj_t self_in, mp_obj_t len_in, address_t *from) {
    mp_int_t len = mp_obj_get_int(len_in);
    if (len < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_t vstr;
    vstr_init_len(&vstr, (size_t)len);
    long n = socket_recv_from(MP_OBJ_TO_PTR(self_in), vstr.buf, (size_t)len, from);
    if (n < 0) {
        raise_errno(n);
    }
    vstr.len = (size_t)n;
    return mp_obj_new_bytes_from_vstr(&vstr);
}

static mp_obj_t socket_recv(mp_obj_t self_in, mp_obj_t len_in) {
    return recv_bytes(self_in, len_in, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_recv_obj, socket_recv);

static mp_obj_t socket_recvfrom(mp_obj_t self_in, mp_obj_t len_in) {
    address_t from = { 0 };
    mp_obj_t data = recv_bytes(self_in, len_in, &from);
    mp_obj_t pair[] = { data, address_to_tuple(&from) };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_recvfrom_obj, socket_recvfrom);

static mp_obj_t socket_getsockname(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    address_t address = { 0 };
    int len = sizeof(address);
    long r = xt_syscall(HOST_GETSOCKNAME, self->fd, (long)&address, (long)&len, 0, 0, 0);
    if (r < 0) {
        raise_errno(r);
    }
    return address_to_tuple(&address);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_getsockname_obj, socket_getsockname);

// setsockopt(level, option, value): integers only; what Linux does not know raises.
static mp_obj_t socket_setsockopt(size_t n_args, const mp_obj_t *args) {
    socket_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    int value = (int)mp_obj_get_int(args[3]);
    long r = xt_syscall(HOST_SETSOCKOPT, self->fd, mp_obj_get_int(args[1]), mp_obj_get_int(args[2]),
        (long)&value, sizeof(value), 0);
    if (r < 0) {
        raise_errno(r);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_setsockopt_obj, 4, 4, socket_setsockopt);

static mp_obj_t socket_settimeout(mp_obj_t self_in, mp_obj_t timeout_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (timeout_in == mp_const_none) {
        self->timeout_ms = BLOCK_FOR_EVER;
    } else {
        mp_float_t seconds = mp_obj_get_float(timeout_in);
        if (!(seconds >= 0 && seconds < 2000000)) {
            mp_raise_ValueError(NULL);
        }
        self->timeout_ms = (int)(seconds * 1000);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_settimeout_obj, socket_settimeout);

static mp_obj_t socket_setblocking(mp_obj_t self_in, mp_obj_t blocking) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    self->timeout_ms = mp_obj_is_true(blocking) ? BLOCK_FOR_EVER : 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(socket_setblocking_obj, socket_setblocking);

static mp_obj_t socket_makefile(size_t n_args, const mp_obj_t *args) {
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_makefile_obj, 1, 3, socket_makefile);

static mp_obj_t socket_fileno(mp_obj_t self_in) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return MP_OBJ_NEW_SMALL_INT(self->fd);
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_fileno_obj, socket_fileno);

static void socket_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<socket %d>", self->fd);
}

// The stream protocol: read, write, poll, close.

static mp_uint_t stream_result(long r, int *errcode) {
    if (r < 0) {
        *errcode = (int)-r;
        return MP_STREAM_ERROR;
    }
    return (mp_uint_t)r;
}

static mp_uint_t socket_stream_read(mp_obj_t self_in, void *buf, mp_uint_t len, int *errcode) {
    return stream_result(socket_recv_from(MP_OBJ_TO_PTR(self_in), buf, len, NULL), errcode);
}

static mp_uint_t socket_stream_write(mp_obj_t self_in, const void *buf, mp_uint_t len, int *errcode) {
    return stream_result(socket_send_to(MP_OBJ_TO_PTR(self_in), buf, len, NULL), errcode);
}

static mp_uint_t socket_poll(socket_obj_t *self, uintptr_t flags) {
    if (self->fd < 0) {
        return MP_STREAM_POLL_NVAL;
    }
    int events = (flags & MP_STREAM_POLL_RD ? HOST_POLLIN : 0) | (flags & MP_STREAM_POLL_WR ? HOST_POLLOUT : 0);
    host_pollfd_t p = { self->fd, (int16_t)events, 0 };
    if (host_poll(&p, 1, 0) <= 0) {
        sim_watch(self->fd, (int16_t)events);
        return 0;
    }
    mp_uint_t ready = 0;
    ready |= p.revents & HOST_POLLIN ? MP_STREAM_POLL_RD : 0;
    ready |= p.revents & HOST_POLLOUT ? MP_STREAM_POLL_WR : 0;
    ready |= p.revents & HOST_POLLERR ? MP_STREAM_POLL_ERR : 0;
    ready |= p.revents & HOST_POLLHUP ? MP_STREAM_POLL_HUP : 0;
    return ready;
}

static mp_uint_t socket_stream_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    socket_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_POLL) {
        return socket_poll(self, arg);
    }
    if (request == MP_STREAM_CLOSE) {
        if (self->fd >= 0) {
            xt_syscall(HOST_CLOSE, self->fd, 0, 0, 0, 0, 0);
            self->fd = -1;
        }
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}

static const mp_stream_p_t socket_stream_p = {
    .read = socket_stream_read,
    .write = socket_stream_write,
    .ioctl = socket_stream_ioctl,
};

static const mp_rom_map_elem_t socket_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_bind), MP_ROM_PTR(&socket_bind_obj) },
    { MP_ROM_QSTR(MP_QSTR_listen), MP_ROM_PTR(&socket_listen_obj) },
    { MP_ROM_QSTR(MP_QSTR_accept), MP_ROM_PTR(&socket_accept_obj) },
    { MP_ROM_QSTR(MP_QSTR_connect), MP_ROM_PTR(&socket_connect_obj) },
    { MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&socket_send_obj) },
    { MP_ROM_QSTR(MP_QSTR_sendall), MP_ROM_PTR(&socket_sendall_obj) },
    { MP_ROM_QSTR(MP_QSTR_sendto), MP_ROM_PTR(&socket_sendto_obj) },
    { MP_ROM_QSTR(MP_QSTR_recv), MP_ROM_PTR(&socket_recv_obj) },
    { MP_ROM_QSTR(MP_QSTR_recvfrom), MP_ROM_PTR(&socket_recvfrom_obj) },
    { MP_ROM_QSTR(MP_QSTR_getsockname), MP_ROM_PTR(&socket_getsockname_obj) },
    { MP_ROM_QSTR(MP_QSTR_setsockopt), MP_ROM_PTR(&socket_setsockopt_obj) },
    { MP_ROM_QSTR(MP_QSTR_settimeout), MP_ROM_PTR(&socket_settimeout_obj) },
    { MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&socket_setblocking_obj) },
    { MP_ROM_QSTR(MP_QSTR_makefile), MP_ROM_PTR(&socket_makefile_obj) },
    { MP_ROM_QSTR(MP_QSTR_fileno), MP_ROM_PTR(&socket_fileno_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) },
};
static MP_DEFINE_CONST_DICT(socket_locals, socket_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    socket_type,
    MP_QSTR_socket,
    MP_TYPE_FLAG_NONE,
    make_new, socket_make_new,
    print, socket_print,
    protocol, &socket_stream_p,
    locals_dict, &socket_locals
    );

// getaddrinfo(host, port, af=0, type=0, ...) -> [(af, type, proto, "", (ip, port))]
static mp_obj_t mod_getaddrinfo(size_t n_args, const mp_obj_t *args) {
    mp_obj_t port = args[1];
    if (mp_obj_is_str(port)) {
        port = mp_call_function_1(MP_OBJ_FROM_PTR(&mp_type_int), port);
    }
    address_t address = make_address(args[0], port);
    mp_int_t type = n_args > 3 ? mp_obj_get_int(args[3]) : 0;
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(AF_INET),
        MP_OBJ_NEW_SMALL_INT(type ? type : SOCK_STREAM),
        MP_OBJ_NEW_SMALL_INT(0),
        MP_OBJ_NEW_QSTR(MP_QSTR_),
        address_to_tuple(&address),
    };
    mp_obj_t entry = mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
    return mp_obj_new_list(1, &entry);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_getaddrinfo_obj, 2, 6, mod_getaddrinfo);

static const mp_rom_map_elem_t socket_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_socket) },
    { MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&socket_type) },
    { MP_ROM_QSTR(MP_QSTR_getaddrinfo), MP_ROM_PTR(&mod_getaddrinfo_obj) },
    { MP_ROM_QSTR(MP_QSTR_AF_INET), MP_ROM_INT(AF_INET) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_STREAM), MP_ROM_INT(SOCK_STREAM) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_DGRAM), MP_ROM_INT(SOCK_DGRAM) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_RAW), MP_ROM_INT(SOCK_RAW) },
    { MP_ROM_QSTR(MP_QSTR_IPPROTO_IP), MP_ROM_INT(IPPROTO_IP) },
    { MP_ROM_QSTR(MP_QSTR_IPPROTO_TCP), MP_ROM_INT(IPPROTO_TCP) },
    { MP_ROM_QSTR(MP_QSTR_IPPROTO_UDP), MP_ROM_INT(IPPROTO_UDP) },
    { MP_ROM_QSTR(MP_QSTR_SOL_SOCKET), MP_ROM_INT(SOL_SOCKET) },
    { MP_ROM_QSTR(MP_QSTR_SO_REUSEADDR), MP_ROM_INT(SO_REUSEADDR) },
    { MP_ROM_QSTR(MP_QSTR_SO_BROADCAST), MP_ROM_INT(SO_BROADCAST) },
    { MP_ROM_QSTR(MP_QSTR_SO_KEEPALIVE), MP_ROM_INT(SO_KEEPALIVE) },
    { MP_ROM_QSTR(MP_QSTR_TCP_NODELAY), MP_ROM_INT(TCP_NODELAY) },
};
static MP_DEFINE_CONST_DICT(socket_globals, socket_globals_table);

const mp_obj_module_t socket_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&socket_globals,
};
MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_socket, socket_module);
