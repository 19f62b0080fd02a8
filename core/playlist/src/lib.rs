//! HLS manifests to streams and segments, with the identities of every generation of clients
