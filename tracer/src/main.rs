//! The command `dbtap`. Parses, validates, runs.
use tracer::source::{Source, bpf::{Kernel, Limits}};
fn main() {
    let t=std::time::Instant::now();
    let mut k = match Kernel::attach(Limits { capture_bytes: 1 << 20, max_targets: 1024 }) { Ok(k) => k, Err(e) => { eprintln!("{e}"); std::process::exit(1) } };
    eprintln!("attached {:?}", t.elapsed());
    let pid: u32 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    k.targets.insert(pid, true);
    for _ in 0..1000 {
        let _ = k.drain(100000, &mut |r| println!("{:?}", tracer::event::decode(r)));
        k.sample_cost();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    println!("{:?} {:?}", k.losses(), k.cost.estimate());
}
