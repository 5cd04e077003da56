//! Prepared statements and portals of one session, as the server holds them: changed only by what the server confirmed.
//!
//! Never keeps a statement text, only its id, and of its literals and bind values only their features. Bounded: past [`NAMES`] names or [`NAME_BYTES`] bytes of names the oldest
//! are dropped at the next quiet moment, and what uses them later shows as prepared before the capture.

use super::frontend::UNREAD;
use super::parameters::{self, TypeClass};
use super::pending::{Act, Statement};
use crate::request::{Task, TransactionStatus};
use crate::sql::{LayoutId, TextId};
use crate::time::Nanos;
use crate::value::Value;
use std::collections::HashMap;

/// Names kept of one session.
pub(super) const NAMES: usize = 10_000;
/// Bytes of names kept of one session.
pub(super) const NAME_BYTES: usize = 1 << 20;
/// Literals kept of one prepared statement.
const PREPARED_LITERALS: usize = 32;
/// Names that mean nothing any more and wait for the next sweep.
const DEAD: usize = 64;

/// A name of this session: of a prepared statement, a portal, or both. Valid until the next [`Names::sweep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NameId(u32);

/// A portal.
#[derive(Clone, Debug)]
pub(super) struct Portal {
    /// What it runs.
    pub statement: Statement,
    /// Set while a row limit has suspended it.
    pub suspended: Option<Box<Suspended>>,
}

/// The request of a portal that is read in pieces.
#[derive(Clone, Debug)]
pub(super) struct Suspended {
    pub started_at: Nanos,
    pub first_byte_at: Nanos,
    pub ended_at: Nanos,
    pub task: Task,
    pub transaction: Option<TransactionStatus>,
    pub rows: u64,
    pub request_bytes: u64,
    pub answer_bytes: u64,
    pub load: Option<u32>,
}

/// What was last sent to be prepared under a name. A Bind may follow before the server has answered, so this does not
/// wait for its answer: when that is an error, the server skips the Bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Where its values stand.
    pub layout: LayoutId,
    /// Types of its parameters, as far as told.
    pub types: Vec<TypeClass>,
    /// Its literals.
    pub literals: Vec<Value>,
    /// How often it was bound.
    pub binds: u32,
    /// The values of its next executions are not read.
    pub passes_over: bool,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            layout: LayoutId::PARAMETERS,
            types: Vec::new(),
            literals: Vec::new(),
            binds: 0,
            passes_over: false,
        }
    }
}

impl Sent {
    /// Another statement was sent under the same name.
    pub(super) fn set(&mut self, layout: LayoutId, literals: &[Value]) {
        self.layout = layout;
        self.literals.clear();
        self.literals.extend(literals.iter().take(PREPARED_LITERALS));
    }
}

#[derive(Debug)]
struct Slot {
    name: Box<[u8]>,
    age: u64,
    statement: Option<Statement>,
    portal: Option<Portal>,
    /// Values of the portal.
    values: Vec<Value>,
    sent: Option<Box<Sent>>,
    before: Option<TextId>,
    parsed: bool,
}

/// The names of one session.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: HashMap<Box<[u8]>, u32>,
    slots: Vec<Slot>,
    name_bytes: usize,
    ages: u64,
    portals: Vec<NameId>,
    ended: usize,
    opened_before: Option<TextId>,
    /// The unnamed id, and the one that was looked up last. A stale one is harmless: its name is compared.
    recent: [u32; 2],
}

impl Names {
    /// The id of a name, new where it must be.
    pub(super) fn id(&mut self, name: &[u8]) -> NameId {
        // Most messages name the unnamed portal or the statement of the message before: no hash is needed.
        for recent in self.recent {
            if self.slots.get(recent as usize).is_some_and(|slot| *slot.name == *name) {
                return NameId(recent);
            }
        }
        if let Some(id) = self.ids.get(name) {
            self.recent[usize::from(!name.is_empty())] = *id;
            return NameId(*id);
        }
        let id = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.ids.insert(name.into(), id);
        self.name_bytes += name.len();
        self.ages += 1;
        self.slots.push(Slot {
            name: name.into(),
            age: self.ages,
            statement: None,
            portal: None,
            values: Vec::new(),
            sent: None,
            before: None,
            parsed: false,
        });
        NameId(id)
    }

    /// How many names are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Twice the limit: the session must lose its pending work so that names can be dropped.
    pub(super) fn is_overfull(&self) -> bool {
        self.slots.len() > 2 * NAMES || self.name_bytes > 2 * NAME_BYTES
    }

