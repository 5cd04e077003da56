//! Builds the kernel object into the library when the feature `bpf` is on.
//!
//! Not done with `aya-build`: it wants a nightly toolchain by name and takes neither a linker nor a target CPU.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, bail, ensure};

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_BPF").is_none() {
        return Ok(());
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let source = root.join("tracer-ebpf");
    println!("cargo:rerun-if-changed={}", source.join("src").display());
    println!("cargo:rerun-if-changed={}", source.join("Cargo.toml").display());

    let out = PathBuf::from(env::var("OUT_DIR")?);
    // target/<profile>/build/<package>/out: one kernel build serves every profile.
    let target = out.ancestors().nth(4).context("OUT_DIR lies outside a target folder")?.join("ebpf");
    let local_linker = root.join(".tools/bin/bpf-linker");
    println!("cargo:rerun-if-changed={}", local_linker.display());
    let linker = if local_linker.exists() { local_linker } else { "bpf-linker".into() };
    let flags = [
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        format!("-Clinker={}", linker.display()),
        format!("--cfg=bpf_target_arch=\"{}\"", env::var("CARGO_CFG_TARGET_ARCH")?),
    ];
    let status = Command::new(env::var("CARGO")?)
        .args(["build", "--release", "--locked", "--package=tracer-ebpf", "--bins"])
        .args(["--target=bpfel-unknown-none", "-Zbuild-std=core"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&root)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        // The verifier refuses programs that can reach a panic, so the kernel side wraps where user space would stop.
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "2")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTFLAGS")
        .status()
        .context("could not start cargo for the kernel object")?;
    ensure!(
        status.success(),
        "the kernel object did not build; `cargo xtask build` installs what it needs (rust-src, bpf-linker)"
    );
    for name in ["dbtap-socket", "dbtap-fexit", "dbtap-fexit-table", "dbtap-syscall"] {
        let object = target.join("bpfel-unknown-none/release").join(name);
        if !object.exists() {
            bail!("the kernel object is not where it was expected: {}", object.display());
        }
        std::fs::copy(&object, out.join(name).with_extension("o"))
            .context("could not copy the kernel object")?;
    }
    Ok(())
}
