//! What peers say on the data channel: commands, framing, chunks
