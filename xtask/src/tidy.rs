//! What the compiler does not check: who depends on whom, what core imports, shapes of files.

mod edges;
mod files;

use anyhow::{Result, bail};

use crate::build;
use crate::shell;

/// Everything.
pub(crate) fn run() -> Result<()> {
    shell::step("dependencies, imports and files", sources)?;
    shell::step("core compiles for the browser", core_for_browser)
}

/// What can be seen without compiling.
pub(crate) fn sources() -> Result<()> {
    let mut faults = edges::check(&edges::packages()?);
    faults.extend(files::check()?);
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("  {fault}");
    }
    bail!("{} faults", faults.len());
}

/// The same cores run in the browser: they must compile for it even before the client uses them.
pub(crate) fn core_for_browser() -> Result<()> {
    let packages = edges::packages()?;
    let core = packages
        .into_iter()
        .filter(|it| it.folder.starts_with("core/"));
    build::check_for_browser(&core.map(|it| it.name).collect::<Vec<_>>())
}
