//! The `thinscope` program: hooks, run, exit code.

use std::io::IsTerminal;
use std::process::ExitCode;

use color_eyre::config::{HookBuilder, Theme};

fn main() -> ExitCode {
    if let Err(error) = install_hooks() {
        eprintln!("thinscope: the panic hook could not be installed: {error}");
    }
    thinscope::run::run(std::env::args_os())
}

/// A panic first gives the terminal back, then says what happened, in colours only where a
/// person sees them.
fn install_hooks() -> color_eyre::Result<()> {
    let theme = if std::io::stderr().is_terminal() { Theme::dark() } else { Theme::new() };
    HookBuilder::new().theme(theme).display_env_section(false).install()?;
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        thinscope::tui::terminal::restore();
        report(info);
        // a thread that looks or records must not leave a screen behind that knows nothing new
        if std::thread::current().name() != Some("main") {
            std::process::exit(101);
        }
    }));
    Ok(())
}
