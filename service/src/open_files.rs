//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit that the process may raise itself (`ulimit -Sn`) to the one that it may not
/// (`ulimit -Hn`), and returns what it is then; nothing when there is none.
///
/// The lower one is 1,024 on most systems for the sake of programs that use `select`, which is no
/// concern here: each viewer needs a socket.
#[must_use]
pub fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, open_files = current, "the limit of open files stays");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let files = raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!((files, files), (current, maximum));
    }
}
