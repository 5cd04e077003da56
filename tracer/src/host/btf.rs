//! Reads the kernel's own type information (BTF): which types it knows, and where a struct's members are.
//!
//! Format: `include/uapi/linux/btf.h` and `Documentation/bpf/btf.rst` of Linux 6.18. Only what dbtap needs of it:
//! typedefs by name, byte offsets of members, values of enumerators, and how many arguments a function has. [`Btf::parse`] is pure and takes any bytes: it never panics,
//! never recurses without a bound, and does bounded work for each question.

use std::io::Read;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Where the kernel shows its own BTF (`CONFIG_DEBUG_INFO_BTF`, Linux 5.4 and later).
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// More than ten times what distribution kernels have (3 to 6 MiB).
const MAX_FILE_BYTES: u64 = 128 << 20;
const MAGIC: u16 = 0xeb9f;
const HEADER_BYTES: usize = 24;
const TYPE_BYTES: usize = 12;
const MEMBER_BYTES: usize = 12;
const ENUMERATOR_BYTES: usize = 8;
/// Typedefs, qualifiers and anonymous members inside each other. Real kernels stay below ten.
const MAX_DEPTH: u32 = 32;
/// Members looked at for one question. The largest kernel structs have some hundreds.
const MAX_MEMBERS_SEEN: u32 = 1 << 20;

mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// Why type information could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// The file is not there or not readable.
    #[error("cannot read the kernel's type information {path}: {source}; it needs a kernel built with CONFIG_DEBUG_INFO_BTF=y", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bytes are not BTF, or not of a form known here.
    #[error(
        "the kernel's type information is not readable ({0}); report the kernel version to the dbtap project"
    )]
    Malformed(&'static str),
    /// No struct, union or enum of this name.
    #[error("this kernel has no type `{0}`; dbtap needs another kernel version here")]
    NoType(String),
    /// The struct has no such member.
    #[error("this kernel's `{path}` does not exist; dbtap needs another kernel version here")]
    NoMember {
        /// `type.member.member`, up to the member that was not found.
        path: String,
    },
    /// Two definitions of one name disagree, so any answer could be the wrong one.
    #[error("this kernel has two different `{0}`; report the kernel version to the dbtap project")]
    Ambiguous(String),
}

/// Type information of one kernel.
#[derive(Debug)]
pub struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
    /// Where each type starts in `types`; type id 1 is at index 0 (id 0 is `void`).
    starts: Vec<u32>,
    /// Those of `starts` that are asked for by name: structs, unions, enums and typedefs that have one. A small part of all, and each
    /// question looks through them.
    named: Vec<u32>,
    /// Those of `starts` that are functions.
    functions: Vec<u32>,
}

/// The fixed part of a type, and where the rest of it is.
#[derive(Clone, Copy)]
struct Type {
    name: u32,
    kind: u32,
    /// The kind flag: in a struct, member offsets carry a bit-field size in their upper byte.
    flag: bool,
    count: u32,
    /// A size in bytes or a type id, by kind.
    size_or_type: u32,
    rest: usize,
}

/// What one question may still cost.
struct Budget {
    members: u32,
}

