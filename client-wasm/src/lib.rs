//! The browser engine: flat calls in, a list of actions out
