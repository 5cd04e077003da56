//! Hand-made BTF, the BTF of the running kernel, and bytes of no kernel.

use super::*;
use proptest::prelude::*;

/// Builds BTF bytes type by type.
#[derive(Default)]
struct Build {
    types: Vec<u8>,
    strings: Vec<u8>,
}

impl Build {
    fn new() -> Self {
        Self { types: Vec::new(), strings: vec![0] }
    }

    fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    fn words(&mut self, words: &[u32]) {
        for word in words {
            self.types.extend(word.to_le_bytes());
        }
    }

    fn simple(mut self, name: &str, kind: u32, size_or_type: u32, rest: &[u32]) -> Self {
        let name = self.string(name);
        self.words(&[name, kind << 24, size_or_type]);
        self.words(rest);
        self
    }

    /// `members`: name, type id, offset word.
    fn aggregate(
        mut self,
        name: &str,
        kind: u32,
        flag: bool,
        size: u32,
        members: &[(&str, u32, u32)],
    ) -> Self {
        let name = self.string(name);
        let count = u32::try_from(members.len()).unwrap();
        self.words(&[name, u32::from(flag) << 31 | kind << 24 | count, size]);
        for (name, ty, offset) in members {
            let name = self.string(name);
            self.words(&[name, *ty, *offset]);
        }
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let type_len = u32::try_from(self.types.len()).unwrap();
        let str_len = u32::try_from(self.strings.len()).unwrap();
        let mut out = MAGIC.to_le_bytes().to_vec();
        out.extend([1, 0]);
        for word in [24, 0, type_len, type_len, str_len] {
            out.extend(u32::to_le_bytes(word));
        }
        out.extend(&self.types);
        out.extend(&self.strings);
        out
    }
}

/// ids: 1 int, 2 anonymous struct, 3 anonymous union, 4 `inner`, 5 typedef of 4, 6 const of 5, 7 pointer to 4, 8 `outer`,
/// 9 typedef
fn example() -> Build {
    Build::new()
        .simple("int", kind::INT, 4, &[32])
        .aggregate("", kind::STRUCT, false, 8, &[("low", 1, 0), ("high", 1, 32)])
        .aggregate("", kind::UNION, false, 8, &[("whole", 1, 0), ("", 2, 0)])
        .aggregate("inner", kind::STRUCT, false, 16, &[("first", 1, 0), ("", 3, 64)])
        .simple("inner_t", kind::TYPEDEF, 4, &[])
        .simple("", kind::CONST, 5, &[])
        .simple("", kind::PTR, 4, &[])
        .aggregate(
            "outer",
            kind::STRUCT,
            true,
            64,
            // 0x03 in the upper byte: a bit-field of three bits.
            &[("flags", 1, 0x0300_0000 | 77), ("embedded", 6, 128), ("pointed", 7, 256), ("", 4, 320)],
        )
        .simple("btf_trace_example", kind::TYPEDEF, 7, &[])
}

fn check(path: &str, expected: &str) {
    let btf = Btf::parse(&example().bytes()).unwrap();
    let mut words = path.split('.');
    let ty = words.next().unwrap();
    let members: Vec<&str> = words.collect();
    let found = match btf.offset_bytes(ty, &members) {
        Ok(offset) => offset.to_string(),
        Err(error) => error.to_string().split(';').next().unwrap().to_owned(),
    };
    assert_eq!(found, expected, "{path}");
}

#[test]
fn offsets_in_hand_made_types() {
    check("inner.first", "0");
    check("inner.whole", "8");
    check("inner.high", "12");
    check("outer.embedded", "16");
    check("outer.embedded.first", "16");
    check("outer.embedded.high", "28");
    check("outer.flags", "9");
    check("outer.whole", "48");
    check("outer.first", "40");
    check("outer.nothing", "this kernel's `outer.nothing` does not exist");
    check("outer.embedded.nothing", "this kernel's `outer.embedded.nothing` does not exist");
    // Never through a pointer: the offset would belong to another object.
    check("outer.pointed.first", "this kernel's `outer.pointed.first` does not exist");
    check("oute.embedded", "this kernel has no type `oute`");
    check("inner_t.first", "this kernel has no type `inner_t`");
}

