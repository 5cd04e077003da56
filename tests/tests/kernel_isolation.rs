//! What dbtap must not do: see other processes, disturb another dbtap, or leave anything behind in the kernel.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::{collections::BTreeSet, fs};

use aya::{maps::loaded_maps, programs::loaded_programs};
use tests::kernel::{
    Child, Kind, Pair, Tap,
    alone::alone,
    calls::{self, read, write},
    lent::detach_spare,
    tap::wait_for,
    text,
};
use tracer::event::Event;

#[test]
fn the_traffic_of_others_gives_no_record() {
    let mut tap = Tap::attach();
    let (pairs, others) = (Pair::of_all_kinds(), Pair::of_all_kinds());
    let talk = |pairs: &[Pair]| {
        for pair in pairs {
            let (here, there) = pair.fds();
            write(here, b"question").unwrap();
            read(there, 8).unwrap();
            write(there, b"answer").unwrap();
            read(here, 6).unwrap();
        }
    };
    let mut target = Child::new(|_| talk(&pairs));
    let mut bystander = Child::new(|_| {
        talk(&others);
        for pair in others {
            drop(pair);
        }
    });
    tap.trace(target.pid(), true);
    target.go();
    bystander.go();
    target.finish();
    bystander.finish();
    tap.drain();
    assert_eq!(tap.lost(), (0, 0));
    let events = tap.events();
    let mut expected = Vec::new();
    for pair in &pairs {
        assert_eq!(text::of_socket(&events, pair.id()), "send 0 question. recv 0 answer.");
        expected.extend([pair.id(), tests::kernel::pair::socket_id(pair.fds().1)]);
    }
    assert_eq!(text::sockets(&events), expected);
    assert_eq!(text::processes(&events), [format!("exit {}", target.pid())]);
}

/// The other end of a target's connection is another process's business, and is not recorded twice.
#[test]
fn the_peer_of_a_target_gives_no_record() {
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, there) = pair.fds();
        let mut child = Child::new(|_| {
            write(here, b"question").unwrap();
            read(here, 6).unwrap();
        });
        tap.trace(child.pid(), true);
        child.go();
        read(there, 8).unwrap();
        write(there, b"answer").unwrap();
        child.finish();
        tap.drain();
        assert_eq!(text::sockets(&tap.events()), [pair.id()], "{:?}", pair.kind);
        // The test's own copy of the target's end is the last one; its close is told too.
        drop(pair);
        tap.forget();
    }
}

#[test]
fn nobody_is_traced_without_being_asked_for() {
    let mut tap = Tap::attach();
    let pair = Pair::new(Kind::Tcp4);
    let mut child = Child::new(|_| {
        write(pair.fds().0, b"x").unwrap();
    });
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(tap.events(), []);
}

/// Removed from the table, a process is a stranger again, but for sockets that were followed already.
#[test]
fn a_process_that_is_removed_opens_no_new_connections_to_view() {
    let mut tap = Tap::attach();
    let pairs = [Pair::new(Kind::Tcp4), Pair::new(Kind::Tcp4)];
    let [first, second] = pairs.each_ref().map(|pair| pair.fds().0);
    let mut child = Child::new(|parent| {
        write(first, b"traced").unwrap();
        parent.tell(1);
        parent.wait();
        write(second, b"not traced").unwrap();
    });
    tap.trace(child.pid(), true);
    child.go();
    child.told();
    tap.kernel.targets.remove(child.pid());
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(text::of_socket(&tap.events(), pairs[0].id()), "send 0 traced.");
    assert_eq!(text::of_socket(&tap.events(), pairs[1].id()), "");
    assert_eq!(text::processes(&tap.events()), [""; 0]);
}

