//! RFC 6455 server framing over borrowed buffers