#[test]
fn functions_and_enumerators() {
    let mut example = example();
    // 10: a function of two integers; 12: of one.
    example.words(&[0, kind::FUNC_PROTO << 24 | 2, 1, 0, 1, 0, 1]);
    example = example.simple("known", kind::FUNC, 10, &[]);
    example.words(&[0, kind::FUNC_PROTO << 24 | 1, 1, 0, 1]);
    let example = example
        .simple("disputed", kind::FUNC, 10, &[])
        .simple("disputed", kind::FUNC, 12, &[])
        .simple("wrong", kind::FUNC, 1, &[]);
    let btf = Btf::parse(&example.bytes()).unwrap();
    let arguments = |name| btf.arguments(name);
    assert_eq!([arguments("known"), arguments("disputed")], [Some(2), None]);
    assert_eq!([arguments("wrong"), arguments("unknown"), arguments("outer")], [None; 3]);
    assert!(btf.has_aggregate("outer") && !btf.has_aggregate("inner_t") && !btf.has_aggregate("known"));

    let kinds = Build::new().aggregate("kinds", kind::ENUM, false, 4, &[]);
    assert_eq!(Btf::parse(&kinds.bytes()).unwrap().enumerator("kinds", "FIRST").unwrap(), None);
    let mut kinds = Build::new();
    let words =
        [kinds.string("kinds"), kind::ENUM << 24 | 2, 4, kinds.string("FIRST"), 4, kinds.string("SECOND"), 8];
    kinds.words(&words);
    let btf = Btf::parse(&kinds.bytes()).unwrap();
    let value = |name| btf.enumerator("kinds", name).unwrap();
    assert_eq!([value("FIRST"), value("SECOND"), value("THIRD")], [Some(4), Some(8), None]);
    assert_eq!(
        btf.enumerator("others", "FIRST").unwrap_err().to_string(),
        "this kernel has no type `others`; dbtap needs another kernel version here"
    );
}

#[test]
fn typedefs_and_sizes() {
    let btf = Btf::parse(&example().bytes()).unwrap();
    assert!(btf.has_typedef("btf_trace_example"));
    assert!(!btf.has_typedef("btf_trace_exampl"));
    assert!(!btf.has_typedef("outer"));
    assert_eq!(btf.size_bytes("outer").unwrap(), 64);
    assert_eq!(btf.len(), 9);
}

#[test]
fn two_definitions_must_agree() {
    let same = example().aggregate("inner", kind::STRUCT, false, 16, &[("first", 1, 0)]);
    assert_eq!(Btf::parse(&same.bytes()).unwrap().offset_bytes("inner", &["first"]).unwrap(), 0);
    let other = example().aggregate("inner", kind::STRUCT, false, 16, &[("first", 1, 64)]);
    let error = Btf::parse(&other.bytes()).unwrap().offset_bytes("inner", &["first"]).unwrap_err();
    assert!(matches!(error, BtfError::Ambiguous(_)), "{error}");
}

#[test]
fn types_without_an_end_are_refused() {
    let own_member = Build::new().aggregate("loop", kind::STRUCT, false, 8, &[("", 1, 0)]);
    let error = Btf::parse(&own_member.bytes()).unwrap().offset_bytes("loop", &["x"]).unwrap_err();
    assert!(matches!(error, BtfError::Malformed(_)), "{error}");
    // 64 anonymous members of a type that has 64 of the next, ten times over: 2^60 paths without a budget.
    let mut wide = Build::new();
    for id in 1..=10u32 {
        let members = vec![("", id + 1, 0); 64];
        wide = wide.aggregate("wide", kind::STRUCT, false, 8, &members);
    }
    let wide = wide.aggregate("last", kind::STRUCT, false, 8, &[]);
    let error = Btf::parse(&wide.bytes()).unwrap().offset_bytes("wide", &["x"]).unwrap_err();
    assert!(matches!(error, BtfError::Malformed(_)), "{error}");
    let own_typedef = Build::new().simple("t", kind::TYPEDEF, 1, &[]).aggregate(
        "s",
        kind::STRUCT,
        false,
        8,
        &[("a", 1, 0)],
    );
    let error = Btf::parse(&own_typedef.bytes()).unwrap().offset_bytes("s", &["a", "b"]).unwrap_err();
    assert!(matches!(error, BtfError::NoMember { .. }), "{error}");
}

