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
    let probes = match cost.probe_ns.checked_div(cost.probe_runs) {
        Some(each) => {
            let runs = plural(cost.probe_runs, "probe run");
            format!("{runs} x {} = {}", duration::text(each), duration::text(cost.probe_ns))
        }
        // Any traffic on the host runs probes, so none means that the kernel gave no statistics.
        None => "probes not measured, for that takes root or CAP_SYS_ADMIN".to_owned(),
    };
    let text = format!(
        "{probes}; dbtap {} of one CPU, {}",
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
