//! The members of kernel structures that the programs read, by the running kernel's own type information.

use tracer_ebpf::Settings;

use super::Limits;
use crate::host::btf::{Btf, BtfError};

pub(super) fn read(btf: &Btf, limits: Limits) -> Result<Settings, BtfError> {
    let common = |member: &str| btf.offset_bytes("sock", &["__sk_common", member]);
    Ok(Settings {
        capture_bytes: limits.capture_bytes,
        max_targets: limits.max_targets,
        skc_family: common("skc_family")?,
        skc_cookie: common("skc_cookie")?,
        skc_daddr: common("skc_daddr")?,
        skc_rcv_saddr: common("skc_rcv_saddr")?,
        skc_dport: common("skc_dport")?,
        skc_num: common("skc_num")?,
        skc_v6_daddr: common("skc_v6_daddr")?,
        skc_v6_rcv_saddr: common("skc_v6_rcv_saddr")?,
        skc_net: common("skc_net")?,
        net_ns_inum: btf.offset_bytes("net", &["ns", "inum"])?,
        sk_type: btf.offset_bytes("sock", &["sk_type"])?,
        sk_socket: btf.offset_bytes("sock", &["sk_socket"])?,
        socket_ino: btf.offset_bytes("socket_alloc", &["vfs_inode", "i_ino"])?,
        unix_peer: btf.offset_bytes("unix_sock", &["peer"])?,
        unix_addr: btf.offset_bytes("unix_sock", &["addr"])?,
        unix_address_len: btf.offset_bytes("unix_address", &["len"])?,
        unix_address_name: btf.offset_bytes("unix_address", &["name"])?,
        task_tgid: btf.offset_bytes("task_struct", &["tgid"])?,
        task_signal: btf.offset_bytes("task_struct", &["signal"])?,
        signal_live: btf.offset_bytes("signal_struct", &["live"])?,
        sk_shutdown: btf.offset_bytes("sock", &["sk_shutdown"])?,
        sk_receive_queue_qlen: btf.offset_bytes("sock", &["sk_receive_queue", "qlen"])?,
        // Not there without CONFIG_IO_URING.
        task_io_uring: or_none(btf.offset_bytes("task_struct", &["io_uring"]))?,
        task_files: btf.offset_bytes("task_struct", &["files"])?,
        files_fdt: btf.offset_bytes("files_struct", &["fdt"])?,
        fdtable_fd: btf.offset_bytes("fdtable", &["fd"])?,
        file_private_data: btf.offset_bytes("file", &["private_data"])?,
        socket_sk: btf.offset_bytes("socket", &["sk"])?,
        fdtable_max_fds: btf.offset_bytes("fdtable", &["max_fds"])?,
        file_inode: btf.offset_bytes("file", &["f_inode"])?,
        inode_mode: btf.offset_bytes("inode", &["i_mode"])?,
        task_status: or_none(btf.offset_bytes("task_struct", &["thread_info", "status"]))?,
    })
}

/// 0 for a member that this kernel does not have.
fn or_none(offset: Result<u32, BtfError>) -> Result<u32, BtfError> {
    match offset {
        Err(BtfError::NoMember { .. }) => Ok(0),
        offset => offset,
    }
}
