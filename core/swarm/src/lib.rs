//! The tracker's mind: who is in which swarm, whom to introduce, when to forget
