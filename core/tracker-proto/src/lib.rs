//! WebTorrent tracker messages, read and written, both ends.
