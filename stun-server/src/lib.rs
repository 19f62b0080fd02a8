//! STUN server