impl Btf {
    /// Reads and indexes a BTF file, usually [`KERNEL_BTF`].
    ///
    /// # Errors
    /// [`BtfError::Read`] and [`BtfError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, BtfError> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|source| BtfError::Read { path: path.to_owned(), source })?;
        Self::parse(&bytes)
    }

    /// Indexes BTF bytes of a little-endian kernel.
    ///
    /// # Errors
    /// [`BtfError::Malformed`]: not BTF, cut short, or with a kind of type that is not known here (its length
    /// is then not known either, so nothing behind it can be found).
    pub fn parse(bytes: &[u8]) -> Result<Self, BtfError> {
        let malformed = BtfError::Malformed;
        let header = bytes.get(..HEADER_BYTES).ok_or(malformed("shorter than a header"))?;
        if header[..2] != MAGIC.to_le_bytes() {
            return Err(malformed("no BTF magic"));
        }
        if header[2] != 1 {
            return Err(malformed("unknown BTF version"));
        }
        let field = |at: usize| u32_at(header, at).ok_or(malformed("shorter than a header"));
        let (header_len, type_off, type_len) = (field(4)?, field(8)?, field(12)?);
        let (str_off, str_len) = (field(16)?, field(20)?);
        // Offsets count from the end of the header, whose length says how much later versions added to it.
        let section = |off: u32, len: u32| {
            let start = usize::try_from(u64::from(header_len) + u64::from(off)).ok()?;
            let end = start.checked_add(usize::try_from(len).ok()?)?;
            bytes.get(start..end)
        };
        let types = section(type_off, type_len).ok_or(malformed("type section outside the file"))?;
        let strings = section(str_off, str_len).ok_or(malformed("string section outside the file"))?;
        if strings.last().is_some_and(|last| *last != 0) {
            return Err(malformed("string section without its final NUL"));
        }
        let (mut starts, mut named, mut functions) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0usize;
        while at < types.len() {
            let start = u32::try_from(at).map_err(|_| malformed("type section too long"))?;
            starts.push(start);
            let head = type_at(types, at).ok_or(malformed("cut inside a type"))?;
            if head.name != 0 && (is_aggregate(&head) || matches!(head.kind, kind::TYPEDEF | kind::ENUM)) {
                named.push(start);
            } else if head.kind == kind::FUNC {
                functions.push(start);
            }
            let rest = rest_bytes(&head).ok_or(malformed("unknown kind of type"))?;
            at = head.rest.checked_add(rest).ok_or(malformed("cut inside a type"))?;
        }
        if at != types.len() {
            return Err(malformed("cut inside a type"));
        }
        Ok(Self { types: types.to_vec(), strings: strings.to_vec(), starts, named, functions })
    }

    /// How many types there are, `void` not counted.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// True when there is no type.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Is there a typedef of this name? A raw tracepoint `NAME` that programs with BTF can attach to shows as the
    /// typedef `btf_trace_NAME` (`include/trace/bpf_probe.h`).
    pub fn has_typedef(&self, name: &str) -> bool {
        self.named(name).any(|ty| ty.kind == kind::TYPEDEF)
    }

    /// Is there a struct or union of this name?
    pub fn has_aggregate(&self, name: &str) -> bool {
        self.named(name).any(|ty| is_aggregate(&ty))
    }

    /// How many arguments a function has. None: it is not there, or inlined everywhere, or two functions of this name
    /// disagree.
    pub fn arguments(&self, function: &str) -> Option<u32> {
        let mut answer = None;
        for function in self.those(&self.functions, function) {
            // BTF_KIND_FUNC names its BTF_KIND_FUNC_PROTO, whose count is the number of arguments.
            let prototype = self.by_id(function.size_or_type).filter(|ty| ty.kind == kind::FUNC_PROTO)?;
            if *answer.get_or_insert(prototype.count) != prototype.count {
                return None;
            }
        }
        answer
    }

    /// Value of an enumerator of a named enum of at most 32 bits; None where the enum has none of this name.
    ///
    /// # Errors
    /// [`BtfError::NoType`] without such an enum.
    pub fn enumerator(&self, type_name: &str, name: &str) -> Result<Option<u32>, BtfError> {
        let no_type = || BtfError::NoType(type_name.to_owned());
        let ty = self.named(type_name).find(|ty| ty.kind == kind::ENUM).ok_or_else(no_type)?;
        let members = self.types.get(ty.rest..).unwrap_or_default();
        let members = members.chunks_exact(ENUMERATOR_BYTES).take(usize::try_from(ty.count).unwrap_or(0));
        let found = members
            .filter_map(|raw| Some((u32_at(raw, 0)?, u32_at(raw, 4)?)))
            .find(|(string, _)| self.is_named(*string, name.as_bytes()));
        Ok(found.map(|(_, value)| value))
    }

    /// Size of a struct or union, in bytes.
    ///
    /// # Errors
    /// [`BtfError::NoType`] and [`BtfError::Ambiguous`].
    pub fn size_bytes(&self, type_name: &str) -> Result<u32, BtfError> {
        self.agreed(type_name, |ty| Ok(ty.size_or_type))
    }

    /// Byte offset of a member from the start of the struct or union `type_name`. Each further word of `path` is a
    /// member of the struct that the one before it embeds; members of anonymous structs and unions are found by
    /// their name alone, as in C. Never goes through a pointer. A bit-field gives the byte that its first bit is in.
    ///
    /// # Errors
    /// [`BtfError::NoType`], [`BtfError::NoMember`], [`BtfError::Ambiguous`]; [`BtfError::Malformed`] for types
    /// that are nested without an end.
    pub fn offset_bytes(&self, type_name: &str, path: &[&str]) -> Result<u32, BtfError> {
        self.agreed(type_name, |ty| {
            let (mut within, mut bits) = (ty, 0u32);
            let mut budget = Budget { members: MAX_MEMBERS_SEEN };
            for (index, member) in path.iter().enumerate() {
                let missing =
                    || BtfError::NoMember { path: format!("{type_name}.{}", path[..=index].join(".")) };
                let (offset, type_id) =
                    self.member(&within, member.as_bytes(), 0, &mut budget)?.ok_or_else(missing)?;
                bits = bits.checked_add(offset).ok_or(BtfError::Malformed("offset too large"))?;
                if index + 1 < path.len() {
                    let missing = || BtfError::NoMember {
                        path: format!("{type_name}.{}", path[..=index + 1].join(".")),
                    };
                    within = self.aggregate(type_id).ok_or_else(missing)?;
                }
            }
            Ok(bits / 8)
        })
    }

    /// The answer that all structs and unions of this name give.
    fn agreed(&self, name: &str, ask: impl Fn(Type) -> Result<u32, BtfError>) -> Result<u32, BtfError> {
        let mut answer = None;
        for ty in self.named(name).filter(is_aggregate) {
            let this = ask(ty)?;
            if *answer.get_or_insert(this) != this {
                return Err(BtfError::Ambiguous(name.to_owned()));
            }
        }
        answer.ok_or_else(|| BtfError::NoType(name.to_owned()))
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Type> + 'a {
        self.those(&self.named, name)
    }

    fn those<'a>(&'a self, starts: &'a [u32], name: &'a str) -> impl Iterator<Item = Type> + 'a {
        let starts = starts.iter().filter_map(|start| usize::try_from(*start).ok());
        starts
            .filter_map(|at| type_at(&self.types, at))
            .filter(move |ty| self.is_named(ty.name, name.as_bytes()))
    }

    fn by_id(&self, id: u32) -> Option<Type> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        type_at(&self.types, usize::try_from(*self.starts.get(index)?).ok()?)
    }

    fn is_named(&self, string: u32, name: &[u8]) -> bool {
        let tail = usize::try_from(string).ok().and_then(|at| self.strings.get(at..)).unwrap_or_default();
        tail.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
    }

    /// Bit offset and type id of a member by name.
    fn member(
        &self,
        ty: &Type,
        name: &[u8],
        depth: u32,
        budget: &mut Budget,
    ) -> Result<Option<(u32, u32)>, BtfError> {
        let endless = BtfError::Malformed("types nested without an end");
        if depth > MAX_DEPTH {
            return Err(endless);
        }
        let members = self.types.get(ty.rest..).unwrap_or_default();
        let count = usize::try_from(ty.count).unwrap_or(0);
        for raw in members.chunks_exact(MEMBER_BYTES).take(count) {
            let Some(left) = budget.members.checked_sub(1) else { return Err(endless) };
            budget.members = left;
            let (Some(string), Some(type_id), Some(offset)) =
                (u32_at(raw, 0), u32_at(raw, 4), u32_at(raw, 8))
            else {
                return Ok(None);
            };
            let offset = if ty.flag { offset & 0x00ff_ffff } else { offset };
            if self.is_named(string, name) {
                return Ok(Some((offset, type_id)));
            }
            let Some(inner) = self.aggregate(type_id).filter(|_| self.is_named(string, b"")) else {
                continue;
            };
            if let Some((within, found)) = self.member(&inner, name, depth + 1, budget)? {
                let sum = offset.checked_add(within).ok_or(BtfError::Malformed("offset too large"))?;
                return Ok(Some((sum, found)));
            }
        }
        Ok(None)
    }

    /// The struct or union that a type id means, behind typedefs and qualifiers.
    fn aggregate(&self, mut id: u32) -> Option<Type> {
        for _ in 0..MAX_DEPTH {
            let ty = self.by_id(id)?;
            match ty.kind {
                kind::STRUCT | kind::UNION => return Some(ty),
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = ty.size_or_type;
                }
                _ => return None,
            }
        }
        None
    }
}

fn is_aggregate(ty: &Type) -> bool {
    matches!(ty.kind, kind::STRUCT | kind::UNION)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn type_at(types: &[u8], at: usize) -> Option<Type> {
    let raw = types.get(at..at.checked_add(TYPE_BYTES)?)?;
    let info = u32_at(raw, 4)?;
    Some(Type {
        name: u32_at(raw, 0)?,
        kind: (info >> 24) & 0x1f,
        flag: info >> 31 == 1,
        count: info & 0xffff,
        size_or_type: u32_at(raw, 8)?,
        rest: at + TYPE_BYTES,
    })
}

/// Bytes behind the fixed part. `None`: a kind that is not known here.
fn rest_bytes(ty: &Type) -> Option<usize> {
    let each = match ty.kind {
        kind::INT | kind::VAR | kind::DECL_TAG => return Some(4),
        kind::ARRAY => return Some(12),
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12,
        kind::ENUM | kind::FUNC_PROTO => 8,
        kind::PTR | kind::FWD | kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT => {
            return Some(0);
        }
        kind::FUNC | kind::FLOAT | kind::TYPE_TAG => return Some(0),
        _ => return None,
    };
    usize::try_from(ty.count).ok()?.checked_mul(each)
}
