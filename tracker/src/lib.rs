//! WebSocket tracker
