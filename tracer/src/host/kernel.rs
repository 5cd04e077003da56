//! tmp
pub struct Identity { pub hostname: String, pub kernel: String, pub arch: String }
pub fn identity() -> Identity { Identity { hostname: String::new(), kernel: String::new(), arch: String::new() } }
