//! Puts what was found into sentences.
