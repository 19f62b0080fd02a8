//! One STUN datagram in, at most one datagram out