    fn slot(&self, id: NameId) -> Option<&Slot> {
        self.slots.get(id.0 as usize)
    }
    fn slot_mut(&mut self, id: NameId) -> Option<&mut Slot> {
        self.slots.get_mut(id.0 as usize)
    }

    /// The name itself.
    pub(super) fn name(&self, id: NameId) -> &[u8] {
        self.slot(id).map_or(&[], |slot| &slot.name)
    }

    /// A Parse with this name was sent.
    pub(super) fn set_parsed(&mut self, id: NameId) {
        if let Some(slot) = self.slot_mut(id) {
            slot.parsed = true;
        }
    }
    /// Nothing seen ever prepared this name.
    pub(super) fn is_unseen(&self, id: NameId) -> bool {
        self.slot(id).is_some_and(|slot| !slot.parsed && slot.statement.is_none() && slot.before.is_none())
    }
    /// What was last sent to be prepared under this name.
    pub(super) fn sent(&self, id: NameId) -> Option<&Sent> {
        self.slot(id)?.sent.as_deref()
    }
    /// As [`Names::sent`], to fill it.
    pub(super) fn sent_mut(&mut self, id: NameId) -> Option<&mut Sent> {
        self.slot_mut(id).map(|slot| &mut **slot.sent.get_or_insert_default())
    }
    /// What was sent under this name is not known, or was refused: nothing is known of its values.
    pub(super) fn forget_sent(&mut self, id: NameId) {
        if let Some(slot) = self.slot_mut(id) {
            slot.sent = None;
        }
    }
    /// The server has told the types of its parameters. The client may have told them better.
    pub(super) fn describe(&mut self, id: NameId, description: &[u8]) {
        if let Some(sent) = self.sent_mut(id)
            && (sent.types.is_empty() || sent.types.contains(&TypeClass::Unknown))
        {
            sent.types.clear();
            parameters::described_types(description, &mut sent.types);
        }
    }
    /// The values of the portal of this name.
    pub(super) fn values(&self, id: NameId) -> &[Value] {
        self.slot(id).map_or(&[], |slot| &slot.values)
    }
    /// Takes them out, to be given back, so that their room is used again.
    pub(super) fn take_values(&mut self, id: NameId) -> Vec<Value> {
        self.slot_mut(id).map(|slot| std::mem::take(&mut slot.values)).unwrap_or_default()
    }
    /// Sets [`Names::values`].
    pub(super) fn give_values(&mut self, id: NameId, values: Vec<Value>) {
        if let Some(slot) = self.slot_mut(id) {
            slot.values = values;
        }
    }

    /// The text that stands for a statement of this name prepared before the capture.
    pub(super) fn before(&self, id: NameId) -> Option<TextId> {
        self.slot(id)?.before
    }
    /// Sets [`Names::before`].
    pub(super) fn set_before(&mut self, id: NameId, text: TextId) {
        if let Some(slot) = self.slot_mut(id) {
            slot.before = Some(text);
        }
    }

    /// The text of a portal that was opened before the capture, once one was used.
    pub(super) fn opened_before(&self) -> Option<TextId> {
        self.opened_before
    }
    /// Sets [`Names::opened_before`].
    pub(super) fn set_opened_before(&mut self, text: TextId) {
        self.opened_before = Some(text);
    }

