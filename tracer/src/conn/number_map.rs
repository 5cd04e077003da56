//! Maps by numbers that nobody outside chooses: socket cookies, which the kernel counts up, and ids that dbtap gives out.
//!
//! Several look-ups for each record make the standard hash, which withstands chosen keys, one of the largest costs. For
//! anything that the target chooses (names, texts) it stays the right one.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxBuildHasher;

/// By socket, text id and the like.
pub type NumberMap<K, V> = HashMap<K, V, FxBuildHasher>;
/// As [`NumberMap`].
pub type NumberSet<K> = HashSet<K, FxBuildHasher>;
