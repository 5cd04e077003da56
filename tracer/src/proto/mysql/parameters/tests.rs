//! Binary parameters in, values out.
