//! The records that kernel programs and user space share, defined once.
#![no_std]
