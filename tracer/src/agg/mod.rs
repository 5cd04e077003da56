//! agg