    /// The prepared statement of this name.
    pub(super) fn statement(&self, id: NameId) -> Option<Statement> {
        self.slot(id)?.statement
    }
    /// The server has prepared it.
    pub(super) fn set_statement(&mut self, id: NameId, statement: Statement) {
        if let Some(slot) = self.slot_mut(id)
            && *slot.name != *UNREAD
        {
            slot.statement = Some(statement);
            slot.parsed = true;
        }
    }
    /// The server has dropped it.
    pub(super) fn drop_statement(&mut self, id: NameId) {
        if let Some(slot) = self.slot_mut(id)
            && slot.statement.take().is_some()
        {
            self.ended += 1;
        }
    }
    /// The server has dropped all that have a name (`DropAllPreparedStatements`, prepare.c).
    pub(super) fn drop_named_statements(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| !slot.name.is_empty()) {
            self.ended += usize::from(slot.statement.take().is_some());
        }
    }

    /// The portal of this name.
    pub(super) fn portal(&self, id: NameId) -> Option<&Portal> {
        self.slot(id)?.portal.as_ref()
    }
    /// The portal of this name.
    pub(super) fn portal_mut(&mut self, id: NameId) -> Option<&mut Portal> {
        self.slot_mut(id)?.portal.as_mut()
    }
    /// The server has made it. Gives the one that it replaced.
    pub(super) fn set_portal(&mut self, id: NameId, statement: Statement) -> Option<(NameId, Portal)> {
        let slot = self.slot_mut(id)?;
        let old = slot.portal.replace(Portal { statement, suspended: None });
        if old.is_none() {
            self.portals.push(id);
        }
        old.map(|old| (id, old))
    }
    /// The server has closed it.
    pub(super) fn close_portal(&mut self, id: NameId) -> Option<(NameId, Portal)> {
        let portal = self.slot_mut(id)?.portal.take()?;
        self.portals.retain(|open| *open != id);
        self.ended += 1;
        Some((id, portal))
    }
    /// Closes any one portal.
    pub(super) fn close_any_portal(&mut self) -> Option<(NameId, Portal)> {
        let id = self.portals.pop()?;
        // The unnamed portal's slot is always in use.
        self.ended += usize::from(!self.name(id).is_empty());
        self.slot_mut(id)?.portal.take().map(|portal| (id, portal))
    }
    /// Suspended portals: their statement and their request.
    pub(super) fn suspended(&self) -> impl Iterator<Item = (NameId, Statement, &Suspended)> {
        self.portals.iter().filter_map(|id| {
            let portal = self.portal(*id)?;
            Some((*id, portal.statement, portal.suspended.as_deref()?))
        })
    }

    /// Forgets names without meaning, and the oldest beyond the limits. Ends the life of every [`NameId`]: only for
    /// moments when none is held elsewhere.
    pub(super) fn sweep(&mut self) {
        let full = self.slots.len() > NAMES || self.name_bytes > NAME_BYTES;
        if !full && self.ended <= DEAD.max(self.slots.len() / 4) {
            return;
        }
        self.ended = 0;
        // A statement whose act names another slot holds that name's bytes by id: ids move, so acts are remapped.
        let mut referenced = vec![false; self.slots.len()];
        for slot in &self.slots {
            let acts = [slot.statement, slot.portal.as_ref().map(|portal| portal.statement)];
            for NameId(id) in acts.into_iter().flatten().filter_map(|statement| statement.act.name()) {
                if let Some(flag) = referenced.get_mut(id as usize) {
                    *flag = true;
                }
            }
        }
        let mut keep: Vec<u32> = (0..u32::try_from(self.slots.len()).unwrap_or(0))
            .filter(|id| {
                let slot = &self.slots[*id as usize];
                slot.statement.is_some() || slot.portal.is_some() || referenced[*id as usize]
            })
            .collect();
        if full {
            keep.sort_unstable_by_key(|id| std::cmp::Reverse(self.slots[*id as usize].age));
            let mut bytes = 0;
            let fits = |id: &&u32| {
                bytes += self.slots[**id as usize].name.len();
                bytes <= NAME_BYTES * 3 / 4
            };
            let fitting = keep.iter().take(NAMES * 3 / 4).take_while(fits).count();
            keep.truncate(fitting);
            keep.reverse();
        }
        self.rebuild(&keep);
    }

    fn rebuild(&mut self, keep: &[u32]) {
        let mut moved = vec![None; self.slots.len()];
        for (new, old) in (0u32..).zip(keep) {
            moved[*old as usize] = Some(NameId(new));
        }
        let mut old: Vec<Option<Slot>> = std::mem::take(&mut self.slots).into_iter().map(Some).collect();
        for id in keep {
            let Some(mut slot) = old[*id as usize].take() else { continue };
            if let Some(statement) = &mut slot.statement {
                statement.act = statement.act.renamed(&moved);
            }
            if let Some(portal) = &mut slot.portal {
                portal.statement.act = portal.statement.act.renamed(&moved);
            }
            self.slots.push(slot);
        }
        self.ids = (0u32..).zip(&self.slots).map(|(id, slot)| (slot.name.clone(), id)).collect();
        self.name_bytes = self.slots.iter().map(|slot| slot.name.len()).sum();
        self.portals = self.portals.iter().filter_map(|NameId(id)| moved[*id as usize]).collect();
    }
}

impl Act {
    fn name(self) -> Option<NameId> {
        match self {
            Act::Prepare { name, .. } | Act::Execute { name } | Act::Deallocate { name } => Some(name),
            Act::None | Act::DeallocateAll => None,
        }
    }
    fn renamed(self, moved: &[Option<NameId>]) -> Self {
        let Some(NameId(old)) = self.name() else { return self };
        let Some(name) = moved.get(old as usize).copied().flatten() else { return Act::None };
        match self {
            Act::Prepare { text, .. } => Act::Prepare { name, text },
            Act::Execute { .. } => Act::Execute { name },
            _ => Act::Deallocate { name },
        }
    }
}
