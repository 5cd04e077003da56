//! One test at a time: a forked child has a copy of every descriptor of its parent, so a child of one test would keep the
//! connections of another one open, and each could wait for the other's end.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// While any of a thread's own lives, no other thread has one.
pub type Alone = Rc<MutexGuard<'static, ()>>;

static LOCK: Mutex<()> = Mutex::new(());

thread_local! {
    static HELD: RefCell<Weak<MutexGuard<'static, ()>>> = const { RefCell::new(Weak::new()) };
}

/// Waits until no other test has sockets, children or probes.
pub fn alone() -> Alone {
    HELD.with_borrow_mut(|held| {
        held.upgrade().unwrap_or_else(|| {
            // A test that failed has left nothing behind either.
            let alone = Rc::new(LOCK.lock().unwrap_or_else(PoisonError::into_inner));
            *held = Rc::downgrade(&alone);
            alone
        })
    })
}
