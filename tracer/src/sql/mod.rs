//! Statement texts: literals removed, and each distinct text known by a small number.
//!
//! Never keeps a literal: what is stored is the normalised form only. Bytes come from the target and are hostile: any
//! text, cut anywhere, gives some form, and none of its bytes can steer a terminal.
//!
//! `lexer` → `normalize` (`keywords`, `lists`, `slots`, `secrets`, `hints`, `operation`, `output`) → `texts` (`id`,
//! `recent`); `read` makes features of literals, `layout` says where values stand. `statements` and `effect` read tokens too.

mod dialect;
mod effect;
mod hints;
mod id;
mod keywords;
mod layout;
mod lexer;
mod lists;
mod normalize;
mod operation;
mod output;
mod read;
mod recent;
mod secrets;
mod slots;
mod statements;
mod texts;
mod verbs;

pub use dialect::Dialect;
pub use effect::{Effect, effect};
pub use layout::LayoutId;
pub use slots::Position;
pub use statements::statements;
pub use texts::{Command, Interned, Text, TextId, TextKind, Texts};
pub use verbs::{is_call, kill_target};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
