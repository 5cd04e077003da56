//! Lines of text that are safe for a terminal and never too wide.

use std::io;

use unicode_width::UnicodeWidthChar as _;

use super::super::Layout;
use super::super::sanitize::visible;

/// What a piece of text is; how that looks is decided in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// Headings and names.
    Strong,
    /// What needs a look first.
    Alarm,
    /// What is there for completeness.
    Faint,
}

impl Style {
    fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Strong => style.bold(),
            Self::Alarm => style.bold().fg_color(Some(anstyle::AnsiColor::Red.into())),
            Self::Faint => style.dimmed(),
        }
    }
}

/// Columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

fn char_columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The longest beginning of a text that fits into so many columns.
fn fitting(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += char_columns(c);
        if used > width {
            return &text[..at];
        }
    }
    text
}

/// One line, built from left to right.
#[derive(Debug)]
pub(super) struct Line {
    layout: Layout,
    spans: Vec<(Style, String)>,
    columns: usize,
}

impl Line {
    pub fn new(layout: Layout) -> Self {
        Self { layout, spans: Vec::new(), columns: 0 }
    }

    /// Appends text, made safe.
    pub fn push(mut self, style: Style, text: &str) -> Self {
        // Characters that take no column are bounded too.
        let safe = visible(text, self.layout.ascii, self.layout.width.saturating_mul(2));
        self.columns += columns(&safe);
        self.spans.push((style, safe));
        self
    }

    pub fn plain(self, text: &str) -> Self {
        self.push(Style::Plain, text)
    }

    /// Appends spaces up to a column.
    pub fn indent(self, column: usize) -> Self {
        let missing = " ".repeat(column.saturating_sub(self.columns));
        self.push(Style::Plain, &missing)
    }

    /// Appends text so that it ends `width` columns further on.
    pub fn right(self, style: Style, text: &str, width: usize) -> Self {
        let start = self.columns + width.saturating_sub(columns(text));
        self.indent(start).push(style, text)
    }

    /// Columns used so far.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Cuts to the width and drops spaces at the end.
    fn finish(mut self) -> Vec<(Style, String)> {
        if self.columns > self.layout.width {
            let mark = ellipsis(self.layout);
            let mut room = self.layout.width.saturating_sub(columns(mark));
            for (_, text) in &mut self.spans {
                let kept = fitting(text, room).len();
                room = if kept < text.len() { 0 } else { room - columns(text) };
                text.truncate(kept);
            }
            self.spans.push((Style::Plain, fitting(mark, self.layout.width).to_owned()));
        }
        while let Some((_, last)) = self.spans.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
            if !last.is_empty() {
                break;
            }
            self.spans.pop();
        }
        self.spans
    }
}

/// Marks cut text.
fn ellipsis(layout: Layout) -> &'static str {
    if layout.ascii { "..." } else { "…" }
}

/// Where the sections write.
pub(super) struct Page<'a> {
    pub layout: Layout,
    out: &'a mut dyn io::Write,
    empty: bool,
}

impl<'a> Page<'a> {
    pub fn new(layout: Layout, out: &'a mut dyn io::Write) -> Self {
        Self { layout, out, empty: true }
    }

    /// A new line to fill.
    pub fn start(&self) -> Line {
        Line::new(self.layout)
    }

    pub fn line(&mut self, line: Line) -> io::Result<()> {
        self.empty = false;
        for (style, text) in line.finish() {
            if self.layout.color && style != Style::Plain {
                let ansi = style.ansi();
                write!(self.out, "{ansi}{text}{ansi:#}")?;
            } else {
                self.out.write_all(text.as_bytes())?;
            }
        }
        self.out.write_all(b"\n")
    }

    /// A blank line before a section, but not at the top.
    pub fn gap(&mut self) -> io::Result<()> {
        if self.empty { Ok(()) } else { self.out.write_all(b"\n") }
    }

    /// A paragraph: `label` once, text beside it from column `indent` on, wrapped, at most `lines` lines.
    pub fn paragraph(
        &mut self,
        (label_style, label): (Style, &str),
        indent: usize,
        (style, text): (Style, &str),
        lines: usize,
    ) -> io::Result<()> {
        for (n, part) in self.wrap(text, indent, lines).iter().enumerate() {
            let line = if n == 0 { self.start().push(label_style, label) } else { self.start() };
            self.line(line.indent(indent).push(style, part))?;
        }
        Ok(())
    }

    /// Text, made safe and broken into lines for what is right of column `indent`: at spaces where it can be. What
    /// does not fit into `lines` lines is cut.
    pub fn wrap(&self, text: &str, indent: usize, lines: usize) -> Vec<String> {
        let width = self.layout.width.saturating_sub(indent).max(1);
        let safe = visible(text, self.layout.ascii, width.saturating_mul(lines).saturating_add(1));
        let mut rest = safe.as_str();
        let mut wrapped = Vec::new();
        while wrapped.len() < lines.max(1) {
            let fits = fitting(rest, width);
            if fits.len() == rest.len() {
                wrapped.push(rest.to_owned());
                break;
            }
            if wrapped.len() + 1 == lines {
                let mark = ellipsis(self.layout);
                let kept = fitting(rest, width.saturating_sub(columns(mark)));
                wrapped.push(format!("{}{mark}", kept.trim_end()));
                break;
            }
            // A space right after what fits is a good place too. A word longer than half a line is broken.
            let space = if rest[fits.len()..].starts_with(' ') { Some(fits.len()) } else { fits.rfind(' ') };
            let end = match space {
                Some(at) if columns(&fits[..at]) * 2 > width => at,
                // At least one character, or this would never end.
                _ => fits.len().max(rest.chars().next().map_or(0, char::len_utf8)),
            };
            wrapped.push(rest[..end].trim_end().to_owned());
            rest = rest[end..].trim_start();
        }
        wrapped
    }
}
