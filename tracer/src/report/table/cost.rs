//! What the capture took from the host.

use std::io;

use super::line::{Page, Style};
use crate::report::duration;
use crate::report::model::Report;
use crate::report::units::{bytes, plural, share};

const INDENT: usize = 10;

/// The backend that slows down whoever makes a system call.
const PAID_BY_ALL: &str = "syscall";

const BY_ALL: &str =
    "Every system call of every process on this host ran two of these probes (backend syscall).";

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let cost = &report.cost;
    let each = cost.probe_ns / cost.probe_runs.max(1);
    let text = format!(
        "{} x {} = {}; dbtap {} of one CPU, {}",
        plural(cost.probe_runs, "probe run"),
        duration::text(each),
        duration::text(cost.probe_ns),
        share(cost.dbtap_cpu_ns, report.capture.duration_ns),
        bytes(cost.dbtap_rss_bytes)
    );
    page.paragraph((Style::Strong, "Cost"), INDENT, (Style::Plain, &text), 3)?;
    if report.capture.backend == PAID_BY_ALL {
        for part in page.wrap(BY_ALL, INDENT, 3) {
            page.line(page.start().indent(INDENT).plain(&part))?;
        }
    }
    Ok(())
}
