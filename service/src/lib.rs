//! What every server role shares: configuration, logs, metrics and health, shutdown
