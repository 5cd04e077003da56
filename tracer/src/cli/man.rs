//! The manual page, made from the command line's definition: one page, each command a subsection.

use super::Cli;
use clap::CommandFactory;
use clap_mangen::Man;
use std::io;

/// `dbtap.1` in roff.
///
/// # Errors
/// None in practice: it writes to memory only.
pub fn man() -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    page.extend(b".SH COMMANDS\n");
    for sub in command.get_subcommands() {
        let mut section = Vec::new();
        let man = Man::new(sub.clone());
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        section.extend(verbatim(sub));
        page.extend(b".SS ");
        page.extend(sub.get_name().as_bytes());
        page.push(b'\n');
        page.extend(below_subsection(&String::from_utf8_lossy(&section)).into_bytes());
    }
    page.extend(b".SH EXAMPLES AND EXIT STATUS\n");
    page.extend(verbatim(&command));
    whole.render_version_section(&mut page)?;
    Ok(page)
}

/// Section heads of a command's own page become bold paragraphs inside its subsection.
fn below_subsection(section: &str) -> String {
    let line = |line: &str| match line.strip_prefix(".SH ") {
        Some(head) => format!(".PP\n.B {head}\n.br\n"),
        None => format!("{line}\n"),
    };
    section.lines().map(line).collect()
}

/// The text behind a command's options, line by line as written.
fn verbatim(command: &clap::Command) -> Vec<u8> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if text.is_empty() {
        return Vec::new();
    }
    format!(".PP\n.nf\n{}\n.fi\n", text.replace('-', "\\-")).into_bytes()
}