#[test]
fn two_at_once_see_the_same() {
    let mut taps = [Tap::attach(), Tap::with_capture_bytes(0)];
    let pairs = Pair::of_all_kinds();
    let talk = |round: &str| {
        for pair in &pairs {
            let (here, there) = pair.fds();
            write(here, round.as_bytes()).unwrap();
            read(there, round.len()).unwrap();
        }
    };
    let mut child = Child::new(|parent| {
        talk("both");
        parent.tell(1);
        parent.wait();
        talk("one");
    });
    for tap in &mut taps {
        tap.trace(child.pid(), true);
    }
    child.go();
    child.told();
    let [mut stays, mut goes] = taps;
    goes.drain();
    for pair in &pairs {
        assert_eq!(text::of_socket(&goes.events(), pair.id()), "send 0 both.");
    }
    goes.detach();
    child.go();
    child.finish();
    stays.drain();
    for pair in &pairs {
        assert_eq!(text::of_socket(&stays.events(), pair.id()), "send 0 both. send 4 one.");
    }
    assert_eq!(text::processes(&stays.events()), [format!("exit {}", child.pid())]);
}

/// Identifiers of the programs and maps that a process holds by descriptors.
fn held_by(pid: u32) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut programs, mut maps) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap() {
        // A descriptor of another test may be closed meanwhile.
        let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("prog_id:") {
                programs.insert(id.trim().parse().unwrap());
            } else if let Some(id) = line.strip_prefix("map_id:") {
                maps.insert(id.trim().parse().unwrap());
            }
        }
    }
    (programs, maps)
}

fn any_loaded((programs, maps): &(BTreeSet<u32>, BTreeSet<u32>)) -> bool {
    // One that vanishes while it is looked at is gone too.
    loaded_programs().flatten().any(|program| programs.contains(&program.id()))
        || loaded_maps().flatten().any(|map| maps.contains(&map.id()))
}

/// Attaches in a process of its own, checks what it holds, and lets `end` end it.
fn check_nothing_stays(drops: bool, end: impl FnOnce(&mut Child)) {
    let _alone = alone();
    detach_spare();
    let pair = Pair::new(Kind::Tcp4);
    let mut talker = Child::new(|parent| {
        write(pair.fds().0, b"x").unwrap();
        parent.tell(1);
        parent.wait();
    });
    let target = talker.pid();
    let mut holder = Child::new(|parent| {
        let mut tap = Tap::attach();
        tap.trace(target, true);
        parent.tell(1);
        parent.wait();
        if drops {
            tap.detach();
            parent.tell(1);
            parent.wait();
        }
    });
    holder.go();
    holder.told();
    // A socket with state of the programs stays open all the while.
    talker.go();
    talker.told();
    let held = held_by(holder.pid());
    assert!(held.0.len() >= 6 && held.1.len() >= 5, "{held:?}");
    assert!(any_loaded(&held));
    end(&mut holder);
    wait_for("programs and maps are gone", || !any_loaded(&held));
    talker.go();
    talker.finish();
}

#[test]
fn nothing_stays_after_the_probes_are_dropped() {
    check_nothing_stays(true, |holder| {
        holder.go();
        holder.told();
        assert_eq!(held_by(holder.pid()), (BTreeSet::new(), BTreeSet::new()));
    });
}

#[test]
fn nothing_stays_after_kill_9() {
    check_nothing_stays(false, Child::kill);
}

#[test]
fn a_target_that_talks_all_the_while_is_seen_from_one_moment_on() {
    // Their records fit into the ring buffer.
    const LAST: u32 = 10_000;
    let pair = Pair::new(Kind::UnixPair);
    let (here, there) = pair.fds();
    let mut tap = Tap::attach();
    let mut child = Child::new(|parent| {
        for number in 0..LAST {
            write(here, &number.to_ne_bytes()).unwrap();
            calls::recv_all(there, 4);
            if number == 100 {
                parent.tell(1);
            }
        }
    });
    child.go();
    child.told();
    tap.trace(child.pid(), false);
    child.finish();
    tap.drain();
    let events = tap.events();
    let sent: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Transfer(piece) if piece.socket == pair.id() => {
                Some(u32::from_ne_bytes(piece.bytes.try_into().unwrap()))
            }
            _ => None,
        })
        .collect();
    let first = sent[0];
    assert!(first > 100);
    assert_eq!(tap.lost(), (0, 0));
    assert!(sent.iter().copied().eq(first..LAST), "{} of {first} to {LAST}", sent.len());
}