#[test]
fn malformed_files_are_refused() {
    let good = example().bytes();
    let check = |bytes: &[u8], expected: &str| match Btf::parse(bytes) {
        Err(BtfError::Malformed(why)) => assert_eq!(why, expected),
        other => panic!("{expected}: {other:?}"),
    };
    check(b"", "shorter than a header");
    check(&[0; 24], "no BTF magic");
    check(&good[..good.len() - 1], "string section outside the file");
    check(&good[..40], "type section outside the file");
    check(&Build::new().simple("new", 20, 0, &[]).bytes(), "unknown kind of type");
    check(&Build::new().simple("int", kind::INT, 4, &[]).bytes(), "cut inside a type");
    let mut version = good.clone();
    version[2] = 2;
    check(&version, "unknown BTF version");
}

/// Every offset that the kernel programs need is in the running kernel's BTF, and those that never moved on x86_64 are right.
#[test]
fn the_running_kernel() {
    let btf = Btf::load(Path::new(KERNEL_BTF)).expect("these tests need a kernel with BTF");
    let offset = |path: &str| {
        let words: Vec<&str> = path.split('.').collect();
        btf.offset_bytes(words[0], &words[1..]).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    assert!(btf.len() > 10_000, "{}", btf.len());
    assert!(btf.has_typedef("btf_trace_sys_enter") && !btf.has_typedef("btf_trace_no_such_thing"));
    for path in [
        "sock.__sk_common.skc_family",
        "sock.__sk_common.skc_daddr",
        "sock.__sk_common.skc_rcv_saddr",
        "sock.__sk_common.skc_dport",
        "sock.__sk_common.skc_num",
        "sock.__sk_common.skc_v6_daddr",
        "sock.__sk_common.skc_v6_rcv_saddr",
        "sock.__sk_common.skc_net.net",
        "sock.sk_type",
        "sock.sk_socket",
        "net.ns.inum",
        "socket_alloc.vfs_inode",
        "inode.i_ino",
        "unix_sock.peer",
        "unix_sock.addr",
        "unix_address.len",
        "unix_address.name",
        "task_struct.tgid",
        "task_struct.signal",
        "signal_struct.live",
    ] {
        offset(path);
    }
    assert_eq!(offset("task_struct.tgid"), offset("task_struct.pid") + 4);
    assert_eq!(offset("sock_common.skc_rcv_saddr"), offset("sock_common.skc_daddr") + 4);
    assert_eq!(offset("sock_common.skc_num"), offset("sock_common.skc_dport") + 2);
    assert_eq!(offset("sock_common.skc_v6_rcv_saddr"), offset("sock_common.skc_v6_daddr") + 16);
    if cfg!(target_arch = "x86_64") {
        assert_eq!(offset("socket.sk"), 24);
        assert_eq!(offset("sock_common.skc_family"), 16);
        assert_eq!(offset("sock.__sk_common.skc_cookie"), 88);
    }
}

proptest! {
    /// Any change of a few bytes gives an answer or an error, never a panic and never endless work.
    #[test]
    fn damaged_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = example().bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(btf) = Btf::parse(&bytes) {
            for ty in ["outer", "inner"] {
                let size = btf.size_bytes(ty);
                let offset = btf.offset_bytes(ty, &["embedded", "high"]);
                prop_assert!(btf.len() <= bytes.len() / TYPE_BYTES, "{size:?} {offset:?}");
            }
        }
    }

    #[test]
    fn any_bytes(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = example().bytes()[..8].to_vec();
        bytes.extend(tail);
        if let Ok(btf) = Btf::parse(&bytes) {
            prop_assert!(btf.len() <= bytes.len() / TYPE_BYTES);
        }
    }
}
