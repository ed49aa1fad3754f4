// assert() that reports through the firmware. May be included again with another NDEBUG.
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
void __assert_func(const char *file, int line, const char *function, const char *condition);
#define assert(condition) ((condition) ? (void)0 : __assert_func(__FILE__, __LINE__, __func__, #condition))
#endif
#ifndef static_assert
#define static_assert _Static_assert
#endif
