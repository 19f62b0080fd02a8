//! What packages bring beside the binary, made from the command line: completions and manual pages.

use std::fs;
use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::{Cli, Completions, Man};
use crate::failure::Failure;

/// The binary's name, as people type it.
const NAME: &str = "beekeepr";

/// `beekeepr completions`
pub(crate) fn completions(args: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    // Whoever closed our output does not want to read it.
    let _ = std::io::stdout().lock().write_all(&script);
}

/// `beekeepr man`: a page for each command.
pub(crate) fn man(args: &Man) -> Result<(), Failure> {
    let folder = &args.folder;
    let failed = |error| {
        let folder = folder.display();
        Failure::Other(format!(
            "cannot write manual pages into {folder}: {error}; choose another folder"
        ))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)
}
