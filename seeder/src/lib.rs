//! Super-peer: fetches every segment once and injects it into the swarms
