"""The node: what it has, what it is offered, and the way from the one to the other.

A carrier brings the bytes and takes the news; it decides nothing. It is an object with

    async begin(identity) -> bool    asked first in each poll; False: there is nothing to do now.
                                     identity: dict of texts, see wedau.ota.report.
    async fetch(name, most)          a file of metadata, bytes or None; see wedau.ota.trust.
    async open(path, headers)        the response with a payload's bytes: status, headers, expect(),
                                     readinto(), close() as those of wedau.ota.http.Response. path: as
                                     wedau.ota.static.target_path() gives it; headers: () or those
                                     of Range and If-Range, counted in the payload's bytes.
    async tell(news)                 say what happened, one dict of wedau.ota.report; OtaError
                                     connection: it is told again at the next poll.
    hears                            whether tell() reaches anybody.
    action                           after begin(): number of what the server wants done, or 0; it is
                                     kept in the journal and comes back in the news.
    poll_s                           after begin(): seconds to the next poll that the server asks
                                     for, or None.
"""
