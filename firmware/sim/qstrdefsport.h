// qstrs that the sources cannot name in C.
Q(/lib)
