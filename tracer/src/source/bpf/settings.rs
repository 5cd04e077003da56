//! The members of kernel structures that the programs read, by the running kernel's own type information.

use tracer_ebpf::Settings;

use super::Limits;
use crate::host::btf::{Btf, BtfError};

pub(super) fn read(btf: &Btf, limits: Limits) -> Result<Settings, BtfError> {
    let common = |member: &str| btf.offset_bytes("sock", &["__sk_common", member]);
    let missing = |name: &str| BtfError::NoMember { path: format!("iter_type.{name}") };
    let kind = match offset_where_there(btf, "iov_iter", &["iter_type"])? {
        Some(offset) => (offset, 0xff),
        // One integer with the direction in its lowest bit (`iov_iter_type`, include/linux/uio.h of Linux 5.10).
        None => (btf.offset_bytes("iov_iter", &["type"])?, !1),
    };
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
        msghdr_iter: btf.offset_bytes("msghdr", &["msg_iter"])?,
        iter_kind: kind.0,
        iter_kind_mask: kind.1,
        iter_kind_iovec: btf.enumerator("iter_type", "ITER_IOVEC")?.ok_or_else(|| missing("ITER_IOVEC"))?,
        // Linux 6.0
        iter_kind_ubuf: btf.enumerator("iter_type", "ITER_UBUF")?.unwrap_or(u32::MAX),
        iter_iovec: match offset_where_there(btf, "iov_iter", &["__iov"])? {
            Some(offset) => offset,
            None => btf.offset_bytes("iov_iter", &["iov"])?,
        },
        iter_ubuf: offset_where_there(btf, "iov_iter", &["ubuf"])?.unwrap_or(0),
        iter_offset: btf.offset_bytes("iov_iter", &["iov_offset"])?,
        iter_count: btf.offset_bytes("iov_iter", &["count"])?,
        skc_prot: common("skc_prot")?,
        skc_state: common("skc_state")?,
        proto_sendpage: offset_where_there(btf, "proto", &["sendpage"])?.unwrap_or(0),
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
        // Not there when built without CONFIG_IO_URING.
        task_io_uring: offset_where_there(btf, "task_struct", &["io_uring"])?.unwrap_or(0),
        task_files: btf.offset_bytes("task_struct", &["files"])?,
        files_fdt: btf.offset_bytes("files_struct", &["fdt"])?,
        fdtable_fd: btf.offset_bytes("fdtable", &["fd"])?,
        file_private_data: btf.offset_bytes("file", &["private_data"])?,
        socket_sk: btf.offset_bytes("socket", &["sk"])?,
        fdtable_max_fds: btf.offset_bytes("fdtable", &["max_fds"])?,
        file_inode: btf.offset_bytes("file", &["f_inode"])?,
        inode_mode: btf.offset_bytes("inode", &["i_mode"])?,
        task_status: offset_where_there(btf, "task_struct", &["thread_info", "status"])?.unwrap_or(0),
    })
}

/// None where this kernel's structure has no such member.
fn offset_where_there(btf: &Btf, type_name: &str, path: &[&str]) -> Result<Option<u32>, BtfError> {
    match btf.offset_bytes(type_name, path) {
        Err(BtfError::NoMember { .. }) => Ok(None),
        offset => offset.map(Some),
    }
}
