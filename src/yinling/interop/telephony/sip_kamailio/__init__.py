"""A SIP edge of Debian's Kamailio and rtpengine, and the process that decides for it."""
