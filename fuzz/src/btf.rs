//! The kernel's type information, of any bytes.

use tracer::host::btf::Btf;

pub(super) fn run(data: &[u8]) {
    let Ok(btf) = Btf::parse(data) else { return };
    // Each type has at least 12 bytes.
    assert!(btf.len() <= data.len() / 12);
    for name in ["", "a", "sock", "int"] {
        let _ = btf.has_typedef(name);
        let _ = btf.size_bytes(name);
        for path in [&["a"][..], &["a", "b"], &["b", "a", "b"], &[""]] {
            let _ = btf.offset_bytes(name, path);
        }
    }
}
