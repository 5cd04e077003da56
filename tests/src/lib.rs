//! Real servers and drivers.
